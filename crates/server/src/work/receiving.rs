//! Reads what runtimes have sent of their runs into the catalog, answers what they ask of it, and ends their runs.
//!
//! Whichever process reads an inbox begins with its first batch: what it knows of the run is in memory alone, and applying a batch twice
//! changes nothing. So a process that is lost in the middle costs time and nothing else.

use std::time::Duration;

use connector::port::{AssetSink, Baseline, SinkError};
use crawl::report::{self, Stored};
use crawl::{Failure, FailureKind};
use model::document::report::Report;
use model::{Outcome, QualifiedName, S3Location, ScopeReport};
use store::{FinishedRun, InboxBatch, InboxEnd, InboxQuestion, Lease, ManagedConnection, RunEnd, RunRef, StoreError};
use wire::batch::{decode, decompress};
use wire::{Answer, BatchDigest, Ending, Known, Question};

use super::Pace;
use super::attempt::{Attempt, HOW_TO_CONFIRM, Why};
use super::failure::RunFailure;
use super::nudge::Waiter;
use super::pause::{jittered, milliseconds};
use super::remote::connection_of;
use super::sink::{CatalogSink, stored_by};
use crate::metrics::CallLabels;
use crate::state::{App, AppState};

/// How often inboxes are looked at without a nudge.
const LOOK: Duration = Duration::from_millis(500);
/// How often the inbox of a run is looked at that is being read.
const LOOK_AGAIN: Duration = Duration::from_millis(200);
/// How long a process that is not heard of keeps an inbox.
const KEPT: Duration = Duration::from_secs(15);
/// How often it says that it is still there.
const KEEP_EVERY: Duration = Duration::from_secs(3);
/// How long to wait after something that may pass.
const PAUSE: Duration = Duration::from_secs(2);
/// Batches that are read at once.
const BATCHES: i64 = 4;
/// Missing assets that one answer names at most.
const MISSING_MAX: usize = 10_000;

/// Finds inboxes that nobody reads until the service stops.
pub(super) async fn receive(app: App, pace: Pace) {
    let reader = format!("{} pid {}", app.config.listen, std::process::id());
    while !app.shutdown.soft().is_cancelled() {
        let now_ms = app.clock.now_ms();
        match app.store.adopt_inbox(&reader, now_ms.saturating_add(milliseconds(KEPT)), now_ms).await {
            Ok(Some(lease)) => {
                app.shutdown.tasks().spawn(read(app.clone(), pace, lease, reader.clone()));
                continue;
            }
            Ok(None) => {}
            Err(error) => tracing::warn!(%error, "inboxes of runs cannot be looked at; this is tried again"),
        }
        tokio::select! {
            () = app.nudge.wait(Waiter::Inbox, jittered(LOOK, &*app.random)) => {}
            () = app.shutdown.soft().cancelled() => {}
        }
    }
}

