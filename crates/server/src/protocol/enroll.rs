//! How a runtime becomes known, and how it signs in.

use axum::extract::{Form, State};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Extension, Json, Router};
use http::StatusCode;
use serde::Deserialize;
use serde_json::json;
use store::{Actor, Audit, AuditVia, Enrolment, RuntimeId, RuntimeKey, RuntimeSignIn, SecretHash, StoreError};
use wire::assertion::{ASSERTION_TYPE, CLOCK_SKEW_SECONDS, GRANT_TYPE, claimed_runtime, read_public_key, verify};
use wire::{Code, EnrollRequest, Enrolled, PROTOCOL, TokenAnswer, TokenError};

use super::AUDIENCE;
use super::caller::Body;
use super::refusal::Refusal;
use crate::api::runtimes::is_runtime_name;
use crate::auth::token::{Token, TokenKind};
use crate::http::RequestId;
use crate::listener::Peer;
use crate::state::{App, AppState};

/// How long an access token works, seconds.
const TOKEN_SECONDS: u64 = 900;
/// The word under which failed enrolments and sign-ins of one address are counted. Never by runtime: a stranger who names one could keep it
/// from signing in, and guessing at a signature leads nowhere.
const ACCOUNT: &str = "runtime";

pub(super) fn router() -> Router<App> {
    Router::new().route("/runtime/v1/enroll", post(enroll)).route("/runtime/v1/token", post(token))
}

async fn enroll(
    State(app): State<App>,
    peer: Option<Extension<Peer>>,
    request_id: Option<Extension<RequestId>>,
    Body(request): Body<EnrollRequest>,
) -> Result<Response, Refusal> {
    require_protocol(request.protocol)?;
    slow_down(&app, peer.as_ref())?;
    if !is_runtime_name(&request.name) {
        let detail = "the name of a runtime is of visible ASCII without spaces, at most 200 characters, and not `direct`";
        return Err(Refusal::malformed(detail));
    }
    let public_key = read_public_key(&request.public_key).ok_or_else(|| Refusal::malformed("this is no Ed25519 public key"))?;
    let refused = || {
        Refusal::new(
            Code::EnrolmentRefused,
            "this enrolment token does not work: it was used, has expired or is for another name; ask an administrator for a new one",
        )
    };
    let token = Token::parse(TokenKind::Enrolment, &request.token).map_err(|_no_token| refused())?;
    let audit = Audit {
        actor: Actor::Runtime { name: request.name.clone() },
        via: AuditVia::Runtime,
        address: peer.as_ref().map(|Extension(peer)| peer.0.ip().to_string()),
        request_id: request_id.map(|Extension(id)| id.as_str().to_owned()),
    };
    let hash = SecretHash(*token.hash().as_bytes());
    let enrolment = Enrolment { hash, name: request.name, public_key, version: request.version };
    let runtime = match app.store.enrol(&enrolment, &audit, app.clock.now_ms()).await {
        Ok(runtime) => runtime,
        Err(StoreError::NotFound { .. }) => return Err(refused()),
        Err(error @ StoreError::Conflict { .. }) => return Err(Refusal::new(Code::EnrolmentRefused, error.to_string())),
        Err(error) => return Err(error.into()),
    };
    succeeded(&app, peer.as_ref());
    tracing::info!(runtime = %runtime.id, name = runtime.name, "a runtime was enrolled");
    let enrolled = Enrolled { runtime_id: runtime.id.to_string(), name: runtime.name, audience: AUDIENCE.to_owned() };
    Ok((StatusCode::CREATED, Json(enrolled)).into_response())
}

/// `application/x-www-form-urlencoded` (RFC 7523 section 2.2).
#[derive(Deserialize)]
struct TokenRequest {
    grant_type: String,
    client_assertion_type: String,
    client_assertion: String,
}

