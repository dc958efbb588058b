//! Who asks: an API token, or a browser's session with its CSRF token.

use aws_lc_rs::digest::{SHA256, digest};
use axum::extract::FromRequestParts;
use http::request::Parts;
use http::{HeaderMap, Method, header};
use store::{Actor, Audit, AuditVia, ManagedConnection, SecretHash, UserId};

use crate::auth::token::{Token, TokenKind};
use crate::auth::{Action, Principal, Scope, Standing, Via, may};
use crate::http::{Code, Problem, RequestId};
use crate::listener::Peer;
use crate::openapi::{CSRF_HEADER, SESSION_COOKIE};
use crate::state::App;

/// A bearer token is at least this long: shorter ones can be guessed.
const TOKEN_BYTES_MIN: usize = 32;
/// And at most this long.
const TOKEN_BYTES_MAX: usize = 512;

/// Whoever asks, known for certain.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    principal: Principal,
    audit: Audit,
}

impl FromRequestParts<App> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let principal = match bearer(&parts.headers)? {
            Some(token) => by_token(app, token).await?,
            None => by_session(app, parts).await?,
        };
        let via = match principal.via {
            Via::Session => AuditVia::Session,
            Via::Token(id) => AuditVia::Token(id),
        };
        let actor = Actor::User { id: principal.user_id, name: principal.name.clone() };
        Ok(Self { principal, audit: audit_of(parts, actor, via) })
    }
}

impl Caller {
    /// Who it is.
    pub(crate) fn principal(&self) -> &Principal {
        &self.principal
    }

    /// The user behind it.
    pub(crate) fn user_id(&self) -> UserId {
        self.principal.user_id
    }

    /// The author of what is about to change.
    pub(crate) fn audit(&self) -> &Audit {
        &self.audit
    }

    /// Refuses what the role or the scopes do not allow.
    pub(crate) fn may(&self, action: Action) -> Result<(), Problem> {
        may(&self.principal, action).map_err(|refusal| Problem::new(Code::Forbidden, refusal.to_string()))
    }

    /// What the user is to a connection.
    pub(crate) fn standing(&self, connection: &ManagedConnection) -> Standing {
        if connection.administrators.contains(&self.user_id()) { Standing::ConnectionAdministrator } else { Standing::Other }
    }
}

/// The author of a change, as the request shows them.
pub(crate) fn audit_of(parts: &Parts, actor: Actor, via: AuditVia) -> Audit {
    Audit {
        actor,
        via,
        address: parts.extensions.get::<Peer>().map(|peer| peer.0.ip().to_string()),
        request_id: parts.extensions.get::<RequestId>().map(|id| id.as_str().to_owned()),
    }
}

/// The token of `Authorization: Bearer`, whatever its shape: the operator chooses that of the first one.
fn bearer(headers: &HeaderMap) -> Result<Option<&str>, Problem> {
    let Some(value) = headers.get(header::AUTHORIZATION) else { return Ok(None) };
    let text = value.to_str().unwrap_or_default();
    let token = text.split_once(' ').filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer")).map(|(_, token)| token.trim());
    match token {
        Some(token) if (TOKEN_BYTES_MIN..=TOKEN_BYTES_MAX).contains(&token.len()) => Ok(Some(token)),
        _ => Err(unauthenticated("this is no API token; send `Authorization: Bearer <token>`")),
    }
}

async fn by_token(app: &App, token: &str) -> Result<Principal, Problem> {
    let now_ms = app.clock.now_ms();
    let Some(found) = app.store.token_owner(&hash_of(token), now_ms).await? else {
        return Err(unauthenticated("the token is not known, has expired or was revoked: make a new one"));
    };
    if let Err(error) = app.store.touch_token(&found.token, now_ms).await {
        tracing::debug!(%error, "the use of a token is not noted");
    }
    let scopes: Vec<String> = serde_json::from_str(&found.token.scopes).unwrap_or_default();
    Ok(Principal {
        user_id: found.user.id,
        name: found.user.name,
        role: found.user.role.into(),
        scopes: scopes.iter().filter_map(|scope| scope.parse::<Scope>().ok()).collect(),
        via: Via::Token(found.token.id),
    })
}

async fn by_session(app: &App, parts: &Parts) -> Result<Principal, Problem> {
    let token = session_token(&parts.headers)
        .ok_or_else(|| unauthenticated("sign in, or send an API token as `Authorization: Bearer <token>`"))?;
    let now_ms = app.clock.now_ms();
    let hash = SecretHash(*token.hash().as_bytes());
    let Some(found) = app.store.session(&hash, now_ms).await? else {
        return Err(unauthenticated("the session has ended: sign in again"));
    };
    let is_safe = parts.method == Method::GET || parts.method == Method::HEAD;
    let sent = parts.headers.get(CSRF_HEADER).and_then(|value| value.to_str().ok());
    if !is_safe && !sent.is_some_and(|sent| token.csrf().matches(sent)) {
        let detail =
            format!("a change with a session needs the header `{CSRF_HEADER}`: its value is `csrfToken` of GET /api/v1/session");
        return Err(Problem::new(Code::CsrfRefused, detail));
    }
    if let Err(error) = app.store.touch_session(&found.session, now_ms).await {
        tracing::debug!(%error, "the use of a session is not noted");
    }
    Ok(Principal::in_person(found.user.id, found.user.name, found.user.role.into()))
}

/// The token of the session's cookie, if there is one of the right shape.
pub(crate) fn session_token(headers: &HeaderMap) -> Option<Token> {
    Token::parse(TokenKind::Session, cookie(headers, SESSION_COOKIE)?).ok()
}

/// The value of a cookie.
pub(crate) fn cookie<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let all = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = all.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(key, _)| *key == name).map(|(_, value)| value)
}

/// What an API token is found by.
pub(crate) fn hash_of(token: &str) -> SecretHash {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest(&SHA256, token.as_bytes()).as_ref());
    SecretHash(hash)
}

fn unauthenticated(detail: &str) -> Problem {
    Problem::new(Code::Unauthenticated, detail)
}
