//! When the master key is replaced: every secret is read, wrapped anew and put back, unless it was changed in between. The alerts of a
//! workflow hold secrets too, which only the server knows to find in them.

use serde_json::json;

use super::audit::{Audit, append};
use super::credential::{SECRET_COLUMNS, StoredSecret, credential_in, read_secret};
use super::credential_write::{checked_secret, event};
use super::ids::WorkflowId;
use super::page::{Page, PageRequest};
use super::secret::SealedSecret;
use super::text::checked_name;
use super::workflows;
use crate::db::query;
use crate::{Result, Store};

/// Keys that are counted at most: there are as many as were ever used and not replaced everywhere.
const KEYS_MAX: i64 = 1000;

impl Store {
    /// A page of the secrets that other keys than `key_id` open, the oldest credential first: for wrapping them anew, and nothing
    /// else. Each page goes on after the one before, so that a secret which cannot be wrapped holds up nothing.
    ///
    /// # Errors
    /// When the catalog cannot be read.
    pub async fn secrets_not_of_key(&self, key_id: &str, page: PageRequest) -> Result<Page<StoredSecret>> {
        let text = format!(
            "SELECT {SECRET_COLUMNS} FROM credential WHERE id > $1 AND sealed IS NOT NULL AND key_id <> $3 ORDER BY id LIMIT $2"
        );
        let query = query(text).bind(page.above()).bind(page.asked()).bind(key_id.to_owned());
        page.page(&query.fetch_all(self.readers()).await?, read_secret, |secret| secret.id.0)
    }

    /// Puts a secret back that was wrapped anew; whether it was still the one that was read. Versions stay, since it is the same
    /// secret.
    ///
    /// # Errors
    /// [`crate::StoreError::Invalid`]; when the catalog cannot be written.
    pub async fn rewrap_secret(&self, read: &StoredSecret, wrapped: &SealedSecret, audit: &Audit, now_ms: i64) -> Result<bool> {
        let mut writer = self.writer().await?;
        let mut transaction = writer.begin().await?;
        let connection = &mut transaction.connection();
        let text = "UPDATE credential SET sealed = $1, key_id = $2 WHERE id = $3 AND secret_version = $4 AND sealed = $5";
        let rows = query(text)
            .bind(checked_secret(wrapped.bytes.clone())?)
            .bind(checked_name("master key", &wrapped.key_id)?)
            .bind(read.id.0)
            .bind(read.secret_version)
            .bind(read.sealed.bytes.clone())
            .execute(&mut *connection)
            .await?;
        if rows == 0 {
            return Ok(false);
        }
        let credential = credential_in(connection, read.id).await?;
        let detail = json!({ "keyId": [read.sealed.key_id, wrapped.key_id] });
        append(connection, audit, &event("credential.rewrap", &credential, detail), now_ms).await?;
        transaction.commit().await?;
        Ok(true)
    }

    /// How many secrets each master key opens, by key.
    ///
    /// # Errors
    /// When the catalog cannot be read.
    pub async fn secrets_by_key(&self) -> Result<Vec<(String, u64)>> {
        let text = "SELECT key_id, count(*) FROM credential WHERE sealed IS NOT NULL GROUP BY key_id ORDER BY key_id LIMIT $1";
        let rows = query(text).bind(KEYS_MAX).fetch_all(self.readers()).await?;
        rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get::<i64, _>(1)?.cast_unsigned()))).collect()
    }

    /// Puts the alerts of a workflow back whose secrets were wrapped anew; whether they were still those that were read. Versions
    /// stay, since they are the same alerts.
    ///
    /// # Errors
    /// When the catalog cannot be written.
    pub async fn rewrap_alerts(&self, id: WorkflowId, read: &str, wrapped: &str, audit: &Audit, now_ms: i64) -> Result<bool> {
        let mut writer = self.writer().await?;
        let mut transaction = writer.begin().await?;
        let connection = &mut transaction.connection();
        let text = "UPDATE workflow SET alerts = $1 WHERE id = $2 AND alerts = $3 RETURNING name";
        let query = query(text).bind(wrapped.to_owned()).bind(id.0).bind(read.to_owned());
        let Some(row) = query.fetch_optional(&mut *connection).await? else { return Ok(false) };
        append(connection, audit, &workflows::event("workflow.rewrap", id, row.try_get(0)?), now_ms).await?;
        transaction.commit().await?;
        Ok(true)
    }
}
