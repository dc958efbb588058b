//! Master keys as a file: made once, readable by nobody else. Line by line, the current key first; the others only open what they
//! sealed. The file is replaced as a whole or not at all, so that a service may read it at any time.

use std::fs::{File, OpenOptions, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::error::SealingError;
use super::master_key::{KeyId, MasterKey, MasterKeys};
use crate::randomness::{Random, draw};

/// Keys of one file at most.
pub const KEYS_MAX: usize = 16;
/// A key file is never longer, in bytes.
const FILE_BYTES_MAX: u64 = 16 * 1024;
const OWNER_ONLY: u32 = 0o600;
const PERMISSION_BITS: u32 = 0o777;
/// What a file of this user may not allow: anything to anybody else.
const FORBIDDEN: u32 = 0o077;
/// What a file of root may not allow. Mounted secrets of a cluster belong to root and are read by way of the group.
const FORBIDDEN_OF_ROOT: u32 = 0o037;
const COMMENT: char = '#';

/// Whether a key file was there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyFileState {
    /// It was there.
    Found,
    /// It was made now: tell the operator to keep a copy.
    Created,
}

impl MasterKey {
    /// Makes a new key and a file of it. The file appears whole or not at all, with mode 0600.
    ///
    /// # Errors
    /// [`SealingError::FileExists`], also when another process was faster; [`SealingError::File`]; [`SealingError::Random`].
    pub fn create_file(path: &Path, random: &dyn Random) -> Result<Self, SealingError> {
        let key = Self::generate(random)?;
        let unfinished = unfinished_path(path, random)?;
        let text = Zeroizing::new(format!("{}\n", *key.to_text()));
        // A link fails where a rename would overwrite.
        let written = write_new(&unfinished, &text, None)
            .and_then(|()| std::fs::hard_link(&unfinished, path))
            .and_then(|()| folder_of(path)?.sync_all());
        // The link keeps the content; without one there is nothing to keep. A leftover is harmless: nothing reads it.
        let _removed = std::fs::remove_file(&unfinished);
        match written {
            Ok(()) => Ok(key),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(SealingError::FileExists { path: path.to_owned() }),
            Err(source) => Err(SealingError::File { doing: "create", path: path.to_owned(), source }),
        }
    }
}

impl MasterKeys {
    /// Reads keys, one a line (or several with commas between them, as a variable holds them): the current one first. Empty lines
    /// and those that begin with `#` say nothing. `origin` is where the text came from, for errors.
    ///
    /// # Errors
    /// [`SealingError::NotAKey`], [`SealingError::TooManyKeys`].
    pub fn from_text(text: &str, origin: &str) -> Result<Self, SealingError> {
        let mut keys: Vec<MasterKey> = Vec::new();
        for word in text.lines().filter(|line| !is_comment(line)).flat_map(|line| line.split(',')) {
            let key = MasterKey::from_text(word, origin)?;
            if keys.iter().all(|known| known.id() != key.id()) {
                keys.push(key);
            }
            if keys.len() > KEYS_MAX {
                return Err(SealingError::TooManyKeys { origin: origin.to_owned() });
            }
        }
        if keys.is_empty() {
            return Err(SealingError::NotAKey { origin: origin.to_owned(), reason: "it is empty" });
        }
        let current = keys.remove(0);
        Ok(Self::new(current, keys))
    }

    /// Reads a key file.
    ///
    /// # Errors
    /// [`SealingError::ReadableByOthers`], [`SealingError::NotAKey`], [`SealingError::TooManyKeys`], [`SealingError::File`].
    pub fn from_file(path: &Path) -> Result<Self, SealingError> {
        Self::from_text(&read_text(path)?, &origin_of(path))
    }

    /// Reads the key file, or makes it where there is none: the first start.
    ///
    /// # Errors
    /// As [`MasterKeys::from_file`] and [`MasterKey::create_file`].
    pub fn from_file_or_create(path: &Path, random: &dyn Random) -> Result<(Self, KeyFileState), SealingError> {
        match Self::from_file(path) {
            Err(SealingError::File { source, .. }) if source.kind() == io::ErrorKind::NotFound => {}
            read => return Ok((read?, KeyFileState::Found)),
        }
        match MasterKey::create_file(path, random) {
            Err(SealingError::FileExists { .. }) => Ok((Self::from_file(path)?, KeyFileState::Found)),
            created => Ok((Self::new(created?, Vec::new()), KeyFileState::Created)),
        }
    }

