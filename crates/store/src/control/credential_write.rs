//! Changing credentials. A secret is sealed for the number and the version that it is stored under, so that no other opens it.

use std::error::Error;

use serde_json::{Value, json};

use super::audit::{Audit, AuditEvent, AuditTarget, append};
use super::credential::{COLUMNS, Credential, credential_in, read};
use super::guard::{Guard, enter};
use super::ids::CredentialId;
use super::secret::SealedSecret;
use super::text::{checked_json, checked_name};
use crate::db::{Connection, Row, query, query_scalar};
use crate::{Result, Store, StoreError};

/// Bytes of what is no secret.
const PUBLIC_BYTES_MAX: usize = 16 * 1024;
/// Bytes of a sealed secret: 64 KiB, and what sealing adds.
const SEALED_BYTES_MAX: usize = 65 * 1024;
/// What the first secret of a credential is sealed for.
const FIRST_SECRET_VERSION: i64 = 1;

/// A credential to be created.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewCredential {
    /// What people call it.
    pub name: String,
    /// How it signs in: a word of its connector.
    pub auth_type: String,
    /// What is no secret of it, JSON.
    pub public_part: String,
}

/// What a credential is to be: all of it, so that an editor starts from what it read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CredentialEdit {
    /// What people call it.
    pub name: String,
    /// How it signs in.
    pub auth_type: String,
    /// What is no secret of it, JSON.
    pub public_part: String,
    /// What becomes of its secret.
    pub secret: SecretEdit,
}

/// What becomes of a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretEdit {
    /// It stays.
    Keep,
    /// This one takes its place. It is sealed for [`Credential::secret_version`] and one more.
    Replace(SealedSecret),
    /// There is none any more.
    Remove,
}

impl Store {
    /// Creates a credential. `seal` is told the number and the version (1) to seal the secret for, and gives none where none is
    /// needed. It is called in the middle of a transaction and must not wait.
    ///
    /// # Errors
    /// [`StoreError::Exists`] when the name is taken; [`StoreError::Invalid`]; [`StoreError::Internal`] when `seal` fails.
    pub async fn create_credential<E, F>(&self, new: &NewCredential, seal: F, audit: &Audit, now_ms: i64) -> Result<Credential>
    where
        E: Into<Box<dyn Error + Send + Sync>>,
        F: FnOnce(CredentialId, i64) -> Result<Option<SealedSecret>, E> + Send,
    {
        let mut writer = self.writer().await?;
        let mut transaction = writer.begin().await?;
        let connection = &mut transaction.connection();
        enter(connection, Guard::Credentials).await?;
        let id = insert(connection, new, audit, now_ms).await?;
        let sealed = seal(id, FIRST_SECRET_VERSION).map_err(|error| StoreError::internal("seal a credential", error))?;
        put_secret(connection, id, sealed).await?;
        let credential = credential_in(connection, id).await?;
        let detail = json!({ "authType": credential.auth_type });
        append(connection, audit, &event("credential.create", &credential, detail), now_ms).await?;
        transaction.commit().await?;
        Ok(credential)
    }

    /// Changes a credential that still has version `version`.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; [`StoreError::Stale`] when somebody else changed it; [`StoreError::Exists`] when the name is taken;
    /// [`StoreError::Invalid`].
    pub async fn update_credential(
        &self,
        id: CredentialId,
        version: i64,
        edit: &CredentialEdit,
        audit: &Audit,
        now_ms: i64,
    ) -> Result<Credential> {
        let mut writer = self.writer().await?;
        let mut transaction = writer.begin().await?;
        let connection = &mut transaction.connection();
        enter(connection, Guard::Credentials).await?;
        let before = credential_in(connection, id).await?;
        refuse_stale(&before, version)?;
        write(connection, id, edit, now_ms).await?;
        match &edit.secret {
            SecretEdit::Keep => {}
            SecretEdit::Replace(sealed) => replace_secret(connection, id, Some(sealed.clone())).await?,
            SecretEdit::Remove => replace_secret(connection, id, None).await?,
        }
        let after = credential_in(connection, id).await?;
        append(connection, audit, &event("credential.update", &after, changes(&before, &after)), now_ms).await?;
        transaction.commit().await?;
        Ok(after)
    }

    /// Deletes a credential; of version `version` only, if it is given.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; [`StoreError::Stale`]; [`StoreError::Conflict`] while a connection uses it.
    pub async fn delete_credential(&self, id: CredentialId, version: Option<i64>, audit: &Audit, now_ms: i64) -> Result<()> {
        let mut writer = self.writer().await?;
        let mut transaction = writer.begin().await?;
        let connection = &mut transaction.connection();
        enter(connection, Guard::Credentials).await?;
        let credential = credential_in(connection, id).await?;
        refuse_stale(&credential, version.unwrap_or(credential.version))?;
        refuse_used(connection, &credential).await?;
        query("DELETE FROM credential WHERE id = $1").bind(id.0).execute(connection).await?;
        append(connection, audit, &event("credential.delete", &credential, Value::Null), now_ms).await?;
        transaction.commit().await
    }
}

