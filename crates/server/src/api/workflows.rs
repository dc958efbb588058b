//! `/workflows`: what is crawled of a connection, when, and what happens around it.

pub(crate) mod alerts;
mod view;

use axum::extract::State;
use axum::response::IntoResponse;
use crawl::{Connector, CrawlSpec};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use store::{ConnectionId, ManagedConnection, PreflightGate, Schedule, Workflow, WorkflowId, WorkflowSpec};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use self::alerts::{AlertRequest, Kept};
use self::view::Shown;
use super::connections::number;
use super::paging::present;
use super::runs::{Nothing, Run, accepted};
use super::{Caller, CreateProblems, Created, EditProblems, Posted, ReadProblems};
use crate::auth::Action;
use crate::http::{ETag, IfMatch, Json, Limit, Page, Path, Problem, Query};
use crate::schedule;
use crate::state::App;

const LIST: &str = "workflows";
const RETRIES_MAX: u32 = 10;
const RETRIES: u32 = 3;
const SHARE_PERCENT: u8 = 20;
const NAME_MAX: usize = 200;

/// When a workflow runs.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ScheduleRequest {
    /// Five fields: minute, hour, day of the month, month, day of the week.
    #[schema(example = "30 2 * * *")]
    cron: String,
    /// The time zone of the fields, by its name in the IANA database.
    #[serde(default = "utc")]
    #[schema(example = "Europe/Berlin")]
    time_zone: String,
}

/// How often a run is tried again after faults that are not the source's: throttling, the network, our own.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Retries {
    /// Attempts after the first.
    #[schema(maximum = 10, example = 3)]
    max: u32,
}

/// How much a run may archive before somebody has to confirm it.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Removal {
    /// The share of the connection's assets.
    #[schema(maximum = 100, example = 20)]
    max_share_percent: u8,
}

/// What is checked before each run.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum Gate {
    /// Nothing.
    Off,
    /// Failed checks are reported, and the run goes on.
    Soft,
    /// Checks that fail for the source's sake fail the run.
    Hard,
}

/// A workflow to make.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct NewWorkflow {
    /// Unique.
    #[schema(example = "nightly", max_length = 200)]
    name: String,
    /// The connection that it crawls.
    #[schema(example = "3")]
    connection_id: String,
    /// What is crawled: `{"glue": {"catalogIds", "include", "exclude", "excludeTable", "skip", "keep"}}` or `{"smus": {"domains",
    /// "includeProjects", "excludeProjects", "skip", "keep"}}`; everything, when it is left out.
    #[serde(default = "everything")]
    #[schema(value_type = Object, example = json!({"glue": {"exclude": ["*/scratch_*"]}}))]
    settings: Value,
    /// When; without one it runs when somebody says so.
    schedule: Option<ScheduleRequest>,
    preflight: Option<Gate>,
    retries: Option<Retries>,
    removal: Option<Removal>,
    /// Who is told when a run has ended.
    #[serde(default)]
    alerts: Vec<AlertRequest>,
}

/// What is to be different; what is left out stays.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct WorkflowEdit {
    name: Option<String>,
    #[schema(value_type = Option<Object>)]
    settings: Option<Value>,
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<ScheduleRequest>)]
    schedule: Option<Option<ScheduleRequest>>,
    preflight: Option<Gate>,
    retries: Option<Retries>,
    removal: Option<Removal>,
    alerts: Option<Vec<AlertRequest>>,
}

/// Which workflows.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
struct Which {
    /// Workflows of this connection.
    connection_id: Option<i64>,
    /// The most items of the page.
    #[serde(default)]
    #[param(inline)]
    limit: Limit,
    /// `nextCursor` of the page before.
    cursor: Option<String>,
}

/// `/workflows`.
pub(crate) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_workflows, create_workflow))
        .routes(routes!(get_workflow, edit_workflow, delete_workflow))
        .routes(routes!(run_workflow))
        .routes(routes!(pause_workflow))
        .routes(routes!(resume_workflow))
}

