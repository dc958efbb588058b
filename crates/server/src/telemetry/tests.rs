//! What reaches the log and the collector, and what does not.

use std::io::Write;
use std::sync::{Arc, Mutex};

use axum::body::Body;
use axum::routing::{get, post};
use axum::{Router, middleware};
use http::Request;
use tower::ServiceExt;
use tracing::instrument::WithSubscriber;

use super::*;
use crate::http::RequestIds;
use crate::http::headers::Transport;
use crate::http::layers::{Outermost, outermost};
use crate::metrics::Metrics;

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Lines {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

fn router(traces: Traces) -> (Router, Arc<Metrics>) {
    let metrics = Arc::new(Metrics::new());
    let log = RequestLog { metrics: metrics.clone(), traces };
    let outer = Outermost { ids: Arc::new(RequestIds::new(7)), transport: Transport::Plain };
    let router = Router::new()
        .route("/things/{id}", post(|_: String| async { "secret answer canary" }))
        .route("/fails", get(|| async { crate::http::Problem::internal_without_details() }))
        .layer(middleware::from_fn_with_state(log, logged))
        .layer(middleware::from_fn_with_state(outer, outermost));
    (router, metrics)
}

fn request() -> http::request::Builder {
    Request::post("/things/canary-id?token=canary").header("authorization", "Bearer canary").header("cookie", "canary=canary")
}

#[tokio::test]
async fn a_request_is_one_json_line_with_its_pattern_and_nothing_that_the_client_sent() {
    let lines = Lines::default();
    let writer = lines.clone();
    let log = Log { format: LogFormat::Json, level: "trace".to_owned() };
    let subscriber = subscriber(&log, move || writer.clone(), None).unwrap();
    let (router, metrics) = router(Traces::Off);
    let sent = router.oneshot(request().body(Body::from("canary body")).unwrap());
    sent.with_subscriber(subscriber).await.unwrap();
    let text = lines.text();
    assert!(!text.contains("canary"), "{text}");
    let line: serde_json::Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
    assert_eq!((&line["message"], &line["status"]), (&"request".into(), &200.into()), "{line}");
    assert_eq!((&line["span"]["route"], &line["span"]["method"]), (&"/things/{id}".into(), &"POST".into()), "{line}");
    assert_eq!(line["span"]["request_id"], "0000000000000007-1");
    assert!(line["duration_ms"].is_number());
    assert!(metrics.text().unwrap().contains("route=\"/things/{id}\",status=\"200\"} 1"));
}

#[tokio::test]
async fn a_failed_request_is_a_warning_in_text() {
    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber = subscriber(&Log::default(), move || writer.clone(), None).unwrap();
    let sent = router(Traces::Off).0.oneshot(Request::get("/fails").body(Body::empty()).unwrap());
    sent.with_subscriber(subscriber).await.unwrap();
    assert!(lines.text().contains("WARN") && lines.text().contains("status=500"), "{}", lines.text());
}

#[test]
fn a_level_that_is_none_is_refused_with_what_is_expected() {
    let log = Log { level: "info,=loud=".to_owned(), ..Log::default() };
    let Err(error) = subscriber(&log, std::io::sink, None) else { panic!("taken") };
    assert!(error.to_string().contains("`log.level`"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn spans_are_posted_and_continue_the_trace_of_the_caller() {
    rustls::crypto::aws_lc_rs::default_provider().install_default().ok();
    let received = Arc::new(Mutex::new(Vec::new()));
    let sink = received.clone();
    let collector = Router::new().route(
        "/v1/traces",
        post(move |body: axum::body::Bytes| {
            sink.lock().unwrap().push(body);
            async {}
        }),
    );
    let socket = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}/v1/traces", socket.local_addr().unwrap());
    let serving = tokio::spawn(async move { axum::serve(socket, collector).await });
    let provider = otlp::provider(&endpoint).unwrap();
    let subscriber = subscriber(&Log::default(), std::io::sink, Some(&provider)).unwrap();
    let traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let sent = router(Traces::On).0.oneshot(request().header("traceparent", traceparent).body(Body::empty()).unwrap());
    sent.with_subscriber(subscriber).await.unwrap();
    tokio::task::spawn_blocking(|| Telemetry { traces: Some(provider) }.finish()).await.unwrap();
    let bodies = received.lock().unwrap().concat();
    serving.abort();
    let has = |bytes: &[u8]| bodies.windows(bytes.len()).any(|window| window == bytes);
    assert!(has(b"POST /things/{id}"), "no span of the request among {} bytes", bodies.len());
    assert!(has(&[0x0a, 0xf7, 0x65, 0x19, 0x16, 0xcd, 0x43, 0xdd]), "another trace");
    assert!(!has(b"canary"), "something of the client was sent");
}
