//! `lineage`: what an asset is made from and what is made from it, as a tree.

use std::collections::{HashMap, HashSet};

use model::{Kind, QualifiedName};
use serde_json::json;
use store::{Graph, GraphEdge, LineageLevel, LineageQuery, Node, Subject};

use crate::arguments::{Direction, LineageArguments};
use crate::catalog::{self, Catalog};
use crate::failure::{Outcome, Status};
use crate::output::{Page, bold, dim, print_json};

/// Assets of one graph.
const NODES_MAX: usize = 2000;

/// Levels of a printed tree, whatever the graph holds.
const TREE_DEPTH_MAX: usize = 50;

pub(crate) async fn run(arguments: &LineageArguments) -> Outcome {
    let catalog = Catalog::open(&arguments.from).await?;
    let direction = match arguments.direction {
        Direction::Upstream => store::Direction::Upstream,
        Direction::Downstream => store::Direction::Downstream,
        Direction::Both => store::Direction::Both,
    };
    let query = |start, level| LineageQuery { start, direction, depth: arguments.depth, level, nodes_max: NODES_MAX };
    let graph = match catalog.find(&arguments.name).await {
        Ok(subject) => {
            let level = if matches!(subject, Subject::Column { .. }) { LineageLevel::Columns } else { LineageLevel::Assets };
            catalog.lineage(&query(subject.qualified_name(), level)).await?
        }
        Err(failure) if catalog::is_outside(&arguments.name) => {
            let start = QualifiedName::from_encoded(arguments.name.trim());
            let graph = catalog.lineage(&query(start, LineageLevel::Assets)).await?;
            if is_known_outside(&graph) { graph } else { return Err(failure) }
        }
        Err(failure) => return Err(failure),
    };
    if arguments.from.json {
        print_json(&as_json(&graph))?;
    } else {
        print_trees(&graph, arguments.direction)?;
    }
    Ok(Status::Complete)
}

/// Whether a graph begins at something that no connection holds and that processes name all the same.
fn is_known_outside(graph: &Graph) -> bool {
    !graph.edges.is_empty() && graph.nodes.first().is_some_and(|start| start.status.is_none())
}

fn print_trees(graph: &Graph, direction: Direction) -> Result<(), crate::failure::Failure> {
    let Some(start) = graph.nodes.first().map(|node| &node.reference.qualified_name) else { return Ok(()) };
    let titles = catalog::titles(&graph.nodes);
    let nodes = graph.nodes.iter().map(|node| (&node.reference.qualified_name, node)).collect();
    let mut page = Page::default();
    page.line(bold(titles.get(start).map_or("", String::as_str)));
    let ways = [(Direction::Upstream, "made from"), (Direction::Downstream, "goes into")];
    for (way, title) in ways.into_iter().filter(|(way, _)| direction == Direction::Both || direction == *way) {
        page.heading(title);
        let mut tree =
            Tree { graph, nodes: &nodes, titles: &titles, way, shown: HashSet::from([start.clone()]), lines: Vec::new() };
        tree.grow(start, "  ", 0);
        if tree.lines.is_empty() {
            page.line(dim("  nothing that the catalog knows of"));
        }
        for line in tree.lines {
            page.line(line);
        }
    }
    if graph.truncated {
        page.line(dim(&format!("… more than {NODES_MAX} assets: lower --depth, or follow one way with --direction")));
    }
    page.print()
}

/// A graph unrolled from one asset. What was shown before is not unrolled again, so cycles end.
struct Tree<'g> {
    graph: &'g Graph,
    nodes: &'g HashMap<&'g QualifiedName, &'g Node>,
    titles: &'g HashMap<&'g QualifiedName, String>,
    way: Direction,
    shown: HashSet<QualifiedName>,
    lines: Vec<String>,
}

impl<'g> Tree<'g> {
    fn grow(&mut self, from: &QualifiedName, indent: &str, depth: usize) {
        if depth > TREE_DEPTH_MAX {
            return;
        }
        let next = self.next_of(from);
        for (index, (edge, name)) in next.iter().enumerate() {
            let is_last = index + 1 == next.len();
            let is_new = self.shown.insert((*name).clone());
            let again = if is_new { "" } else { " (shown above)" };
            let branch = if is_last { "└─ " } else { "├─ " };
            let (shown, about) = self.describe(name);
            self.lines.push(format!("{indent}{branch}{shown} {}", dim(&format!("{about} by {}{again}", edge.process_kind))));
            if is_new {
                self.grow(name, &format!("{indent}{}", if is_last { "   " } else { "│  " }), depth + 1);
            }
        }
    }

    /// What a node is called, and what it is.
    fn describe(&self, name: &QualifiedName) -> (String, String) {
        let title = self.titles.get(name).cloned().unwrap_or_else(|| catalog::label(name));
        let Some(node) = self.nodes.get(name) else { return (title, String::new()) };
        let is_foreign = node.status.is_none() && node.reference.kind != Kind::Dataset;
        let note = if is_foreign { ", not in this catalog," } else { "" };
        (title, format!("{}{note}", node.reference.kind.type_name()))
    }

    fn next_of(&self, name: &QualifiedName) -> Vec<(&'g GraphEdge, &'g QualifiedName)> {
        let edges = self.graph.edges.iter();
        match self.way {
            Direction::Upstream => edges.filter(|edge| edge.to == *name).map(|edge| (edge, &edge.from)).collect(),
            Direction::Downstream | Direction::Both => {
                edges.filter(|edge| edge.from == *name).map(|edge| (edge, &edge.to)).collect()
            }
        }
    }
}

fn as_json(graph: &Graph) -> serde_json::Value {
    let nodes: Vec<_> = graph.nodes.iter().map(|node| {
        json!({"typeName": node.reference.kind.type_name(), "qualifiedName": node.reference.qualified_name.as_str(), "name": node.name,
            "status": node.status.map(model::document::AssetStatus::as_str)})
    }).collect();
    let edges: Vec<_> = graph.edges.iter().map(|edge| {
        json!({"process": edge.process.qualified_name.as_str(), "processKind": edge.process_kind, "from": edge.from.as_str(), "to": edge.to.as_str()})
    }).collect();
    json!({"nodes": nodes, "edges": edges, "truncated": graph.truncated})
}
