//! The graph of a visual job: which node reads, which writes, and what leads from one to the other.
//!
//! A node is one of about eighty kinds (AWS Glue API reference, `CodeGenConfigurationNode`), nearly all of them with code, queries
//! and literals in them. Kept of every kind: its name, its inputs, and where it reads or writes; nothing else has a field.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::privacy::Location;

/// The most nodes that are followed in one job; the API's own limit is far below.
const NODES_MAX: usize = 10_000;

/// The nodes of one job by id.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(transparent)]
pub(crate) struct JobGraph {
    nodes: BTreeMap<String, Node>,
}

/// A job's graph as it came: an unreadable one does not cost the job.
#[derive(Clone, Debug, Default)]
pub(crate) enum JobGraphField {
    /// The job has no graph: it was written, not drawn.
    #[default]
    Absent,
    /// The graph.
    Read(JobGraph),
    /// There is one, but not in the form that the API documents.
    Unreadable,
}

impl<'de> Deserialize<'de> for JobGraphField {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = <Option<&RawValue>>::deserialize(deserializer)?;
        let Some(raw) = raw.map(RawValue::get).filter(|text| *text != "null") else { return Ok(Self::Absent) };
        Ok(match serde_json::from_str::<JobGraph>(raw) {
            Ok(graph) if graph.nodes.is_empty() => Self::Absent,
            Ok(graph) => Self::Read(graph),
            Err(_) => Self::Unreadable,
        })
    }
}

/// One node: its kind and what is kept of its content.
#[derive(Clone, Debug, Default)]
pub(crate) struct Node {
    kind: String,
    content: NodeContent,
}

/// The members that say where a node stands in the flow of data.
#[derive(Clone, Debug, Default)]
struct NodeContent {
    inputs: Vec<String>,
    datasets: Vec<Dataset>,
    mapping: Option<Vec<ColumnMapping>>,
}

/// A node that reads or writes. What leads to a table of the catalog and what leads to a place are members of the same names
/// in all kinds.
#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct EndContent {
    inputs: Option<Vec<String>>,
    database: Option<String>,
    table: Option<String>,
    path: Option<Location>,
    paths: Option<Vec<Location>>,
}

/// A node that reads or writes tables of something that is not the catalog, behind a connection.
#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct ConnectorContent {
    inputs: Option<Vec<String>>,
}

/// A node that changes what flows through it. Members of the same names as an end's mean other things here: `Paths` are columns,
/// `Path` is a script.
#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct TransformContent {
    inputs: Option<Vec<String>>,
    mapping: Option<Vec<ColumnMapping>>,
}

/// One line of an `ApplyMapping` node: column names only.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct ColumnMapping {
    to_key: Option<String>,
    from_path: Option<Vec<String>>,
    dropped: Option<bool>,
}

/// Kinds that end in `Source` or `Target` but name tables of a database behind a connection, not of the catalog.
const CONNECTOR_KINDS: &[&str] = &["DirectJDBCSource"];

impl From<EndContent> for NodeContent {
    fn from(end: EndContent) -> Self {
        let datasets = match (end.database, end.table) {
            (Some(database), Some(table)) => vec![Dataset::Table { database, table }],
            _ => {
                let paths = end.path.into_iter().chain(end.paths.into_iter().flatten());
                paths.filter(|path| !path.is_empty()).map(|path| Dataset::Path(path.to_string())).collect()
            }
        };
        Self { inputs: end.inputs.unwrap_or_default(), datasets, mapping: None }
    }
}

impl From<ConnectorContent> for NodeContent {
    fn from(connector: ConnectorContent) -> Self {
        Self { inputs: connector.inputs.unwrap_or_default(), ..Self::default() }
    }
}

impl From<TransformContent> for NodeContent {
    fn from(transform: TransformContent) -> Self {
        Self { inputs: transform.inputs.unwrap_or_default(), datasets: Vec::new(), mapping: transform.mapping }
    }
}

