//! Generated domains: as many assets as are asked for, cut into parts by filters, and served fast.

use std::collections::BTreeSet;
use std::time::Instant;

use http::Method;
use serde_json::{Value, json};
use sim::{Account, DomainMutation, Mutation, Running, Simulation, Thing};

use crate::client::Client;

const DOMAIN: &str = "dzd_bulk0000000001";

async fn bulk(projects: u32, assets: u64, columns: usize) -> (Running, Client) {
    let running =
        Simulation::builder().account(Account::bulk_datazone(projects, assets, columns)).start().await.expect("a free port");
    let client = Client::new(&running).assume(&running, &[]).await;
    (running, client)
}

async fn post(client: &Client, noun: &str, body: &Value) -> Value {
    let reply = client.datazone(Method::POST, &format!("/v2/domains/{DOMAIN}/{noun}"), Some(body.clone())).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    reply.json()
}

async fn all(client: &Client, noun: &str, body: Value) -> Vec<Value> {
    let mut body = body;
    let mut items = Vec::new();
    for _ in 0..1_000 {
        let mut page = post(client, noun, &body).await;
        items.append(page["items"].as_array_mut().expect("items"));
        match page.get("nextToken") {
            Some(token) => body["nextToken"] = token.clone(),
            None => return items,
        }
    }
    panic!("{noun} does not end");
}

fn at(attribute: &str, operator: &str, value: &Value) -> Value {
    let member = if value.is_number() { "intValue" } else { "value" };
    json!({"filter": {"attribute": attribute, "operator": operator, member: value}})
}

#[tokio::test]
async fn every_asset_is_listed_once_and_joined_by_its_listing() {
    let (_running, client) = bulk(4, 60, 5).await;
    let assets = all(&client, "search", json!({"searchScope": "ASSET", "maxResults": 50, "additionalAttributes": ["FORMS"]})).await;
    let listings = all(&client, "listings/search", json!({"maxResults": 50, "additionalAttributes": ["FORMS"]})).await;
    let ids = |items: &[Value], pointer: &str| -> BTreeSet<String> {
        items.iter().filter_map(|item| Some(item.pointer(pointer)?.as_str()?.to_owned())).collect()
    };
    let found = ids(&assets, "/assetItem/identifier");
    assert_eq!((assets.len(), found.len()), (240, 240));
    assert_eq!(ids(&listings, "/assetListing/entityId"), found);
    let forms = listings[7]["assetListing"]["additionalAttributes"]["forms"].as_str().expect("forms");
    let forms: Value = serde_json::from_str(forms).expect("JSON");
    let form: Value = serde_json::from_str(forms["GlueTableForm"].as_str().expect("text")).expect("JSON in JSON");
    assert_eq!(form["columns"].as_array().map(Vec::len), Some(5));
    let item = &assets[7]["assetItem"];
    let content = item["additionalAttributes"]["formsOutput"][0]["content"].as_str().expect("text");
    assert_eq!(serde_json::from_str::<Value>(content).expect("JSON"), form);
    assert!(item["createdAt"].is_number() && item.get("revision").is_none());
}

#[tokio::test]
async fn filters_cut_a_domain_into_parts_that_add_up() {
    let (_running, client) = bulk(5, 400, 2).await;
    let count = |noun: &'static str, filters: Value| {
        let client = &client;
        async move {
            let scope = if noun == "search" { json!({"searchScope": "ASSET", "maxResults": 1}) } else { json!({"maxResults": 1}) };
            let mut body = scope;
            body["filters"] = filters;
            post(client, noun, &body).await["totalMatchCount"].as_u64().expect("a count")
        }
    };
    let year_ms = 365 * 86_400_000_i64;
    for noun in ["search", "listings/search"] {
        let mut total = 0;
        for year in 0..7 {
            let from = 1_577_836_800_000 + year * year_ms;
            let (ge, lt) = (at("creationTime", "GE", &json!(from)), at("creationTime", "LT", &json!(from + year_ms)));
            let within = count(noun, json!({"and": [ge, lt]})).await;
            assert!(year == 6 || within > 250, "{within} in year {year}");
            total += within;
        }
        assert_eq!(total, 2_000);
        assert_eq!(count(noun, at("owningProjectId", "EQ", &json!("bulkproject00003"))).await, 400);
        let either = ["bulkproject00000", "bulkproject00004"].map(|id| at("owningProjectId", "EQ", &json!(id)));
        assert_eq!(count(noun, json!({"or": either})).await, 800);
    }
    assert_eq!(count("search", at("typeIdentifier", "EQ", &json!("amazon.datazone.GlueTableAssetType"))).await, 2_000);
    let oldest = all(
        &client,
        "search",
        json!({"searchScope": "ASSET", "owningProjectIdentifier": "bulkproject00001", "maxResults": 50,
        "sort": {"attribute": "creationTime", "order": "ASCENDING"}}),
    );
    let times: Vec<f64> = oldest.await.iter().filter_map(|item| item["assetItem"]["createdAt"].as_f64()).collect();
    assert!(times.len() == 400 && times.is_sorted());
}

