//! Reconcilers: each looks at the catalog as it is, without being told what has changed, and puts right what is not. Doing it twice, or on
//! two replicas at once, changes nothing.

mod expiry;
mod pruning;
mod schedules;

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde::Serialize;
use store::StoreError;
use utoipa::ToSchema;

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

/// One of them.
#[derive(Clone, Copy)]
enum Reconciler {
    Schedule,
    LeaseExpiry,
    Sweep,
    Retention,
}

impl Reconciler {
    const ALL: [Self; 4] = [Self::Schedule, Self::LeaseExpiry, Self::Sweep, Self::Retention];

    fn name(self) -> &'static str {
        match self {
            Self::Schedule => "schedule",
            Self::LeaseExpiry => "lease_expiry",
            Self::Sweep => "sweep",
            Self::Retention => "retention",
        }
    }

    fn period(self) -> Duration {
        Duration::from_secs(match self {
            Self::Schedule | Self::LeaseExpiry => 2,
            Self::Sweep => 300,
            Self::Retention => 3600,
        })
    }

    /// What it did, in words; nothing where there was nothing to do.
    async fn activate(self, app: &AppState, now_ms: i64) -> Result<String, StoreError> {
        match self {
            Self::Schedule => schedules::activate(app, now_ms).await,
            Self::LeaseExpiry => expiry::activate(app, now_ms).await,
            Self::Sweep => pruning::sweep(app, now_ms).await,
            Self::Retention => pruning::retention(app, now_ms).await,
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
    while !soft.is_cancelled() {
        let now_ms = app.clock.now_ms();
        let status = match reconciler.activate(app, now_ms).await {
            Ok(detail) => Status { last_run_at: now_ms, succeeded: true, detail },
            Err(error) => {
                tracing::warn!(%error, reconciler = reconciler.name(), "it did not go through, and is tried again");
                Status { last_run_at: now_ms, succeeded: false, detail: error.to_string() }
            }
        };
        app.reconcilers.set(reconciler.name(), status);
        tokio::select! {
            () = app.nudge.wait(reconciler.period()) => {}
            () = soft.cancelled() => {}
        }
    }
}
