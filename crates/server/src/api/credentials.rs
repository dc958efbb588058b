//! `/credentials`: what connections sign in with. A secret goes in, is sealed, and never comes out.

#[cfg(test)]
mod tests;

use axum::extract::State;
use axum::response::IntoResponse;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use store::{CredentialEdit, CredentialId, NewCredential, RunsOn, SealedSecret, SecretEdit};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::paging::{AnyVersion, Paging, page_of};
use super::secret_text::SecretText;
use super::{Caller, CreateProblems, Created, EditProblems, Posted, ReadProblems};
use crate::auth::{Action, Owner};
use crate::credential::{AuthType, Extra, PublicPart, SecretPart, SecretReference, check};
use crate::http::{ETag, IfMatch, Json, Page, Path, Problem, Query};
use crate::sealing::{SealingContext, SealingError, SecretBytes};
use crate::state::{App, AppState};

const LIST: &str = "credentials";

/// A credential to store.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct CredentialRequest {
    /// What people call it: unique.
    #[serde(default)]
    #[schema(required = true, example = "production, read only")]
    pub(crate) name: String,
    /// How it signs in.
    pub(crate) auth_type: AuthType,
    /// The access key id; for `iam`.
    #[schema(example = "AKIAIOSFODNN7EXAMPLE")]
    pub(crate) username: Option<String>,
    /// The secret access key; for `iam`. Left out on replacing, the stored one stays.
    pub(crate) password: Option<SecretText>,
    /// The rest.
    #[serde(default)]
    pub(crate) extra: Extra,
    /// Where a runtime finds what is not given here: for connections that run on one.
    pub(crate) secrets: Option<SecretReference>,
}

/// A credential, without its secret.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Credential {
    /// Its number.
    #[schema(example = "7")]
    id: String,
    /// What people call it.
    name: String,
    /// How it signs in.
    auth_type: String,
    /// The access key id; only for whoever may edit the credential.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    username: Option<String>,
    /// The rest; only for whoever may edit the credential.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    extra: Option<Extra>,
    /// Where a runtime finds what is not given here; only for whoever may edit the credential.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    secrets: Option<SecretReference>,
    /// Whether a secret is stored.
    has_password: bool,
    /// The user who created it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    created_by: Option<String>,
    /// When, milliseconds since 1970 UTC.
    created_at: i64,
    /// When it was last changed, milliseconds since 1970 UTC.
    updated_at: i64,
    /// Grows with every change; the `ETag`.
    version: i64,
}

/// `/credentials`.
pub(crate) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list_credentials, create_credential)).routes(routes!(
        get_credential,
        replace_credential,
        delete_credential
    ))
}

/// Credentials, the oldest first, without their secrets.
#[utoipa::path(get, path = "/api/v1/credentials", tag = "credentials", params(Paging), responses(
    (status = 200, description = "A page of credentials.", body = Page<Credential>), ReadProblems,
))]
async fn list_credentials(
    State(app): State<App>,
    caller: Caller,
    Query(paging): Query<Paging>,
) -> Result<Json<Page<Credential>>, Problem> {
    caller.may(Action::ListCredentials)?;
    let found = app.store.credentials(paging.request(&app, LIST)?).await?;
    page_of(&app, LIST, found, |credential| shown(&caller, credential)).map(Json)
}

/// Stores a credential; its secret is sealed.
#[utoipa::path(post, path = "/api/v1/credentials", tag = "credentials", request_body = CredentialRequest,
    params(("idempotency-key" = Option<String>, Header, description = "Makes a repetition harmless.")), responses(
    (status = 201, description = "It is stored.", body = Credential), CreateProblems,
))]
async fn create_credential(State(app): State<App>, caller: Caller, posted: Posted<CredentialRequest>) -> Result<Created, Problem> {
    let work = async |request: CredentialRequest| {
        let stored = seal_and_store(&app, &caller, &request).await?;
        let location = format!("/api/v1/credentials/{}", stored.id);
        Created::new(location, Some(stored.version), &shown(&caller, stored))
    };
    posted.once(&app, &caller, work).await
}

