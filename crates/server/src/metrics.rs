//! What the service counts. One struct, made by the shell and passed on; nothing is global.
//!
//! Labels are bounded: routes are patterns, methods the known ones, queues the runtimes that exist.

use std::fmt::{self, Write};

use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder, prometheus_text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

/// The media type of [`Metrics::text`].
pub const TEXT_FORMAT: &str = "text/plain; version=0.0.4; charset=utf-8";

const DURATION_BUCKETS_SECONDS: [f64; 11] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// An answered request.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub struct RequestLabels {
    /// `GET`
    pub method: &'static str,
    /// The pattern: `/api/v1/runs/{id}`
    pub route: String,
    /// `200`
    pub status: u16,
}

/// Requests of a route.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub struct RouteLabels {
    /// `GET`
    pub method: &'static str,
    /// The pattern.
    pub route: String,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, Hash, PartialEq, Eq)]
pub enum OutcomeLabel {
    /// Everything was read.
    Complete,
    /// Some scopes were skipped.
    Partial,
    /// Nothing came of it.
    Failed,
    /// Somebody stopped it.
    Cancelled,
    /// The process that ran it ended.
    Interrupted,
}

impl EncodeLabelValue for OutcomeLabel {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> fmt::Result {
        encoder.write_str(match self {
            Self::Complete => "complete",
            Self::Partial => "partial",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Interrupted => "interrupted",
        })
    }
}

/// An ended run.
#[derive(Clone, Copy, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub struct RunLabels {
    /// How.
    pub outcome: OutcomeLabel,
}

/// A queue.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub struct QueueLabels {
    /// `direct` or `runtime:<name>`
    pub queue: String,
}

/// A call of a crawl.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub struct CallLabels {
    /// `glue:GetTables`, as in the evidence.
    pub operation: String,
}

/// Every metric, and the registry that writes them.
pub struct Metrics {
    registry: Registry,
    /// Answered requests.
    pub requests: Family<RequestLabels, Counter>,
    /// How long they took.
    pub request_seconds: Family<RouteLabels, Histogram, fn() -> Histogram>,
    /// Ended runs.
    pub runs: Family<RunLabels, Counter>,
    /// Jobs that wait.
    pub queue_length: Family<QueueLabels, Gauge>,
    /// Jobs that are leased.
    pub leases: Family<QueueLabels, Gauge>,
    /// Calls to AWS.
    pub crawl_calls: Family<CallLabels, Counter>,
}

impl fmt::Debug for Metrics {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Metrics").finish_non_exhaustive()
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Metrics {
    /// All at zero.
    #[must_use]
    pub fn new() -> Self {
        let mut metrics = Self {
            registry: Registry::with_prefix("isinglass"),
            requests: Family::default(),
            request_seconds: Family::new_with_constructor(durations),
            runs: Family::default(),
            queue_length: Family::default(),
            leases: Family::default(),
            crawl_calls: Family::default(),
        };
        let registry = &mut metrics.registry;
        registry.register("http_requests", "Answered requests", metrics.requests.clone());
        registry.register("http_request_duration_seconds", "Time to the head of the answer", metrics.request_seconds.clone());
        registry.register("runs", "Ended runs", metrics.runs.clone());
        registry.register("queue_length", "Jobs that wait", metrics.queue_length.clone());
        registry.register("leases", "Jobs that are leased", metrics.leases.clone());
        registry.register("crawl_calls", "Calls to AWS of direct crawls", metrics.crawl_calls.clone());
        metrics
    }

    /// An answered request; `seconds` to the head of the answer.
    pub fn answered(&self, labels: &RequestLabels, seconds: f64) {
        let route = RouteLabels { method: labels.method, route: labels.route.clone() };
        self.requests.get_or_create(labels).inc();
        self.request_seconds.get_or_create(&route).observe(seconds);
    }

    /// In the text format of Prometheus, 0.0.4.
    ///
    /// # Errors
    /// Never for these metrics; the encoder's signature has it.
    pub fn text(&self) -> Result<String, fmt::Error> {
        let mut text = String::new();
        prometheus_text::encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

fn durations() -> Histogram {
    Histogram::new(DURATION_BUCKETS_SECONDS)
}

/// The known methods by name; anything else is one label, since clients choose it.
#[must_use]
pub fn method_label(method: &http::Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        "OPTIONS" => "OPTIONS",
        _ => "OTHER",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_counted_is_in_the_text() {
        let metrics = Metrics::new();
        metrics.answered(&RequestLabels { method: "GET", route: "/api/v1/runs/{id}".into(), status: 404 }, 0.02);
        metrics.runs.get_or_create(&RunLabels { outcome: OutcomeLabel::Partial }).inc();
        metrics.queue_length.get_or_create(&QueueLabels { queue: "direct".into() }).set(3);
        metrics.crawl_calls.get_or_create(&CallLabels { operation: "glue:GetTables".into() }).inc_by(7);
        let text = metrics.text().unwrap();
        for line in [
            "isinglass_http_requests_total{method=\"GET\",route=\"/api/v1/runs/{id}\",status=\"404\"} 1",
            "isinglass_http_request_duration_seconds_bucket{method=\"GET\",route=\"/api/v1/runs/{id}\",le=\"0.025\"} 1",
            "isinglass_runs_total{outcome=\"partial\"} 1",
            "isinglass_queue_length{queue=\"direct\"} 3",
            "isinglass_crawl_calls_total{operation=\"glue:GetTables\"} 7",
        ] {
            assert!(text.contains(line), "{line} is not in\n{text}");
        }
    }

    #[test]
    fn invented_methods_share_a_label() {
        assert_eq!(method_label(&http::Method::from_bytes(b"BREW").unwrap()), "OTHER");
    }
}
