//! The end of a lease by its holder: done, to be tried again, or given back.

use model::Outcome;

use crate::control::expire::Fate;
use crate::control::fence::{Fence, end_run, requeue};
use crate::control::{JobId, Lease};
use crate::db::{Connection, query, query_scalar};
use crate::{Result, Store, StoreError};

/// How a job ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobEnd {
    /// The outcome of its run.
    pub outcome: Outcome,
    /// Why, JSON; absent where there is nothing to say.
    pub failure: Option<String>,
}

impl Store {
    /// Ends a job and its run. Where [`crate::RunWriter`] has ended both, only the failure is kept with the run.
    ///
    /// # Errors
    /// [`StoreError::Fenced`] when somebody else has the job.
    pub async fn finish_job(&self, lease: &Lease, end: &JobEnd, now_ms: i64) -> Result<()> {
        let fence = Fence::of(lease);
        let mut writer = self.writer().await?;
        let mut transaction = writer.begin().await?;
        let on = &mut transaction.connection();
        if fence.is_done(on).await? {
            let text = "UPDATE run SET failure = coalesce($1, failure) WHERE id = $2";
            query(text).bind(end.failure.clone()).bind(lease.run.0).execute(on).await?;
        } else {
            fence.check(on).await?;
            fence.close(on, now_ms).await?;
            end_run(on, lease.run, end.outcome, end.failure.clone(), now_ms).await?;
        }
        transaction.commit().await
    }

    /// Gives a job back at once, since its holder has to stop: another one may take it, and the attempt does not count.
    ///
    /// # Errors
    /// [`StoreError::Fenced`] when somebody else has the job.
    pub async fn give_back(&self, lease: &Lease, now_ms: i64) -> Result<Fate> {
        self.hand_back(lease, lease.attempt - 1, now_ms, None, now_ms).await
    }

    /// Gives a job back since something that it needs is taken: it is tried again, not before `run_after_ms`, and the attempt does
    /// not count. `failure` (JSON) says why.
    ///
    /// # Errors
    /// [`StoreError::Fenced`] when somebody else has the job.
    pub async fn postpone(&self, lease: &Lease, run_after_ms: i64, failure: &str, now_ms: i64) -> Result<Fate> {
        self.hand_back(lease, lease.attempt - 1, run_after_ms, Some(failure.to_owned()), now_ms).await
    }

    /// Has a job tried again, not before `run_after_ms`, unless there were attempts enough: then its run fails. The run stays
    /// the same; `failure` (JSON) says why.
    ///
    /// # Errors
    /// [`StoreError::Fenced`] when somebody else has the job.
    pub async fn retry(&self, lease: &Lease, run_after_ms: i64, failure: &str, now_ms: i64) -> Result<Fate> {
        self.hand_back(lease, lease.attempt, run_after_ms, Some(failure.to_owned()), now_ms).await
    }

    async fn hand_back(
        &self,
        lease: &Lease,
        attempt: i64,
        run_after_ms: i64,
        failure: Option<String>,
        now_ms: i64,
    ) -> Result<Fate> {
        let fence = Fence::of(lease);
        let mut writer = self.writer().await?;
        let mut transaction = writer.begin().await?;
        let on = &mut transaction.connection();
        fence.check(on).await?;
        let fate = if is_cancelled(on, lease.job).await? {
            Fate::Ended(Outcome::Cancelled)
        } else if attempt >= lease.attempts_max {
            Fate::Ended(Outcome::Failed)
        } else {
            Fate::Requeued { run_after_ms }
        };
        match fate {
            Fate::Ended(outcome) => {
                fence.close(on, now_ms).await?;
                end_run(on, lease.run, outcome, failure, now_ms).await?;
            }
            Fate::Requeued { .. } => {
                requeue(on, lease.job, lease.run, attempt, run_after_ms).await?;
                let text = "UPDATE run SET failure = coalesce($1, failure) WHERE id = $2";
                query(text).bind(failure).bind(lease.run.0).execute(on).await?;
            }
        }
        transaction.commit().await?;
        Ok(fate)
    }

    /// Keeps with a run why it is about to fail, JSON.
    ///
    /// # Errors
    /// [`StoreError::Fenced`] when somebody else has the job.
    pub async fn save_failure(&self, lease: &Lease, failure: &str) -> Result<()> {
        self.save(lease, "UPDATE run SET failure = $1 WHERE id = $2", failure).await
    }

    /// Keeps with a run what was checked before it, JSON.
    ///
    /// # Errors
    /// [`StoreError::Fenced`] when somebody else has the job.
    pub async fn save_preflight(&self, lease: &Lease, preflight: &str) -> Result<()> {
        self.save(lease, "UPDATE run SET preflight = $1 WHERE id = $2", preflight).await
    }

    async fn save(&self, lease: &Lease, text: &'static str, json: &str) -> Result<()> {
        let mut writer = self.writer().await?;
        let mut transaction = writer.begin().await?;
        let on = &mut transaction.connection();
        Fence::of(lease).check(on).await?;
        query(text).bind(json.to_owned()).bind(lease.run.0).execute(on).await?;
        transaction.commit().await
    }
}

async fn is_cancelled(connection: &mut Connection<'_>, job: JobId) -> Result<bool> {
    let query = query_scalar::<i64>("SELECT cancel_requested FROM job WHERE id = $1").bind(job.0);
    match query.fetch_optional(connection).await? {
        Some(requested) => Ok(requested != 0),
        None => Err(StoreError::internal("hand a job back", "the job is not there any more")),
    }
}
