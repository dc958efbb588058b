//! `/connections`: what is crawled, as whom, from where, and who looks after it.
#![expect(unused_qualifications, reason = "what utoipa derives for queries qualifies what is in scope")]

mod checks;
mod fields;
#[cfg(test)]
mod tests;
mod view;

use axum::extract::State;
use axum::response::IntoResponse;
use crawl::Connector;
use http::StatusCode;
use serde::Deserialize;
use store::{ConnectionId, ConnectionProfile, CredentialId, ManagedConnection, StoreError, UserId};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) use self::fields::number;
use self::fields::{checked_description, checked_name, checked_region, completed, people, runs_on, within_credential};
use self::view::Connection;
use super::credentials::{CredentialRequest, require_own, require_suitable, seal_and_store};
use super::paging::{AnyVersion, Paging, present};
use super::{Caller, CreateProblems, Created, EditProblems, Posted, ReadProblems};
use crate::auth::Action;
use crate::credential::PublicPart;
use crate::http::{Code, ETag, IfMatch, Json, Page, Path, Problem, Query};
use crate::state::App;
use crate::work::removal;

const LIST: &str = "connections";

/// A connection to make.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct NewConnection {
    /// What people call it: unique among those of its connector.
    #[schema(example = "production lake", max_length = 200)]
    name: String,
    /// What is crawled: `glue` or `aws-smus`.
    #[schema(example = "glue")]
    connector: String,
    /// The AWS region; without it, that of the credential.
    #[schema(example = "eu-west-1")]
    region: Option<String>,
    /// The stored credential to sign in with: one's own, unless an administrator chooses it. Without either, whatever the service itself runs as.
    credential_id: Option<String>,
    /// A credential to store and sign in with; its secret is sealed, and only its number is kept.
    credential: Option<CredentialRequest>,
    /// `direct`, or the name of a runtime.
    #[schema(example = "direct")]
    runs_on: Option<String>,
    /// Numbers of the users who look after it; whoever makes it is one of them in any case.
    #[serde(default)]
    administrators: Vec<String>,
    /// What it is.
    #[schema(max_length = 4000)]
    description: Option<String>,
}

/// What is to be different; what is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ConnectionEdit {
    name: Option<String>,
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    region: Option<Option<String>>,
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    credential_id: Option<Option<String>>,
    runs_on: Option<String>,
    administrators: Option<Vec<String>>,
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>)]
    description: Option<Option<String>>,
}

/// What becomes of the assets of a connection that is deleted.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum Assets {
    /// They are archived: hidden, kept, and back with the next crawl. The connection stays, archived.
    Archive,
    /// They go for good, with their history and what people said of them, and so does the connection.
    Purge,
}

/// How a connection is deleted.
#[derive(Clone, Copy, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Deletion {
    /// What becomes of its assets.
    #[param(inline)]
    assets: Assets,
}

/// `/connections`.
pub(crate) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_connections, create_connection))
        .routes(routes!(get_connection, edit_connection, delete_connection))
        .merge(checks::router())
}

/// Connections, the oldest first.
#[utoipa::path(get, path = "/api/v1/connections", tag = "connections", params(Paging), responses(
    (status = 200, description = "A page of connections.", body = Page<Connection>), ReadProblems,
))]
async fn list_connections(
    State(app): State<App>,
    caller: Caller,
    Query(paging): Query<Paging>,
) -> Result<Json<Page<Connection>>, Problem> {
    caller.may(Action::ReadCatalog)?;
    let after = paging.request(&app, LIST)?.after.map(ConnectionId);
    let found = app.store.managed_connections(after, usize::from(paging.limit.get()) + 1).await?;
    let page = Page::cut(found, paging.limit, |last| app.cursors.encode(LIST, &last.connection.id.0))?;
    Ok(Json(Page { items: page.items.into_iter().map(Connection::of).collect(), next_cursor: page.next_cursor }))
}

