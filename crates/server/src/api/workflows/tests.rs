//! Workflows over HTTP: what is taken, when they run, who is told, and that one run is open at most.

use axum::body::Body;
use http::{Request, StatusCode};
use serde_json::{Value, json};
use store::WorkflowId;

use crate::api::testing::{Answered, Service, TOKEN, with_token};
use crate::api::workflows::alerts;
use crate::config::{Alerts, Config};

const PATH: &str = "/api/v1/workflows";
const HOOK: &str = "https://hooks.example.com/secret-path";

/// A service with a connection.
async fn service() -> Service {
    let allowed = Alerts { allowed_hosts: vec!["hooks.example.com".to_owned()] };
    let service = Service::start_with(Config { alerts: allowed, ..Config::default() }).await;
    let lake = json!({ "name": "lake", "connector": "glue", "region": "eu-west-1" });
    assert_eq!(service.call("POST", "/api/v1/connections", None, &lake).await.status, StatusCode::CREATED);
    service
}

fn nightly() -> Value {
    json!({ "name": "nightly", "connectionId": "1" })
}

async fn with(service: &Service, change: &Value) -> Answered {
    let mut body = nightly();
    body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
    service.call("POST", PATH, None, &body).await
}

#[tokio::test]
async fn a_workflow_says_when_it_runs_next_and_a_pause_takes_that_away() {
    let service = service().await;
    let schedule = json!({ "cron": "30 2 * * *", "timeZone": "Europe/Berlin" });
    let settings = json!({ "glue": { "include": ["*/sales"] } });
    let made = with(&service, &json!({ "schedule": schedule, "settings": settings })).await;
    assert_eq!(
        (made.status, &made.body["schedule"], &made.body["settings"]),
        (StatusCode::CREATED, &schedule, &settings),
        "{made:?}"
    );
    let next = made.body["nextRunAt"].as_i64().unwrap();
    let times = made.body["nextRunsAt"].as_array().unwrap();
    assert_eq!((times.len(), times[0].as_i64()), (5, Some(next)));
    let defaults = (&made.body["preflight"], &made.body["retries"]["max"], &made.body["removal"]["maxSharePercent"]);
    assert_eq!(defaults, (&json!("soft"), &json!(3), &json!(20)));

    let paused = service.call("POST", &format!("{PATH}/1/pause"), None, &json!({})).await;
    assert_eq!((paused.status, paused.body.get("nextRunAt"), &paused.body["nextRunsAt"]), (StatusCode::OK, None, &json!([])));
    let resumed = service.call("POST", &format!("{PATH}/1/resume"), None, &json!({})).await;
    assert_eq!((&resumed.body["nextRunAt"], resumed.body.get("pausedAt")), (&json!(next), None));
    let version = resumed.body["version"].as_i64();
    let by_hand = service.call("PATCH", &format!("{PATH}/1"), version, &json!({ "schedule": null, "retries": { "max": 0 } })).await;
    assert_eq!((by_hand.body.get("schedule"), &by_hand.body["retries"]["max"]), (None, &json!(0)), "{by_hand:?}");
    let stale = service.call("PATCH", &format!("{PATH}/1"), version, &json!({ "name": "x" })).await;
    assert_eq!(stale.status, StatusCode::PRECONDITION_FAILED);
}