/// Workflows, the oldest first.
#[utoipa::path(get, path = "/api/v1/workflows", tag = "workflows", params(Which), responses(
    (status = 200, description = "A page of workflows.", body = Page<Shown>), ReadProblems,
))]
async fn list_workflows(State(app): State<App>, caller: Caller, Query(which): Query<Which>) -> Result<Json<Page<Shown>>, Problem> {
    caller.may(Action::ReadCatalog)?;
    let list = format!("{LIST} {:?}", which.connection_id);
    let after = which.cursor.as_deref().map(|cursor| app.cursors.decode::<i64>(&list, cursor)).transpose()?;
    let connection = which.connection_id.map(ConnectionId);
    let found = app.store.workflows(connection, after.map(WorkflowId), usize::from(which.limit.get()) + 1).await?;
    let page = Page::cut(found, which.limit, |last| app.cursors.encode(&list, &last.id.0))?;
    let now_ms = app.clock.now_ms();
    Ok(Json(Page { items: page.items.into_iter().map(|found| Shown::of(found, now_ms)).collect(), next_cursor: page.next_cursor }))
}

/// Makes a workflow. Secrets of alerts are shown in this answer and never again.
#[utoipa::path(post, path = "/api/v1/workflows", tag = "workflows", request_body = NewWorkflow,
    params(("idempotency-key" = Option<String>, Header, description = "Makes a repetition harmless.")), responses(
    (status = 201, description = "It is made.", body = Shown), CreateProblems,
))]
async fn create_workflow(State(app): State<App>, caller: Caller, posted: Posted<NewWorkflow>) -> Result<Created, Problem> {
    let work = async |new: NewWorkflow| {
        let id = number(Some(&new.connection_id), "connectionId")?.map(ConnectionId).unwrap_or(ConnectionId(0));
        let connection = app.store.managed_connection(id).await?;
        caller.may(Action::EditWorkflow(caller.standing(&connection)))?;
        let now_ms = app.clock.now_ms();
        let kept = alerts::keep(&app, &new.alerts, &[])?;
        let mut spec = WorkflowSpec {
            name: checked_name(&new.name)?,
            settings: checked_settings(&connection, &new.settings)?,
            schedule: None,
            next_run_ms: None,
            preflight: new.preflight.unwrap_or(Gate::Soft).into(),
            retries_max: checked_retries(new.retries)?.unwrap_or(RETRIES),
            removal_share_percent: checked_removal(new.removal)?.unwrap_or(SHARE_PERCENT),
            alerts: alerts::stored(&kept)?,
        };
        (spec.schedule, spec.next_run_ms) = scheduled(new.schedule, now_ms)?;
        let id = app.store.create_workflow(id, &spec, caller.audit(), now_ms).await?;
        let made = app.store.workflow(id).await?;
        let version = made.version;
        let answer = Shown::of(made, now_ms).with_secrets(&kept);
        let created = Created::new(format!("/api/v1/workflows/{id}"), Some(version), &answer)?;
        Ok(if kept.is_empty() { created } else { created.shown_once() })
    };
    posted.once(&app, &caller, work).await
}

/// One workflow, with its next times.
#[utoipa::path(get, path = "/api/v1/workflows/{id}", tag = "workflows", params(("id" = i64, Path, description = "Its number.")), responses(
    (status = 200, description = "The workflow.", body = Shown, headers(("etag" = String, description = "Its version."))), ReadProblems,
))]
async fn get_workflow(State(app): State<App>, caller: Caller, Path(id): Path<i64>) -> Result<impl IntoResponse, Problem> {
    caller.may(Action::ReadCatalog)?;
    let found = app.store.workflow(WorkflowId(id)).await?;
    Ok((ETag(found.version), Json(Shown::of(found, app.clock.now_ms()))))
}

