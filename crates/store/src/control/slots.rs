//! Times of schedules: each starts one run at most, however many replicas look at the clock.

use model::RunId;
use serde_json::json;

use crate::control::enqueue::{Reason, Removals, lock, start};
use crate::control::events::{NewEvent, append};
use crate::control::workflows::{self, Workflow};
use crate::control::{Enqueued, WorkflowId};
use crate::db::{query, query_scalar};
use crate::query::Trigger;
use crate::{Result, Store, StoreError};

/// What became of a time of a schedule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slot {
    /// It started a run.
    Started(Enqueued),
    /// It was left out, since a run of the workflow was queued or running; that run has an event of it.
    Skipped(RunId),
    /// Another replica was there before, or the schedule has changed.
    Taken,
}

impl Store {
    /// Workflows whose next time has come, those that wait longest first.
    ///
    /// # Errors
    /// When the catalog cannot be read.
    pub async fn due(&self, limit: usize, now_ms: i64) -> Result<Vec<Workflow>> {
        let text = format!(
            "{} WHERE next_run_ms <= $1 AND paused_ms IS NULL AND cron IS NOT NULL ORDER BY next_run_ms, id LIMIT $2",
            workflows::COLUMNS
        );
        let query = query(text).bind(now_ms).bind(i64::try_from(limit).unwrap_or(i64::MAX));
        query.fetch_all(self.readers()).await?.iter().map(workflows::read).collect()
    }

    /// Takes the time `expected_ms` of a workflow's schedule, sets the next one, and starts a run, all at once or not at all.
    ///
    /// # Errors
    /// When the catalog cannot be written.
    pub async fn claim_slot(&self, workflow: WorkflowId, expected_ms: i64, next_run_ms: Option<i64>, now_ms: i64) -> Result<Slot> {
        let mut writer = self.writer().await?;
        let mut transaction = writer.begin().await?;
        let on = &mut transaction.connection();
        let text = "UPDATE workflow SET next_run_ms = $1 WHERE id = $2 AND next_run_ms = $3 AND paused_ms IS NULL";
        let taken = query(text).bind(next_run_ms).bind(workflow.0).bind(expected_ms).execute(&mut *on).await?;
        // A schedule that was set back comes to a time that has had its run.
        let text = "SELECT id FROM run WHERE workflow = $1 AND slot_ms = $2";
        let had: Option<i64> = query_scalar(text).bind(workflow.0).bind(expected_ms).fetch_optional(&mut *on).await?;
        if taken == 0 || had.is_some() {
            transaction.commit().await?;
            return Ok(Slot::Taken);
        }
        let workflow = lock(on, workflow).await?;
        let reason =
            Reason { trigger: Trigger::Schedule, slot_ms: Some(expected_ms), requested_by: None, removals: Removals::Guarded };
        let slot = match start(on, &workflow, &reason, now_ms).await {
            Ok(enqueued) => Slot::Started(enqueued),
            Err(StoreError::Exists { id, .. }) => {
                let data = json!({ "slotMs": expected_ms }).to_string();
                append(on, RunId(id), &[NewEvent { kind: "slot-skipped".to_owned(), data }], now_ms).await?;
                Slot::Skipped(RunId(id))
            }
            Err(error) => return Err(error),
        };
        transaction.commit().await?;
        Ok(slot)
    }
}
