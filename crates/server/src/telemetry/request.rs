//! The span, the log line and the metrics of one request.

use std::sync::Arc;

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::HeaderMap;
use opentelemetry::propagation::TextMapPropagator;
use opentelemetry_http::HeaderExtractor;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use tokio::time::Instant;
use tracing::field::Empty;
use tracing::{Instrument, Span};
use tracing_opentelemetry::OpenTelemetrySpanExt;

use crate::http::RequestId;
use crate::metrics::{Metrics, RequestLabels, method_label};

/// The route of what matched none.
const UNMATCHED: &str = "unmatched";

/// Whether spans go anywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Traces {
    /// To the collector.
    On,
    /// Nowhere.
    Off,
}

/// What the layer needs.
#[derive(Clone, Debug)]
pub struct RequestLog {
    /// Where requests are counted.
    pub metrics: Arc<Metrics>,
    /// Whether the caller's trace is continued.
    pub traces: Traces,
}

/// Runs a request in its span, then logs and counts it.
pub async fn logged(State(log): State<RequestLog>, request: Request, next: Next) -> Response {
    let method = method_label(request.method());
    let route = request.extensions().get::<MatchedPath>().map_or(UNMATCHED, MatchedPath::as_str).to_owned();
    let span = span(&log, method, &route, &request);
    let started = Instant::now();
    let response = next.run(request).instrument(span.clone()).await;
    let elapsed = started.elapsed();
    let status = response.status().as_u16();
    let duration_ms = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
    span.record("status", status);
    span.in_scope(|| match status {
        500.. => tracing::warn!(status, duration_ms, "request"),
        _ => tracing::info!(status, duration_ms, "request"),
    });
    log.metrics.answered(&RequestLabels { method, route, status }, elapsed.as_secs_f64());
    response
}

fn span(log: &RequestLog, method: &'static str, route: &str, request: &Request) -> Span {
    let id = request.extensions().get::<RequestId>().map(RequestId::as_str).unwrap_or_default();
    match log.traces {
        Traces::Off => tracing::info_span!("request", method, route, request_id = id, status = Empty),
        Traces::On => {
            let name = format!("{method} {route}");
            let span = tracing::info_span!(
                "request",
                method,
                route,
                request_id = id,
                status = Empty,
                otel.name = name,
                otel.kind = "server"
            );
            continue_trace(&span, request.headers());
            span
        }
    }
}

/// Makes the caller's span, named by `traceparent`, the parent. Without one, or with a broken one, a trace begins here.
fn continue_trace(span: &Span, headers: &HeaderMap) {
    if headers.contains_key("traceparent") {
        let parent = TraceContextPropagator::new().extract(&HeaderExtractor(headers));
        if let Err(error) = span.set_parent(parent) {
            tracing::debug!(?error, "the trace of the caller is not continued");
        }
    }
}
