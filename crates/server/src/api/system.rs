//! `/system`: what this replica is, and what its reconcilers last did.

use std::collections::BTreeMap;

use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{Caller, ReadProblems};
use crate::auth::Action;
use crate::http::{Json, Problem};
use crate::state::App;
use crate::work::Status;

/// The replica that answered.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct System {
    /// The version of the program.
    version: &'static str,
    /// `sqlite` or `postgres`.
    catalog: &'static str,
    /// Whether it crawls, and looks after schedules and leases.
    works: bool,
    /// What each reconciler last did: `schedule`, `lease_expiry`, `sweep`, `retention`.
    reconcilers: BTreeMap<&'static str, Status>,
}

/// `/system`.
pub(crate) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(get_system))
}

/// The replica that answers: its version, and what its background work last did.
#[utoipa::path(get, path = "/api/v1/system", tag = "system", responses(
    (status = 200, description = "The replica.", body = System), ReadProblems,
))]
async fn get_system(State(app): State<App>, caller: Caller) -> Result<Json<System>, Problem> {
    caller.may(Action::ReadCatalog)?;
    Ok(Json(System {
        version: env!("CARGO_PKG_VERSION"),
        catalog: app.store.kind(),
        works: app.config.workers,
        reconcilers: app.reconcilers.snapshot(),
    }))
}
