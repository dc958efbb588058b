//! What an asset has to do with others: what it names, what has the same data, what it is made from, and what lies in it.

use std::collections::{BTreeMap, BTreeSet};

use model::name::{connection_of, decode_part};
use model::{Asset, Kind, QualifiedName, Reference, Value};
use store::{Direction, Graph, LineageLevel, LineageQuery, NamedAsset, Twin, Twins};

use super::values::bounded;
use crate::catalog::{Catalog, Child, label, title, titles};
use crate::failure::Failure;
use crate::output::{Page, dim};

/// Assets that one attribute names and that are listed; `show --json` has the rest.
const REFERENCES_MAX: usize = 20;
/// Neighbours in lineage that are listed.
const NEIGHBOURS_MAX: usize = 50;
/// Children that are listed; `search` and `export` have the rest.
const CHILDREN_SHOWN_MAX: usize = 50;

type Names = BTreeMap<QualifiedName, NamedAsset>;

/// The attributes that name other assets, a line an asset.
pub(super) async fn references(catalog: &Catalog, asset: &Asset) -> Result<Vec<(String, String)>, Failure> {
    let mut facts = Vec::new();
    for (attribute, value) in asset.attributes.iter() {
        let Value::References(references) = value else { continue };
        let shown: Vec<QualifiedName> =
            references.iter().take(REFERENCES_MAX).map(|reference| reference.qualified_name.clone()).collect();
        let names = catalog.named(&shown).await?;
        let lines = references.iter().map(|reference| reference_line(reference, &names));
        if lines.len() > 0 {
            facts.push((attribute.name().to_owned(), bounded(lines, REFERENCES_MAX)));
        }
    }
    Ok(facts)
}

fn reference_line(reference: &Reference, names: &Names) -> String {
    let name = &reference.qualified_name;
    match names.get(name) {
        Some(named) => format!("{} {}", title(&named.name, name), dim(named.kind.type_name())),
        None => format!("{} {}", label(name), dim(reference.kind.type_name())),
    }
}

/// The same data on the other side, and how many hold it where there are several.
pub(super) async fn show_twins(catalog: &Catalog, asset: &Asset, twins: &Twins, page: &mut Page) -> Result<(), Failure> {
    if twins.assets.is_empty() {
        return Ok(());
    }
    let places = Places::of(catalog, &twins.assets).await?;
    page.heading("same data in");
    let rows = twins.assets.iter().map(|twin| {
        let reference = &twin.reference;
        vec![reference.kind.to_string(), twin.name.clone(), places.of_name(&reference.qualified_name)]
    });
    page.table(&["type", "name", "where"], rows.collect());
    if twins.assets.len() > 1 {
        page.line(dim(&several(asset.kind, twins)));
    }
    Ok(())
}

fn several(kind: Kind, twins: &Twins) -> String {
    let count = twins.assets.len();
    let more = if twins.truncated { "more than " } else { "" };
    if !kind.is_smus_asset() {
        return format!("  {more}{count} assets of SageMaker Unified Studio are made from it");
    }
    let connections: BTreeSet<_> =
        twins.assets.iter().filter_map(|twin| connection_of(twin.reference.qualified_name.as_str())).collect();
    match connections.len() {
        1 => format!("  {more}{count} tables can be meant"),
        connections => format!("  {connections} connections hold this table"),
    }
}

/// The names of what assets lie in, and of their connections.
struct Places {
    connections: BTreeMap<String, String>,
    names: Names,
}

impl Places {
    async fn of(catalog: &Catalog, twins: &[Twin]) -> Result<Self, Failure> {
        let connections = catalog.connections().await?;
        let above: BTreeSet<QualifiedName> = twins.iter().flat_map(|twin| above(&twin.reference.qualified_name)).collect();
        let names = catalog.named(&above.into_iter().collect::<Vec<_>>()).await?;
        Ok(Self { connections, names })
    }

    /// `prod: AwsDataCatalog / sales`
    fn of_name(&self, name: &QualifiedName) -> String {
        let root = connection_of(name.as_str()).unwrap_or_default();
        let connection = self.connections.get(root).map_or(root, String::as_str);
        let parts = above(name).into_iter().map(|container| match self.names.get(&container) {
            Some(named) => named.name.clone(),
            None => decode_part(container.as_str().rsplit('/').next().unwrap_or_default()),
        });
        format!("{connection}: {}", parts.collect::<Vec<_>>().join(" / "))
    }
}

/// The qualified names between an asset and its connection, outermost first.
fn above(name: &QualifiedName) -> Vec<QualifiedName> {
    let text = name.as_str();
    let root = connection_of(text).unwrap_or_default().len();
    let ends = text.match_indices('/').map(|(at, _)| at).filter(|at| *at > root);
    ends.map(|at| QualifiedName::from_encoded(&text[..at])).collect()
}

/// What the asset is made from, and what is made from it.
pub(super) async fn show_neighbours(catalog: &Catalog, asset: &Asset, page: &mut Page) -> Result<(), Failure> {
    for (direction, heading) in [(Direction::Upstream, "made from"), (Direction::Downstream, "goes into")] {
        let start = asset.qualified_name.clone();
        let query = LineageQuery { start, direction, depth: 1, level: LineageLevel::Assets, nodes_max: NEIGHBOURS_MAX };
        let graph = catalog.lineage(&query).await?;
        let rows = neighbours(&graph, direction);
        if !rows.is_empty() {
            page.heading(heading);
            page.table(&["type", "name", "by"], rows);
        }
    }
    Ok(())
}

fn neighbours(graph: &Graph, direction: Direction) -> Vec<Vec<String>> {
    let titles = titles(&graph.nodes);
    let kinds: BTreeMap<_, _> = graph.nodes.iter().map(|node| (&node.reference.qualified_name, node.reference.kind)).collect();
    let row = |edge: &store::GraphEdge| {
        let name = if direction == Direction::Upstream { &edge.from } else { &edge.to };
        let kind = kinds.get(name).map(Kind::to_string).unwrap_or_default();
        vec![kind, titles.get(name).cloned().unwrap_or_default(), edge.process_kind.clone()]
    };
    graph.edges.iter().map(row).collect()
}

/// What lies in the asset.
pub(super) async fn show_children(catalog: &Catalog, asset: &Asset, page: &mut Page) -> Result<(), Failure> {
    let children = catalog.children(&asset.qualified_name, CHILDREN_SHOWN_MAX).await?;
    if children.assets.is_empty() && children.folders.is_empty() {
        return Ok(());
    }
    page.heading("contains");
    let child = |child: Child| {
        let description = child.description.as_deref().unwrap_or_default().lines().next().unwrap_or_default().to_owned();
        vec![child.type_name, child.name, description]
    };
    let folders = children.folders.into_iter().map(|folder| vec!["folder".to_owned(), folder, String::new()]);
    page.table(&["type", "name", "description"], folders.chain(children.assets.into_iter().map(child)).collect());
    if children.truncated {
        page.line(dim(&format!("  … the first {CHILDREN_SHOWN_MAX} are shown")));
    }
    Ok(())
}
