//! Questions to the source before a crawl: do the credentials work, what may they read, which databases are there.

use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::extract::State;
use crawl::failure::Blame;
use crawl::preflight::{CheckReport, NowMs};
use crawl::spec::Occasion;
use crawl::{Connector, CrawlSpec, Failure};
use serde::Serialize;
use serde_json::{Value, json};
use store::{ConnectionId, ManagedConnection, RunsOn};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use wire::{TaskAction, TaskOutcome};

use crate::api::{Caller, CreateProblems, ReadProblems};
use crate::auth::Action;
use crate::http::{Code, Json, Path, Problem};
use crate::state::App;
use crate::work::remote::{self, NotAsked};
use crate::work::{Opened, open};

/// How long the source may take to answer all of it.
const PATIENCE: Duration = Duration::from_secs(25);
const RETRY_AFTER_SECONDS: u32 = 10;
/// Sources that are asked at the same time: each takes memory, and a crawl may be waiting for the same limits.
const ASKED_AT_ONCE: usize = 4;

/// Room for those who ask.
#[derive(Clone, Debug)]
struct Room(Arc<Semaphore>);

impl Room {
    /// A place until it is dropped.
    fn take(&self) -> Result<OwnedSemaphorePermit, Problem> {
        let detail = "too many connections are being checked at the moment: try again";
        let full = |_| Problem::new(Code::Unavailable, detail).with_retry_after(RETRY_AFTER_SECONDS);
        Arc::clone(&self.0).try_acquire_owned().map_err(full)
    }
}

/// What was checked.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Checks {
    /// `ready`; `partial` where something is missing that a crawl can do without; `notReady`.
    verdict: &'static str,
    /// Each check: `name`, `state`, `message`, `remedy`, `durationMs`, `error`.
    checks: Vec<Value>,
}

/// Who the credentials are.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct SignIn {
    /// The check: `name`, `state`, `message`, `remedy`, `durationMs`, `error`.
    check: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    arn: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    account: Option<String>,
}

/// The databases of a catalog.
#[derive(Clone, Debug, Serialize, ToSchema)]
struct Catalog {
    catalog: String,
    databases: Vec<String>,
}

/// The databases that filters can name.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Databases {
    catalogs: Vec<Catalog>,
    /// Whether these are all.
    is_whole: bool,
}

pub(super) fn router() -> OpenApiRouter<App> {
    let room = Room(Arc::new(Semaphore::new(ASKED_AT_ONCE)));
    let routes = OpenApiRouter::new().routes(routes!(preflight)).routes(routes!(test_sign_in)).routes(routes!(list_databases));
    routes.layer(Extension(room))
}

/// Checks what the credentials of a connection may read, without crawling.
#[utoipa::path(post, path = "/api/v1/connections/{id}/preflight", tag = "connections", params(("id" = i64, Path, description = "Its number.")), responses(
    (status = 200, description = "What was checked.", body = Checks), CreateProblems,
))]
async fn preflight(
    State(app): State<App>,
    Extension(room): Extension<Room>,
    caller: Caller,
    Path(id): Path<i64>,
) -> Result<Json<Checks>, Problem> {
    let connection = editable(&app, &caller, id).await?;
    let _place = room.take()?;
    if let RunsOn::Runtime(_) = connection.runs_on {
        let TaskOutcome::Checks { checks } = ask(&app, &connection, TaskAction::Preflight).await? else {
            return Err(unexpected());
        };
        return remote_checks(&checks).map(Json);
    }
    let opened = opened(&app, &connection).await?;
    let now = || app.clock.now_ms();
    let now_ms: NowMs<'_> = &now;
    let spec = CrawlSpec::parse(opened.connector, json!({})).map_err(|error| Problem::internal(&error))?;
    let occasion = Occasion { connection: &connection.connection.name, concurrency: opened.access.concurrency, now_ms: now() };
    let settings = spec.settings(&occasion).map_err(|error| Problem::internal(&error))?;
    let checks = in_time(crawl::preflight::preflight(&opened.access, &settings, now_ms)).await?;
    Ok(Json(Checks { verdict: verdict(&checks), checks: checks.iter().map(as_json).collect() }))
}

/// Checks whether the credentials of a connection work, and whose they are.
#[utoipa::path(post, path = "/api/v1/connections/{id}/test-sign-in", tag = "connections", params(("id" = i64, Path, description = "Its number.")), responses(
    (status = 200, description = "Whether it worked: see the check.", body = SignIn), CreateProblems,
))]
async fn test_sign_in(
    State(app): State<App>,
    Extension(room): Extension<Room>,
    caller: Caller,
    Path(id): Path<i64>,
) -> Result<Json<SignIn>, Problem> {
    let connection = editable(&app, &caller, id).await?;
    let _place = room.take()?;
    if let RunsOn::Runtime(_) = connection.runs_on {
        let TaskOutcome::SignIn { check, arn, account } = ask(&app, &connection, TaskAction::TestSignIn).await? else {
            return Err(unexpected());
        };
        return Ok(Json(SignIn { check, arn, account }));
    }
    let opened = opened(&app, &connection).await?;
    let now = || app.clock.now_ms();
    let test = in_time(crawl::preflight::test_sign_in(&opened.access, &connection.connection.name, &now)).await?;
    Ok(Json(SignIn { check: as_json(&test.check), arn: test.arn, account: test.account }))
}

