//! `/users`: people, what they may do, and their passwords.

#[cfg(test)]
mod tests;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use store::{NewUser, PasswordHash, UserEdit, UserId, UserState};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::paging::{AnyVersion, Paging, page_of, present};
use super::secret_text::SecretText;
use super::session::set_cookie;
use super::visitor::{Visitor, forget, password_problem};
use super::{Caller, CreateProblems, Created, EditProblems, Posted, ReadProblems};
use crate::auth::Action;
use crate::auth::password::{PasswordError, Verdict};
use crate::http::{ETag, IfMatch, Json, Page, Path, Problem, Query};
use crate::state::App;

const LIST: &str = "users";

/// What a user may do at most. Each role may do what those before it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum RoleName {
    /// Reads.
    Viewer,
    /// Creates connections and enriches assets.
    Member,
    /// Everything.
    Administrator,
}

/// Whether a user may sign in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum StateName {
    /// They may.
    Active,
    /// They may not, nor do their sessions and tokens work.
    Disabled,
}

/// A user: the whole for administrators and for the user; for others the number and the names.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct User {
    /// Their number.
    #[schema(example = "7")]
    id: String,
    /// What they sign in with.
    #[schema(example = "ada")]
    name: String,
    /// What they are called.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "Ada Lovelace")]
    display_name: Option<String>,
    /// The rest.
    #[serde(flatten)]
    more: Option<UserDetails>,
}

/// What administrators and the user see besides.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct UserDetails {
    /// Where they get mail.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    email: Option<String>,
    /// What they may do.
    role: RoleName,
    /// Whether they may sign in.
    state: StateName,
    /// Whether they can sign in with a password.
    has_password: bool,
    /// Whether they sign in at the identity provider.
    single_sign_on: bool,
    /// When they were created, milliseconds since 1970 UTC.
    created_at: i64,
    /// Grows with every change; the `ETag`.
    version: i64,
}

/// A user to create.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct UserRequest {
    /// What they sign in with: unique, whatever the case of its letters.
    #[schema(example = "ada")]
    name: String,
    /// What they are called.
    #[schema(example = "Ada Lovelace")]
    display_name: Option<String>,
    /// Where they get mail.
    email: Option<String>,
    /// What they may do.
    role: RoleName,
    /// Without one they cannot sign in until one is set.
    password: Option<SecretText>,
}

/// What changes of a user: what is left out stays, `null` empties.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct UserPatch {
    /// What they sign in with.
    #[schema(example = "ada")]
    name: Option<String>,
    /// What they are called.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    display_name: Option<Option<String>>,
    /// Where they get mail.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    email: Option<Option<String>>,
    /// What they may do.
    role: Option<RoleName>,
    /// Whether they may sign in.
    state: Option<StateName>,
}

/// A new password.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct PasswordRequest {
    /// The present one; for one's own.
    old_password: Option<SecretText>,
    /// The new one.
    password: SecretText,
}

/// `/users`.
pub(crate) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_users, create_user))
        .routes(routes!(get_user, patch_user, delete_user))
        .routes(routes!(set_password))
}

/// Users, the oldest first; for members their names only.
#[utoipa::path(get, path = "/api/v1/users", tag = "users", params(Paging), responses(
    (status = 200, description = "A page of users.", body = Page<User>), ReadProblems,
))]
async fn list_users(State(app): State<App>, caller: Caller, Query(paging): Query<Paging>) -> Result<Json<Page<User>>, Problem> {
    caller.may(Action::ListUsers)?;
    let found = app.store.users(paging.request(&app, LIST)?).await?;
    page_of(&app, LIST, found, |user| User::shown(&caller, user)).map(Json)
}

/// Creates a user.
#[utoipa::path(post, path = "/api/v1/users", tag = "users", request_body = UserRequest,
    params(("idempotency-key" = Option<String>, Header, description = "Makes a repetition harmless.")), responses(
    (status = 201, description = "The user.", body = User), CreateProblems,
))]
async fn create_user(State(app): State<App>, caller: Caller, posted: Posted<UserRequest>) -> Result<Created, Problem> {
    caller.may(Action::ManageUsers)?;
    let work = async |request: UserRequest| {
        let password = match request.password {
            Some(password) => Some(hash(&app, password).await?),
            None => None,
        };
        let UserRequest { name, display_name, email, role, .. } = request;
        let new = NewUser { name, display_name, email, role: role.into(), password, identity: None };
        let user = app.store.create_user(&new, caller.audit(), app.clock.now_ms()).await?;
        Created::new(format!("/api/v1/users/{}", user.id), Some(user.version), &User::in_full(user))
    };
    posted.once(&app, &caller, work).await
}

/// One user.
#[utoipa::path(get, path = "/api/v1/users/{id}", tag = "users", params(("id" = i64, Path, description = "Their number.")), responses(
    (status = 200, description = "The user.", body = User, headers(("etag" = String, description = "Their version."))), ReadProblems,
))]
async fn get_user(State(app): State<App>, caller: Caller, Path(id): Path<i64>) -> Result<impl IntoResponse, Problem> {
    if caller.user_id() != UserId(id) {
        caller.may(Action::ListUsers)?;
    }
    let user = find(&app, id).await?;
    Ok((ETag(user.version), Json(User::shown(&caller, user))))
}

