//! Answers to questions that somebody waits for.

use axum::Router;
use axum::extract::{Path, State};
use axum::routing::post;
use http::StatusCode;
use store::TaskId;
use wire::TaskResult;

use super::caller::{Asking, Body};
use super::refusal::Refusal;
use crate::state::App;

pub(super) fn router() -> Router<App> {
    Router::new().route("/runtime/v1/tasks/{id}", post(answer))
}

async fn answer(
    State(app): State<App>,
    asking: Asking,
    Path(id): Path<String>,
    Body(result): Body<TaskResult>,
) -> Result<StatusCode, Refusal> {
    let id = id.parse().map(TaskId).map_err(|_no_number| Refusal::malformed("this is no name of a question"))?;
    let json = serde_json::to_string(&result).map_err(|error| Refusal::malformed(error.to_string()))?;
    app.store.answer_task(id, asking.runtime.id, &json).await?;
    Ok(StatusCode::NO_CONTENT)
}