/// One credential, without its secret.
#[utoipa::path(get, path = "/api/v1/credentials/{id}", tag = "credentials", params(("id" = i64, Path, description = "Its number.")), responses(
    (status = 200, description = "The credential.", body = Credential, headers(("etag" = String, description = "Its version."))), ReadProblems,
))]
async fn get_credential(State(app): State<App>, caller: Caller, Path(id): Path<i64>) -> Result<impl IntoResponse, Problem> {
    caller.may(Action::ListCredentials)?;
    let found = find(&app, id).await?;
    Ok((ETag(found.version), Json(shown(&caller, found))))
}

/// Replaces a credential. Without `password` the stored secret stays, as long as the access key id does.
#[utoipa::path(put, path = "/api/v1/credentials/{id}", tag = "credentials", request_body = CredentialRequest,
    params(("id" = i64, Path, description = "Its number."), ("if-match" = String, Header, description = "The `ETag` of what was read.")), responses(
    (status = 200, description = "It is replaced.", body = Credential, headers(("etag" = String, description = "Its version."))), EditProblems,
))]
async fn replace_credential(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<i64>,
    if_match: IfMatch,
    Json(request): Json<CredentialRequest>,
) -> Result<impl IntoResponse, Problem> {
    let before = find(&app, id).await?;
    caller.may(Action::EditCredential(owner(&caller, &before)))?;
    if_match.require(before.version)?;
    let public = PublicPart::new(request.username, request.extra).with_secrets(request.secrets);
    let password = request.password.filter(|password| !password.expose().is_empty());
    let secret = match &password {
        Some(password) => SecretPart::Given(password.expose()),
        None if keeps_secret(&before, request.auth_type, &public) => SecretPart::Kept,
        None => SecretPart::Absent,
    };
    refuse_wrong(&app, &request.name, request.auth_type, &public, secret)?;
    let secret = match secret {
        SecretPart::Given(text) => SecretEdit::Replace(
            seal(&app, before.id, before.secret_version.saturating_add(1), text).map_err(|error| Problem::internal(&error))?,
        ),
        SecretPart::Kept => SecretEdit::Keep,
        SecretPart::Absent if before.key_id.is_none() => SecretEdit::Keep,
        SecretPart::Absent => SecretEdit::Remove,
    };
    let auth_type = request.auth_type.as_str().to_owned();
    let edit = CredentialEdit { name: request.name, auth_type, public_part: json(&public)?, secret };
    let after = app.store.update_credential(before.id, before.version, &edit, caller.audit(), app.clock.now_ms()).await?;
    Ok((ETag(after.version), Json(shown(&caller, after))))
}

