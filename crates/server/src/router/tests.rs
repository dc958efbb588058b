//! The whole frame, with a few endpoints of the tests' own in it.

use axum::body::Body;
use axum::routing::{get, post};
use futures::FutureExt;
use futures::future::BoxFuture;
use http::{HeaderMap, Request, StatusCode, header};
use http_body_util::BodyExt;
use tokio::sync::Notify;
use tower::ServiceExt;

use super::*;
use crate::api::testing;
use crate::config::Config;
use crate::http::Json;
use crate::state::{AppState, NotReady, Readiness};

struct Answer(Result<(), NotReady>);

impl Readiness for Answer {
    fn check(&self) -> BoxFuture<'_, Result<(), NotReady>> {
        async { self.0.clone() }.boxed()
    }
}

/// These tests ask nothing of the catalog, so its folder may go.
async fn state(config: Config) -> AppState {
    testing::state(config, &tempfile::tempdir().unwrap()).await
}

fn around() -> Around {
    Around { ids: RequestIds::new(7), traces: Traces::Off }
}

fn config(text: &str) -> Config {
    toml::from_str(text).unwrap()
}

fn service(app: AppState) -> Router {
    let routes = Router::new()
        .route("/api/v1/echo", post(|Json(body): Json<serde_json::Value>| async { Json(body) }))
        .route("/api/v1/panics", get(|| async { panic!("canary") as () }))
        .route("/api/v1/waits", get(std::future::pending::<()>));
    assemble(Arc::new(app), OpenApiRouter::from(routes), Router::new(), around()).unwrap()
}

type Answered = (StatusCode, HeaderMap, String);

async fn send(router: Router, request: Request<Body>) -> Answered {
    let (parts, body) = router.oneshot(request).await.unwrap().into_parts();
    let bytes = body.collect().await.unwrap().to_bytes();
    (parts.status, parts.headers, String::from_utf8(bytes.to_vec()).unwrap())
}

async fn get_path(app: AppState, path: &str) -> Answered {
    send(service(app), Request::get(path).body(Body::empty()).unwrap()).await
}

fn assert_problem((status, headers, body): &Answered, expected: u16, code: &str, path: &str) {
    assert_eq!(headers[header::CONTENT_TYPE], "application/problem+json", "{body}");
    let json: serde_json::Value = serde_json::from_str(body).unwrap();
    assert_eq!((status.as_u16(), json["status"].as_u64().unwrap()), (expected, u64::from(expected)), "{body}");
    assert_eq!((json["code"].as_str().unwrap(), json["instance"].as_str().unwrap()), (code, path), "{body}");
    assert!(headers.contains_key("x-request-id"));
    let length = headers.get(header::CONTENT_LENGTH).map(|value| value.to_str().unwrap().to_owned());
    assert!(length.is_none_or(|length| length == body.len().to_string()));
}

#[tokio::test]
async fn an_unknown_path_is_a_problem_with_the_path_and_without_the_query() {
    assert_problem(&get_path(state(Config::default()).await, "/api/v1/nothing?x=1").await, 404, "not-found", "/api/v1/nothing");
}

#[tokio::test]
async fn a_wrong_method_is_a_problem_that_tells_the_right_ones() {
    let answer = get_path(state(Config::default()).await, "/api/v1/echo").await;
    assert_problem(&answer, 405, "method-not-allowed", "/api/v1/echo");
    assert_eq!(answer.1[header::ALLOW], "POST");
}

#[tokio::test]
async fn a_panic_is_a_problem_without_details() {
    let answer = get_path(state(Config::default()).await, "/api/v1/panics").await;
    assert_problem(&answer, 500, "internal", "/api/v1/panics");
    assert!(!answer.2.contains("canary"));
}

#[tokio::test]
async fn a_body_over_the_limit_is_413() {
    let app = state(config("[limits]\nbody_bytes = 8")).await;
    let request = Request::post("/api/v1/echo").header(header::CONTENT_TYPE, "application/json");
    let answer = send(service(app), request.body(Body::from("\"0123456789\"")).unwrap()).await;
    assert_problem(&answer, 413, "body-too-large", "/api/v1/echo");
}

#[tokio::test]
async fn a_request_that_takes_too_long_is_503_with_retry_after() {
    let answer = get_path(state(config("[limits]\nrequest_seconds = 1")).await, "/api/v1/waits").await;
    assert_problem(&answer, 503, "timed-out", "/api/v1/waits");
    assert_eq!(answer.1[header::RETRY_AFTER], "1");
}

