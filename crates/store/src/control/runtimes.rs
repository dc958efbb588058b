//! Runtimes: programs in other networks that crawl for the control plane.

use super::ids::RuntimeId;
use super::page::{Page, PageRequest};
use crate::db::{Row, query};
use crate::{Result, Store};

/// A runtime counts as online for so long after it was last heard of, milliseconds.
const ONLINE_MS: i64 = 60_000;
/// And as stale, rather than offline, for so long.
const STALE_MS: i64 = 600_000;

const COLUMNS: &str = "SELECT id, name, version, created_ms, last_seen_ms, revoked_ms FROM runtime";

/// A runtime that was enrolled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Runtime {
    /// Its number.
    pub id: RuntimeId,
    /// Its name, unique: what connections call it by.
    pub name: String,
    /// The version of its program, once it has said it.
    pub version: Option<String>,
    /// When it was enrolled, milliseconds since 1970 UTC.
    pub created_ms: i64,
    /// When it was last heard of, milliseconds since 1970 UTC.
    pub last_seen_ms: Option<i64>,
    /// Since when it may do nothing any more, milliseconds since 1970 UTC.
    pub revoked_ms: Option<i64>,
}

/// Whether a runtime can be counted on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RuntimeState {
    /// It was heard of within a minute.
    Online,
    /// It was heard of within ten minutes.
    Stale,
    /// It was not heard of for longer, or never.
    Offline,
    /// Somebody has revoked it.
    Revoked,
}

impl Runtime {
    /// How it is at `now_ms`, milliseconds since 1970 UTC.
    #[must_use]
    pub fn state(&self, now_ms: i64) -> RuntimeState {
        match (self.revoked_ms, self.last_seen_ms.map(|seen| now_ms.saturating_sub(seen))) {
            (Some(_), _) => RuntimeState::Revoked,
            (None, Some(silent)) if silent <= ONLINE_MS => RuntimeState::Online,
            (None, Some(silent)) if silent <= STALE_MS => RuntimeState::Stale,
            (None, _) => RuntimeState::Offline,
        }
    }
}

impl Store {
    /// A page of the runtimes, in the order of their enrolment.
    ///
    /// # Errors
    /// When the catalog cannot be read.
    pub async fn runtimes(&self, page: PageRequest) -> Result<Page<Runtime>> {
        let query = query(format!("{COLUMNS} WHERE id > $1 ORDER BY id LIMIT $2")).bind(page.above()).bind(page.asked());
        let rows = query.fetch_all(self.readers()).await?;
        page.page(&rows, read, |runtime| runtime.id.0)
    }
}

fn read(row: &Row) -> Result<Runtime> {
    Ok(Runtime {
        id: RuntimeId(row.try_get("id")?),
        name: row.try_get("name")?,
        version: row.try_get("version")?,
        created_ms: row.try_get("created_ms")?,
        last_seen_ms: row.try_get("last_seen_ms")?,
        revoked_ms: row.try_get("revoked_ms")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::CatalogUrl;

    #[tokio::test]
    async fn runtimes_are_listed_in_pages_and_silence_makes_them_stale_then_offline() {
        let folder = std::env::temp_dir().join(format!("store-runtimes-{}", std::process::id()));
        let store = Store::open(&CatalogUrl::sqlite(folder.join("catalog.db"))).await.unwrap();
        let text = "INSERT INTO runtime (name, version, created_ms, last_seen_ms, revoked_ms)
            VALUES ('vpc', '0.1.0', 1, 1000, NULL), ('new', NULL, 2, NULL, NULL), ('old', '0.1.0', 3, 1000, 5)";
        query(text).execute(&mut store.writer().await.unwrap().connection()).await.unwrap();
        let first = store.runtimes(PageRequest::first(2)).await.unwrap();
        let rest = store.runtimes(PageRequest { after: first.next, limit: 2 }).await.unwrap();
        let (vpc, new, old) = (&first.items[0], &first.items[1], &rest.items[0]);
        assert_eq!((vpc.name.as_str(), new.version.as_ref(), rest.next), ("vpc", None, None));
        for (at_ms, state) in [
            (1000, RuntimeState::Online),
            (1000 + ONLINE_MS, RuntimeState::Online),
            (1001 + ONLINE_MS, RuntimeState::Stale),
            (1001 + STALE_MS, RuntimeState::Offline),
        ] {
            assert_eq!(vpc.state(at_ms), state, "{at_ms}");
        }
        assert_eq!((new.state(1000), old.state(1000)), (RuntimeState::Offline, RuntimeState::Revoked));
        store.close().await;
        std::fs::remove_dir_all(folder).unwrap();
    }
}
