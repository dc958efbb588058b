//! The field table of `docs/what-we-read.md`, made from what the page structs really do with every member of AWS's public service
//! model. `UPDATE_EXPECT=1 cargo test -p connector` writes it anew; the diff is what there is to review.
//!
//! The shapes come from the committed condensed copy. Where `ISINGLASS_GLUE_MODEL` names the service model itself, the copy is
//! compared with it, so that no change of AWS's goes unseen.

mod render;
mod requests;
mod shapes;
mod tracer;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

use expect_test::expect_file;
use serde::Deserialize;
use serde::de::value::Error;

use self::shapes::{Model, Shape, condense};
use self::tracer::{Fate, Member, Trace};
use super::{
    BatchGetWorkflowsAnswer, CatalogAnswer, CatalogsPage, ConnectionsPage, CrawlersPage, DatabaseAnswer, DatabasesPage, JobsPage,
    TableAnswer, TablesPage, TriggersPage, WorkflowNamesPage,
};
use crate::glue::graph::Node;
use crate::port::{ReadOperation, Service};

const MODEL_VARIABLE: &str = "ISINGLASS_GLUE_MODEL";

fn workspace() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn model() -> Model {
    let text = fs::read_to_string(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("testdata/glue-shapes.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn member<'t>(model: &'t Model, trace: &'t Trace, shape: &'t str) -> Member<'t> {
    Member { model, trace, shape, path: String::new(), is_inside: false, only: None }
}

/// What becomes of every member of an operation's answer.
fn trace(model: &Model, operation: ReadOperation) -> Vec<(String, Fate)> {
    fn drive<T: Deserialize<'static>>(member: Member<'_>) -> Result<(), Error> {
        T::deserialize(member).map(|_| ())
    }
    let trace = Trace::default();
    let answer = member(model, &trace, &model.operations[operation.name()].output);
    #[expect(clippy::wildcard_enum_match_arm, reason = "the operations of other services have tables of their own")]
    let driven = match operation {
        ReadOperation::GetCatalogs => drive::<CatalogsPage<'static>>(answer),
        ReadOperation::GetCatalog => drive::<CatalogAnswer<'static>>(answer),
        ReadOperation::GetDatabases => drive::<DatabasesPage<'static>>(answer),
        ReadOperation::GetDatabase => drive::<DatabaseAnswer>(answer),
        ReadOperation::GetTables => drive::<TablesPage<'static>>(answer),
        ReadOperation::GetTable => drive::<TableAnswer>(answer),
        ReadOperation::GetJobs => drive::<JobsPage<'static>>(answer),
        ReadOperation::ListWorkflows => drive::<WorkflowNamesPage<'static>>(answer),
        ReadOperation::BatchGetWorkflows => drive::<BatchGetWorkflowsAnswer<'static>>(answer),
        ReadOperation::GetTriggers => drive::<TriggersPage<'static>>(answer),
        ReadOperation::GetCrawlers => drive::<CrawlersPage<'static>>(answer),
        ReadOperation::GetConnections => drive::<ConnectionsPage<'static>>(answer),
        other => panic!("{other} is no operation of Glue"),
    };
    driven.unwrap_or_else(|error| panic!("{operation}: {error}"));
    assert_eq!(*trace.unknown.borrow(), Vec::<String>::new(), "{operation}: members that AWS's model does not have");
    trace.rows.into_inner()
}

/// Members of the nodes of visual jobs by what becomes of them, each with the kinds that have it.
type NodeMembers = BTreeMap<(Fate, String), BTreeSet<String>>;

fn trace_nodes(model: &Model) -> NodeMembers {
    let mut found = NodeMembers::new();
    let kinds = model.members("CodeGenConfigurationNode");
    for kind in kinds.keys() {
        let trace = Trace::default();
        let node = Member { only: Some(kind), ..member(model, &trace, "CodeGenConfigurationNode") };
        Node::deserialize(node).unwrap_or_else(|error| panic!("{kind}: {error}"));
        for (path, fate) in trace.rows.into_inner() {
            let path = path.strip_prefix(&format!("{kind}.")).unwrap_or(&path).to_owned();
            found.entry((fate, path)).or_default().insert(kind.clone());
        }
    }
    found
}

#[test]
fn the_page_on_what_is_read_is_what_the_structs_read() {
    let model = model();
    let operations: Vec<_> = ReadOperation::of(Service::Glue).map(|operation| (operation, trace(&model, operation))).collect();
    let page = render::page(&model, &operations, &trace_nodes(&model), &requests::sent());
    expect_file![workspace().join("docs/what-we-read.md")].assert_eq(&page);
}

#[test]
fn the_condensed_shapes_are_those_of_the_service_model() {
    let Ok(path) = std::env::var(MODEL_VARIABLE) else {
        // Without the model the copy must still have every operation that is called.
        let model = model();
        let called: Vec<_> = ReadOperation::of(Service::Glue).map(ReadOperation::name).collect();
        assert!(called.iter().all(|name| model.operations.contains_key(*name)) && model.operations.len() == called.len());
        return;
    };
    let path = workspace().join(path);
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{MODEL_VARIABLE} is {}: {error}", path.display()));
    let real = condense(&serde_json::from_str(&text).unwrap(), ReadOperation::of(Service::Glue).map(ReadOperation::name));
    let committed = Model { source: String::new(), ..model() };
    assert!(
        committed == real,
        "AWS's model of Glue is not the one that testdata/glue-shapes.json was made from; run scripts/condense-service-model.py on it and review the diff"
    );
}

#[test]
fn members_that_hold_values_or_secrets_are_never_kept_as_they_are() {
    let model = model();
    for operation in ReadOperation::of(Service::Glue) {
        for (path, fate) in trace(&model, operation) {
            let last = path.rsplit('.').next().unwrap_or(&path).trim_end_matches("[]");
            let is_sensitive = model_is_map(&model, operation, &path)
                || [
                    "Description",
                    "Comment",
                    "Text",
                    "Location",
                    "Uri",
                    "Arguments",
                    "Properties",
                    "Message",
                    "Reason",
                    "Owner",
                    "By",
                    "Path",
                    "Paths",
                    "Role",
                    "Token",
                    "Values",
                ]
                .iter()
                .any(|word| last.ends_with(word));
            assert!(!is_sensitive || fate != Fate::Kept || last == "NextToken", "{operation}: {path} is kept as it is");
        }
    }
}

/// Whether a path of a trace ends in a map: maps hold what anyone writes into them.
fn model_is_map(model: &Model, operation: ReadOperation, path: &str) -> bool {
    let mut shape = &model.operations[operation.name()].output;
    for part in path.split('.') {
        let name = part.trim_end_matches("[]");
        let Some(Shape::Structure { members }) = model.shapes.get(shape) else { return false };
        shape = &members[name];
        if part.ends_with("[]")
            && let Some(Shape::List { member }) = model.shapes.get(shape)
        {
            shape = member;
        }
    }
    matches!(model.shapes.get(shape), Some(Shape::Map { .. }))
}
