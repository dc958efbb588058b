//! Users over HTTP: who sees and changes what.

use http::{StatusCode, header};
use serde_json::{Value, json};

use crate::api::sign_in::tests::{Browser, PASSWORD, add_user, sign_in};
use crate::api::testing::Service;

const PATH: &str = "/api/v1/users";

#[tokio::test]
async fn members_see_names_only_and_viewers_only_themselves() {
    let service = Service::start().await;
    let ada = add_user(&service, "ada", "member").await;
    let bob = add_user(&service, "bob", "viewer").await;
    let member = Browser::of(&service, "ada").await;
    let list = member.call(&service, "GET", PATH, &Value::Null).await.body;
    assert_eq!(list["items"][0], json!({ "id": "1", "name": "admin" }));
    assert_eq!((&list["items"][1]["id"], &list["items"][1]["role"]), (&json!(ada), &json!("member")));
    let viewer = Browser::of(&service, "bob").await;
    assert_eq!(viewer.call(&service, "GET", PATH, &Value::Null).await.status, StatusCode::FORBIDDEN);
    assert_eq!(viewer.call(&service, "GET", &format!("{PATH}/{ada}"), &Value::Null).await.status, StatusCode::FORBIDDEN);
    assert_eq!(viewer.call(&service, "GET", &format!("{PATH}/{bob}"), &Value::Null).await.body["role"], "viewer");
    let new = json!({ "name": "eve", "role": "administrator" });
    assert_eq!(member.call(&service, "POST", PATH, &new).await.status, StatusCode::FORBIDDEN);
    assert_eq!(member.call(&service, "DELETE", &format!("{PATH}/{bob}"), &Value::Null).await.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn pages_of_users_follow_one_another() {
    let service = Service::start().await;
    for name in ["ada", "bob"] {
        add_user(&service, name, "viewer").await;
    }
    let first = service.get(&format!("{PATH}?limit=2")).await.body;
    let cursor = first["nextCursor"].as_str().unwrap();
    let second = service.get(&format!("{PATH}?limit=2&cursor={cursor}")).await.body;
    assert_eq!((second["items"].as_array().unwrap().len(), &second["items"][0]["name"]), (1, &json!("bob")));
    assert_eq!(service.get(&format!("/api/v1/audit?cursor={cursor}")).await.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn an_edit_changes_what_it_names_and_null_empties() {
    let service = Service::start().await;
    let path = format!("{PATH}/{}", add_user(&service, "ada", "viewer").await);
    let edited = service.call("PATCH", &path, Some(1), &json!({ "displayName": "Ada", "role": "member" })).await;
    assert_eq!((edited.status, &edited.body["displayName"]), (StatusCode::OK, &json!("Ada")), "{edited:?}");
    let emptied = service.call("PATCH", &path, Some(2), &json!({ "displayName": null })).await;
    assert_eq!((emptied.body.get("displayName"), &emptied.body["role"]), (None, &json!("member")));
    assert_eq!(emptied.headers[header::ETAG], "\"3\"");
    assert_eq!(service.call("PATCH", &path, None, &json!({})).await.status, StatusCode::PRECONDITION_REQUIRED);
    assert_eq!(service.call("PATCH", &path, Some(1), &json!({})).await.status, StatusCode::PRECONDITION_FAILED);
    assert_eq!(service.call("DELETE", &path, None, &Value::Null).await.status, StatusCode::NO_CONTENT);
    assert_eq!(service.get(&path).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn the_last_administrator_stays_and_a_taken_name_is_409() {
    let service = Service::start().await;
    let path = format!("{PATH}/1");
    assert_eq!(service.call("DELETE", &path, None, &Value::Null).await.status, StatusCode::CONFLICT);
    assert_eq!(service.call("PATCH", &path, Some(1), &json!({ "role": "viewer" })).await.status, StatusCode::CONFLICT);
    let taken = service.call("POST", PATH, None, &json!({ "name": "ADMIN", "role": "viewer" })).await;
    assert_eq!((taken.status, &taken.body["existing"]["href"]), (StatusCode::CONFLICT, &json!("/api/v1/users/1")));
    let short = service.call("POST", PATH, None, &json!({ "name": "eve", "role": "viewer", "password": "canary" })).await;
    assert_eq!((short.status.as_u16(), &short.body["errors"][0]["field"]), (422, &json!("password")));
}

#[tokio::test]
async fn ones_own_password_needs_the_old_one_and_ends_all_sessions() {
    let service = Service::start().await;
    let path = format!("{PATH}/{}/password", add_user(&service, "ada", "viewer").await);
    let browser = Browser::of(&service, "ada").await;
    let new = "another long phrase";
    for (body, field) in
        [(json!({ "password": new }), "oldPassword"), (json!({ "password": new, "oldPassword": "x" }), "oldPassword")]
    {
        let refused = browser.call(&service, "POST", &path, &body).await;
        assert_eq!((refused.status.as_u16(), &refused.body["errors"][0]["field"]), (422, &json!(field)), "{refused:?}");
    }
    let changed = browser.call(&service, "POST", &path, &json!({ "password": new, "oldPassword": PASSWORD })).await;
    assert_eq!(changed.status, StatusCode::NO_CONTENT, "{changed:?}");
    assert_eq!(browser.call(&service, "GET", "/api/v1/session", &Value::Null).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(sign_in(&service, "ada", PASSWORD).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(sign_in(&service, "ada", new).await.status, StatusCode::OK);
}

#[tokio::test]
async fn administrators_set_the_passwords_of_others_and_a_token_never_its_own_users() {
    let service = Service::start().await;
    let path = format!("{PATH}/{}/password", add_user(&service, "ada", "viewer").await);
    let new = json!({ "password": "another long phrase" });
    assert_eq!(service.call("POST", &path, None, &new).await.status, StatusCode::NO_CONTENT);
    assert_eq!(service.call("POST", &format!("{PATH}/1/password"), None, &new).await.status, StatusCode::FORBIDDEN);
    add_user(&service, "bob", "member").await;
    let member = Browser::of(&service, "bob").await;
    assert_eq!(member.call(&service, "POST", &path, &new).await.status, StatusCode::FORBIDDEN);
}
