//! What may happen to a runtime and to its control plane in the middle of a crawl: nothing is lost, nothing is there twice.

use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::program::{moment, wait_until};
use crate::harness::runtime::{RUNTIME, SelfDeployed, start_run, wait_until_online};
use crate::harness::service::id;
use crate::harness::{Postgres, Service, World, account_of};

const TABLES: usize = 3000;
const LATENCY_MS: u64 = 1500;

/// An account that takes a while to crawl, a control plane, and a runtime in the middle of it.
struct Middle {
    world: World,
    service: Service,
    runtime: SelfDeployed,
    workflow: Value,
    run: Value,
}

fn in_the_middle(catalog: impl FnOnce(&World) -> String, arguments: &[&str]) -> Middle {
    let databases: Vec<String> = (0..6).map(|number| format!("d{number:02}")).collect();
    let sized: Vec<(&str, usize)> = databases.iter().map(|name| (name.as_str(), TABLES / 6)).collect();
    let world = World::new(account_of(&sized));
    world.sim().set_latency_ms(LATENCY_MS);
    let service = world.serve(&catalog(&world), &[]);
    world.enrol(&service, "runtime");
    let runtime = world.deploy("runtime", arguments);
    let (workflow, run) = start_run(&service, &json!({"retries": {"max": 3}, "preflight": "off"}));
    let path = format!("/api/v1/runs/{}/events", id(&run));
    let has_found = |event: &Value| event["kind"] == "progress" && event["data"]["tables"].as_u64() > Some(100);
    wait_until("something is found", || service.get(&path)["items"].as_array().unwrap().iter().any(has_found));
    assert_eq!(service.get(&format!("/api/v1/runs/{}", id(&run)))["state"], "running");
    Middle { world, service, runtime, workflow, run }
}

/// Asserts that a run is complete and found everything once; the run.
fn assert_whole(service: &Service, run: &Value) -> Value {
    let ended = service.wait_for_end(run);
    assert_eq!(ended["outcome"], "complete", "{ended:#}");
    assert_eq!(ended["counts"]["Table"].as_u64(), Some(TABLES as u64), "{ended:#}");
    ended
}

#[test]
fn a_control_plane_that_is_away_in_the_middle_gets_every_page_when_it_is_back() {
    let Middle { world, service, runtime, run, .. } = in_the_middle(World::catalog, &[]);
    let address = service.address();
    service.kill();
    world.sim().set_latency_ms(0);
    // The crawl goes on meanwhile: what it finds waits on disk.
    let calls = || world.sim().requests().calls.len();
    let before = calls();
    wait_until("the crawl goes on", || calls() > before + 3);
    let service = world.serve_at(address, &world.catalog(), &[]);
    let ended = assert_whole(&service, &run);
    assert_eq!(ended["attempt"], 1, "nothing was crawled twice: {ended:#}");
    assert_eq!(ended["changes"]["created"].as_u64(), ended["changes"]["created"].as_u64().filter(|created| *created > 3000));
    runtime.terminate().expect(0);
    service.terminate().expect(0);
}

#[test]
fn a_replica_that_reads_the_inbox_and_is_killed_is_replaced() {
    let postgres = Postgres::start();
    let Middle { world, service, runtime, run, .. } = in_the_middle(|_| postgres.catalog(), &[]);
    let address = service.address();
    let other = world.serve(&postgres.catalog(), &[]);
    service.kill();
    let again = world.serve_at(address, &postgres.catalog(), &["--workers", "false"]);
    world.sim().set_latency_ms(0);
    assert_whole(&other, &run);
    runtime.terminate().expect(0);
    again.terminate().expect(0);
    other.terminate().expect(0);
}

#[test]
fn a_runtime_that_is_killed_in_the_middle_begins_the_run_again_when_it_is_back() {
    let Middle { world, service, runtime, run, .. } = in_the_middle(World::catalog, &[]);
    runtime.kill();
    world.sim().set_latency_ms(0);
    let again = world.deploy("runtime", &[]);
    let ended = assert_whole(&service, &run);
    let stopped = again.terminate();
    stopped.expect(0);
    assert_eq!(ended["attempt"], 1, "what a runtime hands back counts as no attempt: {ended:#}\n{}", stopped.stderr);
    service.terminate().expect(0);
}

#[test]
fn a_run_that_is_cancelled_stops_in_its_runtime_within_five_seconds() {
    let Middle { world, service, runtime, workflow, run } = in_the_middle(World::catalog, &[]);
    let asked = moment();
    service.ask(reqwest::Method::POST, &format!("/api/v1/runs/{}/cancel", id(&run)), &[], Some(&json!({})));
    let ended = service.wait_for_end(&run);
    assert_eq!(ended["outcome"], "cancelled", "{ended:#}");
    assert!(asked.elapsed() < Duration::from_secs(5), "it took {:?}", asked.elapsed());
    let calls = || world.sim().requests().calls.len();
    let before = calls();
    std::thread::sleep(Duration::from_millis(1500));
    assert_eq!(calls(), before, "no call goes out afterwards");
    world.sim().set_latency_ms(0);
    let again = service.post(&format!("/api/v1/workflows/{}/runs", id(&workflow)), &json!({}), 202)["id"].clone();
    assert_whole(&service, &again);
    runtime.terminate().expect(0);
    service.terminate().expect(0);
}

#[test]
fn a_runtime_that_is_stopped_hands_its_run_to_another_one_of_its_name() {
    let Middle { world, service, runtime, run, .. } = in_the_middle(World::catalog, &["--drain-seconds", "1"]);
    world.enrol(&service, "second");
    let second = world.deploy("second", &[]);
    wait_until("both are there", || {
        let items = service.get("/api/v1/runtimes")["items"].clone();
        items.as_array().unwrap().iter().filter(|runtime| runtime["name"] == RUNTIME && runtime["state"] == "online").count() == 2
    });
    let asked = moment();
    let stopped = runtime.terminate();
    assert!(stopped.status.is_some_and(|status| status == 0 || status == 3), "{stopped:?}");
    assert!(asked.elapsed() < Duration::from_secs(30), "it took {:?}", asked.elapsed());
    world.sim().set_latency_ms(0);
    let ended = assert_whole(&service, &run);
    assert_eq!(ended["attempt"], 1, "{ended:#}");
    second.terminate().expect(0);
    service.terminate().expect(0);
}

#[test]
fn a_runtime_that_is_revoked_stops_at_once_and_its_run_goes_on_elsewhere() {
    let Middle { world, service, runtime, run, .. } = in_the_middle(World::catalog, &[]);
    let first = service.get("/api/v1/runtimes")["items"][0]["id"].clone();
    service.post(&format!("/api/v1/runtimes/{}/revoke", id(&first)), &json!({}), 200);
    let ended = runtime.wait();
    ended.expect(4);
    let calls = || world.sim().requests().calls.len();
    let before = calls();
    std::thread::sleep(Duration::from_millis(1500));
    assert_eq!(calls(), before, "no call goes out afterwards");
    world.sim().set_latency_ms(0);
    world.enrol(&service, "second");
    let second = world.deploy("second", &[]);
    wait_until_online(&service);
    assert_whole(&service, &run);
    second.terminate().expect(0);
    service.terminate().expect(0);
}
