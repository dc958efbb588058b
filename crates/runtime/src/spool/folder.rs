//! The folder of one lease.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use wire::batch::{BATCH_BYTES_MAX, BATCH_TEXT_BYTES_MAX};
use wire::{BatchDigest, EncodedBatch, Ending, Lease, PreflightReport, Sequence, Spooled};

use super::room::{Reservation, Room};
use super::{Disk, SpoolError, files, frame};
use crate::session::Rest;

pub(super) const LEASE_FILE: &str = "lease.json";
pub(super) const FINISH_FILE: &str = "finish.json";
pub(super) const CHECKS_FILE: &str = "preflight.json";
pub(super) const BATCH_EXTENSION: &str = ".ndjson.zst";

/// How a run ended, as it waits to be told.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct FinishRecord {
    /// The last batch of the run.
    pub(crate) spooled: Sequence,
    /// What becomes of batches that the control plane does not have yet.
    pub(crate) rest: Rest,
    /// How it ended.
    pub(crate) ending: Ending,
}

/// A batch from the spool, whole.
#[derive(Clone, Debug)]
pub(crate) struct StoredBatch {
    /// What is sent.
    pub(crate) bytes: Bytes,
    /// The same before compression: what anybody may read.
    pub(crate) text: Vec<u8>,
    /// Of the text.
    pub(crate) digest: BatchDigest,
}

/// See the module. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Folder(Arc<Inner>);

struct Inner {
    path: PathBuf,
    room: Arc<Room>,
    disk: Arc<Disk>,
    /// Held while a batch is written, so that batches are on the disk in the order of their numbers.
    writing: tokio::sync::Mutex<()>,
    waiting: Mutex<Waiting>,
}

/// Batches on the disk: consecutive numbers.
#[derive(Debug)]
struct Waiting {
    first: u64,
    sizes: VecDeque<u64>,
}

impl Waiting {
    fn last(&self) -> Sequence {
        Sequence(self.first + self.sizes.len() as u64 - 1)
    }
}

impl Folder {
    pub(super) fn new(path: PathBuf, room: Arc<Room>, disk: Arc<Disk>) -> Self {
        Self::with_batches(path, room, disk, (1, VecDeque::new()))
    }

    pub(super) fn with_batches(path: PathBuf, room: Arc<Room>, disk: Arc<Disk>, (first, sizes): (u64, VecDeque<u64>)) -> Self {
        let waiting = Mutex::new(Waiting { first, sizes });
        Self(Arc::new(Inner { path, room, disk, writing: tokio::sync::Mutex::new(()), waiting }))
    }

    /// What waits to be sent.
    pub(crate) fn spooled(&self) -> Spooled {
        let waiting = self.0.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        Spooled { batches: waiting.sizes.len() as u64, bytes: waiting.sizes.iter().sum() }
    }

    /// The last batch that was written.
    pub(crate) fn last(&self) -> Sequence {
        self.0.waiting.lock().unwrap_or_else(PoisonError::into_inner).last()
    }

    /// Writes a batch and gives its number. Waits while the spool or the disk is full. When this is dropped half-way, the number is
    /// given to nobody else: no batch may follow.
    pub(crate) async fn append(&self, batch: EncodedBatch) -> Result<Sequence, SpoolError> {
        for (bytes, max) in [(batch.bytes.len(), BATCH_BYTES_MAX), (batch.text.len(), BATCH_TEXT_BYTES_MAX)] {
            if bytes > max {
                return Err(SpoolError::TooLarge { bytes, max });
            }
        }
        let size = (batch.bytes.len() + frame::HEAD_BYTES) as u64;
        let _order = self.0.writing.lock().await;
        let reservation: Reservation = self.0.room.take(size).await;
        let sequence = Sequence(self.last().0 + 1);
        let head = frame::head(batch.digest);
        self.write_file(&batch_name(sequence), vec![head.to_vec(), batch.bytes]).await?;
        reservation.keep();
        self.0.waiting.lock().unwrap_or_else(PoisonError::into_inner).sizes.push_back(size);
        Ok(sequence)
    }

    /// A batch as it was written.
    ///
    /// # Errors
    /// When it cannot be read, or is not what was written.
    pub(crate) async fn read(&self, sequence: Sequence) -> Result<StoredBatch, SpoolError> {
        let path = self.0.path.join(batch_name(sequence));
        blocking(move || {
            let file = std::fs::read(&path).map_err(SpoolError::io("cannot read", &path))?;
            let (digest, text) = frame::read(&file).map_err(|reason| SpoolError::damaged(&path, reason))?;
            Ok(StoredBatch { bytes: Bytes::from(file).slice(frame::HEAD_BYTES..), text, digest })
        })
        .await
    }

