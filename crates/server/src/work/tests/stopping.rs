//! Runs that do not come to their end by themselves.

use std::time::Duration;

use model::Outcome;
use store::{PreflightGate, RunRef, RunState};

use super::super::PACE;
use super::world::{FAST, Keys, World};
use crate::shutdown::Drained;

fn asked(world: &World) -> u64 {
    world.simulation.requests().counts.values().sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_is_cancelled_ends_within_five_seconds_and_keeps_what_it_stored() {
    let world = World::start().await;
    let run = world.enqueue(Keys::Right, PreflightGate::Off).await;
    world.simulation.set_latency_ms(700);
    world.work(PACE);
    world.until_crawling(run).await;
    world.app.store.request_cancel(run, &crate::api::testing::system(), world.app.clock.now_ms()).await.unwrap();
    let ended = tokio::time::timeout(Duration::from_secs(5), world.end_of(run)).await.unwrap();
    assert_eq!(ended.state, RunState::Ended(Outcome::Cancelled));
    assert_eq!(ended.changes.archived, 0);
    world.until("it is told", async || world.events(run).await.iter().any(|event| event.kind == "ended")).await;
    let report = world.app.store.report(RunRef::Id(run)).await.unwrap().unwrap();
    assert_eq!((report.outcome.as_str(), report.errors.len()), ("cancelled", 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_stops_gives_its_run_back_and_the_attempt_does_not_count() {
    let world = World::start_with("limits.drain_seconds = 6\ncrawl.allowed_endpoint_urls = ['ENDPOINT']").await;
    let run = world.enqueue(Keys::Right, PreflightGate::Off).await;
    world.simulation.set_latency_ms(700);
    world.work(FAST);
    world.until_crawling(run).await;
    let drain = Duration::from_secs(6);
    world.app.shutdown.advance();
    assert_eq!(world.app.shutdown.drain(drain).await, Drained::Finished);
    let given = world.run(run).await;
    assert_eq!(given.state, RunState::Queued);
    assert_eq!(world.events(run).await.last().unwrap().kind, "given-back");
    let lease = world.claim().await;
    assert_eq!((lease.run, lease.attempt), (run, 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_lost_the_lease_stops_and_writes_nothing_more() {
    let world = World::start().await;
    let run = world.enqueue(Keys::Right, PreflightGate::Off).await;
    world.simulation.set_latency_ms(400);
    world.work(FAST);
    world.until_crawling(run).await;
    let hour_ms = 3_600_000;
    let lost = world.app.store.expire(hour_ms, world.app.clock.now_ms() + hour_ms).await.unwrap();
    assert_eq!(lost.len(), 1);
    let began = tokio::time::Instant::now();
    world.until("its slot is free", async || world.app.shutdown.tasks().len() == 1).await;
    assert!(began.elapsed() < Duration::from_secs(2));
    let (events, requests) = (world.events(run).await.len(), asked(&world));
    tokio::time::sleep(Duration::from_millis(1500)).await;
    assert_eq!((world.events(run).await.len(), asked(&world)), (events, requests));
    assert_eq!(world.run(run).await.state, RunState::Queued);
    assert!(world.app.store.report(RunRef::Id(run)).await.unwrap().is_none());
}
