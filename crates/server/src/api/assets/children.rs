//! The browse tree: connections, and what lies in each asset or folder.
#![expect(unused_qualifications, reason = "what utoipa derives for a query of this module qualifies what is in scope")]

use axum::extract::State;
use model::attribute::Attribute;
use model::document::AssetStatus;
use model::{Kind, QualifiedName};
use serde::{Deserialize, Serialize};
use store::{ConnectionId, Enrichment, ManagedConnection, StoredAsset};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::api::named::{AssetRef, Parent, name_of, nothing_there};
use crate::api::{Caller, ReadProblems};
use crate::auth::Action;
use crate::http::{Json, Limit, Page, Problem, Query};
use crate::state::App;

const ROOTS: &str = "roots";

/// In what, and which page.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
struct In {
    /// The qualified name of the asset or folder; without it, the connections.
    #[param(example = "default/glue/1700000000/AwsDataCatalog/sales")]
    qualified_name: Option<String>,
    /// The most items of the page.
    #[serde(default)]
    #[param(inline)]
    limit: Limit,
    /// `nextCursor` of the page before.
    cursor: Option<String>,
}

/// What lies in an asset or folder, one page.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Children {
    /// The assets, by name.
    items: Vec<Child>,
    /// Folders that are no assets; on the first page only.
    folders: Vec<Parent>,
    /// For the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    next_cursor: Option<String>,
}

/// An asset in a list.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Child {
    #[serde(flatten)]
    asset: AssetRef,
    /// What people say that it is, else what its source does.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    description: Option<String>,
    /// Columns of a table, the fields of structs included.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    column_count: Option<usize>,
    /// `verified`, `draft` or `deprecated`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "verified")]
    certificate: Option<&'static str>,
    /// Whom people named to be asked about it.
    owners: Vec<String>,
    /// Of a connection, its number.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    connection_id: Option<String>,
}

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list_children))
}

/// What lies directly in an asset or folder; the connections, where none is named. Columns are listed elsewhere.
#[utoipa::path(get, path = "/api/v1/assets/children", tag = "assets", params(In), responses(
    (status = 200, description = "A page of assets.", body = Children), ReadProblems,
))]
async fn list_children(State(app): State<App>, caller: Caller, Query(which): Query<In>) -> Result<Json<Children>, Problem> {
    caller.may(Action::ReadCatalog)?;
    match &which.qualified_name {
        None => roots(&app, &which).await,
        Some(name) => below(&app, &which, name_of(name)?).await,
    }
    .map(Json)
}

async fn roots(app: &App, which: &In) -> Result<Children, Problem> {
    let after: Option<i64> = which.cursor.as_deref().map(|cursor| app.cursors.decode(ROOTS, cursor)).transpose()?;
    let asked = usize::from(which.limit.get()) + 1;
    let found = app.store.managed_connections(after.map(ConnectionId), asked).await?;
    let page = Page::cut(found, which.limit, |last| app.cursors.encode(ROOTS, &last.connection.id.0))?;
    Ok(Children { items: page.items.iter().map(root).collect(), folders: Vec::new(), next_cursor: page.next_cursor })
}

fn root(managed: &ManagedConnection) -> Child {
    let connection = &managed.connection;
    let status = if managed.archived_ms.is_some() { AssetStatus::Archived } else { AssetStatus::Active };
    Child {
        asset: AssetRef::new(Kind::Connection, &connection.qualified_name, &connection.name, Some(status)),
        description: managed.description.clone(),
        column_count: None,
        certificate: None,
        owners: Vec::new(),
        connection_id: Some(connection.id.0.to_string()),
    }
}

async fn below(app: &App, which: &In, name: QualifiedName) -> Result<Children, Problem> {
    let list = format!("children {name}");
    let after: Option<String> = which.cursor.as_deref().map(|cursor| app.cursors.decode(&list, cursor)).transpose()?;
    let after = after.map(QualifiedName::from_encoded);
    let found = app.store.children(&name, which.limit.get().into(), after.as_ref()).await?;
    if found.assets.is_empty() && found.folders.is_empty() && !exists(app, &name).await? {
        return Err(nothing_there());
    }
    let known: Vec<_> = found.assets.iter().filter_map(|stored| stored.known).collect();
    let said = app.store.enrichment_of(&known).await?;
    let child = |stored: &StoredAsset| child(stored, stored.known.and_then(|known| said.get(&known.id)));
    let folder = |folder: &String| Parent { qualified_name: format!("{name}/{folder}"), name: model::name::decode_part(folder) };
    Ok(Children {
        items: found.assets.iter().map(child).collect(),
        folders: found.folders.iter().map(folder).collect(),
        next_cursor: found.next.map(|next| app.cursors.encode(&list, &next.as_str())).transpose()?,
    })
}

/// Whether there is such an asset, or such a connection that was not crawled yet.
async fn exists(app: &App, name: &QualifiedName) -> Result<bool, Problem> {
    let connections = app.store.connections().await?;
    Ok(connections.iter().any(|connection| connection.qualified_name == *name) || app.store.asset(name).await?.is_some())
}

fn child(stored: &StoredAsset, said: Option<&Enrichment>) -> Child {
    let asset = &stored.asset;
    let described = asset.attributes.text(Attribute::Description).map(str::to_owned);
    let text = said.map(|said| &said.text);
    Child {
        asset: AssetRef::new(asset.kind, &asset.qualified_name, &asset.name, Some(stored.status)),
        description: text.and_then(|text| text.description.clone()).or(described),
        column_count: (!asset.columns.is_empty()).then(|| asset.columns.len()),
        certificate: text.and_then(|text| text.certificate).map(store::Certificate::as_str),
        owners: text.map(|text| text.owners.clone()).unwrap_or_default(),
        connection_id: None,
    }
}
