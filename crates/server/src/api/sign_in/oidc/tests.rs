//! The browser's way to the provider and back.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::body::Body;
use http::{Request, StatusCode, header};
use openidconnect::url::Url;
use serde_json::json;

use crate::api::testing::{Answered, Service, state, state_of};
use crate::auth::Role;
use crate::auth::oidc::fake_provider::{FakeProvider, SigningKey};
use crate::auth::oidc::{Oidc, OidcSettings, RoleRules};
use crate::config::Config;
use crate::outbound::{Outbound, OutboundSettings};
use crate::randomness::SystemRandom;
use crate::sealing::Purpose;
use crate::state::AppState;

const PATH: &str = "/api/v1/sign-in/oidc";

/// A service and the provider that its people sign in at.
pub(crate) struct Stage {
    pub(crate) service: Service,
    pub(crate) provider: FakeProvider,
    key: SigningKey,
}

pub(crate) async fn stage() -> Stage {
    let (provider, key) = (FakeProvider::start().await, SigningKey::es256());
    provider.script(|script| script.keys = vec![key.published("k1")]);
    let folder = tempfile::tempdir().unwrap();
    let state = with(&provider, state(Config::default(), &folder).await);
    Stage { service: Service::around(state, folder), provider, key }
}

/// The state with sign-in at the provider, which was not asked anything yet.
fn with(provider: &FakeProvider, mut state: AppState) -> AppState {
    let settings = OidcSettings {
        issuer: provider.issuer.clone(),
        client_id: "isinglass".to_owned(),
        client_secret: None,
        redirect_url: "https://isinglass.example.com/api/v1/sign-in/oidc/callback".to_owned(),
        post_logout_redirect_url: Some("https://isinglass.example.com/".to_owned()),
        scopes: vec![],
        roles: RoleRules {
            claim: Some("groups".to_owned()),
            mapping: BTreeMap::from([("stewards".to_owned(), Role::Member)]),
            everybody: None,
        },
    };
    let keys = state.keys.derive(Purpose::SignInTransaction).unwrap();
    let outbound = Outbound::new(&OutboundSettings::default()).unwrap();
    state.oidc = Some(Oidc::new(settings, outbound, keys, Arc::new(SystemRandom)).unwrap());
    state
}

async fn get(service: &Service, path: &str, cookie: &str) -> Answered {
    service.send(Request::get(path).header(header::COOKIE, cookie).body(Body::empty()).unwrap()).await
}

fn cookies(answered: &Answered) -> Vec<String> {
    answered.headers.get_all(header::SET_COOKIE).iter().map(|value| value.to_str().unwrap().to_owned()).collect()
}

impl Stage {
    /// Another service of the same catalog, which has not asked the provider yet.
    pub(crate) fn replica(&self) -> Service {
        let state = with(&self.provider, state_of(Config::default(), self.service.app.store.clone()));
        Service::around(state, tempfile::tempdir().unwrap())
    }

    /// The cookie of the session of somebody in a group who signed in.
    pub(crate) async fn session_cookie(&self, group: &str) -> String {
        cookies(&self.sign_in(group).await)[1].split(';').next().unwrap().to_owned()
    }

    /// A whole sign-in of somebody in a group.
    async fn sign_in(&self, group: &str) -> Answered {
        let begun = get(&self.service, &format!("{PATH}?returnTo=/runs%3Fq%3D%C3%BC"), "x=y").await;
        assert_eq!(begun.status, StatusCode::FOUND, "{begun:?}");
        let cookie = cookies(&begun)[0].split(';').next().unwrap().to_owned();
        let url: Url = begun.headers[header::LOCATION].to_str().unwrap().parse().unwrap();
        let query: BTreeMap<String, String> = url.query_pairs().into_owned().collect();
        let now = self.service.app.clock.now_ms() / 1000;
        let claims = json!({
            "iss": self.provider.issuer, "sub": "u-1", "aud": "isinglass", "exp": now + 300, "iat": now, "nonce": query["nonce"],
            "email": "ada@example.com", "email_verified": true, "name": "Ada", "preferred_username": "ada", "groups": [group],
        });
        let (token, challenge) = (self.key.token("k1", &claims), query["code_challenge"].clone());
        self.provider.script(|script| (script.id_token, script.challenge) = (token, challenge));
        get(&self.service, &format!("{PATH}/callback?code=the-code&session_state=x&state={}", query["state"]), &cookie).await
    }
}

