//! What waits to be sent: a folder for each lease, files of their owner's only, each written as a whole. It outlives the process.
//!
//! ```text
//! spool/lease-41.3/lease.json              the lease, written before its crawl begins
//! spool/lease-41.3/0000000001.ndjson.zst   a batch: a skippable zstd frame with the digest of its text, then the text (`zstd -dc` shows it)
//! spool/lease-41.3/preflight.json          what was checked, until the control plane has it
//! spool/lease-41.3/finish.json             how the run ended; what has none was interrupted
//! ```
//! A batch is removed when the control plane keeps it, a folder when the run is over. There is a bound in bytes: whoever finds the spool or
//! the disk full waits.

pub(crate) mod files;
mod folder;
mod frame;
mod recover;
mod room;
#[cfg(test)]
mod tests;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use wire::{Lease, LeaseId};

pub(crate) use folder::{FinishRecord, Folder, StoredBatch};
pub(crate) use recover::{End, Found};
use room::Room;

/// How long to wait before a full disk is tried again.
const DISK_FULL_PAUSE: Duration = Duration::from_secs(5);
/// The longest id of a lease, bytes: it becomes the name of a folder.
const LEASE_ID_BYTES_MAX: usize = 64;

/// Writes a file of several parts as a whole.
type Write = Box<dyn Fn(&Path, &[&[u8]]) -> io::Result<()> + Send + Sync>;

/// Where files are written. Tests plug in a disk that is full.
struct Disk {
    write: Write,
    full_pause: Duration,
}

/// Why the spool does not do what it should.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SpoolError {
    /// A file or folder.
    #[error("{what} {path}: {source}; check the disk and the permissions of the data folder")]
    Io {
        /// What was tried.
        what: &'static str,
        /// With what.
        path: String,
        /// Why not.
        source: io::Error,
    },
    /// A file is not what was written.
    #[error("{path} is damaged ({reason}): the run is handed back and starts over; check the disk")]
    Damaged {
        /// Which one.
        path: String,
        /// What is wrong.
        reason: String,
    },
    /// A batch that no control plane would take.
    #[error("a batch of one asset has {bytes} bytes, more than the {max} that are sent at once")]
    TooLarge {
        /// How many.
        bytes: usize,
        /// How many are sent.
        max: usize,
    },
    /// A lease whose id cannot be the name of a folder.
    #[error("the id of the lease is longer than {LEASE_ID_BYTES_MAX} bytes or empty: is this the control plane of Isinglass?")]
    LeaseId,
}

impl SpoolError {
    fn io(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.display().to_string();
        move |source| Self::Io { what, path, source }
    }

    #[expect(clippy::needless_pass_by_value, reason = "`map_err` hands errors over")]
    fn damaged(path: &Path, reason: impl ToString) -> Self {
        Self::Damaged { path: path.display().to_string(), reason: reason.to_string() }
    }
}

/// The spool of a process. No other process may have it open.
pub(crate) struct Spool {
    root: PathBuf,
    room: Arc<Room>,
    disk: Arc<Disk>,
}

impl Spool {
    /// Opens the spool below a folder and says what is left from before. Unfinished files are removed.
    ///
    /// # Errors
    /// When the folder cannot be made or read.
    pub(crate) fn open(root: &Path, limit_bytes: u64) -> Result<(Self, Vec<Found>), SpoolError> {
        Self::open_with(root, limit_bytes, Disk { write: Box::new(files::write), full_pause: DISK_FULL_PAUSE })
    }

    fn open_with(root: &Path, limit_bytes: u64, disk: Disk) -> Result<(Self, Vec<Found>), SpoolError> {
        files::make_folder(root).map_err(SpoolError::io("cannot make the folder", root))?;
        let remains = recover::read(root)?;
        let used = remains.iter().map(|remains| remains.sizes.iter().sum::<u64>()).sum();
        let room = Room::new(limit_bytes, used);
        let spool = Self { root: root.to_owned(), room: Arc::clone(&room), disk: Arc::new(disk) };
        let found = remains.into_iter().map(|remains| remains.into_found(&room, &spool.disk)).collect();
        Ok((spool, found))
    }

    /// Makes the folder of a lease, which is on the disk when this returns.
    ///
    /// # Errors
    /// When it cannot be made, or is there already.
    pub(crate) async fn begin(&self, lease: &Lease) -> Result<Folder, SpoolError> {
        let path = self.root.join(folder_name(&lease.id)?);
        let folder = Folder::new(path.clone(), Arc::clone(&self.room), Arc::clone(&self.disk));
        std::fs::DirBuilder::new().create(&path).map_err(SpoolError::io("cannot make the folder", &path))?;
        files::make_folder(&path).map_err(SpoolError::io("cannot make the folder", &path))?;
        files::sync_folder(&self.root).map_err(SpoolError::io("cannot write to the folder", &self.root))?;
        folder.write_lease(lease).await?;
        Ok(folder)
    }

    /// Removes what a lease left that never had a folder of its own.
    pub(crate) fn discard(&self, lease: &LeaseId) {
        let Ok(name) = folder_name(lease) else { return };
        let path = self.root.join(name);
        if path.exists()
            && let Err(error) = recover::remove(&path)
        {
            tracing::warn!(path = %path.display(), %error, "the folder of a run that never began cannot be removed");
        }
    }

    /// Bytes that wait.
    pub(crate) fn used_bytes(&self) -> u64 {
        self.room.used()
    }

    /// Bytes that may wait.
    pub(crate) fn limit_bytes(&self) -> u64 {
        self.room.limit()
    }
}

/// The id comes from outside: only letters, digits, `-` and a `.` stay as they are.
fn folder_name(id: &LeaseId) -> Result<String, SpoolError> {
    if id.0.is_empty() || id.0.len() > LEASE_ID_BYTES_MAX {
        return Err(SpoolError::LeaseId);
    }
    let mut name = String::from("lease-");
    for byte in id.0.bytes() {
        if byte.is_ascii_alphanumeric() || b"-.".contains(&byte) {
            name.push(char::from(byte));
        } else {
            name.push_str(&format!("%{byte:02X}"));
        }
    }
    Ok(name)
}
