//! Lineage: from an asset along processes, along the S3 locations that tables lie over, and to what is made of a table elsewhere.

mod alias;
mod hops;
mod nodes;
mod walk;

use std::collections::{BTreeSet, HashSet};

use model::document::AssetStatus;
use model::{Kind, QualifiedName, Reference, S3Location};

use crate::db::query_scalar;
use crate::identity::node_name;
use crate::ingest::edges::Side;
use crate::query::resolve::Accounts;
use crate::{Result, Store};
use walk::{Hop, Walk};

/// Which way lineage is followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// To what the asset is made from.
    Upstream,
    /// To what is made from the asset.
    Downstream,
    /// Both ways from the asset.
    Both,
}

/// Between what lineage is followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineageLevel {
    /// Tables, views, jobs' inputs and outputs, S3 objects.
    Assets,
    /// Columns. From a table: all of its columns that have lineage.
    Columns,
}

/// A question for lineage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineageQuery {
    /// Where it starts.
    pub start: QualifiedName,
    /// Which way.
    pub direction: Direction,
    /// How many processes far.
    pub depth: u32,
    /// Between what.
    pub level: LineageLevel,
    /// How many nodes at most; the graph says when there are more.
    pub nodes_max: usize,
}

/// An asset or column in a lineage graph.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// What it is.
    pub reference: Reference,
    /// Its name.
    pub name: String,
    /// Its status; absent when only a process names it.
    pub status: Option<AssetStatus>,
}

/// One way through a process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GraphEdge {
    /// The process.
    pub process: Reference,
    /// Its `processKind`.
    pub process_kind: String,
    /// What it reads.
    pub from: QualifiedName,
    /// What it writes.
    pub to: QualifiedName,
}

/// Lineage around an asset.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Graph {
    /// The start first, then by qualified name.
    pub nodes: Vec<Node>,
    /// By process and ends.
    pub edges: Vec<GraphEdge>,
    /// Whether nodes were left out for the bound.
    pub truncated: bool,
}

/// Rows of one step.
const ROWS_MAX: i64 = 20_000;
/// Hops of one graph, whatever is asked for.
const DEPTH_MAX: u32 = 50;

impl Store {
    /// The lineage around an asset or column. Cycles end where they began. A Glue table that a process names by its ARN is the table
    /// of each connection that holds it; one that no connection holds stays what it is named.
    ///
    /// # Errors
    /// When the catalog cannot be read.
    pub async fn lineage(&self, query: &LineageQuery) -> Result<Graph> {
        // Catalogs without SageMaker Unified Studio name no ARNs, and are spared all questions about them.
        let accounts = if self.knows_arns().await? { Some(self.accounts().await?) } else { None };
        let begun = self.begin(query, accounts.as_ref()).await?;
        let mut walk = Walk::new(&begun, query.nodes_max);
        let starts = self.starts(&begun, query.level, accounts.as_ref()).await?;
        let sides: &[Side] = match query.direction {
            Direction::Upstream => &[Side::Output],
            Direction::Downstream => &[Side::Input],
            Direction::Both => &[Side::Output, Side::Input],
        };
        for side in sides {
            let mut frontier: BTreeSet<String> = starts.iter().cloned().collect();
            let mut reached: HashSet<String> = starts.iter().cloned().collect();
            for _ in 0..query.depth.min(DEPTH_MAX) {
                if frontier.is_empty() || walk.truncated {
                    break;
                }
                let found = self.step(&frontier, *side, query.level, accounts.as_ref()).await?;
                frontier =
                    found.into_iter().filter_map(|hop| walk.take(hop, *side)).filter(|far| reached.insert(far.clone())).collect();
            }
        }
        self.name_nodes(walk).await
    }

    /// What the start is called in the graph: an ARN may stand for several tables.
    async fn begin(&self, query: &LineageQuery, accounts: Option<&Accounts>) -> Result<Vec<(String, Kind)>> {
        let start = query.start.as_str();
        if let Some(location) = S3Location::parse(start).filter(|_| start.starts_with("s3")) {
            return Ok(vec![(location.as_str().to_owned(), Kind::S3Object)]);
        }
        let Some(accounts) = accounts else { return Ok(vec![(start.to_owned(), query.level.kind())]) };
        // The ARN of a table in a nested catalog reads like that of a column: what the catalog has is meant.
        for level in [LineageLevel::Assets, query.level] {
            let node = node_name(start, level.process());
            let names = self.settled(accounts, [node.as_str()], level).await?.names(&node, query.level.kind());
            if names.iter().any(|(name, _)| *name != node) || level == query.level {
                return Ok(names);
            }
        }
        Ok(Vec::new())
    }

    /// Where the walk starts: the names themselves, or the columns of the table that may have lineage.
    async fn starts(&self, begun: &[(String, Kind)], level: LineageLevel, accounts: Option<&Accounts>) -> Result<Vec<String>> {
        let mut starts: Vec<String> = begun.iter().map(|(name, _)| name.clone()).collect();
        if level == LineageLevel::Columns {
            for (name, _) in begun {
                let text = "SELECT DISTINCT node FROM edge WHERE node >= $1 AND node < $2 AND kind = 13 ORDER BY node LIMIT $3";
                let query = query_scalar(text).bind(format!("{name}/")).bind(format!("{name}0")).bind(ROWS_MAX);
                let columns: Vec<String> = query.fetch_all(self.readers()).await?;
                starts.extend(columns);
                if accounts.is_some() {
                    starts.extend(self.columns_of(name).await?);
                }
            }
        }
        Ok(starts)
    }

    /// One hop from each of the nodes. `side` is the end of the processes that the nodes are at.
    async fn step(
        &self,
        nodes: &BTreeSet<String>,
        side: Side,
        level: LineageLevel,
        accounts: Option<&Accounts>,
    ) -> Result<Vec<Hop>> {
        let mut hops = self.stored_hops(nodes, side, level, accounts).await?;
        if level == LineageLevel::Assets {
            hops.extend(match side {
                Side::Input => self.tables_over(nodes).await?,
                Side::Output => self.locations_under(nodes).await?,
            });
        }
        if let Some(accounts) = accounts {
            hops.extend(self.twin_hops(accounts, nodes, side, level).await?);
        }
        Ok(hops)
    }
}

impl LineageLevel {
    /// The kind of a node of which nothing is known.
    const fn kind(self) -> Kind {
        match self {
            Self::Columns => Kind::Column,
            Self::Assets => Kind::Table,
        }
    }

    /// The kind of the processes between such nodes.
    const fn process(self) -> Kind {
        match self {
            Self::Columns => Kind::ColumnProcess,
            Self::Assets => Kind::Process,
        }
    }
}
