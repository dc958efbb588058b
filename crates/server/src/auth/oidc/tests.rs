//! Whole sign-ins against a provider on this machine: one that is right, and each way in which one may not be.

mod sign_out;

use std::collections::BTreeMap;
use std::sync::Arc;

use openidconnect::url::Url;
use serde_json::{Value, json};
use store::RoleGrant;

use super::fake_provider::{Down, FakeProvider, SigningKey, basic, unsigned};
use super::{Callback, LocalPath, Oidc, OidcError, OidcSettings, RoleRules, SignedIn};
use crate::auth::role::Role;
use crate::outbound::{Outbound, OutboundSettings};
use crate::randomness::SystemRandom;
use crate::sealing::{MasterKey, MasterKeys, Purpose};

const NOW_MS: i64 = 1_800_000_000_000;
const NOW: i64 = NOW_MS / 1000;
const CLIENT: &str = "isinglass";

struct Stage {
    provider: FakeProvider,
    oidc: Oidc,
    key: SigningKey,
}

/// A sign-in between its halves.
struct Half {
    cookie: String,
    state: String,
    nonce: String,
    challenge: String,
    url: Url,
}

fn oidc(issuer: &str) -> Result<Oidc, OidcError> {
    build(settings(issuer))
}

fn settings(issuer: &str) -> OidcSettings {
    OidcSettings {
        issuer: issuer.to_owned(),
        client_id: CLIENT.to_owned(),
        client_secret: Some(model::Secret::new("s3cret")),
        redirect_url: "https://isinglass.example.com/api/v1/sign-in/oidc/callback".to_owned(),
        post_logout_redirect_url: None,
        scopes: vec!["email".to_owned()],
        roles: RoleRules {
            claim: Some("realm_access.roles".to_owned()),
            mapping: BTreeMap::from([("stewards".to_owned(), Role::Member)]),
            everybody: None,
        },
    }
}

fn build(settings: OidcSettings) -> Result<Oidc, OidcError> {
    let keys = MasterKeys::new(MasterKey::from_bytes([1; 32]), vec![]).derive(Purpose::SignInTransaction)?;
    Oidc::new(settings, Outbound::new(&OutboundSettings::default()).unwrap(), keys, Arc::new(SystemRandom))
}

async fn stage_with(key: SigningKey) -> Stage {
    let provider = FakeProvider::start().await;
    provider.script(|script| script.keys = vec![key.published("k1")]);
    let oidc = oidc(&provider.issuer).unwrap();
    Stage { provider, oidc, key }
}

impl Stage {
    async fn begin(&self) -> Half {
        let begun = self.oidc.begin(LocalPath::parse("/runs?state=failed").unwrap(), NOW_MS).await.unwrap();
        let url: Url = begun.authorize_url.parse().unwrap();
        let query: BTreeMap<String, String> = url.query_pairs().into_owned().collect();
        let take = |name: &str| query[name].clone();
        Half { cookie: begun.cookie, state: take("state"), nonce: take("nonce"), challenge: take("code_challenge"), url }
    }

    fn claims(&self, half: &Half) -> Value {
        json!({
            "iss": self.provider.issuer, "sub": "u-1", "aud": CLIENT, "exp": NOW + 300, "iat": NOW, "nonce": half.nonce,
            "email": "ada@example.com", "email_verified": true, "name": "Ada", "preferred_username": "ada",
            "realm_access": {"roles": ["offline", "stewards"]},
        })
    }

    async fn finish(&self, half: &Half, id_token: String) -> Result<SignedIn, OidcError> {
        self.provider.script(|script| (script.id_token, script.challenge) = (id_token, half.challenge.clone()));
        self.oidc.finish(callback(&half.state), Some(&half.cookie), NOW_MS + 1000).await
    }

    /// A sign-in with one claim changed.
    async fn finish_with(&self, name: &str, value: Value) -> Result<SignedIn, OidcError> {
        let half = self.begin().await;
        let mut claims = self.claims(&half);
        claims[name] = value;
        self.finish(&half, self.key.token("k1", &claims)).await
    }
}

fn callback(state: &str) -> Callback {
    Callback { code: Some("the-code".to_owned()), state: Some(state.to_owned()), ..Callback::default() }
}

fn is_refused(result: Result<SignedIn, OidcError>, because: &str) -> bool {
    let error = result.unwrap_err();
    matches!(&error, OidcError::IdToken { reason } if reason.contains(because)) && error.is_of_the_provider()
}

