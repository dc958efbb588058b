//! `/api/v1`: one file a noun, each with its requests, answers, handlers and router.

mod assets;
mod caller;
mod changes;
mod connections;
mod credentials;
mod diff;
mod error;
mod lineage;
mod named;
mod paging;
mod posted;
mod runs;
mod runtimes;
mod search;
mod secret_text;
mod statuses;
mod system;
#[cfg(test)]
pub(crate) mod testing;
pub(crate) mod workflows;

pub(crate) use caller::{Caller, hash_of};
pub(crate) use posted::{Created, Posted};
pub(crate) use statuses::{CreateProblems, EditProblems, ReadProblems};

use utoipa_axum::router::OpenApiRouter;

use crate::state::App;

/// All endpoints.
pub(crate) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .merge(credentials::router())
        .merge(runs::router())
        .merge(connections::router())
        .merge(workflows::router())
        .merge(runtimes::router())
        .merge(system::router())
        .merge(assets::router())
        .merge(search::router())
        .merge(lineage::router())
        .merge(diff::router())
}
