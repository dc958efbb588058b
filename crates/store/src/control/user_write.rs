//! Changing users. Names and identities stay unique, and an active administrator remains, whoever else changes users meanwhile.

use serde_json::{Value, json};

use super::audit::{Audit, AuditEvent, AuditTarget, append};
use super::guard::{Guard, enter};
use super::ids::UserId;
use super::secret::PasswordHash;
use super::text::{checked_name, folded, shown_if_any};
use super::user::{OidcIdentity, Role, USER_COLUMNS, User, UserState, active_administrators, read_user, user_in};
use super::{administrators, session, token};
use crate::db::{Connection, query};
use crate::{Result, Store, StoreError};

/// Characters of a displayed name and of a mail address.
const CHARACTERS_MAX: usize = 320;
/// Characters of an issuer and of a subject. A longer one cannot be cut: it would be somebody else.
const IDENTITY_CHARACTERS_MAX: usize = 1000;

/// A user to be created.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewUser {
    /// What they sign in with.
    pub name: String,
    /// What they are called.
    pub display_name: Option<String>,
    /// Where they get mail.
    pub email: Option<String>,
    /// What they may do.
    pub role: Role,
    /// The hash of their password, if they sign in with one.
    pub password: Option<PasswordHash>,
    /// Who they are to the identity provider, if they sign in there.
    pub identity: Option<OidcIdentity>,
}

/// What a user is to be: all of it, so that an editor starts from what it read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserEdit {
    /// What they sign in with.
    pub name: String,
    /// What they are called.
    pub display_name: Option<String>,
    /// Where they get mail.
    pub email: Option<String>,
    /// What they may do.
    pub role: Role,
    /// Whether they may sign in. Who no longer may loses their sessions.
    pub state: UserState,
}

/// What an identity provider says of somebody who signs in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OidcSignIn {
    /// Who they are there.
    pub identity: OidcIdentity,
    /// The name of a new user. Who has one keeps it.
    pub name: String,
    /// What they are called.
    pub display_name: Option<String>,
    /// Where they get mail.
    pub email: Option<String>,
    /// What they may do.
    pub role: RoleGrant,
}

/// The role of somebody who signs in at an identity provider, and whether it is for who has one already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RoleGrant {
    /// The provider decides, by rules of the operator: everybody has it from this sign-in on.
    Ruled(Role),
    /// Nothing is ruled: a new user begins with it. Who has a role keeps it, as an administrator may have changed it.
    Initial(Role),
}

impl RoleGrant {
    /// The role of a new user.
    #[must_use]
    pub fn role(self) -> Role {
        match self {
            Self::Ruled(role) | Self::Initial(role) => role,
        }
    }
}

impl Store {
    /// Creates a user.
    ///
    /// # Errors
    /// [`StoreError::Exists`] when the name or the identity is taken; [`StoreError::Invalid`] for a name that cannot be stored.
    pub async fn create_user(&self, new: &NewUser, audit: &Audit, now_ms: i64) -> Result<User> {
        let mut writer = self.writer().await?;
        let mut transaction = writer.begin().await?;
        let connection = &mut transaction.connection();
        enter(connection, Guard::People).await?;
        let user = insert(connection, new, audit, now_ms).await?;
        transaction.commit().await?;
        Ok(user)
    }

    /// The user of an identity, created if it is new. What they are called, their mail address and a role that is ruled are brought
    /// up to date. The last active administrator stays one, which the audit log tells. Whether they may sign in is asked of
    /// [`Store::create_session`].
    ///
    /// # Errors
    /// [`StoreError::Exists`] when a new user's name belongs to somebody else: an identity never takes over a user by name.
    pub async fn sign_in_oidc(&self, sign_in: &OidcSignIn, audit: &Audit, now_ms: i64) -> Result<User> {
        let mut writer = self.writer().await?;
        let mut transaction = writer.begin().await?;
        let connection = &mut transaction.connection();
        enter(connection, Guard::People).await?;
        let user = match by_identity(connection, &sign_in.identity).await? {
            Some(user) => refresh(connection, user, sign_in, audit, now_ms).await?,
            None => insert(connection, &new_user(sign_in), audit, now_ms).await?,
        };
        transaction.commit().await?;
        Ok(user)
    }

    /// Changes a user who still has version `version`.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; [`StoreError::Stale`] when somebody else changed them; [`StoreError::Exists`] when the name is taken;
    /// [`StoreError::Conflict`] when no active administrator would remain.
    pub async fn update_user(&self, id: UserId, version: i64, edit: &UserEdit, audit: &Audit, now_ms: i64) -> Result<User> {
        let mut writer = self.writer().await?;
        let mut transaction = writer.begin().await?;
        let connection = &mut transaction.connection();
        enter(connection, Guard::People).await?;
        let before = user_in(connection, id).await?;
        refuse_stale(&before, version)?;
        write(connection, &before, edit, now_ms).await?;
        refuse_without_administrator(connection, &before).await?;
        if edit.state == UserState::Disabled {
            session::end_all(connection, id).await?;
        }
        let after = user_in(connection, id).await?;
        append(connection, audit, &event("user.update", &after, changes(&before, &after)), now_ms).await?;
        transaction.commit().await?;
        Ok(after)
    }

