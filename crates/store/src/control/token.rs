//! API tokens: made for programs, each with a name, and with scopes that only the server understands.

use serde_json::{Value, json};

use super::audit::{Audit, AuditEvent, AuditTarget, append};
use super::ids::{TokenId, UserId};
use super::page::{Page, PageRequest};
use super::secret::SecretHash;
use super::session::refuse_disabled;
use super::text::{checked_json, checked_name};
use super::user::user_in;
use crate::db::{Connection, Row, query, query_scalar};
use crate::{Result, Store, StoreError};

/// Tokens of one user that are not revoked.
const TOKENS_OF_USER_MAX: i64 = 100;
/// Bytes of a token's scopes.
const SCOPES_BYTES_MAX: usize = 4096;

/// A token to be created.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewToken {
    /// Whose it is.
    pub user: UserId,
    /// What it is for: unique among the user's tokens that are not revoked.
    pub name: String,
    /// What it is found by.
    pub hash: SecretHash,
    /// What it may do at most, JSON.
    pub scopes: String,
    /// From when on it does not work, milliseconds since 1970 UTC.
    pub expires_ms: Option<i64>,
}

/// A token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// The number.
    pub id: TokenId,
    /// Whose it is.
    pub user: UserId,
    /// What it is for.
    pub name: String,
    /// What it may do at most, JSON.
    pub scopes: String,
    /// When it was created, milliseconds since 1970 UTC.
    pub created_ms: i64,
    /// From when on it does not work, milliseconds since 1970 UTC.
    pub expires_ms: Option<i64>,
    /// When it was last used, up to a minute before, milliseconds since 1970 UTC.
    pub last_used_ms: Option<i64>,
    /// When it was revoked, milliseconds since 1970 UTC.
    pub revoked_ms: Option<i64>,
}

/// What is read of a token, alone or with its user.
pub(super) const TOKEN_COLUMNS: &str = "api_token.id AS token_id, api_token.person AS token_user, api_token.name AS token_name,
    api_token.scopes AS token_scopes, api_token.created_ms AS token_created_ms, api_token.expires_ms AS token_expires_ms,
    api_token.last_used_ms AS token_last_used_ms, api_token.revoked_ms AS token_revoked_ms";

impl Store {
    /// Creates a token.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is no such user; [`StoreError::Conflict`] when they are disabled or have 100 tokens;
    /// [`StoreError::Exists`] when one of theirs has the name.
    pub async fn create_token(&self, new: &NewToken, audit: &Audit, now_ms: i64) -> Result<Token> {
        let mut writer = self.writer().await?;
        let mut transaction = writer.begin().await?;
        let connection = &mut transaction.connection();
        refuse_disabled(&user_in(connection, new.user).await?)?;
        let token = insert(connection, new, audit, now_ms).await?;
        transaction.commit().await?;
        Ok(token)
    }

    /// A page of the tokens of a user, or of all users, the oldest first; those that no longer work are among them.
    ///
    /// # Errors
    /// When the catalog cannot be read.
    pub async fn tokens(&self, user: Option<UserId>, page: PageRequest) -> Result<Page<Token>> {
        let condition = if user.is_some() { " AND person = $3" } else { "" };
        let query = query(format!("SELECT {TOKEN_COLUMNS} FROM api_token WHERE id > $1{condition} ORDER BY id LIMIT $2"));
        let query = query.bind(page.above()).bind(page.asked());
        let query = if let Some(user) = user { query.bind(user.0) } else { query };
        page.page(&query.fetch_all(self.readers()).await?, read_token, |token| token.id.0)
    }

    /// One token.
    ///
    /// # Errors
    /// When the catalog cannot be read.
    pub async fn token(&self, id: TokenId) -> Result<Option<Token>> {
        let query = query(format!("SELECT {TOKEN_COLUMNS} FROM api_token WHERE id = $1")).bind(id.0);
        query.fetch_optional(self.readers()).await?.as_ref().map(read_token).transpose()
    }