#[tokio::test]
async fn what_cannot_be_a_workflow_is_422_and_the_field_named() {
    let service = service().await;
    for (change, named) in [
        (json!({ "name": "a\nb" }), "name"),
        (json!({ "settings": { "glue": { "include": ["*/sales", "a/b/c/d"] } } }), "settings.glue.include[1]"),
        (json!({ "settings": { "glue": { "skip": ["jbos"] } } }), "settings.glue.skip[0]"),
        (json!({ "settings": { "smus": {} } }), "settings.smus"),
        (json!({ "settings": { "glue": [] } }), "settings.glue"),
        (json!({ "schedule": { "cron": "61 * * * *" } }), "schedule.cron"),
        (json!({ "schedule": { "cron": "0 * * * *", "timeZone": "Berlin" } }), "schedule.timeZone"),
        (json!({ "retries": { "max": 11 } }), "retries.max"),
        (json!({ "removal": { "maxSharePercent": 101 } }), "removal.maxSharePercent"),
        (json!({ "alerts": [{ "url": HOOK }, { "url": "https://elsewhere.example.com/" }] }), "alerts[1].url"),
        (json!({ "alerts": [{ "url": HOOK, "on": ["bad"] }] }), "alerts[0].on"),
    ] {
        let refused = with(&service, &change).await;
        let field = &refused.body["errors"][0]["field"];
        assert_eq!((refused.status, field), (StatusCode::UNPROCESSABLE_ENTITY, &json!(named)), "{change} {refused:?}");
    }
    assert_eq!(with(&service, &json!({ "connectionId": "99" })).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn the_secret_of_an_alert_is_shown_once_and_kept_sealed() {
    let service = service().await;
    let made = with(&service, &json!({ "alerts": [{ "url": HOOK, "on": ["failed"] }] })).await;
    let secret = made.body["alerts"][0]["secret"].as_str().unwrap().to_owned();
    assert!(secret.starts_with("whsec_"), "{made:?}");
    let read = service.get(&format!("{PATH}/1")).await;
    assert_eq!(read.body["alerts"], json!([{ "url": HOOK, "on": ["failed"] }]));
    let alert = json!({ "alerts": [{ "url": HOOK, "on": ["partial"] }] });
    let kept = service.call("PATCH", &format!("{PATH}/1"), Some(1), &alert).await;
    assert_eq!(kept.body["alerts"], json!([{ "url": HOOK, "on": ["partial"] }]), "the same receiver keeps its secret");
    let stored = service.app.store.workflow(WorkflowId(1)).await.unwrap().spec.alerts;
    assert!(!stored.contains(&secret));
    let opened = alerts::open(&service.app, &alerts::read(&stored)[0]).unwrap();
    assert_eq!(opened.expose().as_str(), secret);
}

#[tokio::test]
async fn a_workflow_has_one_open_run_and_a_repeated_request_is_answered_alike() {
    let service = service().await;
    with(&service, &json!({})).await;
    let path = format!("{PATH}/1/runs");
    let run_now = async |key: &str| {
        let request = with_token(Request::post(&path), TOKEN).header("idempotency-key", key);
        service.send(request.body(Body::empty()).unwrap()).await
    };
    let run = run_now("one").await;
    assert_eq!((run.status, &run.body["state"]), (StatusCode::ACCEPTED, &json!("queued")), "{run:?}");
    assert_eq!(run_now("one").await.body, run.body);
    let second = run_now("two").await;
    assert_eq!((second.status, &second.body["existing"]["id"]), (StatusCode::CONFLICT, &run.body["id"]), "{second:?}");
    let refused = service.call("DELETE", &format!("{PATH}/1"), None, &json!({})).await;
    assert_eq!(refused.status, StatusCode::CONFLICT);
    let queues = json!([{ "runsOn": "direct", "queued": 1, "running": 0 }]);
    assert_eq!(service.get("/api/v1/system").await.body["queues"], queues);
}

#[tokio::test]
async fn workflows_are_listed_by_connection_and_a_removed_one_is_gone() {
    let service = service().await;
    with(&service, &json!({})).await;
    with(&service, &json!({ "name": "hourly" })).await;
    let taken = with(&service, &json!({ "name": "hourly" })).await;
    assert_eq!((taken.status, &taken.body["existing"]["href"]), (StatusCode::CONFLICT, &json!("/api/v1/workflows/2")));
    let first = service.get(&format!("{PATH}?connectionId=1&limit=1")).await;
    let cursor = first.body["nextCursor"].as_str().unwrap();
    let rest = service.get(&format!("{PATH}?connectionId=1&limit=1&cursor={cursor}")).await;
    assert_eq!((&rest.body["items"][0]["name"], rest.body.get("nextCursor")), (&json!("hourly"), None));
    assert_eq!(service.get(&format!("{PATH}?connectionId=2")).await.body, json!({ "items": [] }));
    assert_eq!(service.call("DELETE", &format!("{PATH}/1"), Some(7), &json!({})).await.status, StatusCode::PRECONDITION_FAILED);
    assert_eq!(service.call("DELETE", &format!("{PATH}/1"), None, &json!({})).await.status, StatusCode::NO_CONTENT);
    assert_eq!(service.get(&format!("{PATH}/1")).await.status, StatusCode::NOT_FOUND);
}
