//! The endpoints for whoever runs the service: is it up, is it ready, what does it count. They answer while everything else is busy.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode, header};
use secrecy::ExposeSecret;
use serde::Serialize;
use subtle::ConstantTimeEq;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::http::{Code, Json, Problem};
use crate::metrics::TEXT_FORMAT;
use crate::state::{App, NotReady};

const RETRY_AFTER_SECONDS: u32 = 2;

/// The answer of a probe.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub(crate) struct Health {
    /// `up` or `ready`
    #[schema(example = "ready")]
    status: &'static str,
}

/// `/healthz`, `/readyz`, `/metrics`.
pub(crate) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(healthz)).routes(routes!(readyz)).routes(routes!(metrics))
}

/// Whether the process is up.
#[utoipa::path(get, path = "/healthz", tag = "operations", security(()), responses((status = 200, description = "It is up.", body = Health)))]
async fn healthz() -> Json<Health> {
    Json(Health { status: "up" })
}

/// Whether requests make sense: the store is reachable, migrations are done, the service is not stopping.
#[utoipa::path(get, path = "/readyz", tag = "operations", security(()), responses(
    (status = 200, description = "It is ready.", body = Health),
    (status = 503, description = "It is not; `detail` says why.", body = Problem, content_type = "application/problem+json"),
))]
async fn readyz(State(app): State<App>) -> Result<Json<Health>, Problem> {
    match app.ready().await {
        Ok(()) => Ok(Json(Health { status: "ready" })),
        Err(NotReady(reason)) => Err(Problem::new(Code::Unavailable, reason).with_retry_after(RETRY_AFTER_SECONDS)),
    }
}

/// Metrics in the text format of Prometheus.
#[utoipa::path(get, path = "/metrics", tag = "operations", security((), ("bearer" = [])), responses(
    (status = 200, description = "Metrics.", body = String, content_type = "text/plain"),
    (status = 401, description = "The operator set a token, and this is not it.", body = Problem, content_type = "application/problem+json"),
    (status = 404, description = "The operator switched metrics off.", body = Problem, content_type = "application/problem+json"),
))]
async fn metrics(State(app): State<App>, headers: HeaderMap) -> Result<Response, Problem> {
    if !app.config.metrics.enabled {
        return Err(Problem::new(Code::NotFound, "metrics are off (`metrics.enabled`)"));
    }
    if !admitted(&app, &headers) {
        return Err(Problem::new(Code::Unauthenticated, "send `Authorization: Bearer` with the token that the operator set"));
    }
    let text = app.metrics.text().map_err(|error| Problem::internal(&error))?;
    Ok((StatusCode::OK, [(header::CONTENT_TYPE, TEXT_FORMAT)], text).into_response())
}

fn admitted(app: &App, headers: &HeaderMap) -> bool {
    let Some(token) = &app.metrics_token else { return true };
    let sent = headers.get(header::AUTHORIZATION).and_then(|value| value.as_bytes().strip_prefix(b"Bearer "));
    sent.is_some_and(|sent| sent.ct_eq(token.expose_secret().as_bytes()).into())
}
