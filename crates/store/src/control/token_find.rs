//! From an API token that somebody shows to whose it is, and what becomes of those that no longer work.

use super::secret::SecretHash;
use super::token::{TOKEN_COLUMNS, Token, read_token};
use super::user::{USER_COLUMNS, User, read_user};
use super::{PRUNED_ROWS_MAX, SEEN_EVERY_MS};
use crate::db::query;
use crate::{Result, Store};

/// A token that works, and whose it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenOwner {
    /// The token.
    pub token: Token,
    /// The user as they are now.
    pub user: User,
}

impl Store {
    /// The token of a hash with its user, if it is neither revoked nor expired and the user is active.
    ///
    /// # Errors
    /// When the catalog cannot be read.
    pub async fn token_owner(&self, hash: &SecretHash, now_ms: i64) -> Result<Option<TokenOwner>> {
        let text = format!(
            "SELECT {TOKEN_COLUMNS}, {USER_COLUMNS} FROM api_token JOIN person ON person.id = api_token.person
             WHERE api_token.hash = $1 AND api_token.revoked_ms IS NULL AND (api_token.expires_ms IS NULL OR api_token.expires_ms > $2)
                AND person.disabled_ms IS NULL"
        );
        let row = query(text).bind(hash.value()).bind(now_ms).fetch_optional(self.readers()).await?;
        row.as_ref().map(|row| Ok(TokenOwner { token: read_token(row)?, user: read_user(row)? })).transpose()
    }

    /// Notes that a token is in use, unless that was noted within the last minute.
    ///
    /// # Errors
    /// When the catalog cannot be written.
    pub async fn touch_token(&self, token: &Token, now_ms: i64) -> Result<()> {
        let due_ms = now_ms - SEEN_EVERY_MS;
        if token.last_used_ms.is_some_and(|last| last > due_ms) {
            return Ok(());
        }
        let mut writer = self.writer().await?;
        // Several requests at once have all read the old time.
        let query = query("UPDATE api_token SET last_used_ms = $1 WHERE id = $2 AND (last_used_ms IS NULL OR last_used_ms <= $3)");
        query.bind(now_ms).bind(token.id.0).bind(due_ms).execute(&mut writer.connection()).await?;
        Ok(())
    }

    /// Deletes tokens that were revoked or expired before a time, at most 10,000; how many.
    ///
    /// # Errors
    /// When the catalog cannot be written.
    pub async fn prune_tokens(&self, before_ms: i64) -> Result<u64> {
        let mut writer = self.writer().await?;
        let text = "DELETE FROM api_token WHERE id IN
            (SELECT id FROM api_token WHERE revoked_ms < $1 OR expires_ms < $1 ORDER BY id LIMIT $2)";
        Ok(query(text).bind(before_ms).bind(PRUNED_ROWS_MAX).execute(&mut writer.connection()).await?)
    }
}
