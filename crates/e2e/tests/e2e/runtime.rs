//! Crawls from a network that nobody reaches into: the runtime does them, the control plane makes no call to AWS, and no secret leaves.

use std::collections::BTreeSet;
use std::fs;

use serde_json::json;
use sim::Account;

use crate::harness::runtime::{RUNTIME, connect, start_run, wait_until_online};
use crate::harness::service::id;
use crate::harness::{Postgres, World};

fn a_crawl_through_a_runtime_is_that_of_the_command_line(world: &World, catalog: &str) {
    let service = world.serve(catalog, &[]);
    world.enrol(&service, "runtime");
    let log = world.text_path("outgoing.log");
    let runtime = world.deploy("runtime", &["--outgoing-log", &log]);
    let (workflow, run) = start_run(&service, &json!({}));
    let ended = service.wait_for_end(&run);
    assert_eq!(ended["outcome"], "complete", "{ended:#}");
    assert!(ended["preflight"].as_array().is_some_and(|checks| checks.len() > 3), "{ended:#}");
    let evidence = service.get(&format!("/api/v1/runs/{}/evidence", id(&run)));
    assert_eq!(evidence["refusedOperations"], json!([]));
    let (crawled, _) = world.crawl_to_file(&[]);
    assert_eq!(evidence["counts"], crawled.report["counts"], "the same as the command line finds");
    assert_eq!(evidence["warnings"].as_array().unwrap().len(), crawled.report["warnings"].as_array().unwrap().len());

    let again = service.post(&format!("/api/v1/workflows/{}/runs", id(&workflow)), &json!({}), 202)["id"].clone();
    let ended = service.wait_for_end(&again);
    let changes = &ended["changes"];
    assert_eq!((&changes["created"], &changes["updated"], &changes["archived"]), (&json!(0), &json!(0), &json!(0)), "{ended:#}");

    let ended_runtime = runtime.terminate();
    ended_runtime.expect(0);
    let ended_service = service.terminate();
    ended_service.expect(0);
    // The control plane has no endpoint of the simulated account other than its environment's, and no keys at all for it.
    let said = [ended_runtime.stderr, ended_service.stderr, fs::read_to_string(&log).unwrap()].concat();
    let mut forbidden: Vec<String> = Account::canaries().iter().map(ToString::to_string).collect();
    forbidden.push(world.sim().keys().secret_access_key);
    for secret in forbidden {
        assert!(!said.contains(&secret), "a secret or data has left the network: {secret}");
    }
}

#[test]
fn a_crawl_through_a_runtime_into_a_file_is_that_of_the_command_line_and_no_secret_leaves() {
    let world = World::realistic();
    a_crawl_through_a_runtime_is_that_of_the_command_line(&world, &world.catalog());
    let mut kept = Vec::new();
    for name in ["catalog.db", "catalog.db-wal"] {
        kept.extend(fs::read(world.path(name)).unwrap_or_default());
    }
    let secret = world.sim().keys().secret_access_key;
    assert!(!kept.windows(secret.len()).any(|window| window == secret.as_bytes()), "the catalog holds the secret");
}

#[test]
fn a_crawl_through_a_runtime_into_postgresql_is_that_of_the_command_line_and_no_secret_leaves() {
    let (world, postgres) = (World::realistic(), Postgres::start());
    a_crawl_through_a_runtime_is_that_of_the_command_line(&world, &postgres.catalog());
}

#[test]
fn a_studio_is_crawled_twice_through_a_runtime_and_the_second_time_nothing_has_changed() {
    let world = World::realistic();
    let service = world.serve(&world.catalog(), &[]);
    world.enrol(&service, "runtime");
    let runtime = world.deploy("runtime", &[]);
    let keys = json!({ "username": "access-key-id", "password": "secret-access-key" });
    let credential = json!({ "name": "keys", "authType": "iam", "secrets": { "path": "glue", "keys": keys } });
    let body =
        json!({ "name": "studio", "connector": "aws-smus", "region": "eu-west-1", "runsOn": RUNTIME, "credential": credential });
    let connection = service.post("/api/v1/connections", &body, 201)["id"].clone();
    let body = json!({ "name": "all of it", "connectionId": connection });
    let workflow = service.post("/api/v1/workflows", &body, 201)["id"].clone();
    let start = || service.post(&format!("/api/v1/workflows/{}/runs", id(&workflow)), &json!({}), 202)["id"].clone();
    let first = service.wait_for_end(&start());
    assert!(["complete", "partial"].contains(&first["outcome"].as_str().unwrap()), "{first:#}");
    assert!(first["counts"]["SageMakerUnifiedStudioPublishedAsset"].as_u64() > Some(10), "{first:#}");
    let second = service.wait_for_end(&start());
    assert_eq!((&second["outcome"], &second["counts"]), (&first["outcome"], &first["counts"]));
    let changes = &second["changes"];
    assert_eq!((&changes["created"], &changes["updated"], &changes["archived"]), (&json!(0), &json!(0), &json!(0)), "{second:#}");
    runtime.terminate().expect(0);
    service.terminate().expect(0);
}