/// Changes a user.
#[utoipa::path(patch, path = "/api/v1/users/{id}", tag = "users", request_body = UserPatch,
    params(("id" = i64, Path, description = "Their number."), ("if-match" = String, Header, description = "The `ETag` of what was read.")), responses(
    (status = 200, description = "The user.", body = User, headers(("etag" = String, description = "Their version."))), EditProblems,
))]
async fn patch_user(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<i64>,
    if_match: IfMatch,
    Json(patch): Json<UserPatch>,
) -> Result<impl IntoResponse, Problem> {
    caller.may(Action::ManageUsers)?;
    let before = find(&app, id).await?;
    if_match.require(before.version)?;
    let state = before.state();
    let edit = UserEdit {
        name: patch.name.unwrap_or(before.name),
        display_name: patch.display_name.unwrap_or(before.display_name),
        email: patch.email.unwrap_or(before.email),
        role: patch.role.map_or(before.role, Into::into),
        state: patch.state.map_or(state, Into::into),
    };
    let after = app.store.update_user(before.id, before.version, &edit, caller.audit(), app.clock.now_ms()).await?;
    Ok((ETag(after.version), Json(User::in_full(after))))
}

/// Deletes a user with their sessions and tokens.
#[utoipa::path(delete, path = "/api/v1/users/{id}", tag = "users",
    params(("id" = i64, Path, description = "Their number."), ("if-match" = Option<String>, Header, description = "Only this version.")), responses(
    (status = 204, description = "The user is gone."), EditProblems,
))]
async fn delete_user(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<i64>,
    AnyVersion(version): AnyVersion,
) -> Result<StatusCode, Problem> {
    caller.may(Action::ManageUsers)?;
    app.store.delete_user(UserId(id), version, caller.audit(), app.clock.now_ms()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Sets a password; all sessions of the user end. One's own needs the present one.
#[utoipa::path(post, path = "/api/v1/users/{id}/password", tag = "users", request_body = PasswordRequest,
    params(("id" = i64, Path, description = "Their number.")), responses(
    (status = 204, description = "It is set: sign in with it."), CreateProblems,
    (status = 429, description = "Too many attempts; `Retry-After` says how long to wait.", body = Problem, content_type = "application/problem+json"),
))]
async fn set_password(
    State(app): State<App>,
    caller: Caller,
    visitor: Visitor,
    Path(id): Path<i64>,
    Json(request): Json<PasswordRequest>,
) -> Result<Response, Problem> {
    let is_own = caller.user_id() == UserId(id);
    caller.may(if is_own { Action::ChangeOwnPassword } else { Action::ManageUsers })?;
    let user = find(&app, id).await?;
    if is_own {
        check_old(&app, &visitor, &user, request.old_password).await?;
    }
    let password = hash(&app, request.password).await?;
    app.store.set_password(user.id, &password, caller.audit(), app.clock.now_ms()).await?;
    if is_own {
        return Ok((StatusCode::NO_CONTENT, set_cookie(forget(&app)?)).into_response());
    }
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// The present password, guessed as rarely as at the door.
async fn check_old(app: &App, visitor: &Visitor, user: &store::User, old: Option<SecretText>) -> Result<(), Problem> {
    let old = old.ok_or_else(|| Problem::field("oldPassword", "your own password needs the present one"))?;
    visitor.attempt(app, &user.name)?;
    let stored = app.store.user_with_password(&user.name).await?.and_then(|(_, stored)| stored);
    match app.passwords.verify(old.into_inner(), stored.map(|hash| hash.0)).await {
        Ok(Verdict::Right | Verdict::RightButOutdated) => {
            visitor.succeeded(app, &user.name);
            Ok(())
        }
        Ok(Verdict::Wrong) | Err(PasswordError::TooLong) => {
            Err(Problem::field("oldPassword", "this is not your present password; an administrator can set a new one"))
        }
        Err(error) => Err(password_problem("oldPassword", &error)),
    }
}

async fn hash(app: &App, password: SecretText) -> Result<PasswordHash, Problem> {
    let hashed = app.passwords.hash(password.into_inner()).await;
    hashed.map(PasswordHash).map_err(|error| password_problem("password", &error))
}

async fn find(app: &App, id: i64) -> Result<store::User, Problem> {
    app.store.user(UserId(id)).await?.ok_or_else(|| Problem::not_found("user"))
}

impl User {
    /// All of it.
    pub(super) fn in_full(user: store::User) -> Self {
        let more = UserDetails {
            email: user.email.clone(),
            role: user.role.into(),
            state: user.state().into(),
            has_password: user.has_password,
            single_sign_on: user.identity.is_some(),
            created_at: user.created_ms,
            version: user.version,
        };
        Self { more: Some(more), ..Self::by_name(user) }
    }

    /// What goes beside a choice.
    fn by_name(user: store::User) -> Self {
        Self { id: user.id.to_string(), name: user.name, display_name: user.display_name, more: None }
    }

    /// What the caller may see of it.
    fn shown(caller: &Caller, user: store::User) -> Self {
        if caller.user_id() == user.id || caller.may(Action::ManageUsers).is_ok() {
            return Self::in_full(user);
        }
        Self::by_name(user)
    }
}

impl From<store::Role> for RoleName {
    fn from(role: store::Role) -> Self {
        match role {
            store::Role::Viewer => Self::Viewer,
            store::Role::Member => Self::Member,
            store::Role::Administrator => Self::Administrator,
        }
    }
}

impl From<RoleName> for store::Role {
    fn from(role: RoleName) -> Self {
        match role {
            RoleName::Viewer => Self::Viewer,
            RoleName::Member => Self::Member,
            RoleName::Administrator => Self::Administrator,
        }
    }
}

impl From<UserState> for StateName {
    fn from(state: UserState) -> Self {
        match state {
            UserState::Active => Self::Active,
            UserState::Disabled => Self::Disabled,
        }
    }
}

impl From<StateName> for UserState {
    fn from(state: StateName) -> Self {
        match state {
            StateName::Active => Self::Active,
            StateName::Disabled => Self::Disabled,
        }
    }
}
