//! `/connections`: what is crawled, as whom, from where, and who looks after it.

mod checks;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use crawl::Connector;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use store::{ConnectionId, ConnectionProfile, CredentialId, ManagedConnection, RunsOn, UserId};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::credentials::{CredentialRequest, seal_and_store};
use super::paging::{AnyVersion, Paging, present};
use super::{Caller, CreateProblems, Created, EditProblems, Posted, ReadProblems};
use crate::auth::Action;
use crate::http::{Code, ETag, IfMatch, Json, Page, Path, Problem, Query};
use crate::state::App;
use crate::work::removal;

const LIST: &str = "connections";
/// Administrators of one connection.
const ADMINISTRATORS_MAX: usize = 100;
/// Characters of a name and of a description.
const NAME_MAX: usize = 200;
const DESCRIPTION_MAX: usize = 4000;

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
    /// The stored credential to sign in with. Without either, whatever the service itself runs as.
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

/// A connection.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Connection {
    #[schema(example = "3")]
    id: String,
    name: String,
    /// `glue` or `aws-smus`.
    connector: String,
    /// What the qualified names of its assets begin with.
    #[schema(example = "default/glue/1700000000")]
    qualified_name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    region: Option<String>,
    /// The AWS account that it was found to lead to.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    account: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    credential_id: Option<String>,
    /// `direct`, or the name of a runtime.
    runs_on: String,
    administrators: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    description: Option<String>,
    /// Milliseconds since 1970 UTC.
    created_at: i64,
    /// Since when its assets are archived, milliseconds since 1970 UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    archived_at: Option<i64>,
    /// Grows with every change; the `ETag`.
    version: i64,
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
    Ok(Json(Page { items: page.items.into_iter().map(shown).collect(), next_cursor: page.next_cursor }))
}

/// Makes a connection. A credential in the request is sealed and stripped.
#[utoipa::path(post, path = "/api/v1/connections", tag = "connections", request_body = NewConnection,
    params(("idempotency-key" = Option<String>, Header, description = "Makes a repetition harmless.")), responses(
    (status = 201, description = "It is made.", body = Connection), CreateProblems,
))]
async fn create_connection(State(app): State<App>, caller: Caller, posted: Posted<NewConnection>) -> Result<Created, Problem> {
    caller.may(Action::CreateConnection)?;
    let work = async |new: NewConnection| {
        let connector =
            Connector::parse(&new.connector).ok_or_else(|| Problem::field("connector", "expected `glue` or `aws-smus`"))?;
        let administrators = people(&new.administrators, Some(caller.user_id()))?;
        let mut profile = ConnectionProfile {
            name: checked_name(&new.name)?,
            region: checked_region(new.region)?,
            description: checked_description(new.description)?,
            runs_on: runs_on(new.runs_on.as_deref())?,
            credential: number(new.credential_id.as_deref(), "credentialId")?.map(CredentialId),
            settings: "{}".to_owned(),
        };
        if let Some(credential) = &new.credential {
            if profile.credential.is_some() {
                return Err(Problem::field("credential", "give a credential or `credentialId`, not both"));
            }
            profile.credential = Some(seal_and_store(&app, &caller, credential).await?.id);
        }
        let now_ms = app.clock.now_ms();
        let id = app.store.create_connection(connector.name(), &profile, &administrators, caller.audit(), now_ms).await?;
        let made = app.store.managed_connection(id).await?;
        Created::new(format!("/api/v1/connections/{}", id.0), Some(made.version), &shown(made))
    };
    posted.once(&app, &caller, work).await
}

/// One connection.
#[utoipa::path(get, path = "/api/v1/connections/{id}", tag = "connections", params(("id" = i64, Path, description = "Its number.")), responses(
    (status = 200, description = "The connection.", body = Connection, headers(("etag" = String, description = "Its version."))), ReadProblems,
))]
async fn get_connection(State(app): State<App>, caller: Caller, Path(id): Path<i64>) -> Result<impl IntoResponse, Problem> {
    caller.may(Action::ReadCatalog)?;
    let found = app.store.managed_connection(ConnectionId(id)).await?;
    Ok((ETag(found.version), Json(shown(found))))
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
    let administrators = edit.administrators.as_deref().map(|names| people(names, None)).transpose()?;
    if administrators.as_ref().is_some_and(Vec::is_empty) {
        return Err(Problem::field("administrators", "a connection has at least one"));
    }
    let profile = edited(&before, edit)?;
    let (id, now_ms) = (before.connection.id, app.clock.now_ms());
    let people = administrators.unwrap_or_else(|| before.administrators.clone());
    let store = &app.store;
    let version = store.update_connection_and_administrators(id, before.version, &profile, &people, caller.audit(), now_ms).await?;
    let after = app.store.managed_connection(id).await?;
    Ok((ETag(version), Json(shown(after))))
}

