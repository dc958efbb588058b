//! Edits that name the version which they change: who edits what somebody else has changed since is told so.

use crate::db::{Connection, query_scalar};
use crate::{Result, StoreError};

/// A table whose rows have versions.
pub(crate) struct Versioned {
    /// The table.
    pub(crate) table: &'static str,
    /// What people call a row of it.
    pub(crate) noun: &'static str,
}

impl Versioned {
    /// Refuses an edit of a row that is not there, or is of another version. The row stays as it is until the transaction ends.
    pub(crate) async fn expect(&self, connection: &mut Connection<'_>, id: i64, expected: i64) -> Result<()> {
        let text = format!("SELECT version FROM {} WHERE id = $1 FOR UPDATE", self.table);
        let version: Option<i64> = query_scalar(text).bind(id).fetch_optional(connection).await?;
        match version {
            None => Err(self.missing(id)),
            Some(version) if version != expected => Err(StoreError::Stale { noun: self.noun, id, version }),
            Some(_) => Ok(()),
        }
    }

    /// There is no such row.
    pub(crate) fn missing(&self, id: i64) -> StoreError {
        StoreError::NotFound { message: format!("there is no {} {id}: list them to see their numbers", self.noun) }
    }
}
