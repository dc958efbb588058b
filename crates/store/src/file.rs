//! The file of a SQLite catalog before SQLite touches it: created for its owner only, and never taken for a catalog when it is none.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Read};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use crate::migrations::sqlite::APPLICATION_ID;
use crate::{Result, StoreError};

/// What is at the path of a catalog.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// No file, or one without content.
    Nothing,
    /// A catalog of ours, of whatever version.
    Catalog,
}

/// The header of a SQLite file (https://www.sqlite.org/fileformat.html section 1.3).
const HEADER_LENGTH: usize = 100;
const MAGIC: &[u8; 16] = b"SQLite format 3\0";
const APPLICATION_ID_AT: usize = 68;

/// Looks at the file without changing it.
pub(crate) fn inspect(path: &Path) -> Result<Found> {
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Found::Nothing),
        Err(source) => return Err(unwritable(path, source)),
    };
    let mut header = Vec::with_capacity(HEADER_LENGTH);
    file.by_ref().take(HEADER_LENGTH as u64).read_to_end(&mut header).map_err(|source| unwritable(path, source))?;
    if header.is_empty() {
        return Ok(Found::Nothing);
    }
    let foreign = |reason: &str| Err(StoreError::NotACatalog { path: path.to_owned(), reason: reason.to_owned() });
    if header.len() < HEADER_LENGTH || !header.starts_with(MAGIC) {
        return foreign("it is no SQLite database");
    }
    match header[APPLICATION_ID_AT..].first_chunk::<4>() {
        Some(id) if u32::from_be_bytes(*id) == APPLICATION_ID => Ok(Found::Catalog),
        _ => foreign("it is the SQLite database of another program"),
    }
}

/// Creates the folders and an empty file, both for the owner only.
pub(crate) fn create(path: &Path) -> Result<()> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(|source| unwritable(folder, source))?;
    }
    open_private(path).map(drop)
}

/// Opens a file beside or at the catalog for writing, and creates it for the owner only.
pub(crate) fn open_private(path: &Path) -> Result<File> {
    let opened = OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path);
    opened.map_err(|source| unwritable(path, source))
}

/// Creates a file that is not there yet, for the owner only.
pub(crate) fn create_new_private(path: &Path) -> Result<()> {
    let created = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    created.map(drop).map_err(|source| unwritable(path, source))
}

/// A lock on a file beside the catalog. The system lets go of it however the program ends; the file is removed with it.
#[derive(Debug)]
pub(crate) struct FileLock {
    path: PathBuf,
    /// Closed after the removal: who opened the file before it finds that it is no longer at its path.
    _file: File,
}

/// How often a lock file that was removed in between is opened again.
const LOCK_TRIES_MAX: usize = 100;

impl FileLock {
    /// Waits for the lock.
    pub(crate) fn wait(path: PathBuf) -> Result<Self> {
        match Self::take(&path, File::lock)? {
            Some(file) => Ok(Self { path, _file: file }),
            None => Err(unwritable(&path, std::io::Error::from(ErrorKind::Interrupted))),
        }
    }

    /// The lock, unless somebody holds it.
    pub(crate) fn try_take(path: PathBuf) -> Result<Option<Self>> {
        let lock = |file: &File| match file.try_lock() {
            Ok(()) => Ok(()),
            Err(TryLockError::WouldBlock) => Err(std::io::Error::from(ErrorKind::WouldBlock)),
            Err(TryLockError::Error(source)) => Err(source),
        };
        Ok(Self::take(&path, lock)?.map(|file| Self { path, _file: file }))
    }

    fn take(path: &Path, lock: impl Fn(&File) -> std::io::Result<()>) -> Result<Option<File>> {
        for _ in 0..LOCK_TRIES_MAX {
            let file = open_private(path)?;
            match lock(&file) {
                Ok(()) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(None),
                Err(source) => return Err(unwritable(path, source)),
            }
            // Its holder may have removed the file before letting go: a lock on a file that nobody finds keeps nobody out.
            let opened = file.metadata().map_err(|source| unwritable(path, source))?;
            if std::fs::metadata(path).is_ok_and(|there| (there.dev(), there.ino()) == (opened.dev(), opened.ino())) {
                return Ok(Some(file));
            }
        }
        Ok(None)
    }
}

impl Drop for FileLock {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_file(&self.path) {
            tracing::debug!(%error, path = %self.path.display(), "a lock file stays behind, which does no harm");
        }
    }
}

fn unwritable(path: &Path, source: std::io::Error) -> StoreError {
    StoreError::Unwritable { path: path.to_owned(), source }
}