/// Why the reading of an inbox ends before the run does.
#[derive(Debug, thiserror::Error)]
enum ReadError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Sink(#[from] SinkError),
    #[error("batch {sequence} cannot be read")]
    Batch {
        sequence: i64,
        #[source]
        source: wire::DecodeError,
    },
    #[error("what was kept cannot be read")]
    Json(#[from] serde_json::Error),
    #[error("a batch was not read to its end")]
    Task(#[from] tokio::task::JoinError),
}

impl ReadError {
    /// Whether reading it once more cannot help.
    fn is_final(&self) -> bool {
        match self {
            Self::Batch { .. } | Self::Json(_) => true,
            Self::Store(error) => matches!(
                error,
                StoreError::Corrupt { .. } | StoreError::Invalid { .. } | StoreError::NotFound { .. } | StoreError::Conflict { .. }
            ),
            Self::Sink(_) | Self::Task(_) => false,
        }
    }
}

#[tracing::instrument(name = "inbox", skip_all, fields(run = %lease.run, attempt = lease.attempt))]
async fn read(app: App, pace: Pace, lease: Lease, reader: String) {
    let ended = tokio::select! {
        ended = see_through(&app, pace, &lease) => ended,
        () = kept(&app, &lease, &reader) => {
            tracing::warn!("another process reads the inbox by now");
            return;
        }
        () = app.shutdown.hard().cancelled() => Ok(()),
    };
    match ended {
        Ok(()) => {}
        Err(ReadError::Store(StoreError::Fenced { .. })) => {
            tracing::info!("the lease is lost: what was sent under it is of no use")
        }
        Err(error) if error.is_final() => {
            tracing::error!(error = &error as &dyn std::error::Error, "what a runtime has sent cannot be taken: its run fails");
            let failure = Failure::from_error(FailureKind::Input, &error);
            Attempt::start(&app, pace, lease.clone()).end_before_crawl(Why::Failed(failure)).await;
        }
        Err(error) => {
            tracing::warn!(error = &error as &dyn std::error::Error, "an inbox cannot be read; this is tried again");
            tokio::time::sleep(PAUSE).await;
        }
    }
    if let Err(error) = app.store.leave_inbox(&lease, &reader).await {
        tracing::debug!(%error, "an inbox is not let go of: that takes a moment longer");
    }
    if let Err(error) = app.store.prune_inboxes().await {
        tracing::debug!(%error, "inboxes are not emptied yet");
    }
    app.nudge.wake();
}

/// Returns when the inbox is somebody else's.
async fn kept(app: &AppState, lease: &Lease, reader: &str) {
    loop {
        tokio::time::sleep(KEEP_EVERY).await;
        let now_ms = app.clock.now_ms();
        match app.store.keep_inbox(lease, reader, now_ms.saturating_add(milliseconds(KEPT)), now_ms).await {
            Ok(true) => {}
            Ok(false) => return,
            Err(error) => tracing::warn!(%error, "an inbox is not kept; this is tried again"),
        }
    }
}

async fn see_through(app: &App, pace: Pace, lease: &Lease) -> Result<(), ReadError> {
    let connection = connection_of(app, lease.connection).await?;
    let writer = app.store.begin_run_of(&connection.connection, lease, app.clock.now_ms()).await?;
    let mut reading = Reading { app, lease, connection, sink: CatalogSink::new(app.store.clone(), writer), applied: 0 };
    match reading.read().await? {
        Some(end) => reading.end(pace, &end).await,
        None => Ok(()),
    }
}

struct Reading<'r> {
    app: &'r App,
    lease: &'r Lease,
    connection: ManagedConnection,
    sink: CatalogSink,
    /// The last batch that was applied.
    applied: i64,
}

impl Reading<'_> {
    /// Reads until the last word is there and all before it; nothing when the service stops or the lease is lost.
    async fn read(&mut self) -> Result<Option<InboxEnd>, ReadError> {
        let store = &self.app.store;
        loop {
            let batches = store.inbox_batches(self.lease, self.applied, BATCHES).await?;
            let is_idle = batches.is_empty();
            for batch in batches {
                self.apply(batch).await?;
            }
            for question in store.inbox_questions(self.lease, self.applied).await? {
                self.answer(&question).await?;
            }
            if !is_idle {
                continue;
            }
            if let Some(end) = store.inbox_end(self.lease).await?.filter(|end| end.batches <= self.applied) {
                return Ok(Some(end));
            }
            self.sink.run().flush().await?;
            if self.app.shutdown.soft().is_cancelled() || !store.is_current(self.lease).await? {
                return Ok(None);
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }

    async fn apply(&mut self, batch: InboxBatch) -> Result<(), ReadError> {
        let InboxBatch { sequence, digest, content } = batch;
        let read = tokio::task::spawn_blocking(move || decode(&decompress(&content, BatchDigest(digest))?)).await;
        self.sink.deliver(read?.map_err(|source| ReadError::Batch { sequence, source })?).await?;
        self.applied = sequence;
        Ok(())
    }

    async fn answer(&self, question: &InboxQuestion) -> Result<(), ReadError> {
        let answer = match serde_json::from_str(&question.question)? {
            Question::Unchanged { slices } => Answer::Unchanged { known: vec![None; slices.len()] },
            Question::Stored { qualified_name } => {
                // What lies in other connections is none of this runtime's.
                let root = format!("{}/", self.connection.connection.qualified_name);
                let name = QualifiedName::from_encoded(qualified_name);
                let stored = if name.as_str().starts_with(&root) { self.sink.stored(&name).await? } else { None };
                Answer::stored(stored.as_ref())
            }
            Question::TablesAt { locations } => {
                let locations = locations.into_iter().map(S3Location::from_canonical).collect();
                let found = self.sink.tables_at(locations).await?;
                let text = |(location, name): (S3Location, QualifiedName)| (location.as_str().to_owned(), name.as_str().to_owned());
                Answer::TablesAt { tables: found.into_iter().map(text).collect() }
            }
            Question::Missing { scopes, limit } => {
                let scopes = scopes.iter().map(ScopeReport::from).collect();
                let missing = self.sink.missing(scopes, limit.min(MISSING_MAX)).await?;
                Answer::Missing { assets: missing.iter().map(Into::into).collect() }
            }
        };
        self.app.store.answer_question(self.lease, question.number, &serde_json::to_string(&answer)?).await?;
        Ok(())
    }

    /// Ends the run as its runtime says, as far as the catalog agrees. From here on the lease is kept by this process.
    async fn end(self, pace: Pace, end: &InboxEnd) -> Result<(), ReadError> {
        let ending: Ending = serde_json::from_str(&end.ending)?;
        let attempt = Attempt::start(self.app, pace, self.lease.clone());
        match ending {
            Ending::Crawled { report, scopes, gone, account } => {
                self.count_calls(&report);
                let gone = gone.iter().filter_map(Known::asset).collect();
                let run = self.app.store.run(RunRef::Id(self.lease.run)).await?;
                let (outcome, now_ms) = (outcome_of(&report), self.app.clock.now_ms());
                let scopes = scopes.iter().map(ScopeReport::from).collect();
                let end = RunEnd { outcome, scopes, gone, removal: run.removal, now_ms };
                self.finish(&attempt, end, *report, account.as_deref()).await
            }
            Ending::Failed { report, failure } => {
                self.count_calls(&report);
                self.fail(&attempt, *report, RunFailure::from(failure)).await;
                Ok(())
            }
            Ending::Cancelled { report } => {
                self.count_calls(&report);
                if self.stop(&attempt, Outcome::Cancelled, &report).await {
                    attempt.ended(Outcome::Cancelled, None).await;
                }
                Ok(())
            }
            Ending::HandedBack { reason } => {
                tracing::info!(reason, "a runtime gives a run back");
                drop(self.sink);
                attempt.give_back_since(&reason).await;
                Ok(())
            }
        }
    }

    async fn finish(&self, attempt: &Attempt, end: RunEnd, report: Report, account: Option<&str>) -> Result<(), ReadError> {
        let settled = |finished: &FinishedRun| Some(settle(report.clone(), &stored_by(finished)));
        match attempt.write_once(self.sink.run().finish_with_report(end, settled)).await {
            Some(Ok(finished)) => {
                if let Some(account) = account.filter(|account| is_account(account)) {
                    let id = self.connection.connection.id;
                    attempt.write("the account of a connection", || self.app.store.remember_account(id, account)).await;
                }
                attempt.ended(finished.outcome, None).await;
                Ok(())
            }
            Some(Err(error)) => Err(error.into()),
            None => Ok(()),
        }
    }

    /// Ends a run that failed, unless it is tried again.
    async fn fail(self, attempt: &Attempt, report: Report, failure: RunFailure) {
        if attempt.has_another(failure.blame) {
            drop(self.sink);
            return attempt.retry_after(&failure).await;
        }
        let json = failure.to_json();
        let (store, lease) = (&self.app.store, self.lease);
        if attempt.write("why a run failed", || store.save_failure(lease, &json)).await.is_none() {
            return;
        }
        if self.stop(attempt, Outcome::Failed, &report).await {
            attempt.ended(Outcome::Failed, Some(&failure)).await;
        }
    }

    /// Ends the run before its time; whether the catalog knows.
    async fn stop(&self, attempt: &Attempt, outcome: Outcome, report: &Report) -> bool {
        let settled = |finished: &FinishedRun| Some(settle(report.clone(), &stored_by(finished)));
        let stop = || self.sink.run().stop_with_report(outcome, self.app.clock.now_ms(), settled);
        attempt.write("the end of a run", stop).await.is_some()
    }

    fn count_calls(&self, report: &Report) {
        for (operation, calls) in &report.operations {
            // Labels are few: what is no read of the program counts as one word.
            let known = connector::port::ReadOperation::ALL.iter().any(|known| known.to_string() == *operation);
            let operation = if known { operation.clone() } else { "other".to_owned() };
            self.app.metrics.crawl_calls.get_or_create(&CallLabels { operation }).inc_by(*calls);
        }
    }
}

fn settle(report: Report, stored: &Stored) -> Report {
    report::settled(report, stored, HOW_TO_CONFIRM)
}

/// A crawl that went through is complete or partial, whatever a runtime calls it.
fn outcome_of(report: &Report) -> Outcome {
    if Outcome::parse(&report.outcome) == Some(Outcome::Complete) { Outcome::Complete } else { Outcome::Partial }
}

/// Twelve digits (AWS Account Management reference guide, account identifiers).
fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}
