//! How an asset changed from run to run.

use axum::extract::State;
use serde::Serialize;
use store::HistoryEvent;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::PageOf;
use crate::api::changes::{Change, Differences};
use crate::api::named::name_of;
use crate::api::{Caller, ReadProblems};
use crate::auth::Action;
use crate::http::{Json, Page, Problem, Query};
use crate::state::App;

/// Something that happened to an asset.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Event {
    /// The number of the run.
    #[schema(example = "7")]
    run_id: String,
    /// When that run started, milliseconds since 1970 UTC.
    #[schema(example = 1_700_000_000_000_i64)]
    at: i64,
    /// What happened.
    change: Change,
    #[serde(flatten)]
    differences: Differences,
}

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list_history))
}

/// What happened to an asset, latest first. Of a column: what happened to its table and concerns the column.
#[utoipa::path(get, path = "/api/v1/assets/history", tag = "assets", params(PageOf), responses(
    (status = 200, description = "A page of changes; the last one of all is when it was found.", body = Page<Event>), ReadProblems,
))]
async fn list_history(State(app): State<App>, caller: Caller, Query(which): Query<PageOf>) -> Result<Json<Page<Event>>, Problem> {
    caller.may(Action::ReadCatalog)?;
    let list = format!("history {}", which.qualified_name);
    let before: Option<i64> = which.cursor.as_deref().map(|cursor| app.cursors.decode(&list, cursor)).transpose()?;
    let events = app.store.history(&name_of(&which.qualified_name)?).await?;
    let later = events.into_iter().filter(|event| before.is_none_or(|before| event.run.0 < before));
    let found: Vec<HistoryEvent> = later.take(usize::from(which.limit.get()) + 1).collect();
    let page = Page::cut(found, which.limit, |last| app.cursors.encode(&list, &last.run.0))?;
    Ok(Json(Page { items: page.items.into_iter().map(Event::from).collect(), next_cursor: page.next_cursor }))
}

impl From<HistoryEvent> for Event {
    fn from(event: HistoryEvent) -> Self {
        Self { run_id: event.run.to_string(), at: event.at_ms, change: event.change.into(), differences: event.differences.into() }
    }
}
