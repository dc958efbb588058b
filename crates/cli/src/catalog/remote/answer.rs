//! Answers of the API, as far as they are shown, and what they stand for.

use std::error::Error;

use model::document::report::Changes;
use model::document::{AssetStatus, ReadError, read_asset, read_columns};
use model::{QualifiedName, RunId};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use store::{
    ChangeKind, ConnectionId, Difference, Graph, GraphEdge, Highlights, HistoryEvent, Matched, Node, StoredAsset, Twin, Twins,
};

use super::super::{Child, Inside, Run as RunLine};
use super::{reference, text};
use crate::failure::Failure;

/// Properties of columns that can change.
const COLUMN_PROPERTIES: [&str; 5] = ["rawDataTypeDefinition", "description", "order", "partitionOrder", "nestedColumnCount"];

/// An answer that is of the right shape and makes no sense.
#[derive(Debug, thiserror::Error)]
#[error("the server's answer makes no sense: {0}")]
pub(super) struct Strange(String);

impl Strange {
    pub(super) fn new(what: impl Into<String>) -> Self {
        Self(what.into())
    }
}

impl From<ReadError> for Strange {
    fn from(error: ReadError) -> Self {
        Self(error.source().map_or_else(|| error.to_string(), ToString::to_string))
    }
}

impl From<Strange> for Failure {
    fn from(strange: Strange) -> Self {
        Self::failed(strange, "Use the program of the server's version; GET /api/v1/system tells it.")
    }
}

/// A page of a list.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct List<T> {
    pub(super) items: Vec<T>,
    pub(super) next_cursor: Option<String>,
}

/// An asset in short.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Named {
    pub(super) type_name: String,
    pub(super) qualified_name: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    status: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Found {
    pub(super) found: Option<Named>,
    pub(super) candidates: Vec<Named>,
}

/// An asset: its document, and what stands beside it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct AssetAnswer {
    #[serde(flatten)]
    document: Value,
    pub(super) columns: Vec<Value>,
    pub(super) columns_truncated: bool,
    twins: Vec<Named>,
    twins_truncated: bool,
    seen: Seen,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Seen {
    first_run_id: String,
    first_seen_at: i64,
    changed_run_id: String,
    changed_at: i64,
    #[serde(default)]
    archived_run_id: Option<String>,
}

impl AssetAnswer {
    pub(super) fn qualified_name(&self) -> Result<QualifiedName, Strange> {
        let name = text(&self.document, "/attributes/qualifiedName").ok_or_else(|| Strange::new("an asset has no name"))?;
        Ok(QualifiedName::from_encoded(name))
    }

    /// Of a column, its table, view or asset.
    pub(super) fn table_of_column(&self) -> Option<QualifiedName> {
        let is_column = matches!(text(&self.document, "/typeName"), Some("Column" | "SageMakerUnifiedStudioAssetSchema"));
        let owners = ["/attributes/tableQualifiedName", "/attributes/viewQualifiedName", "/attributes/smusAssetQualifiedName"];
        let owner = owners.iter().find_map(|path| text(&self.document, path)).filter(|_| is_column);
        owner.map(QualifiedName::from_encoded)
    }

    pub(super) fn stored(self) -> Result<StoredAsset, Strange> {
        let (mut asset, status) = read_asset(self.document)?;
        asset.columns = read_columns(self.columns)?;
        Ok(StoredAsset {
            known: None,
            asset,
            status,
            first_run: run_id(&self.seen.first_run_id)?,
            changed_run: run_id(&self.seen.changed_run_id)?,
            archived_run: self.seen.archived_run_id.as_deref().map(run_id).transpose()?,
            first_seen_ms: self.seen.first_seen_at,
            last_changed_ms: self.seen.changed_at,
            stands_for_location: false,
        })
    }

    pub(super) fn twins(self) -> Result<Twins, Strange> {
        let twin = |twin: Named| {
            let reference = reference(&twin.type_name, twin.qualified_name)?;
            Ok(Twin { reference, name: twin.name, status: AssetStatus::Active })
        };
        let assets = self.twins.into_iter().map(twin).collect::<Result<_, Strange>>()?;
        Ok(Twins { assets, truncated: self.twins_truncated })
    }
}

fn run_id(text: &str) -> Result<RunId, Strange> {
    text.parse().map(RunId).map_err(|_no_number| Strange::new("a run has no number"))
}

fn status(word: &str) -> AssetStatus {
    if word == AssetStatus::Active.as_str() { AssetStatus::Active } else { AssetStatus::Archived }
}

/// A found asset.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Hit {
    type_name: String,
    qualified_name: String,
    name: String,
    #[serde(default)]
    description: Option<String>,
    matched: String,
    #[serde(default)]
    column: Option<String>,
}

impl Hit {
    pub(super) fn found(self) -> Result<store::Hit, Strange> {
        let reference = reference(&self.type_name, self.qualified_name)?;
        let matched = match self.matched.as_str() {
            "name" => Matched::Name,
            "column" => Matched::Column(self.column.unwrap_or_default()),
            "description" => Matched::Description,
            "enrichment" => Matched::Enrichment,
            _ => Matched::Words,
        };
        Ok(store::Hit {
            kind: reference.kind,
            qualified_name: reference.qualified_name,
            name: self.name,
            description: self.description,
            matched,
            highlights: Highlights::default(),
            connection: ConnectionId(0),
            parents: Vec::new(),
            certificate: None,
            owners: Vec::new(),
        })
    }
}

