//! A run as the shell has it: its folder, its crawl, and how it ends.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use crawl::{Failure, FailureKind};
use model::document::report::Report;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use wire::{Answer, Blame, CrawlJob, Ending, Lease, LeaseId, LogLevel, Spooled};

use super::Shared;
use super::logs::Logs;
use super::outlet::{Questions, RunOutlet};
use crate::clock;
use crate::session::{Event, Rest, Why};
use crate::spool::{FinishRecord, Folder, Found, SpoolError, files};
use crate::work::Outlet;
use crate::work::attempt::{Attempt, Vitals};
use crate::work::questions::Catalog;
use crate::work::trouble::Trouble;

/// How long to wait before a full disk is asked for a folder again.
const DISK_FULL_PAUSE: Duration = Duration::from_secs(5);

/// See the module.
pub(super) struct LiveRun {
    lease: Lease,
    pub(super) folder: Arc<OnceLock<Folder>>,
    pub(super) vitals: Arc<Vitals>,
    pub(super) questions: Arc<Questions>,
    pub(super) logs: Arc<Logs>,
    stop: watch::Sender<Option<Why>>,
    worker: Option<JoinHandle<()>>,
}

impl LiveRun {
    fn new(lease: Lease, started_ms: i64) -> Self {
        let vitals = Arc::new(Vitals::new(lease.run, started_ms));
        let stop = watch::Sender::new(None);
        Self { lease, folder: Arc::default(), vitals, questions: Arc::default(), logs: Arc::default(), stop, worker: None }
    }

    /// A run of an earlier process.
    pub(super) fn recovered(found: Found) -> Self {
        let run = Self::new(found.lease, clock::wall_ms());
        let _first = run.folder.set(found.folder);
        run
    }

    /// Makes a folder and crawls.
    pub(super) fn start(shared: &Arc<Shared>, lease: Lease, job: Box<CrawlJob>) -> Self {
        let mut run = Self::new(lease, clock::wall_ms());
        let worker = Worker {
            shared: Arc::clone(shared),
            lease: run.lease.clone(),
            folder: Arc::clone(&run.folder),
            vitals: Arc::clone(&run.vitals),
            questions: Arc::clone(&run.questions),
            logs: Arc::clone(&run.logs),
        };
        let stopped = run.stop.subscribe();
        run.worker = Some(tokio::spawn(async move { worker.work(&job, stopped).await }));
        run
    }

    pub(super) const fn number(&self) -> i64 {
        self.lease.run
    }

    pub(super) fn lease_id(&self) -> LeaseId {
        self.lease.id.clone()
    }

    pub(super) fn folder(&self) -> Option<&Folder> {
        self.folder.get()
    }

    pub(super) fn spooled(&self) -> Spooled {
        self.folder().map(Folder::spooled).unwrap_or_default()
    }

    pub(super) fn answer(&self, number: u64, answer: Option<Answer>) {
        self.questions.answer(number, answer);
    }

    /// Stops the crawl; one that has ended gets another ending.
    pub(super) fn stop(&mut self, shared: &Arc<Shared>, why: Why) {
        if why == Why::Abandoned {
            return self.abort();
        }
        let is_crawling = self.worker.as_ref().is_some_and(|worker| !worker.is_finished());
        if is_crawling {
            self.stop.send_replace(Some(why));
            return;
        }
        let Some(folder) = self.folder().cloned() else { return };
        let (shared, lease, vitals) = (Arc::clone(shared), self.lease_id(), Arc::clone(&self.vitals));
        self.worker = Some(tokio::spawn(async move { end_otherwise(&shared, lease, &folder, &vitals, &why).await }));
    }

    /// Ends whatever runs, without a word.
    pub(super) fn abort(&self) {
        if let Some(worker) = &self.worker {
            worker.abort();
        }
    }

    /// Nothing of it is needed any more. A crawl that was just about to begin may have made a folder.
    pub(super) async fn forget(mut self, shared: Arc<Shared>) {
        self.abort();
        if let Some(worker) = self.worker.take() {
            let _ = worker.await;
        }
        match self.folder() {
            Some(folder) => folder.remove(),
            None => shared.spool.discard(&self.lease.id),
        }
    }
}

/// Who crawls.
struct Worker {
    shared: Arc<Shared>,
    lease: Lease,
    folder: Arc<OnceLock<Folder>>,
    vitals: Arc<Vitals>,
    questions: Arc<Questions>,
    logs: Arc<Logs>,
}

