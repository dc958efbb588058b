//! The folder that a runtime lives in: one process at a time.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use crate::spool::files;

const LOCK_FILE: &str = "runtime.lock";
/// The configuration that `enroll` writes and `run` reads unless told otherwise.
const CONFIGURATION_FILE: &str = "runtime.toml";
const SPOOL: &str = "spool";

/// Why a data folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DataFolderError {
    /// Somebody else works in it.
    #[error("{folder} is in use by the process {process}: a data folder belongs to one runtime; give each its own --data")]
    InUse { folder: String, process: String },
    /// The folder or the lock.
    #[error("{path} cannot be used: {reason}; check that it may be written to")]
    Io { path: String, reason: std::io::Error },
}

/// A data folder.
#[derive(Clone, Debug)]
pub(crate) struct DataFolder(PathBuf);

/// Held for as long as a process works in a data folder.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: File,
}

impl DataFolder {
    /// Makes the folder where it is not there; it is closed to others.
    ///
    /// # Errors
    /// When it cannot be made.
    pub(crate) fn make(path: &Path) -> Result<Self, DataFolderError> {
        files::make_folder(path).map_err(|reason| DataFolderError::Io { path: path.display().to_string(), reason })?;
        Ok(Self(path.to_owned()))
    }

    /// A folder that is there.
    pub(crate) fn at(path: &Path) -> Self {
        Self(path.to_owned())
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    pub(crate) fn spool(&self) -> PathBuf {
        self.0.join(SPOOL)
    }

    /// The configuration, where no other is named: the one that is there.
    pub(crate) fn configuration(&self, named: Option<&Path>) -> Option<PathBuf> {
        let own = self.0.join(CONFIGURATION_FILE);
        named.map(Path::to_owned).or_else(|| own.exists().then_some(own))
    }

    /// Where `enroll` puts a configuration.
    pub(crate) fn own_configuration(&self) -> PathBuf {
        self.0.join(CONFIGURATION_FILE)
    }

    /// Takes the folder for this process.
    ///
    /// # Errors
    /// When another process has it.
    pub(crate) fn lock(&self) -> Result<Lock, DataFolderError> {
        let path = self.0.join(LOCK_FILE);
        let failed = |reason| DataFolderError::Io { path: path.display().to_string(), reason };
        let mut file = open(&path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let process = read_process(&mut file).map_or_else(|| "of another user".to_owned(), |process| process.to_string());
                return Err(DataFolderError::InUse { folder: self.0.display().to_string(), process });
            }
            Err(TryLockError::Error(reason)) => return Err(failed(reason)),
        }
        file.set_len(0).and_then(|()| file.rewind()).map_err(failed)?;
        writeln!(file, "{}", std::process::id()).map_err(failed)?;
        Ok(Lock { _file: file })
    }

    /// The process that works in the folder; none where there is none.
    pub(crate) fn process(&self) -> Option<u32> {
        let mut file = open(&self.0.join(LOCK_FILE)).ok()?;
        match file.try_lock_shared() {
            Err(TryLockError::WouldBlock) => read_process(&mut file),
            Ok(()) | Err(TryLockError::Error(_)) => None,
        }
    }
}

fn open(path: &Path) -> std::io::Result<File> {
    OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)
}

fn read_process(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    file.take(32).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_belongs_to_one_process_until_that_lets_go() {
        let folder = tempfile::tempdir().unwrap();
        let data = DataFolder::make(&folder.path().join("a/b")).unwrap();
        assert_eq!(data.process(), None);
        let lock = data.lock().unwrap();
        assert_eq!(data.process(), Some(std::process::id()));
        let error = data.lock().unwrap_err().to_string();
        assert!(error.contains("in use") && error.contains(&std::process::id().to_string()), "{error}");
        drop(lock);
        assert_eq!(data.process(), None);
        data.lock().unwrap();
    }
}
