//! Confirming removals: a person has looked at what a run would have archived, and the next one may.

use model::RunId;
use model::document::report::Changes;

use crate::control::audit::{Audit, append};
use crate::control::enqueue::{Reason, Removals, event, lock, start};
use crate::control::{Enqueued, WorkflowId};
use crate::db::{Connection, query, query_scalar};
use crate::query::Trigger;
use crate::{Result, Store, StoreError};

impl Store {
    /// Starts a run of the workflow of `run` that archives whatever is gone.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] unless `run` is the last one of its workflow and kept assets that would have been archived;
    /// [`StoreError::Exists`] with the run that is queued or running.
    pub async fn confirm_removals(&self, run: RunId, audit: &Audit, now_ms: i64) -> Result<Enqueued> {
        let mut writer = self.writer().await?;
        let mut transaction = writer.begin().await?;
        let on = &mut transaction.connection();
        let workflow = workflow_of(on, run).await?;
        let workflow = lock(on, workflow).await?;
        let text = "SELECT max(id) FROM run WHERE workflow = $1 AND state = 'ended'";
        let last: Option<i64> = query_scalar(text).bind(workflow.id.0).fetch_one(&mut *on).await?;
        if last != Some(run.0) || !has_protected(on, run).await? {
            let message = format!(
                "run {run} is not the last one of its workflow, or kept nothing that would have been archived: look at the last run"
            );
            return Err(StoreError::Conflict { message });
        }
        let reason =
            Reason { trigger: Trigger::Manual, slot_ms: None, requested_by: audit.actor.user(), removals: Removals::Confirmed };
        let enqueued = start(on, &workflow, &reason, now_ms).await?;
        append(on, audit, &event("run.confirm-removals", run, &workflow.spec.name), now_ms).await?;
        transaction.commit().await?;
        Ok(enqueued)
    }
}

async fn workflow_of(connection: &mut Connection<'_>, run: RunId) -> Result<WorkflowId> {
    let row = query("SELECT workflow FROM run WHERE id = $1").bind(run.0).fetch_optional(connection).await?;
    let Some(row) = row else {
        return Err(StoreError::NotFound { message: format!("there is no run {run} in this catalog") });
    };
    let message = || format!("run {run} belongs to no workflow: confirm removals where it was started");
    row.try_get::<Option<i64>, _>(0)?.map(WorkflowId).ok_or_else(|| StoreError::Conflict { message: message() })
}

async fn has_protected(connection: &mut Connection<'_>, run: RunId) -> Result<bool> {
    let text: Option<String> = query_scalar("SELECT changes FROM run WHERE id = $1").bind(run.0).fetch_one(connection).await?;
    let changes: Option<Changes> = text.map(|text| serde_json::from_str(&text).map_err(StoreError::corrupt)).transpose()?;
    Ok(changes.is_some_and(|changes| changes.protected > 0))
}