#[tokio::test]
async fn a_right_sign_in_says_who_it_is_and_where_to_go() {
    for key in [SigningKey::es256(), SigningKey::rs256()] {
        let stage = stage_with(key).await;
        let half = stage.begin().await;
        let signed_in = stage.finish(&half, stage.key.token("k1", &stage.claims(&half))).await.unwrap();
        assert_eq!((signed_in.claims.issuer.as_str(), signed_in.claims.subject.as_str()), (stage.provider.issuer.as_str(), "u-1"));
        assert_eq!(signed_in.claims.email.as_deref(), Some("ada@example.com"));
        assert!(signed_in.claims.email_verified);
        assert_eq!(signed_in.claims.name.as_deref(), Some("Ada"));
        assert_eq!(signed_in.claims.preferred_username.as_deref(), Some("ada"));
        assert_eq!(
            (signed_in.claims.role_values.as_slice(), signed_in.role),
            (["offline", "stewards"].map(String::from).as_slice(), Some(RoleGrant::Ruled(store::Role::Member)))
        );
        assert_eq!(signed_in.return_to.as_str(), "/runs?state=failed");
        assert_eq!(stage.provider.script(|script| script.last_authorization.clone()), Some(basic(CLIENT, "s3cret")));
    }
}

#[tokio::test]
async fn the_browser_is_sent_with_everything_that_the_flow_needs_and_no_secret() {
    let stage = stage_with(SigningKey::es256()).await;
    let half = stage.begin().await;
    let query: BTreeMap<String, String> = half.url.query_pairs().into_owned().collect();
    assert_eq!(half.url.path(), "/authorize");
    assert_eq!(
        (query["response_type"].as_str(), query["client_id"].as_str(), query["scope"].as_str()),
        ("code", CLIENT, "openid email")
    );
    assert_eq!(query["code_challenge_method"], "S256");
    assert_eq!(query["redirect_uri"], "https://isinglass.example.com/api/v1/sign-in/oidc/callback");
    assert!(!half.url.as_str().contains("s3cret"));
    let again = stage.begin().await;
    assert!(half.state != again.state && half.nonce != again.nonce && half.challenge != again.challenge);
}

#[tokio::test]
async fn an_id_token_that_is_not_right_in_every_claim_is_refused() {
    let stage = stage_with(SigningKey::es256()).await;
    assert!(stage.finish_with("name", json!("Eve")).await.is_ok());
    for nonce in [json!("other"), Value::Null] {
        assert!(matches!(stage.finish_with("nonce", nonce).await, Err(OidcError::WrongNonce)));
    }
    assert!(is_refused(stage.finish_with("exp", json!(NOW - 120)).await, "times do not fit"));
    assert!(is_refused(stage.finish_with("aud", json!("other")).await, "another application"));
    assert!(is_refused(stage.finish_with("aud", json!([CLIENT, "other"])).await, "another application"));
    assert!(is_refused(stage.finish_with("iss", json!("https://evil.test")).await, "another issuer"));
    assert!(is_refused(stage.finish_with("iat", json!(NOW + 3600)).await, "times do not fit"));
}

#[tokio::test]
async fn clocks_may_differ_by_a_minute() {
    let stage = stage_with(SigningKey::es256()).await;
    assert!(stage.finish_with("exp", json!(NOW - 50)).await.is_ok());
    assert!(stage.finish_with("iat", json!(NOW + 50)).await.is_ok());
}

#[tokio::test]
async fn a_token_without_a_right_signature_is_refused() {
    let stage = stage_with(SigningKey::es256()).await;
    let half = stage.begin().await;
    let claims = stage.claims(&half);
    let none = unsigned(&json!({"alg": "none"}), &claims) + ".";
    assert!(is_refused(stage.finish(&half, none).await, "its signature is"));
    let none_with_key = unsigned(&json!({"alg": "none", "kid": "k1"}), &claims) + ".AAAA";
    assert!(is_refused(stage.finish(&half, none_with_key).await, "its signature is"));

    // Signed with the client's secret, or with the published key taken for one: neither kind is accepted.
    for secret in ["s3cret".to_owned(), stage.key.published("k1").to_string()] {
        let signed = unsigned(&json!({"alg": "HS256", "kid": "k1"}), &claims);
        let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, secret.as_bytes());
        let tag = base64::Engine::encode(
            &base64::engine::general_purpose::URL_SAFE_NO_PAD,
            aws_lc_rs::hmac::sign(&key, signed.as_bytes()),
        );
        assert!(is_refused(stage.finish(&half, format!("{signed}.{tag}")).await, "of a kind that is not accepted"));
    }

    let strangers = SigningKey::es256().token("k1", &claims);
    assert!(is_refused(stage.finish(&half, strangers).await, "signature is wrong"));
    let unknown = SigningKey::es256().token("k2", &claims);
    assert!(is_refused(stage.finish(&half, unknown).await, "does not publish"));
}