    /// Puts a new key before those of a file; what the file holds then.
    ///
    /// # Errors
    /// As [`MasterKeys::from_file`]; [`SealingError::TooManyKeys`]; [`SealingError::Random`].
    pub fn prepend_to_file(path: &Path, random: &dyn Random) -> Result<Self, SealingError> {
        let key = MasterKey::generate(random)?;
        rewrite(path, random, |text| format!("{}\n{text}", *key.to_text()))
    }

    /// Takes keys out of a file, but never the current one; what the file holds then.
    ///
    /// # Errors
    /// As [`MasterKeys::from_file`].
    pub fn remove_from_file(path: &Path, keys: &[KeyId], random: &dyn Random) -> Result<Self, SealingError> {
        let current = Self::from_file(path)?.current().id();
        let stays = |line: &str| {
            let key = MasterKey::from_text(line, "").ok();
            key.is_none_or(|key| key.id() == current || !keys.contains(&key.id()))
        };
        rewrite(path, random, |text| {
            let lines = text.lines().flat_map(|line| if is_comment(line) { vec![line] } else { line.split(',').collect() });
            lines.filter(|line| stays(line)).fold(String::with_capacity(text.len() + KEYS_MAX), |out, line| out + line + "\n")
        })
    }
}

fn is_comment(line: &str) -> bool {
    line.trim().is_empty() || line.trim_start().starts_with(COMMENT)
}

fn origin_of(path: &Path) -> String {
    format!("the file {}", path.display())
}

fn read_text(path: &Path) -> Result<Zeroizing<String>, SealingError> {
    let failed = |source| SealingError::File { doing: "read", path: path.to_owned(), source };
    let file = File::open(path).map_err(failed)?;
    let metadata = file.metadata().map_err(failed)?;
    let forbidden = if metadata.uid() == 0 { FORBIDDEN_OF_ROOT } else { FORBIDDEN };
    if metadata.mode() & forbidden != 0 {
        return Err(SealingError::ReadableByOthers { path: path.to_owned(), mode: metadata.mode() & PERMISSION_BITS });
    }
    if metadata.len() > FILE_BYTES_MAX {
        return Err(SealingError::NotAKey { origin: origin_of(path), reason: "it is longer than 16 KiB" });
    }
    let mut text = Zeroizing::new(String::new());
    file.take(FILE_BYTES_MAX).read_to_string(&mut text).map_err(failed)?;
    Ok(text)
}

/// Replaces a file by what `change` makes of it, while nobody else does.
fn rewrite(path: &Path, random: &dyn Random, change: impl FnOnce(&str) -> String) -> Result<MasterKeys, SealingError> {
    let failed = |source| SealingError::File { doing: "replace", path: path.to_owned(), source };
    // What a link leads to is replaced, not the link.
    let path = std::fs::canonicalize(path).map_err(failed)?;
    let folder = folder_of(&path).map_err(failed)?;
    // Nothing is left behind of a lock on the folder, and the system lets go of it however the program ends.
    folder.lock().map_err(failed)?;
    let text = Zeroizing::new(change(&read_text(&path)?));
    let keys = MasterKeys::from_text(&text, &origin_of(&path))?;
    let unfinished = unfinished_path(&path, random)?;
    let owner = std::fs::metadata(&path).map_err(failed)?;
    let written = write_new(&unfinished, &text, Some(&owner)).and_then(|()| std::fs::rename(&unfinished, &path));
    if let Err(source) = written {
        let _removed = std::fs::remove_file(&unfinished);
        return Err(failed(source));
    }
    folder.sync_all().map_err(failed)?;
    Ok(keys)
}

fn folder_of(path: &Path) -> io::Result<File> {
    File::open(path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new(".")))
}

/// In the same directory, as neither links nor renames reach across file systems.
fn unfinished_path(path: &Path, random: &dyn Random) -> Result<PathBuf, SealingError> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{:016x}.unfinished", u64::from_be_bytes(draw(random)?)));
    Ok(path.with_file_name(name))
}

/// Writes a new file, for whom the one before was: root may rotate the keys of a service that runs as somebody else.
fn write_new(path: &Path, text: &str, like: Option<&std::fs::Metadata>) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(OWNER_ONLY).open(path)?;
    if let Some(like) = like {
        let made = file.metadata()?;
        if (made.uid(), made.gid()) != (like.uid(), like.gid()) {
            fchown(&file, Some(like.uid()), Some(like.gid()))?;
        }
        file.set_permissions(Permissions::from_mode(like.mode() & PERMISSION_BITS))?;
    }
    file.write_all(text.as_bytes())?;
    file.sync_all()
}
