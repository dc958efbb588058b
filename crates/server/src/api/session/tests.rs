//! Who is asking, and the end of a session.

use http::{StatusCode, header};
use serde_json::{Value, json};

use crate::api::sign_in::tests::{Browser, add_user};
use crate::api::testing::Service;

const PATH: &str = "/api/v1/session";

#[tokio::test]
async fn a_token_is_told_its_scopes_and_has_no_session_to_end() {
    let service = Service::start().await;
    let session = service.get(PATH).await;
    assert_eq!(session.body["scopes"], json!(["read", "write", "admin"]));
    assert_eq!((&session.body["user"]["name"], session.body.get("csrfToken")), (&json!("admin"), None));
    assert_eq!(service.call("DELETE", PATH, None, &Value::Null).await.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn signing_out_ends_the_session_deletes_the_cookie_and_needs_the_csrf_token() {
    let service = Service::start().await;
    add_user(&service, "ada", "viewer").await;
    let browser = Browser::of(&service, "ada").await;
    let refused = browser.without_csrf(&service, "DELETE", PATH).await;
    assert_eq!((refused.status, &refused.body["code"]), (StatusCode::FORBIDDEN, &json!("csrf-refused")));
    let ended = browser.call(&service, "DELETE", PATH, &Value::Null).await;
    assert_eq!(ended.status, StatusCode::NO_CONTENT);
    assert_eq!(ended.headers[header::SET_COOKIE], "isinglass_session=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax");
    assert_eq!(browser.call(&service, "GET", PATH, &Value::Null).await.status, StatusCode::UNAUTHORIZED);
}
