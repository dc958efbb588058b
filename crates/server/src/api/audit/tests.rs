//! The audit log over HTTP.

use http::StatusCode;
use serde_json::{Value, json};

use crate::api::sign_in::tests::{Browser, add_user};
use crate::api::testing::Service;

const PATH: &str = "/api/v1/audit";

#[tokio::test]
async fn entries_come_newest_first_with_their_author_and_by_filter() {
    let service = Service::start().await;
    let ada = add_user(&service, "ada", "member").await;
    let token = json!({ "name": "export", "scopes": ["read"] });
    service.call("POST", "/api/v1/tokens", None, &token).await;
    let all = service.get(PATH).await.body;
    assert_eq!((&all["items"][0]["action"], &all["items"][1]["action"]), (&json!("token.create"), &json!("user.create")));
    let entry = &service.get(&format!("{PATH}?targetKind=user&targetId={ada}&actor=1")).await.body["items"][0];
    assert_eq!(entry["actor"], json!({ "kind": "user", "id": "1", "name": "admin" }));
    assert_eq!((&entry["via"], &entry["target"]["name"]), (&json!("token:1"), &json!("ada")));
    let at = entry["at"].as_i64().unwrap();
    let count = async |query: String| service.get(&format!("{PATH}?{query}")).await.body["items"].as_array().unwrap().len();
    assert_eq!(count(format!("action=user.create&targetId={ada}&since={at}")).await, 1);
    assert_eq!(count(format!("action=user.create&targetId={ada}&until={at}")).await, 0);
}

#[tokio::test]
async fn a_cursor_belongs_to_its_filters() {
    let service = Service::start().await;
    add_user(&service, "ada", "member").await;
    let first = service.get(&format!("{PATH}?limit=1")).await.body;
    let cursor = first["nextCursor"].as_str().unwrap();
    let second = service.get(&format!("{PATH}?limit=1&cursor={cursor}")).await.body;
    assert_ne!(first["items"][0]["id"], second["items"][0]["id"]);
    let other = service.get(&format!("{PATH}?action=user.create&cursor={cursor}")).await;
    assert_eq!((other.status, &other.body["code"]), (StatusCode::BAD_REQUEST, &json!("invalid-cursor")));
    assert_eq!(service.get(&format!("{PATH}?action=a%00b")).await.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn only_administrators_read_it() {
    let service = Service::start().await;
    add_user(&service, "ada", "member").await;
    let member = Browser::of(&service, "ada").await;
    assert_eq!(member.call(&service, "GET", PATH, &Value::Null).await.status, StatusCode::FORBIDDEN);
}