/// Databases of the Glue Data Catalog, to choose from.
#[utoipa::path(get, path = "/api/v1/connections/{id}/databases", tag = "connections", params(("id" = i64, Path, description = "Its number.")), responses(
    (status = 200, description = "Databases by catalog.", body = Databases),
    (status = 409, description = "The connection is of another connector, or runs elsewhere.", body = Problem, content_type = "application/problem+json"), ReadProblems,
))]
async fn list_databases(
    State(app): State<App>,
    Extension(room): Extension<Room>,
    caller: Caller,
    Path(id): Path<i64>,
) -> Result<Json<Databases>, Problem> {
    let connection = editable(&app, &caller, id).await?;
    let _place = room.take()?;
    if Connector::parse(&connection.connection.connector) != Some(Connector::Glue) {
        return Err(Problem::new(Code::Conflict, "only connections of the connector `glue` have databases"));
    }
    if let RunsOn::Runtime(_) = connection.runs_on {
        let TaskOutcome::Databases { catalogs, is_whole } = ask(&app, &connection, TaskAction::ListDatabases).await? else {
            return Err(unexpected());
        };
        let catalogs = catalogs.into_iter().map(|found| Catalog { catalog: found.catalog, databases: found.databases });
        return Ok(Json(Databases { catalogs: catalogs.collect(), is_whole }));
    }
    let opened = opened(&app, &connection).await?;
    let list = in_time(crawl::preflight::list_databases(&opened.access, &connection.connection.name)).await?;
    let catalogs = list.catalogs.into_iter().map(|found| Catalog { catalog: found.catalog, databases: found.databases });
    Ok(Json(Databases { catalogs: catalogs.collect(), is_whole: list.is_whole }))
}

async fn editable(app: &App, caller: &Caller, id: i64) -> Result<ManagedConnection, Problem> {
    let connection = app.store.managed_connection(ConnectionId(id)).await?;
    caller.may(Action::EditConnection(caller.standing(&connection)))?;
    Ok(connection)
}

async fn opened(app: &App, connection: &ManagedConnection) -> Result<Opened, Problem> {
    open(app, connection).await.map_err(|failure| problem(&failure))
}

/// The answer of the runtime that a connection runs on; what it could not find out is a problem.
async fn ask(app: &App, connection: &ManagedConnection, action: TaskAction) -> Result<TaskOutcome, Problem> {
    match remote::ask(app, connection, action, PATIENCE).await {
        Ok(TaskOutcome::Failed { failure }) => {
            let detail = format!("{}. {}", failure.message.trim_end_matches('.'), failure.suggested_action);
            Err(match failure.blame {
                wire::Blame::Plumbing => Problem::new(Code::Unavailable, detail.trim()).with_retry_after(RETRY_AFTER_SECONDS),
                wire::Blame::Source | wire::Blame::Operator => Problem::new(Code::Conflict, detail.trim()),
            })
        }
        Ok(outcome) => Ok(outcome),
        Err(NotAsked::Offline { detail }) => Err(Problem::new(Code::Unavailable, detail).with_retry_after(RETRY_AFTER_SECONDS)),
        Err(NotAsked::TooLate { detail }) => Err(Problem::new(Code::TimedOut, detail).with_retry_after(RETRY_AFTER_SECONDS)),
        Err(NotAsked::Failed(failure)) => Err(problem(&failure)),
    }
}

fn remote_checks(checks: &[Value]) -> Result<Checks, Problem> {
    let read = checks.iter().map(|check| serde_json::from_value::<CheckReport>(check.clone()));
    let read = read.collect::<Result<Vec<_>, _>>().map_err(|_other| unexpected())?;
    Ok(Checks { verdict: verdict(&read), checks: read.iter().map(as_json).collect() })
}

fn unexpected() -> Problem {
    Problem::new(Code::Unavailable, "the runtime has answered something else than it was asked: update it")
        .with_retry_after(RETRY_AFTER_SECONDS)
}

/// The answer of a source that is there. One that is not costs the caller a moment, not the connection.
async fn in_time<T>(asked: impl Future<Output = Result<T, Failure>>) -> Result<T, Problem> {
    match tokio::time::timeout(PATIENCE, asked).await {
        Ok(answer) => answer.map_err(|failure| problem(&failure)),
        Err(_) => {
            let detail = "the source did not answer in time: check the network between this service and AWS";
            Err(Problem::new(Code::TimedOut, detail).with_retry_after(RETRY_AFTER_SECONDS))
        }
    }
}

/// What the operator or the source has to change is a conflict with the request; the rest may pass.
fn problem(failure: &Failure) -> Problem {
    let detail = format!("{}. {}", failure.message.trim_end_matches('.'), failure.remedy);
    match failure.blame() {
        Blame::Plumbing => Problem::new(Code::Unavailable, detail.trim()).with_retry_after(RETRY_AFTER_SECONDS),
        Blame::Source | Blame::Operator => Problem::new(Code::Conflict, detail.trim()),
    }
}

fn verdict(checks: &[CheckReport]) -> &'static str {
    let state = |state: connector::CheckState| checks.iter().any(|check| check.state == state);
    if state(connector::CheckState::Failed) {
        "notReady"
    } else if state(connector::CheckState::Warning) {
        "partial"
    } else {
        "ready"
    }
}

fn as_json(check: &CheckReport) -> Value {
    serde_json::to_value(check).unwrap_or(Value::Null)
}
