//! Users: who they are and what they may do at most.

use super::ids::UserId;
use super::page::{Page, PageRequest};
use super::secret::PasswordHash;
use super::text::folded;
use crate::db::{Connection, Row, query, query_scalar};
use crate::{Result, Store, StoreError};

/// What a user may do at most. Each role may do what those before it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Reads.
    Viewer,
    /// Creates connections and enriches assets.
    Member,
    /// Everything.
    Administrator,
}

/// Whether a user may sign in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UserState {
    /// They may.
    Active,
    /// They may not, nor do their sessions and tokens work.
    Disabled,
}

/// Who a user is to an identity provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OidcIdentity {
    /// The provider: claim `iss`.
    pub issuer: String,
    /// The user there: claim `sub`.
    pub subject: String,
}

/// A user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// The number.
    pub id: UserId,
    /// What they sign in with: unique, whatever the case of its letters.
    pub name: String,
    /// What they are called.
    pub display_name: Option<String>,
    /// Where they get mail.
    pub email: Option<String>,
    /// What they may do.
    pub role: Role,
    /// Whether they can sign in with a password.
    pub has_password: bool,
    /// Who they are to the identity provider.
    pub identity: Option<OidcIdentity>,
    /// Since when they may not sign in, milliseconds since 1970 UTC.
    pub disabled_ms: Option<i64>,
    /// When they were created, milliseconds since 1970 UTC.
    pub created_ms: i64,
    /// Grows with every change.
    pub version: i64,
}

/// What is read of a user, alone or with what belongs to them. A truth is a number in both databases.
pub(super) const USER_COLUMNS: &str = "person.id AS user_id, person.name AS user_name, person.display_name AS user_display_name,
    person.email AS user_email, person.role AS user_role,
    CAST(CASE WHEN person.password_hash IS NULL THEN 0 ELSE 1 END AS BIGINT) AS user_has_password, person.oidc_issuer AS user_issuer,
    person.oidc_subject AS user_subject, person.disabled_ms AS user_disabled_ms, person.created_ms AS user_created_ms,
    person.version AS user_version";

impl Role {
    /// As the API and the database spell it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Member => "member",
            Self::Administrator => "administrator",
        }
    }

    /// The role of a word, if there is one.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Viewer, Self::Member, Self::Administrator].into_iter().find(|role| role.as_str() == word)
    }
}

impl User {
    /// Whether they may sign in.
    #[must_use]
    pub fn state(&self) -> UserState {
        if self.disabled_ms.is_none() { UserState::Active } else { UserState::Disabled }
    }

    pub(super) fn is_active_administrator(&self) -> bool {
        self.state() == UserState::Active && self.role == Role::Administrator
    }
}

impl Store {
    /// One user.
    ///
    /// # Errors
    /// When the catalog cannot be read.
    pub async fn user(&self, id: UserId) -> Result<Option<User>> {
        let query = query(format!("SELECT {USER_COLUMNS} FROM person WHERE id = $1")).bind(id.0);
        query.fetch_optional(self.readers()).await?.as_ref().map(read_user).transpose()
    }

    /// The user of a name, whatever the case of its letters.
    ///
    /// # Errors
    /// When the catalog cannot be read.
    pub async fn user_by_name(&self, name: &str) -> Result<Option<User>> {
        let query = query(format!("SELECT {USER_COLUMNS} FROM person WHERE name_folded = $1")).bind(folded(name));
        query.fetch_optional(self.readers()).await?.as_ref().map(read_user).transpose()
    }

    /// The user of a name with the hash of their password, if they have one: for signing in.
    ///
    /// # Errors
    /// When the catalog cannot be read.
    pub async fn user_with_password(&self, name: &str) -> Result<Option<(User, Option<PasswordHash>)>> {
        let text = format!("SELECT {USER_COLUMNS}, person.password_hash AS password_hash FROM person WHERE name_folded = $1");
        match query(text).bind(folded(name)).fetch_optional(self.readers()).await? {
            Some(row) => Ok(Some((read_user(&row)?, row.try_get::<Option<String>, _>("password_hash")?.map(PasswordHash)))),
            None => Ok(None),
        }
    }

    /// A page of the users, the oldest first.
    ///
    /// # Errors
    /// When the catalog cannot be read.
    pub async fn users(&self, page: PageRequest) -> Result<Page<User>> {
        let query = query(format!("SELECT {USER_COLUMNS} FROM person WHERE id > $1 ORDER BY id LIMIT $2"));
        let rows = query.bind(page.above()).bind(page.asked()).fetch_all(self.readers()).await?;
        page.page(&rows, read_user, |user| user.id.0)
    }

    /// Whether there is any user: without one, the catalog wants to be set up.
    ///
    /// # Errors
    /// When the catalog cannot be read.
    pub async fn has_users(&self) -> Result<bool> {
        let any: Option<i64> = query_scalar("SELECT id FROM person LIMIT 1").fetch_optional(self.readers()).await?;
        Ok(any.is_some())
    }
}

/// A user as the transaction sees them, who has to be there.
pub(super) async fn user_in(connection: &mut Connection<'_>, id: UserId) -> Result<User> {
    let query = query(format!("SELECT {USER_COLUMNS} FROM person WHERE id = $1")).bind(id.0);
    let row = query.fetch_optional(connection).await?.ok_or_else(|| no_user(id))?;
    read_user(&row)
}

/// How many active administrators there are, as the transaction sees it.
pub(super) async fn active_administrators(connection: &mut Connection<'_>) -> Result<i64> {
    let text = "SELECT count(*) FROM person WHERE role = $1 AND disabled_ms IS NULL";
    Ok(query_scalar(text).bind(Role::Administrator.as_str()).fetch_one(connection).await?)
}

pub(super) fn no_user(id: UserId) -> StoreError {
    StoreError::NotFound { message: format!("there is no user {}: list the users to see their numbers", id) }
}

pub(super) fn read_user(row: &Row) -> Result<User> {
    let word: &str = row.try_get("user_role")?;
    let issuer: Option<String> = row.try_get("user_issuer")?;
    let subject: Option<String> = row.try_get("user_subject")?;
    Ok(User {
        id: UserId(row.try_get("user_id")?),
        name: row.try_get("user_name")?,
        display_name: row.try_get("user_display_name")?,
        email: row.try_get("user_email")?,
        role: Role::parse(word).ok_or_else(|| StoreError::corrupt(format!("there is no role `{word}`")))?,
        has_password: row.try_get::<i64, _>("user_has_password")? != 0,
        identity: issuer.zip(subject).map(|(issuer, subject)| OidcIdentity { issuer, subject }),
        disabled_ms: row.try_get("user_disabled_ms")?,
        created_ms: row.try_get("user_created_ms")?,
        version: row.try_get("user_version")?,
    })
}
