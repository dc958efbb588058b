//! Jobs of the graph and of events: through which nodes their inputs and outputs are found, and that one job is one process.

use super::{Catalog, JobEvent, Kind, ORDERS, TOTALS, graph, job_key, lines, named, node, uncatalogued};

fn event(job: &str, inputs: &[&str], outputs: &[&str]) -> JobEvent {
    let sources = |list: &[&str]| list.iter().map(|source| (*source).to_owned()).collect();
    JobEvent {
        event_id: "e1".to_owned(),
        at_ms: 1,
        job: job_key(job),
        name: format!("{job} of events"),
        inputs: sources(inputs),
        outputs: sources(outputs),
    }
}

#[test]
fn a_job_has_the_inputs_and_outputs_that_its_node_names() {
    let nodes = [
        ("n1", node("DatasetLineage", "a", &[], &[])),
        ("n2", node("DatasetLineage", "b", &[], &[])),
        ("n3", named("load", node("JobLineage", "ns.load", &["n2", "n1"], &["n4", "n5"]))),
        ("n4", node("DatasetLineage", "d", &[], &[])),
        ("n5", node("DatasetLineage", "c", &[], &[])),
    ];
    assert_eq!(uncatalogued(&nodes), ["load: Dataset a, Dataset b -> Dataset c, Dataset d"]);
}

#[test]
fn a_job_whose_neighbours_name_it_reads_and_writes_them() {
    let nodes = [
        ("n1", node("DatasetLineage", ORDERS, &[], &["n3"])),
        ("n3", named("load", node("JobLineage", "ns.load", &[], &[]))),
        ("n4", node("DatasetLineage", TOTALS, &["n3"], &[])),
    ];
    let catalog = Catalog::default().with(ORDERS, "p/orders");
    let expected = format!("load: {} p/orders -> Table {TOTALS}", Kind::SmusPublishedAsset);
    assert_eq!(lines(&graph(&nodes, &[], &catalog)), [expected]);
}

#[test]
fn runs_of_a_job_are_the_job_and_what_they_read_and_write_is_named_once() {
    let nodes = [
        ("n1", node("DatasetLineage", "a", &[], &["r1", "r2"])),
        ("n2", node("DatasetLineage", "b", &["r1", "r2"], &[])),
        ("n3", node("DatasetLineage", "c", &["r2"], &[])),
        ("j", named("load", node("JobLineage", "ns.load", &[], &["r1", "r2"]))),
        ("r1", named("run of monday", node("JobRunLineage", "ns.load/1111", &["j"], &[]))),
        ("r2", named("run of tuesday", node("JobRunLineage", "odd name", &[], &[]))),
    ];
    // The second run is named by the job alone.
    assert_eq!(uncatalogued(&nodes[..5]), ["load: Dataset a -> Dataset b"]);
    let mut both = nodes.to_vec();
    both[5].1.upstream.insert("j".to_owned());
    assert_eq!(uncatalogued(&both), ["load: Dataset a -> Dataset b, Dataset c"]);
}

#[test]
fn runs_without_a_node_of_their_job_are_one_job_by_their_source() {
    let nodes = [
        ("n1", node("DatasetLineage", "a", &[], &["r1", "r2"])),
        ("n2", node("DatasetLineage", "b", &["r1"], &[])),
        ("n3", node("DatasetLineage", "c", &["r2"], &[])),
        ("r1", named("run of monday", node("JobRunLineage", "ns.load/1111", &[], &[]))),
        ("r2", node("JobRunLineage", "ns.load/2222", &[], &[])),
        ("n4", node("DatasetLineage", "d", &["r3"], &[])),
        ("r3", node("JobRunLineage", "ns.other/1111", &[], &[])),
    ];
    assert_eq!(uncatalogued(&nodes), ["load: Dataset a -> Dataset b, Dataset c", "other:  -> Dataset d"]);
}

#[test]
fn a_run_is_the_same_process_as_its_job_so_that_a_crawl_that_sees_less_renames_nothing() {
    let run = ("r1", node("JobRunLineage", "ns.load/1111", &[], &[]));
    let job = ("j", named("load", node("JobLineage", "ns.load", &[], &["r1"])));
    let data = ("n1", node("DatasetLineage", "b", &["r1"], &[]));
    let name = |nodes: &[_]| graph(nodes, &[], &Catalog::default())[0].qualified_name.clone();
    assert_eq!(name(&[run.clone(), data.clone()]), name(&[run, job, data]));
}

#[test]
fn a_job_that_starts_another_passes_no_data_to_it() {
    let nodes = [
        ("n1", node("DatasetLineage", "a", &[], &["j1"])),
        ("j1", named("first", node("JobLineage", "ns.first", &[], &["j2"]))),
        ("j2", named("second", node("JobLineage", "ns.second", &[], &["n2"]))),
        ("n2", node("DatasetLineage", "b", &[], &[])),
        ("j3", named("idle", node("JobLineage", "ns.idle", &["j2"], &[]))),
    ];
    assert_eq!(uncatalogued(&nodes), ["first: Dataset a -> ", "second:  -> Dataset b"]);
}

#[test]
fn a_job_that_only_events_know_is_a_process_too() {
    let catalog = Catalog::default().with(TOTALS, "p/totals");
    let events = [event("ns/load", &["b", "a", "a"], &[TOTALS]), event("ns.empty", &[], &[])];
    let expected = format!("ns/load of events: Dataset a, Dataset b -> {} p/totals", Kind::SmusPublishedAsset);
    assert_eq!(lines(&graph(&[], &events, &catalog)), [expected]);
}

#[test]
fn a_job_that_graph_and_events_know_is_what_the_graph_says_however_it_is_spelt() {
    let nodes = [
        ("n1", node("DatasetLineage", "a", &[], &["j"])),
        ("j", named("load", node("JobLineage", "ns/load", &[], &["n2"]))),
        ("n2", node("DatasetLineage", "b", &[], &[])),
    ];
    let events = [event("ns.load", &["a by another name"], &["b"]), event("ns.other", &["b"], &["c"])];
    let processes = graph(&nodes, &events, &Catalog::default());
    assert_eq!(lines(&processes), ["load: Dataset a -> Dataset b", "ns.other of events: Dataset b -> Dataset c"]);
    let of_events = graph(&[], &events, &Catalog::default());
    assert_eq!(processes[0].qualified_name, of_events[0].qualified_name);
}
