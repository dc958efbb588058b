//! Lineage: events say which datasets have any, the graph is walked from there both ways, and the payloads of events give columns.
//!
//! `QueryGraph` gives up to five hops for two calls; where the role may not use it, `GetLineageNode` goes node by node. What was asked
//! for once is not asked for again, so cycles end where they began.

mod events;
mod walk;

use std::collections::BTreeSet;

use model::lineage::location_object;
use model::{Asset, Attribute, Item, Kind, S3Location, Value};

use super::assets::DomainAssets;
use super::domains::part_scope;
use super::{Crawl, CrawlError};
use crate::port::{AssetSink, Baseline, ReadApi};
use crate::smus::map::lineage::{map_columns, map_graph};
use crate::smus::map::{DomainFacts, warning};
use crate::smus::settings::Section;
use walk::Seeds;

/// How many processes are delivered at once.
const PROCESSES_A_BATCH: usize = 100;

/// The part of a domain that its lineage is.
const PART: &str = "lineage";

impl<A: ReadApi, S: AssetSink, B: Baseline> Crawl<'_, A, S, B> {
    /// Reads and delivers the lineage of a domain.
    pub(super) async fn crawl_lineage(&self, facts: &DomainFacts, assets: &mut DomainAssets) -> Result<(), CrawlError> {
        self.ports.progress.scopes_found(1);
        let events = self.read_events(facts).await?;
        let (sources, not_remembered) = assets.known.take_sources();
        let seeds = Seeds { datasets: events.datasets.clone(), sources };
        let walked = self.walk_graph(facts, seeds).await?;
        let names_all = self.tell_sources_left_out(facts, &events, walked.sources_left_out + not_remembered);
        let columns = self.read_column_flows(facts, &events.jobs, &assets.known).await?;
        let context = self.context();
        let mut processes = map_graph(&context, &facts.id, &walked.nodes, &events.jobs, &assets.known);
        processes.extend(map_columns(&context, &facts.id, &columns.flows, &assets.known));
        self.deliver_processes(facts, processes).await?;
        let began_everywhere = names_all && self.reads(Section::Assets) && assets.listings_complete;
        if walked.is_complete && events.is_complete && columns.is_complete && began_everywhere {
            self.findings().complete(&part_scope(facts, PART));
        } else {
            self.findings().incomplete(&part_scope(facts, PART));
        }
        self.ports.progress.scope_done();
        Ok(())
    }

    /// Without a list of events nothing else says which assets have lineage, and then it matters that some were not asked for. Gives
    /// whether everything that has lineage was named.
    fn tell_sources_left_out(&self, facts: &DomainFacts, events: &events::Events, left_out: usize) -> bool {
        if left_out == 0 || (events.is_complete && !events.datasets.is_empty()) {
            return true;
        }
        let message = format!(
            "no lineage event names a dataset, and of the assets that were asked for one by one the last ones had no lineage; {left_out} \
             others were not asked for"
        );
        self.findings().warn(vec![warning(format!("{}/{PART}", facts.id), "lineage-sources-left-out", message)]);
        false
    }

    async fn deliver_processes(&self, facts: &DomainFacts, processes: Vec<Asset>) -> Result<(), CrawlError> {
        let scope = part_scope(facts, PART);
        let mut objects = BTreeSet::new();
        let mut processes = processes.into_iter().map(|process| with_objects(process, &mut objects)).peekable();
        while processes.peek().is_some() {
            let batch = processes.by_ref().take(PROCESSES_A_BATCH).collect();
            self.deliver(&scope, batch).await?;
        }
        Ok(())
    }
}

/// A process with the S3 objects that it names and no other process of the domain has named before.
fn with_objects(process: Asset, named: &mut BTreeSet<String>) -> Item {
    let ends = [Attribute::Inputs, Attribute::Outputs].map(|end| process.attributes.get(end));
    let references =
        ends.into_iter().flatten().filter_map(|value| if let Value::References(list) = value { Some(list) } else { None });
    let objects = references.flatten().filter(|reference| reference.kind == Kind::S3Object);
    let fresh: Vec<_> =
        objects.map(|object| object.qualified_name.as_str().to_owned()).filter(|name| named.insert(name.clone())).collect();
    let derived = fresh.into_iter().map(|name| location_object(&S3Location::from_canonical(name))).collect();
    Item { asset: process, derived, source: None }
}
