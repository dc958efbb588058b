//! Work for runtimes: asked for by a long poll, kept by heartbeats.

use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::routing::post;
use store::{Heartbeat as Kept, Lease, RuntimeNews, Standing};
use tokio::time::Instant;
use wire::{
    Command, Heartbeat, HeartbeatAnswer, LONG_POLL_SECONDS_MAX, LeaseAnswer, LeaseRequest, RuntimeMode, TaskId, TaskJob, Work,
};

use super::caller::{Asking, Body, LEASE_MS, lease_id};
use super::enroll::require_protocol;
use super::refusal::Refusal;
use crate::state::{App, AppState};
use crate::work::remote::{self, Job};

/// How often a runtime says that it is still there: a request to stop reaches it within this time.
const HEARTBEAT_SECONDS: u64 = 2;
/// How often the queue is looked at while a runtime waits.
const LOOK: Duration = Duration::from_millis(500);
/// Leases that one runtime may say that it holds.
const HOLDING_MAX: usize = 100;

pub(super) fn router() -> Router<App> {
    Router::new().route("/runtime/v1/lease", post(lease)).route("/runtime/v1/heartbeat", post(heartbeat))
}

async fn lease(State(app): State<App>, asking: Asking, Body(request): Body<LeaseRequest>) -> Result<Body<LeaseAnswer>, Refusal> {
    require_protocol(request.protocol)?;
    let news = RuntimeNews {
        version: request.version.clone(),
        capacity: i64::from(request.capacity),
        is_draining: request.mode == RuntimeMode::Draining,
    };
    app.store.runtime_seen(&asking.runtime, Some(&news), app.clock.now_ms()).await?;
    for held in request.holding.iter().take(HOLDING_MAX) {
        take_back(&app, &asking, held).await;
    }
    let until = Instant::now() + Duration::from_secs(request.wait_seconds.min(LONG_POLL_SECONDS_MAX));
    loop {
        if let Some(work) = find(&app, &asking, &request).await? {
            return Ok(Body(LeaseAnswer { work: Some(work) }));
        }
        if Instant::now() >= until || app.shutdown.soft().is_cancelled() {
            return Ok(Body(LeaseAnswer { work: None }));
        }
        tokio::select! {
            () = tokio::time::sleep(LOOK) => {}
            () = app.shutdown.soft().cancelled() => {}
        }
    }
}

/// What a runtime works on and what went back to the queue while it was out of reach is its own again before it gets anything else.
async fn take_back(app: &AppState, asking: &Asking, held: &wire::LeaseId) {
    if let Ok((lease, Standing::Queued)) = asking.lease(app, held).await
        && let Err(error) = app.store.regain_lease(&lease, LEASE_MS, app.clock.now_ms()).await
    {
        tracing::debug!(%error, run = %lease.run, "a run is not taken back");
    }
}

async fn find(app: &App, asking: &Asking, request: &LeaseRequest) -> Result<Option<Work>, Refusal> {
    let now_ms = app.clock.now_ms();
    if let Some(task) = app.store.take_task(&asking.queue(), asking.runtime.id, now_ms).await? {
        let within_ms = task.deadline_ms.saturating_sub(now_ms);
        match serde_json::from_str::<TaskJob>(&task.task) {
            Ok(job) => {
                let within_seconds = u64::try_from(within_ms / 1000).unwrap_or(1).max(1);
                return Ok(Some(Work::Task(Box::new(TaskJob { id: TaskId(task.id.to_string()), within_seconds, ..job }))));
            }
            Err(error) => tracing::error!(%error, "a question that was kept cannot be read"),
        }
    }
    if request.mode == RuntimeMode::Draining || request.crawl_slots == 0 {
        return Ok(None);
    }
    if app.store.queued(&asking.queue(), now_ms).await? == 0 {
        return Ok(None);
    }
    let Some(lease) = app.store.claim(&asking.queue(), &asking.runtime.id.holder(), LEASE_MS, now_ms).await? else {
        return Ok(None);
    };
    Ok(begin(app, asking, lease).await)
}

/// The job of a lease. One that cannot be put together ends its run, and is nothing to give.
async fn begin(app: &App, asking: &Asking, lease: Lease) -> Option<Work> {
    match remote::prepare(app, &lease, &asking.runtime).await {
        Job::Ready(job) => {
            tracing::info!(run = %lease.run, runtime = asking.runtime.name, "a run goes to a runtime");
            let attempt = u32::try_from(lease.attempt).unwrap_or(u32::MAX);
            let lease = wire::Lease {
                id: lease_id(&lease),
                run: lease.run.0,
                attempt,
                heartbeat_seconds: HEARTBEAT_SECONDS,
                lease_seconds: u64::try_from(LEASE_MS / 1000).unwrap_or(60),
            };
            Some(Work::Crawl { lease, job })
        }
        Job::Ended => None,
    }
}

async fn heartbeat(State(app): State<App>, asking: Asking, Body(beat): Body<Heartbeat>) -> Result<Body<HeartbeatAnswer>, Refusal> {
    let now_ms = app.clock.now_ms();
    app.store.runtime_seen(&asking.runtime, None, now_ms).await?;
    let abandon = Ok(Body(HeartbeatAnswer { command: Command::Abandon }));
    let lease = match asking.lease(&app, &beat.lease).await {
        Ok((lease, Standing::Leased)) => lease,
        Ok((lease, Standing::Queued)) => match app.store.regain_lease(&lease, LEASE_MS, now_ms).await {
            Ok(()) => lease,
            Err(_taken) => return abandon,
        },
        Ok((_, Standing::Done)) => return abandon,
        Err(refusal) if refusal.code == wire::Code::LeaseLost => return abandon,
        Err(refusal) => return Err(refusal),
    };
    let command = match app.store.heartbeat(&lease, LEASE_MS, now_ms).await? {
        Kept::Extended { cancel_requested: true } => Command::Cancel,
        Kept::Extended { cancel_requested: false } => Command::Continue,
        Kept::Lost => Command::Abandon,
    };
    if let Some(progress) = &beat.progress {
        remote::tell_progress(&app, &lease, progress, beat.spooled).await;
    }
    Ok(Body(HeartbeatAnswer { command }))
}