/// Changes a workflow. Secrets of new alerts are shown in this answer and never again.
#[utoipa::path(patch, path = "/api/v1/workflows/{id}", tag = "workflows", request_body = WorkflowEdit,
    params(("id" = i64, Path, description = "Its number."), ("if-match" = String, Header, description = "The `ETag` of what was read.")), responses(
    (status = 200, description = "It is changed.", body = Shown, headers(("etag" = String, description = "Its version."))), EditProblems,
))]
async fn edit_workflow(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<i64>,
    if_match: IfMatch,
    Json(edit): Json<WorkflowEdit>,
) -> Result<impl IntoResponse, Problem> {
    let (before, connection) = found(&app, id).await?;
    caller.may(Action::EditWorkflow(caller.standing(&connection)))?;
    if_match.require(before.version)?;
    let now_ms = app.clock.now_ms();
    let known = alerts::read(&before.spec.alerts);
    let kept = match &edit.alerts {
        Some(asked) => alerts::keep(&app, asked, &known)?,
        None => known,
    };
    let (schedule, next_run_ms) = match edit.schedule {
        Some(schedule) => scheduled(schedule, now_ms)?,
        None => (before.spec.schedule.clone(), before.spec.next_run_ms),
    };
    let spec = WorkflowSpec {
        name: edit.name.as_deref().map_or_else(|| Ok(before.spec.name.clone()), checked_name)?,
        settings: edit
            .settings
            .as_ref()
            .map_or_else(|| Ok(before.spec.settings.clone()), |all| checked_settings(&connection, all))?,
        schedule,
        next_run_ms,
        preflight: edit.preflight.map_or(before.spec.preflight, Into::into),
        retries_max: checked_retries(edit.retries)?.unwrap_or(before.spec.retries_max),
        removal_share_percent: checked_removal(edit.removal)?.unwrap_or(before.spec.removal_share_percent),
        alerts: alerts::stored(&kept)?,
    };
    let version = app.store.update_workflow(before.id, before.version, &spec, caller.audit(), now_ms).await?;
    let after = app.store.workflow(before.id).await?;
    Ok((ETag(version), Json(Shown::of(after, now_ms).with_secrets(&kept))))
}

/// Removes a workflow; its runs and what they found stay.
#[utoipa::path(delete, path = "/api/v1/workflows/{id}", tag = "workflows",
    params(("id" = i64, Path, description = "Its number."), ("if-match" = String, Header, description = "The `ETag` of what was read.")), responses(
    (status = 204, description = "It is gone."), EditProblems,
))]
async fn delete_workflow(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<i64>,
    if_match: IfMatch,
) -> Result<StatusCode, Problem> {
    let (before, connection) = found(&app, id).await?;
    caller.may(Action::EditWorkflow(caller.standing(&connection)))?;
    if_match.require(before.version)?;
    app.store.delete_workflow(before.id, before.version, caller.audit(), app.clock.now_ms()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Runs a workflow now. While a run of it is queued or running, that one is named instead.
#[utoipa::path(post, path = "/api/v1/workflows/{id}/runs", tag = "workflows", request_body = Nothing,
    params(("id" = i64, Path, description = "Its number."), ("idempotency-key" = Option<String>, Header, description = "Makes a repetition harmless.")),
    responses((status = 202, description = "The run.", body = Run), CreateProblems,
))]
async fn run_workflow(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<i64>,
    posted: Posted<Nothing>,
) -> Result<Created, Problem> {
    let (workflow, connection) = found(&app, id).await?;
    caller.may(Action::RunWorkflow(caller.standing(&connection)))?;
    let work = async |_| {
        let enqueued = app.store.enqueue(workflow.id, caller.audit(), app.clock.now_ms()).await?;
        app.nudge.wake();
        accepted(&app, enqueued.run.0).await
    };
    posted.once(&app, &caller, work).await
}

/// Has the schedule of a workflow do nothing until it is resumed. What runs goes on.
#[utoipa::path(post, path = "/api/v1/workflows/{id}/pause", tag = "workflows", params(("id" = i64, Path, description = "Its number.")), responses(
    (status = 200, description = "It is paused.", body = Shown, headers(("etag" = String, description = "Its version."))), CreateProblems,
))]
async fn pause_workflow(State(app): State<App>, caller: Caller, Path(id): Path<i64>) -> Result<impl IntoResponse, Problem> {
    let (workflow, connection) = found(&app, id).await?;
    caller.may(Action::EditWorkflow(caller.standing(&connection)))?;
    app.store.pause_workflow(workflow.id, caller.audit(), app.clock.now_ms()).await?;
    get_workflow(State(app), caller, Path(id)).await
}

