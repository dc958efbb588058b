//! Leases whose holder is not heard of any more.

use model::{Outcome, RunId};
use serde_json::json;

use crate::control::JobId;
use crate::control::events::{NewEvent, append};
use crate::control::fence::{close_job, end_run, requeue};
use crate::db::{Connection, Row, query, query_scalar};
use crate::{Result, Store};

/// Leases that are looked at at once.
const EXPIRED_ROWS: i64 = 100;
/// The delay before an attempt doubles this often at most.
const DOUBLINGS_MAX: u32 = 6;

/// What became of a job whose lease has ended otherwise than by its success.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is in its queue again.
    Requeued {
        /// Not before this time, milliseconds since 1970 UTC.
        run_after_ms: i64,
    },
    /// Its run has ended.
    Ended(Outcome),
}

/// A lease that has expired.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expired {
    /// The job.
    pub job: JobId,
    /// Its run.
    pub run: RunId,
    /// Which attempt was lost.
    pub attempt: i64,
    /// What became of it.
    pub fate: Fate,
}

struct Lost {
    job: JobId,
    run: RunId,
    attempt: i64,
    attempts_max: i64,
    is_cancelled: bool,
}

impl Store {
    /// Puts jobs back whose lease ended before `now_ms`, each after a delay that begins with `retry_delay_ms` and doubles with every
    /// attempt. What was cancelled ends as cancelled, and after the last attempt a run ends as interrupted.
    ///
    /// # Errors
    /// When the catalog cannot be written.
    pub async fn expire(&self, retry_delay_ms: i64, now_ms: i64) -> Result<Vec<Expired>> {
        self.expire_of("job.queue <> ''", retry_delay_ms, now_ms).await
    }

    /// As [`Store::expire`], the leases of runtimes excepted: they could not be heard of while nobody listened.
    ///
    /// # Errors
    /// When the catalog cannot be written.
    pub async fn expire_direct(&self, retry_delay_ms: i64, now_ms: i64) -> Result<Vec<Expired>> {
        self.expire_of("job.queue = 'direct'", retry_delay_ms, now_ms).await
    }

    async fn expire_of(&self, queues: &'static str, retry_delay_ms: i64, now_ms: i64) -> Result<Vec<Expired>> {
        let mut writer = self.writer().await?;
        let mut transaction = writer.begin().await?;
        let on = &mut transaction.connection();
        // What a runtime has said its last word on is seen through by the control plane.
        let text = format!(
            "SELECT id, run, attempt, attempts_max, cancel_requested FROM job
            WHERE state = 'leased' AND lease_until_ms < $1 AND {queues}
                AND NOT EXISTS (SELECT 1 FROM inbox_end e WHERE e.run = job.run AND e.fence = job.fence)
            ORDER BY id LIMIT $2 FOR UPDATE SKIP LOCKED"
        );
        let rows = query(text).bind(now_ms).bind(EXPIRED_ROWS).fetch_all(&mut *on).await?;
        let mut expired = Vec::with_capacity(rows.len());
        for row in &rows {
            let lost = read(row)?;
            let fate = settle(on, &lost, retry_delay_ms, now_ms).await?;
            expired.push(Expired { job: lost.job, run: lost.run, attempt: lost.attempt, fate });
        }
        transaction.commit().await?;
        Ok(expired)
    }
}

async fn settle(connection: &mut Connection<'_>, lost: &Lost, retry_delay_ms: i64, now_ms: i64) -> Result<Fate> {
    let fate = if lost.is_cancelled {
        Fate::Ended(Outcome::Cancelled)
    } else if lost.attempt >= lost.attempts_max {
        Fate::Ended(Outcome::Interrupted)
    } else {
        let doublings = u32::try_from(lost.attempt - 1).unwrap_or(0).min(DOUBLINGS_MAX);
        Fate::Requeued { run_after_ms: now_ms.saturating_add(retry_delay_ms.saturating_mul(1 << doublings)) }
    };
    match fate {
        Fate::Requeued { run_after_ms } => {
            let text = "SELECT holder FROM job WHERE id = $1 AND queue <> 'direct'";
            let holder = query_scalar::<Option<String>>(text).bind(lost.job.0).fetch_optional(&mut *connection).await?.flatten();
            requeue(connection, lost.job, lost.run, lost.attempt, run_after_ms).await?;
            // A runtime that was out of reach may take it back.
            let text = "UPDATE job SET holder = $1 WHERE id = $2";
            query(text).bind(holder).bind(lost.job.0).execute(&mut *connection).await?;
        }
        Fate::Ended(outcome) => {
            close_job(connection, lost.job, now_ms).await?;
            let failure = json!({
                "code": "worker-lost",
                "message": "who worked on this run is not heard of any more: look whether it still runs, then start another run",
            });
            let failure = (outcome == Outcome::Interrupted).then(|| failure.to_string());
            end_run(connection, lost.run, outcome, failure, now_ms).await?;
        }
    }
    let data = json!({ "attempt": lost.attempt }).to_string();
    append(connection, lost.run, &[NewEvent { kind: "lease-expired".to_owned(), data }], now_ms).await?;
    Ok(fate)
}

fn read(row: &Row) -> Result<Lost> {
    Ok(Lost {
        job: JobId(row.try_get(0)?),
        run: RunId(row.try_get(1)?),
        attempt: row.try_get(2)?,
        attempts_max: row.try_get(3)?,
        is_cancelled: row.try_get::<i64, _>(4)? != 0,
    })
}
