//! One attempt of a run, from its claim to what becomes of it.
//!
//! An attempt ends in one of five ways: the run has ended; it is tried again later; it waits for somebody else to let go of the
//! connection; it is given back since the service stops; or the lease is lost, and then nothing more is said.

use std::future::Future;
use std::time::Duration;

use crawl::report::{self, RunFacts, Stored};
use crawl::{Blame, Failure};
use model::Outcome;
use serde_json::json;
use store::{Fate, JobEnd, Lease, StoreError};

use super::Pace;
use super::crawling::Crawling;
use super::events;
use super::failure::RunFailure;
use super::heartbeat::{Heart, Pulse};
use super::pause::{grown, jittered, milliseconds};
use crate::metrics::{OutcomeLabel, RunLabels};
use crate::state::{App, AppState};

/// What it may take to give runs back and to close the catalog when the service stops.
const GIVE_BACK: Duration = Duration::from_secs(5);
/// How long to wait for a connection that a command line crawls.
const BUSY: Duration = Duration::from_secs(30);

/// How removals that were held back are let through.
pub(super) const HOW_TO_CONFIRM: &str = "confirm it: POST /api/v1/runs/{id}/confirm-removals";

/// A job that is worked on.
pub(super) struct Attempt {
    pub(super) app: App,
    pub(super) pace: Pace,
    pub(super) lease: Lease,
    pub(super) heart: Heart,
}

/// Why an attempt does not go on.
#[derive(Debug)]
pub(super) enum Why {
    /// It failed.
    Failed(Failure),
    /// Somebody asked to stop.
    Cancelled,
    /// The job is somebody else's.
    Lost,
    /// The service stops.
    Draining,
}

impl Attempt {
    /// Keeps the lease from now on.
    pub(super) fn start(app: &App, pace: Pace, lease: Lease) -> Self {
        Self { heart: Heart::start(app, pace, lease.clone()), app: app.clone(), pace, lease }
    }

    /// Works until there is nothing more to do for this attempt.
    pub(super) async fn see_through(&self) {
        let data = json!({ "attempt": self.lease.attempt, "attemptsMax": self.lease.attempts_max });
        self.tell("attempt", &data).await;
        match self.unless_stopped(Crawling::prepare(self)).await {
            Ok(crawling) => crawling.see_through(self).await,
            Err(why) => self.end_before_crawl(why).await,
        }
    }

    /// Does something, unless there is a reason to stop first. What is half done is dropped then.
    pub(super) async fn unless_stopped<T>(&self, work: impl Future<Output = Result<T, Failure>>) -> Result<T, Why> {
        tokio::select! {
            biased;
            pulse = self.heart.stopped() => Err(if pulse == Pulse::CancelRequested { Why::Cancelled } else { Why::Lost }),
            () = drained(&self.app) => Err(Why::Draining),
            done = work => done.map_err(Why::Failed),
        }
    }

    pub(super) async fn tell(&self, kind: &str, data: &serde_json::Value) {
        events::tell(&self.app, &self.lease, kind, data).await;
    }

    /// Nothing was crawled yet.
    pub(super) async fn end_before_crawl(&self, why: Why) {
        match why {
            Why::Failed(failure) if is_busy(&failure) => self.postpone(&failure).await,
            Why::Failed(failure) if self.is_tried_again(&failure) => self.retry(&failure).await,
            Why::Failed(failure) => {
                let (evidence, masked) = (aws::Evidence::new(), connector::MaskedCounts::default());
                let now_ms = self.app.clock.now_ms();
                let facts = RunFacts { evidence: &evidence, masked: &masked, started_at: now_ms, how_to_confirm: HOW_TO_CONFIRM };
                let stored = Stored { run: Some(self.lease.run), ..Stored::default() };
                let report = report::failed(&failure, &stored, &facts, now_ms);
                let told = RunFailure::from(&failure);
                self.write("the report of a run", || self.app.store.save_report(self.lease.run, &report)).await;
                self.end_job(Outcome::Failed, Some(&told)).await;
            }
            Why::Cancelled => self.end_job(Outcome::Cancelled, None).await,
            Why::Draining => self.give_back().await,
            Why::Lost => self.let_go(),
        }
    }

    async fn end_job(&self, outcome: Outcome, failure: Option<&RunFailure>) {
        let end = JobEnd { outcome, failure: failure.map(RunFailure::to_json) };
        let ended = self.write("the end of a run", || self.app.store.finish_job(&self.lease, &end, self.app.clock.now_ms())).await;
        if ended.is_some() {
            self.ended(outcome, failure).await;
        }
    }

    /// Plumbing is tried again, what the source or the operator refuses is not.
    pub(super) fn is_tried_again(&self, failure: &Failure) -> bool {
        self.has_another(failure.blame())
    }

    /// Whether there is another attempt after a failure.
    pub(super) fn has_another(&self, blame: Blame) -> bool {
        blame == Blame::Plumbing && self.lease.attempt < self.lease.attempts_max
    }

