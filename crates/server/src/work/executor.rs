//! The executor: takes jobs of the direct queue, as many at once as there are slots, and has each seen through to its end.

use std::sync::Arc;
use std::time::Duration;

use store::{Lease, RunsOn};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::Pace;
use super::attempt::Attempt;
use super::nudge::Waiter;
use super::pause::{grown, jittered};
use crate::state::{App, AppState};

/// How long a claim may take before it is tried again.
const CLAIM_PATIENCE: Duration = Duration::from_secs(10);

/// Claims and runs until the service stops.
pub(super) async fn execute(app: App, pace: Pace) {
    let slots = Arc::new(Semaphore::new(app.config.crawl.concurrency.get() as usize));
    let holder = holder(&app);
    let mut failures = 0_u32;
    while let Some(slot) = free_slot(&app, &slots).await {
        let claimed = app.store.claim(&RunsOn::Direct, &holder, pace.lease_ms(), app.clock.now_ms());
        let waits = match tokio::time::timeout(CLAIM_PATIENCE, claimed).await {
            Ok(Ok(Some(lease))) => {
                failures = 0;
                app.shutdown.tasks().spawn(see_through(app.clone(), pace, lease, slot));
                continue;
            }
            Ok(Ok(None)) => {
                failures = 0;
                pace.poll
            }
            Ok(Err(error)) => {
                failures = failures.saturating_add(1);
                tracing::warn!(%error, "no work can be taken; this is tried again");
                grown(pace.poll, failures.min(4))
            }
            Err(_elapsed) => {
                tracing::warn!("no work can be taken: the catalog does not answer; this is tried again");
                pace.poll
            }
        };
        drop(slot);
        tokio::select! {
            () = app.shutdown.soft().cancelled() => {}
            () = app.nudge.wait(Waiter::Executor, jittered(waits, &*app.random)) => {}
        }
    }
}

/// A slot, unless the service stops first.
async fn free_slot(app: &AppState, slots: &Arc<Semaphore>) -> Option<OwnedSemaphorePermit> {
    tokio::select! {
        biased;
        () = app.shutdown.soft().cancelled() => None,
        slot = Arc::clone(slots).acquire_owned() => slot.ok(),
    }
}

/// A name for whoever looks at the queue; what keeps replicas apart is the fence.
fn holder(app: &AppState) -> String {
    format!("{} pid {}", app.config.listen, std::process::id())
}

#[tracing::instrument(name = "run", skip_all, fields(run = %lease.run, attempt = lease.attempt))]
async fn see_through(app: App, pace: Pace, lease: Lease, slot: OwnedSemaphorePermit) {
    tracing::info!(connection = lease.connection.0, "a run begins");
    Attempt::start(&app, pace, lease).see_through().await;
    drop(slot);
    app.nudge.wake();
}