/// Makes a connection. A credential in the request is sealed and stripped.
#[utoipa::path(post, path = "/api/v1/connections", tag = "connections", request_body = NewConnection,
    params(("idempotency-key" = Option<String>, Header, description = "Makes a repetition harmless.")), responses(
    (status = 201, description = "It is made.", body = Connection), CreateProblems,
))]
async fn create_connection(State(app): State<App>, caller: Caller, posted: Posted<NewConnection>) -> Result<Created, Problem> {
    caller.may(Action::CreateConnection)?;
    let work = async |new: NewConnection| {
        let made = create(&app, &caller, new).await?;
        Created::new(format!("/api/v1/connections/{}", made.connection.id.0), Some(made.version), &Connection::of(made))
    };
    posted.once(&app, &caller, work).await
}

async fn create(app: &App, caller: &Caller, new: NewConnection) -> Result<ManagedConnection, Problem> {
    let connector = Connector::parse(&new.connector).ok_or_else(|| Problem::field("connector", "expected `glue` or `aws-smus`"))?;
    let administrators = people(app, &new.administrators, Some(caller.user_id())).await?;
    let profile = ConnectionProfile {
        name: checked_name(&new.name)?,
        region: checked_region(new.region)?,
        description: checked_description(new.description)?,
        runs_on: runs_on(new.runs_on.as_deref())?,
        credential: number(new.credential_id.as_deref(), "credentialId")?.map(CredentialId),
        settings: "{}".to_owned(),
    };
    if new.credential.is_some() && profile.credential.is_some() {
        return Err(Problem::field("credential", "give a credential or `credentialId`, not both"));
    }
    if let Some(credential) = profile.credential {
        require_own(app, caller, credential).await?;
    }
    let sealed = match new.credential {
        Some(credential) => {
            let credential = completed(credential, &profile.name, profile.region.as_deref());
            Some(seal_and_store(app, caller, &credential).await.map_err(within_credential)?.id)
        }
        None => None,
    };
    let profile = ConnectionProfile { credential: sealed.or(profile.credential), ..profile };
    let stored = store_new(app, caller, connector, profile, &administrators).await;
    if let (Err(_), Some(credential)) = (&stored, sealed) {
        // Nobody would look for a secret that came with a connection that there is not.
        app.store.delete_credential(credential, None, caller.audit(), app.clock.now_ms()).await?;
    }
    stored
}

async fn store_new(
    app: &App,
    caller: &Caller,
    connector: Connector,
    mut profile: ConnectionProfile,
    administrators: &[UserId],
) -> Result<ManagedConnection, Problem> {
    if let Some(credential) = profile.credential {
        require_suitable(app, &profile.runs_on, credential).await?;
    }
    profile.region = Some(region(app, &profile).await?);
    let id = app.store.create_connection(connector.name(), &profile, administrators, caller.audit(), app.clock.now_ms()).await?;
    Ok(app.store.managed_connection(id).await?)
}

/// The region of a connection, or of its credential.
async fn region(app: &App, profile: &ConnectionProfile) -> Result<String, Problem> {
    if let Some(region) = &profile.region {
        return Ok(region.clone());
    }
    let credential = match profile.credential {
        Some(id) => app.store.credential(id).await?.ok_or_else(|| Problem::field("credentialId", "there is no such credential"))?,
        None => return Err(Problem::field("region", "expected the AWS region that is crawled, such as eu-west-1")),
    };
    let public: PublicPart = serde_json::from_str(&credential.public_part).unwrap_or_default();
    public.extra.region.ok_or_else(|| Problem::field("region", "expected the AWS region that is crawled: the credential has none"))
}

/// One connection.
#[utoipa::path(get, path = "/api/v1/connections/{id}", tag = "connections", params(("id" = i64, Path, description = "Its number.")), responses(
    (status = 200, description = "The connection.", body = Connection, headers(("etag" = String, description = "Its version."))), ReadProblems,
))]
async fn get_connection(State(app): State<App>, caller: Caller, Path(id): Path<i64>) -> Result<impl IntoResponse, Problem> {
    caller.may(Action::ReadCatalog)?;
    let found = app.store.managed_connection(ConnectionId(id)).await?;
    Ok((ETag(found.version), Json(Connection::of(found))))
}

