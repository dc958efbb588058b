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
    /// Queues with jobs that wait or are worked on, by whichever replica or runtime.
    queues: Vec<Queue>,
    /// What each reconciler last did: `schedule`, `lease_expiry`, `sweep`, `retention`, `alerts`.
    reconcilers: BTreeMap<&'static str, Status>,
}

/// How much there is to do.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Queue {
    /// `direct`, or the name of a runtime.
    runs_on: String,
    /// Jobs that wait.
    queued: i64,
    /// Jobs that somebody works on.
    running: i64,
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
    let queues = app.store.queue_lengths().await?.into_iter().map(|length| Queue {
        runs_on: length.queue.strip_prefix("runtime:").unwrap_or(&length.queue).to_owned(),
        queued: length.queued,
        running: length.leased,
    });
    Ok(Json(System {
        queues: queues.collect(),
        version: env!("CARGO_PKG_VERSION"),
        catalog: app.store.kind(),
        works: app.config.workers,
        reconcilers: app.reconcilers.snapshot(),
    }))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::api::testing::Service;

    #[tokio::test]
    async fn the_replica_tells_its_version_its_catalog_and_how_much_there_is_to_do() {
        let service = Service::start().await;
        let system = service.get("/api/v1/system").await;
        assert_eq!((&system.body["version"], &system.body["catalog"]), (&json!(env!("CARGO_PKG_VERSION")), &json!("sqlite")));
        assert_eq!(system.body["queues"], json!([]));
    }
}
