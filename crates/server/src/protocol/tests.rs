//! The protocol as a runtime speaks it, one that is sound and one that lies.

mod world;

use http::StatusCode;
use model::{Asset, AssetBatch, Item, Kind, QualifiedName, Scope};
use serde_json::{Value, json};
use store::{AuditFilter, PageRequest, RunRef, RunState};
use wire::assertion::{Claims, SigningKey};
use wire::batch::{BATCH_TEXT_BYTES_MAX, encode};
use wire::{BatchDigest, EncodedBatch};

use self::world::{World, now_seconds};
use super::AUDIENCE;

fn table(root: &str, name: &str) -> Asset {
    Asset::new(Kind::Table, QualifiedName::from_encoded(format!("{root}/AwsDataCatalog/sales/{name}")), name)
}

fn batch(root: &str, names: &[&str]) -> EncodedBatch {
    let items = names.iter().map(|name| Item::from(table(root, name))).collect();
    encode(&AssetBatch { scope: Scope::new("AwsDataCatalog/sales"), items, unchanged: Vec::new() }).unwrap()
}

fn report(outcome: &str) -> Value {
    let report =
        model::document::report::Report { outcome: outcome.to_owned(), started_at: 1, finished_at: 2, ..Default::default() };
    serde_json::to_value(report).unwrap()
}

fn crawled(gone: &Value) -> Value {
    let scopes = json!([{ "scope": "AwsDataCatalog/sales", "complete": true }]);
    json!({ "kind": "crawled", "report": report("complete"), "scopes": scopes, "gone": gone, "account": "111122223333" })
}

#[tokio::test]
async fn a_run_goes_to_its_runtime_and_comes_back_into_the_catalog() {
    let world = World::start().await;
    crate::work::start_receiving(&world.service.app);
    let runtime = world.enrolled("vpc").await;
    assert_eq!(runtime.lease(&json!([]), 0).await["work"], Value::Null, "there is nothing to do");
    let run = world.enqueue().await;
    let work = runtime.lease(&json!([]), 5).await["work"].clone();
    assert_eq!((&work["kind"], &work["lease"]["run"]), (&json!("crawl"), &json!(run)), "{work}");
    let (job, lease) = (&work["job"], work["lease"]["id"].as_str().unwrap());
    assert_eq!((&job["connector"], &job["isFirst"], &job["preflight"]), (&json!("glue"), &json!(true), &json!("soft")));
    let values = &job["credential"]["values"];
    assert_eq!(values["password"], json!({ "secret": "secret-access-key" }), "{job}");
    assert_eq!(job["credential"]["secretPath"], "prod/glue");

    let root = world.root().await;
    for (sequence, names) in [(1, ["orders", "items"].as_slice()), (2, &["people"])] {
        let stored = runtime.batch(lease, run, sequence, &batch(&root, names)).await;
        assert_eq!((stored.status, &stored.body), (StatusCode::OK, &json!({ "stored": sequence })));
    }
    let again = runtime.batch(lease, run, 1, &batch(&root, &["orders", "items"])).await;
    assert_eq!(again.status, StatusCode::OK, "an answer was lost");
    let beat = json!({ "lease": lease, "progress": { "pages": 2, "tables": 3, "columns": 0, "scopesTotal": 1, "scopesDone": 1,
        "scope": "AwsDataCatalog/sales", "calls": 4 } });
    assert_eq!(runtime.post("heartbeat", &beat).await.body, json!({ "command": "continue" }));
    let asked = |number: u64, question: Value| {
        let body = json!({ "lease": lease, "after": 2, "waitSeconds": 20, "question": question });
        let (runtime, path) = (&runtime, format!("questions/{run}/{number}"));
        async move { runtime.post(&path, &body).await.body["answer"].clone() }
    };
    let stored = asked(1, json!({ "ask": "stored", "qualifiedName": format!("{root}/AwsDataCatalog/sales/people") })).await;
    assert_eq!(stored["stored"]["asset"]["name"], "people", "what was sent before counts: {stored}");
    let scopes = json!([{ "scope": "AwsDataCatalog/sales", "complete": true }]);
    let missing = asked(2, json!({ "ask": "missing", "scopes": scopes, "limit": 10 })).await;
    assert_eq!(missing, json!({ "missing": { "assets": [] } }));
    let unchanged = json!({ "ask": "unchanged", "slices": [{ "qualifiedName": "x/y", "hash": "00000000000000ff" }] });
    assert_eq!(asked(3, unchanged).await, json!({ "unchanged": { "known": [null] } }));

    let log = json!({ "lease": lease, "lines": [{ "atMs": 1, "level": "warn", "message": "slow" }] });
    assert_eq!(runtime.post("logs", &log).await.status, StatusCode::NO_CONTENT);
    let finish = json!({ "lease": lease, "batches": 2, "ending": crawled(&json!([])) });
    assert_eq!(runtime.post("finish", &finish).await.status, StatusCode::NO_CONTENT);
    let ended = world.end_of(run).await;
    assert_eq!(ended.state, RunState::Ended(model::Outcome::Complete));
    assert_eq!(runtime.post("finish", &finish).await.status, StatusCode::NO_CONTENT, "the answer was lost");
    let report = world.service.app.store.report(RunRef::Id(model::RunId(run))).await.unwrap().unwrap();
    assert_eq!((report.counts["Table"], report.changes.created), (3, 3));
    let kinds: Vec<_> = world.events(run).await;
    for kind in ["attempt", "log", "progress", "ended"] {
        assert!(kinds.iter().any(|known| known == kind), "{kind} is not among {kinds:?}");
    }
    assert_eq!(runtime.post("heartbeat", &json!({ "lease": lease })).await.body, json!({ "command": "abandon" }));
    assert!(world.service.app.store.prune_inboxes().await.unwrap() <= 1);
}

