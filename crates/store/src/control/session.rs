//! Sessions of users who are signed in.

use serde_json::json;

use super::audit::{Audit, append};
use super::ids::UserId;
use super::secret::SecretHash;
use super::text::shown_if_any;
use super::user::{USER_COLUMNS, User, UserState, read_user, user_in};
use super::user_write::event;
use super::{PRUNED_ROWS_MAX, SEEN_EVERY_MS};
use crate::db::{Connection, Row, query, query_scalar};
use crate::{Result, Store, StoreError};

/// Sessions of one user: the oldest end when there are more.
const SESSIONS_OF_USER_MAX: i64 = 100;
/// Characters of an address or a browser's name.
const CHARACTERS_MAX: usize = 300;

/// A session to begin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewSession {
    /// What its token is found by.
    pub hash: SecretHash,
    /// Whose it is.
    pub user: UserId,
    /// From when on it does not work, milliseconds since 1970 UTC.
    pub expires_ms: i64,
    /// The network address that it began from.
    pub address: Option<String>,
    /// What the browser calls itself.
    pub user_agent: Option<String>,
}

/// A session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// What its token is found by.
    pub hash: SecretHash,
    /// When it began, milliseconds since 1970 UTC.
    pub created_ms: i64,
    /// When it was last in use, up to a minute before, milliseconds since 1970 UTC.
    pub last_seen_ms: i64,
    /// From when on it does not work, milliseconds since 1970 UTC.
    pub expires_ms: i64,
    /// The network address that it began from.
    pub address: Option<String>,
    /// What the browser calls itself.
    pub user_agent: Option<String>,
}

/// A session that works, and whose it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedIn {
    /// The session.
    pub session: Session,
    /// The user as they are now.
    pub user: User,
}

impl Store {
    /// Begins a session; who has more than 100 loses the oldest.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is no such user; [`StoreError::Conflict`] when they are disabled.
    pub async fn create_session(&self, new: &NewSession, audit: &Audit, now_ms: i64) -> Result<()> {
        let mut writer = self.writer().await?;
        let mut transaction = writer.begin().await?;
        let connection = &mut transaction.connection();
        let user = user_in(connection, new.user).await?;
        refuse_disabled(&user)?;
        let text = "INSERT INTO session (hash, person, created_ms, last_seen_ms, expires_ms, address, user_agent)
            VALUES ($1, $2, $3, $3, $4, $5, $6)";
        query(text)
            .bind(new.hash.value())
            .bind(new.user.0)
            .bind(now_ms)
            .bind(new.expires_ms)
            .bind(shown_if_any(new.address.as_ref(), CHARACTERS_MAX))
            .bind(shown_if_any(new.user_agent.as_ref(), CHARACTERS_MAX))
            .execute(&mut *connection)
            .await?;
        end_oldest(connection, new.user).await?;
        append(connection, audit, &event("session.create", &user, json!({ "expiresMs": new.expires_ms })), now_ms).await?;
        transaction.commit().await
    }

    /// The session of a token with its user, if it has not expired and the user is active.
    ///
    /// # Errors
    /// When the catalog cannot be read.
    pub async fn session(&self, hash: &SecretHash, now_ms: i64) -> Result<Option<SignedIn>> {
        let text = format!(
            "SELECT session.hash, session.created_ms, session.last_seen_ms, session.expires_ms, session.address, session.user_agent,
                {USER_COLUMNS} FROM session JOIN person ON person.id = session.person
             WHERE session.hash = $1 AND session.expires_ms > $2 AND person.disabled_ms IS NULL"
        );
        let row = query(text).bind(hash.value()).bind(now_ms).fetch_optional(self.readers()).await?;
        row.as_ref().map(|row| Ok(SignedIn { session: read(row, *hash)?, user: read_user(row)? })).transpose()
    }

