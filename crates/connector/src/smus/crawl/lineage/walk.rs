//! The walk through the graph of lineage.

use std::collections::{HashMap, HashSet, VecDeque};

use futures::StreamExt;
use serde_json::json;

use super::PART;
use crate::paging::Tokens;
use crate::port::{ApiError, AssetSink, Baseline, ErrorKind, ReadApi, ReadOperation};
use crate::run::CrawlError;
use crate::smus::crawl::Crawl;
use crate::smus::crawl::pages::{Asked, PAGE_ITEMS_MAX, Page, token};
use crate::smus::map::lineage::Node;
use crate::smus::map::{DomainFacts, warning};
use crate::smus::page::{LineageNode, LineageNodeAnswer, NodeReference, QueryGraphPage};

/// The longest path of one query (Amazon DataZone API, `RelationPattern.maxPathLength`).
const PATH_LENGTH_MAX: u32 = 5;

/// The most nodes of one domain.
const NODES_MAX: usize = 100_000;

/// Longer identifiers are not taken (Amazon DataZone API, `EntityPattern.identifier`).
const IDENTIFIER_BYTES_MAX: usize = 2_086;

/// After this many assets in a row without lineage the others are taken to have none either: what has lineage is named by events, and a
/// call for every asset is what a crawl must not make.
const MISSES_MAX: usize = 25;

/// With more seeds than this, several are asked for at once although they may turn out to be connected.
const SEEDS_IN_TURN_MAX: usize = 100;

/// How many are asked for at once then.
const SEEDS_AT_ONCE: usize = 4;

/// Where a walk begins.
#[derive(Debug, Default)]
pub(super) struct Seeds {
    /// What lineage events name: all of it is asked for.
    pub(super) datasets: Vec<String>,
    /// Where assets are from: asked for as long as that finds something.
    pub(super) sources: Vec<String>,
}

/// How nodes are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    /// With everything around them, by `QueryGraph`.
    Graph,
    /// One by one.
    Nodes,
}

/// What a walk found.
#[derive(Debug, Default)]
pub(super) struct Walked {
    /// Nodes by id.
    pub(super) nodes: HashMap<String, Node>,
    pub(super) is_complete: bool,
    /// How many assets were not asked for.
    pub(super) sources_left_out: usize,
}

/// A node with its id.
type Found = (String, Node);

/// The walk between two questions.
#[derive(Default)]
struct Walk {
    nodes: HashMap<String, Node>,
    /// Source identifiers of the nodes, folded.
    known_sources: HashSet<String>,
    /// What has been asked for.
    asked: HashSet<String>,
    open: VecDeque<String>,
    sources: VecDeque<String>,
    misses: usize,
    /// How many identifiers the service did not take.
    refused: usize,
}

impl Walk {
    /// Whether an identifier needs no question: it was asked for, or its node is there.
    fn is_covered(&self, identifier: &str) -> bool {
        self.asked.contains(identifier)
            || self.nodes.contains_key(identifier)
            || self.known_sources.contains(&identifier.to_lowercase())
    }

    fn next(&mut self) -> Option<String> {
        while let Some(identifier) = self.open.pop_front() {
            if !self.is_covered(&identifier) {
                self.asked.insert(identifier.clone());
                return Some(identifier);
            }
        }
        self.next_source()
    }

    /// The next asset, unless too many in a row had nothing.
    fn next_source(&mut self) -> Option<String> {
        while self.misses < MISSES_MAX {
            let identifier = self.sources.pop_front()?;
            if !self.is_covered(&identifier) {
                self.asked.insert(identifier.clone());
                return Some(identifier);
            }
        }
        None
    }

    fn end(self, is_complete: bool) -> Walked {
        Walked { nodes: self.nodes, is_complete, sources_left_out: self.sources.len() }
    }