    /// The control plane keeps it: it is removed, and its room is free. Batches are forgotten in their order.
    pub(crate) fn forget(&self, sequence: Sequence) {
        let freed = {
            let mut waiting = self.0.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            if waiting.first != sequence.0 {
                return;
            }
            waiting.first += 1;
            waiting.sizes.pop_front().unwrap_or(0)
        };
        let path = self.0.path.join(batch_name(sequence));
        if let Err(error) = std::fs::remove_file(&path) {
            tracing::warn!(path = %path.display(), %error, "a batch that was sent cannot be removed");
        }
        self.0.room.give_back(freed);
    }

    pub(super) async fn write_lease(&self, lease: &Lease) -> Result<(), SpoolError> {
        self.write_json(LEASE_FILE, lease).await
    }

    /// How the run ended is on the disk when this returns.
    pub(crate) async fn write_finish(&self, record: &FinishRecord) -> Result<(), SpoolError> {
        self.write_json(FINISH_FILE, record).await
    }

    /// How the run ended; none where it is not written yet.
    pub(crate) fn read_finish(&self) -> Result<Option<FinishRecord>, SpoolError> {
        read_json(&self.0.path.join(FINISH_FILE))
    }

    /// What was checked is on the disk when this returns.
    pub(crate) async fn write_checks(&self, report: &PreflightReport) -> Result<(), SpoolError> {
        self.write_json(CHECKS_FILE, report).await
    }

    /// What was checked, unless the control plane has it.
    pub(crate) fn read_checks(&self) -> Result<Option<PreflightReport>, SpoolError> {
        read_json(&self.0.path.join(CHECKS_FILE))
    }

    /// The control plane has what was checked.
    pub(crate) fn forget_checks(&self) {
        let _ = std::fs::remove_file(self.0.path.join(CHECKS_FILE));
    }

    /// Nothing of the lease is needed any more.
    pub(crate) fn remove(&self) {
        if let Err(error) = super::recover::remove(&self.0.path) {
            tracing::warn!(path = %self.0.path.display(), %error, "the folder of a run that is over cannot be removed");
        }
        let freed = {
            let mut waiting = self.0.waiting.lock().unwrap_or_else(PoisonError::into_inner);
            waiting.sizes.drain(..).sum()
        };
        self.0.room.give_back(freed);
    }

    async fn write_json<T: Serialize>(&self, name: &'static str, value: &T) -> Result<(), SpoolError> {
        let path = self.0.path.join(name);
        let text = serde_json::to_vec(value).map_err(|error| SpoolError::damaged(&path, error))?;
        self.write_file(name, vec![text]).await
    }

    /// Writes, and waits while the disk is full.
    async fn write_file(&self, name: &str, parts: Vec<Vec<u8>>) -> Result<(), SpoolError> {
        let path = self.0.path.join(name);
        let parts = Arc::new(parts);
        loop {
            let (path, parts, disk) = (path.clone(), Arc::clone(&parts), Arc::clone(&self.0.disk));
            let written = blocking(move || {
                let slices: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
                (disk.write)(&path, &slices).map_err(SpoolError::io("cannot write", &path))
            });
            match written.await {
                Err(SpoolError::Io { path, source, .. }) if files::is_full(&source) => {
                    tracing::warn!(
                        path,
                        "the disk is full: the crawl waits until there is room; free some, or wait until something was sent"
                    );
                    tokio::time::sleep(self.0.disk.full_pause).await;
                }
                other => return other,
            }
        }
    }
}

/// Ten digits sort as numbers.
pub(super) fn batch_name(sequence: Sequence) -> String {
    format!("{:010}{BATCH_EXTENSION}", sequence.0)
}

pub(super) fn read_json<T: serde::de::DeserializeOwned>(path: &Path) -> Result<Option<T>, SpoolError> {
    match std::fs::read(path) {
        Ok(text) => serde_json::from_slice(&text).map(Some).map_err(|error| SpoolError::damaged(path, error)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(SpoolError::io("cannot read", path)(error)),
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T, SpoolError> + Send + 'static) -> Result<T, SpoolError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => {
            let source = std::io::Error::other(error);
            Err(SpoolError::Io { what: "cannot work on", path: "the spool".to_owned(), source })
        }
    }
}