#[tokio::test]
async fn generated_assets_change_and_go_like_others() {
    let (running, client) = bulk(2, 30, 2).await;
    let apply = |change| running.apply(Mutation::InDomain { domain: DOMAIN.to_owned(), change }).expect("applies");
    let id = |number: u32| format!("bulkasset{number:010}");
    apply(DomainMutation::Change { thing: Thing::Asset, id: id(7), members: json!({"name": "Changed"}) });
    apply(DomainMutation::Remove { thing: Thing::Asset, id: id(9) });
    apply(DomainMutation::Unpublish { entity: id(11) });
    let assets = all(&client, "search", json!({"searchScope": "ASSET", "maxResults": 7})).await;
    let keys: Vec<&str> = assets.iter().filter_map(|item| item["assetItem"]["identifier"].as_str()).collect();
    assert!(keys.len() == 59 && keys.is_sorted() && !keys.contains(&id(9).as_str()));
    assert_eq!((&assets[7]["assetItem"]["name"], assets[7]["assetItem"]["createdAt"].is_number()), (&json!("Changed"), true));
    assert_eq!(all(&client, "listings/search", json!({})).await.len(), 58);
    let asset = client.datazone(Method::GET, &format!("/v2/domains/{DOMAIN}/assets/{}", id(11)), None).await.json();
    assert_eq!(asset["listing"], json!({"listingId": "bulklisting0000000011", "listingStatus": "INACTIVE"}));
    apply(DomainMutation::RemoveProject { project: "bulkproject00001".to_owned() });
    assert_eq!(all(&client, "search", json!({"searchScope": "ASSET"})).await.len(), 29);
}

#[tokio::test]
async fn a_million_assets_are_there_at_once() {
    let (_running, client) = bulk(100, 10_000, 20).await;
    let page = post(&client, "search", &json!({"searchScope": "ASSET", "owningProjectIdentifier": "bulkproject00099"})).await;
    assert_eq!((page["totalMatchCount"].as_u64(), page["items"].as_array().map(Vec::len)), (Some(10_000), Some(50)));
    assert_eq!(page["items"][0]["assetItem"]["identifier"], "bulkasset0000990000");
}

/// `cargo test --release -p sim --test simulation -- --ignored --nocapture a_domain_is_served`
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement, to be run on its own in a release build"]
#[expect(clippy::disallowed_methods, reason = "a measurement of time")]
async fn a_domain_is_served_at_hundreds_of_pages_a_second() {
    let (_running, client) = bulk(20, 5_000, 20).await;
    for (noun, body) in [
        ("search", json!({"searchScope": "ASSET", "maxResults": 50, "additionalAttributes": ["FORMS"]})),
        ("listings/search", json!({"maxResults": 50, "additionalAttributes": ["FORMS"]})),
    ] {
        let (mut pages, mut bytes, mut body) = (0_u32, 0, body);
        let started = Instant::now();
        loop {
            let path = format!("/v2/domains/{DOMAIN}/{noun}");
            let reply = client.datazone(Method::POST, &path, Some(body.clone())).await;
            pages += 1;
            bytes += reply.body.len();
            let tail = String::from_utf8_lossy(&reply.body[reply.body.len().saturating_sub(300)..]).into_owned();
            let Some((_, token)) = tail.split_once("\"nextToken\":\"") else { break };
            body["nextToken"] = json!(token.trim_end_matches("\"}"));
        }
        let seconds = started.elapsed().as_secs_f64();
        println!(
            "{noun}: {pages} pages, {} bytes each, {:.0} pages/s one after another",
            bytes / pages as usize,
            f64::from(pages) / seconds
        );
        assert_eq!(pages, 2_000);
    }
}
