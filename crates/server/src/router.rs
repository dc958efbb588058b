//! The router, put together from one function for each component, and the layers around all of it.

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use axum::extract::DefaultBodyLimit;
use axum::{Router, middleware};
use tokio::sync::Semaphore;
use tower_http::catch_panic::CatchPanicLayer;
use utoipa_axum::router::OpenApiRouter;

use crate::http::headers::Transport;
use crate::http::layers::{Outermost, bounded, outermost, panicked, plain_refusals, timed};
use crate::http::{Code, Problem, RequestIds};
use crate::state::App;
use crate::telemetry::{RequestLog, Traces, logged};
use crate::{openapi, operations};

/// Every documented endpoint under `/api/v1`. A component adds `.merge(component::router())` here, with full paths.
#[must_use]
pub fn api() -> OpenApiRouter<App> {
    crate::api::router()
}

/// The document of the whole service.
#[must_use]
pub fn document() -> utoipa::openapi::OpenApi {
    let (_, document) = documented(api());
    document
}

/// What the layers need beyond the state.
#[derive(Debug)]
pub struct Around {
    /// Gives out request ids.
    pub ids: RequestIds,
    /// Whether spans go anywhere.
    pub traces: Traces,
}

/// The service's router: `api` under bounds of time and number, the endpoints of operation outside of them, `pages` (the web page)
/// beside them, all of it logged, counted and answered with problems.
///
/// # Errors
/// The document has no JSON form: a fault of the program.
pub fn assemble(app: App, api: OpenApiRouter<App>, pages: Router<App>, around: Around) -> Result<Router, serde_json::Error> {
    let limits = &app.config.limits;
    let slots = Arc::new(Semaphore::new(limits.requests_in_flight.get() as usize));
    let time = Duration::from_secs(limits.request_seconds.get().into());
    let api = api.layer(middleware::from_fn_with_state(slots, bounded)).layer(middleware::from_fn_with_state(time, timed));
    let (routes, document) = documented(api);
    let routes = routes.merge(openapi::router(&document)?).merge(crate::protocol::router()).merge(pages).fallback(nothing_here);
    Ok(surrounded(routes, &app, around).with_state(app))
}

fn documented(api: OpenApiRouter<App>) -> (Router<App>, utoipa::openapi::OpenApi) {
    OpenApiRouter::with_openapi(openapi::frame()).merge(operations::router()).merge(api).split_for_parts()
}

/// The layers, the innermost first.
fn surrounded(routes: Router<App>, app: &App, around: Around) -> Router<App> {
    let outer = Outermost { ids: Arc::new(around.ids), transport: Transport::of(&app.config) };
    let log = RequestLog { metrics: app.metrics.clone(), traces: around.traces };
    routes
        .layer(DefaultBodyLimit::max(app.config.limits.body_bytes.get() as usize))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(middleware::from_fn(plain_refusals))
        .layer(middleware::from_fn_with_state(log, logged))
        .layer(middleware::from_fn_with_state(outer, outermost))
}

async fn nothing_here() -> Problem {
    Problem::new(Code::NotFound, "there is nothing at this path; /api/openapi.json lists what there is")
}