#[test]
fn what_a_form_asks_is_answered_through_the_runtime_and_says_why_not() {
    let world = World::realistic();
    let service = world.serve(&world.catalog(), &[]);
    let connection = connect(&service);
    let path = |what: &str| format!("/api/v1/connections/{}/{what}", id(&connection));
    let offline = service.post(&path("test-sign-in"), &json!({}), 503);
    assert!(offline["detail"].as_str().unwrap().contains("no runtime is enrolled as `vpc-a`"), "{offline}");
    world.enrol(&service, "runtime");
    let runtime = world.deploy("runtime", &[]);
    wait_until_online(&service);
    let signed_in = service.post(&path("test-sign-in"), &json!({}), 200);
    assert_eq!((&signed_in["check"]["state"], &signed_in["account"]), (&json!("passed"), &json!("111122223333")), "{signed_in}");
    assert_eq!(service.post(&path("preflight"), &json!({}), 200)["verdict"], "ready");
    let databases = service.get(&path("databases"));
    assert!(databases["catalogs"].as_array().unwrap().len() > 1, "{databases}");

    // A secret that is not there, and one whose key has another name, are told apart from a wrong one.
    fs::rename(world.path("secrets/glue"), world.path("secrets/elsewhere")).unwrap();
    let missing = service.post(&path("test-sign-in"), &json!({}), 409);
    assert!(missing["detail"].as_str().unwrap().contains("glue"), "{missing}");
    fs::write(world.path("secrets/glue"), r#"{"access-key-id":"AKIASIMULATEDUSER001"}"#).unwrap();
    let missing = service.post(&path("test-sign-in"), &json!({}), 409);
    assert!(missing["detail"].as_str().unwrap().contains("secret-access-key"), "{missing}");
    fs::write(world.path("secrets/glue"), r#"{"access-key-id":"AKIASIMULATEDUSER001","secret-access-key":"wrong/secret"}"#)
        .unwrap();
    let wrong = service.post(&path("test-sign-in"), &json!({}), 200);
    assert_eq!(wrong["check"]["state"], "failed", "{wrong}");
    runtime.terminate().expect(0);
    service.terminate().expect(0);
}

/// Inodes of the sockets of a process.
fn sockets(process: u32) -> BTreeSet<String> {
    let links = fs::read_dir(format!("/proc/{process}/fd")).unwrap().filter_map(|entry| fs::read_link(entry.ok()?.path()).ok());
    let inode = |link: std::path::PathBuf| Some(link.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.to_owned());
    links.filter_map(inode).collect()
}

#[test]
fn a_runtime_listens_on_no_socket_at_all() {
    let world = World::realistic();
    let service = world.serve(&world.catalog(), &[]);
    world.enrol(&service, "runtime");
    let runtime = world.deploy("runtime", &[]);
    wait_until_online(&service);
    let own = sockets(runtime.process_id());
    assert!(!own.is_empty(), "it speaks with the control plane");
    for table in ["tcp", "tcp6"] {
        let text = fs::read_to_string(format!("/proc/{}/net/{table}", runtime.process_id())).unwrap();
        for line in text.lines().skip(1) {
            let fields: Vec<&str> = line.split_whitespace().collect();
            // State 0A is LISTEN (proc(5)); the tenth field is the inode.
            assert!(fields[3] != "0A" || !own.contains(fields[9]), "it listens: {line}");
        }
    }
    for table in ["udp", "udp6"] {
        let text = fs::read_to_string(format!("/proc/{}/net/{table}", runtime.process_id())).unwrap();
        let is_own = |line: &&str| line.split_whitespace().nth(9).is_some_and(|inode| own.contains(inode));
        assert_eq!(text.lines().skip(1).find(is_own), None);
    }
    runtime.terminate().expect(0);
    service.terminate().expect(0);
}
