//! Crawls and tasks from a job to what the control plane has of them.

use serde_json::json;
use wire::{Blame, Ending, TaskOutcome};

use crate::control_plane::ControlPlane;
use crate::process::{Home, aws, job};

#[tokio::test(flavor = "multi_thread")]
async fn a_crawl_goes_from_its_job_to_its_end_in_the_shape_of_the_protocol() {
    let (simulation, plane) = (aws().await, ControlPlane::start().await);
    let home = Home::enrolled(&simulation, &plane);
    plane.give(job("41.3", |_| {}));
    let mut process = home.run(&[]);
    let finish = plane.finish().await;
    let Ending::Crawled { report, scopes, gone, .. } = &finish.ending else { panic!("{finish:?}\n{}", home.stderr()) };
    assert_eq!((report.outcome.as_str(), report.run, gone.len()), ("complete", Some(17), 0));
    assert!(report.operations["glue:GetTables"] > 0 && scopes.iter().all(|scope| scope.complete));
    let batches = plane.batches("41.3");
    assert_eq!(finish.batches.0, batches.len() as u64);
    let tables = batches.iter().flat_map(|batch| &batch.items).filter(|item| item.asset.kind == model::Kind::Table).count();
    assert!(tables > 10, "{tables}");

    let preflight = plane.received_at("/runtime/v1/preflight");
    assert_eq!(preflight.len(), 1);
    let lease = &plane.received_at("/runtime/v1/lease")[0];
    let lease: serde_json::Value = serde_json::from_slice(&lease.body).unwrap();
    assert_eq!(
        (lease["protocol"].clone(), lease["crawlSlots"].clone(), lease["mode"].clone()),
        (json!(1), json!(2), json!("running"))
    );
    plane.until("log lines", |state| state.received.iter().any(|received| received.path == "/runtime/v1/logs")).await;
    process.terminate();
    assert_eq!(process.status().await, 0, "{}", home.stderr());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_catalog_knows_is_asked_and_not_sent_again() {
    let (simulation, plane) = (aws().await, ControlPlane::start().await);
    let home = Home::enrolled(&simulation, &plane);
    plane.give(job("41.3", |job| job["isFirst"] = json!(false)));
    let _process = home.run(&[]);
    let finish = plane.finish().await;
    assert!(matches!(finish.ending, Ending::Crawled { .. }), "{finish:?}\n{}", home.stderr());
    let questions = plane.received_at("/runtime/v1/questions/17/");
    let asks: Vec<String> = questions
        .iter()
        .map(|question| {
            serde_json::from_slice::<serde_json::Value>(&question.body).unwrap()["question"]["ask"].as_str().unwrap().to_owned()
        })
        .collect();
    assert!(asks.contains(&"unchanged".to_owned()) && asks.contains(&"missing".to_owned()), "{asks:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_secret_a_literal_one_and_an_unknown_store_are_told_apart() {
    let (simulation, plane) = (aws().await, ControlPlane::start().await);
    let home = Home::enrolled(&simulation, &plane);
    let _process = home.run(&[]);
    for (number, (value, store, blame, part)) in [
        (json!({ "secret": "NOTHING" }), None, Blame::Source, "NOTHING"),
        (json!({ "literal": "hunter2" }), None, Blame::Operator, "may not be written out"),
        (json!({ "secret": "KEY" }), Some("vault"), Blame::Operator, "vault"),
    ]
    .into_iter()
    .enumerate()
    {
        plane.give(job(&format!("41.{number}"), |job| {
            job["credential"]["values"]["password"] = value;
            job["credential"]["secretStore"] = json!(store);
        }));
        plane.until("the end of the run", |state| state.finishes.len() == number + 1).await;
        let finish = plane.state().finishes[number].clone();
        let Ending::Failed { failure, report } = &finish.ending else { panic!("{finish:?}") };
        assert_eq!((failure.category.as_str(), failure.blame), ("secret-store", blame), "{failure:?}");
        assert!(failure.message.contains(part) && !format!("{finish:?}").contains("hunter2"), "{failure:?}");
        assert_eq!(report.errors[0].category, "secret-store");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hard_gate_ends_the_run_with_the_refusal_of_the_source() {
    let (simulation, plane) = (aws().await, ControlPlane::start().await);
    let home = Home::enrolled(&simulation, &plane);
    plane.give(job("41.3", |job| {
        job["preflight"] = json!("hard");
        job["credential"]["values"]["password"] = json!({ "secret": "ID" });
    }));
    let _process = home.run(&[]);
    let finish = plane.finish().await;
    let Ending::Failed { failure, .. } = &finish.ending else { panic!("{finish:?}") };
    assert!(failure.message.contains("sign-in") && failure.blame == Blame::Source, "{failure:?}");
    assert_eq!((finish.batches.0, plane.received_at("/runtime/v1/preflight").len()), (0, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_waits_for_a_task_gets_its_result() {
    let (simulation, plane) = (aws().await, ControlPlane::start().await);
    let home = Home::enrolled(&simulation, &plane);
    let source = job("x", |_| {})["job"].clone();
    for (id, action) in ["test-sign-in", "preflight", "list-databases"].into_iter().enumerate() {
        let mut task = json!({ "kind": "task", "id": id.to_string(), "withinSeconds": 25, "action": action });
        for key in ["connector", "connection", "region", "credential"] {
            task[key] = source[key].clone();
        }
        plane.give(task);
    }
    let _process = home.run(&[]);
    plane.until("three results", |state| state.tasks.len() == 3).await;
    let tasks = plane.state().tasks.clone();
    let is_found = |what: &dyn Fn(&TaskOutcome) -> bool| tasks.iter().any(|task| what(&task.outcome));
    assert!(is_found(&|outcome| matches!(outcome, TaskOutcome::SignIn { account: Some(_), .. })), "{tasks:?}");
    assert!(is_found(&|outcome| matches!(outcome, TaskOutcome::Checks { checks } if checks.len() > 3)), "{tasks:?}");
    assert!(is_found(&|outcome| matches!(outcome, TaskOutcome::Databases { catalogs, .. } if !catalogs.is_empty())), "{tasks:?}");
}
