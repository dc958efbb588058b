//! Reading lineage: where a walk begins, how it goes on where the graph may not be queried, when it stops asking.

use model::{Attribute, Kind, Value};
use serde_json::{Value as Json, json};

use super::fake::{Answer, Call, FakeStudio};
use super::{Run, run};
use crate::port::{ErrorKind, ReadOperation};

const DATA: &str = "amazon.datazone.DatasetLineageNodeType";
const JOB: &str = "amazon.datazone.JobLineageNodeType";
const BUCKET: &str = "s3://lake/raw";

/// The ARN that the fake domain's asset of this id is made from.
fn arn(asset: &str) -> String {
    format!("arn:aws:glue:eu-west-1:111122223333:table/sales/{asset}")
}

/// `s3://lake/raw` → `load` → the first asset of `p1`.
fn nodes() -> [Json; 3] {
    [
        json!({"id": "n1", "typeName": DATA, "sourceIdentifier": BUCKET, "downstreamLineageNodeIds": ["n2"]}),
        json!({"id": "n2", "typeName": JOB, "name": "load", "upstreamLineageNodeIds": ["n1"], "downstreamLineageNodeIds": ["n3"]}),
        json!({"id": "n3", "typeName": DATA, "sourceIdentifier": arn("p1a0"), "upstreamLineageNodeIds": ["n2"]}),
    ]
}

/// Gives the graph to whoever asks for anything in it.
fn graph(call: &Call<'_>) -> Option<Answer> {
    if call.operation != ReadOperation::QueryGraph {
        return None;
    }
    let entity = call.body["match"].as_array()?.iter().find_map(|pattern| pattern["entityPattern"]["identifier"].as_str())?;
    let is_node = |node: &Json| node["id"] == entity || node["sourceIdentifier"] == entity;
    let items: Vec<_> = nodes().into_iter().map(|node| json!({"lineageNode": node})).collect();
    Some(if nodes().iter().any(is_node) { Ok(json!({"items": items})) } else { Err(ErrorKind::NotFound) })
}

/// Gives one node at a time, as `GetLineageNode` does.
fn node(call: &Call<'_>) -> Option<Answer> {
    if call.operation != ReadOperation::GetLineageNode {
        return None;
    }
    let found = nodes().into_iter().find(|node| {
        let names = [node["id"].as_str(), node["sourceIdentifier"].as_str()];
        names.into_iter().flatten().any(|name| call.is(ReadOperation::GetLineageNode, name))
    });
    let Some(mut node) = found else { return Some(Err(ErrorKind::NotFound)) };
    for (ids, references) in [("upstreamLineageNodeIds", "upstreamNodes"), ("downstreamLineageNodeIds", "downstreamNodes")] {
        let ids = node[ids].as_array().cloned().unwrap_or_default();
        node[references] = ids.into_iter().map(|id| json!({"id": id})).collect();
    }
    Some(Ok(node))
}

/// The ends of the only process.
fn ends(run: &Run) -> (Vec<String>, Vec<String>) {
    let assets = run.assets();
    let processes: Vec<_> = assets.iter().filter(|asset| asset.kind == Kind::Process).collect();
    assert_eq!(processes.len(), 1);
    let names = |end| match processes[0].attributes.get(end) {
        Some(Value::References(list)) => list.iter().map(|reference| reference.qualified_name.to_string()).collect(),
        _ => Vec::new(),
    };
    (names(Attribute::Inputs), names(Attribute::Outputs))
}

fn assert_is_the_graph(run: &Run) {
    let asset = "default/aws-smus/7/dzd_1/p1/p1a0".to_owned();
    assert_eq!(ends(run), (vec![BUCKET.to_owned()], vec![asset]));
    assert!(run.failures().is_empty(), "{:?}", run.failures());
    assert_eq!(run.is_complete("lineage"), Some(true));
}

#[test]
fn lineage_is_found_from_the_source_of_an_asset_where_no_event_names_it() {
    let api = FakeStudio::new(&[("p1", 1)]).answering(graph);
    assert_is_the_graph(&run(&api));
    // Both directions from the asset, and nothing that is known already.
    assert_eq!(api.count(ReadOperation::QueryGraph), 2);
}

#[test]
fn where_the_graph_may_not_be_queried_nodes_are_asked_for_one_by_one() {
    let api = FakeStudio::new(&[("p1", 1)]).failing(ReadOperation::QueryGraph, ErrorKind::Denied).answering(node);
    assert_is_the_graph(&run(&api));
    assert_eq!((api.count(ReadOperation::QueryGraph), api.count(ReadOperation::GetLineageNode)), (1, 3));
}

#[test]
fn what_only_an_event_says_becomes_a_process() {
    let end = |name: &str| json!({"namespace": "s3://lake", "name": name});
    let api = FakeStudio::new(&[("p1", 1)]).answering(move |call| {
        let run = json!({"eventType": "COMPLETE", "job": {"namespace": "airflow", "name": "load"}, "inputs": [end("raw")], "outputs": [end("clean")]});
        let event = json!({"id": "e1", "eventTime": 1, "eventSummary": {"openLineageRunEventSummary": run}});
        (call.operation == ReadOperation::ListLineageEvents).then(|| Ok(json!({"items": [event]})))
    });
    assert_eq!(ends(&run(&api)), (vec![BUCKET.to_owned()], vec!["s3://lake/clean".to_owned()]));
}

#[test]
fn outputs_of_failed_runs_and_events_that_were_not_processed_are_no_lineage() {
    for (event_type, status) in [("FAIL", "SUCCESS"), ("ABORT", "SUCCESS"), ("COMPLETE", "FAILED")] {
        let api = FakeStudio::new(&[("p1", 1)]).answering(move |call| {
            let end = json!({"namespace": "s3://lake", "name": "clean"});
            let run =
                json!({"eventType": event_type, "job": {"namespace": "n", "name": "load"}, "inputs": [end], "outputs": [end]});
            let event = json!({"id": "e1", "processingStatus": status, "eventSummary": {"openLineageRunEventSummary": run}});
            (call.operation == ReadOperation::ListLineageEvents).then(|| Ok(json!({"items": [event]})))
        });
        assert!(run(&api).delivered(Kind::Process).is_empty(), "{event_type} {status}");
    }
}

#[test]
fn assets_are_not_asked_for_any_more_when_many_in_a_row_have_no_lineage_and_that_is_said() {
    let api = FakeStudio::new(&[("p1", 60)]);
    let run = run(&api);
    assert_eq!(api.count(ReadOperation::QueryGraph), 25);
    assert_eq!(run.warning_codes(), ["lineage-sources-left-out"]);
}

#[test]
fn a_walk_that_breaks_off_keeps_what_it_found_and_is_not_complete() {
    let api = FakeStudio::new(&[("p1", 1)]).answering(|call| {
        (call.operation == ReadOperation::QueryGraph && call.earlier() == 1).then_some(Err(ErrorKind::Unavailable))
    });
    let run = run(&api.answering(graph));
    assert_eq!(run.failures(), [("dzd_1/lineage".to_owned(), ErrorKind::Unavailable)]);
    assert_eq!(run.is_complete("lineage"), Some(false));
}
