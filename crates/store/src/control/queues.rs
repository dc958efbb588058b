//! How much there is to do, for whoever watches the service.

use crate::control::RunsOn;
use crate::db::{query, query_scalar};
use crate::{Result, Store};

/// The jobs of a queue that are not done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueLength {
    /// `direct`, or `runtime:` and a runtime's name.
    pub queue: String,
    /// Jobs that wait.
    pub queued: i64,
    /// Jobs that somebody works on.
    pub leased: i64,
}

/// Queues that are looked at: as many as there are runtimes, and one more.
const QUEUES_MAX: i64 = 1000;

impl Store {
    /// The queues that have jobs which are not done, by name.
    ///
    /// # Errors
    /// When the catalog cannot be read.
    pub async fn queue_lengths(&self) -> Result<Vec<QueueLength>> {
        let text = "SELECT queue, count(CASE WHEN state = 'queued' THEN 1 END), count(CASE WHEN state = 'leased' THEN 1 END)
            FROM job WHERE state <> 'done' GROUP BY queue ORDER BY queue LIMIT $1";
        let rows = query(text).bind(QUEUES_MAX).fetch_all(self.readers()).await?;
        rows.iter()
            .map(|row| Ok(QueueLength { queue: row.try_get(0)?, queued: row.try_get(1)?, leased: row.try_get(2)? }))
            .collect()
    }

    /// How many jobs of a queue may begin at a time; a claim may still find none, where others come first.
    ///
    /// # Errors
    /// When the catalog cannot be read.
    pub async fn queued(&self, queue: &RunsOn, now_ms: i64) -> Result<i64> {
        let text = "SELECT count(*) FROM job WHERE queue = $1 AND state = 'queued' AND run_after_ms <= $2";
        Ok(query_scalar(text).bind(queue.queue()).bind(now_ms).fetch_one(self.readers()).await?)
    }
}
