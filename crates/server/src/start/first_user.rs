//! Somebody has to be the first administrator: whoever is given the one-time link that a first start prints, or, without a browser,
//! whoever set a token in the environment.

use std::net::SocketAddr;

use store::{Actor, Audit, AuditVia, Bootstrap, BootstrapToken, NewSetupLink, StoreError};

use super::StartError;
use crate::api::hash_of;
use crate::auth::token::{Token, TokenKind};
use crate::config::Environment;
use crate::state::AppState;

/// The variable that holds the first administrator's API token.
pub const BOOTSTRAP_VARIABLE: &str = "ISINGLASS_BOOTSTRAP_TOKEN";
const TOKEN_CHARACTERS_MIN: usize = 32;
const TOKEN_CHARACTERS_MAX: usize = 512;
const TOKEN_NAME: &str = "bootstrap";
const ALL_SCOPES: &str = r#"["read","write","admin"]"#;
/// How long the link works, milliseconds.
const LINK_MS: i64 = 24 * 60 * 60 * 1000;

/// How the first administrator gets in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FirstUser {
    /// The user `admin` has the token of the environment.
    Token,
    /// Whoever opens this link becomes administrator. It works once, for a day, and is shown nowhere else.
    Link(String),
}

/// Sees to it that there is a way in. A catalog with users is left as it is.
pub(super) async fn ensure(
    app: &AppState,
    environment: &Environment,
    address: SocketAddr,
) -> Result<Option<FirstUser>, StartError> {
    let audit =
        Audit { actor: Actor::System { name: "first start".to_owned() }, via: AuditVia::Internal, address: None, request_id: None };
    let now_ms = app.clock.now_ms();
    if let Some(token) = environment.get(BOOTSTRAP_VARIABLE) {
        let token = BootstrapToken { name: TOKEN_NAME.to_owned(), hash: hash_of(checked(token)?), scopes: ALL_SCOPES.to_owned() };
        return match app.store.bootstrap(&token, &audit, now_ms).await? {
            Bootstrap::Created(_) => Ok(Some(FirstUser::Token)),
            Bootstrap::AlreadyDone | Bootstrap::NotEmpty => {
                tracing::info!("the catalog has users: `{BOOTSTRAP_VARIABLE}` is not looked at any more");
                Ok(None)
            }
        };
    }
    if app.store.has_users().await? {
        return Ok(None);
    }
    let token = Token::generate(TokenKind::Setup, &*app.random)?;
    let hash = store::SecretHash(*token.hash().as_bytes());
    match app.store.create_setup_link(&NewSetupLink { hash, expires_ms: now_ms + LINK_MS }, &audit, now_ms).await {
        Ok(()) => Ok(Some(FirstUser::Link(format!("{}/setup#token={}", base(app, address), token.expose())))),
        // Another replica was faster, and somebody has used its link.
        Err(StoreError::Conflict { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn checked(token: &str) -> Result<&str, StartError> {
    let characters = token.chars().count();
    let is_visible = token.bytes().all(|byte| byte.is_ascii_graphic());
    if is_visible && (TOKEN_CHARACTERS_MIN..=TOKEN_CHARACTERS_MAX).contains(&characters) {
        Ok(token)
    } else {
        Err(StartError::BootstrapToken { characters })
    }
}

/// How a browser reaches the service.
fn base(app: &AppState, address: SocketAddr) -> String {
    if let Some(url) = &app.config.public_url {
        return url.trim_end_matches('/').to_owned();
    }
    let scheme = if app.config.tls.files().is_some() { "https" } else { "http" };
    format!("{scheme}://{address}")
}