#[tokio::test]
async fn too_many_requests_at_once_are_503_while_probes_answer() {
    let (entered, app) = (Arc::new(Notify::new()), Arc::new(state(config("[limits]\nrequests_in_flight = 1")).await));
    let inside = entered.clone();
    let handler = move || {
        let inside = inside.clone();
        async move {
            inside.notify_one();
            std::future::pending::<()>().await;
        }
    };
    let api = OpenApiRouter::from(Router::new().route("/api/v1/waits", get(handler)));
    let router = assemble(app, api, Router::new(), around()).unwrap();
    let request = |path: &str| Request::get(path).body(Body::empty()).unwrap();
    let first = tokio::spawn(router.clone().oneshot(request("/api/v1/waits")));
    entered.notified().await;
    let answer = send(router.clone(), request("/api/v1/waits")).await;
    assert_problem(&answer, 503, "unavailable", "/api/v1/waits");
    assert!(answer.1.contains_key(header::RETRY_AFTER));
    assert_eq!(send(router, request("/healthz")).await.0, StatusCode::OK);
    first.abort();
}

#[tokio::test]
async fn answers_tell_browsers_what_they_may_do() {
    let (_, headers, _) = get_path(state(Config::default()).await, "/api/openapi.json").await;
    assert!(headers[header::CONTENT_SECURITY_POLICY].to_str().unwrap().starts_with("default-src 'self'"));
    assert_eq!(
        (&headers["x-content-type-options"], &headers["referrer-policy"]),
        (&"nosniff".parse().unwrap(), &"no-referrer".parse().unwrap())
    );
    assert_eq!((&headers["x-frame-options"], &headers["cache-control"]), (&"DENY".parse().unwrap(), &"no-store".parse().unwrap()));
    assert!(!headers.contains_key("strict-transport-security"));
    let behind_tls = state(config("public_url = \"https://isinglass.example.com\"")).await;
    let (_, headers, _) = get_path(behind_tls, "/healthz").await;
    assert!(headers.contains_key("strict-transport-security") && !headers.contains_key("cache-control"));
}

#[tokio::test]
async fn readiness_is_what_the_store_says_until_the_service_stops() {
    let ready = state(Config::default()).await;
    assert_eq!(get_path(ready, "/readyz").await.0, StatusCode::OK);
    let waiting =
        AppState { readiness: Arc::new(Answer(Err(NotReady("migrations run".into())))), ..state(Config::default()).await };
    let answer = get_path(waiting, "/readyz").await;
    assert_problem(&answer, 503, "unavailable", "/readyz");
    assert!(answer.2.contains("migrations run"));
    let stopping = state(Config::default()).await;
    stopping.shutdown.advance();
    assert_eq!(get_path(stopping, "/readyz").await.0, StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn metrics_ask_for_their_token_and_can_be_off() {
    let app = state(Config::default()).await;
    let router = service(app);
    let request = |path: &str| Request::get(path).body(Body::empty()).unwrap();
    send(router.clone(), request("/api/v1/nothing-of-the-kind")).await;
    let (status, headers, body) = send(router, request("/metrics")).await;
    assert_eq!((status, &headers[header::CONTENT_TYPE]), (StatusCode::OK, &crate::metrics::TEXT_FORMAT.parse().unwrap()));
    assert!(body.contains("route=\"unmatched\",status=\"404\"} 1"), "{body}");
    let guarded = async || AppState { metrics_token: Some("t0ken".to_owned().into()), ..state(Config::default()).await };
    assert_problem(&get_path(guarded().await, "/metrics").await, 401, "unauthenticated", "/metrics");
    let with = |token: &str| Request::get("/metrics").header(header::AUTHORIZATION, token).body(Body::empty()).unwrap();
    assert_eq!(send(service(guarded().await), with("Bearer t0ken")).await.0, StatusCode::OK);
    assert_eq!(send(service(guarded().await), with("Bearer other")).await.0, StatusCode::UNAUTHORIZED);
    let off = state(config("[metrics]\nenabled = false")).await;
    assert_problem(&get_path(off, "/metrics").await, 404, "not-found", "/metrics");
}

#[tokio::test]
async fn the_document_is_served() {
    let (_, _, body) = get_path(state(Config::default()).await, "/api/openapi.json").await;
    let json: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert!(json["openapi"].as_str().unwrap().starts_with("3.1"));
    assert!(json["components"]["securitySchemes"]["bearer"].is_object() && json["paths"]["/readyz"].is_object());
}
