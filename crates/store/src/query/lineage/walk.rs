//! Putting a graph together: hops come in, nodes and edges are kept once each, up to a bound.

use std::collections::BTreeMap;

use model::attribute::Attribute;
use model::lineage::{ProcessKind, process_name};
use model::{Asset, Kind, QualifiedName, Reference};

use crate::identity::node_name;
use crate::ingest::edges::Side;
use crate::query::lineage::GraphEdge;
use crate::query::twins::Pair;

/// Nodes of one graph, whatever is asked for.
const NODES_MAX: usize = 5_000;

/// One hop from a known node to another.
#[derive(Clone)]
pub(super) struct Hop {
    pub(super) process: Reference,
    pub(super) process_kind: String,
    pub(super) near: String,
    pub(super) far: String,
    pub(super) far_kind: Kind,
}

impl Hop {
    pub(super) fn through(process: &Asset, near: &str, far: &Reference) -> Self {
        Self {
            process: Reference::new(process.kind, process.qualified_name.clone()),
            process_kind: process.attributes.text(Attribute::ProcessKind).unwrap_or_default().to_owned(),
            near: near.to_owned(),
            far: node_name(far.qualified_name.as_str(), process.kind),
            far_kind: far.kind,
        }
    }

    /// The hop between an S3 object and a table over it, towards `far`.
    pub(super) fn location(object: &str, table: &str, far: &str) -> Self {
        let (near, far_kind) = if far == table { (object, Kind::Table) } else { (table, Kind::S3Object) };
        Self {
            process: Reference::new(Kind::Process, process_name(ProcessKind::Location, table)),
            process_kind: ProcessKind::Location.as_str().to_owned(),
            near: near.to_owned(),
            far: far.to_owned(),
            far_kind,
        }
    }

    /// The hop between a table and the asset that is made from it, from the node that is at `side`.
    pub(super) fn twin(pair: &Pair, side: Side) -> Self {
        let (near, far) = pair.ends(side);
        let far_kind = match side {
            Side::Input => pair.asset_kind,
            Side::Output => pair.table_kind,
        };
        Self::identity(Kind::Process, &pair.asset, (near.clone(), far.clone()), far_kind)
    }

    /// The hop between columns of the two.
    pub(super) fn twin_columns(pair: &Pair, side: Side, near_column: &str, far_column: &str) -> Self {
        let (near, far) = pair.ends(side);
        let (near, far) = (format!("{near}/{near_column}"), format!("{far}/{far_column}"));
        let (subject, far_kind) = match side {
            Side::Input => (far.clone(), pair.asset_kind.column_kind()),
            Side::Output => (near.clone(), pair.table_kind.column_kind()),
        };
        Self::identity(Kind::ColumnProcess, &subject, (near, far), far_kind)
    }

    fn identity(process: Kind, subject: &str, (near, far): (String, String), far_kind: Kind) -> Self {
        Self {
            process: Reference::new(process, process_name(ProcessKind::DataZone, subject)),
            process_kind: ProcessKind::DataZone.as_str().to_owned(),
            near,
            far,
            far_kind,
        }
    }
}

/// Whether a node of this kind is a column.
pub(super) const fn is_column(kind: Kind) -> bool {
    matches!(kind, Kind::Column | Kind::SmusAssetSchema)
}

/// What a walk has found so far.
pub(super) struct Walk {
    pub(super) start: QualifiedName,
    pub(super) nodes: BTreeMap<String, Kind>,
    pub(super) edges: BTreeMap<(String, String, String), GraphEdge>,
    nodes_max: usize,
    pub(super) truncated: bool,
}

impl Walk {
    /// A walk that begins at these nodes.
    pub(super) fn new(begun: &[(String, Kind)], nodes_max: usize) -> Self {
        Self {
            start: QualifiedName::from_encoded(begun.first().map_or("", |(name, _)| name.as_str())),
            nodes: begun.iter().cloned().collect(),
            edges: BTreeMap::new(),
            nodes_max: nodes_max.clamp(1, NODES_MAX),
            truncated: false,
        }
    }

    /// Adds a hop; the node that it leads to, unless the graph is full.
    pub(super) fn take(&mut self, hop: Hop, near_side: Side) -> Option<String> {
        if !self.nodes.contains_key(&hop.far) && self.nodes.len() >= self.nodes_max {
            self.truncated = true;
            return None;
        }
        let near_kind = if is_column(hop.far_kind) { Kind::Column } else { Kind::Table };
        self.nodes.entry(hop.near.clone()).or_insert(near_kind);
        self.nodes.entry(hop.far.clone()).or_insert(hop.far_kind);
        let (from, to) = match near_side {
            Side::Input => (hop.near, hop.far.clone()),
            Side::Output => (hop.far.clone(), hop.near),
        };
        let key = (hop.process.qualified_name.as_str().to_owned(), from.clone(), to.clone());
        let edge = GraphEdge {
            process: hop.process,
            process_kind: hop.process_kind,
            from: QualifiedName::from_encoded(from),
            to: QualifiedName::from_encoded(to),
        };
        self.edges.insert(key, edge);
        Some(hop.far)
    }
}
