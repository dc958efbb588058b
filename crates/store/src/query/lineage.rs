//! Lineage: from an asset along processes, and along the S3 locations that tables lie over.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use model::attribute::{Attribute, Value};
use model::document::AssetStatus;
use model::lineage::{ProcessKind, process_name};
use model::name::decode_part;
use model::{Asset, Kind, QualifiedName, Reference, S3Location};
use sqlx::Row as _;

use crate::content;
use crate::dialect::text_list;
use crate::ingest::edges::Side;
use crate::query::names::{self, Named};
use crate::{Result, Store};

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

/// Nodes of one graph, whatever is asked for.
const NODES_MAX: usize = 5_000;
/// Rows of one step.
const ROWS_MAX: i64 = 20_000;
/// Hops of one graph, whatever is asked for.
const DEPTH_MAX: u32 = 50;

impl Store {
    /// The lineage around an asset or column. Cycles end where they began.
    ///
    /// # Errors
    /// When the catalog cannot be read.
    pub async fn lineage(&self, query: &LineageQuery) -> Result<Graph> {
        let start = S3Location::parse(query.start.as_str()).filter(|_| query.start.as_str().starts_with("s3"));
        let query = &match start {
            Some(location) => LineageQuery { start: QualifiedName::from_encoded(location.as_str()), ..query.clone() },
            None => query.clone(),
        };
        let mut walk = Walk::new(query);
        let starts = self.starts(query).await?;
        walk.visit(&query.start, start_kind(query));
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
                let found = self.step(&frontier, *side, query.level).await?;
                frontier =
                    found.into_iter().filter_map(|hop| walk.take(hop, *side)).filter(|far| reached.insert(far.clone())).collect();
            }
        }
        self.name_nodes(walk).await
    }

    /// Where the walk starts: the name itself, or the columns of the table that have lineage.
    async fn starts(&self, query: &LineageQuery) -> Result<Vec<String>> {
        let name = query.start.as_str();
        let mut starts = vec![name.to_owned()];
        if query.level == LineageLevel::Columns {
            let text = "SELECT DISTINCT node FROM edge WHERE node >= $1 AND node < $2 AND kind = 13 ORDER BY node LIMIT $3";
            let query = sqlx::query_scalar(text).bind(format!("{name}/")).bind(format!("{name}0")).bind(ROWS_MAX);
            let columns: Vec<String> = query.fetch_all(self.readers()).await?;
            starts.extend(columns);
        }
        Ok(starts)
    }

    /// One hop from each of the nodes. `side` is the end of the processes that the nodes are at.
    async fn step(&self, nodes: &BTreeSet<String>, side: Side, level: LineageLevel) -> Result<Vec<Hop>> {
        let mut hops = self.stored_hops(nodes, side, level).await?;
        if level == LineageLevel::Assets {
            hops.extend(match side {
                Side::Input => self.tables_over(nodes).await?,
                Side::Output => self.locations_under(nodes).await?,
            });
        }
        Ok(hops)
    }

    /// Hops through stored processes.
    async fn stored_hops(&self, nodes: &BTreeSet<String>, side: Side, level: LineageLevel) -> Result<Vec<Hop>> {
        let kind = if level == LineageLevel::Columns { Kind::ColumnProcess } else { Kind::Process };
        let text = "SELECT node, process FROM edge WHERE node IN (SELECT value FROM json_each($1)) AND side = $2 AND kind = $3
            ORDER BY node, process LIMIT $4";
        let names = text_list(nodes.iter().map(String::as_str));
        let rows =
            sqlx::query(text).bind(names).bind(side.code()).bind(kind.code()).bind(ROWS_MAX).fetch_all(self.readers()).await?;
        let mut by_process: BTreeMap<i64, Vec<String>> = BTreeMap::new();
        for row in &rows {
            by_process.entry(row.try_get(1)?).or_default().push(row.try_get(0)?);
        }
        let processes = content::read(self.readers(), by_process.keys().copied()).await?;
        let mut hops = Vec::new();
        for (id, near) in by_process {
            let Some(process) = processes.get(&id) else { continue };
            for near in near {
                hops.extend(far_ends(&process.asset, side).map(|far| Hop::through(&process.asset, &near, far)));
            }
        }
        Ok(hops)
    }

    /// From S3 objects to the tables that lie over them: at the same location, or else at the longest one above it.
    async fn tables_over(&self, nodes: &BTreeSet<String>) -> Result<Vec<Hop>> {
        let objects: Vec<S3Location> = nodes.iter().filter_map(|node| s3(node)).collect();
        let tables = self.tables_at_any(objects.iter().flat_map(S3Location::ancestors)).await?;
        let mut hops = Vec::new();
        for object in &objects {
            let over = object.ancestors().find_map(|location| tables.get(location));
            hops.extend(over.into_iter().flatten().map(|table| Hop::location(object.as_str(), table, table)));
        }
        Ok(hops)
    }

    /// From tables to the S3 objects that they lie over: their location, and what processes write below it.
    async fn locations_under(&self, nodes: &BTreeSet<String>) -> Result<Vec<Hop>> {
        let names = nodes.iter().map(String::as_str).filter(|node| !node.starts_with("s3://"));
        let found = names::find(self.readers(), names).await?;
        let tables: Vec<i64> =
            found.values().filter(|named| named.kind == Kind::Table && !named.archived).map(|named| named.id).collect();
        let mut hops = Vec::new();
        for stored in content::read(self.readers(), tables).await?.into_values() {
            let Some(location) = stored.asset.data_location() else { continue };
            let table = stored.asset.qualified_name.as_str();
            hops.push(Hop::location(location.as_str(), table, location.as_str()));
            for below in self.written_below(&location).await? {
                hops.push(Hop::location(&below, table, &below));
            }
        }
        hops.sort_by(|a, b| (&a.near, &a.far).cmp(&(&b.near, &b.far)));
        Ok(hops)
    }

    /// What processes write below a location and no table is nearer to.
    async fn written_below(&self, location: &S3Location) -> Result<Vec<String>> {
        let text = "SELECT DISTINCT node FROM edge WHERE node >= $1 AND node < $2 AND side = 1 ORDER BY node LIMIT $3";
        let query = sqlx::query_scalar(text).bind(format!("{}/", location.as_str())).bind(format!("{}0", location.as_str()));
        let written: Vec<String> = query.bind(ROWS_MAX).fetch_all(self.readers()).await?;
        if written.is_empty() {
            return Ok(written);
        }
        let objects: Vec<S3Location> = written.iter().filter_map(|node| s3(node)).collect();
        let tables = self.tables_at_any(objects.iter().flat_map(S3Location::ancestors)).await?;
        let nearest = |object: &S3Location| object.ancestors().find(|above| tables.contains_key(*above)).map(str::to_owned);
        let own = objects.iter().filter(|object| nearest(object).as_deref() == Some(location.as_str()));
        Ok(own.map(|object| object.as_str().to_owned()).collect())
    }

    async fn tables_at_any<'a>(&self, locations: impl Iterator<Item = &'a str>) -> Result<HashMap<String, Vec<String>>> {
        let locations: BTreeSet<&str> = locations.collect();
        let text =
            "SELECT l.location, p.path, c.part FROM location l JOIN content c ON c.id = l.asset JOIN place p ON p.id = c.place
            WHERE l.location IN (SELECT value FROM json_each($1)) ORDER BY l.location, p.path, c.part LIMIT $2";
        let mut tables: HashMap<String, Vec<String>> = HashMap::new();
        for row in sqlx::query(text).bind(text_list(locations)).bind(ROWS_MAX).fetch_all(self.readers()).await? {
            let (path, part): (&str, &str) = (row.try_get(1)?, row.try_get(2)?);
            tables.entry(row.try_get(0)?).or_default().push(format!("{path}{part}"));
        }
        Ok(tables)
    }

    /// Says of every node what the catalog knows of it: a table that a process names may be a view.
    async fn name_nodes(&self, walk: Walk) -> Result<Graph> {
        let asked: BTreeSet<&str> = walk
            .nodes
            .iter()
            .flat_map(|(name, kind)| {
                let column = *kind == Kind::Column;
                let parents = std::iter::successors(Some(name.as_str()), |name| name.rsplit_once('/').map(|(parent, _)| parent));
                parents.take(if column { COLUMN_PARENTS_MAX } else { 1 })
            })
            .collect();
        let known = names::find(self.readers(), asked).await?;
        let mut nodes: Vec<Node> = walk.nodes.iter().map(|(name, kind)| node(name, *kind, &known)).collect();
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

fn start_kind(query: &LineageQuery) -> Kind {
    match query.level {
        _ if query.start.as_str().starts_with("s3://") => Kind::S3Object,
        LineageLevel::Columns => Kind::Column,
        LineageLevel::Assets => Kind::Table,
    }
}

fn node(name: &str, kind: Kind, known: &HashMap<String, Named>) -> Node {
    let status = |named: &Named| if named.archived { AssetStatus::Archived } else { AssetStatus::Active };
    let own = known.get(name);
    let (kind, status) = match own {
        Some(named) => (named.kind, Some(status(named))),
        None if kind == Kind::Column => {
            let parents = name.match_indices('/').rev().map(|(at, _)| &name[..at]);
            let table = parents.filter_map(|parent| known.get(parent)).find(|named| matches!(named.kind, Kind::Table | Kind::View));
            (kind, table.map(status))
        }
        None => (kind, (kind == Kind::S3Object).then_some(AssetStatus::Active)),
    };
    let last = name.rsplit('/').next().unwrap_or_default();
    Node { reference: Reference::new(kind, QualifiedName::from_encoded(name)), name: decode_part(last), status }
}

/// The location of an S3 object's name.
fn s3(name: &str) -> Option<S3Location> {
    name.starts_with("s3://").then(|| S3Location::from_canonical(name))
}

/// The assets at the other end of a process.
fn far_ends(process: &Asset, near: Side) -> impl Iterator<Item = &Reference> {
    let attribute = match near {
        Side::Input => Attribute::Outputs,
        Side::Output => Attribute::Inputs,
    };
    let references = match process.attributes.get(attribute) {
        Some(Value::References(references)) => references.as_slice(),
        _ => &[],
    };
    references.iter()
}

/// One hop from a known node to another.
struct Hop {
    process: Reference,
    process_kind: String,
    near: String,
    far: String,
    far_kind: Kind,
}

impl Hop {
    fn through(process: &Asset, near: &str, far: &Reference) -> Self {
        Self {
            process: Reference::new(process.kind, process.qualified_name.clone()),
            process_kind: process.attributes.text(Attribute::ProcessKind).unwrap_or_default().to_owned(),
            near: near.to_owned(),
            far: far.qualified_name.as_str().to_owned(),
            far_kind: far.kind,
        }
    }

    /// The hop between an S3 object and a table over it, towards `far`.
    fn location(object: &str, table: &str, far: &str) -> Self {
        let (near, far_kind) = if far == table { (object, Kind::Table) } else { (table, Kind::S3Object) };
        Self {
            process: Reference::new(Kind::Process, process_name(ProcessKind::Location, table)),
            process_kind: ProcessKind::Location.as_str().to_owned(),
            near: near.to_owned(),
            far: far.to_owned(),
            far_kind,
        }
    }
}

/// What a walk has found so far.
struct Walk {
    start: QualifiedName,
    nodes: BTreeMap<String, Kind>,
    edges: BTreeMap<(String, String, String), GraphEdge>,
    nodes_max: usize,
    truncated: bool,
}

impl Walk {
    fn new(query: &LineageQuery) -> Self {
        Self {
            start: query.start.clone(),
            nodes: BTreeMap::new(),
            edges: BTreeMap::new(),
            nodes_max: query.nodes_max.clamp(1, NODES_MAX),
            truncated: false,
        }
    }

    fn visit(&mut self, name: &QualifiedName, kind: Kind) {
        self.nodes.insert(name.as_str().to_owned(), kind);
    }

    /// Adds a hop; the node that it leads to, unless the graph is full.
    fn take(&mut self, hop: Hop, near_side: Side) -> Option<String> {
        if !self.nodes.contains_key(&hop.far) && self.nodes.len() >= self.nodes_max {
            self.truncated = true;
            return None;
        }
        let near_kind = if hop.far_kind == Kind::Column { Kind::Column } else { Kind::Table };
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