/// Changes a connection.
#[utoipa::path(patch, path = "/api/v1/connections/{id}", tag = "connections", request_body = ConnectionEdit,
    params(("id" = i64, Path, description = "Its number."), ("if-match" = String, Header, description = "The `ETag` of what was read.")), responses(
    (status = 200, description = "It is changed.", body = Connection, headers(("etag" = String, description = "Its version."))), EditProblems,
))]
async fn edit_connection(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<i64>,
    if_match: IfMatch,
    Json(edit): Json<ConnectionEdit>,
) -> Result<impl IntoResponse, Problem> {
    let before = app.store.managed_connection(ConnectionId(id)).await?;
    caller.may(Action::EditConnection(caller.standing(&before)))?;
    if_match.require(before.version)?;
    let administrators = match &edit.administrators {
        Some(numbers) => Some(people(&app, numbers, None).await?),
        None => None,
    };
    if administrators.as_ref().is_some_and(Vec::is_empty) {
        return Err(Problem::field("administrators", "a connection has at least one"));
    }
    let profile = edited(&before, edit)?;
    if let Some(credential) = profile.credential.filter(|credential| before.credential != Some(*credential)) {
        require_own(&app, &caller, credential).await?;
    }
    if let Some(credential) = profile.credential {
        require_suitable(&app, &profile.runs_on, credential).await?;
    }
    let (id, now_ms) = (before.connection.id, app.clock.now_ms());
    let people = administrators.unwrap_or_else(|| before.administrators.clone());
    let store = &app.store;
    let version = store.update_connection_and_administrators(id, before.version, &profile, &people, caller.audit(), now_ms).await?;
    let after = app.store.managed_connection(id).await?;
    Ok((ETag(version), Json(Connection::of(after))))
}

/// Deletes a connection: assets first, in the background, then the connection itself. The `state` of the answer says how far it is; what
/// is interrupted goes on by itself. Refused while a run of it is queued or running.
#[utoipa::path(delete, path = "/api/v1/connections/{id}", tag = "connections",
    params(("id" = i64, Path, description = "Its number."), Deletion, ("if-match" = Option<String>, Header, description = "The `ETag` of what was read.")), responses(
    (status = 202, description = "It has begun, and goes on by itself.", body = Connection), EditProblems,
))]
async fn delete_connection(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<i64>,
    Query(deletion): Query<Deletion>,
    AnyVersion(version): AnyVersion,
) -> Result<impl IntoResponse, Problem> {
    let before = app.store.managed_connection(ConnectionId(id)).await?;
    caller.may(Action::DeleteConnection(caller.standing(&before)))?;
    if version.is_some_and(|version| version != before.version) {
        return Err(Problem::new(Code::PreconditionFailed, "the connection was changed meanwhile: read it again"));
    }
    let removal = match deletion.assets {
        Assets::Archive => store::ConnectionRemoval::Archive,
        Assets::Purge => store::ConnectionRemoval::Purge,
    };
    removal::begin(&app, before.connection.id, removal, caller.audit()).await?;
    let shown = match app.store.managed_connection(before.connection.id).await {
        Ok(after) => Connection::of(after),
        Err(StoreError::NotFound { .. }) => Connection::of(before).purged(),
        Err(error) => return Err(error.into()),
    };
    Ok((StatusCode::ACCEPTED, Json(shown)))
}

fn edited(before: &ManagedConnection, edit: ConnectionEdit) -> Result<ConnectionProfile, Problem> {
    let credential = match edit.credential_id {
        None => before.credential,
        Some(id) => number(id.as_deref(), "credentialId")?.map(CredentialId),
    };
    Ok(ConnectionProfile {
        name: edit.name.as_deref().map_or_else(|| Ok(before.connection.name.clone()), checked_name)?,
        region: checked_region(edit.region.unwrap_or_else(|| before.connection.region.clone()))?,
        description: checked_description(edit.description.unwrap_or_else(|| before.description.clone()))?,
        runs_on: edit.runs_on.as_deref().map_or_else(|| Ok(before.runs_on.clone()), |name| runs_on(Some(name)))?,
        credential,
        settings: before.settings.clone(),
    })
}
