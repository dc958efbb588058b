//! Stopping runs.

use model::{Outcome, RunId};

use crate::control::JobId;
use crate::control::audit::{Audit, append};
use crate::control::enqueue::event;
use crate::control::fence::{close_job, end_run};
use crate::db::{query, query_scalar};
use crate::query::{RunRef, RunState};
use crate::{Result, Store, StoreError};

/// What a request to stop a run has led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cancellation {
    /// It had not begun, and has ended.
    Ended,
    /// Whoever works on it is told with the next heartbeat.
    Requested,
    /// It had ended before.
    AlreadyEnded,
}

impl Store {
    /// Asks for a run to be stopped. One that is queued ends at once.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is no such run, [`StoreError::Conflict`] when it runs on a command line.
    pub async fn request_cancel(&self, run: RunId, audit: &Audit, now_ms: i64) -> Result<Cancellation> {
        let mut writer = self.writer().await?;
        let mut transaction = writer.begin().await?;
        let on = &mut transaction.connection();
        let text = "SELECT id, state FROM job WHERE run = $1 FOR UPDATE";
        let Some(row) = query(text).bind(run.0).fetch_optional(&mut *on).await? else {
            drop(transaction);
            drop(writer);
            return self.without_job(run).await;
        };
        let (job, state): (i64, &str) = (row.try_get(0)?, row.try_get(1)?);
        let cancellation = match state {
            "queued" => {
                close_job(on, JobId(job), now_ms).await?;
                end_run(on, run, Outcome::Cancelled, None, now_ms).await?;
                Cancellation::Ended
            }
            "leased" => {
                query("UPDATE job SET cancel_requested = 1 WHERE id = $1").bind(job).execute(&mut *on).await?;
                Cancellation::Requested
            }
            _ => return Ok(Cancellation::AlreadyEnded),
        };
        let text = "SELECT coalesce(max(w.name), '') FROM run r JOIN workflow w ON w.id = r.workflow WHERE r.id = $1";
        let workflow: String = query_scalar(text).bind(run.0).fetch_one(&mut *on).await?;
        append(on, audit, &event("run.cancel", run, &workflow), now_ms).await?;
        transaction.commit().await?;
        Ok(cancellation)
    }

    async fn without_job(&self, run: RunId) -> Result<Cancellation> {
        match self.run(RunRef::Id(run)).await?.state {
            RunState::Ended(_) => Ok(Cancellation::AlreadyEnded),
            RunState::Queued | RunState::Running => {
                Err(StoreError::Conflict { message: format!("run {run} was started on a command line: stop it where it runs") })
            }
        }
    }
}
