//! `/runtimes`: programs in other networks that crawl for the control plane.

use axum::extract::State;
use serde::Serialize;
use store::{Runtime, RuntimeState};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::paging::{Paging, page_of};
use super::{Caller, ReadProblems};
use crate::auth::Action;
use crate::http::{Json, Page, Problem, Query};
use crate::state::App;

const LIST: &str = "runtimes";

/// A runtime.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Runtime)]
struct Shown {
    #[schema(example = "2")]
    id: String,
    /// What connections call it by.
    name: String,
    /// `online`, `stale`, `offline` or `revoked`.
    state: &'static str,
    /// When it was last heard of, milliseconds since 1970 UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    last_seen_at: Option<i64>,
    /// The version of its program.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    version: Option<String>,
    /// When it was enrolled, milliseconds since 1970 UTC.
    created_at: i64,
}

/// `/runtimes`.
pub(crate) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list_runtimes))
}

/// Runtimes, in the order of their enrolment.
#[utoipa::path(get, path = "/api/v1/runtimes", tag = "runtimes", params(Paging), responses(
    (status = 200, description = "A page of runtimes.", body = Page<Shown>), ReadProblems,
))]
async fn list_runtimes(State(app): State<App>, caller: Caller, Query(paging): Query<Paging>) -> Result<Json<Page<Shown>>, Problem> {
    caller.may(Action::ReadCatalog)?;
    let (found, now_ms) = (app.store.runtimes(paging.request(&app, LIST)?).await?, app.clock.now_ms());
    page_of(&app, LIST, found, |runtime| shown(runtime, now_ms)).map(Json)
}

fn shown(runtime: Runtime, now_ms: i64) -> Shown {
    let state = match runtime.state(now_ms) {
        RuntimeState::Online => "online",
        RuntimeState::Stale => "stale",
        RuntimeState::Offline => "offline",
        RuntimeState::Revoked => "revoked",
    };
    Shown {
        id: runtime.id.to_string(),
        name: runtime.name,
        state,
        last_seen_at: runtime.last_seen_ms,
        version: runtime.version,
        created_at: runtime.created_ms,
    }
}
