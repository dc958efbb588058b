//! The walk through graphs that are larger than one question: long chains, cycles, many seeds, seeds that the service does not take; and
//! when the lineage of a domain counts as read.

#![expect(clippy::wildcard_enum_match_arm, reason = "a script answers the operations that it is about")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use model::{Attribute, Kind, Value};
use serde_json::{Value as Json, json};

use super::fake::{Answer, Call, FakeStudio, page_of};
use super::{Run, run};
use crate::port::{ErrorKind, ReadOperation};

const JOB: &str = "amazon.datazone.JobLineageNodeType";
const DATA: &str = "amazon.datazone.DatasetLineageNodeType";

/// A graph of datasets and jobs, asked for as the service allows: so many hops, one direction, fifty nodes a page.
#[derive(Clone, Default)]
struct Graph {
    nodes: BTreeMap<String, (&'static str, String)>,
    edges: BTreeSet<(String, String)>,
    leaves_out_start: bool,
    asked: Arc<Mutex<Vec<(String, String)>>>,
}

impl Graph {
    fn node(mut self, id: &str, type_name: &'static str, source: &str) -> Self {
        self.nodes.insert(id.to_owned(), (type_name, source.to_owned()));
        self
    }

    fn edge(mut self, from: &str, to: &str) -> Self {
        self.edges.insert((from.to_owned(), to.to_owned()));
        self
    }

    /// `d0` → `j0` → `d1` → `j1` → …; the first dataset is what the fake domain's first asset is made from.
    fn chain(length: usize) -> Self {
        (0..length).fold(Self::default().node("d0", DATA, &arn("p1a0")), |graph, number| {
            let (data, job, next) = (format!("d{number}"), format!("j{number}"), format!("d{}", number + 1));
            let graph = graph.node(&job, JOB, &format!("ns.job{number}")).node(&next, DATA, &format!("s3://lake/{next}"));
            graph.edge(&data, &job).edge(&job, &next)
        })
    }

    fn find(&self, identifier: &str) -> Option<&str> {
        self.nodes.iter().find(|(id, (_, source))| *id == identifier || source == identifier).map(|(id, _)| id.as_str())
    }

    fn neighbours(&self, id: &str, direction: &str) -> Vec<String> {
        let far = |(from, to): &(String, String)| match direction {
            "OUT" => (from == id).then(|| to.clone()),
            _ => (to == id).then(|| from.clone()),
        };
        self.edges.iter().filter_map(far).collect()
    }

    fn json(&self, id: &str, names: [&str; 2], wrap: impl Fn(String) -> Json) -> Json {
        let (type_name, source) = &self.nodes[id];
        let ids = |direction| self.neighbours(id, direction).into_iter().map(&wrap).collect::<Vec<_>>();
        json!({"id": id, "typeName": type_name, "sourceIdentifier": source, names[0]: ids("IN"), names[1]: ids("OUT")})
    }

    fn query(&self, call: &Call<'_>) -> Answer {
        let clauses = call.body["match"].as_array().unwrap();
        assert_eq!(clauses.len(), 2, "the service takes exactly two");
        let relation = &clauses[0]["relationPattern"];
        let identifier = clauses[1]["entityPattern"]["identifier"].as_str().unwrap();
        let direction = relation["relationDirection"].as_str().unwrap();
        if call.token().is_none() {
            self.asked.lock().unwrap().push((identifier.to_owned(), direction.to_owned()));
        }
        let start = self.find(identifier).ok_or(ErrorKind::NotFound)?;
        let mut found = BTreeSet::from([start.to_owned()]);
        let mut front = vec![start.to_owned()];
        for _ in 0..relation["maxPathLength"].as_u64().unwrap() {
            front = front.iter().flat_map(|id| self.neighbours(id, direction)).filter(|id| found.insert(id.clone())).collect();
        }
        found.retain(|id| !self.leaves_out_start || id != start);
        let names = ["upstreamLineageNodeIds", "downstreamLineageNodeIds"];
        let items: Vec<_> = found.iter().map(|id| json!({"lineageNode": self.json(id, names, Json::from)})).collect();
        Ok(page_of(call, &items, 50))
    }

    fn get(&self, call: &Call<'_>) -> Answer {
        let is_asked = |id: &&String| call.names(id) || call.names(&self.nodes[*id].1);
        let id = self.nodes.keys().find(is_asked).ok_or(ErrorKind::NotFound)?;
        Ok(self.json(id, ["upstreamNodes", "downstreamNodes"], |id| json!({"id": id})))
    }