async fn token(
    State(app): State<App>,
    peer: Option<Extension<Peer>>,
    form: Result<Form<TokenRequest>, axum::extract::rejection::FormRejection>,
) -> Result<Response, Refusal> {
    let Ok(Form(request)) = form else {
        return Ok(no_token(&app, "invalid_request", "send grant_type, client_assertion_type and client_assertion as a form"));
    };
    if request.grant_type != GRANT_TYPE || request.client_assertion_type != ASSERTION_TYPE {
        return Ok(no_token(&app, "unsupported_grant_type", "only client_credentials with a JWT bearer assertion is taken"));
    }
    let claimed = claimed_runtime(&request.client_assertion).and_then(|id| id.parse().ok()).map(RuntimeId);
    slow_down(&app, peer.as_ref())?;
    let known = match claimed {
        Some(id) => app.store.runtime_key(id).await?,
        None => None,
    };
    let Some(RuntimeKey { runtime, public_key }) = known else {
        return Ok(no_token(&app, "invalid_client", "there is no such runtime: enrol it"));
    };
    let now_ms = app.clock.now_ms();
    let now_seconds = now_ms.div_euclid(1000);
    let claims = match verify(&request.client_assertion, &public_key, AUDIENCE, now_seconds) {
        Ok(claims) => claims,
        Err(error) => return Ok(no_token(&app, "invalid_client", &error.to_string())),
    };
    if runtime.revoked_ms.is_some() {
        return Err(Refusal::new(Code::Revoked, "this runtime was revoked: to come back it has to be enrolled anew"));
    }
    let token = Token::generate(TokenKind::Runtime, &*app.random).map_err(|error| {
        tracing::error!(%error, "no token can be made");
        Refusal::new(Code::Busy, "no token can be made at the moment: try again")
    })?;
    let sign_in = RuntimeSignIn {
        runtime: runtime.id,
        jti: claims.jti,
        jti_expires_ms: claims.exp.saturating_add(CLOCK_SKEW_SECONDS).saturating_mul(1000),
        token: SecretHash(*token.hash().as_bytes()),
        token_expires_ms: now_ms.saturating_add(i64::try_from(TOKEN_SECONDS * 1000).unwrap_or(i64::MAX)),
    };
    if !app.store.sign_in_runtime(&sign_in, now_ms).await? {
        let detail = json!({ "code": "assertion-replayed", "message": "an assertion was shown a second time" });
        app.store.refuse_runtime(&runtime.name, Some(runtime.id), &detail, now_ms).await?;
        tracing::warn!(runtime = runtime.name, "an assertion was shown a second time");
        return Ok(no_token(&app, "invalid_client", "the assertion was used before: sign another one"));
    }
    succeeded(&app, peer.as_ref());
    app.store.runtime_seen(&runtime, None, now_ms).await?;
    let answer =
        TokenAnswer { access_token: token.expose().to_owned(), token_type: "Bearer".to_owned(), expires_in: TOKEN_SECONDS };
    Ok((no_store(), Json(answer)).into_response())
}

/// RFC 6749 section 5.1: nobody keeps a token on its way.
fn no_store() -> [(http::HeaderName, &'static str); 1] {
    [(http::header::CACHE_CONTROL, "no-store")]
}

fn no_token(app: &AppState, error: &str, description: &str) -> Response {
    let status = if error == "invalid_client" { StatusCode::UNAUTHORIZED } else { StatusCode::BAD_REQUEST };
    let body = TokenError {
        error: error.to_owned(),
        error_description: description.to_owned(),
        server_time: Some(app.clock.now_ms().div_euclid(1000)),
    };
    (status, no_store(), Json(body)).into_response()
}

/// Refuses versions that are not spoken here.
pub(super) fn require_protocol(protocol: u32) -> Result<(), Refusal> {
    if protocol == PROTOCOL {
        return Ok(());
    }
    let detail = format!("version {protocol} of the protocol is not spoken here, only {PROTOCOL}: install a runtime that fits");
    Err(Refusal::new(Code::UnsupportedProtocol, detail))
}

fn slow_down(app: &AppState, peer: Option<&Extension<Peer>>) -> Result<(), Refusal> {
    let Some(Extension(peer)) = peer else { return Ok(()) };
    let mut limiter = app.limiter.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let waits = limiter.attempt(app.clock.now_ms(), &account(peer), peer.0.ip());
    waits.map_err(|wait| Refusal::new(Code::Busy, format!("too many attempts: try again in {} s", wait.seconds())))
}

fn account(peer: &Peer) -> String {
    format!("{ACCOUNT} at {}", peer.0.ip())
}

fn succeeded(app: &AppState, peer: Option<&Extension<Peer>>) {
    if let Some(Extension(peer)) = peer {
        let mut limiter = app.limiter.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        limiter.succeeded(&account(peer), peer.0.ip());
    }
}
