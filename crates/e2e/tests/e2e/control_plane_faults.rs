//! What may happen to the control plane in the middle of a crawl: a replica is killed, the database dies, somebody cancels, the service
//! is stopped. The work is taken up again and the result is right: nothing is lost, nothing is there twice.

use std::time::Duration;

use serde_json::{Value, json};

use crate::control_plane::start_run;
use crate::harness::program::moment;
use crate::harness::service::id;
use crate::harness::{Postgres, Service, World, account_of};

/// Tables of the account, and the latency with which a crawl of them takes some seconds.
const TABLES: usize = 3000;
const LATENCY_MS: u64 = 1500;

/// An account that takes a while to crawl.
fn slow_world() -> World {
    let databases: Vec<String> = (0..6).map(|number| format!("d{number:02}")).collect();
    let sized: Vec<(&str, usize)> = databases.iter().map(|name| (name.as_str(), TABLES / 6)).collect();
    let world = World::new(account_of(&sized));
    world.sim().set_latency_ms(LATENCY_MS);
    world
}

/// Waits until a run has found something and goes on.
fn in_the_middle(service: &Service, run: &Value) {
    let started = moment();
    let path = format!("/api/v1/runs/{}/events", id(run));
    let has_found = |event: &Value| event["kind"] == "progress" && event["data"]["tables"].as_u64() > Some(100);
    while !service.get(&path)["items"].as_array().unwrap().iter().any(has_found) {
        assert!(started.elapsed() < Duration::from_secs(60), "nothing is found");
        std::thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(service.get(&format!("/api/v1/runs/{}", id(run)))["state"], "running");
}

/// Asserts that a run is complete and found everything once.
fn assert_whole(service: &Service, run: &Value) {
    let ended = service.wait_for_end(run);
    assert_eq!(ended["outcome"], "complete", "{ended:#}");
    assert_eq!(ended["counts"]["Table"].as_u64(), Some(TABLES as u64), "{ended:#}");
    let evidence = service.get(&format!("/api/v1/runs/{}/evidence", id(run)));
    assert_eq!((evidence["outcome"].as_str(), evidence["counts"]["Table"].as_u64()), (Some("complete"), Some(TABLES as u64)));
}

#[test]
fn a_replica_that_is_killed_is_replaced_by_the_other_one() {
    let (world, postgres) = (slow_world(), Postgres::start());
    let first = world.serve(&postgres.catalog(), &[]);
    let (_, run) = start_run(&world, &first, &json!({"retries": {"max": 3}, "preflight": "off"}));
    in_the_middle(&first, &run);
    let second = world.serve(&postgres.catalog(), &[]);
    first.kill();
    world.sim().set_latency_ms(0);
    assert_whole(&second, &run);
    assert!(second.get(&format!("/api/v1/runs/{}", id(&run)))["attempt"].as_u64().unwrap() >= 2);
    second.terminate().expect(0);
}

#[test]
fn a_service_over_a_file_that_is_killed_goes_on_when_it_is_back() {
    let world = slow_world();
    let first = world.serve(&world.catalog(), &[]);
    let (_, run) = start_run(&world, &first, &json!({"retries": {"max": 3}, "preflight": "off"}));
    in_the_middle(&first, &run);
    first.kill();
    world.sim().set_latency_ms(0);
    let again = world.serve(&world.catalog(), &[]);
    assert_whole(&again, &run);
    again.terminate().expect(0);
}

#[test]
fn a_database_that_dies_in_the_middle_costs_an_attempt_and_nothing_else() {
    let (world, mut postgres) = (slow_world(), Postgres::start());
    let service = world.serve(&postgres.catalog(), &[]);
    let (_, run) = start_run(&world, &service, &json!({"retries": {"max": 5}, "preflight": "off"}));
    in_the_middle(&service, &run);
    postgres.crash_and_restart();
    world.sim().set_latency_ms(0);
    assert_whole(&service, &run);
    service.terminate().expect(0);
}

#[test]
fn a_run_that_is_cancelled_stops_within_five_seconds_and_archives_nothing() {
    let world = slow_world();
    let service = world.serve(&world.catalog(), &[]);
    let (workflow, run) = start_run(&world, &service, &json!({"preflight": "off"}));
    in_the_middle(&service, &run);
    let asked = moment();
    service.ask(reqwest::Method::POST, &format!("/api/v1/runs/{}/cancel", id(&run)), &[], Some(&json!({})));
    let ended = service.wait_for_end(&run);
    let waited = asked.elapsed();
    assert_eq!(ended["outcome"], "cancelled", "{ended:#}");
    assert!(waited < Duration::from_secs(5), "it took {waited:?}");
    // No call goes out afterwards.
    let before = world.sim().requests().calls.len();
    std::thread::sleep(Duration::from_millis(1500));
    assert_eq!(world.sim().requests().calls.len(), before);
    world.sim().set_latency_ms(0);
    let again = service.post(&format!("/api/v1/workflows/{}/runs", id(&workflow)), &json!({}), 202)["id"].clone();
    assert_whole(&service, &again);
    service.terminate().expect(0);
}

#[test]
fn a_service_that_is_stopped_exits_in_time_and_its_run_goes_on_elsewhere() {
    let (world, postgres) = (slow_world(), Postgres::start());
    world.sim().set_latency_ms(2000);
    let first = world.serve(&postgres.catalog(), &["--limits-drain-seconds", "3"]);
    let (_, run) = start_run(&world, &first, &json!({"preflight": "off"}));
    first.wait_for_run(&run, "the run has begun", |run| run["state"] == "running");
    let second = world.serve(&postgres.catalog(), &[]);
    let asked = moment();
    first.terminate().expect(0);
    assert!(asked.elapsed() < Duration::from_secs(30), "it took {:?}", asked.elapsed());
    world.sim().set_latency_ms(0);
    assert_whole(&second, &run);
    second.terminate().expect(0);
}
