//! One asset or column with everything that is shown beside it.

use axum::extract::State;
use model::document::write_asset;
use model::name::{connection_of, decode_part};
use model::{Kind, QualifiedName};
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use store::{StoredAsset, Subject};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Which;
use super::columns::documents;
use super::enrichment::Said;
use crate::api::named::{AssetRef, Parent, find, href};
use crate::api::{Caller, ReadProblems};
use crate::auth::Action;
use crate::http::{Json, Problem, Query};
use crate::state::App;

/// Columns that come with their table.
const COLUMNS_MAX: usize = 500;

/// An asset or column.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Asset {
    /// `typeName`, `guid`, `status` and `attributes`, as exports write them.
    #[serde(flatten)]
    #[schema(value_type = Document)]
    document: Map<String, Value>,
    /// Its first 500 columns, in order, each before its fields; as exports write them.
    #[schema(value_type = Vec<Document>)]
    columns: Vec<Box<RawValue>>,
    /// Whether there are more: see `links.columns`.
    columns_truncated: bool,
    /// What has the same data: of an asset of SageMaker Unified Studio its Glue table, and the other way round.
    twins: Vec<AssetRef>,
    /// Whether there are more twins than are listed.
    twins_truncated: bool,
    /// What people said of it and of its columns.
    enrichment: Vec<Said>,
    /// What it lies in, from the connection down.
    parents: Vec<Parent>,
    /// When and by which runs it was found.
    seen: Seen,
    links: Links,
}

/// An asset as exports write it.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Document {
    /// What it is.
    #[schema(example = "Table")]
    type_name: String,
    /// Its id: the same on every machine.
    #[schema(example = "0b3e1f6a-5f0c-5d0e-9a43-0a3c9f0f7b11")]
    guid: String,
    /// `ACTIVE`, or `DELETED` when it is gone from its source.
    #[schema(example = "ACTIVE")]
    status: String,
    /// `qualifiedName`, `name`, and what else its source says.
    attributes: Map<String, Value>,
}

/// When an asset was found, and by which runs.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Seen {
    /// The number of the run that found it first.
    #[schema(example = "1")]
    first_run_id: String,
    /// When that run started, milliseconds since 1970 UTC.
    #[schema(example = 1_700_000_000_000_i64)]
    first_seen_at: i64,
    /// The number of the run that changed it last.
    #[schema(example = "7")]
    changed_run_id: String,
    /// When that run started, milliseconds since 1970 UTC.
    #[schema(example = 1_700_000_100_000_i64)]
    changed_at: i64,
    /// The number of the run that archived it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    archived_run_id: Option<String>,
}

/// Where more of it is.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Links {
    /// This.
    this: String,
    /// Its columns, page by page.
    columns: String,
    /// What lies in it.
    children: String,
    /// How it changed.
    history: String,
    /// What it is made from and what is made from it.
    lineage: String,
    /// What people say of it.
    enrichment: String,
}

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(get_asset))
}

/// One asset or column.
#[utoipa::path(get, path = "/api/v1/assets", tag = "assets", params(Which), responses(
    (status = 200, description = "The asset.", body = Asset), ReadProblems,
))]
async fn get_asset(State(app): State<App>, caller: Caller, Query(which): Query<Which>) -> Result<Json<Asset>, Problem> {
    caller.may(Action::ReadCatalog)?;
    let subject = find(&app, &which.qualified_name).await?;
    let (stored, name) = (subject.stored(), subject.qualified_name());
    let mut said = match stored.known {
        Some(known) => app.store.enrichment(known).await?,
        None => Vec::new(),
    };
    if let Some(column) = subject.column() {
        said.retain(|said| said.path == column.path);
    }
    let twins = if subject.column().is_none() { app.store.twins(stored).await? } else { store::Twins::default() };
    let columns = match subject.column() {
        Some(_) => Vec::new(),
        None => documents(&stored.asset, stored.status, 0, COLUMNS_MAX)?,
    };
    let twin =
        |twin: store::Twin| AssetRef::new(twin.reference.kind, &twin.reference.qualified_name, &twin.name, Some(twin.status));
    Ok(Json(Asset {
        document: document_of(&subject)?,
        columns_truncated: subject.column().is_none() && stored.asset.columns.len() > columns.len(),
        columns,
        twins: twins.assets.into_iter().map(twin).collect(),
        twins_truncated: twins.truncated,
        enrichment: said.into_iter().map(Said::from).collect(),
        parents: parents_of(&app, &name).await?,
        seen: Seen::of(stored),
        links: Links::of(name.as_str()),
    }))
}

/// The document of an asset, or of a column.
fn document_of(subject: &Subject) -> Result<Map<String, Value>, Problem> {
    let stored = subject.stored();
    let parsed = |json: &[u8]| serde_json::from_slice(json).map_err(|error| Problem::internal(&error));
    match subject {
        Subject::Asset(_) => {
            let mut json = Vec::new();
            write_asset(&stored.asset, stored.status, &mut json);
            parsed(&json)
        }
        Subject::Column { index, .. } => {
            let line = documents(&stored.asset, stored.status, *index, 1)?;
            parsed(line.first().map(|line| line.get()).unwrap_or_default().as_bytes())
        }
    }
}

/// What something lies in, from its connection down, by the names that the catalog has for it.
async fn parents_of(app: &App, name: &QualifiedName) -> Result<Vec<Parent>, Problem> {
    let Some(root) = connection_of(name.as_str()).filter(|root| root.len() < name.as_str().len()) else {
        return Ok(Vec::new());
    };
    let below = name.as_str()[root.len() + 1..].match_indices('/').map(|(at, _)| &name.as_str()[..root.len() + 1 + at]);
    let names: Vec<QualifiedName> = [root].into_iter().chain(below).map(QualifiedName::from_encoded).collect();
    let known = app.store.named(&names).await?;
    let connections = app.store.connections().await?;
    let connection = connections.into_iter().find(|connection| connection.qualified_name.as_str() == root);
    let shown = |name: &QualifiedName| {
        let last = || decode_part(name.as_str().rsplit('/').next().unwrap_or_default());
        let named = known.get(name).filter(|named| named.kind != Kind::Connection).map(|named| named.name.clone());
        let of_root = connection.as_ref().filter(|_| name.as_str() == root).map(|connection| connection.name.clone());
        Parent { qualified_name: name.as_str().to_owned(), name: of_root.or(named).unwrap_or_else(last) }
    };
    Ok(names.iter().map(shown).collect())
}

impl Seen {
    fn of(stored: &StoredAsset) -> Self {
        Self {
            first_run_id: stored.first_run.to_string(),
            first_seen_at: stored.first_seen_ms,
            changed_run_id: stored.changed_run.to_string(),
            changed_at: stored.last_changed_ms,
            archived_run_id: stored.archived_run.map(|run| run.to_string()),
        }
    }
}

impl Links {
    fn of(name: &str) -> Self {
        Self {
            this: href("assets", name),
            columns: href("assets/columns", name),
            children: href("assets/children", name),
            history: href("assets/history", name),
            lineage: href("lineage", name),
            enrichment: href("assets/enrichment", name),
        }
    }
}
