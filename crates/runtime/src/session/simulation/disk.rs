//! A spool as the simulation has it: what it holds outlives the process.

use std::collections::BTreeMap;

use wire::{Lease, LeaseId, Sequence};

use crate::session::{Recovered, Rest};

/// How a run ended, as far as it matters here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Crawled,
    Cancelled,
    HandedBack,
    Failed,
}

#[derive(Clone, Debug)]
pub(super) struct Folder {
    pub(super) lease: Lease,
    pub(super) batches: BTreeMap<Sequence, String>,
    pub(super) has_checks: bool,
    pub(super) finish: Option<(Sequence, Rest, End)>,
}

#[derive(Debug, Default)]
pub(super) struct Disk(pub(super) BTreeMap<LeaseId, Folder>);

impl Disk {
    /// What a process that starts finds: what was interrupted is handed back.
    pub(super) fn recover(&mut self) -> Vec<Recovered> {
        self.0.values_mut().map(Folder::recover).collect()
    }
}

impl Folder {
    fn recover(&mut self) -> Recovered {
        let first = self.batches.keys().next().copied();
        let last = self.batches.keys().next_back().copied();
        let finish = *self.finish.get_or_insert((last.unwrap_or(Sequence(0)), Rest::Discard, End::HandedBack));
        Recovered {
            lease: self.lease.clone(),
            acknowledged: first.map_or(finish.0, |first| Sequence(first.0 - 1)),
            spooled: finish.0,
            rest: finish.1,
            has_checks: self.has_checks,
        }
    }
}
