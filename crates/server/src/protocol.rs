//! The control plane's side of the runtime protocol: everything under `/runtime/v1`, spoken by self-deployed runtimes alone.
//!
//! A runtime is believed nothing: each request is checked against what is known of the runtime, its lease and its connection, in size
//! before it is read. What no sound runtime does is refused, and stands in the audit log.

mod caller;
mod enroll;
mod lease;
mod refusal;
mod task;
#[cfg(test)]
mod tests;
mod upload;

use std::sync::Arc;
use std::time::Duration;

use axum::extract::DefaultBodyLimit;
use axum::{Router, middleware};
use tokio::sync::Semaphore;
use wire::batch::BATCH_BYTES_MAX;

use crate::http::layers::{bounded, timed};
use crate::state::App;

/// Requests of runtimes in flight: most of them wait for work.
const REQUESTS_MAX: usize = 2_000;
/// How long a request may take: longer than it may wait for work.
const REQUEST_TIME: Duration = Duration::from_secs(60);
/// Bytes of what enrols, signs in, asks for work or says how far it is.
const SMALL_BYTES_MAX: usize = 64 * 1024;
/// Bytes of questions, answers, checks and last words: lists of names.
const LARGE_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Whom the assertions of runtimes are for.
pub(crate) const AUDIENCE: &str = "isinglass-control-plane";

pub(crate) use refusal::Refusal;

/// `/runtime/v1`.
pub(crate) fn router() -> Router<App> {
    let small = enroll::router().merge(lease::router()).layer(DefaultBodyLimit::max(SMALL_BYTES_MAX));
    let large = upload::router().merge(task::router()).layer(DefaultBodyLimit::max(LARGE_BYTES_MAX));
    let batches = upload::batches().layer(DefaultBodyLimit::max(BATCH_BYTES_MAX));
    let slots = Arc::new(Semaphore::new(REQUESTS_MAX));
    small
        .merge(large)
        .merge(batches)
        .layer(middleware::from_fn_with_state(slots, bounded))
        .layer(middleware::from_fn_with_state(REQUEST_TIME, timed))
}
