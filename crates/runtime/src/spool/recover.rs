//! What a process finds in the spool when it starts.

use std::collections::VecDeque;
use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use wire::{Ending, Lease, Sequence};

use super::folder::{BATCH_EXTENSION, CHECKS_FILE, FINISH_FILE, FinishRecord, Folder, LEASE_FILE, read_json};
use super::room::Room;
use super::{Disk, SpoolError, files};
use crate::session::Rest;

/// How a folder that is being removed is called besides its name.
const GONE: &str = "gone";

/// A lease of an earlier process.
pub(crate) struct Found {
    /// The lease.
    pub(crate) lease: Lease,
    /// Its folder.
    pub(crate) folder: Folder,
    /// The last batch that the control plane has for certain.
    pub(crate) acknowledged: Sequence,
    /// How it ended.
    pub(crate) end: End,
    /// Whether what was checked has yet to be told.
    pub(crate) has_checks: bool,
}

/// How a run of an earlier process ended.
#[derive(Clone, Debug)]
pub(crate) enum End {
    /// As it was written down.
    Kept(FinishRecord),
    /// It was interrupted, and is handed back so.
    Interrupted(FinishRecord),
}

impl End {
    pub(crate) const fn record(&self) -> &FinishRecord {
        match self {
            Self::Kept(record) | Self::Interrupted(record) => record,
        }
    }
}

/// What is on the disk of one lease.
pub(super) struct Remains {
    path: PathBuf,
    lease: Lease,
    end: End,
    first: u64,
    pub(super) sizes: VecDeque<u64>,
    has_checks: bool,
}

impl Remains {
    pub(super) fn into_found(self, room: &Arc<Room>, disk: &Arc<Disk>) -> Found {
        let Self { path, lease, end, first, sizes, has_checks } = self;
        let folder = Folder::with_batches(path, Arc::clone(room), Arc::clone(disk), (first, sizes));
        Found { lease, folder, acknowledged: Sequence(first - 1), end, has_checks }
    }
}

/// Reads every folder, and removes what is of no use: unfinished files, folders without a lease.
pub(super) fn read(root: &Path) -> Result<Vec<Remains>, SpoolError> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(root).map_err(SpoolError::io("cannot read the folder", root))? {
        let path = entry.map_err(SpoolError::io("cannot read the folder", root))?.path();
        let is_gone = path.extension() == Some(OsStr::new(GONE));
        let remains = if is_gone || !path.is_dir() { None } else { read_lease(&path)? };
        match remains {
            Some(remains) => found.push(remains),
            None => remove(&path).map_err(SpoolError::io("cannot remove", &path))?,
        }
    }
    Ok(found)
}

/// None where there is no lease: the process was killed before it began, and nothing was crawled.
fn read_lease(path: &Path) -> Result<Option<Remains>, SpoolError> {
    let lease: Lease = match read_json(&path.join(LEASE_FILE)) {
        Ok(Some(lease)) => lease,
        Ok(None) => return Ok(None),
        Err(error) => {
            tracing::warn!(%error, "a lease in the spool cannot be read: it runs out by itself");
            return Ok(None);
        }
    };
    let batches = read_batches(path)?;
    let end = read_end(path, &batches);
    let (first, sizes) = waiting(&batches, end.record());
    let has_checks = path.join(CHECKS_FILE).exists();
    Ok(Some(Remains { path: path.to_owned(), lease, end, first, sizes, has_checks }))
}

/// Numbers and sizes, in order.
fn read_batches(path: &Path) -> Result<Vec<(u64, u64)>, SpoolError> {
    let mut batches = Vec::new();
    for entry in std::fs::read_dir(path).map_err(SpoolError::io("cannot read the folder", path))? {
        let entry = entry.map_err(SpoolError::io("cannot read the folder", path))?;
        let file = entry.path();
        if file.extension() == Some(OsStr::new(files::UNFINISHED)) {
            std::fs::remove_file(&file).map_err(SpoolError::io("cannot remove", &file))?;
            continue;
        }
        let name = entry.file_name();
        let number = name.to_str().and_then(|name| name.strip_suffix(BATCH_EXTENSION)).and_then(|number| number.parse().ok());
        if let Some(number) = number {
            batches.push((number, entry.metadata().map_err(SpoolError::io("cannot read", &file))?.len()));
        }
    }
    batches.sort_unstable();
    Ok(batches)
}

fn read_end(path: &Path, batches: &[(u64, u64)]) -> End {
    let last = batches.last().map_or(0, |last| last.0);
    let interrupted = |reason: &str| {
        let ending = Ending::HandedBack { reason: reason.to_owned() };
        End::Interrupted(FinishRecord { spooled: Sequence(last), rest: Rest::Discard, ending })
    };
    let numbers: Vec<u64> = batches.iter().map(|batch| batch.0).collect();
    let has_gap = numbers.windows(2).any(|pair| pair[0].checked_add(1) != Some(pair[1]));
    match read_json::<FinishRecord>(&path.join(FINISH_FILE)) {
        Ok(Some(record)) if record.rest == Rest::Discard => End::Kept(record),
        Ok(Some(record)) if !has_gap && (batches.is_empty() || record.spooled.0 == last) => End::Kept(record),
        Ok(Some(_)) => interrupted("a batch is missing in the spool of the runtime"),
        Ok(None) => interrupted("the runtime was stopped in the middle of the crawl"),
        Err(error) => {
            tracing::error!(%error, "how a run ended cannot be read");
            interrupted("how the run ended cannot be read from the spool of the runtime")
        }
    }
}

/// Where batches that wait begin, and their sizes. What lies beyond the end of the run was never part of it.
fn waiting(batches: &[(u64, u64)], record: &FinishRecord) -> (u64, VecDeque<u64>) {
    let after = record.spooled.0.saturating_add(1);
    let first = batches.first().map_or(after, |first| first.0).clamp(1, after);
    (first, batches.iter().map(|batch| batch.1).collect())
}

/// Removes a folder or a file: under another name first, so that what is left after a kill is never taken for a lease.
pub(super) fn remove(path: &Path) -> io::Result<()> {
    let gone = if path.extension() == Some(OsStr::new(GONE)) { path.to_owned() } else { path.with_added_extension(GONE) };
    if gone != path {
        std::fs::rename(path, &gone)?;
    }
    if gone.is_dir() { std::fs::remove_dir_all(&gone) } else { std::fs::remove_file(&gone) }
}
