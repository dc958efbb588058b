//! Workflows: what is crawled of a connection, and when.

use serde_json::Value;

use crate::connections::ConnectionId;
use crate::control::audit::{Audit, AuditEvent, AuditTarget, append};
use crate::control::connections::CONNECTIONS;
use crate::control::versions::Versioned;
use crate::control::{UserId, WorkflowId};
use crate::db::{Connection, Query, Row, query, query_scalar};
use crate::{Result, Store, StoreError};

/// When a workflow runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// Five fields.
    pub cron: String,
    /// The time zone of the fields, by its name in the tz database.
    pub time_zone: String,
}

/// What a failed check before a run means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PreflightGate {
    /// Nothing is checked.
    Off,
    /// It is reported, and the run goes on.
    Soft,
    /// The run fails.
    Hard,
}

impl PreflightGate {
    /// The word in documents.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Soft => "soft",
            Self::Hard => "hard",
        }
    }

    /// The gate of a word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Off, Self::Soft, Self::Hard].into_iter().find(|gate| gate.as_str() == word)
    }
}

/// What people decide about a workflow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkflowSpec {
    /// The name, unique.
    pub name: String,
    /// What is crawled, JSON.
    pub settings: String,
    /// When; without one it runs when somebody says so.
    pub schedule: Option<Schedule>,
    /// The next time of the schedule, milliseconds since 1970 UTC; whoever stores the schedule computes it.
    pub next_run_ms: Option<i64>,
    /// What is checked before each run.
    pub preflight: PreflightGate,
    /// How often a run is tried again.
    pub retries_max: u32,
    /// The share of a connection's assets, in percent, above which a run archives nothing until somebody confirms it.
    pub removal_share_percent: u8,
    /// Who is told of which outcomes, JSON.
    pub alerts: String,
}

/// A stored workflow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Workflow {
    /// Its number; none is given twice.
    pub id: WorkflowId,
    /// What it crawls.
    pub connection: ConnectionId,
    /// What people decided about it.
    pub spec: WorkflowSpec,
    /// Since when its schedule does nothing, milliseconds since 1970 UTC.
    pub paused_ms: Option<i64>,
    /// Grows with every edit; not with the passing of its times.
    pub version: i64,
    /// Who created it.
    pub created_by: Option<UserId>,
    /// When, milliseconds since 1970 UTC.
    pub created_ms: i64,
}

pub(crate) const WORKFLOWS: Versioned = Versioned { table: "workflow", noun: "workflow" };

/// The statement for workflows; goes on with a condition.
pub(crate) const COLUMNS: &str =
    "SELECT id, connection, name, settings, cron, time_zone, next_run_ms, paused_ms, preflight, retries_max,
    removal_share_percent, alerts, version, created_by, created_ms FROM workflow";