    fn take(&mut self, found: Vec<Found>) {
        self.misses = if found.is_empty() { self.misses + 1 } else { 0 };
        for (id, node) in found {
            self.known_sources.extend(node.source.as_deref().map(str::to_lowercase));
            let neighbours = node.upstream.iter().chain(&node.downstream).cloned().collect::<Vec<_>>();
            let known = self.nodes.entry(id).or_default();
            let (upstream, downstream) = (std::mem::take(&mut known.upstream), std::mem::take(&mut known.downstream));
            *known = node;
            known.upstream.extend(upstream);
            known.downstream.extend(downstream);
            // Neighbours go first, so that a connected piece is known before the next seed is looked at.
            neighbours.into_iter().filter(|id| !id.is_empty()).for_each(|id| self.open.push_front(id));
        }
    }
}

impl<A: ReadApi, S: AssetSink, B: Baseline> Crawl<'_, A, S, B> {
    /// Walks from the seeds, both ways, until nothing new is found.
    pub(super) async fn walk_graph(&self, facts: &DomainFacts, seeds: Seeds) -> Result<Walked, CrawlError> {
        let at_once = if seeds.datasets.len() > SEEDS_IN_TURN_MAX { SEEDS_AT_ONCE } else { 1 };
        let is_askable = |seed: &String| !seed.is_empty() && seed.len() <= IDENTIFIER_BYTES_MAX && !seed.contains("***");
        let mut walk = Walk {
            open: seeds.datasets.into_iter().filter(is_askable).collect(),
            sources: seeds.sources.into_iter().filter(is_askable).collect(),
            ..Walk::default()
        };
        let mut way = Way::Graph;
        loop {
            let identifiers: Vec<String> = std::iter::from_fn(|| walk.next()).take(at_once).collect();
            if identifiers.is_empty() {
                let is_complete = walk.refused == 0;
                return Ok(walk.end(is_complete));
            }
            let asked = way;
            let asking = (0..identifiers.len()).map(|at| self.ask_for_node(facts, &identifiers[at], asked));
            let answers: Vec<_> = futures::stream::iter(asking).buffered(at_once).collect().await;
            for (identifier, answer) in identifiers.into_iter().zip(answers) {
                let answer = match answer {
                    // The graph may not or cannot be queried: nodes are asked for one by one from here on. An identifier that is refused
                    // says nothing of the others.
                    Err(error) if asked == Way::Graph && is_no_graph(&error) => {
                        way = if error.kind == ErrorKind::Invalid { way } else { Way::Nodes };
                        self.ask_for_node(facts, &identifier, Way::Nodes).await
                    }
                    answer => answer,
                };
                match answer {
                    Ok(found) => walk.take(found),
                    Err(error) if error.kind == ErrorKind::Invalid => self.note_refused(facts, &mut walk, &error),
                    Err(error) => return self.end_walk(facts, walk, error),
                }
            }
            if walk.nodes.len() > NODES_MAX {
                let message = format!("the domain has more than {NODES_MAX} nodes of lineage; the rest is left out");
                self.findings().warn(vec![warning(format!("{}/{PART}", facts.id), "lineage-too-large", message)]);
                return Ok(walk.end(false));
            }
        }
    }

    /// One identifier that the service does not take costs its own lineage only.
    fn note_refused(&self, facts: &DomainFacts, walk: &mut Walk, error: &ApiError) {
        if walk.refused == 0 {
            let message = format!("the service does not take a source of an asset or event as the name of a node: {error}");
            self.findings().warn(vec![warning(format!("{}/{PART}", facts.id), "lineage-node-refused", message)]);
        }
        walk.refused += 1;
    }

    /// What was found before a failure counts, and nothing of the domain's lineage counts as gone.
    fn end_walk(&self, facts: &DomainFacts, walk: Walk, error: ApiError) -> Result<Walked, CrawlError> {
        self.fail_part(facts, PART, error)?;
        Ok(walk.end(false))
    }

    /// The nodes around an identifier; none where the service knows no such node.
    async fn ask_for_node(&self, facts: &DomainFacts, identifier: &str, way: Way) -> Result<Vec<Found>, ApiError> {
        let mut found = Vec::new();
        if way == Way::Graph {
            for direction in ["OUT", "IN"] {
                match self.query_graph(facts, identifier, direction).await {
                    Ok(nodes) => found.extend(nodes),
                    Err(error) if is_no_such_node(&error) => return Ok(found),
                    Err(error) => return Err(error),
                }
            }
            // Whether a query gives the node itself is not documented; without it its own edges would be missing.
            let is_itself = |(id, node): &Found| {
                id == identifier || node.source.as_deref().is_some_and(|source| source.eq_ignore_ascii_case(identifier))
            };
            if found.is_empty() || found.iter().any(is_itself) {
                return Ok(found);
            }
        }
        let asked = Asked::get(ReadOperation::GetLineageNode, &[&facts.id, identifier]);
        match self.read_once(&asked, |body| Ok(self.node_of_answer(&serde_json::from_slice(body)?))).await {
            Ok(node) => found.push(node),
            Err(error) if error.kind == ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        Ok(found)
    }

    async fn query_graph(&self, facts: &DomainFacts, identifier: &str, direction: &str) -> Result<Vec<Found>, ApiError> {
        let relation = json!({"relationType": "LINEAGE", "relationDirection": direction, "maxPathLength": PATH_LENGTH_MAX});
        let entity = json!({"entityType": "LINEAGE_NODE", "identifier": identifier});
        let body = json!({"match": [{"relationPattern": relation}, {"entityPattern": entity}]});
        let asked = Asked::search(ReadOperation::QueryGraph, &facts.id, body).paged(PAGE_ITEMS_MAX);
        let mut tokens = Tokens::new(asked.operation);
        let mut nodes = Vec::new();
        while !tokens.is_done() && nodes.len() <= NODES_MAX {
            let page = self.next_page(&asked, &mut tokens, |body| {
                let page: QueryGraphPage<'_> = serde_json::from_slice(body)?;
                let made = page.items.iter().filter_map(|item| item.lineage_node.as_ref()).map(|node| self.node_of_graph(node));
                Ok(Page { made: made.collect::<Vec<_>>(), next_token: token(page.next_token.as_ref()), items: page.items.len() })
            });
            nodes.extend(page.await?);
        }
        Ok(nodes)
    }

    fn node_of_graph(&self, node: &LineageNode<'_>) -> Found {
        let ids = |list: &Option<Vec<crate::privacy::Text<'_>>>| list.iter().flatten().map(ToString::to_string).collect();
        let made = Node {
            type_name: node.type_name.as_deref().unwrap_or_default().to_owned(),
            name: node.name.as_ref().and_then(|name| name.kept(self.ports.masked)),
            source: node.source_identifier.as_ref().and_then(|source| source.kept(self.ports.masked)),
            upstream: ids(&node.upstream_lineage_node_ids),
            downstream: ids(&node.downstream_lineage_node_ids),
        };
        (node.id.to_string(), made)
    }

    fn node_of_answer(&self, node: &LineageNodeAnswer<'_>) -> Found {
        let ids = |list: &Option<Vec<NodeReference<'_>>>| {
            list.iter().flatten().filter_map(|node| node.id.as_deref()).map(str::to_owned).collect()
        };
        let made = Node {
            type_name: node.type_name.as_deref().unwrap_or_default().to_owned(),
            name: node.name.as_ref().and_then(|name| name.kept(self.ports.masked)),
            source: node.source_identifier.as_ref().and_then(|source| source.kept(self.ports.masked)),
            upstream: ids(&node.upstream_nodes),
            downstream: ids(&node.downstream_nodes),
        };
        (node.id.to_string(), made)
    }
}

/// Whether the service knows the operation and not the node.
fn is_no_such_node(error: &ApiError) -> bool {
    error.kind == ErrorKind::NotFound && error.code.as_deref().is_none_or(|code| code == "ResourceNotFoundException")
}

/// Whether the graph may not or cannot be queried, for this identifier at least.
fn is_no_graph(error: &ApiError) -> bool {
    matches!(error.kind, ErrorKind::Denied | ErrorKind::Invalid | ErrorKind::NotFound)
}
