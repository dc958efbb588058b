//! Credentials over HTTP: what is taken, what is shown to whom, what is sealed.

use http::StatusCode;
use serde_json::{Value, json};
use store::CredentialId;

use crate::api::testing::Service;
use crate::config::Config;
use crate::sealing::{Sealed, SealingContext};

const PATH: &str = "/api/v1/credentials";

fn keys(name: &str) -> Value {
    let extra = json!({ "region": "eu-west-1" });
    json!({ "name": name, "authType": "iam", "username": "AKIAIOSFODNN7EXAMPLE", "password": "canary/one", "extra": extra })
}

async fn opened(service: &Service, id: i64) -> String {
    let stored = service.app.store.credential_secret(CredentialId(id)).await.unwrap().unwrap();
    let sealed = Sealed::from_bytes(&stored.sealed.bytes).unwrap();
    let version = u32::try_from(stored.secret_version).unwrap();
    let context = SealingContext { credential_id: &id.to_string(), version };
    String::from_utf8(service.app.keys.open(&sealed, context).unwrap().expose().to_vec()).unwrap()
}

#[tokio::test]
async fn a_credential_is_stored_sealed_and_shown_without_its_secret() {
    let service = Service::start().await;
    let created = service.call("POST", PATH, None, &keys("prod")).await;
    assert_eq!(created.status, StatusCode::CREATED, "{created:?}");
    assert_eq!((&created.body["id"], &created.body["hasPassword"]), (&json!("1"), &json!(true)));
    assert_eq!(created.headers["location"], "/api/v1/credentials/1");
    let read = service.get(&format!("{PATH}/1")).await;
    assert_eq!((read.status, &read.headers["etag"]), (StatusCode::OK, &created.headers["etag"]));
    assert_eq!(read.body, created.body);
    assert_eq!(read.body["extra"], json!({ "region": "eu-west-1" }));
    assert!(read.body.get("password").is_none() && !format!("{read:?}").contains("canary"), "{read:?}");
    assert_eq!(opened(&service, 1).await, "canary/one");
    let list = service.get(PATH).await;
    assert_eq!((&list.body["items"][0]["name"], list.body.get("nextCursor")), (&json!("prod"), None));
}

#[tokio::test]
async fn a_name_that_is_taken_is_409_with_what_has_it() {
    let service = Service::start().await;
    service.call("POST", PATH, None, &keys("prod")).await;
    let again = service.call("POST", PATH, None, &keys("prod")).await;
    assert_eq!(again.status, StatusCode::CONFLICT);
    assert_eq!(again.body["existing"], json!({ "id": "1", "name": "prod", "href": "/api/v1/credentials/1" }));
}

#[tokio::test]
async fn a_replacement_without_password_keeps_the_secret_of_the_same_key_only() {
    let service = Service::start().await;
    service.call("POST", PATH, None, &keys("prod")).await;
    let path = format!("{PATH}/1");
    let mut edit = keys("renamed");
    edit.as_object_mut().unwrap().remove("password");
    let kept = service.call("PUT", &path, Some(1), &edit).await;
    assert_eq!((kept.status, &kept.body["name"]), (StatusCode::OK, &json!("renamed")), "{kept:?}");
    assert_eq!(opened(&service, 1).await, "canary/one");
    edit["username"] = "AKIAI44QH8DHBEXAMPLE".into();
    let refused = service.call("PUT", &path, Some(2), &edit).await;
    assert_eq!((refused.status.as_u16(), &refused.body["errors"][0]["field"]), (422, &json!("password")));
    edit["password"] = "canary/two".into();
    assert_eq!(service.call("PUT", &path, Some(2), &edit).await.status, StatusCode::OK);
    assert_eq!(opened(&service, 1).await, "canary/two");
    let ambient = json!({ "name": "renamed", "authType": "ambient" });
    let ambient = service.call("PUT", &path, Some(3), &ambient).await;
    assert_eq!((ambient.status, &ambient.body["hasPassword"]), (StatusCode::OK, &json!(false)));
}

#[tokio::test]
async fn an_edit_without_or_with_another_version_is_refused() {
    let service = Service::start().await;
    service.call("POST", PATH, None, &keys("prod")).await;
    let path = format!("{PATH}/1");
    assert_eq!(service.call("PUT", &path, None, &keys("x")).await.status, StatusCode::PRECONDITION_REQUIRED);
    assert_eq!(service.call("PUT", &path, Some(9), &keys("x")).await.status, StatusCode::PRECONDITION_FAILED);
    assert_eq!(service.call("DELETE", &path, Some(9), &Value::Null).await.status, StatusCode::PRECONDITION_FAILED);
    assert_eq!(service.call("DELETE", &path, None, &Value::Null).await.status, StatusCode::NO_CONTENT);
    assert_eq!(service.get(&path).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn an_endpoint_or_a_field_that_nobody_knows_is_422_with_its_name() {
    let config: Config = toml::from_str("crawl.allowed_endpoint_urls = ['http://127.0.0.1:5000']").unwrap();
    let service = Service::start_with(config).await;
    let mut request = keys("prod");
    request["extra"]["endpoint_url"] = "http://169.254.169.254".into();
    let refused = service.call("POST", PATH, None, &request).await;
    assert_eq!((refused.status.as_u16(), &refused.body["errors"][0]["field"]), (422, &json!("extra.endpoint_url")));
    request["extra"]["endpoint_url"] = "http://127.0.0.1:5000".into();
    let taken = service.call("POST", PATH, None, &request).await;
    assert_eq!((taken.status.as_u16(), &taken.body["extra"]["endpoint_url"]), (201, &json!("http://127.0.0.1:5000")));
    request["extra"]["aws_session_token"] = "canary".into();
    let refused = service.call("POST", PATH, None, &request).await;
    let message = refused.body["errors"][0]["message"].as_str().unwrap();
    assert!(refused.status.as_u16() == 422 && message.contains("aws_session_token") && !message.contains("canary"), "{message}");
}
