//! The master key as a file: made once, readable by nobody else, never overwritten.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::error::SealingError;
use super::master_key::MasterKey;
use crate::randomness::{Random, draw};

/// A key file is never longer, in bytes.
const FILE_BYTES_MAX: u64 = 4096;
const OWNER_ONLY: u32 = 0o600;
const PERMISSION_BITS: u32 = 0o777;
/// What a file of this user may not allow: anything to anybody else.
const FORBIDDEN: u32 = 0o077;
/// What a file of root may not allow. Mounted secrets of a cluster belong to root and are read by way of the group.
const FORBIDDEN_OF_ROOT: u32 = 0o037;

/// Whether a key file was there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyFileState {
    /// It was there.
    Found,
    /// It was made now: tell the operator to keep a copy.
    Created,
}

impl MasterKey {
    /// Reads a key file.
    ///
    /// # Errors
    /// [`SealingError::ReadableByOthers`], [`SealingError::NotAKey`], [`SealingError::File`].
    pub fn from_file(path: &Path) -> Result<Self, SealingError> {
        let failed = |source| SealingError::File { doing: "read", path: path.to_owned(), source };
        let file = File::open(path).map_err(failed)?;
        let metadata = file.metadata().map_err(failed)?;
        let forbidden = if metadata.uid() == 0 { FORBIDDEN_OF_ROOT } else { FORBIDDEN };
        if metadata.mode() & forbidden != 0 {
            return Err(SealingError::ReadableByOthers { path: path.to_owned(), mode: metadata.mode() & PERMISSION_BITS });
        }
        let mut text = Zeroizing::new(String::new());
        file.take(FILE_BYTES_MAX).read_to_string(&mut text).map_err(failed)?;
        Self::from_text(&text, &format!("the file {}", path.display()))
    }

    /// Makes a new key and a file of it. The file appears whole or not at all, with mode 0600.
    ///
    /// # Errors
    /// [`SealingError::FileExists`], also when another process was faster; [`SealingError::File`]; [`SealingError::Random`].
    pub fn create_file(path: &Path, random: &dyn Random) -> Result<Self, SealingError> {
        let key = Self::generate(random)?;
        let unfinished = unfinished_path(path, random)?;
        let written = write_and_link(&unfinished, path, &key);
        // The link keeps the content; without one there is nothing to keep. A leftover is harmless: nothing reads it.
        let _removed = std::fs::remove_file(&unfinished);
        match written {
            Ok(()) => Ok(key),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(SealingError::FileExists { path: path.to_owned() }),
            Err(source) => Err(SealingError::File { doing: "create", path: path.to_owned(), source }),
        }
    }

    /// Reads the key file, or makes it where there is none: the first start.
    ///
    /// # Errors
    /// As [`MasterKey::from_file`] and [`MasterKey::create_file`].
    pub fn from_file_or_create(path: &Path, random: &dyn Random) -> Result<(Self, KeyFileState), SealingError> {
        match Self::from_file(path) {
            Err(SealingError::File { source, .. }) if source.kind() == io::ErrorKind::NotFound => {}
            read => return Ok((read?, KeyFileState::Found)),
        }
        match Self::create_file(path, random) {
            Err(SealingError::FileExists { .. }) => Ok((Self::from_file(path)?, KeyFileState::Found)),
            created => Ok((created?, KeyFileState::Created)),
        }
    }
}

/// In the same directory, as a link across file systems is impossible.
fn unfinished_path(path: &Path, random: &dyn Random) -> Result<PathBuf, SealingError> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{:016x}.unfinished", u64::from_be_bytes(draw(random)?)));
    Ok(path.with_file_name(name))
}

/// A link fails where a rename would overwrite.
fn write_and_link(unfinished: &Path, path: &Path, key: &MasterKey) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(OWNER_ONLY).open(unfinished)?;
    file.write_all(key.to_text().as_bytes())?;
    file.write_all(b"\n")?;
    file.sync_all()?;
    std::fs::hard_link(unfinished, path)?;
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(directory)?.sync_all()
}
