//! Outages, kills, drains, revocation, and the commands around them.

use std::time::Duration;

use serde_json::{Value, json};
use wire::Ending;

use crate::control_plane::ControlPlane;
use crate::process::{Home, aws, files, job};

async fn until(what: &str, is_so: impl Fn() -> bool) {
    for _ in 0..2_000 {
        if is_so() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("{what} did not come");
}

fn has_file(home: &Home, name: &str) -> bool {
    files(&home.data().join("spool")).iter().any(|file| file.ends_with(name))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_was_killed_at_its_end_ends_after_the_next_start() {
    let (simulation, plane) = (aws().await, ControlPlane::start().await);
    let home = Home::enrolled(&simulation, &plane);
    plane.refuse("/runtime/v1/finish", 503, Value::Null);
    plane.give(job("41.3", |_| {}));
    let mut process = home.run(&[]);
    until("the end of the crawl", || has_file(&home, "finish.json")).await;
    assert!(plane.state().finishes.is_empty());
    process.kill();

    plane.allow_everything();
    let _process = home.run(&[]);
    let finish = plane.finish().await;
    assert!(matches!(finish.ending, Ending::Crawled { .. }), "{finish:?}\n{}", home.stderr());
    assert_eq!(finish.batches.0, plane.batches("41.3").len() as u64);
    until("an empty spool", || files(&home.data().join("spool")).is_empty()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_was_killed_in_the_middle_is_handed_back() {
    let (simulation, plane) = (aws().await, ControlPlane::start().await);
    let home = Home::enrolled(&simulation, &plane);
    // The crawl waits for its answer.
    plane.refuse("/runtime/v1/questions", 503, Value::Null);
    plane.give(job("41.3", |job| job["isFirst"] = json!(false)));
    let mut process = home.run(&[]);
    plane.until("a batch", |state| state.batches.get("41.3").is_some_and(|batches| !batches.is_empty())).await;
    process.kill();
    assert!(plane.state().finishes.is_empty());

    plane.allow_everything();
    let _process = home.run(&[]);
    let finish = plane.finish().await;
    assert!(matches!(finish.ending, Ending::HandedBack { .. }), "{finish:?}");
    until("an empty spool", || files(&home.data().join("spool")).is_empty()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_nothing_is_taken_batches_wait_in_the_spool_and_then_all_of_them_are_sent_once() {
    let (simulation, plane) = (aws().await, ControlPlane::start().await);
    let home = Home::enrolled(&simulation, &plane);
    plane.refuse("/runtime/v1/batches", 502, Value::Null);
    plane.give(job("41.3", |_| {}));
    let _process = home.run(&[]);
    until("several batches", || has_file(&home, "0000000005.ndjson.zst")).await;
    assert!(has_file(&home, "0000000001.ndjson.zst") && plane.batches("41.3").is_empty());
    plane.allow_everything();
    let finish = plane.finish().await;
    assert!(matches!(finish.ending, Ending::Crawled { .. }), "{finish:?}\n{}", home.stderr());
    assert_eq!(finish.batches.0, plane.batches("41.3").len() as u64);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancelled_crawl_stops_and_says_so() {
    let (simulation, plane) = (aws().await, ControlPlane::start().await);
    let home = Home::enrolled(&simulation, &plane);
    plane.refuse("/runtime/v1/questions", 503, Value::Null);
    plane.state().command = "cancel".to_owned();
    plane.give(job("41.3", |job| job["isFirst"] = json!(false)));
    let _process = home.run(&[]);
    let finish = plane.finish().await;
    let Ending::Cancelled { report } = &finish.ending else { panic!("{finish:?}") };
    assert_eq!(report.outcome, "cancelled");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_is_somebody_elses_is_forgotten() {
    let (simulation, plane) = (aws().await, ControlPlane::start().await);
    let home = Home::enrolled(&simulation, &plane);
    plane.refuse("/runtime/v1/questions", 503, Value::Null);
    plane.refuse("/runtime/v1/heartbeat", 409, json!({ "code": "lease-lost", "detail": "it is another runtime's" }));
    plane.give(job("41.3", |job| job["isFirst"] = json!(false)));
    let _process = home.run(&[]);
    until("the log line", || home.stderr().contains("somebody else's now")).await;
    until("an empty spool", || files(&home.data().join("spool")).is_empty()).await;
    assert!(plane.state().finishes.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_hands_back_what_does_not_end_in_time() {
    let (simulation, plane) = (aws().await, ControlPlane::start().await);
    let home = Home::enrolled(&simulation, &plane);
    plane.refuse("/runtime/v1/questions", 503, Value::Null);
    plane.give(job("41.3", |job| job["isFirst"] = json!(false)));
    let mut process = home.run(&["--drain-seconds", "1"]);
    plane.until("a batch", |state| state.batches.get("41.3").is_some_and(|batches| !batches.is_empty())).await;
    process.terminate();
    let finish = plane.finish().await;
    assert!(matches!(finish.ending, Ending::HandedBack { .. }), "{finish:?}");
    assert_eq!(process.status().await, 0, "{}", home.stderr());
    assert!(files(&home.data().join("spool")).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_runtime_stops_with_its_own_status() {
    let (simulation, plane) = (aws().await, ControlPlane::start().await);
    let home = Home::enrolled(&simulation, &plane);
    plane.refuse("/runtime/v1/lease", 403, json!({ "code": "revoked", "detail": "by an administrator" }));
    let mut process = home.run(&[]);
    assert_eq!(process.status().await, 4, "{}", home.stderr());
}

#[tokio::test(flavor = "multi_thread")]
async fn one_process_works_in_a_folder_and_drain_waits_for_its_end() {
    let (simulation, plane) = (aws().await, ControlPlane::start().await);
    let home = Home::enrolled(&simulation, &plane);
    let idle = home.command(&["drain"]).output().unwrap();
    assert!(idle.status.success() && String::from_utf8_lossy(&idle.stdout).contains("no runtime runs"), "{idle:?}");
    assert_eq!(home.command(&["health"]).output().unwrap().status.code(), Some(1));

    let mut process = home.run(&[]);
    plane.until("a request for work", |state| state.received.iter().any(|received| received.path.ends_with("/lease"))).await;
    until("its state", || home.command(&["health"]).output().unwrap().status.success()).await;
    let second = home.command(&["run"]).output().unwrap();
    assert_eq!(second.status.code(), Some(5), "{second:?}");
    let drained = home.command(&["drain"]).output().unwrap();
    assert!(drained.status.success(), "{drained:?}");
    assert_eq!(process.status().await, 0);
    assert_eq!(home.command(&["health"]).output().unwrap().status.code(), Some(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_identity_is_kept_unless_it_is_to_be_replaced() {
    let (simulation, plane) = (aws().await, ControlPlane::start().await);
    let home = Home::new(&simulation);
    let refused = home.command(&["enroll", "--server", &plane.url, "--token", "another", "--name", "a"]).output().unwrap();
    assert!(
        refused.status.code() == Some(1) && String::from_utf8_lossy(&refused.stderr).contains("have a new one made"),
        "{refused:?}"
    );
    assert!(home.enroll(&plane, &[]).status.success());
    let identity = std::fs::read(home.data().join("identity.json")).unwrap();
    let key = std::fs::read(home.data().join("runtime.key")).unwrap();
    let again = home.enroll(&plane, &[]);
    assert!(again.status.code() == Some(1) && String::from_utf8_lossy(&again.stderr).contains("--replace"), "{again:?}");
    assert_eq!(std::fs::read(home.data().join("identity.json")).unwrap(), identity);
    let kept = home.enroll(&plane, &["--unless-enrolled"]);
    assert!(kept.status.success() && String::from_utf8_lossy(&kept.stdout).contains("nothing to do"), "{kept:?}");
    assert_eq!(std::fs::read(home.data().join("identity.json")).unwrap(), identity);
    assert!(home.enroll(&plane, &["--replace"]).status.success());
    assert_ne!(std::fs::read(home.data().join("runtime.key")).unwrap(), key);
    let plain = home.command(&["enroll", "--server", "http://catalog.example", "--token", "t", "--name", "a"]).output().unwrap();
    assert_eq!(plain.status.code(), Some(2), "{plain:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_enrolment_whose_answer_was_lost_is_asked_for_again_with_the_same_key() {
    let (simulation, plane) = (aws().await, ControlPlane::start().await);
    let home = Home::new(&simulation);
    plane.refuse("/runtime/v1/enroll", 502, Value::Null);
    let freed = plane.clone();
    tokio::spawn(async move {
        freed.until("the first request", |state| !state.received.is_empty()).await;
        freed.allow_everything();
    });
    let output = tokio::task::spawn_blocking(move || home.enroll(&plane, &[]).status.success().then_some(plane)).await.unwrap();
    let keys: Vec<Value> = output
        .unwrap()
        .received_at("/runtime/v1/enroll")
        .iter()
        .map(|request| serde_json::from_slice::<Value>(&request.body).unwrap()["publicKey"].clone())
        .collect();
    assert!(keys.len() == 2 && keys[0] == keys[1], "{keys:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn preflight_says_a_line_for_each_thing_that_is_needed() {
    let (simulation, plane) = (aws().await, ControlPlane::start().await);
    let home = Home::enrolled(&simulation, &plane);
    let good = home.command(&["preflight"]).output().unwrap();
    let text = String::from_utf8_lossy(&good.stdout).into_owned();
    assert!(text.contains("ok       control plane") && text.contains("ok       sign-in"), "{text}");
    plane.refuse("/runtime/v1/token", 502, Value::Null);
    let bad = home.command(&["preflight"]).output().unwrap();
    let text = String::from_utf8_lossy(&bad.stdout).into_owned();
    assert!(bad.status.code() == Some(1) && text.contains("failed   control plane") && text.contains("skipped  sign-in"), "{text}");
}
