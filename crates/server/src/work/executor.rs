//! The executor: takes jobs of the direct queue, one for each slot, and sees each through to its end under a lease.

use std::sync::Arc;
use std::time::Duration;

use connector::progress::Progress;
use crawl::Failure;
use crawl::failure::Blame;
use model::Outcome;
use serde_json::json;
use store::{Heartbeat, JobEnd, Lease, RunsOn, StoreError};

use super::attempt::{Attempt, Ended};
use crate::metrics::{OutcomeLabel, RunLabels};
use crate::state::{App, AppState};

/// How long a lease lasts without a heartbeat, milliseconds.
const LEASE_MS: i64 = 30_000;
/// Between heartbeats; a request to cancel is seen with the next one.
const HEARTBEAT: Duration = Duration::from_secs(2);
/// Between looks at the queue when nobody nudges.
const POLL: Duration = Duration::from_secs(2);
/// What it may take to give runs back and to close the catalog when the service stops.
const GIVE_BACK: Duration = Duration::from_secs(5);
/// The first pause before a failed attempt is repeated, milliseconds; each one doubles it, up to the longest.
const RETRY_FIRST_MS: i64 = 5_000;
const RETRY_LONGEST_MS: i64 = 300_000;
/// How often the end of a job is told to a catalog that does not answer, once a second.
const END_TRIES_MAX: u32 = 60;

/// Starts the slots.
pub(super) fn start(app: &App) {
    let holder: Arc<str> = Arc::from(holder(app));
    for slot in 0..app.config.crawl.concurrency.get() {
        let (worker, holder) = (app.clone(), format!("{holder}/{slot}"));
        app.shutdown.tasks().spawn(async move { work(&worker, &holder).await });
    }
}

/// A name for whoever looks at the queue; what keeps replicas apart is the fence.
fn holder(app: &AppState) -> String {
    format!("{} pid {}", app.config.listen, std::process::id())
}

async fn work(app: &App, holder: &str) {
    let soft = app.shutdown.soft().clone();
    while !soft.is_cancelled() {
        match app.store.claim(&RunsOn::Direct, holder, LEASE_MS, app.clock.now_ms()).await {
            Ok(Some(lease)) => see_through(app, &lease).await,
            Ok(None) => wait(app).await,
            Err(error) => {
                tracing::warn!(%error, "the queue cannot be read");
                wait(app).await;
            }
        }
    }
}

async fn wait(app: &App) {
    tokio::select! {
        () = app.nudge.wait(POLL) => {}
        () = app.shutdown.soft().cancelled() => {}
    }
}

/// Why an attempt was stopped.
enum Stop {
    Cancelled,
    LeaseLost,
    Draining,
}

#[tracing::instrument(name = "run", skip_all, fields(run = %lease.run, attempt = lease.attempt))]
async fn see_through(app: &App, lease: &Lease) {
    let progress = Progress::default();
    let attempt = Attempt { app, lease, progress: &progress };
    tracing::info!(connection = lease.connection.0, "a run begins");
    let ended = tokio::select! {
        ended = attempt.run() => Ok(ended),
        stop = watch(app, lease, &attempt) => Err(stop),
    };
    match ended {
        Ok(Ended::Run(outcome)) => finished(app, &attempt, outcome).await,
        Ok(Ended::Failed(failure)) => failed(app, &attempt, &failure).await,
        Err(Stop::Cancelled) => end(app, &attempt, JobEnd { outcome: Outcome::Cancelled, failure: None }).await,
        Err(Stop::LeaseLost) => tracing::warn!("the lease is lost: whoever has it now goes on"),
        Err(Stop::Draining) => give_back(app, lease).await,
    }
    app.nudge.wake();
}

/// Keeps the lease, tells how far the crawl is, and returns when it has to stop.
async fn watch(app: &App, lease: &Lease, attempt: &Attempt<'_>) -> Stop {
    let mut until_ms = lease.lease_until_ms;
    let mut told = None;
    let mut draining = std::pin::pin!(drained(app));
    loop {
        tokio::select! {
            () = tokio::time::sleep(HEARTBEAT) => {}
            () = &mut draining => return Stop::Draining,
        }
        let now_ms = app.clock.now_ms();
        match app.store.heartbeat(lease, LEASE_MS, now_ms).await {
            Ok(Heartbeat::Extended { cancel_requested: true }) => return Stop::Cancelled,
            Ok(Heartbeat::Extended { cancel_requested: false }) => until_ms = now_ms + LEASE_MS,
            Ok(Heartbeat::Lost) => return Stop::LeaseLost,
            // The catalog may be back before the lease ends; after that somebody else may have it.
            Err(error) if now_ms < until_ms => tracing::warn!(%error, "a heartbeat did not arrive"),
            Err(_) => return Stop::LeaseLost,
        }
        let snapshot = attempt.progress.snapshot();
        if told.as_ref() != Some(&snapshot) {
            let data = json!({
                "pages": snapshot.pages, "tables": snapshot.tables, "columns": snapshot.columns,
                "scopesDone": snapshot.scopes_done, "scopesTotal": snapshot.scopes_total, "scope": snapshot.current_scope,
            });
            attempt.event("progress", data).await;
            told = Some(snapshot);
        }
    }
}