/// What a node's content is parsed as, told by its kind.
fn next_content<'de, A: MapAccess<'de>>(kind: &str, map: &mut A) -> Result<Option<NodeContent>, A::Error> {
    if CONNECTOR_KINDS.contains(&kind) {
        Ok(map.next_value::<Option<ConnectorContent>>()?.map(NodeContent::from))
    } else if is_source(kind) || is_target(kind) {
        Ok(map.next_value::<Option<EndContent>>()?.map(NodeContent::from))
    } else {
        Ok(map.next_value::<Option<TransformContent>>()?.map(NodeContent::from))
    }
}

/// Kinds that read are named `…Source` (AWS Glue API reference).
fn is_source(kind: &str) -> bool {
    kind.ends_with("Source")
}

/// Kinds that write are named `…Target` (AWS Glue API reference).
fn is_target(kind: &str) -> bool {
    kind.ends_with("Target")
}

struct NodeVisitor;

impl<'de> Visitor<'de> for NodeVisitor {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a node: one kind with its content")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
        let mut node = None;
        while let Some(kind) = map.next_key::<String>()? {
            // Writers that spell out every kind leave all but one null.
            if node.is_some() {
                map.next_value::<IgnoredAny>()?;
            } else if let Some(content) = next_content(&kind, &mut map)? {
                node = Some(Node { kind, content });
            }
        }
        Ok(node.unwrap_or_default())
    }
}

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(NodeVisitor)
    }
}

/// Where a node reads or writes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Dataset {
    /// A table of the catalog.
    Table {
        /// The Glue database.
        database: String,
        /// The table.
        table: String,
    },
    /// A place in S3 or elsewhere, as the job spells it.
    Path(String),
}

/// One output column, and the columns that it is made from, each as the dataset and the path below it.
pub(crate) type ColumnFlow = (String, Vec<(Dataset, Vec<String>)>);

/// What leads into one target of a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Flow {
    /// What is read, without repetition.
    pub(crate) sources: Vec<Dataset>,
    /// What is written.
    pub(crate) target: Dataset,
    /// Column by column, where mappings say so.
    pub(crate) columns: Vec<ColumnFlow>,
}

impl JobGraph {
    /// The flows of the job: for each node that writes, every node that reads and leads to it. Cycles and dangling ids, which
    /// hand-written graphs have, are harmless.
    pub(crate) fn flows(&self) -> Vec<Flow> {
        let mut flows = Vec::new();
        for (id, node) in self.nodes.iter().take(NODES_MAX).filter(|(_, node)| node.is_target()) {
            for target in node.datasets() {
                flows.push(Flow { sources: self.sources_of(id), target: target.clone(), columns: self.columns_into(id) });
            }
        }
        flows
    }

    /// What is read without being written anywhere that the graph knows.
    pub(crate) fn sources(&self) -> Vec<Dataset> {
        let sources: BTreeSet<_> = self.nodes.values().filter(|node| !node.is_target()).flat_map(Node::datasets).cloned().collect();
        sources.into_iter().collect()
    }

    fn sources_of(&self, target: &str) -> Vec<Dataset> {
        let mut seen = BTreeSet::from([target]);
        let mut queue = vec![target];
        let mut sources = BTreeSet::new();
        while let Some(id) = queue.pop() {
            let Some(node) = self.nodes.get(id) else { continue };
            if id != target && !node.is_target() {
                sources.extend(node.datasets().iter().cloned());
            }
            queue.extend(node.inputs().filter(|input| seen.insert(input)));
        }
        sources.into_iter().collect()
    }

    /// Follows a straight line of inputs up from a target to its `ApplyMapping`, and from there to the one source above. Where
    /// the line forks, column lineage is not known.
    fn columns_into(&self, target: &str) -> Vec<ColumnFlow> {
        let mut seen = BTreeSet::from([target]);
        let mut current = target;
        let mapping = loop {
            let Some(node) = self.nodes.get(current) else { return Vec::new() };
            if let Some(mapping) = &node.content.mapping {
                break mapping;
            }
            // Only nodes that neither rename nor make columns may stand between.
            if current != target && !PASSES_COLUMNS.contains(&node.kind.as_str()) {
                return Vec::new();
            }
            match node.single_input() {
                Some(input) if seen.insert(input) => current = input,
                _ => return Vec::new(),
            }
        };
        let Some(source) = self.single_source_above(current, seen) else { return Vec::new() };
        let kept = mapping.iter().filter(|line| line.dropped != Some(true));
        kept.filter_map(|line| Some((line.to_key.clone()?, vec![(source.clone(), line.from_path.clone()?)]))).collect()
    }

