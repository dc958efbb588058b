//! What is being done to all assets of a connection: it takes many transactions, so it is written down to go on when it was interrupted.

use serde_json::Value;

use crate::connections::ConnectionId;
use crate::control::audit::{Audit, append};
use crate::control::connections::{CONNECTIONS, event};
use crate::db::{self, query, query_scalar};
use crate::{Result, Store, StoreError};

/// What is done to the assets of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConnectionRemoval {
    /// They are archived.
    Archive,
    /// They go, and the connection with them.
    Purge,
}

impl ConnectionRemoval {
    /// The word in the table.
    const fn as_str(self) -> &'static str {
        match self {
            Self::Archive => "archive",
            Self::Purge => "purge",
        }
    }

    const fn action(self) -> &'static str {
        match self {
            Self::Archive => "connection.archive",
            Self::Purge => "connection.purge",
        }
    }
}

impl Store {
    /// Connections whose assets are being archived or purged, by number: [`Store::archive_connection`] or
    /// [`Store::purge_connection`] goes on where an earlier one was interrupted, and says [`StoreError::Busy`] where one is at work.
    ///
    /// # Errors
    /// When the catalog cannot be read.
    pub async fn unfinished_removals(&self, limit: usize) -> Result<Vec<(ConnectionId, ConnectionRemoval)>> {
        let query = query("SELECT id, removal FROM connection WHERE removal IS NOT NULL ORDER BY id LIMIT $1");
        let rows = query.bind(i64::try_from(limit).unwrap_or(i64::MAX)).fetch_all(self.readers()).await?;
        let mut found = Vec::new();
        for row in &rows {
            if let Some(removal) = read(row.try_get(1)?)? {
                found.push((ConnectionId(row.try_get(0)?), removal));
            }
        }
        Ok(found)
    }
}

/// Writes down what begins, and by whom, unless it only goes on.
pub(crate) async fn begin(
    on: &mut db::Connection<'_>,
    connection: ConnectionId,
    removal: ConnectionRemoval,
    audit: &Audit,
    now_ms: i64,
) -> Result<()> {
    let text = "SELECT name, removal FROM connection WHERE id = $1 FOR UPDATE";
    let row = query(text).bind(connection.0).fetch_optional(&mut *on).await?;
    let row = row.ok_or_else(|| CONNECTIONS.missing(connection.0))?;
    let (name, before): (String, _) = (row.try_get(0)?, read(row.try_get(1)?)?);
    if before == Some(ConnectionRemoval::Purge) && removal == ConnectionRemoval::Archive {
        return Err(purging(connection));
    }
    let text = "UPDATE connection SET archived_ms = coalesce(archived_ms, $1), removal = $2 WHERE id = $3";
    query(text).bind(now_ms).bind(removal.as_str()).bind(connection.0).execute(&mut *on).await?;
    if before != Some(removal) {
        append(on, audit, &event(removal.action(), connection, &name, Value::Null), now_ms).await?;
    }
    Ok(())
}

/// Nothing is being done any more.
pub(crate) async fn end(on: &mut db::Connection<'_>, connection: ConnectionId) -> Result<()> {
    query("UPDATE connection SET removal = NULL WHERE id = $1").bind(connection.0).execute(on).await?;
    Ok(())
}

/// Nothing new begins on a connection that is about to go.
pub(crate) async fn refuse_purging(on: &mut db::Connection<'_>, connection: ConnectionId) -> Result<()> {
    let text = "SELECT removal FROM connection WHERE id = $1";
    let removal: Option<Option<String>> = query_scalar(text).bind(connection.0).fetch_optional(on).await?;
    match read(removal.flatten())? {
        Some(ConnectionRemoval::Purge) => Err(purging(connection)),
        Some(ConnectionRemoval::Archive) | None => Ok(()),
    }
}

fn purging(connection: ConnectionId) -> StoreError {
    let message = format!("the connection {} is being purged with all its assets: create another one", connection.0);
    StoreError::Conflict { message }
}

/// From the word in the table.
pub(crate) fn read(word: Option<String>) -> Result<Option<ConnectionRemoval>> {
    let Some(word) = word else { return Ok(None) };
    let found = [ConnectionRemoval::Archive, ConnectionRemoval::Purge].into_iter().find(|removal| removal.as_str() == word);
    found.map(Some).ok_or_else(|| StoreError::corrupt(format!("nothing is done to a connection that is called `{word}`")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Actor, AuditVia, CatalogUrl, ConnectionSpec};

    #[tokio::test]
    async fn nothing_begins_on_a_connection_whose_purge_was_interrupted_and_the_purge_goes_on() {
        let folder = std::env::temp_dir().join(format!("store-removals-{}", std::process::id()));
        let store = Store::open(&CatalogUrl::sqlite(folder.join("catalog.db"))).await.unwrap();
        let spec = ConnectionSpec { name: "prod".into(), connector: "glue", number: Some(1), region: None, account: None };
        let glue = store.connection(&spec, 0).await.unwrap();
        let by = Audit { actor: Actor::Anonymous, via: AuditVia::Internal, address: None, request_id: None };
        let text = "UPDATE connection SET removal = 'purge', archived_ms = 5";
        query(text).execute(&mut store.writer().await.unwrap().connection()).await.unwrap();
        assert_eq!(store.unfinished_removals(9).await.unwrap(), [(glue.id, ConnectionRemoval::Purge)]);
        assert!(matches!(store.archive_connection(glue.id, &by, 6).await, Err(StoreError::Conflict { .. })));
        assert!(matches!(store.begin_run(&glue, "{}", 6).await, Err(StoreError::Conflict { .. })));
        store.purge_connection(glue.id, &by, 7).await.unwrap();
        assert_eq!(store.unfinished_removals(9).await.unwrap(), []);
        assert!(matches!(store.managed_connection(glue.id).await, Err(StoreError::NotFound { .. })));
        store.close().await;
        std::fs::remove_dir_all(folder).unwrap();
    }
}
