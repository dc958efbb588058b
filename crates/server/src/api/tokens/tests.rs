//! Tokens over HTTP: shown once, never more than their user, gone when revoked.

use axum::body::Body;
use http::{Request, StatusCode, header};
use serde_json::{Value, json};

use crate::api::sign_in::tests::{Browser, add_user};
use crate::api::testing::{Answered, Service, TOKEN, with_token};

const PATH: &str = "/api/v1/tokens";
const DAY_MS: i64 = 86_400_000;

async fn get_with(service: &Service, token: &str, path: &str) -> Answered {
    service.send(with_token(Request::get(path), token).body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn a_token_is_shown_once_works_and_stops_when_it_is_revoked() {
    let service = Service::start().await;
    let made = service.call("POST", PATH, None, &json!({ "name": "export", "scopes": ["read"] })).await;
    assert_eq!(made.status, StatusCode::CREATED, "{made:?}");
    let token = made.body["token"].as_str().unwrap();
    assert!(token.starts_with("isg_"));
    let lifetime = made.body["expiresAt"].as_i64().unwrap() - made.body["createdAt"].as_i64().unwrap();
    assert_eq!(lifetime, 90 * DAY_MS);
    assert_eq!(get_with(&service, token, "/api/v1/users").await.status, StatusCode::OK);
    assert_eq!(get_with(&service, token, PATH).await.status, StatusCode::FORBIDDEN);
    let location = made.headers[header::LOCATION].to_str().unwrap();
    let read = service.get(location).await;
    assert_eq!((&read.body["scopes"], read.body.get("token")), (&json!(["read"]), None));
    assert!(!service.get(PATH).await.body.to_string().contains(token));
    assert_eq!(service.call("DELETE", location, None, &Value::Null).await.status, StatusCode::NO_CONTENT);
    assert_eq!(get_with(&service, token, "/api/v1/users").await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_token_is_never_more_than_its_user_nor_works_for_ever() {
    let service = Service::start().await;
    add_user(&service, "ada", "member").await;
    let member = Browser::of(&service, "ada").await;
    let request = |scopes: Value, days: Value| json!({ "name": "mine", "scopes": scopes, "expiresInDays": days });
    let refused = member.call(&service, "POST", PATH, &request(json!(["read", "admin"]), json!(7))).await;
    assert_eq!((refused.status, &refused.body["errors"][0]["field"]), (StatusCode::FORBIDDEN, &json!("scopes")));
    for days in [json!(null), json!(0), json!(366)] {
        let refused = member.call(&service, "POST", PATH, &request(json!(["read"]), days)).await;
        assert_eq!((refused.status.as_u16(), &refused.body["errors"][0]["field"]), (422, &json!("expiresInDays")));
    }
    assert_eq!(member.call(&service, "POST", PATH, &request(json!([]), json!(7))).await.status.as_u16(), 422);
    assert_eq!(member.call(&service, "POST", PATH, &request(json!(["write"]), json!(7))).await.status, StatusCode::CREATED);
    let endless = service.call("POST", PATH, None, &request(json!(["admin"]), json!(null))).await;
    assert_eq!((endless.status, endless.body.get("expiresAt")), (StatusCode::CREATED, None));
}

#[tokio::test]
async fn tokens_of_others_are_for_administrators() {
    let service = Service::start().await;
    let ada = add_user(&service, "ada", "viewer").await;
    let viewer = Browser::of(&service, "ada").await;
    let made = viewer.call(&service, "POST", PATH, &json!({ "name": "mine", "scopes": ["read"] })).await;
    let path = format!("{PATH}/{}", made.body["id"].as_str().unwrap());
    let names = |answered: Answered| {
        let items = answered.body["items"].as_array().unwrap().clone();
        items.iter().map(|item| item["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(names(viewer.call(&service, "GET", PATH, &Value::Null).await), "mine");
    assert_eq!(names(service.get(PATH).await), "test");
    assert_eq!(names(service.get(&format!("{PATH}?user=all")).await), "test mine");
    assert_eq!(names(service.get(&format!("{PATH}?user={ada}")).await), "mine");
    assert_eq!(service.get(&format!("{PATH}?user=ada")).await.status, StatusCode::BAD_REQUEST);
    for hidden in ["?user=all", "?user=1"] {
        let refused = viewer.call(&service, "GET", &format!("{PATH}{hidden}"), &Value::Null).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN);
    }
    assert_eq!(viewer.call(&service, "DELETE", &format!("{PATH}/1"), &Value::Null).await.status, StatusCode::NOT_FOUND);
    assert_eq!(service.call("DELETE", &path, None, &Value::Null).await.status, StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn a_repetition_with_the_same_key_makes_no_second_token_and_shows_none() {
    let service = Service::start().await;
    let body = json!({ "name": "export", "scopes": ["read"] }).to_string();
    let send = || {
        let request = with_token(Request::post(PATH), TOKEN).header("idempotency-key", "one");
        let request = request.header(header::CONTENT_TYPE, "application/json");
        service.send(request.body(Body::from(body.clone())).unwrap())
    };
    assert_eq!(send().await.status, StatusCode::CREATED);
    let again = send().await;
    assert_eq!((again.status, again.body.get("token")), (StatusCode::CONFLICT, None));
    assert_eq!(service.get(PATH).await.body["items"].as_array().unwrap().len(), 2);
}