impl Worker {
    async fn work(self, job: &CrawlJob, mut stopped: watch::Receiver<Option<Why>>) {
        let lease = self.lease.id.clone();
        let folder = match self.begin().await {
            Ok(folder) => folder,
            Err(error) => {
                tracing::error!(%error, %lease, "there is no place for a run in the spool");
                return self.shared.tell(Event::Broken { lease }).await;
            }
        };
        let ending = tokio::select! {
            biased;
            why = reason(&mut stopped) => Err(why),
            ending = self.crawl(job, folder.clone()) => Ok(ending),
        };
        let (ending, rest) = match ending {
            Ok(ending) => (ending, Rest::Upload),
            Err(why) => (stopped_ending(&why, &self.vitals, None), Rest::Discard),
        };
        let record = FinishRecord { spooled: folder.last(), rest, ending };
        conclude(&self.shared, lease, &folder, record).await;
    }

    async fn begin(&self) -> Result<Folder, SpoolError> {
        loop {
            match self.shared.spool.begin(&self.lease).await {
                Err(SpoolError::Io { source, path, .. }) if files::is_full(&source) => {
                    tracing::warn!(path, "the disk is full: the run waits until there is room");
                    tokio::time::sleep(DISK_FULL_PAUSE).await;
                }
                Err(error) => return Err(error),
                Ok(folder) => {
                    let _first = self.folder.set(folder.clone());
                    return Ok(folder);
                }
            }
        }
    }

    async fn crawl(&self, job: &CrawlJob, folder: Folder) -> Ending {
        let Self { shared, questions, logs, .. } = self;
        let outlet = RunOutlet {
            shared: Arc::clone(shared),
            lease: self.lease.id.clone(),
            folder,
            logs: Arc::clone(logs),
            questions: Arc::clone(questions),
        };
        outlet.say(LogLevel::Info, format!("attempt {} begins on the runtime {}", self.lease.attempt, shared.identity.name));
        let baseline = Catalog { ask: outlet.clone(), is_empty: job.is_first };
        let attempt = Attempt { workshop: &shared.workshop, job, vitals: &self.vitals, outlet: &outlet, baseline: &baseline };
        attempt.see_through().await
    }
}

/// Waits for a reason to stop.
async fn reason(stopped: &mut watch::Receiver<Option<Why>>) -> Why {
    loop {
        if let Some(why) = stopped.borrow_and_update().clone() {
            return why;
        }
        if stopped.changed().await.is_err() {
            return std::future::pending().await;
        }
    }
}

/// How a run ends that was stopped. `report` is what an earlier ending had.
fn stopped_ending(why: &Why, vitals: &Vitals, report: Option<Box<Report>>) -> Ending {
    match why {
        Why::Cancelled => Ending::Cancelled { report: report.unwrap_or_else(|| Box::new(vitals.cancelled())) },
        Why::HandedBack(reason) => Ending::HandedBack { reason: reason.clone() },
        Why::Abandoned => Ending::HandedBack { reason: "the run is somebody else's".to_owned() },
        Why::Failed(message) => {
            let failure =
                Failure::new(FailureKind::Internal, message.clone(), "Compare the versions of runtime and control plane.");
            let report = Box::new(vitals.failed(&failure));
            let told = Trouble::Crawl(failure).told();
            Ending::Failed { report, failure: wire::Failure { blame: Blame::Operator, ..told } }
        }
    }
}

/// Gives a run another ending than the one that is on the disk.
async fn end_otherwise(shared: &Shared, lease: LeaseId, folder: &Folder, vitals: &Vitals, why: &Why) {
    let before = folder.read_finish().ok().flatten();
    let spooled = before.as_ref().map_or_else(|| folder.last(), |record| record.spooled);
    let report = before.and_then(|record| match record.ending {
        Ending::Crawled { report, .. } | Ending::Failed { report, .. } | Ending::Cancelled { report } => Some(report),
        Ending::HandedBack { .. } => None,
    });
    let report = report.map(|report| Box::new(Report { outcome: "cancelled".to_owned(), ..*report }));
    let record = FinishRecord { spooled, rest: Rest::Discard, ending: stopped_ending(why, vitals, report) };
    conclude(shared, lease, folder, record).await;
}

/// Writes the ending down, then tells it.
async fn conclude(shared: &Shared, lease: LeaseId, folder: &Folder, record: FinishRecord) {
    let rest = record.rest;
    match folder.write_finish(&record).await {
        Ok(()) => shared.tell(Event::Ended { lease, rest }).await,
        Err(error) => {
            tracing::error!(%error, %lease, "how a run ended cannot be written down");
            shared.tell(Event::Broken { lease }).await;
        }
    }
}
