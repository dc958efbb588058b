//! A small identity provider for tests: it publishes itself, checks PKCE, and signs whatever a test asks it to.

use std::sync::{Arc, Mutex, PoisonError};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, RSA_PKCS1_SHA256, RsaKeyPair};
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use openidconnect::url::form_urlencoded;
use serde_json::{Value, json};

/// What it will do next, and what it has seen.
#[derive(Default)]
pub(crate) struct Script {
    pub(crate) id_token: String,
    pub(crate) challenge: String,
    pub(crate) keys: Vec<Value>,
    pub(crate) issuer: Option<String>,
    /// What the userinfo endpoint answers; there is none without it.
    pub(crate) user_info: Option<Value>,
    pub(crate) user_info_asked: u32,
    /// What it publishes as `end_session_endpoint`; it has none without.
    pub(crate) end_session: Option<Value>,
    pub(crate) discoveries: u32,
    pub(crate) last_authorization: Option<String>,
    pub(crate) is_down: Down,
}

#[derive(Clone, Copy, Default, PartialEq)]
pub(crate) enum Down {
    #[default]
    No,
    Yes,
    /// It takes requests and does not answer.
    Silent,
}

#[derive(Clone)]
pub(crate) struct FakeProvider {
    pub(crate) issuer: String,
    script: Arc<Mutex<Script>>,
}

impl FakeProvider {
    pub(crate) async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let issuer = format!("http://{}", listener.local_addr().unwrap());
        let provider = Self { issuer, script: Arc::default() };
        let router = Router::new()
            .route("/.well-known/openid-configuration", get(describe))
            .route("/keys", get(async |State(this): State<Self>| Json(json!({"keys": this.script(|script| script.keys.clone())}))))
            .route("/token", post(exchange))
            .route("/userinfo", get(user_info))
            .with_state(provider.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        provider
    }

    pub(crate) fn script<T>(&self, change: impl FnOnce(&mut Script) -> T) -> T {
        change(&mut self.script.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

async fn describe(State(this): State<FakeProvider>) -> Result<Json<Value>, StatusCode> {
    let (is_down, issuer, has_user_info, end_session) = this.script(|script| {
        script.discoveries += 1;
        (script.is_down, script.issuer.clone(), script.user_info.is_some(), script.end_session.clone())
    });
    match is_down {
        Down::No => {}
        Down::Yes => return Err(StatusCode::SERVICE_UNAVAILABLE),
        Down::Silent => std::future::pending().await,
    }
    let base = &this.issuer;
    let mut description = json!({
        "issuer": issuer.as_ref().unwrap_or(base),
        "authorization_endpoint": format!("{base}/authorize"),
        "token_endpoint": format!("{base}/token"),
        "jwks_uri": format!("{base}/keys"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256", "ES256", "none", "HS256"],
    });
    if has_user_info {
        description["userinfo_endpoint"] = json!(format!("{base}/userinfo"));
    }
    if let Some(end_session) = end_session {
        description["end_session_endpoint"] = end_session;
    }
    Ok(Json(description))
}

async fn user_info(State(this): State<FakeProvider>, headers: HeaderMap) -> Result<Json<Value>, StatusCode> {
    if headers.get("authorization").is_none_or(|token| token != "Bearer a") {
        return Err(StatusCode::UNAUTHORIZED);
    }
    let answer = this.script(|script| {
        script.user_info_asked += 1;
        script.user_info.clone()
    });
    answer.map(Json).ok_or(StatusCode::NOT_FOUND)
}

async fn exchange(State(this): State<FakeProvider>, headers: HeaderMap, body: Bytes) -> (StatusCode, Json<Value>) {
    let form: Vec<(String, String)> = form_urlencoded::parse(&body).into_owned().collect();
    let value = |name: &str| form.iter().find(|pair| pair.0 == name).map(|pair| pair.1.as_str()).unwrap_or_default();
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, value("code_verifier").as_bytes());
    let (challenge, id_token) = this.script(|script| {
        script.last_authorization = headers.get("authorization").map(|header| header.to_str().unwrap().to_owned());
        (script.challenge.clone(), script.id_token.clone())
    });
    if value("code") != "the-code" || value("grant_type") != "authorization_code" || URL_SAFE_NO_PAD.encode(digest) != challenge {
        return (StatusCode::BAD_REQUEST, Json(json!({"error": "invalid_grant"})));
    }
    (StatusCode::OK, Json(json!({"access_token": "a", "token_type": "Bearer", "id_token": id_token})))
}

/// A key that tokens are signed with.
pub(crate) enum SigningKey {
    Es256(EcdsaKeyPair),
    Rs256(Box<RsaKeyPair>),
}

impl SigningKey {
    pub(crate) fn es256() -> Self {
        Self::Es256(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap())
    }

    pub(crate) fn rs256() -> Self {
        Self::Rs256(Box::new(RsaKeyPair::generate(KeySize::Rsa2048).unwrap()))
    }

    pub(crate) fn published(&self, kid: &str) -> Value {
        let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        match self {
            Self::Es256(key) => {
                let (x, y) = key.public_key().as_ref()[1..].split_at(32);
                json!({"kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": kid, "x": text(x), "y": text(y)})
            }
            Self::Rs256(key) => {
                // PKCS #1: a sequence of the modulus, which begins after nine bytes, and the exponent 65537, the last three.
                let der = key.public_key().as_ref();
                let (n, e) = (&der[9..265], &der[der.len() - 3..]);
                json!({"kty": "RSA", "use": "sig", "alg": "RS256", "kid": kid, "n": text(n), "e": text(e)})
            }
        }
    }

    pub(crate) fn token(&self, kid: &str, claims: &Value) -> String {
        let alg = match self {
            Self::Es256(_) => "ES256",
            Self::Rs256(_) => "RS256",
        };
        let signed = unsigned(&json!({"alg": alg, "kid": kid}), claims);
        let signature = match self {
            Self::Es256(key) => key.sign(&SystemRandom::new(), signed.as_bytes()).unwrap().as_ref().to_vec(),
            Self::Rs256(key) => {
                let mut signature = vec![0; key.public_modulus_len()];
                key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature).unwrap();
                signature
            }
        };
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

/// Header and claims, without a signature.
pub(crate) fn unsigned(header: &Value, claims: &Value) -> String {
    let text = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}", text(header), text(claims))
}

pub(crate) fn basic(user: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{user}:{password}")))
}