/// For who lets a connection use a credential, first in the transaction: it is there, and stays until the transaction ends.
pub(crate) async fn require(connection: &mut Connection<'_>, id: CredentialId) -> Result<()> {
    enter(connection, Guard::Credentials).await?;
    credential_in(connection, id).await?;
    Ok(())
}

/// Refuses while a connection uses the credential.
async fn refuse_used(connection: &mut Connection<'_>, credential: &Credential) -> Result<()> {
    let text = "SELECT id, name FROM connection WHERE credential = $1 ORDER BY id LIMIT 1";
    let Some(row) = query(text).bind(credential.id.0).fetch_optional(connection).await? else { return Ok(()) };
    let (id, name): (i64, String) = (row.try_get(0)?, row.try_get(1)?);
    let message = format!(
        "the connection `{name}` (number {id}) uses the credential `{}`: give the connection another one first",
        credential.name
    );
    Err(StoreError::Conflict { message })
}

/// The row without a secret.
async fn insert(connection: &mut Connection<'_>, new: &NewCredential, audit: &Audit, now_ms: i64) -> Result<CredentialId> {
    let name = checked_name("credential", &new.name)?;
    refuse_taken(connection, &name, None).await?;
    let text = "INSERT INTO credential (name, auth_type, public_part, secret_version, version, created_by, created_ms, updated_ms)
        VALUES ($1, $2, $3, $4, 1, $5, $6, $6) RETURNING id";
    let id = query_scalar(text)
        .bind(name)
        .bind(checked_name("credential's way to sign in", &new.auth_type)?)
        .bind(checked_json("the public part of a credential", &new.public_part, PUBLIC_BYTES_MAX)?)
        .bind(FIRST_SECRET_VERSION)
        .bind(audit.actor.user().map(|user| user.0))
        .bind(now_ms)
        .fetch_one(connection)
        .await?;
    Ok(CredentialId(id))
}

async fn write(connection: &mut Connection<'_>, id: CredentialId, edit: &CredentialEdit, now_ms: i64) -> Result<()> {
    let name = checked_name("credential", &edit.name)?;
    refuse_taken(connection, &name, Some(id)).await?;
    let text =
        "UPDATE credential SET name = $1, auth_type = $2, public_part = $3, version = version + 1, updated_ms = $4 WHERE id = $5";
    query(text)
        .bind(name)
        .bind(checked_name("credential's way to sign in", &edit.auth_type)?)
        .bind(checked_json("the public part of a credential", &edit.public_part, PUBLIC_BYTES_MAX)?)
        .bind(now_ms)
        .bind(id.0)
        .execute(connection)
        .await?;
    Ok(())
}

async fn replace_secret(connection: &mut Connection<'_>, id: CredentialId, sealed: Option<SealedSecret>) -> Result<()> {
    let text = "UPDATE credential SET secret_version = secret_version + 1 WHERE id = $1";
    query(text).bind(id.0).execute(connection).await?;
    put_secret(connection, id, sealed).await
}

async fn put_secret(connection: &mut Connection<'_>, id: CredentialId, sealed: Option<SealedSecret>) -> Result<()> {
    let (bytes, key_id) = match sealed {
        Some(sealed) => (Some(checked_secret(sealed.bytes)?), Some(checked_name("master key", &sealed.key_id)?)),
        None => (None, None),
    };
    let text = "UPDATE credential SET sealed = $1, key_id = $2 WHERE id = $3";
    query(text).bind(bytes).bind(key_id).bind(id.0).execute(connection).await?;
    Ok(())
}

pub(super) fn checked_secret(bytes: Vec<u8>) -> Result<Vec<u8>> {
    if bytes.len() <= SEALED_BYTES_MAX {
        return Ok(bytes);
    }
    let message = format!("the secret has {} bytes when it is sealed: at most {SEALED_BYTES_MAX} are stored", bytes.len());
    Err(StoreError::Invalid { message })
}

async fn refuse_taken(connection: &mut Connection<'_>, name: &str, except: Option<CredentialId>) -> Result<()> {
    let query = query(format!("SELECT {COLUMNS} FROM credential WHERE name = $1")).bind(name.to_owned());
    let row: Option<Row> = query.fetch_optional(connection).await?;
    match row.as_ref().map(read).transpose()? {
        Some(other) if Some(other.id) != except => Err(StoreError::Exists { noun: "credential", id: other.id.0, name: other.name }),
        _ => Ok(()),
    }
}

fn refuse_stale(credential: &Credential, version: i64) -> Result<()> {
    if credential.version == version {
        return Ok(());
    }
    Err(StoreError::Stale { noun: "credential", id: credential.id.0, version: credential.version })
}

fn changes(before: &Credential, after: &Credential) -> Value {
    let fields = [
        ("name", before.name != after.name),
        ("authType", before.auth_type != after.auth_type),
        ("public", before.public_part != after.public_part),
        ("secret", before.secret_version != after.secret_version),
    ];
    let changed: Vec<&str> = fields.into_iter().filter_map(|(name, differs)| differs.then_some(name)).collect();
    json!({ "changed": changed })
}

pub(super) fn event(action: &'static str, credential: &Credential, detail: Value) -> AuditEvent {
    AuditEvent { action, target: AuditTarget::numbered("credential", credential.id.0, &credential.name), detail }
}
