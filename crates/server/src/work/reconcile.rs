//! Reconcilers: each looks at the catalog as it is, without being told what has changed, and puts right what is not. Doing it twice, or on
//! two replicas at once, changes nothing.

mod expiry;
mod pruning;
pub(super) mod schedules;

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde::Serialize;
use store::StoreError;
use utoipa::ToSchema;

use super::alerts;
use super::nudge::Waiter;
use super::pause::{grown, jittered, milliseconds};
use crate::state::{App, AppState};

/// What a reconciler last did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ReconcilerStatus)]
pub struct Status {
    /// When, milliseconds since 1970 UTC.
    pub last_run_at: i64,
    /// Whether it went through.
    pub succeeded: bool,
    /// What it did, or why it did not go through.
    pub detail: String,
    /// When it looks again at the latest, milliseconds since 1970 UTC.
    pub next_run_at: i64,
}

/// What all reconcilers of this process last did, by name.
#[derive(Debug, Default)]
pub struct Statuses(Mutex<BTreeMap<&'static str, Status>>);

impl Statuses {
    /// A copy.
    #[must_use]
    pub fn snapshot(&self) -> BTreeMap<&'static str, Status> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, name: &'static str, status: Status) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(name, status);
    }
}

/// The first wait after a failure; it doubles, up to the usual one.
const RETRY: Duration = Duration::from_secs(2);
/// The least wait after a failure.
const FAILED_AT_LEAST: Duration = Duration::from_millis(500);

/// One of them.
#[derive(Clone, Copy)]
enum Reconciler {
    Schedule,
    LeaseExpiry,
    Sweep,
    Retention,
    Alerts,
}

impl Reconciler {
    const ALL: [Self; 5] = [Self::Schedule, Self::LeaseExpiry, Self::Sweep, Self::Retention, Self::Alerts];

    fn name(self) -> &'static str {
        match self {
            Self::Schedule => "schedule",
            Self::LeaseExpiry => "lease_expiry",
            Self::Sweep => "sweep",
            Self::Retention => "retention",
            Self::Alerts => "alerts",
        }
    }

    fn period(self) -> Duration {
        Duration::from_secs(match self {
            Self::Schedule | Self::LeaseExpiry => 2,
            Self::Alerts => 5,
            Self::Sweep => 300,
            Self::Retention => 3600,
        })
    }

    /// Waits for a nudge, or for a time. What goes by days is not nudged.
    async fn wait(self, app: &AppState, at_most: Duration) {
        let waiter = match self {
            Self::Schedule => Waiter::Schedule,
            Self::LeaseExpiry => Waiter::LeaseExpiry,
            Self::Alerts => Waiter::Alerts,
            Self::Sweep | Self::Retention => return tokio::time::sleep(at_most).await,
        };
        app.nudge.wait(waiter, at_most).await;
    }

    /// What it did, in words; nothing where there was nothing to do.
    async fn activate(self, app: &AppState, since_ms: i64, now_ms: i64) -> Result<String, StoreError> {
        match self {
            Self::Schedule => schedules::activate(app, now_ms).await,
            Self::LeaseExpiry => expiry::activate(app, since_ms, now_ms).await,
            Self::Sweep => pruning::sweep(app, now_ms).await,
            Self::Retention => pruning::retention(app, now_ms).await,
            Self::Alerts => alerts::activate(app, now_ms).await,
        }
    }
}

/// Starts all of them.
pub(super) fn start(app: &App) {
    for reconciler in Reconciler::ALL {
        let app = app.clone();
        app.shutdown.tasks().clone().spawn(async move { drive(&app, reconciler).await });
    }
}

async fn drive(app: &App, reconciler: Reconciler) {
    let soft = app.shutdown.soft().clone();
    let (mut failures, since_ms) = (0_u32, app.clock.now_ms());
    while !soft.is_cancelled() {
        let now_ms = app.clock.now_ms();
        let activated = tokio::select! {
            activated = reconciler.activate(app, since_ms, now_ms) => activated,
            () = app.shutdown.hard().cancelled() => return,
        };
        failures = if activated.is_ok() { 0 } else { failures.saturating_add(1) };
        // After the first failure it is tried again soon; a catalog that stays away is not asked ever more often.
        let soon = if failures == 0 { reconciler.period() } else { grown(RETRY, failures).min(reconciler.period()) };
        let waits = jittered(soon, &*app.random);
        app.reconcilers.set(reconciler.name(), status(reconciler, activated, now_ms, now_ms + milliseconds(waits)));
        tokio::select! {
            () = reconciler.wait(app, waits) => {}
            () = soft.cancelled() => {}
        }
        if failures > 0 {
            // A nudge does not shorten this.
            tokio::time::sleep(FAILED_AT_LEAST).await;
        }
    }
}

fn status(reconciler: Reconciler, activated: Result<String, StoreError>, now_ms: i64, next_run_at: i64) -> Status {
    match activated {
        Ok(detail) => Status { last_run_at: now_ms, succeeded: true, detail, next_run_at },
        Err(error) => {
            tracing::warn!(%error, reconciler = reconciler.name(), "it did not go through, and is tried again");
            Status { last_run_at: now_ms, succeeded: false, detail: error.to_string(), next_run_at }
        }
    }
}