    /// Puts the job back for later, after a pause that grows with each attempt.
    pub(super) async fn retry(&self, failure: &Failure) {
        if lost_lease(failure) {
            return self.let_go();
        }
        self.retry_after(&RunFailure::from(failure)).await;
    }

    /// As [`Attempt::retry`], after a failure that was told.
    pub(super) async fn retry_after(&self, told: &RunFailure) {
        let failures = u32::try_from(self.lease.attempt).unwrap_or(u32::MAX);
        let pause_ms = milliseconds(jittered(grown(self.pace.retry, failures), &*self.app.random));
        tracing::warn!(message = told.message, category = told.category, pause_ms, "an attempt failed, and there is another one");
        let json = told.to_json();
        let retried = self.write("that a run is tried again", || {
            let now_ms = self.app.clock.now_ms();
            self.app.store.retry(&self.lease, now_ms.saturating_add(pause_ms), &json, now_ms)
        });
        let Some(fate) = retried.await else { return };
        self.handed_back("retry", &json!({ "afterMs": pause_ms, "failure": told }), fate).await;
    }

    /// A command line crawls the connection: that is nobody's failure, and takes as long as it takes.
    async fn postpone(&self, failure: &Failure) {
        let told = RunFailure::from(failure);
        let pause_ms = milliseconds(jittered(BUSY, &*self.app.random));
        tracing::info!(message = told.message, pause_ms, "a run has to wait");
        let json = told.to_json();
        let postponed = self.write("that a run has to wait", || {
            let now_ms = self.app.clock.now_ms();
            self.app.store.postpone(&self.lease, now_ms.saturating_add(pause_ms), &json, now_ms)
        });
        let Some(fate) = postponed.await else { return };
        self.handed_back("waiting", &json!({ "afterMs": pause_ms, "message": told.message }), fate).await;
    }

    /// Gives the job back since the service stops: the attempt does not count.
    pub(super) async fn give_back(&self) {
        self.give_back_since("the service stops").await;
    }

    /// As [`Attempt::give_back`], for another reason.
    pub(super) async fn give_back_since(&self, reason: &str) {
        let given = self.write("that a run is given back", || self.app.store.give_back(&self.lease, self.app.clock.now_ms())).await;
        let Some(fate) = given else { return };
        tracing::info!(reason, "the run goes back to the queue");
        self.handed_back("given-back", &json!({ "reason": reason }), fate).await;
    }

    async fn handed_back(&self, kind: &str, data: &serde_json::Value, fate: Fate) {
        events::tell_after(&self.app, self.lease.run, kind, data).await;
        if let Fate::Ended(outcome) = fate {
            self.ended(outcome, None).await;
        }
    }

    pub(super) fn let_go(&self) {
        tracing::warn!("the lease is lost: whoever has it now goes on");
    }

    /// The run has ended in the catalog: what is left is to say so.
    pub(super) async fn ended(&self, outcome: Outcome, failure: Option<&RunFailure>) {
        tracing::info!(outcome = outcome.as_str(), "a run has ended");
        count(&self.app, outcome);
        let mut data = json!({ "outcome": outcome.as_str() });
        if let (Some(failure), Some(data)) = (failure, data.as_object_mut()) {
            data.insert("failure".to_owned(), json!(failure));
        }
        events::tell_after(&self.app, self.lease.run, "ended", &data).await;
    }
}

/// Returns when what still runs has to be given back: a little before the service stops waiting.
async fn drained(app: &AppState) {
    app.shutdown.soft().cancelled().await;
    let patience = Duration::from_secs(app.config.limits.drain_seconds.into()).saturating_sub(GIVE_BACK);
    tokio::select! {
        () = tokio::time::sleep(patience) => {}
        () = app.shutdown.hard().cancelled() => {}
    }
}

/// Counts a run that has ended.
pub(super) fn count(app: &AppState, outcome: Outcome) {
    let outcome = match outcome {
        Outcome::Complete => OutcomeLabel::Complete,
        Outcome::Partial => OutcomeLabel::Partial,
        Outcome::Failed => OutcomeLabel::Failed,
        Outcome::Cancelled => OutcomeLabel::Cancelled,
        Outcome::Interrupted => OutcomeLabel::Interrupted,
    };
    app.metrics.runs.get_or_create(&RunLabels { outcome }).inc();
}

fn is_busy(failure: &Failure) -> bool {
    store_error(failure).is_some_and(|error| matches!(error, StoreError::Busy { .. }))
}

/// Whether somebody else has the job, as the catalog said on the way.
pub(super) fn lost_lease(failure: &Failure) -> bool {
    store_error(failure).is_some_and(|error| matches!(error, StoreError::Fenced { .. }))
}

fn store_error(failure: &Failure) -> Option<&StoreError> {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(failure);
    while let Some(error) = cause {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        cause = error.source();
    }
    None
}
