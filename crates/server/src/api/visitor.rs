//! Somebody who has proved nothing yet: how often they may try, and how a session begins once they have proved who they are.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::PoisonError;

use axum::extract::FromRequestParts;
use http::request::Parts;
use http::{HeaderValue, header};
use store::{Actor, Audit, AuditVia, NewSession, SecretHash, User};

use super::caller::audit_of;
use crate::auth::password::PasswordError;
use crate::auth::token::{CsrfToken, Token, TokenKind};
use crate::http::headers::Transport;
use crate::http::{Code, Problem};
use crate::listener::Peer;
use crate::openapi::SESSION_COOKIE;
use crate::state::App;

const SECONDS_PER_HOUR: i64 = 3600;
const MILLISECONDS_PER_SECOND: i64 = 1000;
/// Seconds after which a turn for a password is free again, most likely.
const RETRY_AFTER_SECONDS: u32 = 5;

/// Whoever sends a request.
#[derive(Clone, Debug)]
pub(crate) struct Visitor {
    client: IpAddr,
    unknown: Audit,
    user_agent: Option<String>,
}

/// A session that has begun.
pub(crate) struct Begun {
    /// For the page.
    pub(crate) csrf: CsrfToken,
    /// For the header `Set-Cookie`.
    pub(crate) cookie: HeaderValue,
}

impl FromRequestParts<App> for Visitor {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _app: &App) -> Result<Self, Problem> {
        let peer = parts.extensions.get::<Peer>();
        let user_agent = parts.headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok());
        Ok(Self {
            client: peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.0.ip()),
            unknown: audit_of(parts, Actor::Anonymous, AuditVia::Internal),
            user_agent: user_agent.map(str::to_owned),
        })
    }
}

impl Visitor {
    /// Where they come from.
    pub(crate) fn client(&self) -> IpAddr {
        self.client
    }

    /// The author of what is about to change.
    pub(crate) fn audit(&self, actor: Actor, via: AuditVia) -> Audit {
        Audit { actor, via, ..self.unknown.clone() }
    }

    /// Counts an attempt at `account`.
    ///
    /// # Errors
    /// 429 when there were too many.
    pub(crate) fn attempt(&self, app: &App, account: &str) -> Result<(), Problem> {
        let mut limiter = app.limiter.lock().unwrap_or_else(PoisonError::into_inner);
        limiter.attempt(app.clock.now_ms(), account, self.client).map_err(|wait| {
            let seconds = u32::try_from(wait.seconds()).unwrap_or(RETRY_AFTER_SECONDS);
            Problem::new(Code::TooManyRequests, wait.to_string()).with_retry_after(seconds)
        })
    }

    /// The attempt at `account` was right.
    pub(crate) fn succeeded(&self, app: &App, account: &str) {
        app.limiter.lock().unwrap_or_else(PoisonError::into_inner).succeeded(account, self.client);
    }

    /// Begins a session of a user who has proved to be one.
    ///
    /// # Errors
    /// 403 when they are disabled.
    pub(crate) async fn begin(&self, app: &App, user: &User, via: AuditVia) -> Result<Begun, Problem> {
        let token = Token::generate(TokenKind::Session, &*app.random).map_err(|error| Problem::internal(&error))?;
        let seconds = i64::from(app.config.sign_in.session_hours.get()) * SECONDS_PER_HOUR;
        let now_ms = app.clock.now_ms();
        let new = NewSession {
            hash: SecretHash(*token.hash().as_bytes()),
            user: user.id,
            expires_ms: now_ms.saturating_add(seconds * MILLISECONDS_PER_SECOND),
            address: self.unknown.address.clone(),
            user_agent: self.user_agent.clone(),
        };
        let audit = self.audit(Actor::User { id: user.id, name: user.name.clone() }, via);
        app.store.create_session(&new, &audit, now_ms).await?;
        Ok(Begun { csrf: token.csrf(), cookie: cookie(app, SESSION_COOKIE, token.expose(), "/", seconds)? })
    }
}

/// A cookie that pages cannot read and other sites do not send along; `seconds` of 0 deletes it.
pub(crate) fn cookie(app: &App, name: &str, value: &str, path: &str, seconds: i64) -> Result<HeaderValue, Problem> {
    let secure = match Transport::of(&app.config) {
        Transport::Tls => "; Secure",
        Transport::Plain => "",
    };
    let text = format!("{name}={value}; Path={path}; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}");
    let mut value = HeaderValue::try_from(text).map_err(|error| Problem::internal(&error))?;
    value.set_sensitive(true);
    Ok(value)
}

/// Deletes the cookie of the session.
pub(crate) fn forget(app: &App) -> Result<HeaderValue, Problem> {
    cookie(app, SESSION_COOKIE, "", "/", 0)
}

/// Why a password was not taken, as a problem of `field`.
pub(crate) fn password_problem(field: &str, error: &PasswordError) -> Problem {
    match error {
        PasswordError::TooShort { .. } | PasswordError::TooLong => Problem::field(field, error.to_string()),
        PasswordError::Busy | PasswordError::Ended => {
            Problem::new(Code::Unavailable, error.to_string()).with_retry_after(RETRY_AFTER_SECONDS)
        }
        PasswordError::Stored { .. } | PasswordError::Cost { .. } | PasswordError::Random(_) => Problem::internal(error),
    }
}
