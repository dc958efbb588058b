//! Who is asking, and the end of a session.

use http::{StatusCode, header};
use serde_json::{Value, json};

use crate::api::sign_in::tests::{Browser, Stage, add_user, stage};
use crate::api::testing::{Answered, Service};
use crate::auth::oidc::fake_provider::Down;
use crate::outbound::TIME_LIMIT;

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

/// Signs somebody in at the provider, where sessions end at `/end`.
async fn signed_in(stage: &Stage) -> Browser {
    let end = json!(format!("{}/end", stage.provider.issuer));
    stage.provider.script(|script| script.end_session = Some(end));
    Browser::with_cookie(&stage.service, stage.session_cookie("stewards").await).await
}

/// Signs out; the session is no more, whatever else is answered.
async fn sign_out(service: &Service, browser: &Browser) -> Answered {
    let ended = browser.call(service, "DELETE", PATH, &Value::Null).await;
    assert_eq!(ended.headers[header::SET_COOKIE], "isinglass_session=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax");
    assert_eq!(browser.call(service, "GET", PATH, &Value::Null).await.status, StatusCode::UNAUTHORIZED);
    ended
}

#[tokio::test]
async fn who_signed_in_at_the_provider_is_told_where_the_session_there_ends() {
    let stage = stage().await;
    stage.service.add_administrator().await;
    let browser = signed_in(&stage).await;
    let refused = browser.without_csrf(&stage.service, "DELETE", PATH).await;
    assert_eq!((refused.status, &refused.body["code"]), (StatusCode::FORBIDDEN, &json!("csrf-refused")));
    let ended = sign_out(&stage.service, &browser).await;
    let back = "post_logout_redirect_uri=https%3A%2F%2Fisinglass.example.com%2F";
    let url = format!("{}/end?client_id=isinglass&{back}", stage.provider.issuer);
    assert_eq!((ended.status, &ended.body), (StatusCode::OK, &json!({ "providerSignOutUrl": url })));
    let audit = stage.service.get("/api/v1/audit?action=session.delete").await;
    assert_eq!((&audit.body["items"][0]["actor"]["name"], &audit.body["items"][1]), (&json!("ada"), &Value::Null));
}

#[tokio::test]
async fn who_signed_in_with_a_password_has_no_session_at_the_provider_and_it_is_not_asked() {
    let stage = stage().await;
    stage.service.add_administrator().await;
    add_user(&stage.service, "ada", "viewer").await;
    let browser = Browser::of(&stage.service, "ada").await;
    assert_eq!(sign_out(&stage.service, &browser).await.status, StatusCode::NO_CONTENT);
    assert_eq!(stage.provider.script(|script| script.discoveries), 0);
}

#[tokio::test]
async fn a_provider_that_is_down_or_has_no_such_place_keeps_nobody_signed_in() {
    let stage = stage().await;
    let browser = signed_in(&stage).await;
    stage.provider.script(|script| script.is_down = Down::Yes);
    let ended = sign_out(&stage.replica(), &browser).await;
    assert_eq!((ended.status, ended.body), (StatusCode::NO_CONTENT, json!("")));
    stage.provider.script(|script| script.is_down = Down::No);
    let browser = signed_in(&stage).await;
    stage.provider.script(|script| script.end_session = None);
    let ended = sign_out(&stage.replica(), &browser).await;
    assert_eq!((ended.status, ended.body), (StatusCode::NO_CONTENT, json!("")));
}

#[tokio::test]
async fn a_provider_that_never_answers_holds_nobody_up_as_long_as_a_request_to_it_may_take() {
    let stage = stage().await;
    let browser = signed_in(&stage).await;
    stage.provider.script(|script| script.is_down = Down::Silent);
    let replica = stage.replica();
    let ended = tokio::time::timeout(TIME_LIMIT, sign_out(&replica, &browser)).await.unwrap();
    assert_eq!((ended.status, ended.body), (StatusCode::NO_CONTENT, json!("")));
}
