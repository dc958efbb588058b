//! The lineage graph as processes: a handful of nodes stands for what a domain answers, and each process is written as one line
//! (`name: inputs -> outputs`), so that an expectation reads as what flows where.

mod columns;
mod jobs;

use std::collections::{BTreeMap, HashMap};

use model::{Asset, Attribute, ConnectionName, Kind, QualifiedName, Reference, Value};

use super::{ColumnFlow, JobEvent, Node, Resolve, dataset_source, job_key, map_columns, map_graph};
use crate::MaskedCounts;
use crate::smus::map::MapContext;
use crate::smus::naming::Naming;
use crate::smus::settings::Settings;

const ORDERS: &str = "arn:aws:glue:eu-west-1:111122223333:table/sales/orders";
const TOTALS: &str = "arn:aws:glue:eu-west-1:111122223333:table/sales/totals";

/// The assets that the catalog has, by source identifier.
#[derive(Default)]
struct Catalog(BTreeMap<String, Vec<Reference>>);

impl Catalog {
    fn with(mut self, source: &str, asset: &str) -> Self {
        let reference = Reference::new(Kind::SmusPublishedAsset, QualifiedName::from_encoded(asset));
        self.0.entry(source.to_owned()).or_default().push(reference);
        self
    }
}

impl Resolve for Catalog {
    fn assets(&self, source: &str) -> Vec<Reference> {
        self.0.get(source).cloned().unwrap_or_default()
    }
}

/// A node with the source that it says, and the ids of its neighbours.
fn node(type_name: &str, source: &str, upstream: &[&str], downstream: &[&str]) -> Node {
    let ids = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect();
    Node {
        type_name: format!("amazon.datazone.{type_name}NodeType"),
        name: None,
        source: Some(source.to_owned()),
        upstream: ids(upstream),
        downstream: ids(downstream),
    }
}

fn named(name: &str, node: Node) -> Node {
    Node { name: Some(name.to_owned()), ..node }
}

