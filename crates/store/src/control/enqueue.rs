//! New runs: a run and its job come into being in one transaction.

use model::RunId;
use serde_json::Value;

use crate::control::audit::{Audit, AuditEvent, AuditTarget, append};
use crate::control::workflows::{self, WORKFLOWS, refuse_open_run};
use crate::control::{JobId, JobKind, UserId, Workflow, WorkflowId, removals};
use crate::db::{Connection, query, query_scalar};
use crate::query::Trigger;
use crate::{Result, Store, StoreError};

/// A run that waits for somebody to work on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Enqueued {
    /// The run.
    pub run: RunId,
    /// Its job.
    pub job: JobId,
}

/// Why a run is started, and with which rights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reason {
    pub(crate) trigger: Trigger,
    /// The time of the schedule that it is for.
    pub(crate) slot_ms: Option<i64>,
    pub(crate) requested_by: Option<UserId>,
    pub(crate) removals: Removals,
}

/// Whether somebody has confirmed that whatever is gone is archived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Removals {
    Guarded,
    Confirmed,
}

impl Store {
    /// Starts a run of a workflow because somebody said so.
    ///
    /// # Errors
    /// [`StoreError::Exists`] with the run that is queued or running, [`StoreError::NotFound`] when there is no such workflow.
    pub async fn enqueue(&self, workflow: WorkflowId, audit: &Audit, now_ms: i64) -> Result<Enqueued> {
        let mut writer = self.writer().await?;
        let mut transaction = writer.begin().await?;
        let on = &mut transaction.connection();
        let workflow = lock(on, workflow).await?;
        let reason =
            Reason { trigger: Trigger::Manual, slot_ms: None, requested_by: audit.actor.user(), removals: Removals::Guarded };
        let enqueued = start(on, &workflow, &reason, now_ms).await?;
        append(on, audit, &event("run.start", enqueued.run, &workflow.spec.name), now_ms).await?;
        transaction.commit().await?;
        Ok(enqueued)
    }
}

/// What happens to a run: its target is named after its workflow.
pub(crate) fn event(action: &'static str, run: RunId, workflow: &str) -> AuditEvent {
    AuditEvent { action, target: AuditTarget::numbered("run", run.0, workflow), detail: Value::Null }
}

/// A workflow that nobody else starts a run of until the transaction ends.
pub(crate) async fn lock(connection: &mut Connection<'_>, id: WorkflowId) -> Result<Workflow> {
    let text = format!("{} WHERE id = $1 FOR UPDATE", workflows::COLUMNS);
    let row = query(text).bind(id.0).fetch_optional(connection).await?;
    row.as_ref().map(workflows::read).transpose()?.ok_or_else(|| WORKFLOWS.missing(id.0))
}

/// Starts a run of a locked workflow, unless one is queued or running.
pub(crate) async fn start(connection: &mut Connection<'_>, workflow: &Workflow, reason: &Reason, now_ms: i64) -> Result<Enqueued> {
    refuse_open_run(connection, workflow.id).await?;
    removals::refuse_purging(connection, workflow.connection).await?;
    // Numbers of one connection's runs are given one after the other: they are worked on in this order.
    let text = "SELECT runs_on FROM connection WHERE id = $1 FOR UPDATE";
    let queue: Option<String> = query_scalar(text).bind(workflow.connection.0).fetch_optional(&mut *connection).await?;
    let Some(queue) = queue else {
        return Err(StoreError::NotFound { message: format!("the connection of the workflow {} is gone", workflow.id) });
    };
    let text = "INSERT INTO run (connection, workflow, trigger_kind, slot_ms, started_ms, queued_ms, settings, requested_by,
            removal_share_percent, removals_confirmed, state, attempt)
        VALUES ($1, $2, $3, $4, $5, $5, $6, $7, $8, $9, 'queued', 0) RETURNING id";
    let run: i64 = query_scalar(text)
        .bind(workflow.connection.0)
        .bind(workflow.id.0)
        .bind(reason.trigger.as_str())
        .bind(reason.slot_ms)
        .bind(now_ms)
        .bind(workflow.spec.settings.clone())
        .bind(reason.requested_by.map(|user| user.0))
        .bind(i64::from(workflow.spec.removal_share_percent))
        .bind(reason.removals == Removals::Confirmed)
        .fetch_one(&mut *connection)
        .await?;
    let text = "INSERT INTO job (kind, run, connection, queue, state, run_after_ms, attempt, attempts_max, fence, cancel_requested,
            created_ms)
        VALUES ($1, $2, $3, $4, 'queued', $5, 0, $6, 0, 0, $5) RETURNING id";
    let job = query_scalar(text)
        .bind(JobKind::Crawl.as_str())
        .bind(run)
        .bind(workflow.connection.0)
        .bind(queue)
        .bind(now_ms)
        .bind(i64::from(workflow.spec.retries_max) + 1)
        .fetch_one(connection)
        .await?;
    Ok(Enqueued { run: RunId(run), job: JobId(job) })
}