/// Deletes a credential that no connection uses.
#[utoipa::path(delete, path = "/api/v1/credentials/{id}", tag = "credentials",
    params(("id" = i64, Path, description = "Its number."), ("if-match" = Option<String>, Header, description = "Only this version.")), responses(
    (status = 204, description = "It is gone."), EditProblems,
))]
async fn delete_credential(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<i64>,
    AnyVersion(version): AnyVersion,
) -> Result<StatusCode, Problem> {
    let credential = find(&app, id).await?;
    caller.may(Action::EditCredential(owner(&caller, &credential)))?;
    app.store.delete_credential(credential.id, version, caller.audit(), app.clock.now_ms()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Checks a credential, seals its secret and stores both: also for a credential that comes within a connection.
///
/// # Errors
/// 403 when the caller may not; 422 with the fields; 409 when the name is taken.
pub(crate) async fn seal_and_store(app: &App, caller: &Caller, new: &CredentialRequest) -> Result<store::Credential, Problem> {
    caller.may(Action::CreateCredential)?;
    let public = PublicPart::new(new.username.clone(), new.extra.clone()).with_secrets(new.secrets.clone());
    let password = new.password.as_ref().map(SecretText::expose).filter(|password| !password.is_empty());
    refuse_wrong(app, &new.name, new.auth_type, &public, password.map_or(SecretPart::Absent, SecretPart::Given))?;
    let auth_type = new.auth_type.as_str().to_owned();
    let stored = NewCredential { name: new.name.clone(), auth_type, public_part: json(&public)? };
    let seal = |id, version| password.map(|password| seal(app, id, version, password)).transpose();
    Ok(app.store.create_credential(&stored, seal, caller.audit(), app.clock.now_ms()).await?)
}

fn refuse_wrong(app: &App, name: &str, way: AuthType, public: &PublicPart, secret: SecretPart<'_>) -> Result<(), Problem> {
    let mut wrong = check(way, public, secret, &app.config.crawl.allowed_endpoint_urls).into_iter();
    if name.trim().is_empty() {
        return Err(Problem::field("name", "expected a name that people know it by"));
    }
    let Some(first) = wrong.next() else { return Ok(()) };
    Err(wrong.fold(Problem::field(first.field, first.message), |problem, next| problem.with_field(next.field, next.message)))
}

fn seal(app: &AppState, id: CredentialId, version: i64, secret: &str) -> Result<SealedSecret, SealingError> {
    let version = u32::try_from(version).map_err(|_too_many| SealingError::Format { reason: "it was replaced too often" })?;
    let context = SealingContext { credential_id: &id.to_string(), version };
    let sealed = app.keys.seal(&SecretBytes::new(secret.as_bytes().to_vec()), context, &*app.random)?;
    Ok(SealedSecret { bytes: sealed.to_bytes(), key_id: sealed.key_id.to_string() })
}

/// A secret access key belongs to one access key id.
fn keeps_secret(before: &store::Credential, way: AuthType, public: &PublicPart) -> bool {
    way == AuthType::Iam
        && before.key_id.is_some()
        && public.secrets.is_none()
        && AuthType::parse(&before.auth_type) == Some(AuthType::Iam)
        && public_part(before).username == public.username
}

async fn find(app: &App, id: i64) -> Result<store::Credential, Problem> {
    app.store.credential(CredentialId(id)).await?.ok_or_else(|| Problem::not_found("credential"))
}

/// Refuses a stored credential that is somebody else's: whoever signs in with it reads what it may read.
pub(crate) async fn require_own(app: &App, caller: &Caller, id: CredentialId) -> Result<(), Problem> {
    let found = app.store.credential(id).await?;
    let found = found.ok_or_else(|| Problem::field("credentialId", "there is no such credential"))?;
    caller.may(Action::EditCredential(owner(caller, &found)))
}

fn owner(caller: &Caller, credential: &store::Credential) -> Owner {
    if credential.created_by == Some(caller.user_id()) { Owner::Oneself } else { Owner::SomebodyElse }
}

fn shown(caller: &Caller, credential: store::Credential) -> Credential {
    let may_edit = caller.may(Action::EditCredential(owner(caller, &credential))).is_ok();
    let PublicPart { username, extra, secrets } = public_part(&credential);
    Credential {
        id: credential.id.to_string(),
        name: credential.name,
        auth_type: credential.auth_type,
        username: username.filter(|_| may_edit),
        extra: may_edit.then_some(extra),
        secrets: secrets.filter(|_| may_edit),
        has_password: credential.key_id.is_some(),
        created_by: credential.created_by.map(|user| user.to_string()),
        created_at: credential.created_ms,
        updated_at: credential.updated_ms,
        version: credential.version,
    }
}

/// What a newer version has written, and this one cannot read, is not shown.
fn public_part(credential: &store::Credential) -> PublicPart {
    serde_json::from_str(&credential.public_part).unwrap_or_default()
}

fn json(public: &PublicPart) -> Result<String, Problem> {
    serde_json::to_string(public).map_err(|error| Problem::internal(&error))
}

/// Refuses a credential that does not go with where a connection runs: a secret that is stored here never goes to a runtime, and names
/// in the store of a runtime say nothing here.
pub(crate) async fn require_suitable(app: &App, runs_on: &RunsOn, id: CredentialId) -> Result<(), Problem> {
    let found = app.store.credential(id).await?;
    let found = found.ok_or_else(|| Problem::field("credentialId", "there is no such credential"))?;
    match runs_on {
        RunsOn::Direct if public_part(&found).secrets.is_some() => Err(Problem::field(
            "credentialId",
            "this credential names entries in the secret store of a runtime: choose another one, or give the runtime in `runsOn`",
        )),
        RunsOn::Runtime(_) if found.key_id.is_some() => Err(Problem::field(
            "credentialId",
            "the secret of this credential is stored here and never goes to a runtime: make a credential with `secrets`, which names \
             where the runtime finds it",
        )),
        RunsOn::Runtime(_) if public_part(&found).extra.endpoint_url.is_some() => Err(Problem::field(
            "credentialId",
            "this credential has an endpoint of its own: where a runtime finds AWS is set in the runtime's environment",
        )),
        RunsOn::Direct | RunsOn::Runtime(_) => Ok(()),
    }
}