    fn studio(&self, assets: usize) -> FakeStudio {
        let graph = self.clone();
        FakeStudio::new(&[("p1", assets)]).answering(move |call| match call.operation {
            ReadOperation::QueryGraph => Some(graph.query(call)),
            ReadOperation::GetLineageNode => Some(graph.get(call)),
            _ => None,
        })
    }
}

fn arn(asset: &str) -> String {
    format!("arn:aws:glue:eu-west-1:111122223333:table/sales/{asset}")
}

/// `name: inputs -> outputs` of every process, sorted.
fn processes(run: &Run) -> Vec<String> {
    let names = |value: Option<&Value>| match value {
        Some(Value::References(list)) => {
            let name = |name: &str| name.rsplit('/').next().unwrap().to_owned();
            list.iter().map(|reference| name(reference.qualified_name.as_str())).collect::<Vec<_>>().join("+")
        }
        _ => String::new(),
    };
    let assets = run.assets();
    let of_kind = assets.iter().filter(|asset| asset.kind == Kind::Process);
    let line = |asset: &model::Asset| {
        let end = |end| names(asset.attributes.get(end));
        format!("{}: {} -> {}", asset.name, end(Attribute::Inputs), end(Attribute::Outputs))
    };
    let mut lines: Vec<_> = of_kind.map(line).collect();
    lines.sort();
    lines
}

fn assert_whole(run: &Run, count: usize) {
    assert_eq!(processes(run).len(), count, "{:?}", processes(run));
    assert!(run.failures().is_empty(), "{:?}", run.failures());
    assert_eq!(run.is_complete("lineage"), Some(true));
}

#[test]
fn a_chain_that_is_longer_than_one_question_is_followed_to_its_end_and_nothing_is_asked_twice() {
    let graph = Graph::chain(40);
    let api = graph.studio(1);
    let run = run(&api);
    assert_whole(&run, 40);
    let asked = graph.asked.lock().unwrap();
    assert_eq!(asked.iter().collect::<BTreeSet<_>>().len(), asked.len(), "{asked:?}");
    // 81 nodes, five at a time, both ways.
    assert!(asked.len() <= 2 * 81 / 5 + 2, "{} questions", asked.len());
}

#[test]
fn a_graph_that_goes_round_ends_where_it_began() {
    let graph = Graph::chain(9).edge("j3", "d1").edge("d9", "j0");
    assert_whole(&run(&graph.studio(1)), 9);
}

#[test]
fn a_query_that_leaves_out_where_it_began_is_completed_by_the_node_itself() {
    let graph = Graph { leaves_out_start: true, ..Graph::chain(3) };
    let api = graph.studio(1);
    let run = run(&api);
    assert_whole(&run, 3);
    assert_eq!(processes(&run)[0], "job0: p1a0 -> d1");
    assert!(api.count(ReadOperation::GetLineageNode) > 0);
}

#[test]
fn more_than_a_page_of_neighbours_is_read() {
    let wide = (0..120).fold(Graph::chain(1), |graph, number| {
        let id = format!("w{number:03}");
        graph.node(&id, DATA, &format!("s3://lake/{id}")).edge(&id, "j0")
    });
    let run = run(&wide.studio(1));
    assert_whole(&run, 1);
    assert_eq!(processes(&run)[0].matches('+').count(), 120);
}

/// Events that name so many datasets, each a graph of its own: raw → job → clean.
fn many_seeds(count: usize) -> (Graph, Vec<Json>) {
    let graph = (0..count).fold(Graph::default(), |graph, number| {
        let (raw, job, clean) = (format!("r{number:03}"), format!("j{number:03}"), format!("c{number:03}"));
        let graph = graph.node(&raw, DATA, &format!("s3://raw/{number}")).node(&clean, DATA, &format!("s3://clean/{number}"));
        graph.node(&job, JOB, &format!("ns.{job}")).edge(&raw, &job).edge(&job, &clean)
    });
    let event = |number: usize| {
        let end = |bucket: &str| json!({"namespace": format!("s3://{bucket}"), "name": number.to_string()});
        let run = json!({"eventType": "COMPLETE", "job": {"namespace": "ns", "name": format!("j{number:03}")}, "inputs": [end("raw")], "outputs": [end("clean")]});
        json!({"id": format!("event{number}"), "eventTime": number, "eventSummary": {"openLineageRunEventSummary": run}})
    };
    (graph, (0..count).map(event).collect())
}

fn with_events(api: FakeStudio, events: Vec<Json>) -> FakeStudio {
    api.answering(move |call| match call.operation {
        ReadOperation::ListLineageEvents => Some(Ok(page_of(call, &events, 50))),
        ReadOperation::GetLineageEvent => Some(Ok(json!({}))),
        _ => None,
    })
}

#[test]
fn many_seeds_are_asked_for_several_at_once_also_where_the_graph_may_not_be_queried() {
    let (graph, events) = many_seeds(150);
    let open = with_events(graph.studio(0), events.clone());
    assert_whole(&run(&open), 150);
    let graph_denied = with_events(FakeStudio::new(&[("p1", 0)]), events).failing(ReadOperation::QueryGraph, ErrorKind::Denied);
    let nodes = graph.clone();
    let closed = graph_denied.answering(move |call| (call.operation == ReadOperation::GetLineageNode).then(|| nodes.get(call)));
    assert_whole(&run(&closed), 150);
    assert!(closed.count(ReadOperation::QueryGraph) <= 4);
}

#[test]
fn a_seed_that_the_service_does_not_take_costs_its_own_lineage_only() {
    let (graph, events) = many_seeds(5);
    let api = FakeStudio::new(&[("p1", 0)]).answering(|call| {
        let refused = ["s3://raw/3", "s3://clean/3"];
        let is_queried = |source: &&str| call.body.to_string().contains(&format!("{source}\""));
        let is_asked = |source: &&str| call.is(ReadOperation::GetLineageNode, source);
        refused.iter().any(|source| is_queried(source) || is_asked(source)).then_some(Err(ErrorKind::Invalid))
    });
    let inner = graph.clone();
    let api = with_events(api, events).answering(move |call| match call.operation {
        ReadOperation::QueryGraph => Some(inner.query(call)),
        ReadOperation::GetLineageNode => Some(inner.get(call)),
        _ => None,
    });
    let run = run(&api);
    assert_eq!(processes(&run).len(), 5);
    assert_eq!(run.warning_codes(), ["lineage-node-refused"]);
    assert!(run.failures().is_empty());
    assert_eq!(run.is_complete("lineage"), Some(false));
}

#[test]
fn lineage_is_not_complete_where_assets_or_columns_were_not_read() {
    let (_, events) = many_seeds(2);
    for (operation, answer, code) in [
        (ReadOperation::SearchListings, Err(ErrorKind::Unavailable), None),
        (ReadOperation::ListLineageEvents, Err(ErrorKind::Throttled), None),
        (ReadOperation::GetLineageEvent, Err(ErrorKind::Throttled), None),
        (ReadOperation::GetLineageEvent, Err(ErrorKind::Denied), None),
        (ReadOperation::GetLineageEvent, Err(ErrorKind::NotFound), None),
        (ReadOperation::GetLineageEvent, Ok(json!("no event")), Some("lineage-event-unreadable")),
    ] {
        let told = format!("{operation} {answer:?}");
        let answer = Mutex::new(answer);
        let again = move || match &*answer.lock().unwrap() {
            Ok(body) => Ok(body.clone()),
            Err(kind) => Err(*kind),
        };
        let api = FakeStudio::new(&[("p1", 1)]).answering(move |call| (call.operation == operation).then(&again));
        let run = run(&with_events(api, events.clone()));
        assert_eq!(run.is_complete("lineage"), Some(false), "{told}");
        assert_eq!(run.warning_codes().contains(&"lineage-event-unreadable"), code.is_some(), "{told}");
    }
}

#[test]
fn of_each_job_the_latest_event_that_says_what_it_writes_counts_and_its_payload_alone_is_read() {
    let event = |id: &str, at: i64, event_type: &str, outputs: Json| {
        let run = json!({"eventType": event_type, "job": {"namespace": "ns", "name": "load"}, "inputs": [], "outputs": outputs});
        json!({"id": id, "eventTime": at, "eventSummary": {"openLineageRunEventSummary": run}})
    };
    let end = |name: &str| json!([{"namespace": "s3://lake", "name": name}]);
    let events = vec![
        event("e4", 4, "COMPLETE", json!([])),
        event("e3", 3, "FAIL", end("failed")),
        event("e1", 1, "COMPLETE", end("old")),
        event("e2", 2, "COMPLETE", end("new")),
    ];
    let asked = Arc::new(Mutex::new(Vec::new()));
    let asked_for = Arc::clone(&asked);
    let api = FakeStudio::new(&[("p1", 0)]).answering(move |call| {
        if call.operation == ReadOperation::GetLineageEvent {
            asked_for.lock().unwrap().extend(["e1", "e2", "e3", "e4"].into_iter().filter(|id| call.names(id)));
        }
        None
    });
    let run = run(&with_events(api, events));
    assert_eq!(processes(&run), ["load:  -> new"]);
    assert_eq!(*asked.lock().unwrap(), ["e2"]);
    assert_eq!(run.delivered(Kind::ColumnProcess), Vec::<String>::new());
}

#[test]
fn columns_go_by_the_name_that_the_catalog_knows_of_a_dataset() {
    let run_event = json!({"eventType": "COMPLETE", "job": {"namespace": "ns", "name": "load"}, "inputs": [], "outputs": [{"namespace": "file", "name": "/warehouse/p1a0"}]});
    let payload = json!({
        "inputs": [{"namespace": "s3://lake", "name": "raw", "facets": {"documentation": {"description": "CANARY"}}}],
        "outputs": [{"namespace": "file", "name": "/warehouse/p1a0", "facets": {
            "symlinks": {"identifiers": [{"namespace": "arn:aws:glue:eu-west-1:111122223333", "name": "table/sales/p1a0", "type": "TABLE"}]},
            "columnLineage": {"fields": {"id": {"inputFields": [{"namespace": "s3://lake", "name": "raw", "field": "a/b"}],
                "transformationDescription": "CANARY"}}}}}],
        "run": {"facets": {"sql": {"query": "CANARY"}}}});
    let api = FakeStudio::new(&[("p1", 1)]).answering(move |call| match call.operation {
        ReadOperation::ListLineageEvents => {
            Some(Ok(json!({"items": [{"id": "e1", "eventTime": 1, "eventSummary": {"openLineageRunEventSummary": run_event}}]})))
        }
        ReadOperation::GetLineageEvent => Some(Ok(payload.clone())),
        _ => None,
    });
    let run = run(&api);
    let assets = run.assets();
    let column = assets.iter().find(|asset| asset.kind == Kind::ColumnProcess).unwrap();
    let ends = [Attribute::Inputs, Attribute::Outputs].map(|end| format!("{:?}", column.attributes.get(end)));
    assert!(ends[0].contains("s3://lake/raw/a%2Fb"), "{}", ends[0]);
    assert!(ends[1].contains("default/aws-smus/7/dzd_1/p1/p1a0/id") && ends[1].contains("SmusAssetSchema"), "{}", ends[1]);
    assert!(!format!("{assets:?}").contains("CANARY"));
}

#[test]
fn nodes_of_one_source_that_two_projects_publish_are_no_lineage_of_each_other() {
    let shared = arn("shared");
    let listings: Vec<_> = ["p1", "p2"]
        .iter()
        .map(|project| {
            let forms = json!({"GlueTableForm": {"tableArn": shared, "columns": []}}).to_string();
            json!({"assetListing": {"listingId": format!("l-{project}"), "entityId": format!("a-{project}"), "owningProjectId": project, "additionalAttributes": {"forms": forms}}})
        })
        .collect();
    let asset = "amazon.datazone.AssetLineageNodeType";
    let listing = "amazon.datazone.AssetListingLineageNodeType";
    let graph = Graph::default()
        .node("raw", DATA, "s3://lake/raw")
        .node("data", DATA, &shared)
        .node("n1", asset, "dzd_1/asset/a-p1")
        .node("n2", asset, "dzd_1/asset/a-p2")
        .node("n3", asset, "dzd_1/asset/not-published")
        .node("l1", listing, "dzd_1/listing/l-p1")
        .edge("raw", "data")
        .edge("data", "n1")
        .edge("data", "n2")
        .edge("data", "n3")
        .edge("n1", "l1");
    let api = FakeStudio::new(&[("p1", 0), ("p2", 0)])
        .answering(move |call| (call.operation == ReadOperation::SearchListings).then(|| Ok(page_of(call, &listings, 50))))
        .answering(move |call| match call.operation {
            ReadOperation::QueryGraph => Some(graph.query(call)),
            _ => None,
        });
    let run = run(&api);
    let lines = processes(&run);
    let ends: Vec<_> = lines.iter().filter_map(|line| line.split_once(": ")).map(|(_, ends)| ends).collect();
    assert_eq!(ends.len(), 2, "{lines:?}");
    assert!(ends.contains(&"raw -> a-p1") && ends.contains(&"raw -> a-p2"), "{lines:?}");
}