#[tokio::test]
async fn an_answer_for_another_browser_or_sign_in_is_refused_before_the_provider_is_asked() {
    let stage = stage_with(SigningKey::es256()).await;
    let (mine, others) = (stage.begin().await, stage.begin().await);
    let finish =
        async |callback: Callback, cookie: Option<&str>, now_ms| stage.oidc.finish(callback, cookie, now_ms).await.unwrap_err();
    assert!(matches!(finish(callback(&others.state), Some(&mine.cookie), NOW_MS).await, OidcError::WrongState));
    assert!(matches!(finish(callback(""), Some(&mine.cookie), NOW_MS).await, OidcError::WrongState));
    assert!(matches!(finish(Callback::default(), Some(&mine.cookie), NOW_MS).await, OidcError::WrongState));
    assert!(matches!(finish(callback(&mine.state), None, NOW_MS).await, OidcError::NotBegun));
    assert!(matches!(finish(callback(&mine.state), Some(&mine.cookie), NOW_MS + 600_000).await, OidcError::NotBegun));
    let mixed_up = Callback { iss: Some("https://evil.test".to_owned()), ..callback(&mine.state) };
    assert!(matches!(finish(mixed_up, Some(&mine.cookie), NOW_MS).await, OidcError::WrongState));
    assert_eq!(stage.provider.script(|script| script.last_authorization.clone()), None);
}

#[tokio::test]
async fn a_refusal_of_the_provider_is_told_without_repeating_what_was_injected() {
    let stage = stage_with(SigningKey::es256()).await;
    let half = stage.begin().await;
    let refused = Callback { code: None, error: Some("access_denied<SCRIPT>".to_owned()), ..callback(&half.state) };
    let error = stage.oidc.finish(refused, Some(&half.cookie), NOW_MS).await.unwrap_err();
    assert!(error.to_string().starts_with("the provider refused this sign-in (access_denied)"), "{error}");
    let empty = Callback { code: None, ..callback(&half.state) };
    assert!(matches!(stage.oidc.finish(empty, Some(&half.cookie), NOW_MS).await, Err(OidcError::RefusedByProvider { .. })));
}

#[tokio::test]
async fn a_code_that_was_stolen_cannot_be_exchanged_without_the_verifier() {
    let stage = stage_with(SigningKey::es256()).await;
    let (thief, victim) = (stage.begin().await, stage.begin().await);
    let token = stage.key.token("k1", &stage.claims(&thief));
    stage.provider.script(|script| (script.id_token, script.challenge) = (token, victim.challenge));
    let error = stage.oidc.finish(callback(&thief.state), Some(&thief.cookie), NOW_MS).await.unwrap_err();
    assert!(matches!(error, OidcError::CodeRefused) && !error.is_of_the_provider(), "{error}");
}

#[tokio::test]
async fn what_the_provider_says_of_itself_is_asked_for_once_an_hour_and_outlives_an_outage() {
    let stage = stage_with(SigningKey::es256()).await;
    let begin = async |now_ms| stage.oidc.begin(LocalPath::root(), now_ms).await;
    let discoveries = || stage.provider.script(|script| script.discoveries);
    for now_ms in [NOW_MS, NOW_MS + 1, NOW_MS + 3_599_999] {
        begin(now_ms).await.unwrap();
    }
    assert_eq!(discoveries(), 1);
    begin(NOW_MS + 3_600_000).await.unwrap();
    assert_eq!(discoveries(), 2);
    stage.provider.script(|script| script.is_down = Down::Yes);
    begin(NOW_MS + 9_000_000).await.unwrap();
    assert_eq!(discoveries(), 3);
}

#[tokio::test]
async fn a_new_key_is_looked_for_once() {
    let stage = stage_with(SigningKey::es256()).await;
    let half = stage.begin().await;
    let new = SigningKey::es256();
    let token = new.token("k2", &stage.claims(&half));
    stage.provider.script(|script| {
        script.keys.push(new.published("k2"));
        (script.id_token, script.challenge) = (token, half.challenge.clone());
    });
    let later_ms = NOW_MS + 60_000;
    assert!(stage.oidc.finish(callback(&half.state), Some(&half.cookie), later_ms).await.is_ok());
    assert_eq!(stage.provider.script(|script| script.discoveries), 2);
}

