//! Who did what: the author that every change names, and how its entry is written with the change.

use serde_json::Value;

use super::ids::{TokenId, UserId};
use super::text::{shown, shown_if_any};
use crate::db::{Connection, query};
use crate::{Result, Store};

/// Characters of a name, an address or a request's number that are kept.
const CHARACTERS_MAX: usize = 300;
/// Bytes of a detail that are kept.
const DETAIL_BYTES_MAX: usize = 16 * 1024;

/// Who does something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Actor {
    /// Somebody who has proved to be a user.
    User {
        /// The user.
        id: UserId,
        /// The name at that time.
        name: String,
    },
    /// A runtime that works for the control plane.
    Runtime {
        /// Its name.
        name: String,
    },
    /// A part of the control plane itself.
    System {
        /// Which one.
        name: String,
    },
    /// Somebody who has not proved anything.
    Anonymous,
}

/// How it was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuditVia {
    /// In a browser, signed in.
    Session,
    /// By signing in with a password.
    Password,
    /// By signing in at an identity provider.
    Oidc,
    /// With an API token.
    Token(TokenId),
    /// With a one-time link.
    SetupLink,
    /// On the command line.
    CommandLine,
    /// By a runtime, with the token that it was enrolled with or with its own key.
    Runtime,
    /// By nobody: the control plane does it by itself.
    Internal,
}

/// Who makes a change, from where: every method that changes something takes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Audit {
    /// Who.
    pub actor: Actor,
    /// How.
    pub via: AuditVia,
    /// The network address that the request came from.
    pub address: Option<String>,
    /// The request's number in the log.
    pub request_id: Option<String>,
}

/// What is acted on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditTarget {
    /// Its noun: `user`, `credential`, …
    pub kind: &'static str,
    /// Its number, or its qualified name.
    pub id: Option<String>,
    /// Its name at that time.
    pub name: Option<String>,
}

/// What happens. No secrets.
#[derive(Clone, Debug, PartialEq)]
pub struct AuditEvent {
    /// Noun and verb: `user.create`.
    pub action: &'static str,
    /// To what.
    pub target: AuditTarget,
    /// More about it, or null. More than 16 KiB is left out, and the entry says so.
    pub detail: Value,
}

impl AuditTarget {
    /// Something that has a number.
    pub(crate) fn numbered(kind: &'static str, id: i64, name: &str) -> Self {
        Self { kind, id: Some(id.to_string()), name: Some(name.to_owned()) }
    }
}

impl Actor {
    fn kind(&self) -> &'static str {
        match self {
            Self::User { .. } => "user",
            Self::Runtime { .. } => "runtime",
            Self::System { .. } => "system",
            Self::Anonymous => "anonymous",
        }
    }

    /// The user who acts, if it is one.
    #[must_use]
    pub fn user(&self) -> Option<UserId> {
        match self {
            Self::User { id, .. } => Some(*id),
            Self::Runtime { .. } | Self::System { .. } | Self::Anonymous => None,
        }
    }

    fn name(&self) -> Option<&String> {
        match self {
            Self::User { name, .. } | Self::Runtime { name } | Self::System { name } => Some(name),
            Self::Anonymous => None,
        }
    }
}

impl AuditVia {
    fn word(self) -> String {
        match self {
            Self::Session => "session".to_owned(),
            Self::Password => "password".to_owned(),
            Self::Oidc => "oidc".to_owned(),
            Self::Token(id) => format!("token:{}", id.0),
            Self::SetupLink => "setup-link".to_owned(),
            Self::CommandLine => "command-line".to_owned(),
            Self::Runtime => "runtime".to_owned(),
            Self::Internal => "internal".to_owned(),
        }
    }
}

impl Store {
    /// Writes down what changes nothing in the catalog: a sign-in that failed, an export.
    ///
    /// # Errors
    /// When the catalog cannot be written.
    pub async fn append_audit(&self, audit: &Audit, event: &AuditEvent, now_ms: i64) -> Result<()> {
        let mut writer = self.writer().await?;
        append(&mut writer.connection(), audit, event, now_ms).await
    }
}

/// Writes the entry of a change, in the change's transaction.
pub(crate) async fn append(connection: &mut Connection<'_>, audit: &Audit, event: &AuditEvent, now_ms: i64) -> Result<()> {
    let text = "INSERT INTO audit (at_ms, actor_kind, actor_id, actor_name, via, action, target_kind, target_id, target_name,
            detail, address, request_id)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";
    query(text)
        .bind(now_ms)
        .bind(audit.actor.kind())
        .bind(audit.actor.user().map(|id| id.0))
        .bind(shown_if_any(audit.actor.name(), CHARACTERS_MAX))
        .bind(audit.via.word())
        .bind(event.action)
        .bind(event.target.kind)
        .bind(event.target.id.as_ref().map(|id| shown(id, usize::MAX)))
        .bind(shown_if_any(event.target.name.as_ref(), CHARACTERS_MAX))
        .bind(detail_text(&event.detail))
        .bind(shown_if_any(audit.address.as_ref(), CHARACTERS_MAX))
        .bind(shown_if_any(audit.request_id.as_ref(), CHARACTERS_MAX))
        .execute(connection)
        .await?;
    Ok(())
}

fn detail_text(detail: &Value) -> Option<String> {
    if detail.is_null() {
        return None;
    }
    let text = detail.to_string();
    Some(if text.len() > DETAIL_BYTES_MAX { format!("{{\"leftOutBytes\":{}}}", text.len()) } else { text })
}
