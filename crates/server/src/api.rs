//! `/api/v1`: one file a noun, each with its requests, answers, handlers and router.

mod assets;
mod audit;
mod caller;
#[cfg(test)]
mod canary;
mod changes;
mod connections;
#[cfg(test)]
mod crawled;
mod credentials;
mod diff;
mod error;
mod lineage;
mod named;
mod paging;
mod posted;
mod runs;
pub(crate) mod runtimes;
mod search;
mod secret_text;
mod session;
mod sign_in;
mod statuses;
mod system;
#[cfg(test)]
pub(crate) mod testing;
mod tokens;
mod users;
mod visitor;
pub(crate) mod workflows;

pub(crate) use caller::{Caller, hash_of};
pub(crate) use posted::{Created, Posted};
pub(crate) use statuses::{CreateProblems, EditProblems, ReadProblems};

pub(crate) use workflows::alerts;

use utoipa_axum::router::OpenApiRouter;

use crate::state::App;

/// All endpoints.
pub(crate) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .merge(assets::router())
        .merge(audit::router())
        .merge(connections::router())
        .merge(credentials::router())
        .merge(diff::router())
        .merge(lineage::router())
        .merge(runs::router())
        .merge(runtimes::router())
        .merge(search::router())
        .merge(session::router())
        .merge(sign_in::router())
        .merge(system::router())
        .merge(tokens::router())
        .merge(users::router())
        .merge(workflows::router())
}