impl Store {
    /// Creates a workflow of a connection.
    ///
    /// # Errors
    /// [`StoreError::Exists`] when there is one of this name, [`StoreError::NotFound`] when there is no such connection.
    pub async fn create_workflow(
        &self,
        connection: ConnectionId,
        spec: &WorkflowSpec,
        audit: &Audit,
        now_ms: i64,
    ) -> Result<WorkflowId> {
        let mut writer = self.writer().await?;
        let mut transaction = writer.begin().await?;
        let on = &mut transaction.connection();
        let text = "SELECT id FROM connection WHERE id = $1 FOR UPDATE";
        if query_scalar::<i64>(text).bind(connection.0).fetch_optional(&mut *on).await?.is_none() {
            return Err(CONNECTIONS.missing(connection.0));
        }
        let text = "INSERT INTO workflow (name, settings, cron, time_zone, next_run_ms, preflight, retries_max,
            removal_share_percent, alerts, connection, version, created_by, created_ms)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 1, $11, $12) ON CONFLICT (name) DO NOTHING RETURNING id";
        let query = bind_spec(query(text), spec).bind(connection.0).bind(audit.actor.user().map(|user| user.0)).bind(now_ms);
        let Some(row) = query.fetch_optional(&mut *on).await? else { return Err(taken(on, &spec.name, None).await?) };
        let id = WorkflowId(row.try_get(0)?);
        append(on, audit, &event("workflow.create", id, &spec.name), now_ms).await?;
        transaction.commit().await?;
        Ok(id)
    }

    /// One workflow.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is none of this number.
    pub async fn workflow(&self, id: WorkflowId) -> Result<Workflow> {
        let row = query(format!("{COLUMNS} WHERE id = $1")).bind(id.0).fetch_optional(self.readers()).await?;
        row.as_ref().map(read).transpose()?.ok_or_else(|| WORKFLOWS.missing(id.0))
    }

    /// Workflows after the one of a number, by number; of one connection where one is given.
    ///
    /// # Errors
    /// When the catalog cannot be read.
    pub async fn workflows(
        &self,
        connection: Option<ConnectionId>,
        after: Option<WorkflowId>,
        limit: usize,
    ) -> Result<Vec<Workflow>> {
        let text = format!("{COLUMNS} WHERE id > $1 AND (connection = $2 OR $2 IS NULL) ORDER BY id LIMIT $3");
        let query = query(text).bind(after.map_or(0, |after| after.0)).bind(connection.map(|connection| connection.0));
        let rows = query.bind(i64::try_from(limit).unwrap_or(i64::MAX)).fetch_all(self.readers()).await?;
        rows.iter().map(read).collect()
    }

    /// Edits a workflow; the new version.
    ///
    /// # Errors
    /// [`StoreError::Stale`] when it is of another version, [`StoreError::Exists`] when another one has the name.
    pub async fn update_workflow(
        &self,
        id: WorkflowId,
        expected_version: i64,
        spec: &WorkflowSpec,
        audit: &Audit,
        now_ms: i64,
    ) -> Result<i64> {
        let mut writer = self.writer().await?;
        let mut transaction = writer.begin_alone().await?;
        let on = &mut transaction.connection();
        WORKFLOWS.expect(on, id.0, expected_version).await?;
        let text = "SELECT id FROM workflow WHERE name = $1 AND id <> $2";
        let other = query_scalar::<i64>(text).bind(spec.name.clone()).bind(id.0).fetch_optional(&mut *on).await?;
        if other.is_some() {
            return Err(taken(on, &spec.name, other).await?);
        }
        let text = "UPDATE workflow SET name = $1, settings = $2, cron = $3, time_zone = $4, next_run_ms = $5, preflight = $6,
            retries_max = $7, removal_share_percent = $8, alerts = $9, version = version + 1 WHERE id = $10";
        bind_spec(query(text), spec).bind(id.0).execute(&mut *on).await?;
        append(on, audit, &event("workflow.update", id, &spec.name), now_ms).await?;
        transaction.commit().await?;
        Ok(expected_version + 1)
    }

    /// Has a schedule do nothing until it is resumed; the new version. What runs goes on.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is none of this number.
    pub async fn pause_workflow(&self, id: WorkflowId, audit: &Audit, now_ms: i64) -> Result<i64> {
        let text = "UPDATE workflow SET paused_ms = coalesce(paused_ms, $1), version = version + 1 WHERE id = $2
            RETURNING version, name";
        self.change_workflow(query(text).bind(now_ms).bind(id.0), "workflow.pause", id, audit, now_ms).await
    }

    /// Lets a schedule go on with its next time; the new version.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is none of this number.
    pub async fn resume_workflow(&self, id: WorkflowId, next_run_ms: Option<i64>, audit: &Audit, now_ms: i64) -> Result<i64> {
        let text = "UPDATE workflow SET paused_ms = NULL, next_run_ms = $1, version = version + 1 WHERE id = $2
            RETURNING version, name";
        self.change_workflow(query(text).bind(next_run_ms).bind(id.0), "workflow.resume", id, audit, now_ms).await
    }

    /// Removes a workflow. Its runs stay.
    ///
    /// # Errors
    /// [`StoreError::Stale`] when it is of another version, [`StoreError::Exists`] while a run of it is queued or running.
    pub async fn delete_workflow(&self, id: WorkflowId, expected_version: i64, audit: &Audit, now_ms: i64) -> Result<()> {
        let mut writer = self.writer().await?;
        let mut transaction = writer.begin().await?;
        let on = &mut transaction.connection();
        WORKFLOWS.expect(on, id.0, expected_version).await?;
        refuse_open_run(on, id).await?;
        let text = "DELETE FROM workflow WHERE id = $1 RETURNING name";
        let name: String = query_scalar(text).bind(id.0).fetch_one(&mut *on).await?;
        append(on, audit, &event("workflow.delete", id, &name), now_ms).await?;
        transaction.commit().await
    }

    async fn change_workflow(
        &self,
        change: Query,
        action: &'static str,
        id: WorkflowId,
        audit: &Audit,
        now_ms: i64,
    ) -> Result<i64> {
        let mut writer = self.writer().await?;
        let mut transaction = writer.begin().await?;
        let on = &mut transaction.connection();
        let row = change.fetch_optional(&mut *on).await?.ok_or_else(|| WORKFLOWS.missing(id.0))?;
        append(on, audit, &event(action, id, row.try_get(1)?), now_ms).await?;
        transaction.commit().await?;
        Ok(row.try_get(0)?)
    }
}