#[derive(Deserialize)]
pub(super) struct Lineage {
    nodes: Vec<Named>,
    edges: Vec<Edge>,
    truncated: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Edge {
    from: String,
    to: String,
    process_type_name: String,
    process_qualified_name: String,
    process_kind: String,
}

impl Lineage {
    pub(super) fn graph(self) -> Result<Graph, Strange> {
        let node = |node: Named| {
            let reference = reference(&node.type_name, node.qualified_name)?;
            Ok(Node { reference, name: node.name, status: node.status.as_deref().map(status) })
        };
        let edge = |edge: Edge| {
            Ok(GraphEdge {
                process: reference(&edge.process_type_name, edge.process_qualified_name)?,
                process_kind: edge.process_kind,
                from: QualifiedName::from_encoded(edge.from),
                to: QualifiedName::from_encoded(edge.to),
            })
        };
        Ok(Graph {
            nodes: self.nodes.into_iter().map(node).collect::<Result<_, Strange>>()?,
            edges: self.edges.into_iter().map(edge).collect::<Result<_, Strange>>()?,
            truncated: self.truncated,
        })
    }
}

/// What happened to an asset in a run.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Event {
    run_id: String,
    at: i64,
    change: String,
    differences: Vec<Differs>,
    pub(super) differences_truncated: bool,
}

/// An asset that changed between two runs.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Changed {
    change: String,
    type_name: String,
    qualified_name: String,
    differences: Vec<Differs>,
    pub(super) differences_truncated: bool,
}

#[derive(Deserialize)]
struct Differs {
    kind: String,
    name: String,
    #[serde(default)]
    property: Option<String>,
    #[serde(default)]
    before: Option<Box<RawValue>>,
    #[serde(default)]
    after: Option<Box<RawValue>>,
}

impl Event {
    pub(super) fn happened(self) -> Result<HistoryEvent, Strange> {
        Ok(HistoryEvent {
            run: run_id(&self.run_id)?,
            at_ms: self.at,
            change: change(&self.change)?,
            differences: self.differences.into_iter().map(Differs::difference).collect::<Result<_, _>>()?,
        })
    }
}

impl Changed {
    pub(super) fn changed(self) -> Result<store::Changed, Strange> {
        let reference = reference(&self.type_name, self.qualified_name)?;
        Ok(store::Changed {
            change: change(&self.change)?,
            kind: reference.kind,
            qualified_name: reference.qualified_name,
            differences: self.differences.into_iter().map(Differs::difference).collect::<Result<_, _>>()?,
        })
    }
}

impl Differs {
    fn difference(self) -> Result<Difference, Strange> {
        let text = |raw: &Option<Box<RawValue>>| -> Result<Option<String>, Strange> {
            let read = raw.as_ref().map(|raw| serde_json::from_str(raw.get())).transpose();
            read.map_err(|_no_text| Strange::new("a property of a column is no text"))
        };
        let raw = |raw: Option<Box<RawValue>>| raw.map(|raw| raw.get().to_owned());
        let (before, after) = (text(&self.before), text(&self.after));
        Ok(match self.kind.as_str() {
            "attribute" => Difference::Attribute { name: self.name, before: raw(self.before), after: raw(self.after) },
            "column-added" => Difference::ColumnAdded { path: self.name, raw_type: after?.unwrap_or_default() },
            "column-removed" => Difference::ColumnRemoved { path: self.name, raw_type: before?.unwrap_or_default() },
            _ => {
                let known = COLUMN_PROPERTIES.into_iter().find(|known| Some(*known) == self.property.as_deref());
                let what = known.ok_or_else(|| Strange::new("a difference is of no known kind"))?;
                Difference::ColumnChanged { path: self.name, what, before: before?, after: after? }
            }
        })
    }
}

fn change(word: &str) -> Result<ChangeKind, Strange> {
    let all = [ChangeKind::Created, ChangeKind::Updated, ChangeKind::Archived, ChangeKind::Restored];
    let known = all.into_iter().find(|change| crate::changes::word(*change) == word);
    known.ok_or_else(|| Strange::new(format!("there is no change {word}")))
}

/// A run.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Run {
    id: String,
    state: String,
    #[serde(default)]
    outcome: Option<String>,
    #[serde(default)]
    queued_at: Option<i64>,
    #[serde(default)]
    started_at: Option<i64>,
    #[serde(default)]
    finished_at: Option<i64>,
    changes: Changes,
}

impl Run {
    pub(super) fn run(self) -> Result<RunLine, Strange> {
        Ok(RunLine {
            id: run_id(&self.id)?,
            // While no attempt has begun, when it was asked for.
            started_ms: self.started_at.or(self.queued_at).unwrap_or_default(),
            finished_ms: self.finished_at,
            state: self.outcome.unwrap_or(self.state),
            changes: self.changes,
        })
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Connection {
    pub(super) name: String,
    pub(super) qualified_name: String,
}

/// What lies in an asset.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Children {
    items: Vec<ChildAnswer>,
    folders: Vec<Folder>,
    next_cursor: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ChildAnswer {
    type_name: String,
    name: String,
    #[serde(default)]
    description: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Folder {
    qualified_name: String,
}

impl Children {
    pub(super) fn inside(self) -> Inside {
        let child = |child: ChildAnswer| Child { type_name: child.type_name, name: child.name, description: child.description };
        let last = |folder: Folder| folder.qualified_name.rsplit('/').next().unwrap_or_default().to_owned();
        Inside {
            assets: self.items.into_iter().map(child).collect(),
            folders: self.folders.into_iter().map(last).collect(),
            truncated: self.next_cursor.is_some(),
        }
    }
}
