//! What the catalog says of the nodes of a graph.

use std::collections::{BTreeSet, HashMap};

use model::document::AssetStatus;
use model::{Kind, QualifiedName, Reference};

use crate::query::lineage::walk::{Walk, is_column};
use crate::query::lineage::{Graph, Node};
use crate::query::names::{self, Named};
use crate::query::resolve::last_part;
use crate::{Result, Store};

impl Store {
    /// Says of every node what the catalog knows of it: a table that a process names may be a view.
    pub(super) async fn name_nodes(&self, walk: Walk) -> Result<Graph> {
        let asked: BTreeSet<&str> = walk
            .nodes
            .iter()
            .flat_map(|(name, kind)| {
                let column = is_column(*kind);
                let parents = std::iter::successors(Some(name.as_str()), |name| name.rsplit_once('/').map(|(parent, _)| parent));
                parents.take(if column { COLUMN_PARENTS_MAX } else { 1 })
            })
            .collect();
        let known = names::find(self.readers(), asked).await?;
        // The name of a table is always what its qualified name says, so that of most nodes need not be read.
        let others = known.values().filter(|named| !matches!(named.kind, Kind::Table | Kind::View)).map(|named| named.id);
        let given = names::given_names(self.readers(), others).await?;
        let mut nodes: Vec<Node> = walk.nodes.iter().map(|(name, kind)| node(name, *kind, &known, &given)).collect();
        nodes.sort_by(|a, b| {
            let key = |node: &Node| (node.reference.qualified_name != walk.start, node.reference.qualified_name.clone());
            key(a).cmp(&key(b))
        });
        let edges = walk.edges.into_values().collect();
        Ok(Graph { nodes, edges, truncated: walk.truncated })
    }
}

/// Names above a column that are tried for its table.
const COLUMN_PARENTS_MAX: usize = 16;

fn node(name: &str, kind: Kind, known: &HashMap<String, Named>, given: &HashMap<i64, String>) -> Node {
    let status = |named: &Named| if named.archived { AssetStatus::Archived } else { AssetStatus::Active };
    let own = known.get(name);
    let (kind, status) = match own {
        Some(named) => (named.kind, Some(status(named))),
        None if is_column(kind) => {
            let parents = name.match_indices('/').rev().map(|(at, _)| &name[..at]);
            let has_columns = |kind: Kind| matches!(kind, Kind::Table | Kind::View) || kind.is_smus_asset();
            let owner = parents.filter_map(|parent| known.get(parent)).find(|named| has_columns(named.kind));
            (owner.map_or(kind, |named| named.kind.column_kind()), owner.map(status))
        }
        None => (kind, (kind == Kind::S3Object).then_some(AssetStatus::Active)),
    };
    let given = own.and_then(|named| given.get(&named.id)).cloned();
    let qualified_name = QualifiedName::from_encoded(name);
    Node { reference: Reference::new(kind, qualified_name), name: given.unwrap_or_else(|| last_part(name)), status }
}
