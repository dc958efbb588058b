//! Who may edit a connection besides the administrators of everything.

use std::collections::BTreeMap;

use serde_json::json;

use crate::connections::ConnectionId;
use crate::control::audit::{Audit, append};
use crate::control::connections::{CONNECTIONS, detail, event, update};
use crate::control::{ConnectionProfile, UserId};
use crate::db::{Bulk, Connection, List, Readers, query, query_scalar};
use crate::{Result, Store};

const INSERT: Bulk = Bulk {
    table: "connection_administrator",
    columns: "connection, person",
    tail: "ON CONFLICT (connection, person) DO NOTHING",
    width: 2,
};

impl Store {
    /// Says who may edit a connection; its new version.
    ///
    /// # Errors
    /// [`crate::StoreError::Stale`] when it is of another version.
    pub async fn set_administrators(
        &self,
        id: ConnectionId,
        expected_version: i64,
        people: &[UserId],
        audit: &Audit,
        now_ms: i64,
    ) -> Result<i64> {
        let mut writer = self.writer().await?;
        let mut transaction = writer.begin().await?;
        let on = &mut transaction.connection();
        CONNECTIONS.expect(on, id.0, expected_version).await?;
        let text = "UPDATE connection SET version = version + 1 WHERE id = $1 RETURNING name";
        let name: String = query_scalar(text).bind(id.0).fetch_one(&mut *on).await?;
        replace(on, id, people).await?;
        let detail = json!({ "administrators": people.iter().map(|person| person.0).collect::<Vec<_>>() });
        append(on, audit, &event("connection.administrators", id, &name, detail), now_ms).await?;
        transaction.commit().await?;
        Ok(expected_version + 1)
    }

    /// As [`Store::update_connection`], and says who may edit it from now on, in one change.
    ///
    /// # Errors
    /// As [`Store::update_connection`].
    pub async fn update_connection_and_administrators(
        &self,
        id: ConnectionId,
        expected_version: i64,
        profile: &ConnectionProfile,
        people: &[UserId],
        audit: &Audit,
        now_ms: i64,
    ) -> Result<i64> {
        let mut writer = self.writer().await?;
        let mut transaction = writer.begin_alone().await?;
        let on = &mut transaction.connection();
        update(on, id, expected_version, profile).await?;
        replace(on, id, people).await?;
        let mut detail = detail(profile);
        detail["administrators"] = json!(people.iter().map(|person| person.0).collect::<Vec<_>>());
        append(on, audit, &event("connection.update", id, &profile.name, detail), now_ms).await?;
        transaction.commit().await?;
        Ok(expected_version + 1)
    }
}

/// Replaces the administrators of a connection.
pub(crate) async fn replace(connection: &mut Connection<'_>, id: ConnectionId, people: &[UserId]) -> Result<()> {
    query("DELETE FROM connection_administrator WHERE connection = $1").bind(id.0).execute(&mut *connection).await?;
    let mut people = people.to_vec();
    people.sort_unstable();
    people.dedup();
    INSERT.write(connection, &people, |query, person| query.bind(id.0).bind(person.0)).await?;
    Ok(())
}

/// Takes who is deleted off all connections.
pub(super) async fn forget(connection: &mut Connection<'_>, person: UserId) -> Result<()> {
    query("DELETE FROM connection_administrator WHERE person = $1").bind(person.0).execute(connection).await?;
    Ok(())
}

/// The administrators of connections, by number.
pub(crate) async fn of(readers: &Readers, connections: List) -> Result<BTreeMap<ConnectionId, Vec<UserId>>> {
    let text = "SELECT connection, person FROM connection_administrator
        WHERE connection IN (SELECT value FROM json_each($1)) ORDER BY connection, person";
    let mut people: BTreeMap<ConnectionId, Vec<UserId>> = BTreeMap::new();
    for row in query(text).bind(connections).fetch_all(readers).await? {
        people.entry(ConnectionId(row.try_get(0)?)).or_default().push(UserId(row.try_get(1)?));
    }
    Ok(people)
}