/// Deletes a connection: assets first, in the background, then the connection itself.
#[utoipa::path(delete, path = "/api/v1/connections/{id}", tag = "connections",
    params(("id" = i64, Path, description = "Its number."), Deletion, ("if-match" = Option<String>, Header, description = "The `ETag` of what was read.")), responses(
    (status = 202, description = "It has begun, and goes on by itself."), EditProblems,
))]
async fn delete_connection(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<i64>,
    Query(deletion): Query<Deletion>,
    AnyVersion(version): AnyVersion,
) -> Result<Response, Problem> {
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
    Ok(StatusCode::ACCEPTED.into_response())
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

fn checked_name(name: &str) -> Result<String, Problem> {
    let name = name.trim();
    if name.is_empty() || name.chars().count() > NAME_MAX || name.chars().any(char::is_control) {
        return Err(Problem::field("name", "expected 1 to 200 characters, no control characters among them"));
    }
    Ok(name.to_owned())
}

fn checked_region(region: Option<String>) -> Result<Option<String>, Problem> {
    match region {
        Some(region) => match aws::Region::parse(&region) {
            Ok(_) => Ok(Some(region)),
            Err(error) => Err(Problem::field("region", error.to_string())),
        },
        None => Ok(None),
    }
}

fn checked_description(description: Option<String>) -> Result<Option<String>, Problem> {
    match description {
        Some(text) if text.chars().count() > DESCRIPTION_MAX || text.contains('\0') => {
            Err(Problem::field("description", "expected at most 4000 characters, without NUL"))
        }
        text => Ok(text),
    }
}

fn runs_on(name: Option<&str>) -> Result<RunsOn, Problem> {
    match name.unwrap_or("direct") {
        "direct" => Ok(RunsOn::Direct),
        name if !name.is_empty() && name.len() <= NAME_MAX && name.bytes().all(|byte| byte.is_ascii_graphic()) => {
            Ok(RunsOn::Runtime(name.to_owned()))
        }
        _ => Err(Problem::field("runsOn", "expected `direct` or the name of a runtime")),
    }
}

/// A number that stands in a request as text, as it does in answers.
pub(super) fn number(text: Option<&str>, field: &'static str) -> Result<Option<i64>, Problem> {
    let Some(text) = text else { return Ok(None) };
    text.parse().map(Some).map_err(|_no_number| Problem::field(field, "expected the `id` of an answer"))
}

fn people(numbers: &[String], besides: Option<UserId>) -> Result<Vec<UserId>, Problem> {
    if numbers.len() > ADMINISTRATORS_MAX {
        return Err(Problem::field("administrators", "expected at most 100 users"));
    }
    let mut people: Vec<UserId> = besides.into_iter().collect();
    for text in numbers {
        people.extend(number(Some(text), "administrators")?.map(UserId));
    }
    people.sort_unstable();
    people.dedup();
    Ok(people)
}

fn shown(found: ManagedConnection) -> Connection {
    let runs_on = match found.runs_on {
        RunsOn::Direct => "direct".to_owned(),
        RunsOn::Runtime(name) => name,
    };
    Connection {
        id: found.connection.id.0.to_string(),
        name: found.connection.name,
        connector: found.connection.connector,
        qualified_name: found.connection.qualified_name.to_string(),
        region: found.connection.region,
        account: found.connection.account,
        credential_id: found.credential.map(|id| id.to_string()),
        runs_on,
        administrators: found.administrators.iter().map(ToString::to_string).collect(),
        description: found.description,
        created_at: found.connection.created_ms,
        archived_at: found.archived_ms,
        version: found.version,
    }
}