    fn single_source_above<'a>(&'a self, mapping: &'a str, mut seen: BTreeSet<&'a str>) -> Option<Dataset> {
        let mut current = mapping;
        loop {
            let input = self.nodes.get(current)?.single_input().filter(|input| seen.insert(input))?;
            let node = self.nodes.get(input)?;
            if let [source] = node.datasets() {
                return Some(source.clone());
            }
            if !PASSES_COLUMNS.contains(&node.kind.as_str()) {
                return None;
            }
            current = input;
        }
    }
}

/// Kinds of node that let every column through under its name.
const PASSES_COLUMNS: &[&str] = &["Filter", "DropDuplicates", "DropNullFields", "SelectFields", "FillMissingValues", "DropFields"];

impl Node {
    fn is_target(&self) -> bool {
        is_target(&self.kind)
    }

    fn inputs(&self) -> impl Iterator<Item = &str> {
        self.content.inputs.iter().map(String::as_str)
    }

    fn single_input(&self) -> Option<&str> {
        let mut inputs = self.inputs();
        inputs.next().filter(|_| inputs.next().is_none())
    }

    fn datasets(&self) -> &[Dataset] {
        &self.content.datasets
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(name: &str) -> Dataset {
        Dataset::Table { database: "sales".into(), table: name.into() }
    }

    #[test]
    fn every_source_that_reaches_a_target_is_an_input_and_mappings_give_columns() {
        let graph: JobGraph = serde_json::from_str(
            r#"{"n1":{"CatalogSource":{"Name":"o","Database":"sales","Table":"orders","PartitionPredicate":"CANARY"}},
                "n2":{"ApplyMapping":{"Name":"m","Inputs":["n1"],"Mapping":[{"ToKey":"id","FromPath":["order_id"]},
                      {"ToKey":"city","FromPath":["address","city"]},{"ToKey":"x","FromPath":["x"],"Dropped":true}]}},
                "n3":{"S3CatalogTarget":{"Name":"t","Inputs":["n2"],"Database":"sales","Table":"clean"}}}"#,
        )
        .unwrap();
        let flows = graph.flows();
        assert_eq!(flows.len(), 1);
        assert_eq!((flows[0].sources.as_slice(), &flows[0].target), ([table("orders")].as_slice(), &table("clean")));
        let columns: Vec<_> = flows[0].columns.iter().map(|(to, from)| (to.as_str(), from[0].1.join("/"))).collect();
        assert_eq!(columns, [("id", "order_id".to_owned()), ("city", "address/city".to_owned())]);
        assert!(!format!("{graph:?}").contains("CANARY"));
    }

    #[test]
    fn joins_bring_both_sources_and_no_column_lineage() {
        let graph: JobGraph = serde_json::from_str(
            r#"{"a":{"S3ParquetSource":{"Name":"a","Paths":["s3://b/a","s3://b/a2"]}},
                "b":{"CatalogSource":{"Name":"b","Database":"sales","Table":"orders"}},
                "j":{"Join":{"Name":"j","Inputs":["a","b"],"Columns":[]}},
                "t":{"S3DirectTarget":{"Name":"t","Inputs":["j"],"Path":"s3://b/out/"}}}"#,
        )
        .unwrap();
        let flow = &graph.flows()[0];
        assert_eq!(flow.sources, [table("orders"), Dataset::Path("s3://b/a".into()), Dataset::Path("s3://b/a2".into())]);
        assert!(flow.columns.is_empty());
    }

    #[test]
    fn cycles_dangling_ids_and_empty_nodes_end() {
        let graph: JobGraph = serde_json::from_str(
            r#"{"a":{"Filter":{"Inputs":["b","gone"]}},"b":{"Filter":{"Inputs":["a"]}},"c":{},
                "t":{"S3DirectTarget":{"Inputs":["a"],"Path":"s3://b/out"}}}"#,
        )
        .unwrap();
        assert!(graph.flows()[0].sources.is_empty());
    }
}
