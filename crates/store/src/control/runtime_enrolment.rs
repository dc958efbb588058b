//! How runtimes become known: an administrator makes a token that works once and for a short time, a program shows it with its key.

use serde_json::json;

use super::audit::{Actor, Audit, AuditEvent, AuditTarget, append};
use super::ids::RuntimeId;
use super::runtimes::{RUNTIME_COLUMNS, Runtime, read_runtime};
use super::secret::SecretHash;
use super::text::{checked_name, shown};
use crate::db::{Connection, query, query_scalar};
use crate::{Result, Store, StoreError};

/// Runtimes that are not revoked.
const RUNTIMES_MAX: i64 = 1_000;
/// Enrolment tokens that wait to be used.
const TOKENS_MAX: i64 = 1_000;
/// Characters of a version that are kept.
const VERSION_CHARACTERS_MAX: usize = 50;

/// A token that a runtime can be enrolled with, once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewEnrolment {
    /// What it is found by.
    pub hash: SecretHash,
    /// The only name that it is good for.
    pub name: Option<String>,
    /// From when on it does not work, milliseconds since 1970 UTC.
    pub expires_ms: i64,
}

/// A program that shows such a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Enrolment {
    /// What the token is found by.
    pub hash: SecretHash,
    /// The name of the runtime: the queue that it works on.
    pub name: String,
    /// Its Ed25519 public key.
    pub public_key: [u8; 32],
    /// The version of its program.
    pub version: String,
}

impl Store {
    /// Makes a token that a runtime can be enrolled with. Those that no longer work are deleted.
    ///
    /// # Errors
    /// [`StoreError::Invalid`] for a name that is none, [`StoreError::Conflict`] when a thousand wait to be used.
    pub async fn create_enrolment(&self, new: &NewEnrolment, audit: &Audit, now_ms: i64) -> Result<()> {
        let name = new.name.as_deref().map(|name| checked_name("runtime", name)).transpose()?;
        let mut writer = self.writer().await?;
        let mut transaction = writer.begin().await?;
        let on = &mut transaction.connection();
        query("DELETE FROM runtime_enrolment WHERE expires_ms <= $1").bind(now_ms).execute(&mut *on).await?;
        let waiting: i64 = query_scalar("SELECT count(*) FROM runtime_enrolment WHERE runtime IS NULL").fetch_one(&mut *on).await?;
        if waiting >= TOKENS_MAX {
            let message = format!("{waiting} enrolment tokens wait to be used: use them or wait until they expire");
            return Err(StoreError::Conflict { message });
        }
        let text = "INSERT INTO runtime_enrolment (hash, name, created_ms, expires_ms) VALUES ($1, $2, $3, $4)";
        let insert = query(text).bind(new.hash.value()).bind(name.clone()).bind(now_ms).bind(new.expires_ms);
        insert.execute(&mut *on).await?;
        let target = AuditTarget { kind: "enrolment-token", id: None, name };
        let detail = json!({ "expiresMs": new.expires_ms });
        append(on, audit, &AuditEvent { action: "runtime.enrolment-token", target, detail }, now_ms).await?;
        transaction.commit().await
    }

    /// Enrols a runtime. The same token with the same key and name gives the same runtime for as long as the token lives: an answer
    /// can get lost.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is no such token, or it was used by another key, is for another name or has expired;
    /// [`StoreError::Invalid`] for a name that is none; [`StoreError::Conflict`] when the key is another runtime's or there are a
    /// thousand runtimes.
    pub async fn enrol(&self, enrolment: &Enrolment, audit: &Audit, now_ms: i64) -> Result<Runtime> {
        let name = checked_name("runtime", &enrolment.name)?;
        let mut writer = self.writer().await?;
        let mut transaction = writer.begin().await?;
        let on = &mut transaction.connection();
        let text = "SELECT name, runtime FROM runtime_enrolment WHERE hash = $1 AND expires_ms > $2 FOR UPDATE";
        let row = query(text).bind(enrolment.hash.value()).bind(now_ms).fetch_optional(&mut *on).await?.ok_or_else(refused)?;
        let (only, used): (Option<String>, Option<i64>) = (row.try_get(0)?, row.try_get(1)?);
        if only.is_some_and(|only| only != name) {
            return Err(refused());
        }
        let known = with_key(on, &enrolment.public_key).await?;
        let runtime = match (used, known) {
            (None, None) => insert(on, &name, enrolment, audit, now_ms).await?,
            (Some(used), Some(known)) if known.id.0 == used && known.name == name && known.revoked_ms.is_none() => known,
            (None, Some(_)) => {
                let message = "the key is enrolled already: a runtime has one data directory of its own".to_owned();
                return Err(StoreError::Conflict { message });
            }
            (Some(_), _) => return Err(refused()),
        };
        let text = "UPDATE runtime_enrolment SET runtime = $1 WHERE hash = $2";
        query(text).bind(runtime.id.0).bind(enrolment.hash.value()).execute(&mut *on).await?;
        transaction.commit().await?;
        Ok(runtime)
    }
}

/// One error for all that is wrong with a token: who guesses learns nothing.
fn refused() -> StoreError {
    let message =
        "this enrolment token does not work: it was used, has expired or is for another name; ask an administrator for a \
        new one"
            .to_owned();
    StoreError::NotFound { message }
}