pub(super) fn event(action: &'static str, id: WorkflowId, name: &str) -> AuditEvent {
    AuditEvent { action, target: AuditTarget::numbered(WORKFLOWS.noun, id.0, name), detail: Value::Null }
}

/// Refuses when a run of a workflow is queued or running.
pub(crate) async fn refuse_open_run(connection: &mut Connection<'_>, workflow: WorkflowId) -> Result<()> {
    let text = "SELECT r.id, w.name FROM run r JOIN workflow w ON w.id = r.workflow WHERE r.workflow = $1 AND r.state <> 'ended'";
    match query(text).bind(workflow.0).fetch_optional(connection).await? {
        Some(row) => Err(StoreError::Exists { noun: "run", id: row.try_get(0)?, name: row.try_get(1)? }),
        None => Ok(()),
    }
}

/// The error for a name that another workflow has.
async fn taken(connection: &mut Connection<'_>, name: &str, other: Option<i64>) -> Result<StoreError> {
    let id = match other {
        Some(id) => id,
        None => query_scalar("SELECT id FROM workflow WHERE name = $1").bind(name.to_owned()).fetch_one(connection).await?,
    };
    Ok(StoreError::Exists { noun: WORKFLOWS.noun, id, name: name.to_owned() })
}

fn bind_spec(query: Query, spec: &WorkflowSpec) -> Query {
    query
        .bind(spec.name.clone())
        .bind(spec.settings.clone())
        .bind(spec.schedule.as_ref().map(|schedule| schedule.cron.clone()))
        .bind(spec.schedule.as_ref().map(|schedule| schedule.time_zone.clone()))
        .bind(spec.next_run_ms)
        .bind(spec.preflight.as_str())
        .bind(i64::from(spec.retries_max))
        .bind(i64::from(spec.removal_share_percent))
        .bind(spec.alerts.clone())
}

pub(crate) fn read(row: &Row) -> Result<Workflow> {
    let schedule = match (row.try_get("cron")?, row.try_get("time_zone")?) {
        (Some(cron), Some(time_zone)) => Some(Schedule { cron, time_zone }),
        (Some(_), None) | (None, _) => None,
    };
    let gate: &str = row.try_get("preflight")?;
    let spec = WorkflowSpec {
        name: row.try_get("name")?,
        settings: row.try_get("settings")?,
        schedule,
        next_run_ms: row.try_get("next_run_ms")?,
        preflight: PreflightGate::parse(gate).ok_or_else(|| StoreError::corrupt(format!("there is no gate `{gate}`")))?,
        retries_max: u32::try_from(row.try_get::<i64, _>("retries_max")?).map_err(StoreError::corrupt)?,
        removal_share_percent: u8::try_from(row.try_get::<i64, _>("removal_share_percent")?).map_err(StoreError::corrupt)?,
        alerts: row.try_get("alerts")?,
    };
    Ok(Workflow {
        id: WorkflowId(row.try_get("id")?),
        connection: ConnectionId(row.try_get("connection")?),
        spec,
        paused_ms: row.try_get("paused_ms")?,
        version: row.try_get("version")?,
        created_by: row.try_get::<Option<i64>, _>("created_by")?.map(UserId),
        created_ms: row.try_get("created_ms")?,
    })
}
