//! `run --dry-run`: crawls AWS as a job says and writes the exact bytes that would be sent into the outgoing log. Nothing is sent to the
//! control plane, not even to sign in.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use connector::port::{AssetSink, NoBaseline, SinkError};
use model::AssetBatch;
use serde_json::Value;
use tokio::sync::Mutex;
use wire::{CrawlJob, Ending, Finish, LeaseAnswer, LeaseId, LogLevel, PreflightReport, Sequence, Work};

use super::run::{outgoing_log, workshop};
use super::{Failure, Status};
use crate::clock;
use crate::configuration::Configuration;
use crate::control_plane::{batch_request, finish_request, preflight_request};
use crate::data_folder::DataFolder;
use crate::identity::IdentityFiles;
use crate::outgoing::{Outgoing, OutgoingLog};
use crate::spool::StoredBatch;
use crate::work::Outlet;
use crate::work::attempt::{Attempt, Vitals};
use crate::work::delivery::cut_aside;

/// What stands for a control plane where the runtime is not enrolled (RFC 6761 section 6.4: this name leads nowhere).
const NOWHERE: &str = "https://control-plane.invalid";
/// The longest job file, bytes.
const JOB_BYTES_MAX: u64 = 4 * 1024 * 1024;
/// Stands for the run and the lease that there are none of.
const RUN: i64 = 0;
const LEASE: &str = "dry-run";

pub(super) async fn run(folder: &DataFolder, job: &Path, configuration: Configuration) -> Result<Status, Failure> {
    let job = read_job(job)?;
    let log = outgoing_log(&configuration)?;
    let log =
        log.ok_or_else(|| Failure::new(Status::Usage, "a dry run writes into the outgoing log: name it with --outgoing-log FILE"))?;
    let server = IdentityFiles::of(folder.path()).load().map_or_else(|_none| NOWHERE.to_owned(), |identity| identity.server);
    let outlet = DryOutlet::new(log, server.trim_end_matches('/'));
    let (workshop, vitals) = (workshop(configuration).await?, Vitals::new(RUN, clock::wall_ms()));
    let attempt = Attempt { workshop: &workshop, job: &job, vitals: &vitals, outlet: &outlet, baseline: &NoBaseline };
    let ending = attempt.see_through().await;
    let finish = Finish { lease: lease(), batches: Sequence(*outlet.sent.lock().await), ending };
    outlet.record(finish_request(&finish)).map_err(Failure::failed)?;
    Ok(outlet.summarise(&finish, &vitals))
}

/// What a control plane answers to a request for work, the work in it, or the job in that.
fn read_job(path: &Path) -> Result<CrawlJob, Failure> {
    let unusable = |reason: String| Failure::new(Status::Usage, format!("the job {} cannot be used: {reason}", path.display()));
    let size = std::fs::metadata(path).map_err(|error| unusable(error.to_string()))?.len();
    if size > JOB_BYTES_MAX {
        return Err(unusable(format!("it is longer than {JOB_BYTES_MAX} bytes")));
    }
    let text = std::fs::read(path).map_err(|error| unusable(error.to_string()))?;
    if let Ok(LeaseAnswer { work: Some(Work::Crawl { job, .. }) }) = serde_json::from_slice(&text) {
        return Ok(*job);
    }
    if let Ok(Work::Crawl { job, .. }) = serde_json::from_slice(&text) {
        return Ok(*job);
    }
    serde_json::from_slice(&text).map_err(|error| unusable(error.to_string()))
}

fn lease() -> LeaseId {
    LeaseId(LEASE.to_owned())
}

/// Writes down what would be sent.
struct DryOutlet {
    log: Arc<OutgoingLog>,
    server: String,
    /// The last batch. Held while one is written, so that they stand in order.
    sent: Mutex<u64>,
    requests: AtomicU64,
    bytes: AtomicU64,
}

impl DryOutlet {
    fn new(log: Arc<OutgoingLog>, server: &str) -> Self {
        let server = server.to_owned();
        Self { log, server, sent: Mutex::new(0), requests: AtomicU64::new(0), bytes: AtomicU64::new(0) }
    }

    #[expect(clippy::needless_pass_by_value, reason = "a request that was recorded is done with")]
    fn record(&self, outgoing: Outgoing) -> Result<(), SinkError> {
        self.requests.fetch_add(1, Ordering::Relaxed);
        self.bytes.fetch_add(outgoing.body.sent().len() as u64, Ordering::Relaxed);
        let url = format!("{}{}", self.server, outgoing.path);
        self.log.record(&url, &outgoing, clock::wall_ms()).map_err(|error| SinkError {
            message: format!("the outgoing log cannot be written: {error}; make room for it"),
            source: Some(Box::new(error)),
        })
    }

    fn summarise(&self, finish: &Finish, vitals: &Vitals) -> Status {
        let progress = vitals.progress();
        let (outcome, status) = match &finish.ending {
            Ending::Crawled { report, .. } if report.errors.is_empty() => (report.outcome.clone(), Status::Done),
            Ending::Crawled { report, .. } => (report.outcome.clone(), Status::Left),
            Ending::Failed { failure, .. } => (format!("failed: {}", failure.message), Status::Failed),
            Ending::Cancelled { .. } | Ending::HandedBack { .. } => ("stopped".to_owned(), Status::Failed),
        };
        super::print(&format!("dry run: {outcome}"));
        super::print(&format!(
            "read from AWS: {} pages, {} tables, {} columns in {} of {} scopes, by {} calls",
            progress.pages, progress.tables, progress.columns, progress.scopes_done, progress.scopes_total, progress.calls
        ));
        let (requests, bytes) = (self.requests.load(Ordering::Relaxed), self.bytes.load(Ordering::Relaxed));
        super::print(&format!(
            "would be sent: {requests} requests with {} batches, {bytes} bytes; nothing was sent",
            finish.batches
        ));
        status
    }
}

impl AssetSink for DryOutlet {
    async fn deliver(&self, batch: AssetBatch) -> Result<(), SinkError> {
        let batches = cut_aside(batch).await?;
        let mut sent = self.sent.lock().await;
        for batch in batches {
            *sent += 1;
            let stored = StoredBatch { bytes: Bytes::from(batch.bytes), text: batch.text, digest: batch.digest };
            self.record(batch_request(&lease(), RUN, Sequence(*sent), stored))?;
        }
        Ok(())
    }
}

impl Outlet for DryOutlet {
    async fn checked(&self, checks: Vec<Value>, failure: Option<wire::Failure>) -> Result<(), SinkError> {
        self.record(preflight_request(&PreflightReport { lease: lease(), checks, failure }))
    }

    fn say(&self, level: LogLevel, message: String) {
        match level {
            LogLevel::Info => tracing::info!("{message}"),
            LogLevel::Warn => tracing::warn!("{message}"),
            LogLevel::Error => tracing::error!("{message}"),
        }
    }
}
