//! What people see of a run while it goes on.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::time::Duration;

use aws::Evidence;
use connector::progress::Progress;
use model::RunId;
use serde::Serialize;
use serde_json::Value;
use store::{Lease, NewEvent, RunWriter};

use crate::state::AppState;

/// How often progress is told at first.
const SOON: Duration = Duration::from_secs(1);
/// How often progress is told of a long run: a run keeps its newest 2,000 events.
const LATER: Duration = Duration::from_secs(5);
/// So many times it is told soon.
const SOON_TIMES: u32 = 300;

/// How far a run is.
#[derive(Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct ProgressEvent {
    /// Pages read.
    pages: u64,
    /// Tables, views and assets of SageMaker Unified Studio read.
    tables: u64,
    columns: u64,
    scopes_total: u64,
    scopes_done: u64,
    scope: String,
    /// Assets by type, of what is stored.
    counts: BTreeMap<String, u64>,
    /// Calls to AWS so far, retries included.
    calls: u64,
}

/// With how fast it goes.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Rated<'p> {
    #[serde(flatten)]
    progress: &'p ProgressEvent,
    pages_per_second: f64,
    assets_per_second: f64,
}

/// What a crawl is watched by.
pub(super) struct Watched<'w> {
    pub(super) app: &'w AppState,
    pub(super) lease: &'w Lease,
    pub(super) run: &'w RunWriter,
    pub(super) progress: &'w Progress,
    pub(super) evidence: &'w Evidence,
}

/// An event.
pub(super) fn event(kind: &str, data: &Value) -> NewEvent {
    NewEvent { kind: kind.to_owned(), data: data.to_string() }
}

/// Tells of a run that we have. Events are for watching: one that cannot be kept is not missed.
pub(super) async fn tell(app: &AppState, lease: &Lease, kind: &str, data: &Value) {
    let told = app.store.append_events_of(lease, &[event(kind, data)], app.clock.now_ms()).await;
    if let Err(error) = told {
        tracing::debug!(%error, run = %lease.run, kind, "an event is not kept");
    }
}

/// Tells of a run that we had until just now.
pub(super) async fn tell_after(app: &AppState, run: RunId, kind: &str, data: &Value) {
    if let Err(error) = app.store.append_events(run, &[event(kind, data)], app.clock.now_ms()).await {
        tracing::debug!(%error, %run, kind, "an event is not kept");
    }
}

/// Tells of progress, where there is some, until it is dropped.
pub(super) async fn tell_progress(watched: Watched<'_>) -> Infallible {
    let mut before = watched.now();
    let mut told = 0_u32;
    loop {
        let wait = if told < SOON_TIMES { SOON } else { LATER };
        tokio::time::sleep(wait).await;
        let now = watched.now();
        if now == before {
            continue;
        }
        let seconds = wait.as_secs_f64();
        let rate = |now: u64, before: u64| round(count(now.saturating_sub(before)) / seconds);
        let rated = Rated {
            progress: &now,
            pages_per_second: rate(now.pages, before.pages),
            assets_per_second: rate(now.tables, before.tables),
        };
        if let Ok(data) = serde_json::to_value(&rated) {
            tell(watched.app, watched.lease, "progress", &data).await;
        }
        told = told.saturating_add(1);
        before = now;
    }
}

impl Watched<'_> {
    fn now(&self) -> ProgressEvent {
        let read = self.progress.snapshot();
        ProgressEvent {
            pages: read.pages,
            tables: read.tables,
            columns: read.columns,
            scopes_total: read.scopes_total,
            scopes_done: read.scopes_done,
            scope: read.current_scope,
            counts: self.run.counts().iter().map(|(kind, count)| (kind.type_name().to_owned(), *count)).collect(),
            calls: self.evidence.snapshot().operations.values().sum(),
        }
    }
}

/// Counts of a second are far below what a float holds exactly.
fn count(number: u64) -> f64 {
    u32::try_from(number).map_or(f64::from(u32::MAX), f64::from)
}

fn round(rate: f64) -> f64 {
    (rate * 10.0).round() / 10.0
}
