//! Which runtime asks, known for certain; and bodies of its requests.

use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::AUTHORIZATION;
use http::request::Parts;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use store::{Lease, RunsOn, Runtime, SecretHash, Standing};
use wire::{Code, LeaseId};

use super::refusal::Refusal;
use crate::auth::token::{Token, TokenKind};
use crate::state::{App, AppState};

/// How long a lease of a runtime lasts without a heartbeat, milliseconds.
pub(super) const LEASE_MS: i64 = 60_000;

/// The runtime that asks.
#[derive(Clone, Debug)]
pub(super) struct Asking {
    pub(super) runtime: Runtime,
}

impl FromRequestParts<App> for Asking {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Refusal> {
        let header = parts.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let token = header.strip_prefix("Bearer ").ok_or_else(Refusal::unauthenticated)?;
        let token = Token::parse(TokenKind::Runtime, token.trim()).map_err(|_no_token| Refusal::unauthenticated())?;
        let now_ms = app.clock.now_ms();
        let found = app.store.runtime_of_token(&SecretHash(*token.hash().as_bytes()), now_ms).await?;
        Ok(Self { runtime: found.ok_or_else(Refusal::unauthenticated)? })
    }
}

impl Asking {
    /// The queue that it works on.
    pub(super) fn queue(&self) -> RunsOn {
        RunsOn::Runtime(self.runtime.name.clone())
    }

    /// Its lease of this name, and where it stands.
    pub(super) async fn lease(&self, app: &AppState, id: &LeaseId) -> Result<(Lease, Standing), Refusal> {
        let (job, fence) = read_lease_id(id).ok_or_else(|| Refusal::malformed("this is no name of a lease"))?;
        Ok(app.store.lease_of_runtime(job, fence, self.runtime.id).await?)
    }

    /// Refuses something that no sound runtime does, and writes it down.
    pub(super) async fn refused(&self, app: &AppState, refusal: Refusal, detail: Value) -> Refusal {
        tracing::warn!(runtime = self.runtime.name, code = refusal.code.as_str(), %detail, "a runtime was refused");
        let written = serde_json::json!({ "code": refusal.code.as_str(), "message": refusal.detail(), "request": detail });
        let kept = app.store.refuse_runtime(&self.runtime.name, Some(self.runtime.id), &written, app.clock.now_ms()).await;
        if let Err(error) = kept {
            tracing::warn!(%error, "a refusal is not written down");
        }
        refusal
    }
}

/// The name of a lease.
pub(super) fn lease_id(lease: &Lease) -> LeaseId {
    LeaseId(format!("{}.{}", lease.job.0, lease.fence))
}

fn read_lease_id(id: &LeaseId) -> Option<(i64, i64)> {
    let (job, fence) = id.0.split_once('.')?;
    Some((job.parse().ok()?, fence.parse().ok()?))
}

/// A JSON body of the protocol.
#[derive(Clone, Copy, Debug)]
pub(super) struct Body<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refusal> {
        match axum::Json::<T>::from_request(request, state).await {
            Ok(axum::Json(body)) => Ok(Self(body)),
            Err(rejection) => Err(refused_body(&rejection)),
        }
    }
}

impl<T: Serialize> IntoResponse for Body<T> {
    fn into_response(self) -> Response {
        axum::Json(self.0).into_response()
    }
}

fn refused_body(rejection: &JsonRejection) -> Refusal {
    match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Refusal::new(Code::TooLarge, "the body is larger than is taken"),
        _other => Refusal::malformed("the body is not what this version of the protocol sends"),
    }
}