#[tokio::test]
async fn what_no_sound_runtime_does_is_refused_and_written_down() {
    let world = World::start().await;
    let (runtime, other) = (world.enrolled("vpc").await, world.enrolled("vpc").await);
    let run = world.enqueue().await;
    let work = runtime.lease(&json!([]), 5).await["work"].clone();
    let lease = work["lease"]["id"].as_str().unwrap();
    let root = world.root().await;
    let good = batch(&root, &["orders"]);
    let refused = async |what: &str, status: StatusCode, code: &str, answered: crate::api::testing::Answered| {
        assert_eq!((answered.status, &answered.body["code"]), (status, &json!(code)), "{what}: {answered:?}");
    };
    let (conflict, unreadable) = (StatusCode::CONFLICT, StatusCode::UNPROCESSABLE_ENTITY);
    refused("another's lease", conflict, "lease-lost", other.batch(lease, run, 1, &good).await).await;
    refused("another run", unreadable, "malformed", runtime.batch(lease, run + 1, 1, &good).await).await;
    refused("a gap", conflict, "batch-out-of-order", runtime.batch(lease, run, 2, &good).await).await;
    let (job, fence) = lease.split_once('.').unwrap();
    let stale = format!("{job}.{}", fence.parse::<i64>().unwrap() - 1);
    refused("a stale fence", conflict, "lease-lost", runtime.batch(&stale, run, 1, &good).await).await;
    let lie = EncodedBatch { digest: BatchDigest([0; 32]), ..good.clone() };
    refused("a wrong digest", unreadable, "digest-mismatch", runtime.batch(lease, run, 1, &lie).await).await;
    let zeros = vec![b' '; BATCH_TEXT_BYTES_MAX + 1];
    let bomb = EncodedBatch { bytes: zstd::bulk::compress(&zeros, 19).unwrap(), digest: BatchDigest::of(&zeros), text: zeros };
    let too_large = StatusCode::PAYLOAD_TOO_LARGE;
    refused("a bomb", too_large, "too-large", runtime.batch(lease, run, 1, &bomb).await).await;
    let wide = EncodedBatch { bytes: vec![7; wire::batch::BATCH_BYTES_MAX + 1], ..good.clone() };
    refused("an oversized batch", too_large, "too-large", runtime.batch(lease, run, 1, &wide).await).await;
    let foreign = batch("default/glue/9", &["orders"]);
    refused("another connection", unreadable, "malformed", runtime.batch(lease, run, 1, &foreign).await).await;
    assert_eq!(runtime.batch(lease, run, 1, &good).await.status, StatusCode::OK);
    refused("another content", conflict, "batch-differs", runtime.batch(lease, run, 1, &batch(&root, &["else"])).await).await;
    let early = json!({ "lease": lease, "batches": 7, "ending": crawled(&json!([])) });
    refused("an end too early", conflict, "batch-out-of-order", runtime.post("finish", &early).await).await;
    let log = world.service.app.store.audit_log(&AuditFilter::default(), PageRequest::first(200)).await.unwrap();
    let written = log.items.iter().filter(|entry| entry.action == "runtime.refused").count();
    assert!(written >= 7, "{written} refusals are written down");
}

