//! Reading the audit log, newest first, and ending it where it is too old.

use serde_json::json;

use super::PRUNED_ROWS_MAX;
use super::audit::{Audit, AuditEvent, AuditTarget, append};
use super::ids::{AuditId, UserId};
use super::page::{Page, PageRequest};
use crate::db::{Query, Row, Value, query};
use crate::{Result, Store};

/// An entry of the audit log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEntry {
    /// Its number.
    pub id: AuditId,
    /// When, milliseconds since 1970 UTC.
    pub at_ms: i64,
    /// `user`, `runtime`, `system` or `anonymous`.
    pub actor_kind: String,
    /// The user who acted; there may be none of that number any more.
    pub actor_id: Option<UserId>,
    /// The actor's name at that time.
    pub actor_name: Option<String>,
    /// `session`, `password`, `oidc`, `token:<number>`, `setup-link`, `command-line` or `internal`.
    pub via: String,
    /// Noun and verb: `user.create`.
    pub action: String,
    /// The noun of what was acted on.
    pub target_kind: String,
    /// Its number, or its qualified name.
    pub target_id: Option<String>,
    /// Its name at that time.
    pub target_name: Option<String>,
    /// More about it, JSON.
    pub detail: Option<String>,
    /// The network address that the request came from.
    pub address: Option<String>,
    /// The request's number in the log.
    pub request_id: Option<String>,
}

/// Which entries: those that all of this is true of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// What this user did.
    pub actor: Option<UserId>,
    /// This action, as it is spelled.
    pub action: Option<String>,
    /// What was done to this kind of thing.
    pub target_kind: Option<String>,
    /// What was done to the thing of this number or qualified name.
    pub target_id: Option<String>,
    /// From this time on, milliseconds since 1970 UTC.
    pub since_ms: Option<i64>,
    /// Before this time, milliseconds since 1970 UTC.
    pub until_ms: Option<i64>,
}

const SELECT: &str = "SELECT id, at_ms, actor_kind, actor_id, actor_name, via, action, target_kind, target_id, target_name, detail,
        address, request_id FROM audit";

impl Store {
    /// A page of the audit log, newest first.
    ///
    /// # Errors
    /// When the catalog cannot be read.
    pub async fn audit_log(&self, filter: &AuditFilter, page: PageRequest) -> Result<Page<AuditEntry>> {
        let mut conditions = String::new();
        let mut values = Vec::new();
        let AuditFilter { actor, action, target_kind, target_id, since_ms, until_ms } = filter;
        let numbers = [("actor_id =", actor.map(|id| id.0)), ("at_ms >=", *since_ms), ("at_ms <", *until_ms)];
        let texts = [("action =", action), ("target_kind =", target_kind), ("target_id =", target_id)];
        let numbers = numbers.into_iter().filter_map(|(test, value)| Some((test, Value::from(value?))));
        let texts = texts.into_iter().filter_map(|(test, value)| Some((test, Value::from(value.clone()?))));
        for (test, value) in numbers.chain(texts) {
            values.push(value);
            conditions.push_str(&format!(" AND {test} ${}", values.len() + 2));
        }
        let query = query(format!("{SELECT} WHERE id < $1{conditions} ORDER BY id DESC LIMIT $2"));
        let query = query.bind(page.below()).bind(page.asked());
        let rows = values.into_iter().fold(query, Query::bind).fetch_all(self.readers()).await?;
        page.page(&rows, read, |entry| entry.id.0)
    }

    /// Deletes entries from before a time, at most 10,000 of them, the oldest first; how many. This is an entry itself.
    ///
    /// # Errors
    /// When the catalog cannot be written.
    pub async fn prune_audit(&self, before_ms: i64, audit: &Audit, now_ms: i64) -> Result<u64> {
        let mut writer = self.writer().await?;
        let mut transaction = writer.begin().await?;
        let connection = &mut transaction.connection();
        let text = "DELETE FROM audit WHERE id IN (SELECT id FROM audit WHERE at_ms < $1 ORDER BY at_ms, id LIMIT $2)";
        let entries = query(text).bind(before_ms).bind(PRUNED_ROWS_MAX).execute(connection).await?;
        if entries > 0 {
            let target = AuditTarget { kind: "audit", id: None, name: None };
            let detail = json!({ "entries": entries, "beforeMs": before_ms });
            append(connection, audit, &AuditEvent { action: "audit.prune", target, detail }, now_ms).await?;
        }
        transaction.commit().await?;
        Ok(entries)
    }
}

fn read(row: &Row) -> Result<AuditEntry> {
    Ok(AuditEntry {
        id: AuditId(row.try_get(0)?),
        at_ms: row.try_get(1)?,
        actor_kind: row.try_get(2)?,
        actor_id: row.try_get::<Option<i64>, _>(3)?.map(UserId),
        actor_name: row.try_get(4)?,
        via: row.try_get(5)?,
        action: row.try_get(6)?,
        target_kind: row.try_get(7)?,
        target_id: row.try_get(8)?,
        target_name: row.try_get(9)?,
        detail: row.try_get(10)?,
        address: row.try_get(11)?,
        request_id: row.try_get(12)?,
    })
}
