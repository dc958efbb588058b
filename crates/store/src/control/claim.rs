//! Leases: who works on a job, for how long, and under which fence.

use model::RunId;

use crate::connections::ConnectionId;
use crate::control::{JobId, RunsOn};
use crate::db::{Row, query, query_scalar};
use crate::{Result, Store, StoreError};

/// What a job does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobKind {
    /// It crawls a connection.
    Crawl,
}

impl JobKind {
    /// The stored word.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Crawl => "crawl",
        }
    }

    fn parse(word: &str) -> Result<Self> {
        match word {
            "crawl" => Ok(Self::Crawl),
            other => Err(StoreError::corrupt(format!("there is no kind of job `{other}`"))),
        }
    }
}

/// A job that somebody works on, until it is handed back or the lease ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// The job.
    pub job: JobId,
    /// What it does.
    pub kind: JobKind,
    /// The run that it is for.
    pub run: RunId,
    /// What the run crawls.
    pub connection: ConnectionId,
    /// Grows with every claim of the job: what is written under an older one does not arrive.
    pub fence: i64,
    /// Which attempt this is, from 1. What was given back does not count.
    pub attempt: i64,
    /// How many attempts there may be.
    pub attempts_max: i64,
    /// Until when it is leased, milliseconds since 1970 UTC.
    pub lease_until_ms: i64,
}

/// The answer to a heartbeat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heartbeat {
    /// The lease goes on.
    Extended {
        /// Whether somebody asked to stop.
        cancel_requested: bool,
    },
    /// Somebody else has the job, or it has ended.
    Lost,
}

impl Store {
    /// Leases the oldest job of a queue that may begin now, if there is one. The jobs of one connection are worked on one at a
    /// time and in the order of their runs: what changed when is told from the numbers of runs.
    ///
    /// # Errors
    /// When the catalog cannot be written.
    pub async fn claim(&self, queue: &RunsOn, holder: &str, lease_ms: i64, now_ms: i64) -> Result<Option<Lease>> {
        let mut writer = self.writer().await?;
        let mut transaction = writer.begin().await?;
        let on = &mut transaction.connection();
        let text = "SELECT j.id, j.kind, j.run, j.connection, j.fence, j.attempt, j.attempts_max FROM job j
            WHERE j.queue = $1 AND j.state = 'queued' AND j.run_after_ms <= $2
                AND NOT EXISTS (SELECT 1 FROM job o WHERE o.connection = j.connection AND o.state <> 'done' AND o.run < j.run)
            ORDER BY j.id LIMIT 1 FOR UPDATE SKIP LOCKED";
        let Some(row) = query(text).bind(queue.queue()).bind(now_ms).fetch_optional(&mut *on).await? else { return Ok(None) };
        let lease = read(&row, now_ms.saturating_add(lease_ms))?;
        let text = "UPDATE job SET state = 'leased', fence = $1, attempt = $2, lease_until_ms = $3, holder = $4 WHERE id = $5";
        query(text)
            .bind(lease.fence)
            .bind(lease.attempt)
            .bind(lease.lease_until_ms)
            .bind(holder.to_owned())
            .bind(lease.job.0)
            .execute(&mut *on)
            .await?;
        let text = "UPDATE run SET state = 'running', attempt = $1, started_ms = $2 WHERE id = $3";
        query(text).bind(lease.attempt).bind(now_ms).bind(lease.run.0).execute(on).await?;
        transaction.commit().await?;
        Ok(Some(lease))
    }

    /// Says that a lease is worked on, and learns whether to stop.
    ///
    /// # Errors
    /// When the catalog cannot be written.
    pub async fn heartbeat(&self, lease: &Lease, lease_ms: i64, now_ms: i64) -> Result<Heartbeat> {
        let mut writer = self.writer().await?;
        let mut transaction = writer.begin().await?;
        // Clocks differ: a lease never gets shorter.
        let text = "UPDATE job SET lease_until_ms = CASE WHEN lease_until_ms > $1 THEN lease_until_ms ELSE $1 END
            WHERE id = $2 AND fence = $3 AND state = 'leased' RETURNING cancel_requested";
        let query = query_scalar::<i64>(text).bind(now_ms.saturating_add(lease_ms)).bind(lease.job.0).bind(lease.fence);
        let cancel = query.fetch_optional(&mut transaction.connection()).await?;
        transaction.commit().await?;
        Ok(cancel.map_or(Heartbeat::Lost, |cancel| Heartbeat::Extended { cancel_requested: cancel != 0 }))
    }
}

/// Reads a lease that begins now from the columns of a job as it was before: number, kind, run, connection, fence, attempt, most attempts.
pub(super) fn read(row: &Row, lease_until_ms: i64) -> Result<Lease> {
    Ok(Lease {
        job: JobId(row.try_get(0)?),
        kind: JobKind::parse(row.try_get(1)?)?,
        run: RunId(row.try_get(2)?),
        connection: ConnectionId(row.try_get(3)?),
        fence: row.try_get::<i64, _>(4)? + 1,
        attempt: row.try_get::<i64, _>(5)? + 1,
        attempts_max: row.try_get(6)?,
        lease_until_ms,
    })
}
