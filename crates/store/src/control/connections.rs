//! Connections as people manage them. One that a command line made is managed as well: it has no credential.

use serde_json::{Value, json};

use crate::connections::{self, Connection, ConnectionId, ConnectionSpec};
use crate::control::audit::{Audit, AuditEvent, AuditTarget, append};
use crate::control::versions::Versioned;
use crate::control::{ConnectionRemoval, CredentialId, RunsOn, UserId};
use crate::control::{administrators, credential_write, removals};
use crate::db::{self, Row, query, query_scalar};
use crate::dialect::number_list;
use crate::{Result, Store, StoreError};

/// What people decide about a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectionProfile {
    /// The name, unique among those of its connector.
    pub name: String,
    /// The AWS region.
    pub region: Option<String>,
    /// What it is, in people's words.
    pub description: Option<String>,
    /// Where its crawls run.
    pub runs_on: RunsOn,
    /// What it signs in with; absent where the environment or the runtime knows.
    pub credential: Option<CredentialId>,
    /// Everything else, JSON.
    pub settings: String,
}

/// A connection with what people decided about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManagedConnection {
    /// The connection itself.
    pub connection: Connection,
    /// What it is, in people's words.
    pub description: Option<String>,
    /// Where its crawls run.
    pub runs_on: RunsOn,
    /// What it signs in with.
    pub credential: Option<CredentialId>,
    /// Everything else, JSON.
    pub settings: String,
    /// Grows with every edit.
    pub version: i64,
    /// When it was archived, milliseconds since 1970 UTC; a crawl brings it back.
    pub archived_ms: Option<i64>,
    /// What is done to its assets at present, or goes on when it was interrupted.
    pub removal: Option<ConnectionRemoval>,
    /// Who may edit it besides the administrators of everything, by number.
    pub administrators: Vec<UserId>,
}

pub(crate) const CONNECTIONS: Versioned = Versioned { table: "connection", noun: "connection" };

const COLUMNS: &str = "SELECT id, name, connector, number, region, account, created_ms, description, runs_on, credential, settings,
    version, archived_ms, removal FROM connection";

impl Store {
    /// Creates a connection.
    ///
    /// # Errors
    /// [`StoreError::Exists`] when the connector has one of this name, [`StoreError::NotFound`] when there is no such credential.
    pub async fn create_connection(
        &self,
        connector: &'static str,
        profile: &ConnectionProfile,
        administrators: &[UserId],
        audit: &Audit,
        now_ms: i64,
    ) -> Result<ConnectionId> {
        let mut writer = self.writer().await?;
        let mut transaction = writer.begin_alone().await?;
        let on = &mut transaction.connection();
        require_credential(on, profile).await?;
        refuse_taken_name(on, connector, &profile.name, None).await?;
        let spec =
            ConnectionSpec { name: profile.name.clone(), connector, number: None, region: profile.region.clone(), account: None };
        let id = connections::insert(on, &spec, now_ms).await?;
        write_profile(on, id, profile).await?;
        administrators::replace(on, id, administrators).await?;
        append(on, audit, &event("connection.create", id, &profile.name, detail(profile)), now_ms).await?;
        transaction.commit().await?;
        Ok(id)
    }

    /// One connection.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is none of this number.
    pub async fn managed_connection(&self, id: ConnectionId) -> Result<ManagedConnection> {
        let rows = query(format!("{COLUMNS} WHERE id = $1")).bind(id.0).fetch_all(self.readers()).await?;
        let mut found = self.with_administrators(&rows).await?;
        found.pop().ok_or_else(|| CONNECTIONS.missing(id.0))
    }

    /// Connections after the one of a number, by number.
    ///
    /// # Errors
    /// When the catalog cannot be read.
    pub async fn managed_connections(&self, after: Option<ConnectionId>, limit: usize) -> Result<Vec<ManagedConnection>> {
        let query = query(format!("{COLUMNS} WHERE id > $1 ORDER BY id LIMIT $2"));
        let query = query.bind(after.map_or(0, |after| after.0)).bind(i64::try_from(limit).unwrap_or(i64::MAX));
        let rows = query.fetch_all(self.readers()).await?;
        self.with_administrators(&rows).await
    }

