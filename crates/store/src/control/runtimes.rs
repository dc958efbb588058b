//! Runtimes: programs in other networks that crawl for the control plane.

use serde_json::Value;

use super::audit::{Audit, AuditEvent, AuditTarget, append};
use super::ids::RuntimeId;
use super::page::{Page, PageRequest};
use super::text::shown;
use crate::db::{Connection, Row, query};
use crate::{Result, Store, StoreError};

/// A runtime counts as online for so long after it was last heard of, milliseconds.
const ONLINE_MS: i64 = 60_000;
/// And as stale, rather than offline, for so long.
const STALE_MS: i64 = 600_000;
/// How often it is written down that a runtime was heard of, milliseconds: well below the time that makes it stale.
const SEEN_EVERY_MS: i64 = 5_000;
/// Characters of a version that are kept.
const VERSION_CHARACTERS_MAX: usize = 50;

/// What is read of a runtime.
pub(super) const RUNTIME_COLUMNS: &str = "runtime.id AS id, runtime.name AS name, runtime.version AS version,
    runtime.capacity AS capacity, runtime.draining AS draining, runtime.created_ms AS created_ms,
    runtime.last_seen_ms AS last_seen_ms, runtime.revoked_ms AS revoked_ms";

/// A runtime that was enrolled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Runtime {
    /// Its number.
    pub id: RuntimeId,
    /// What connections call it by: the queue that it works on. Several runtimes may share one.
    pub name: String,
    /// The version of its program, once it has said it.
    pub version: Option<String>,
    /// How many crawls it works on at most, once it has said it.
    pub capacity: Option<i64>,
    /// Whether it takes no more work.
    pub is_draining: bool,
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

/// What a runtime says of itself whenever it is heard of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuntimeNews {
    /// The version of its program.
    pub version: String,
    /// How many crawls it works on at most.
    pub capacity: i64,
    /// Whether it takes no more work.
    pub is_draining: bool,
}

impl Store {
    /// A page of the runtimes, in the order of their enrolment.
    ///
    /// # Errors
    /// When the catalog cannot be read.
    pub async fn runtimes(&self, page: PageRequest) -> Result<Page<Runtime>> {
        let query = query(format!("SELECT {RUNTIME_COLUMNS} FROM runtime WHERE id > $1 ORDER BY id LIMIT $2"));
        let rows = query.bind(page.above()).bind(page.asked()).fetch_all(self.readers()).await?;
        page.page(&rows, read_runtime, |runtime| runtime.id.0)
    }

    /// One runtime.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn runtime(&self, id: RuntimeId) -> Result<Runtime> {
        let query = query(format!("SELECT {RUNTIME_COLUMNS} FROM runtime WHERE id = $1")).bind(id.0);
        let row = query.fetch_optional(self.readers()).await?.ok_or_else(|| no_runtime(id))?;
        read_runtime(&row)
    }

    /// The runtimes of a name that are not revoked, the one that was heard of last first; at most 100.
    ///
    /// # Errors
    /// When the catalog cannot be read.
    pub async fn runtimes_named(&self, name: &str) -> Result<Vec<Runtime>> {
        let text = format!(
            "SELECT {RUNTIME_COLUMNS} FROM runtime WHERE name = $1 AND revoked_ms IS NULL
             ORDER BY coalesce(last_seen_ms, 0) DESC, id LIMIT 100"
        );
        query(text).bind(name.to_owned()).fetch_all(self.readers()).await?.iter().map(read_runtime).collect()
    }

    /// Notes that a runtime was heard of, and what it says of itself, where it says it. Unless that changes, it is noted every few
    /// seconds only.
    ///
    /// # Errors
    /// When the catalog cannot be written.
    pub async fn runtime_seen(&self, runtime: &Runtime, news: Option<&RuntimeNews>, now_ms: i64) -> Result<()> {
        let is_news = news.is_some_and(|news| {
            (runtime.version.as_deref(), runtime.capacity, runtime.is_draining)
                != (Some(news.version.as_str()), Some(news.capacity), news.is_draining)
        });
        let due_ms = now_ms.saturating_sub(SEEN_EVERY_MS);
        if !is_news && runtime.last_seen_ms.is_some_and(|seen| seen > due_ms) {
            return Ok(());
        }
        let mut writer = self.writer().await?;
        let text = "UPDATE runtime SET last_seen_ms = CASE WHEN coalesce(last_seen_ms, 0) > $1 THEN last_seen_ms ELSE $1 END,
            version = coalesce($2, version), capacity = coalesce($3, capacity), draining = coalesce($4, draining) WHERE id = $5";
        query(text)
            .bind(now_ms)
            .bind(news.map(|news| shown(&news.version, VERSION_CHARACTERS_MAX)))
            .bind(news.map(|news| news.capacity))
            .bind(news.map(|news| i64::from(news.is_draining)))
            .bind(runtime.id.0)
            .execute(&mut writer.connection())
            .await?;
        Ok(())
    }

    /// Revokes a runtime: its tokens stop to work, and what it works on goes back to the queue. A second time changes nothing.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn revoke_runtime(&self, id: RuntimeId, audit: &Audit, now_ms: i64) -> Result<Runtime> {
        let mut writer = self.writer().await?;
        let mut transaction = writer.begin().await?;
        let on = &mut transaction.connection();
        let text = "UPDATE runtime SET revoked_ms = $1 WHERE id = $2 AND revoked_ms IS NULL";
        let revoked = query(text).bind(now_ms).bind(id.0).execute(&mut *on).await?;
        let query_of_one = query(format!("SELECT {RUNTIME_COLUMNS} FROM runtime WHERE id = $1")).bind(id.0);
        let row = query_of_one.fetch_optional(&mut *on).await?.ok_or_else(|| no_runtime(id))?;
        let runtime = read_runtime(&row)?;
        if revoked > 0 {
            query("DELETE FROM runtime_token WHERE runtime = $1").bind(id.0).execute(&mut *on).await?;
            take_away(on, id, now_ms).await?;
            let target = AuditTarget::numbered("runtime", id.0, &runtime.name);
            append(on, audit, &AuditEvent { action: "runtime.revoke", target, detail: Value::Null }, now_ms).await?;
        }
        transaction.commit().await?;
        Ok(runtime)
    }
}

/// Ends the leases of a runtime now, as if it had not been heard of for long.
async fn take_away(connection: &mut Connection<'_>, id: RuntimeId, now_ms: i64) -> Result<()> {
    // With another fence, so that nothing that is on its way arrives any more.
    let text = "UPDATE job SET lease_until_ms = $1, fence = fence + 1, holder = NULL WHERE holder = $2 AND state = 'leased'";
    query(text).bind(now_ms.saturating_sub(1)).bind(id.holder()).execute(&mut *connection).await?;
    let text = "UPDATE job SET holder = NULL WHERE holder = $1 AND state = 'queued'";
    query(text).bind(id.holder()).execute(connection).await?;
    Ok(())
}

fn no_runtime(id: RuntimeId) -> StoreError {
    StoreError::NotFound { message: format!("there is no runtime {id}: list the runtimes to see their numbers") }
}

pub(super) fn read_runtime(row: &Row) -> Result<Runtime> {
    Ok(Runtime {
        id: RuntimeId(row.try_get("id")?),
        name: row.try_get("name")?,
        version: row.try_get("version")?,
        capacity: row.try_get("capacity")?,
        is_draining: row.try_get::<i64, _>("draining")? != 0,
        created_ms: row.try_get("created_ms")?,
        last_seen_ms: row.try_get("last_seen_ms")?,
        revoked_ms: row.try_get("revoked_ms")?,
    })
}
