//! A password that stays the same and is hashed anew, because hashing has become more expensive.

use super::ids::UserId;
use super::secret::PasswordHash;
use crate::db::query;
use crate::{Result, Store};

impl Store {
    /// Replaces the hash of a password by another one of the same password, unless somebody has set another password meanwhile. Nothing
    /// that anybody sees changes: neither the version nor the audit log nor the sessions.
    ///
    /// # Errors
    /// When the catalog cannot be written.
    pub async fn upgrade_password(&self, id: UserId, old: &PasswordHash, new: &PasswordHash) -> Result<()> {
        let mut writer = self.writer().await?;
        let query = query("UPDATE person SET password_hash = $1 WHERE id = $2 AND password_hash = $3");
        query.bind(new.0.clone()).bind(id.0).bind(old.0.clone()).execute(&mut writer.connection()).await?;
        Ok(())
    }
}
