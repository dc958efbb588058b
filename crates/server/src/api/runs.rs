//! `/runs`: what was crawled when, how far it is, and what came of it.
#![expect(unused_qualifications, reason = "what utoipa derives for queries qualifies what is in scope")]

mod events;
mod view;

use axum::extract::State;
use axum::response::IntoResponse;
use http::header;
use serde::Deserialize;
use store::{RunFilter, RunRef, RunStage, RunSummary};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(crate) use view::Run;

use super::{Caller, CreateProblems, Created, Posted, ReadProblems};
use crate::auth::{Action, Standing};
use crate::http::{Code, Json, Limit, Page, Path, Problem, Query};
use crate::state::App;

const LIST: &str = "runs";

/// Which runs.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
struct Which {
    /// Runs of this workflow.
    workflow_id: Option<i64>,
    /// Runs of this connection.
    connection_id: Option<i64>,
    /// Runs that are this far.
    #[param(inline)]
    state: Option<Stage>,
    /// The most items of the page.
    #[serde(default)]
    #[param(inline)]
    limit: Limit,
    /// `nextCursor` of the page before.
    cursor: Option<String>,
}

/// How far a run is.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum Stage {
    Queued,
    Running,
    Ended,
}

/// A request without content.
#[derive(Clone, Copy, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Nothing {}

/// `/runs`.
pub(crate) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_runs))
        .routes(routes!(get_run))
        .routes(routes!(cancel_run))
        .routes(routes!(confirm_removals))
        .routes(routes!(run_evidence))
        .merge(events::router())
}

/// Runs, the latest first.
#[utoipa::path(get, path = "/api/v1/runs", tag = "runs", params(Which), responses(
    (status = 200, description = "A page of runs.", body = Page<Run>), ReadProblems,
))]
async fn list_runs(State(app): State<App>, caller: Caller, Query(which): Query<Which>) -> Result<Json<Page<Run>>, Problem> {
    caller.may(Action::ReadCatalog)?;
    let list = format!("{LIST} {:?} {:?} {:?}", which.workflow_id, which.connection_id, which.state);
    let before = which.cursor.as_deref().map(|cursor| app.cursors.decode::<i64>(&list, cursor)).transpose()?;
    let filter = RunFilter {
        workflow: which.workflow_id.map(store::WorkflowId),
        connection: which.connection_id.map(store::ConnectionId),
        stage: which.state.map(|stage| match stage {
            Stage::Queued => RunStage::Queued,
            Stage::Running => RunStage::Running,
            Stage::Ended => RunStage::Ended,
        }),
    };
    let asked = usize::from(which.limit.get()) + 1;
    let found = app.store.runs_page(&filter, before.map(model::RunId), asked).await?;
    let page = Page::cut(found, which.limit, |last| app.cursors.encode(&list, &last.id.0))?;
    let items = page.items.iter().map(|run| Run::of(run, None)).collect();
    Ok(Json(Page { items, next_cursor: page.next_cursor }))
}

/// One run.
#[utoipa::path(get, path = "/api/v1/runs/{id}", tag = "runs", params(("id" = i64, Path, description = "Its number.")), responses(
    (status = 200, description = "The run.", body = Run), ReadProblems,
))]
async fn get_run(State(app): State<App>, caller: Caller, Path(id): Path<i64>) -> Result<Json<Run>, Problem> {
    caller.may(Action::ReadCatalog)?;
    let run = find(&app, id).await?;
    let report = app.store.report(RunRef::Id(run.id)).await?;
    Ok(Json(Run::of(&run, report.as_ref())))
}

/// Asks a run to stop. One that waits ends at once; one that crawls stops within seconds. What it stored stays, nothing is archived.
#[utoipa::path(post, path = "/api/v1/runs/{id}/cancel", tag = "runs", request_body = Nothing,
    params(("id" = i64, Path, description = "Its number."), ("idempotency-key" = Option<String>, Header, description = "Makes a repetition harmless.")),
    responses((status = 202, description = "It was asked to; or it has ended, as its `state` says.", body = Run), CreateProblems,
))]
async fn cancel_run(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<i64>,
    posted: Posted<Nothing>,
) -> Result<Created, Problem> {
    let run = find(&app, id).await?;
    caller.may(Action::CancelRun(standing(&app, &caller, &run).await?))?;
    let work = async |_| {
        app.store.request_cancel(run.id, caller.audit(), app.clock.now_ms()).await?;
        accepted(&app, id).await
    };
    posted.once(&app, &caller, work).await
}

/// Starts a run that may archive what the run of this number held back, being a suspiciously large part of the connection.
#[utoipa::path(post, path = "/api/v1/runs/{id}/confirm-removals", tag = "runs", request_body = Nothing,
    params(("id" = i64, Path, description = "The protected run, which must be the last one of its workflow."), ("idempotency-key" = Option<String>, Header, description = "Makes a repetition harmless.")),
    responses((status = 202, description = "The new run.", body = Run), CreateProblems,
))]
async fn confirm_removals(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<i64>,
    posted: Posted<Nothing>,
) -> Result<Created, Problem> {
    let run = find(&app, id).await?;
    caller.may(Action::ConfirmRemovals(standing(&app, &caller, &run).await?))?;
    let work = async |_| {
        let enqueued = app.store.confirm_removals(run.id, caller.audit(), app.clock.now_ms()).await?;
        app.nudge.wake();
        accepted(&app, enqueued.run.0).await
    };
    posted.once(&app, &caller, work).await
}

/// What a run called, where it connected, what it masked and changed: its report.
#[utoipa::path(get, path = "/api/v1/runs/{id}/evidence", tag = "runs", params(("id" = i64, Path, description = "Its number.")), responses(
    (status = 200, description = "The report, as `isinglass crawl --report` writes it.", body = serde_json::Value), ReadProblems,
))]
async fn run_evidence(State(app): State<App>, caller: Caller, Path(id): Path<i64>) -> Result<impl IntoResponse, Problem> {
    caller.may(Action::ReadCatalog)?;
    let run = find(&app, id).await?;
    match app.store.report_text(RunRef::Id(run.id)).await? {
        Some(report) => Ok(([(header::CONTENT_TYPE, "application/json")], report)),
        None => Err(Problem::new(Code::NotFound, "the run has no report yet: it is written when the run ends")),
    }
}

pub(super) async fn find(app: &App, id: i64) -> Result<RunSummary, Problem> {
    Ok(app.store.run(RunRef::Id(model::RunId(id))).await?)
}

/// 202 with a run as it is now.
pub(crate) async fn accepted(app: &App, id: i64) -> Result<Created, Problem> {
    let run = find(app, id).await?;
    Created::accepted(format!("/api/v1/runs/{id}"), &Run::of(&run, None))
}

async fn standing(app: &App, caller: &Caller, run: &RunSummary) -> Result<Standing, Problem> {
    Ok(caller.standing(&app.store.managed_connection(run.connection).await?))
}