/// What is done with a context of the first connection.
fn with_context<T>(act: impl FnOnce(&MapContext<'_>) -> T) -> T {
    let naming = Naming::new(ConnectionName::new("aws-smus", 7));
    let (settings, masked) = (Settings::default(), MaskedCounts::default());
    act(&MapContext { naming: &naming, settings: &settings, masked: &masked, region: "eu-west-1" })
}

fn graph(nodes: &[(&str, Node)], events: &[JobEvent], catalog: &Catalog) -> Vec<Asset> {
    let nodes: HashMap<String, Node> = nodes.iter().map(|(id, node)| ((*id).to_owned(), node.clone())).collect();
    with_context(|context| map_graph(context, "dzd_1", &nodes, events, catalog))
}

/// A process in one line.
fn line(process: &Asset) -> String {
    let names = |attribute| match process.attributes.get(attribute) {
        Some(Value::References(references)) => {
            let named = references.iter().map(|one| format!("{} {}", one.kind, one.qualified_name));
            named.collect::<Vec<_>>().join(", ")
        }
        other => panic!("{other:?}"),
    };
    format!("{}: {} -> {}", process.name, names(Attribute::Inputs), names(Attribute::Outputs))
}

fn lines(processes: &[Asset]) -> Vec<String> {
    processes.iter().map(line).collect()
}

/// The lines of a graph without events, of assets that no catalog has.
fn uncatalogued(nodes: &[(&str, Node)]) -> Vec<String> {
    lines(&graph(nodes, &[], &Catalog::default()))
}

#[test]
fn data_made_from_data_without_a_job_is_a_process_of_what_is_made() {
    let nodes = [
        ("n1", node("DatasetLineage", "a", &[], &["n3"])),
        ("n2", node("DatasetLineage", "b", &[], &[])),
        ("n3", named("Sum", node("DatasetLineage", "c", &["n2"], &[]))),
    ];
    assert_eq!(uncatalogued(&nodes), ["Sum: Dataset a, Dataset b -> Dataset c"]);
    let unnamed = [nodes[0].clone(), ("n3", node("DatasetLineage", "c", &[], &[]))];
    assert_eq!(uncatalogued(&unnamed), ["c: Dataset a -> Dataset c"]);
}

#[test]
fn a_node_that_stands_for_an_asset_becomes_that_asset_and_others_become_what_their_source_says() {
    let catalog = Catalog::default().with(TOTALS, "p/totals");
    let nodes = [
        ("n1", node("DatasetLineage", ORDERS, &[], &["n9"])),
        ("n2", node("DatasetLineage", "s3://lake/raw/orders", &[], &["n9"])),
        ("n3", node("DatasetLineage", "kafka://broker/topic", &[], &["n9"])),
        ("n9", named("Totals", node("AssetLineage", TOTALS, &[], &[]))),
    ];
    let inputs = format!("Table {ORDERS}, Dataset kafka://broker/topic, S3Object s3://lake/raw/orders");
    assert_eq!(lines(&graph(&nodes, &[], &catalog)), [format!("Totals: {inputs} -> {} p/totals", Kind::SmusPublishedAsset)]);
}

#[test]
fn a_node_without_a_source_goes_by_its_name_and_one_without_both_gives_nothing() {
    let bare = Node { type_name: "amazon.datazone.DatasetLineageNodeType".to_owned(), ..Node::default() };
    let nodes = [("n1", named("raw", bare.clone())), ("n2", bare), ("n3", node("DatasetLineage", "c", &["n1", "n2"], &[]))];
    assert_eq!(uncatalogued(&nodes), ["c: Dataset raw -> Dataset c"]);
    assert_eq!(uncatalogued(&nodes[1..]), Vec::<String>::new());
}

#[test]
fn asset_listing_and_dataset_nodes_of_one_asset_are_no_lineage() {
    let catalog = Catalog::default().with(ORDERS, "p/orders").with("asset1", "p/orders").with("listing1", "p/orders");
    let nodes = [
        ("n1", node("DatasetLineage", ORDERS, &[], &["n2"])),
        ("n2", node("AssetLineage", "asset1", &[], &["n3"])),
        ("n3", node("AssetListingLineage", "listing1", &[], &[])),
    ];
    assert_eq!(lines(&graph(&nodes, &[], &catalog)), Vec::<String>::new());
    // The same nodes with something else before them are lineage of that alone.
    let more = [nodes.as_slice(), &[("n0", node("DatasetLineage", "raw", &[], &["n1"]))]].concat();
    let expected = format!("{0}: Dataset raw -> {1} {0}", "p/orders", Kind::SmusPublishedAsset);
    assert_eq!(lines(&graph(&more, &[], &catalog)), [expected]);
}

#[test]
fn every_asset_of_one_source_has_a_process_of_its_own() {
    let catalog = Catalog::default().with(TOTALS, "p2/totals").with(TOTALS, "p1/totals");
    let nodes = [("n1", node("DatasetLineage", "a", &[], &["n2"])), ("n2", named("T", node("DatasetLineage", TOTALS, &[], &[])))];
    let expected = ["p1", "p2"].map(|project| format!("T: Dataset a -> {} {project}/totals", Kind::SmusPublishedAsset));
    assert_eq!(lines(&graph(&nodes, &[], &catalog)), expected);
}

#[test]
fn assets_of_several_projects_that_are_made_from_one_dataset_are_not_made_from_each_other() {
    let catalog = Catalog::default().with(ORDERS, "p1/a1").with(ORDERS, "p2/a2").with("a1", "p1/a1").with("a2", "p2/a2");
    let nodes = [
        ("n0", node("DatasetLineage", ORDERS, &[], &["n1", "n2"])),
        ("n1", node("AssetLineage", "a1", &[], &[])),
        ("n2", node("AssetLineage", "a2", &[], &[])),
    ];
    assert_eq!(lines(&graph(&nodes, &[], &catalog)), Vec::<String>::new());
}

#[test]
fn what_several_nodes_of_one_asset_are_made_from_is_one_process() {
    let catalog = Catalog::default().with(ORDERS, "p1/a1").with("a1", "p1/a1");
    let nodes = [
        ("n1", node("DatasetLineage", "raw1", &[], &["n2"])),
        ("n2", node("DatasetLineage", ORDERS, &[], &["n3"])),
        ("n3", node("AssetLineage", "a1", &["n4"], &[])),
        ("n4", node("DatasetLineage", "raw2", &[], &[])),
    ];
    let expected = format!("p1/a1: Dataset raw1, Dataset raw2 -> {} p1/a1", Kind::SmusPublishedAsset);
    assert_eq!(lines(&graph(&nodes, &[], &catalog)), [expected]);
}

#[test]
fn neighbours_that_are_not_known_and_nodes_that_name_themselves_give_nothing() {
    let nodes =
        [("n1", node("DatasetLineage", "a", &["gone", "n1"], &["gone"])), ("n2", node("JobLineage", "j", &["gone"], &["n2"]))];
    assert_eq!(uncatalogued(&nodes), Vec::<String>::new());
}

#[test]
fn order_of_nodes_and_which_end_names_an_edge_make_no_difference() {
    let chain = |up: bool, down: bool| {
        let (up, down) = (
            |ids: &[&'static str]| if up { ids.to_vec() } else { vec![] },
            |ids: &[&'static str]| {
                if down { ids.to_vec() } else { vec![] }
            },
        );
        vec![
            ("n1", node("DatasetLineage", ORDERS, &up(&[]), &down(&["n2", "n5"]))),
            ("n2", named("job", node("JobLineage", "ns.job", &up(&["n1", "n4"]), &down(&["n3"])))),
            ("n3", node("DatasetLineage", TOTALS, &up(&["n2"]), &down(&[]))),
            ("n4", node("DatasetLineage", "b", &up(&[]), &down(&["n2"]))),
            ("n5", node("DatasetLineage", "c", &up(&["n1"]), &down(&[]))),
        ]
    };
    let expected = uncatalogued(&chain(true, true));
    let of_the_job = format!("job: Table {ORDERS}, Dataset b -> Table {TOTALS}");
    assert_eq!(expected, [of_the_job, format!("c: Table {ORDERS} -> Dataset c")]);
    for (up, down) in [(true, true), (true, false), (false, true)] {
        let mut nodes = chain(up, down);
        for _ in 0..nodes.len() {
            nodes.rotate_left(1);
            assert_eq!(uncatalogued(&nodes), expected, "{up} {down}");
            let reversed: Vec<_> = nodes.iter().rev().cloned().collect();
            assert_eq!(uncatalogued(&reversed), expected, "{up} {down}");
        }
    }
}

#[test]
fn datasets_of_openlineage_get_the_source_identifier_that_assets_have() {
    for (namespace, name, source) in [
        ("arn:aws:glue:eu-west-1:111122223333", "table/sales/orders", ORDERS),
        ("arn:aws:glue:eu-west-1:111122223333/", "sales/orders", ORDERS),
        ("s3://lake", "/raw/orders", "s3://lake/raw/orders"),
        ("", "orders", "orders"),
    ] {
        assert_eq!(dataset_source(namespace, name), source);
    }
}