async fn with_key(connection: &mut Connection<'_>, public_key: &[u8; 32]) -> Result<Option<Runtime>> {
    let text = format!("SELECT {RUNTIME_COLUMNS} FROM runtime WHERE public_key = $1");
    query(text).bind(public_key.to_vec()).fetch_optional(connection).await?.as_ref().map(read_runtime).transpose()
}

async fn insert(connection: &mut Connection<'_>, name: &str, enrolment: &Enrolment, audit: &Audit, now_ms: i64) -> Result<Runtime> {
    let count: i64 = query_scalar("SELECT count(*) FROM runtime WHERE revoked_ms IS NULL").fetch_one(&mut *connection).await?;
    if count >= RUNTIMES_MAX {
        let message = format!("there are {count} runtimes, which is the most: revoke those that are gone");
        return Err(StoreError::Conflict { message });
    }
    let text = format!(
        "INSERT INTO runtime (name, public_key, version, created_ms, last_seen_ms) VALUES ($1, $2, $3, $4, $4)
         RETURNING {RUNTIME_COLUMNS}"
    );
    let row = query(text)
        .bind(name.to_owned())
        .bind(enrolment.public_key.to_vec())
        .bind(shown(&enrolment.version, VERSION_CHARACTERS_MAX))
        .bind(now_ms)
        .fetch_one(&mut *connection)
        .await?;
    let runtime = read_runtime(&row)?;
    let audit = Audit { actor: Actor::Runtime { name: name.to_owned() }, ..audit.clone() };
    let event = AuditEvent {
        action: "runtime.enroll",
        target: AuditTarget::numbered("runtime", runtime.id.0, name),
        detail: json!({ "version": runtime.version }),
    };
    append(connection, &audit, &event, now_ms).await?;
    Ok(runtime)
}

/// The key of a runtime, and the runtime.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuntimeKey {
    /// The runtime as it is now, revoked or not.
    pub runtime: Runtime,
    /// Its Ed25519 public key.
    pub public_key: [u8; 32],
}

/// A sign-in of a runtime.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuntimeSignIn {
    /// Which one.
    pub runtime: RuntimeId,
    /// The id of the assertion that it showed.
    pub jti: String,
    /// Until when the assertion could be shown again, milliseconds since 1970 UTC.
    pub jti_expires_ms: i64,
    /// What its access token is found by.
    pub token: SecretHash,
    /// From when on the token does not work, milliseconds since 1970 UTC.
    pub token_expires_ms: i64,
}

impl Store {
    /// The key that the assertions of a runtime are checked with; none where there is no such runtime.
    ///
    /// # Errors
    /// When the catalog cannot be read.
    pub async fn runtime_key(&self, id: RuntimeId) -> Result<Option<RuntimeKey>> {
        let text = format!("SELECT {RUNTIME_COLUMNS}, public_key FROM runtime WHERE id = $1 AND public_key IS NOT NULL");
        let Some(row) = query(text).bind(id.0).fetch_optional(self.readers()).await? else { return Ok(None) };
        let key: Vec<u8> = row.try_get("public_key")?;
        let public_key =
            key.try_into().map_err(|_length| StoreError::corrupt("the public key of a runtime is not 32 bytes long"))?;
        Ok(Some(RuntimeKey { runtime: read_runtime(&row)?, public_key }))
    }

    /// Gives a runtime an access token for an assertion that was not shown before; whether it was given.
    ///
    /// # Errors
    /// When the catalog cannot be written.
    pub async fn sign_in_runtime(&self, sign_in: &RuntimeSignIn, now_ms: i64) -> Result<bool> {
        let mut writer = self.writer().await?;
        let mut transaction = writer.begin().await?;
        let on = &mut transaction.connection();
        for text in ["DELETE FROM runtime_assertion WHERE expires_ms <= $1", "DELETE FROM runtime_token WHERE expires_ms <= $1"] {
            query(text).bind(now_ms).execute(&mut *on).await?;
        }
        let text = "INSERT INTO runtime_assertion (runtime, jti, expires_ms) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
        let shown = query(text).bind(sign_in.runtime.0).bind(sign_in.jti.clone()).bind(sign_in.jti_expires_ms);
        if shown.execute(&mut *on).await? == 0 {
            return Ok(false);
        }
        let text = "INSERT INTO runtime_token (hash, runtime, expires_ms)
            SELECT $1, id, $2 FROM runtime WHERE id = $3 AND revoked_ms IS NULL";
        let token = query(text).bind(sign_in.token.value()).bind(sign_in.token_expires_ms).bind(sign_in.runtime.0);
        let given = token.execute(&mut *on).await?;
        transaction.commit().await?;
        Ok(given > 0)
    }

    /// Whose an access token is, while it works.
    ///
    /// # Errors
    /// When the catalog cannot be read.
    pub async fn runtime_of_token(&self, token: &SecretHash, now_ms: i64) -> Result<Option<Runtime>> {
        let text = format!(
            "SELECT {RUNTIME_COLUMNS} FROM runtime_token JOIN runtime ON runtime.id = runtime_token.runtime
             WHERE runtime_token.hash = $1 AND runtime_token.expires_ms > $2 AND runtime.revoked_ms IS NULL"
        );
        let row = query(text).bind(token.value()).bind(now_ms).fetch_optional(self.readers()).await?;
        row.as_ref().map(read_runtime).transpose()
    }
}