#[tokio::test]
async fn an_assertion_is_good_once_and_a_revoked_runtime_is_told_so() {
    let world = World::start().await;
    let runtime = world.enrolled("vpc").await;
    let claims = Claims::new(&runtime.id, AUDIENCE, "once".to_owned(), now_seconds());
    let assertion = runtime.key.sign(&claims);
    assert_eq!(world.sign_in(&assertion).await.status, StatusCode::OK);
    let replayed = world.sign_in(&assertion).await;
    assert_eq!((replayed.status, &replayed.body["error"]), (StatusCode::UNAUTHORIZED, &json!("invalid_client")), "{replayed:?}");
    let stranger = SigningKey::from_seed(&[9; 32]).unwrap();
    for (what, assertion) in [
        ("another key", stranger.sign(&Claims::new(&runtime.id, AUDIENCE, "a".to_owned(), now_seconds()))),
        ("nobody", stranger.sign(&Claims::new("77", AUDIENCE, "b".to_owned(), now_seconds()))),
        ("elsewhere", runtime.key.sign(&Claims::new(&runtime.id, "x", "c".to_owned(), now_seconds()))),
        ("long ago", runtime.key.sign(&Claims::new(&runtime.id, AUDIENCE, "d".to_owned(), now_seconds() - 3600))),
    ] {
        let refused = world.sign_in(&assertion).await;
        assert_eq!(refused.status, StatusCode::UNAUTHORIZED, "{what}");
        assert!(refused.body["server_time"].is_i64(), "a wrong clock can be put right: {refused:?}");
    }
    let run = world.enqueue().await;
    let lease = runtime.lease(&json!([]), 5).await["work"]["lease"]["id"].clone();
    let revoked = world.service.call("POST", &format!("/api/v1/runtimes/{}/revoke", runtime.id), None, &json!({})).await;
    assert_eq!((revoked.status, &revoked.body["state"]), (StatusCode::OK, &json!("revoked")));
    let beat = runtime.post("heartbeat", &json!({ "lease": lease })).await;
    assert_eq!((beat.status, &beat.body["code"]), (StatusCode::UNAUTHORIZED, &json!("unauthenticated")));
    let claims = Claims::new(&runtime.id, AUDIENCE, "later".to_owned(), now_seconds());
    let told = world.sign_in(&runtime.key.sign(&claims)).await;
    assert_eq!((told.status, &told.body["code"]), (StatusCode::FORBIDDEN, &json!("revoked")));
    world.service.app.store.expire(0, world.service.app.clock.now_ms()).await.unwrap();
    let next = world.enrolled("vpc").await;
    assert_eq!(next.lease(&json!([]), 5).await["work"]["lease"]["run"], json!(run), "another one goes on");
}

#[tokio::test]
async fn an_enrolment_needs_a_token_that_works_and_a_name_that_connections_can_use() {
    let world = World::start().await;
    let key = SigningKey::from_seed(&[3; 32]).unwrap();
    let body = |token: &str, name: &str, protocol: u32| json!({ "token": token, "name": name, "publicKey": key.public_key(), "version": "0.1.0", "protocol": protocol });
    let token = world.enrolment_token(&json!({ "name": "vpc", "expiresInMinutes": 5 })).await;
    for (what, body, code) in [
        ("no token", body("nonsense", "vpc", 1), "enrolment-refused"),
        ("another name", body(&token, "other", 1), "enrolment-refused"),
        ("a name that is none", body(&token, "direct", 1), "malformed"),
        ("a newer protocol", body(&token, "vpc", 2), "unsupported-protocol"),
    ] {
        let refused = world.post("enroll", &body).await;
        assert_eq!(refused.body["code"], code, "{what}: {refused:?}");
    }
    let enrolled = world.post("enroll", &body(&token, "vpc", 1)).await;
    assert_eq!((enrolled.status, &enrolled.body["name"]), (StatusCode::CREATED, &json!("vpc")), "{enrolled:?}");
    assert_eq!(world.post("enroll", &body(&token, "vpc", 1)).await.body, enrolled.body, "the answer was lost");
    let other = SigningKey::from_seed(&[4; 32]).unwrap().public_key();
    let mut stolen = body(&token, "vpc", 1);
    stolen["publicKey"] = json!(other);
    assert_eq!(world.post("enroll", &stolen).await.body["code"], "enrolment-refused", "it works once");
    let listed = world.service.get("/api/v1/runtimes").await;
    assert_eq!((&listed.body["items"][0]["name"], &listed.body["items"][0]["state"]), (&json!("vpc"), &json!("online")));
    for wrong in [json!({ "expiresInMinutes": 0 }), json!({ "name": "a b" }), json!({ "name": "direct" })] {
        let refused = world.service.call("POST", "/api/v1/runtimes/enrolment-tokens", None, &wrong).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{wrong}");
    }
}

