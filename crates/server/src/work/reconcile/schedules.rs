//! Times of schedules that have come: each starts one run, whichever replica is first.

use store::{Slot, StoreError, Workflow};

use crate::schedule::Schedule;
use crate::state::AppState;

/// Workflows that are looked at at once.
const DUE_MAX: usize = 100;

pub(super) async fn activate(app: &AppState, now_ms: i64) -> Result<String, StoreError> {
    let (mut started, mut skipped) = (0, 0);
    for workflow in app.store.due(DUE_MAX, now_ms).await? {
        let Some(expected_ms) = workflow.spec.next_run_ms else { continue };
        match app.store.claim_slot(workflow.id, expected_ms, next(&workflow, now_ms), now_ms).await? {
            Slot::Started(enqueued) => {
                tracing::info!(run = %enqueued.run, workflow = workflow.id.0, "a schedule starts a run");
                started += 1;
            }
            Slot::Skipped(run) => {
                tracing::warn!(%run, workflow = workflow.id.0, "a time of a schedule is left out: the run before has not ended");
                skipped += 1;
            }
            Slot::Taken => {}
        }
    }
    if started > 0 {
        app.nudge.wake();
    }
    Ok(if started + skipped == 0 { String::new() } else { format!("{started} started, {skipped} left out") })
}

/// The next time after now: what was missed while no replica ran is not made up for.
fn next(workflow: &Workflow, now_ms: i64) -> Option<i64> {
    let schedule = workflow.spec.schedule.as_ref()?;
    match Schedule::parse(&schedule.cron, &schedule.time_zone, now_ms) {
        Ok(schedule) => schedule.next_after(now_ms),
        Err(error) => {
            tracing::error!(%error, workflow = workflow.id.0, "a stored schedule cannot be read: it stops");
            None
        }
    }
}
