//! Runs from the queue to their end, against a simulated account and a catalog in a file.

mod alerting;
mod stopping;
mod world;

use model::Outcome;
use sim::{Fault, FaultKind};
use store::{PreflightGate, RunRef, RunState};

use super::reconcile::schedules::activate as schedules_at;
use world::{FAST, Keys, World, schedule};

#[tokio::test(flavor = "multi_thread")]
async fn a_run_goes_from_the_queue_to_its_end_and_tells_of_it() {
    let world = World::start().await;
    let run = world.enqueue(Keys::Right, PreflightGate::Hard).await;
    world.work(FAST);
    let ended = world.end_of(run).await;
    assert_eq!((ended.state, ended.attempt, ended.failure), (RunState::Ended(Outcome::Complete), 1, None));
    assert!(ended.changes.created > 10);
    let events = world.events(run).await;
    for kind in ["attempt", "preflight", "ended"] {
        assert!(events.iter().any(|event| event.kind == kind), "{kind}: {events:?}");
    }
    let report = world.app.store.report(RunRef::Id(run)).await.unwrap().unwrap();
    assert_eq!((report.outcome.as_str(), report.run), ("complete", Some(run.0)));
    assert!(ended.preflight.unwrap().contains("sign-in"));
    let metrics = world.app.metrics.text().unwrap();
    assert!(metrics.contains("isinglass_crawl_calls_total{operation=\"glue:GetTables\"}"), "{metrics}");
    assert!(metrics.contains("isinglass_runs_total{outcome=\"complete\"} 1"), "{metrics}");
    world.assert_no_secret(run).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_keys_fail_the_run_with_what_to_do_and_without_another_attempt() {
    for gate in [PreflightGate::Off, PreflightGate::Hard] {
        let world = World::start().await;
        let run = world.enqueue(Keys::Wrong, gate).await;
        world.work(FAST);
        let ended = world.end_of(run).await;
        assert_eq!((ended.state, ended.attempt), (RunState::Ended(Outcome::Failed), 1), "{gate:?}");
        let failure: serde_json::Value = serde_json::from_str(&ended.failure.unwrap()).unwrap();
        assert_eq!((&failure["category"], &failure["retryable"]), (&"credentials".into(), &false.into()), "{failure}");
        assert!(failure["suggestedAction"].as_str().unwrap().len() > 10, "{failure}");
        let report = world.app.store.report(RunRef::Id(run)).await.unwrap().unwrap();
        assert_eq!((report.outcome.as_str(), report.errors[0].category.as_str()), ("failed", "credentials"));
        world.assert_no_secret(run).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hard_gate_closes_on_what_the_source_refuses_and_a_soft_one_goes_on() {
    let world = World::start().await;
    world.simulation.set_faults([Fault::new(FaultKind::DeniedByIam).on("GetTables")]);
    let hard = world.enqueue(Keys::Right, PreflightGate::Hard).await;
    world.work(FAST);
    let ended = world.end_of(hard).await;
    assert_eq!(ended.state, RunState::Ended(Outcome::Failed));
    assert!(ended.failure.as_ref().unwrap().contains("\"permission\""), "{:?}", ended.failure);
    assert_eq!(ended.changes.created, 0);
    let soft = world.enqueue(Keys::Right, PreflightGate::Soft).await;
    let ended = world.end_of(soft).await;
    assert_eq!(ended.state, RunState::Ended(Outcome::Partial));
    let told = world.events(soft).await.into_iter().find(|event| event.kind == "preflight").unwrap();
    assert!(told.data.contains("\"failed\""), "{told:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn plumbing_faults_close_no_gate_and_are_tried_again_until_the_run_is_complete() {
    let world = World::start().await;
    world.simulation.set_faults([Fault::new(FaultKind::MalformedJson)]);
    let run = world.enqueue(Keys::Right, PreflightGate::Hard).await;
    world.work(FAST);
    world.until("an attempt failed", async || world.events(run).await.iter().any(|event| event.kind == "retry")).await;
    world.simulation.set_faults([]);
    let ended = world.end_of(run).await;
    assert_eq!(ended.state, RunState::Ended(Outcome::Complete));
    assert!(ended.attempt >= 2, "{}", ended.attempt);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_that_the_operator_no_longer_allows_is_not_asked() {
    let world = World::start_with("").await;
    let run = world.enqueue(Keys::Right, PreflightGate::Off).await;
    world.work(FAST);
    let ended = world.end_of(run).await;
    assert!(ended.failure.unwrap().contains("allowed_endpoint_urls"));
    assert!(world.simulation.requests().counts.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_time_of_a_schedule_starts_one_run_with_two_replicas() {
    let world = World::start().await;
    let now_ms = world.app.clock.now_ms();
    world.workflow(Keys::Right, PreflightGate::Off, schedule(now_ms)).await;
    let (one, other) = tokio::join!(schedules_at(&world.app, now_ms), schedules_at(&world.app, now_ms));
    let said = [one.unwrap(), other.unwrap()];
    assert!(said.iter().filter(|said| said.starts_with("1 started")).count() == 1, "{said:?}");
    assert_eq!(world.app.store.runs(9).await.unwrap().len(), 1);
    assert_eq!(schedules_at(&world.app, now_ms + 1).await.unwrap(), "");
}
