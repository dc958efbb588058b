//! The first administrator, made by who was given a link that works once.

use serde_json::json;

use super::audit::{Audit, AuditEvent, AuditTarget, append};
use super::guard::{Guard, enter};
use super::secret::{PasswordHash, SecretHash};
use super::user::{Role, User, active_administrators};
use super::user_write::{NewUser, insert};
use crate::db::{Connection, query};
use crate::{Result, Store, StoreError};

/// A link to be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewSetupLink {
    /// What its token is found by.
    pub hash: SecretHash,
    /// From when on it does not work, milliseconds since 1970 UTC.
    pub expires_ms: i64,
}

/// Whom a link is used for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewAdministrator {
    /// What they sign in with.
    pub name: String,
    /// What they are called.
    pub display_name: Option<String>,
    /// The hash of their password.
    pub password: PasswordHash,
}

impl Store {
    /// Makes a link that an administrator can be created with, once. Links that no longer work are deleted.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when there is an active administrator, who can create others.
    pub async fn create_setup_link(&self, new: &NewSetupLink, audit: &Audit, now_ms: i64) -> Result<()> {
        let mut writer = self.writer().await?;
        let mut transaction = writer.begin().await?;
        let connection = &mut transaction.connection();
        enter(connection, Guard::People).await?;
        refuse_with_administrator(connection).await?;
        let text = "DELETE FROM setup_link WHERE used_ms IS NOT NULL OR expires_ms <= $1";
        query(text).bind(now_ms).execute(connection).await?;
        let text = "INSERT INTO setup_link (hash, created_ms, expires_ms) VALUES ($1, $2, $3)";
        query(text).bind(new.hash.value()).bind(now_ms).bind(new.expires_ms).execute(connection).await?;
        let target = AuditTarget { kind: "setup-link", id: None, name: None };
        let detail = json!({ "expiresMs": new.expires_ms });
        append(connection, audit, &AuditEvent { action: "setup-link.create", target, detail }, now_ms).await?;
        transaction.commit().await
    }

    /// Deletes links that no longer work; how many. There are never many.
    ///
    /// # Errors
    /// When the catalog cannot be written.
    pub async fn prune_setup_links(&self, now_ms: i64) -> Result<u64> {
        let mut writer = self.writer().await?;
        let text = "DELETE FROM setup_link WHERE used_ms IS NOT NULL OR expires_ms <= $1";
        Ok(query(text).bind(now_ms).execute(&mut writer.connection()).await?)
    }

    /// Uses a link: creates the administrator. When that fails, the link still works.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is no such link, or it was used or has expired; [`StoreError::Conflict`] when there is an
    /// active administrator by now; [`StoreError::Exists`] when the name is taken.
    pub async fn use_setup_link(&self, hash: &SecretHash, new: &NewAdministrator, audit: &Audit, now_ms: i64) -> Result<User> {
        let mut writer = self.writer().await?;
        let mut transaction = writer.begin().await?;
        let connection = &mut transaction.connection();
        enter(connection, Guard::People).await?;
        let text = "UPDATE setup_link SET used_ms = $1 WHERE hash = $2 AND used_ms IS NULL AND expires_ms > $1";
        if query(text).bind(now_ms).bind(hash.value()).execute(connection).await? == 0 {
            let message = "this link does not work: it was used before or has expired; ask for a new one where the server runs";
            return Err(StoreError::NotFound { message: message.to_owned() });
        }
        refuse_with_administrator(connection).await?;
        let new = NewUser {
            name: new.name.clone(),
            display_name: new.display_name.clone(),
            email: None,
            role: Role::Administrator,
            password: Some(new.password.clone()),
            identity: None,
        };
        let user = insert(connection, &new, audit, now_ms).await?;
        transaction.commit().await?;
        Ok(user)
    }
}

async fn refuse_with_administrator(connection: &mut Connection<'_>) -> Result<()> {
    if active_administrators(connection).await? == 0 {
        return Ok(());
    }
    let message = "there is an active administrator already: sign in as one to create others";
    Err(StoreError::Conflict { message: message.to_owned() })
}
