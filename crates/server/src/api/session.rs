//! `/session`: who is asking, and the end of it.

#[cfg(test)]
mod tests;

use std::time::Duration;

use axum::extract::State;
use axum::response::{AppendHeaders, IntoResponse, Response};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use serde::Serialize;
use store::{SecretHash, UserId};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::caller::session_token;
use super::tokens::ScopeName;
use super::users::{RoleName, User};
use super::visitor::forget;
use super::{Caller, EditProblems, ReadProblems};
use crate::auth::{Scope, Via};
use crate::http::{Code, Json, Problem};
use crate::state::App;

/// How long somebody who signs out waits for a provider that has to be asked first where sessions end there.
const PROVIDER_WAIT_MAX: Duration = Duration::from_secs(3);

/// Who is asking.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Session {
    /// The user.
    user: User,
    /// What the user may do at most.
    role: RoleName,
    /// What goes into the header `x-csrf-token` of every change; only with a session.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    csrf_token: Option<String>,
    /// What the token may do at most; only with a token.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    scopes: Option<Vec<ScopeName>>,
}

impl Session {
    /// Of somebody who signs in now.
    pub(super) fn begun(user: store::User, csrf_token: &str) -> Self {
        Self { role: user.role.into(), user: User::in_full(user), csrf_token: Some(csrf_token.to_owned()), scopes: None }
    }
}

/// What is left to do after signing out here.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct SignedOut {
    /// Where a page sends the browser next: there the session at the identity provider ends.
    #[schema(example = "https://login.example.com/session/end?client_id=isinglass")]
    provider_sign_out_url: String,
}

/// `/session`.
pub(crate) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(get_session, sign_out))
}

/// Who is asking: the user, and what a page or a program may do.
#[utoipa::path(get, path = "/api/v1/session", tag = "sign-in", responses(
    (status = 200, description = "Who is asking.", body = Session), ReadProblems,
))]
async fn get_session(State(app): State<App>, caller: Caller, headers: HeaderMap) -> Result<Json<Session>, Problem> {
    let gone = || Problem::new(Code::Unauthenticated, "the user was deleted a moment ago");
    let user = app.store.user(caller.user_id()).await?.ok_or_else(gone)?;
    let (csrf_token, scopes) = match caller.principal().via {
        Via::Session => (session_token(&headers).map(|token| token.csrf().as_str().to_owned()), None),
        Via::Token(_) => (None, Some(&caller.principal().scopes)),
    };
    let scopes = scopes.map(|scopes: &Vec<Scope>| scopes.iter().copied().map(ScopeName::from).collect());
    Ok(Json(Session { role: user.role.into(), user: User::in_full(user), csrf_token, scopes }))
}

/// Signs out, and says where the session at the identity provider ends.
#[utoipa::path(delete, path = "/api/v1/session", tag = "sign-in", responses(
    (status = 200, description = "The session has ended; the one at the identity provider may go on until the browser goes there.", body = SignedOut),
    (status = 204, description = "The session has ended; nothing is known of one at the identity provider that the browser could end."), EditProblems,
))]
async fn sign_out(State(app): State<App>, caller: Caller, headers: HeaderMap) -> Result<Response, Problem> {
    let Some(token) = session_token(&headers).filter(|_| caller.principal().via == Via::Session) else {
        return Err(Problem::new(Code::Forbidden, "a token has no session to end: revoke it with DELETE /api/v1/tokens/{id}"));
    };
    app.store.delete_session(&SecretHash(*token.hash().as_bytes()), caller.audit(), app.clock.now_ms()).await?;
    let cookie = set_cookie(forget(&app)?);
    Ok(match provider_sign_out_url(&app, caller.user_id()).await {
        Some(provider_sign_out_url) => (cookie, Json(SignedOut { provider_sign_out_url })).into_response(),
        None => (StatusCode::NO_CONTENT, cookie).into_response(),
    })
}

/// Where the session at the provider ends, of somebody who signs in there. The one here has ended by now, and no failure undoes that.
async fn provider_sign_out_url(app: &App, user: UserId) -> Option<String> {
    let oidc = app.oidc.as_ref()?;
    let user =
        app.store.user(user).await.inspect_err(|error| tracing::warn!(%error, "whose session ended cannot be read")).ok()??;
    let issuer = user.identity?.issuer;
    match tokio::time::timeout(PROVIDER_WAIT_MAX, oidc.sign_out_url(&issuer, app.clock.now_ms())).await {
        Ok(Ok(url)) => url,
        Ok(Err(error)) => {
            tracing::warn!(%error, "a session ended here, and may go on at the identity provider");
            None
        }
        Err(_elapsed) => {
            tracing::warn!(issuer, "a session ended here, and may go on at the identity provider, which does not answer in time");
            None
        }
    }
}

/// One header `Set-Cookie`.
pub(super) fn set_cookie(cookie: HeaderValue) -> AppendHeaders<[(HeaderName, HeaderValue); 1]> {
    AppendHeaders([(header::SET_COOKIE, cookie)])
}