/// Lets the schedule of a workflow go on with its next time; what was missed is not made up for.
#[utoipa::path(post, path = "/api/v1/workflows/{id}/resume", tag = "workflows", params(("id" = i64, Path, description = "Its number.")), responses(
    (status = 200, description = "It goes on.", body = Shown, headers(("etag" = String, description = "Its version."))), CreateProblems,
))]
async fn resume_workflow(State(app): State<App>, caller: Caller, Path(id): Path<i64>) -> Result<impl IntoResponse, Problem> {
    let (workflow, connection) = found(&app, id).await?;
    caller.may(Action::EditWorkflow(caller.standing(&connection)))?;
    let now_ms = app.clock.now_ms();
    let stored = workflow.spec.schedule.as_ref();
    let parsed = stored.map(|stored| schedule::Schedule::parse(&stored.cron, &stored.time_zone, now_ms));
    let next_ms = parsed.and_then(Result::ok).and_then(|schedule| schedule.next_after(now_ms));
    app.store.resume_workflow(workflow.id, next_ms, caller.audit(), now_ms).await?;
    app.nudge.wake();
    get_workflow(State(app), caller, Path(id)).await
}

async fn found(app: &App, id: i64) -> Result<(Workflow, ManagedConnection), Problem> {
    let workflow = app.store.workflow(WorkflowId(id)).await?;
    let connection = app.store.managed_connection(workflow.connection).await?;
    Ok((workflow, connection))
}

fn utc() -> String {
    "UTC".to_owned()
}

fn everything() -> Value {
    json!({})
}

fn checked_name(name: &str) -> Result<String, Problem> {
    let name = name.trim();
    if name.is_empty() || name.chars().count() > NAME_MAX || name.chars().any(char::is_control) {
        return Err(Problem::field("name", "expected 1 to 200 characters, no control characters among them"));
    }
    Ok(name.to_owned())
}

fn checked_retries(retries: Option<Retries>) -> Result<Option<u32>, Problem> {
    match retries {
        Some(retries) if retries.max > RETRIES_MAX => Err(Problem::field("retries.max", "expected 0 to 10")),
        retries => Ok(retries.map(|retries| retries.max)),
    }
}

fn checked_removal(removal: Option<Removal>) -> Result<Option<u8>, Problem> {
    match removal {
        Some(removal) if removal.max_share_percent > 100 => Err(Problem::field("removal.maxSharePercent", "expected 0 to 100")),
        removal => Ok(removal.map(|removal| removal.max_share_percent)),
    }
}

/// The settings are an object with at most one member, named after the connector of the connection.
fn checked_settings(connection: &ManagedConnection, settings: &Value) -> Result<String, Problem> {
    let connector = Connector::parse(&connection.connection.connector).ok_or_else(Problem::internal_without_details)?;
    let key = match connector {
        Connector::Glue => "glue",
        Connector::Smus => "smus",
    };
    let members = settings.as_object().ok_or_else(|| Problem::field("settings", "expected an object"))?;
    if let Some(other) = members.keys().find(|member| *member != key) {
        return Err(Problem::field(format!("settings.{other}"), format!("the connection takes `{key}` only")));
    }
    let own = members.get(key).cloned().unwrap_or_else(|| json!({}));
    CrawlSpec::parse(connector, own).map_err(|error| {
        let field = error.field().map_or_else(|| format!("settings.{key}"), |field| format!("settings.{key}.{}", field.name()));
        Problem::field(field, error.naming(crawl::spec::Field::name))
    })?;
    Ok(settings.to_string())
}

fn scheduled(asked: Option<ScheduleRequest>, now_ms: i64) -> Result<(Option<Schedule>, Option<i64>), Problem> {
    let Some(ScheduleRequest { cron, time_zone }) = asked else { return Ok((None, None)) };
    let parsed = schedule::Schedule::parse(&cron, &time_zone, now_ms).map_err(|error| {
        let field = if matches!(error, schedule::ScheduleError::UnknownTimeZone { .. }) { "timeZone" } else { "cron" };
        Problem::field(format!("schedule.{field}"), error.to_string())
    })?;
    let next_ms = parsed.next_after(now_ms);
    Ok((Some(Schedule { cron: parsed.cron().to_owned(), time_zone: parsed.time_zone().to_owned() }), next_ms))
}

impl From<Gate> for PreflightGate {
    fn from(gate: Gate) -> Self {
        match gate {
            Gate::Off => Self::Off,
            Gate::Soft => Self::Soft,
            Gate::Hard => Self::Hard,
        }
    }
}
