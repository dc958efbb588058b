//! `/session`: who is asking, and the end of it.

#[cfg(test)]
mod tests;

use axum::extract::State;
use axum::response::{AppendHeaders, IntoResponse};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use serde::Serialize;
use store::SecretHash;
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

/// Signs out.
#[utoipa::path(delete, path = "/api/v1/session", tag = "sign-in", responses(
    (status = 204, description = "The session has ended."), EditProblems,
))]
async fn sign_out(State(app): State<App>, caller: Caller, headers: HeaderMap) -> Result<impl IntoResponse, Problem> {
    let Some(token) = session_token(&headers).filter(|_| caller.principal().via == Via::Session) else {
        return Err(Problem::new(Code::Forbidden, "a token has no session to end: revoke it with DELETE /api/v1/tokens/{id}"));
    };
    app.store.delete_session(&SecretHash(*token.hash().as_bytes()), caller.audit(), app.clock.now_ms()).await?;
    Ok((StatusCode::NO_CONTENT, set_cookie(forget(&app)?)))
}

/// One header `Set-Cookie`.
pub(super) fn set_cookie(cookie: HeaderValue) -> AppendHeaders<[(HeaderName, HeaderValue); 1]> {
    AppendHeaders([(header::SET_COOKIE, cookie)])
}
