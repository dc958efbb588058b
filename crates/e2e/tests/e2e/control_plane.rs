//! The control plane as a team uses it: connect, crawl, search, follow lineage, enrich; the same over both databases.

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::service::{TOKEN, id};
use crate::harness::{Postgres, Service, World};

/// The body of a connection to the simulated account, with its credential.
pub(crate) fn connection(world: &World, name: &str) -> Value {
    let keys = world.sim().keys();
    json!({
        "name": name, "connector": "glue", "region": "eu-west-1",
        "credential": {
            "name": format!("{name} keys"), "authType": "iam", "username": keys.access_key_id, "password": keys.secret_access_key,
            "extra": {"region": "eu-west-1"},
        },
    })
}

/// Connects, makes a workflow of everything, and starts a run: the numbers of workflow and run.
pub(crate) fn start_run(world: &World, service: &Service, workflow: &Value) -> (Value, Value) {
    let made = service.post("/api/v1/connections", &connection(world, "lake"), 201);
    let mut body = json!({"name": "all of it", "connectionId": made["id"], "settings": {"glue": {}}});
    body.as_object_mut().unwrap().extend(workflow.as_object().unwrap().clone());
    let workflow = service.post("/api/v1/workflows", &body, 201)["id"].clone();
    let run = service.post(&format!("/api/v1/workflows/{}/runs", id(&workflow)), &json!({}), 202)["id"].clone();
    (workflow, run)
}

fn a_team_connects_crawls_searches_and_enriches(catalog: &str) {
    let world = World::realistic();
    let service = world.serve(catalog, &[]);
    let (workflow, run) = start_run(&world, &service, &json!({}));
    let ended = service.wait_for_end(&run);
    assert_eq!(ended["outcome"], "complete", "{ended:#}");
    let evidence = service.get(&format!("/api/v1/runs/{}/evidence", id(&run)));
    assert_eq!(evidence["refusedOperations"], json!([]));

    // The very same as the command line finds.
    let (crawled, _) = world.crawl_to_file(&[]);
    assert_eq!(evidence["counts"], crawled.report["counts"]);

    let hits = service.get("/api/v1/search?q=orders");
    let hit = hits["items"].as_array().unwrap().iter().find(|hit| hit["typeName"] == "Table").unwrap().clone();
    let name = hit["qualifiedName"].as_str().unwrap();
    let at = format!("qualifiedName={}", name.replace('/', "%2F"));
    let asset = service.get(&format!("/api/v1/assets?{at}"));
    assert!(asset.to_string().contains(name), "{asset:#}");
    service.get(&format!("/api/v1/lineage?{at}"));

    let enrichment = service.ask(Method::GET, &format!("/api/v1/assets/enrichment?{at}"), &[], None);
    let version = enrichment.version.clone().unwrap_or_else(|| "\"0\"".to_owned());
    let told = json!({"description": "everything that was ever ordered, zyxwv", "tags": ["gold"]});
    let path = format!("/api/v1/assets/enrichment?{at}");
    service.ask(Method::PATCH, &path, &[("if-match", &version)], Some(&told)).expect(200);
    let found = service.get("/api/v1/search?q=zyxwv");
    assert_eq!(found["items"][0]["qualifiedName"], name, "{found:#}");

    // A second run changes nothing, and what people said stays.
    let again = service.post(&format!("/api/v1/workflows/{}/runs", id(&workflow)), &json!({}), 202)["id"].clone();
    let ended = service.wait_for_end(&again);
    assert_eq!((ended["outcome"].as_str(), ended["changes"]["updated"].as_u64()), (Some("complete"), Some(0)), "{ended:#}");
    assert_eq!(service.get("/api/v1/search?q=zyxwv")["items"][0]["qualifiedName"], name);

    let stopped = service.terminate();
    stopped.expect(0);
    let secret = world.sim().keys().secret_access_key;
    assert!(!stopped.stderr.contains(&secret) && !stopped.stdout.contains(&secret) && !stopped.stderr.contains(TOKEN));
}

#[test]
fn a_team_uses_the_control_plane_over_a_file() {
    let folder = tempfile::tempdir().unwrap();
    a_team_connects_crawls_searches_and_enriches(&format!("sqlite:{}", folder.path().join("catalog.db").display()));
    let bytes = std::fs::read(folder.path().join("catalog.db")).unwrap();
    let secret = World::realistic().sim().keys().secret_access_key;
    assert!(!bytes.windows(secret.len()).any(|window| window == secret.as_bytes()), "the secret key is in the catalog");
}

#[test]
fn a_team_uses_the_control_plane_over_postgresql() {
    let postgres = Postgres::start();
    a_team_connects_crawls_searches_and_enriches(&postgres.catalog());
}
