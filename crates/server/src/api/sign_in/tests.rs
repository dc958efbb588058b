//! Signing in with a password and by the one-time link, and a browser for the tests of other nouns.

use axum::body::Body;
use http::{Request, StatusCode, header};
use serde_json::{Value, json};
use store::{NewSetupLink, PasswordHash, SecretHash};

use crate::api::testing::{Answered, Service, system};
use crate::auth::password::{Cost, Passwords};
use crate::auth::token::{Token, TokenKind};
use crate::config::Config;
use crate::randomness::SystemRandom;

pub(crate) use super::oidc::tests::{Stage, stage};

const PATH: &str = "/api/v1/sign-in";
pub(crate) const PASSWORD: &str = "canary pass phrase";

/// Somebody who is signed in with a session.
pub(crate) struct Browser {
    cookie: String,
    csrf: String,
}

/// Creates a user with [`PASSWORD`]; their number.
pub(crate) async fn add_user(service: &Service, name: &str, role: &str) -> String {
    let user = json!({ "name": name, "role": role, "password": PASSWORD });
    let created = service.call("POST", "/api/v1/users", None, &user).await;
    assert_eq!(created.status, StatusCode::CREATED, "{created:?}");
    created.body["id"].as_str().unwrap().to_owned()
}

pub(crate) async fn post(service: &Service, path: &str, body: &Value) -> Answered {
    let request = Request::post(path).header(header::CONTENT_TYPE, "application/json");
    service.send(request.body(Body::from(body.to_string())).unwrap()).await
}

pub(crate) async fn sign_in(service: &Service, name: &str, password: &str) -> Answered {
    post(service, PATH, &json!({ "name": name, "password": password })).await
}

fn browser(answered: &Answered) -> Browser {
    let cookie = answered.headers[header::SET_COOKIE].to_str().unwrap().split(';').next().unwrap().to_owned();
    Browser { cookie, csrf: answered.body["csrfToken"].as_str().unwrap().to_owned() }
}

impl Browser {
    pub(crate) async fn of(service: &Service, name: &str) -> Self {
        let answered = sign_in(service, name, PASSWORD).await;
        assert_eq!(answered.status, StatusCode::OK, "{answered:?}");
        browser(&answered)
    }

    /// Somebody who has the cookie of a session.
    pub(crate) async fn with_cookie(service: &Service, cookie: String) -> Self {
        let session = Request::get("/api/v1/session").header(header::COOKIE, &cookie).body(Body::empty()).unwrap();
        let session = service.send(session).await;
        Self { cookie, csrf: session.body["csrfToken"].as_str().unwrap().to_owned() }
    }

    /// Sends a request with cookie and CSRF token.
    pub(crate) async fn call(&self, service: &Service, method: &str, path: &str, body: &Value) -> Answered {
        let request = Request::builder().method(method).uri(path).header(header::COOKIE, &self.cookie);
        let request = request.header("x-csrf-token", &self.csrf).header(header::CONTENT_TYPE, "application/json");
        service.send(request.body(Body::from(body.to_string())).unwrap()).await
    }

    pub(crate) async fn without_csrf(&self, service: &Service, method: &str, path: &str) -> Answered {
        let request = Request::builder().method(method).uri(path).header(header::COOKIE, &self.cookie);
        service.send(request.body(Body::empty()).unwrap()).await
    }
}

#[tokio::test]
async fn the_right_password_begins_a_session_whatever_the_case_of_the_name() {
    let service = Service::start().await;
    let id = add_user(&service, "Ada", "member").await;
    let answered = sign_in(&service, "aDA", PASSWORD).await;
    assert_eq!(answered.status, StatusCode::OK, "{answered:?}");
    assert_eq!((&answered.body["user"]["id"], &answered.body["role"]), (&json!(id), &json!("member")));
    let cookie = answered.headers[header::SET_COOKIE].to_str().unwrap();
    assert!(cookie.starts_with("isinglass_session=isgsession_"), "{cookie}");
    assert!(cookie.ends_with("; Path=/; Max-Age=43200; HttpOnly; SameSite=Lax"), "{cookie}");
    let session = browser(&answered).call(&service, "GET", "/api/v1/session", &Value::Null).await;
    assert_eq!(session.body, answered.body);
}

