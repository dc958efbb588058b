//! Credentials: a part that everybody may see, and a secret that the server has sealed. What reads the secret is named so.

use super::ids::{CredentialId, UserId};
use super::page::{Page, PageRequest};
use super::secret::SealedSecret;
use crate::db::{Connection, Row, query};
use crate::{Result, Store, StoreError};

/// A credential without its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credential {
    /// The number.
    pub id: CredentialId,
    /// What people call it: unique.
    pub name: String,
    /// How it signs in: a word of its connector.
    pub auth_type: String,
    /// What is no secret of it, JSON.
    pub public_part: String,
    /// Which master key opens the secret; absent without a secret.
    pub key_id: Option<String>,
    /// What the secret is sealed for. The next secret is sealed for one more.
    pub secret_version: i64,
    /// Grows with every change.
    pub version: i64,
    /// Who created it; there may be no user of that number any more.
    pub created_by: Option<UserId>,
    /// When it was created, milliseconds since 1970 UTC.
    pub created_ms: i64,
    /// When it was last changed, milliseconds since 1970 UTC.
    pub updated_ms: i64,
}

/// A secret, and what it was sealed for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredSecret {
    /// Whose secret it is.
    pub id: CredentialId,
    /// Which one of its secrets.
    pub secret_version: i64,
    /// The secret.
    pub sealed: SealedSecret,
}

pub(super) const COLUMNS: &str =
    "id, name, auth_type, public_part, key_id, secret_version, version, created_by, created_ms, updated_ms";

pub(super) const SECRET_COLUMNS: &str = "id, secret_version, sealed, key_id";

impl Store {
    /// One credential, without its secret.
    ///
    /// # Errors
    /// When the catalog cannot be read.
    pub async fn credential(&self, id: CredentialId) -> Result<Option<Credential>> {
        let query = query(format!("SELECT {COLUMNS} FROM credential WHERE id = $1")).bind(id.0);
        query.fetch_optional(self.readers()).await?.as_ref().map(read).transpose()
    }

    /// The secret of a credential, if it has one: for signing in at its source, and nothing else.
    ///
    /// # Errors
    /// When the catalog cannot be read.
    pub async fn credential_secret(&self, id: CredentialId) -> Result<Option<StoredSecret>> {
        let query = query(format!("SELECT {SECRET_COLUMNS} FROM credential WHERE id = $1 AND sealed IS NOT NULL")).bind(id.0);
        query.fetch_optional(self.readers()).await?.as_ref().map(read_secret).transpose()
    }

    /// A page of the credentials, the oldest first, without their secrets.
    ///
    /// # Errors
    /// When the catalog cannot be read.
    pub async fn credentials(&self, page: PageRequest) -> Result<Page<Credential>> {
        let query = query(format!("SELECT {COLUMNS} FROM credential WHERE id > $1 ORDER BY id LIMIT $2"));
        let rows = query.bind(page.above()).bind(page.asked()).fetch_all(self.readers()).await?;
        page.page(&rows, read, |credential| credential.id.0)
    }
}

/// A credential as the transaction sees it, which has to be there.
pub(super) async fn credential_in(connection: &mut Connection<'_>, id: CredentialId) -> Result<Credential> {
    let query = query(format!("SELECT {COLUMNS} FROM credential WHERE id = $1")).bind(id.0);
    let row = query.fetch_optional(connection).await?.ok_or_else(|| no_credential(id))?;
    read(&row)
}

fn no_credential(id: CredentialId) -> StoreError {
    StoreError::NotFound { message: format!("there is no credential {}: list the credentials to see their numbers", id) }
}

pub(super) fn read(row: &Row) -> Result<Credential> {
    Ok(Credential {
        id: CredentialId(row.try_get(0)?),
        name: row.try_get(1)?,
        auth_type: row.try_get(2)?,
        public_part: row.try_get(3)?,
        key_id: row.try_get(4)?,
        secret_version: row.try_get(5)?,
        version: row.try_get(6)?,
        created_by: row.try_get::<Option<i64>, _>(7)?.map(UserId),
        created_ms: row.try_get(8)?,
        updated_ms: row.try_get(9)?,
    })
}

pub(super) fn read_secret(row: &Row) -> Result<StoredSecret> {
    let sealed = SealedSecret { bytes: row.try_get(2)?, key_id: row.try_get(3)? };
    Ok(StoredSecret { id: CredentialId(row.try_get(0)?), secret_version: row.try_get(1)?, sealed })
}