    /// Edits a connection; the new version. Jobs that wait go to the queue that it names now.
    ///
    /// # Errors
    /// [`StoreError::Stale`] when it is of another version, [`StoreError::Exists`] when another one has the name.
    pub async fn update_connection(
        &self,
        id: ConnectionId,
        expected_version: i64,
        profile: &ConnectionProfile,
        audit: &Audit,
        now_ms: i64,
    ) -> Result<i64> {
        let mut writer = self.writer().await?;
        let mut transaction = writer.begin_alone().await?;
        let on = &mut transaction.connection();
        update(on, id, expected_version, profile).await?;
        append(on, audit, &event("connection.update", id, &profile.name, detail(profile)), now_ms).await?;
        transaction.commit().await?;
        Ok(expected_version + 1)
    }

    async fn with_administrators(&self, rows: &[Row]) -> Result<Vec<ManagedConnection>> {
        let mut found = rows.iter().map(read).collect::<Result<Vec<_>>>()?;
        let ids = number_list(found.iter().map(|found| found.connection.id.0));
        let mut people = administrators::of(self.readers(), ids).await?;
        for connection in &mut found {
            connection.administrators = people.remove(&connection.connection.id).unwrap_or_default();
        }
        Ok(found)
    }
}

/// What happens to a connection.
pub(crate) fn event(action: &'static str, id: ConnectionId, name: &str, detail: Value) -> AuditEvent {
    AuditEvent { action, target: AuditTarget::numbered(CONNECTIONS.noun, id.0, name), detail }
}

/// Writes what people decided about a connection of a version.
pub(crate) async fn update(
    on: &mut db::Connection<'_>,
    id: ConnectionId,
    expected_version: i64,
    profile: &ConnectionProfile,
) -> Result<()> {
    require_credential(on, profile).await?;
    CONNECTIONS.expect(on, id.0, expected_version).await?;
    let connector: String = query_scalar("SELECT connector FROM connection WHERE id = $1").bind(id.0).fetch_one(&mut *on).await?;
    refuse_taken_name(on, &connector, &profile.name, Some(id)).await?;
    let text = "UPDATE connection SET name = $1, region = $2, version = version + 1 WHERE id = $3";
    query(text).bind(profile.name.clone()).bind(profile.region.clone()).bind(id.0).execute(&mut *on).await?;
    write_profile(on, id, profile).await?;
    let text = "UPDATE job SET queue = $1 WHERE connection = $2 AND state = 'queued'";
    query(text).bind(profile.runs_on.queue()).bind(id.0).execute(&mut *on).await?;
    Ok(())
}

pub(super) fn detail(profile: &ConnectionProfile) -> Value {
    json!({ "runsOn": profile.runs_on.queue(), "credential": profile.credential.map(|credential| credential.0) })
}

async fn require_credential(connection: &mut db::Connection<'_>, profile: &ConnectionProfile) -> Result<()> {
    match profile.credential {
        Some(credential) => credential_write::require(connection, credential).await,
        None => Ok(()),
    }
}

async fn refuse_taken_name(
    connection: &mut db::Connection<'_>,
    connector: &str,
    name: &str,
    except: Option<ConnectionId>,
) -> Result<()> {
    let text = "SELECT id FROM connection WHERE connector = $1 AND name = $2 AND id <> $3";
    let query = query_scalar(text).bind(connector.to_owned()).bind(name.to_owned()).bind(except.map_or(0, |id| id.0));
    match query.fetch_optional(connection).await? {
        Some(id) => Err(StoreError::Exists { noun: CONNECTIONS.noun, id, name: name.to_owned() }),
        None => Ok(()),
    }
}

async fn write_profile(connection: &mut db::Connection<'_>, id: ConnectionId, profile: &ConnectionProfile) -> Result<()> {
    let text = "UPDATE connection SET description = $1, runs_on = $2, credential = $3, settings = $4 WHERE id = $5";
    query(text)
        .bind(profile.description.clone())
        .bind(profile.runs_on.queue())
        .bind(profile.credential.map(|credential| credential.0))
        .bind(profile.settings.clone())
        .bind(id.0)
        .execute(connection)
        .await?;
    Ok(())
}

fn read(row: &Row) -> Result<ManagedConnection> {
    Ok(ManagedConnection {
        connection: connections::read(row)?,
        description: row.try_get("description")?,
        runs_on: RunsOn::from_queue(row.try_get("runs_on")?)?,
        credential: row.try_get::<Option<i64>, _>("credential")?.map(CredentialId),
        settings: row.try_get("settings")?,
        version: row.try_get("version")?,
        archived_ms: row.try_get("archived_ms")?,
        removal: removals::read(row.try_get("removal")?)?,
        administrators: Vec::new(),
    })
}
