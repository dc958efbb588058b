//! The fence of a lease: who has lost the lease writes nothing any more, however late it finds out.

use model::{Outcome, RunId};

use crate::control::JobId;
use crate::control::claim::Lease;
use crate::db::{Connection, query, query_scalar};
use crate::{Result, StoreError};

/// What a write shows of its lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fence {
    job: JobId,
    run: RunId,
    number: i64,
}

impl Fence {
    pub(crate) fn of(lease: &Lease) -> Self {
        Self { job: lease.job, run: lease.run, number: lease.fence }
    }

    /// Refuses what is no longer leased so. The job stays as it is until the transaction ends.
    pub(crate) async fn check(&self, connection: &mut Connection<'_>) -> Result<()> {
        let text = "SELECT id FROM job WHERE id = $1 AND fence = $2 AND state = 'leased' FOR UPDATE";
        let query = query_scalar::<i64>(text).bind(self.job.0).bind(self.number);
        match query.fetch_optional(connection).await? {
            Some(_) => Ok(()),
            None => Err(StoreError::Fenced { run: self.run }),
        }
    }

    /// As [`Fence::check`], and takes a lease back that has expired and that nobody else has taken since: its holder was out of reach,
    /// and what it knows is not lost.
    pub(crate) async fn regain(&self, connection: &mut Connection<'_>, lease_ms: i64, now_ms: i64) -> Result<()> {
        match self.check(&mut *connection).await {
            Err(StoreError::Fenced { .. }) => {}
            checked => return checked,
        }
        let text = "UPDATE job SET state = 'leased', lease_until_ms = $1
            WHERE id = $2 AND fence = $3 AND state = 'queued' AND holder IS NOT NULL";
        let regained = query(text).bind(now_ms.saturating_add(lease_ms)).bind(self.job.0).bind(self.number);
        if regained.execute(&mut *connection).await? == 0 {
            return Err(StoreError::Fenced { run: self.run });
        }
        query("UPDATE run SET state = 'running' WHERE id = $1 AND state = 'queued'").bind(self.run.0).execute(connection).await?;
        Ok(())
    }

    /// Whether the lease has ended by what its own holder said.
    pub(crate) async fn is_done(&self, connection: &mut Connection<'_>) -> Result<bool> {
        let text = "SELECT id FROM job WHERE id = $1 AND fence = $2 AND state = 'done' FOR UPDATE";
        let query = query_scalar::<i64>(text).bind(self.job.0).bind(self.number);
        Ok(query.fetch_optional(connection).await?.is_some())
    }

    /// Says that the job is done, as its holder.
    pub(crate) async fn close(&self, connection: &mut Connection<'_>, now_ms: i64) -> Result<()> {
        let text = "UPDATE job SET state = 'done', finished_ms = $1, lease_until_ms = NULL WHERE id = $2";
        query(text).bind(now_ms).bind(self.job.0).execute(connection).await?;
        Ok(())
    }
}

/// Where a job stands whose last lease is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It is leased.
    Leased,
    /// The lease has expired, and nobody else has it since.
    Queued,
    /// It has ended.
    Done,
}

/// Says that a job is done over the head of its holder, whose fence is no longer the job's.
pub(crate) async fn close_job(connection: &mut Connection<'_>, job: JobId, now_ms: i64) -> Result<()> {
    let text = "UPDATE job SET state = 'done', finished_ms = $1, lease_until_ms = NULL, fence = fence + 1 WHERE id = $2";
    query(text).bind(now_ms).bind(job.0).execute(connection).await?;
    Ok(())
}

/// Ends a run that has not ended yet.
pub(crate) async fn end_run(
    connection: &mut Connection<'_>,
    run: RunId,
    outcome: Outcome,
    failure: Option<String>,
    now_ms: i64,
) -> Result<()> {
    let text = "UPDATE run SET state = 'ended', outcome = $1, finished_ms = $2, failure = coalesce($3, failure)
        WHERE id = $4 AND state <> 'ended'";
    query(text).bind(outcome.as_str()).bind(now_ms).bind(failure).bind(run.0).execute(connection).await?;
    Ok(())
}

/// Puts a job back into its queue. `attempt` is the number of attempts that count.
pub(crate) async fn requeue(
    connection: &mut Connection<'_>,
    job: JobId,
    run: RunId,
    attempt: i64,
    run_after_ms: i64,
) -> Result<()> {
    let text =
        "UPDATE job SET state = 'queued', lease_until_ms = NULL, holder = NULL, attempt = $1, run_after_ms = $2 WHERE id = $3";
    query(text).bind(attempt).bind(run_after_ms).bind(job.0).execute(&mut *connection).await?;
    query("UPDATE run SET state = 'queued' WHERE id = $1 AND state <> 'ended'").bind(run.0).execute(connection).await?;
    Ok(())
}