#[tokio::test]
async fn somebody_with_a_role_comes_back_with_a_session() {
    let stage = stage().await;
    let offered = get(&stage.service, "/api/v1/sign-in", "x=y").await;
    assert_eq!(offered.body["oidc"], json!({ "displayName": "Single sign-on", "href": PATH }));
    let answered = stage.sign_in("stewards").await;
    assert_eq!((answered.status, &answered.headers[header::LOCATION]), (StatusCode::FOUND, &"/runs?q=%C3%BC".parse().unwrap()));
    let set = cookies(&answered);
    assert_eq!(set[0], "isinglass_sign_in=; Path=/api/v1/sign-in/oidc; Max-Age=0; HttpOnly; SameSite=Lax");
    let session = get(&stage.service, "/api/v1/session", set[1].split(';').next().unwrap()).await;
    assert_eq!((&session.body["user"]["name"], &session.body["role"]), (&json!("ada"), &json!("member")));
    assert_eq!(session.body["user"]["singleSignOn"], true);
    let again = stage.sign_in("stewards").await;
    assert_eq!(again.status, StatusCode::FOUND);
}

#[tokio::test]
async fn somebody_without_a_role_is_refused_and_not_created() {
    let stage = stage().await;
    let refused = stage.sign_in("others").await;
    assert_eq!((refused.status, &refused.body["code"]), (StatusCode::FORBIDDEN, &json!("forbidden")), "{refused:?}");
    assert_eq!(refused.headers[header::CONTENT_TYPE], "application/problem+json");
    assert!(!stage.service.app.store.has_users().await.unwrap());
}

#[tokio::test]
async fn somebody_who_lost_every_group_is_refused_and_keeps_nothing_but_what_they_had() {
    let stage = stage().await;
    let session = stage.session_cookie("stewards").await;
    let refused = stage.sign_in("others").await;
    assert_eq!((refused.status, cookies(&refused).len()), (StatusCode::FORBIDDEN, 1), "{refused:?}");
    let still = get(&stage.service, "/api/v1/session", &session).await;
    assert_eq!(still.body["role"], json!("member"));
}

#[tokio::test]
async fn an_answer_that_nobody_asked_for_is_400_and_a_provider_that_is_down_503() {
    let stage = stage().await;
    let stray = get(&stage.service, &format!("{PATH}/callback?code=x&state=y"), "x=y").await;
    assert_eq!(stray.status, StatusCode::BAD_REQUEST);
    let elsewhere = get(&stage.service, &format!("{PATH}?returnTo=//evil.test"), "x=y").await;
    assert_eq!((elsewhere.status, &elsewhere.body["errors"][0]["field"]), (StatusCode::BAD_REQUEST, &json!("returnTo")));
    stage.provider.script(|script| script.is_down = crate::auth::oidc::fake_provider::Down::Yes);
    let down = get(&stage.service, PATH, "x=y").await;
    assert_eq!((down.status, &down.headers[header::RETRY_AFTER]), (StatusCode::SERVICE_UNAVAILABLE, &"10".parse().unwrap()));
}

#[tokio::test]
async fn without_a_provider_there_is_nothing() {
    let service = Service::start().await;
    assert_eq!(get(&service, PATH, "x=y").await.status, StatusCode::NOT_FOUND);
    assert_eq!(get(&service, &format!("{PATH}/callback"), "x=y").await.status, StatusCode::NOT_FOUND);
}
