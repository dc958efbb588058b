//! `/api/v1`: one file a noun, each with its requests, answers, handlers and router.

mod caller;
mod credentials;
mod error;
mod paging;
mod posted;
mod runs;
mod secret_text;
mod statuses;
#[cfg(test)]
pub(crate) mod testing;

pub(crate) use caller::{Caller, hash_of};
pub(crate) use posted::{Created, Posted};
pub(crate) use statuses::{CreateProblems, EditProblems, ReadProblems};

use utoipa_axum::router::OpenApiRouter;

use crate::state::App;

/// All endpoints.
pub(crate) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().merge(credentials::router()).merge(runs::router())
}
