//! A domain changes while it is read.

use http::Method;
use serde_json::{Value, json};
use sim::{Denial, DomainMutation, Mutation, Running, Thing};

use crate::client::Client;
use crate::datazone::{DOMAIN, OTHERS, get, search, studio};

const READER: &str = "arn:aws:iam::111122223333:role/isinglass-reader";

fn change(running: &Running, change: DomainMutation) {
    running.apply(Mutation::InDomain { domain: DOMAIN.to_owned(), change }).expect("applies");
}

async fn count(client: &Client, noun: &str, scope: Option<&str>) -> usize {
    search(client, noun, scope.map_or_else(|| json!({}), |scope| json!({"searchScope": scope}))).await.len()
}

async fn status(client: &Client, noun: &str) -> u16 {
    client.datazone(Method::GET, &format!("/v2/domains/{DOMAIN}/{noun}"), None).await.status
}

#[tokio::test]
async fn assets_come_change_and_go_with_their_listings() {
    let (running, client) = studio().await;
    let asset = json!({"id": "assetnew", "domainId": DOMAIN, "name": "New", "typeIdentifier": "amazon.datazone.GlueTableAssetType",
        "typeRevision": "1", "revision": "1", "owningProjectId": "prjmarketing001", "createdAt": 1_730_000_000, "formsOutput": []});
    change(&running, DomainMutation::Put { thing: Thing::Asset, document: asset });
    let listing = json!({"listingId": "listingnew", "listingRevision": "1", "entityId": "assetnew", "entityRevision": "1"});
    change(&running, DomainMutation::Put { thing: Thing::Listing, document: listing });
    assert_eq!((count(&client, "search", Some("ASSET")).await, count(&client, "listings/search", None).await), (41, 42));
    let members = json!({"name": "Renamed", "description": "Changed"});
    change(&running, DomainMutation::Change { thing: Thing::Asset, id: "assetnew".to_owned(), members });
    let changed = get(&client, &format!("/v2/domains/{DOMAIN}/assets/assetnew")).await;
    assert_eq!((&changed["name"], &changed["revision"]), (&json!("Renamed"), &json!("2")));
    assert!(changed["createdAt"].as_i64().expect("seconds") > 1_730_000_000);
    change(&running, DomainMutation::Remove { thing: Thing::Asset, id: "assetnew".to_owned() });
    assert_eq!((count(&client, "search", Some("ASSET")).await, count(&client, "listings/search", None).await), (40, 41));
    assert_eq!((status(&client, "assets/assetnew").await, status(&client, "listings/listingnew").await), (404, 404));
}

#[tokio::test]
async fn an_unpublished_listing_is_inactive_and_no_longer_found() {
    let (running, client) = studio().await;
    change(&running, DomainMutation::Unpublish { entity: "asset01orders".to_owned() });
    assert_eq!(count(&client, "listings/search", None).await, 40);
    let listing = get(&client, &format!("/v2/domains/{DOMAIN}/listings/listing01orders")).await;
    assert_eq!(listing["status"], "INACTIVE");
    let asset = get(&client, &format!("/v2/domains/{DOMAIN}/assets/asset01orders")).await;
    assert_eq!(asset["listing"]["listingStatus"], "INACTIVE");
}

#[tokio::test]
async fn members_come_and_go() {
    let (running, client) = studio().await;
    change(&running, DomainMutation::AddMember { project: OTHERS.to_owned(), arn: READER.to_owned() });
    assert_eq!((count(&client, "search", Some("ASSET")).await, count(&client, "search", Some("DATA_PRODUCT")).await), (45, 2));
    assert_eq!(status(&client, "environments/envfinance0001").await, 200);
    change(&running, DomainMutation::RemoveMember { project: "prjmarketing001".to_owned(), arn: READER.to_owned() });
    assert_eq!(count(&client, "search", Some("ASSET")).await, 35);
    assert_eq!(status(&client, "projects/prjmarketing001/memberships").await, 403);
    let stranger = "arn:aws:iam::111122223333:role/isinglass-guest";
    change(&running, DomainMutation::AddMember { project: OTHERS.to_owned(), arn: stranger.to_owned() });
    let encoded = stranger.replace(':', "%3A").replace('/', "%2F");
    assert_eq!(status(&client, &format!("user-profiles/{encoded}?type=IAM")).await, 200);
}

#[tokio::test]
async fn a_domain_is_denied_allowed_and_removed() {
    let (running, client) = studio().await;
    for (denial, words) in [(Denial::DataZone, "is not permitted to perform"), (Denial::Iam, "is not authorized to perform")] {
        change(&running, DomainMutation::Deny { denial: Some(denial) });
        let reply = client.datazone(Method::GET, &format!("/v2/domains/{DOMAIN}"), None).await;
        assert!(reply.status == 403 && reply.message().contains(words), "{}", reply.message());
        assert_eq!(get(&client, "/v2/domains").await["items"].as_array().map(Vec::len), Some(3));
    }
    change(&running, DomainMutation::Deny { denial: None });
    assert_eq!(status(&client, "projects").await, 200);
    change(&running, DomainMutation::RemoveDomain {});
    assert_eq!(status(&client, "projects").await, 403);
    assert_eq!(get(&client, "/v2/domains").await["items"].as_array().map(Vec::len), Some(2));
}

#[tokio::test]
async fn projects_terms_and_subscriptions_end_over_http() {
    let (running, client) = studio().await;
    let in_domain = |change: Value| json!({"action": "in_domain", "domain": DOMAIN, "change": change});
    let changes = json!([
        in_domain(json!({"action": "remove_project", "project": "prjmarketing001"})),
        in_domain(json!({"action": "remove", "thing": "glossary_term", "id": "term_order"})),
        in_domain(json!({"action": "revoke_subscription", "subscription": "subscription02"})),
    ]);
    let reply = client.control(Method::POST, "account", &changes.to_string()).await;
    assert_eq!(reply.json()["applied"], 3, "{}", reply.text());
    assert_eq!(status(&client, "projects/prjmarketing001").await, 404);
    assert_eq!(count(&client, "search", Some("ASSET")).await, 30);
    assert_eq!(count(&client, "search", Some("GLOSSARY_TERM")).await, 19);
    let revoked = get(&client, &format!("/v2/domains/{DOMAIN}/subscriptions?status=REVOKED")).await;
    assert_eq!(revoked["items"].as_array().map(Vec::len), Some(2));
    let wrong = in_domain(json!({"action": "remove", "thing": "asset", "id": "nope"}));
    assert_eq!(client.control(Method::POST, "account", &wrong.to_string()).await.status, 400);
    assert!(!running.read_account(|account| account.domain_ids(DOMAIN, Thing::Project)).contains(&"prjmarketing001".to_owned()));
}
