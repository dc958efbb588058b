//! What is said of AWS Glue.

mod requests;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use serde::Deserialize;

use super::part::{Part, drive};
use super::render::{list, table};
use super::shapes::Model;
use super::tracer::{Fate, Member, Trace};
use crate::glue::graph::Node;
use crate::glue::page::{
    BatchGetWorkflowsAnswer, CatalogAnswer, CatalogsPage, ConnectionsPage, CrawlersPage, DatabaseAnswer, DatabasesPage, JobsPage,
    TableAnswer, TablesPage, TriggersPage, WorkflowNamesPage,
};
use crate::port::{ReadOperation, Service};
use crate::privacy::lists;

pub(super) const PART: Part = Part {
    service: Service::Glue,
    model_variable: "ISINGLASS_GLUE_MODEL",
    introduction: include_str!("glue/introduction.md"),
    answers: &[
        (ReadOperation::GetCatalogs, drive::<CatalogsPage<'static>>),
        (ReadOperation::GetCatalog, drive::<CatalogAnswer<'static>>),
        (ReadOperation::GetDatabases, drive::<DatabasesPage<'static>>),
        (ReadOperation::GetDatabase, drive::<DatabaseAnswer>),
        (ReadOperation::GetTables, drive::<TablesPage<'static>>),
        (ReadOperation::GetTable, drive::<TableAnswer>),
        (ReadOperation::GetJobs, drive::<JobsPage<'static>>),
        (ReadOperation::ListWorkflows, drive::<WorkflowNamesPage<'static>>),
        (ReadOperation::BatchGetWorkflows, drive::<BatchGetWorkflowsAnswer<'static>>),
        (ReadOperation::GetTriggers, drive::<TriggersPage<'static>>),
        (ReadOperation::GetCrawlers, drive::<CrawlersPage<'static>>),
        (ReadOperation::GetConnections, drive::<ConnectionsPage<'static>>),
    ],
    documents: &[],
    about: &[],
    remarks: REMARKS,
    dropped: DROPPED,
    structure: &[("NextToken", "Asks for the next page."), ("ResourceArn", "Of the catalog.")],
    below: nodes,
    closing: |_| String::new(),
    sent: requests::sent,
    sent_title: "What is sent",
    sent_about: "Nothing but these members; the operations take others, which are never set.",
    lists: lists::GLUE,
};

const REMARKS: &[(&str, &str, &str)] = &[
    ("NextToken", "read, not kept", "Asks for the next page."),
    ("CodeGenConfigurationNodes", "see below", "The graph of a visual job."),
    ("Columns[].Parameters", "read, not kept", "Only whether Iceberg has dropped the column (`iceberg.field.current`)."),
    ("PartitionKeys[].Parameters", "read, not kept", "Only whether Iceberg has dropped the column (`iceberg.field.current`)."),
];

const DROPPED: &[(&str, &str)] = &[
    ("AdditionalLocations", "Not needed; may hold user info."),
    ("AthenaProperties", "May hold credentials."),
    ("AuthenticationConfiguration", "Sign-in of the connection."),
    ("BlueprintDetails", "Runs."),
    ("Classifiers", "Not needed."),
    ("Configuration", "Free JSON with literals."),
    ("CrawlerDetails", "Runs, with messages that quote data."),
    ("CreateDatabaseDefaultPermissions", "Permissions are no structure."),
    ("CreateTableDefaultPermissions", "Permissions are no structure."),
    ("CustomProperties", "Anything may be in there."),
    ("Definer", "An identity."),
    ("DlqEventQueueArn", "Not needed."),
    ("Exclusions", "Patterns may hold business data."),
    ("IcebergTableMetadata", "Never asked for; holds default values and properties."),
    ("JobDetails", "Runs, with arguments and messages."),
    ("LastAccessTime", "Unreliable, and says who used what when."),
    ("LastAnalyzedTime", "About statistics, which are never read."),
    ("LastCrawl", "Messages that quote data."),
    ("LastRun", "Runs, with their properties."),
    ("LastUpdatedBy", "A person."),
    ("LogUri", "Not needed."),
    ("MissingWorkflows", "Dropped since they were listed; simply not there."),
    ("NotificationProperty", "Not needed."),
    ("Parameters", "Anything may be in there."),
    ("PhysicalConnectionRequirements", "The network's inside."),
    ("PythonProperties", "May hold credentials."),
    ("RLSProperties", "Undocumented."),
    ("SkewedInfo", "Holds values of columns."),
    ("SourceControlDetails", "Holds an access token."),
    ("SparkProperties", "May hold credentials."),
    ("Status", "The state of a check or request, with its messages."),
    ("StatusMessage", "Messages that quote data."),
    ("StatusReason", "Messages that quote data."),
    ("TriggerDetails", "Arguments."),
    ("ValidationConnection", "Not needed."),
];

/// Members of the nodes of visual jobs by what becomes of them, each with the kinds that have it.
type NodeMembers = BTreeMap<(Fate, String), BTreeSet<String>>;

fn trace_nodes(model: &Model) -> NodeMembers {
    let mut found = NodeMembers::new();
    let kinds = model.members("CodeGenConfigurationNode");
    for kind in kinds.keys() {
        let trace = Trace::default();
        let node = Member { only: Some(kind), ..Member::whole(model, &trace, "CodeGenConfigurationNode") };
        Node::deserialize(node).unwrap_or_else(|error| panic!("{kind}: {error}"));
        for (path, fate) in trace.rows.into_inner() {
            let path = path.strip_prefix(&format!("{kind}.")).unwrap_or(&path).to_owned();
            found.entry((fate, path)).or_default().insert(kind.clone());
        }
    }
    found
}

/// The table of the nodes of visual jobs, which are parsed on their own.
fn nodes(model: &Model, operation: ReadOperation) -> String {
    let mut page = String::new();
    if operation != ReadOperation::GetJobs {
        return page;
    }
    let nodes = trace_nodes(model);
    let kinds = model.members("CodeGenConfigurationNode").len();
    write!(page, "\n#### Nodes of visual jobs: `Jobs[].CodeGenConfigurationNodes`\n\n").unwrap();
    write!(
        page,
        "A node is one of {kinds} kinds. Read of each are its kind and these members; they become lineage and are not kept as they are. \
         Every other member is dropped: code, queries, filters, patterns, options and literals.\n\n"
    )
    .unwrap();
    let is_kept = |fate: &Fate| *fate != Fate::Dropped;
    let kept = nodes.iter().filter(|((fate, _), _)| is_kept(fate)).map(|((fate, member), of_kinds)| {
        let what = if *fate == Fate::Through("Location") { "read, cleaned" } else { "read" };
        let kinds = if of_kinds.len() > 30 { format!("{} kinds", of_kinds.len()) } else { list(of_kinds.iter().cloned()) };
        [format!("`{member}`"), what.to_owned(), kinds]
    });
    table(&mut page, &["Member", "What becomes of it", "Kinds"], kept);
    let dropped = nodes
        .iter()
        .filter(|((fate, _), _)| !is_kept(fate))
        .map(|((_, member), of_kinds)| format!("`{member}` ({})", of_kinds.len()));
    write!(page, "\nDropped, with the number of kinds that have them: {}.\n", list(dropped)).unwrap();
    page
}