    /// Gives a user a password. All their sessions end: whoever knew the old one is out.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn set_password(&self, id: UserId, password: &PasswordHash, audit: &Audit, now_ms: i64) -> Result<User> {
        let mut writer = self.writer().await?;
        let mut transaction = writer.begin().await?;
        let connection = &mut transaction.connection();
        enter(connection, Guard::People).await?;
        let text = "UPDATE person SET password_hash = $1, version = version + 1 WHERE id = $2";
        query(text).bind(password.0.clone()).bind(id.0).execute(connection).await?;
        let user = user_in(connection, id).await?;
        let sessions = session::end_all(connection, id).await?;
        append(connection, audit, &event("user.set-password", &user, json!({ "sessionsEnded": sessions })), now_ms).await?;
        transaction.commit().await?;
        Ok(user)
    }

    /// Deletes a user with their sessions and tokens, and takes them off the connections that they administer; of version `version` only, if it is given.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; [`StoreError::Stale`]; [`StoreError::Conflict`] when no active administrator would remain.
    pub async fn delete_user(&self, id: UserId, version: Option<i64>, audit: &Audit, now_ms: i64) -> Result<()> {
        let mut writer = self.writer().await?;
        let mut transaction = writer.begin().await?;
        let connection = &mut transaction.connection();
        enter(connection, Guard::People).await?;
        let user = user_in(connection, id).await?;
        refuse_stale(&user, version.unwrap_or(user.version))?;
        query("DELETE FROM person WHERE id = $1").bind(id.0).execute(connection).await?;
        refuse_without_administrator(connection, &user).await?;
        session::end_all(connection, id).await?;
        token::delete_all(connection, id).await?;
        administrators::forget(connection, id).await?;
        append(connection, audit, &event("user.delete", &user, Value::Null), now_ms).await?;
        transaction.commit().await
    }
}

/// Creates a user, for who has entered the guard.
pub(super) async fn insert(connection: &mut Connection<'_>, new: &NewUser, audit: &Audit, now_ms: i64) -> Result<User> {
    let name = checked_name("user", &new.name)?;
    refuse_taken(connection, &name, None).await?;
    if let Some(identity) = &new.identity {
        check_identity(identity)?;
        if let Some(other) = by_identity(connection, identity).await? {
            return Err(exists(other));
        }
    }
    let text = format!(
        "INSERT INTO person (name, name_folded, display_name, email, role, password_hash, oidc_issuer, oidc_subject, created_ms, version)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 1) RETURNING {USER_COLUMNS}"
    );
    let row = query(text)
        .bind(name.clone())
        .bind(folded(&name))
        .bind(shown_if_any(new.display_name.as_ref(), CHARACTERS_MAX))
        .bind(shown_if_any(new.email.as_ref(), CHARACTERS_MAX))
        .bind(new.role.as_str())
        .bind(new.password.as_ref().map(|hash| hash.0.clone()))
        .bind(new.identity.as_ref().map(|identity| identity.issuer.clone()))
        .bind(new.identity.as_ref().map(|identity| identity.subject.clone()))
        .bind(now_ms)
        .fetch_one(&mut *connection)
        .await?;
    let user = read_user(&row)?;
    append(connection, audit, &event("user.create", &user, json!({ "role": user.role.as_str() })), now_ms).await?;
    Ok(user)
}

pub(super) fn event(action: &'static str, user: &User, detail: Value) -> AuditEvent {
    AuditEvent { action, target: AuditTarget::numbered("user", user.id.0, &user.name), detail }
}

async fn write(connection: &mut Connection<'_>, before: &User, edit: &UserEdit, now_ms: i64) -> Result<()> {
    let name = checked_name("user", &edit.name)?;
    refuse_taken(connection, &name, Some(before.id)).await?;
    let disabled_ms = match edit.state {
        UserState::Active => None,
        UserState::Disabled => Some(before.disabled_ms.unwrap_or(now_ms)),
    };
    let text = "UPDATE person SET name = $1, name_folded = $2, display_name = $3, email = $4, role = $5, disabled_ms = $6,
        version = version + 1 WHERE id = $7";
    query(text)
        .bind(name.clone())
        .bind(folded(&name))
        .bind(shown_if_any(edit.display_name.as_ref(), CHARACTERS_MAX))
        .bind(shown_if_any(edit.email.as_ref(), CHARACTERS_MAX))
        .bind(edit.role.as_str())
        .bind(disabled_ms)
        .bind(before.id.0)
        .execute(connection)
        .await?;
    Ok(())
}

