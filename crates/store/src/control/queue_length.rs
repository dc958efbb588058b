//! How much work waits.

use crate::db::query_scalar;
use crate::{Result, Store};

/// How many jobs there are that are not done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QueueLength {
    /// Jobs that wait, for the first time or again.
    pub queued: u64,
    /// Jobs that somebody works on.
    pub leased: u64,
}

impl Store {
    /// How many jobs wait and how many are worked on, of all queues.
    ///
    /// # Errors
    /// When the catalog cannot be read.
    pub async fn queue_length(&self) -> Result<QueueLength> {
        let count = async |state: &'static str| -> Result<u64> {
            let text = "SELECT count(*) FROM job WHERE state = $1";
            let count: i64 = query_scalar(text).bind(state).fetch_one(self.readers()).await?;
            Ok(count.unsigned_abs())
        };
        Ok(QueueLength { queued: count("queued").await?, leased: count("leased").await? })
    }
}