#[tokio::test]
async fn a_question_to_a_source_is_answered_by_the_runtime() {
    let world = World::start().await;
    let runtime = world.enrolled("vpc").await;
    let id = world.connection().await;
    let (path, nothing) = (format!("/api/v1/connections/{id}/test-sign-in"), json!({}));
    let (asked, ()) = tokio::join!(world.service.call("POST", &path, None, &nothing), async {
        let work = runtime.lease(&json!([]), 10).await["work"].clone();
        assert_eq!((&work["kind"], &work["action"]), (&json!("task"), &json!("test-sign-in")), "{work}");
        let check = json!({ "name": "sign-in", "state": "passed", "message": "ok", "remedy": "", "durationMs": 3 });
        let outcome = json!({ "kind": "sign-in", "check": check, "account": "111122223333" });
        let task = work["id"].as_str().unwrap();
        let stored = runtime.post(&format!("tasks/{task}"), &json!({ "outcome": outcome })).await;
        assert_eq!(stored.status, StatusCode::NO_CONTENT, "{stored:?}");
    });
    assert_eq!((asked.status, &asked.body["account"]), (StatusCode::OK, &json!("111122223333")), "{asked:?}");
    let path = format!("/api/v1/connections/{id}/preflight");
    let (asked, ()) = tokio::join!(world.service.call("POST", &path, None, &nothing), async {
        let work = runtime.lease(&json!([]), 10).await["work"].clone();
        let failure = json!({ "category": "secret-store", "blame": "source", "message": "the entry prod/glue is not there",
            "suggestedAction": "Create it." });
        let task = work["id"].as_str().unwrap();
        runtime.post(&format!("tasks/{task}"), &json!({ "outcome": { "kind": "failed", "failure": failure } })).await;
    });
    assert_eq!(asked.status, StatusCode::CONFLICT);
    assert_eq!(asked.body["detail"], "the entry prod/glue is not there. Create it.");
}

#[tokio::test]
async fn a_failed_run_is_tried_again_where_the_plumbing_is_at_fault_and_a_run_that_was_given_back_waits() {
    let world = World::start().await;
    crate::work::start_receiving(&world.service.app);
    let runtime = world.enrolled("vpc").await;
    let run = world.enqueue().await;
    let lease = runtime.lease(&json!([]), 5).await["work"]["lease"]["id"].clone();
    let back = json!({ "lease": lease, "batches": 0, "ending": { "kind": "handed-back", "reason": "the runtime stops" } });
    assert_eq!(runtime.post("finish", &back).await.status, StatusCode::NO_CONTENT);
    let work = runtime.lease(&json!([]), 20).await["work"].clone();
    assert_eq!((&work["lease"]["run"], &work["lease"]["attempt"]), (&json!(run), &json!(1)), "it does not count: {work}");
    let failure = json!({ "category": "credentials", "blame": "source", "message": "no such key" });
    let ending = json!({ "kind": "failed", "report": report("failed"), "failure": failure });
    let failed = json!({ "lease": work["lease"]["id"], "batches": 0, "ending": ending });
    assert_eq!(runtime.post("finish", &failed).await.status, StatusCode::NO_CONTENT);
    let ended = world.end_of(run).await;
    assert_eq!(ended.state, RunState::Ended(model::Outcome::Failed));
    assert!(ended.failure.unwrap().contains("no such key"));
}