async fn refresh(connection: &mut Connection<'_>, user: User, told: &OidcSignIn, audit: &Audit, now_ms: i64) -> Result<User> {
    let display_name = shown_if_any(told.display_name.as_ref(), CHARACTERS_MAX);
    let email = shown_if_any(told.email.as_ref(), CHARACTERS_MAX);
    let role = ruled_role(connection, &user, told.role, audit, now_ms).await?;
    if (&user.display_name, &user.email, user.role) == (&display_name, &email, role) {
        return Ok(user);
    }
    let text = "UPDATE person SET display_name = $1, email = $2, role = $3, version = version + 1 WHERE id = $4";
    query(text).bind(display_name).bind(email).bind(role.as_str()).bind(user.id.0).execute(&mut *connection).await?;
    let after = user_in(connection, user.id).await?;
    append(connection, audit, &event("user.update", &after, changes(&user, &after)), now_ms).await?;
    Ok(after)
}

/// The role that a user has from now on. Refusing the last administrator would leave nobody who could mend the rules.
async fn ruled_role(connection: &mut Connection<'_>, user: &User, grant: RoleGrant, audit: &Audit, now_ms: i64) -> Result<Role> {
    let RoleGrant::Ruled(role) = grant else { return Ok(user.role) };
    let would_go = user.is_active_administrator() && role != Role::Administrator;
    if !would_go || active_administrators(connection).await? > 1 {
        return Ok(role);
    }
    let detail = json!({ "ruled": role.as_str(), "reason": "last-administrator" });
    append(connection, audit, &event("user.keep-role", user, detail), now_ms).await?;
    Ok(user.role)
}

fn new_user(sign_in: &OidcSignIn) -> NewUser {
    NewUser {
        name: sign_in.name.clone(),
        display_name: sign_in.display_name.clone(),
        email: sign_in.email.clone(),
        role: sign_in.role.role(),
        password: None,
        identity: Some(sign_in.identity.clone()),
    }
}

fn check_identity(identity: &OidcIdentity) -> Result<()> {
    for text in [&identity.issuer, &identity.subject] {
        if text.is_empty() || text.contains('\0') || text.chars().count() > IDENTITY_CHARACTERS_MAX {
            let message = "an issuer or subject of the identity provider is empty, longer than 1000 characters or has the character \
                NUL: check the provider's configuration";
            return Err(StoreError::Invalid { message: message.to_owned() });
        }
    }
    Ok(())
}

async fn by_identity(connection: &mut Connection<'_>, identity: &OidcIdentity) -> Result<Option<User>> {
    let query = query(format!("SELECT {USER_COLUMNS} FROM person WHERE oidc_issuer = $1 AND oidc_subject = $2"));
    let query = query.bind(identity.issuer.clone()).bind(identity.subject.clone());
    query.fetch_optional(connection).await?.as_ref().map(read_user).transpose()
}

async fn refuse_taken(connection: &mut Connection<'_>, name: &str, except: Option<UserId>) -> Result<()> {
    let query = query(format!("SELECT {USER_COLUMNS} FROM person WHERE name_folded = $1")).bind(folded(name));
    match query.fetch_optional(connection).await?.as_ref().map(read_user).transpose()? {
        Some(other) if Some(other.id) != except => Err(exists(other)),
        _ => Ok(()),
    }
}

fn exists(user: User) -> StoreError {
    StoreError::Exists { noun: "user", id: user.id.0, name: user.name }
}

fn refuse_stale(user: &User, version: i64) -> Result<()> {
    if user.version == version {
        return Ok(());
    }
    Err(StoreError::Stale { noun: "user", id: user.id.0, version: user.version })
}

/// After a change of somebody: rolls it back if they were the last one.
async fn refuse_without_administrator(connection: &mut Connection<'_>, before: &User) -> Result<()> {
    if !before.is_active_administrator() || active_administrators(connection).await? > 0 {
        return Ok(());
    }
    let message = format!("`{}` is the last active administrator: make somebody else administrator first", before.name);
    Err(StoreError::Conflict { message })
}

/// What is different: names of fields, and the role from and to.
fn changes(before: &User, after: &User) -> Value {
    let fields = [
        ("name", before.name != after.name),
        ("displayName", before.display_name != after.display_name),
        ("email", before.email != after.email),
        ("role", before.role != after.role),
        ("state", before.state() != after.state()),
    ];
    let changed: Vec<&str> = fields.into_iter().filter_map(|(name, differs)| differs.then_some(name)).collect();
    json!({
        "changed": changed,
        "role": [before.role.as_str(), after.role.as_str()],
        "state": [state_word(before), state_word(after)],
    })
}

fn state_word(user: &User) -> &'static str {
    match user.state() {
        UserState::Active => "active",
        UserState::Disabled => "disabled",
    }
}
