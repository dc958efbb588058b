//! Traces to the page `docs/what-we-read.md`.

use std::fmt::Write as _;

use super::NodeMembers;
use super::requests::Sent;
use super::shapes::{Model, Shape};
use super::tracer::Fate;
use crate::port::{ReadOperation, Service};
use crate::privacy::lists;

const INTRODUCTION: &str = include_str!("introduction.md");

/// What the masking types do, by the name that they go by.
const THROUGH: &[(&str, &str, &str)] = &[
    ("FreeText", "kept, secrets masked", "Text by people: what looks like a credential is replaced by `***`."),
    ("TypeText", "kept, secrets masked", "Structure; comments inside nested types go through the secret scanner."),
    (
        "Parameters",
        "known keys only",
        "Keys of a fixed list (below) are kept, their values through the secret scanner; Spark's schema is read in memory for column names, types and comments; counts (`recordCount`, `sizeKey`, …) only where they are whole numbers. The value of any other key is skipped unread.",
    ),
    (
        "Arguments",
        "names; known flags with value",
        "Values only of flags that are known to be settings (below), paths cleaned as locations are. Of all others the name is kept and the value is skipped unread.",
    ),
    (
        "ConnectionProperties",
        "known keys only",
        "Host, port, database, engine and references to secrets and roles; a JDBC URL is reduced to scheme, host, port and database. The value of any other key is skipped unread.",
    ),
    ("Location", "kept, cleaned", "Without user info, query and fragment; the values of `key=value` segments are replaced by `*`."),
    (
        "ViewSql",
        "kept, literals masked",
        "Every literal reads `?` and comments are left out; columns and lineage are derived in memory. Whole only with `--keep view-sql`.",
    ),
    (
        "Person",
        "kept without names",
        "Session names and user names are cut from ARNs; what is no ARN is dropped. Whole only with `--keep person-names`.",
    ),
    ("Owner", "kept without names", "E-mail addresses are dropped, secrets masked. Whole only with `--keep person-names`."),
    ("Role", "kept without names", "A reference to a role, without a session name."),
    ("Sign", "read, not kept", "Compared with known words to tell the kind or format."),
    ("Present", "read, not kept", "Whether it is there; its content is skipped unread."),
];

/// Why a member is dropped that a reader might look for, by the end of its path.
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

const NOT_NEEDED: &str = "Not needed.";

pub(super) fn page(model: &Model, operations: &[(ReadOperation, Vec<(String, Fate)>)], nodes: &NodeMembers, sent: &Sent) -> String {
    let mut page = INTRODUCTION.replace("{source}", &model.source);
    for (operation, rows) in operations {
        write!(page, "\n### {}\n\n", operation.name()).unwrap();
        let output = &model.operations[operation.name()].output;
        table(
            &mut page,
            &["Field", "What becomes of it", "How, or why not"],
            rows.iter().map(|(path, fate)| row(model, output, path, *fate)),
        );
        if *operation == ReadOperation::GetJobs {
            write_nodes(&mut page, model, nodes);
        }
    }
    page.push_str("\n## The keys that are known\n\n");
    for (what, keys) in lists::ALL {
        writeln!(page, "- {what}: {}.", list(keys.iter().map(|key| format!("`{key}`")))).unwrap();
    }
    page.push_str("\n## What is sent\n\nNothing but these members; the operations take others, which are never set.\n\n");
    let rows = ReadOperation::of(Service::Glue).map(|operation| {
        let used = &sent[&operation];
        let of_model = model.members(&model.operations[operation.name()].input);
        assert!(
            used.keys().all(|member| of_model.contains_key(member)),
            "{operation}: {used:?} has members that AWS's model does not have"
        );
        let never = of_model.keys().filter(|member| !used.contains_key(*member));
        let used = used.iter().map(|(member, values)| match values.first() {
            // A switch that is always set the same way says more with its value.
            Some(value) if values.len() == 1 && (value == "true" || value == "\"ALL\"") => {
                format!("`{member}` = `{}`", value.trim_matches('"'))
            }
            _ => format!("`{member}`"),
        });
        [format!("`{}`", operation.name()), list(used), list(never.map(|member| format!("`{member}`")))]
    });
    table(&mut page, &["Operation", "Members that are sent", "Members that are never sent"], rows);
    page
}

fn table(page: &mut String, head: &[&str; 3], rows: impl Iterator<Item = [String; 3]>) {
    writeln!(page, "| {} |\n|---|---|---|", head.join(" | ")).unwrap();
    for cells in rows {
        writeln!(page, "| {} |", cells.map(|cell| cell.replace('|', "\\|")).join(" | ")).unwrap();
    }
}

fn row(model: &Model, output: &str, path: &str, fate: Fate) -> [String; 3] {
    let field = format!("`{path}`");
    match fate {
        Fate::Kept if path == "NextToken" => [field, "read, not kept".into(), "Asks for the next page.".into()],
        Fate::Kept => [field, "kept".into(), String::new()],
        Fate::Raw => [field, "see below".into(), "The graph of a visual job.".into()],
        Fate::Through("Parameters") if path.ends_with("Columns[].Parameters") || path.ends_with("PartitionKeys[].Parameters") => {
            [field, "read, not kept".into(), "Only whether Iceberg has dropped the column (`iceberg.field.current`).".into()]
        }
        Fate::Through(name) => {
            let (_, what, how) =
                THROUGH.iter().find(|entry| entry.0 == name).unwrap_or_else(|| panic!("{name} masks, but how is not said"));
            [field, (*what).into(), (*how).into()]
        }
        Fate::Dropped => {
            let name = path.rsplit('.').next().unwrap_or(path);
            let why = DROPPED.iter().find(|entry| entry.0 == name).map_or(NOT_NEEDED, |entry| entry.1);
            let below = below(model, output, path);
            [field, "dropped".into(), if below.is_empty() { why.into() } else { format!("{why} With all below it: {below}.") }]
        }
    }
}

/// The names one level below a member that is dropped as a whole.
fn below(model: &Model, output: &str, path: &str) -> String {
    let mut shape = output;
    for part in path.split('.') {
        let Some(Shape::Structure { members }) = model.shapes.get(shape) else { return String::new() };
        shape = &members[part.trim_end_matches("[]")];
        while let Some(Shape::List { member }) = model.shapes.get(shape) {
            shape = member;
        }
    }
    match model.shapes.get(shape) {
        Some(Shape::Structure { members }) => list(members.keys().map(|name| format!("`{name}`"))),
        _ => String::new(),
    }
}

fn list(items: impl Iterator<Item = String>) -> String {
    items.collect::<Vec<_>>().join(", ")
}

fn write_nodes(page: &mut String, model: &Model, nodes: &NodeMembers) {
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
    table(page, &["Member", "What becomes of it", "Kinds"], kept);
    let dropped = nodes
        .iter()
        .filter(|((fate, _), _)| !is_kept(fate))
        .map(|((_, member), of_kinds)| format!("`{member}` ({})", of_kinds.len()));
    write!(page, "\nDropped, with the number of kinds that have them: {}.\n", list(dropped)).unwrap();
}