#[tokio::test]
async fn a_provider_that_is_down_or_names_another_issuer_is_an_error_that_says_so() {
    let stage = stage_with(SigningKey::es256()).await;
    stage.provider.script(|script| script.is_down = Down::Yes);
    let error = stage.oidc.begin(LocalPath::root(), NOW_MS).await.unwrap_err();
    assert!(error.is_of_the_provider() && error.to_string().contains("it answered 503"), "{error}");
    stage.provider.script(|script| (script.is_down, script.issuer) = (Down::No, Some("https://evil.test".to_owned())));
    let soon = stage.oidc.begin(LocalPath::root(), NOW_MS + 9_999).await.unwrap_err();
    assert_eq!((soon.to_string(), stage.provider.script(|script| script.discoveries)), (error.to_string(), 1));
    let error = stage.oidc.begin(LocalPath::root(), NOW_MS + 10_000).await.unwrap_err();
    assert!(error.to_string().contains("names another issuer"), "{error}");
}

#[tokio::test]
async fn the_issuer_may_be_written_with_a_slash_or_without_and_is_what_the_provider_says() {
    let stage = stage_with(SigningKey::es256()).await;
    let spelled = format!("{}/", stage.provider.issuer);
    stage.provider.script(|script| script.issuer = Some(spelled.clone()));
    let half = stage.begin().await;
    let mut claims = stage.claims(&half);
    assert!(is_refused(stage.finish(&half, stage.key.token("k1", &claims)).await, "another issuer"));
    claims["iss"] = json!(spelled);
    let token = stage.key.token("k1", &claims);
    stage.provider.script(|script| (script.id_token, script.challenge) = (token, half.challenge.clone()));
    let answer = Callback { iss: Some(spelled.clone()), ..callback(&half.state) };
    let signed_in = stage.oidc.finish(answer, Some(&half.cookie), NOW_MS).await.unwrap();
    assert_eq!(signed_in.claims.issuer, spelled);
}

#[tokio::test]
async fn what_the_id_token_lacks_is_told_by_the_userinfo_endpoint_of_the_same_person_only() {
    let stage = stage_with(SigningKey::es256()).await;
    let told = json!({"sub": "u-1", "email": "ada@example.com", "email_verified": true, "realm_access": {"roles": ["stewards"]}});
    stage.provider.script(|script| script.user_info = Some(told.clone()));
    // Everything is in the ID token, then only who it is.
    assert!(stage.finish_with("name", json!("Ada")).await.is_ok());
    assert_eq!(stage.provider.script(|script| script.user_info_asked), 0);
    let half = stage.begin().await;
    let mut thin = stage.claims(&half);
    for name in ["email", "email_verified", "name", "preferred_username", "realm_access"] {
        thin.as_object_mut().unwrap().remove(name);
    }
    let thin = stage.key.token("k1", &thin);
    let signed_in = stage.finish(&half, thin.clone()).await.unwrap();
    assert_eq!(signed_in.role, Some(RoleGrant::Ruled(store::Role::Member)));
    assert_eq!((signed_in.claims.email.as_deref(), signed_in.claims.email_verified), (Some("ada@example.com"), true));
    assert_eq!(stage.provider.script(|script| script.user_info_asked), 1);

    let mut others = told;
    others["sub"] = json!("u-2");
    stage.provider.script(|script| script.user_info = Some(others));
    let error = stage.finish(&half, thin.clone()).await.unwrap_err();
    assert!(matches!(&error, OidcError::UserInfo { reason } if reason.contains("somebody else")), "{error}");
    stage.provider.script(|script| script.user_info = None);
    let error = stage.finish(&half, thin).await.unwrap_err();
    assert!(error.is_of_the_provider() && error.to_string().contains("it answered 404"), "{error}");
}

#[test]
fn settings_that_cannot_be_right_are_refused_at_once() {
    for issuer in ["", "login.example.com", "http://login.example.com", "https://user:password@login.example.com"] {
        assert!(matches!(oidc(issuer), Err(OidcError::Settings { what: "issuer" })), "{issuer}");
    }
    for url in ["", "/", "http://isinglass.example.com/", "javascript:alert(1)"] {
        let settings = OidcSettings { post_logout_redirect_url: Some(url.to_owned()), ..settings("https://login.example.com") };
        assert!(matches!(build(settings), Err(OidcError::Settings { what: "post-logout redirect URL" })), "{url}");
    }
    let printed = format!("{:?}", oidc("https://login.example.com").unwrap());
    assert!(!printed.contains("s3cret"), "{printed}");
}