    /// Notes that a session is in use, unless that was noted within the last minute.
    ///
    /// # Errors
    /// When the catalog cannot be written.
    pub async fn touch_session(&self, session: &Session, now_ms: i64) -> Result<()> {
        let due_ms = now_ms - SEEN_EVERY_MS;
        if session.last_seen_ms > due_ms {
            return Ok(());
        }
        let mut writer = self.writer().await?;
        // Several requests at once have all read the old time.
        let query = query("UPDATE session SET last_seen_ms = $1 WHERE hash = $2 AND last_seen_ms <= $3");
        query.bind(now_ms).bind(session.hash.value()).bind(due_ms).execute(&mut writer.connection()).await?;
        Ok(())
    }

    /// Ends a session. One that has ended already stays so, and nothing is written.
    ///
    /// # Errors
    /// When the catalog cannot be written.
    pub async fn delete_session(&self, hash: &SecretHash, audit: &Audit, now_ms: i64) -> Result<()> {
        let mut writer = self.writer().await?;
        let mut transaction = writer.begin().await?;
        let connection = &mut transaction.connection();
        let ended: Option<i64> = query_scalar("DELETE FROM session WHERE hash = $1 RETURNING person")
            .bind(hash.value())
            .fetch_optional(&mut *connection)
            .await?;
        if let Some(user) = ended {
            let user = user_in(connection, UserId(user)).await?;
            append(connection, audit, &event("session.delete", &user, json!({ "sessionsEnded": 1 })), now_ms).await?;
        }
        transaction.commit().await
    }

    /// Ends all sessions of a user; how many.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is no such user.
    pub async fn delete_sessions_of(&self, user: UserId, audit: &Audit, now_ms: i64) -> Result<u64> {
        let mut writer = self.writer().await?;
        let mut transaction = writer.begin().await?;
        let connection = &mut transaction.connection();
        let user = user_in(connection, user).await?;
        let sessions = end_all(connection, user.id).await?;
        if sessions > 0 {
            append(connection, audit, &event("session.delete", &user, json!({ "sessionsEnded": sessions })), now_ms).await?;
        }
        transaction.commit().await?;
        Ok(sessions)
    }

    /// Deletes sessions that have expired, at most 10,000; how many.
    ///
    /// # Errors
    /// When the catalog cannot be written.
    pub async fn prune_sessions(&self, now_ms: i64) -> Result<u64> {
        let mut writer = self.writer().await?;
        let text =
            "DELETE FROM session WHERE hash IN (SELECT hash FROM session WHERE expires_ms <= $1 ORDER BY expires_ms LIMIT $2)";
        Ok(query(text).bind(now_ms).bind(PRUNED_ROWS_MAX).execute(&mut writer.connection()).await?)
    }
}

/// Ends all sessions of a user.
pub(super) async fn end_all(connection: &mut Connection<'_>, user: UserId) -> Result<u64> {
    Ok(query("DELETE FROM session WHERE person = $1").bind(user.0).execute(connection).await?)
}

async fn end_oldest(connection: &mut Connection<'_>, user: UserId) -> Result<()> {
    let text = "DELETE FROM session WHERE person = $1 AND hash NOT IN
        (SELECT hash FROM session WHERE person = $1 ORDER BY created_ms DESC, hash LIMIT $2)";
    query(text).bind(user.0).bind(SESSIONS_OF_USER_MAX).execute(connection).await?;
    Ok(())
}

pub(super) fn refuse_disabled(user: &User) -> Result<()> {
    match user.state() {
        UserState::Active => Ok(()),
        UserState::Disabled => {
            let message = format!("the user `{}` is disabled: an administrator can enable them", user.name);
            Err(StoreError::Conflict { message })
        }
    }
}

fn read(row: &Row, hash: SecretHash) -> Result<Session> {
    Ok(Session {
        hash,
        created_ms: row.try_get(1)?,
        last_seen_ms: row.try_get(2)?,
        expires_ms: row.try_get(3)?,
        address: row.try_get(4)?,
        user_agent: row.try_get(5)?,
    })
}