#[tokio::test]
async fn the_cookie_is_secure_where_browsers_come_over_tls() {
    let config = Config { public_url: Some("https://catalog.example.com".into()), ..Config::default() };
    let service = Service::start_with(config).await;
    add_user(&service, "ada", "viewer").await;
    let answered = sign_in(&service, "ada", PASSWORD).await;
    assert!(answered.headers[header::SET_COOKIE].to_str().unwrap().ends_with("; Secure"));
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_name_get_the_same_answer_and_are_written_down() {
    let service = Service::start().await;
    let id = add_user(&service, "ada", "member").await;
    let wrong = sign_in(&service, "ada", "something else").await;
    let mut unknown = sign_in(&service, "canary typed here", PASSWORD).await;
    assert_eq!((wrong.status, &wrong.body["code"]), (StatusCode::UNAUTHORIZED, &json!("unauthenticated")));
    assert_eq!(unknown.body, wrong.body);
    unknown = sign_in(&service, "a\u{0}b", PASSWORD).await;
    assert_eq!(unknown.body, wrong.body);
    let log = service.get("/api/v1/audit?action=sign-in.refuse").await.body;
    assert_eq!((&log["items"][2]["target"]["id"], &log["items"][2]["detail"]["reason"]), (&json!(id), &json!("wrong-password")));
    assert_eq!((&log["items"][1]["detail"]["reason"], log["items"][1]["target"].get("name")), (&json!("unknown-name"), None));
}

#[tokio::test]
async fn too_many_attempts_are_429_with_a_time_to_wait() {
    let service = Service::start().await;
    add_user(&service, "ada", "member").await;
    for _ in 0..6 {
        assert_eq!(sign_in(&service, "ada", "something else").await.status, StatusCode::UNAUTHORIZED);
    }
    let refused = sign_in(&service, "ada", PASSWORD).await;
    assert_eq!((refused.status, refused.body["code"].as_str()), (StatusCode::TOO_MANY_REQUESTS, Some("too-many-requests")));
    assert_eq!(refused.headers[header::RETRY_AFTER], "1");
}

#[tokio::test]
async fn somebody_who_is_disabled_is_not_let_in() {
    let service = Service::start().await;
    let id = add_user(&service, "ada", "member").await;
    let browser = Browser::of(&service, "ada").await;
    let disabled = service.call("PATCH", &format!("/api/v1/users/{id}"), Some(1), &json!({ "state": "disabled" })).await;
    assert_eq!(disabled.status, StatusCode::OK, "{disabled:?}");
    assert_eq!(sign_in(&service, "ada", PASSWORD).await.status, StatusCode::FORBIDDEN);
    assert_eq!(sign_in(&service, "ada", "something else").await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(browser.call(&service, "GET", "/api/v1/session", &Value::Null).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_hash_of_another_cost_is_made_anew_and_sessions_stay() {
    let service = Service::start().await;
    let id = add_user(&service, "ada", "member").await;
    let cost = Cost { memory_kib: 16, passes: 1, lanes: 1 };
    let others = Passwords::new(cost, 12, std::num::NonZeroUsize::MIN, std::sync::Arc::new(SystemRandom)).unwrap();
    let outdated = PasswordHash(others.hash(PASSWORD.to_owned().into()).await.unwrap());
    let now_ms = service.app.clock.now_ms();
    service.app.store.set_password(store::UserId(id.parse().unwrap()), &outdated, &system(), now_ms).await.unwrap();
    let first = Browser::of(&service, "ada").await;
    let (_, stored) = service.app.store.user_with_password("ada").await.unwrap().unwrap();
    assert!(stored.unwrap() != outdated);
    Browser::of(&service, "ada").await;
    assert_eq!(first.call(&service, "GET", "/api/v1/session", &Value::Null).await.status, StatusCode::OK);
}

/// A catalog without users, and the token of a link.
async fn empty() -> (Service, String) {
    let service = Service::start_empty(Config::default()).await;
    let token = Token::generate(TokenKind::Setup, &SystemRandom).unwrap();
    let now_ms = service.app.clock.now_ms();
    let link = NewSetupLink { hash: SecretHash(*token.hash().as_bytes()), expires_ms: now_ms + 60_000 };
    service.app.store.create_setup_link(&link, &system(), now_ms).await.unwrap();
    (service, token.expose().to_owned())
}

#[tokio::test]
async fn the_link_makes_the_first_administrator_once() {
    let (service, token) = empty().await;
    let offered = service.send(Request::get(PATH).body(Body::empty()).unwrap()).await;
    assert_eq!(offered.body, json!({ "password": true, "oidc": null, "needsSetup": true }));
    let request = json!({ "token": token, "name": "ada", "password": PASSWORD, "displayName": "Ada" });
    let short = json!({ "token": token, "name": "ada", "password": "short" });
    let refused = post(&service, "/api/v1/setup", &short).await;
    assert_eq!((refused.status.as_u16(), &refused.body["errors"][0]["field"]), (422, &json!("password")));
    let made = post(&service, "/api/v1/setup", &request).await;
    assert_eq!((made.status, &made.body["role"]), (StatusCode::CREATED, &json!("administrator")), "{made:?}");
    let users = browser(&made).call(&service, "GET", "/api/v1/users", &Value::Null).await;
    assert_eq!(users.body["items"][0]["displayName"], "Ada");
    assert_eq!(post(&service, "/api/v1/setup", &request).await.status, StatusCode::NOT_FOUND);
    let offered = service.send(Request::get(PATH).body(Body::empty()).unwrap()).await;
    assert_eq!(offered.body["needsSetup"], false);
}