    /// Revokes a token: it does not work any more, and its name is free. A second time changes nothing.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn revoke_token(&self, id: TokenId, audit: &Audit, now_ms: i64) -> Result<Token> {
        let mut writer = self.writer().await?;
        let mut transaction = writer.begin().await?;
        let connection = &mut transaction.connection();
        let text = "UPDATE api_token SET revoked_ms = $1 WHERE id = $2 AND revoked_ms IS NULL";
        let revoked = query(text).bind(now_ms).bind(id.0).execute(connection).await?;
        let query = query(format!("SELECT {TOKEN_COLUMNS} FROM api_token WHERE id = $1")).bind(id.0);
        let row = query.fetch_optional(&mut *connection).await?.ok_or_else(|| no_token(id))?;
        let token = read_token(&row)?;
        if revoked > 0 {
            append(connection, audit, &event("token.revoke", &token, json!({ "user": token.user.0 })), now_ms).await?;
        }
        transaction.commit().await?;
        Ok(token)
    }
}

/// Creates a token of somebody who is there.
pub(super) async fn insert(connection: &mut Connection<'_>, new: &NewToken, audit: &Audit, now_ms: i64) -> Result<Token> {
    let name = checked_name("token", &new.name)?;
    let scopes = checked_json("the list of scopes", &new.scopes, SCOPES_BYTES_MAX)?;
    refuse_too_many(connection, new.user).await?;
    let text = format!(
        "INSERT INTO api_token (person, name, hash, scopes, created_ms, expires_ms) VALUES ($1, $2, $3, $4, $5, $6)
         ON CONFLICT (person, name) WHERE revoked_ms IS NULL DO NOTHING RETURNING {TOKEN_COLUMNS}"
    );
    let query = query(text).bind(new.user.0).bind(name.clone()).bind(new.hash.value()).bind(scopes).bind(now_ms);
    let Some(row) = query.bind(new.expires_ms).fetch_optional(&mut *connection).await? else {
        return Err(taken(connection, new.user, name).await?);
    };
    let token = read_token(&row)?;
    let detail = json!({ "user": new.user.0, "expiresMs": new.expires_ms });
    append(connection, audit, &event("token.create", &token, detail), now_ms).await?;
    Ok(token)
}

/// Deletes the tokens of somebody who is deleted.
pub(super) async fn delete_all(connection: &mut Connection<'_>, user: UserId) -> Result<()> {
    query("DELETE FROM api_token WHERE person = $1").bind(user.0).execute(connection).await?;
    Ok(())
}

async fn refuse_too_many(connection: &mut Connection<'_>, user: UserId) -> Result<()> {
    let text = "SELECT count(*) FROM api_token WHERE person = $1 AND revoked_ms IS NULL";
    let count: i64 = query_scalar(text).bind(user.0).fetch_one(connection).await?;
    if count < TOKENS_OF_USER_MAX {
        return Ok(());
    }
    Err(StoreError::Conflict { message: format!("the user has {count} tokens, which is the most: revoke one first") })
}

async fn taken(connection: &mut Connection<'_>, user: UserId, name: String) -> Result<StoreError> {
    let text = "SELECT id FROM api_token WHERE person = $1 AND name = $2 AND revoked_ms IS NULL";
    let id = query_scalar(text).bind(user.0).bind(name.clone()).fetch_one(connection).await?;
    Ok(StoreError::Exists { noun: "token", id, name })
}

fn event(action: &'static str, token: &Token, detail: Value) -> AuditEvent {
    AuditEvent { action, target: AuditTarget::numbered("token", token.id.0, &token.name), detail }
}

fn no_token(id: TokenId) -> StoreError {
    StoreError::NotFound { message: format!("there is no token {}: list the tokens to see their numbers", id) }
}

pub(super) fn read_token(row: &Row) -> Result<Token> {
    Ok(Token {
        id: TokenId(row.try_get("token_id")?),
        user: UserId(row.try_get("token_user")?),
        name: row.try_get("token_name")?,
        scopes: row.try_get("token_scopes")?,
        created_ms: row.try_get("token_created_ms")?,
        expires_ms: row.try_get("token_expires_ms")?,
        last_used_ms: row.try_get("token_last_used_ms")?,
        revoked_ms: row.try_get("token_revoked_ms")?,
    })
}