/// Returns when what still runs has to be given back: a little before the service stops waiting.
async fn drained(app: &App) {
    app.shutdown.soft().cancelled().await;
    let patience = Duration::from_secs(app.config.limits.drain_seconds.into()).saturating_sub(GIVE_BACK);
    tokio::select! {
        () = tokio::time::sleep(patience) => {}
        () = app.shutdown.hard().cancelled() => {}
    }
}

async fn finished(app: &App, attempt: &Attempt<'_>, outcome: Outcome) {
    tracing::info!(outcome = outcome.as_str(), "a run has ended");
    count(app, outcome);
    attempt.event("ended", json!({"outcome": outcome.as_str()})).await;
}

/// Plumbing is tried again, what the source or the operator refuses is not.
async fn failed(app: &App, attempt: &Attempt<'_>, failure: &Failure) {
    if lost_lease(failure) {
        return tracing::warn!("the lease is lost: whoever has it now goes on");
    }
    let text = told(failure).to_string();
    tracing::warn!(message = failure.message, category = failure.category(), "an attempt failed");
    if failure.blame() != Blame::Plumbing || attempt.lease.attempt >= attempt.lease.attempts_max {
        return end(app, attempt, JobEnd { outcome: Outcome::Failed, failure: Some(text) }).await;
    }
    let pause_ms = retry_pause_ms(attempt.lease.attempt);
    for _ in 0..END_TRIES_MAX {
        let now_ms = app.clock.now_ms();
        match app.store.retry(attempt.lease, now_ms + pause_ms, &text, now_ms).await {
            Ok(_) => return attempt.event("retry", json!({"afterMs": pause_ms, "failure": told(failure)})).await,
            Err(StoreError::Fenced { .. }) => return,
            Err(error) => wait_for_the_catalog(app, &error).await,
        }
    }
}

async fn end(app: &App, attempt: &Attempt<'_>, end: JobEnd) {
    for _ in 0..END_TRIES_MAX {
        match app.store.finish_job(attempt.lease, &end, app.clock.now_ms()).await {
            Ok(()) => return finished(app, attempt, end.outcome).await,
            Err(StoreError::Fenced { .. }) => return,
            Err(error) => wait_for_the_catalog(app, &error).await,
        }
    }
}

async fn give_back(app: &App, lease: &Lease) {
    match app.store.give_back(lease, app.clock.now_ms()).await {
        Ok(_) => tracing::info!("the service stops: the run goes back to the queue"),
        Err(error) => tracing::warn!(%error, "the run could not be given back: its lease ends by itself"),
    }
}

async fn wait_for_the_catalog(app: &App, error: &StoreError) {
    tracing::warn!(%error, "the end of an attempt is not stored yet");
    tokio::select! {
        () = tokio::time::sleep(Duration::from_secs(1)) => {}
        () = app.shutdown.hard().cancelled() => {}
    }
}

fn lost_lease(failure: &Failure) -> bool {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(failure);
    while let Some(error) = cause {
        if matches!(error.downcast_ref::<StoreError>(), Some(StoreError::Fenced { .. })) {
            return true;
        }
        cause = error.source();
    }
    false
}

/// A failure as it is kept with the run.
fn told(failure: &Failure) -> serde_json::Value {
    json!({
        "category": failure.category(), "retryable": failure.blame() == Blame::Plumbing, "message": failure.message,
        "suggestedAction": failure.remedy, "causes": failure.causes,
        "operation": failure.operation.map(|operation| operation.to_string()),
    })
}

fn retry_pause_ms(attempt: i64) -> i64 {
    let doublings = u32::try_from(attempt.saturating_sub(1).clamp(0, 16)).unwrap_or(0);
    RETRY_FIRST_MS.saturating_mul(1 << doublings).min(RETRY_LONGEST_MS)
}

fn count(app: &AppState, outcome: Outcome) {
    let outcome = match outcome {
        Outcome::Complete => OutcomeLabel::Complete,
        Outcome::Partial => OutcomeLabel::Partial,
        Outcome::Failed => OutcomeLabel::Failed,
        Outcome::Cancelled => OutcomeLabel::Cancelled,
        Outcome::Interrupted => OutcomeLabel::Interrupted,
    };
    app.metrics.runs.get_or_create(&RunLabels { outcome }).inc();
}
