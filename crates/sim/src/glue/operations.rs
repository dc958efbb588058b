//! Which operations there are: permitted reads with their answers, and everything that is refused and recorded.

use super::resources::{self, Kind};
use super::{Context, GlueError, catalogs, databases, tables};
use crate::account::Collection;

pub(crate) type Handler = fn(&Context<'_>) -> Result<Vec<u8>, GlueError>;

/// What an operation is to a reader of structure.
#[derive(Clone, Copy, Debug)]
pub(crate) enum OperationKind {
    Read(Handler),
    /// A write, or a read that gives values, credentials or run arguments.
    Refused,
    Unknown,
}

const JOB: Kind = Kind {
    collection: Collection::Job,
    noun: "Job",
    one: "Job",
    many: "Jobs",
    names: "JobNames",
    missing: "JobsNotFound",
    name: "JobName",
    page_max: 1_000,
    batch_max: 1_000,
};
const WORKFLOW: Kind = Kind {
    collection: Collection::Workflow,
    noun: "Workflow",
    one: "Workflow",
    many: "Workflows",
    names: "Names",
    missing: "MissingWorkflows",
    name: "Name",
    page_max: 25,
    batch_max: 25,
};
const TRIGGER: Kind = Kind {
    collection: Collection::Trigger,
    noun: "Trigger",
    one: "Trigger",
    many: "Triggers",
    names: "TriggerNames",
    missing: "TriggersNotFound",
    name: "Name",
    page_max: 200,
    batch_max: 1_000,
};
const CRAWLER: Kind = Kind {
    collection: Collection::Crawler,
    noun: "Crawler",
    one: "Crawler",
    many: "Crawlers",
    names: "CrawlerNames",
    missing: "CrawlersNotFound",
    name: "Name",
    page_max: 1_000,
    batch_max: 100,
};

/// Reads to IAM, but of values or of what runs were given.
const VALUE_READS: [&str; 12] = [
    "GetPartitions",
    "GetPartition",
    "BatchGetPartition",
    "GetColumnStatisticsForTable",
    "GetColumnStatisticsForPartition",
    "GetColumnStatisticsTaskRun",
    "GetJobRuns",
    "GetJobRun",
    "GetWorkflowRuns",
    "GetWorkflowRun",
    "GetWorkflowRunProperties",
    "GetUnfilteredPartitionsMetadata",
];

const WRITE_VERBS: [&str; 27] = [
    "BatchCreate",
    "BatchDelete",
    "BatchPut",
    "BatchStop",
    "BatchUpdate",
    "Cancel",
    "Create",
    "Delete",
    "Import",
    "Modify",
    "Publish",
    "Put",
    "Register",
    "Remove",
    "Reset",
    "Resume",
    "Run",
    "Start",
    "Stop",
    "Tag",
    "Untag",
    "Update",
    "Associate",
    "Disassociate",
    "Enable",
    "Disable",
    "Test",
];

pub(crate) fn kind_of(operation: &str) -> OperationKind {
    let handler = catalog_read(operation).or_else(|| resource_read(operation)).or_else(|| empty_read(operation));
    if let Some(handler) = handler {
        return OperationKind::Read(handler);
    }
    if VALUE_READS.contains(&operation) || WRITE_VERBS.iter().any(|verb| operation.starts_with(verb)) {
        return OperationKind::Refused;
    }
    OperationKind::Unknown
}

fn catalog_read(operation: &str) -> Option<Handler> {
    Some(match operation {
        "GetCatalogs" => catalogs::get_catalogs,
        "GetCatalog" => catalogs::get_catalog,
        "GetDatabases" => databases::get_databases,
        "GetDatabase" => databases::get_database,
        "GetTables" => tables::get_tables,
        "GetTable" => tables::get_table,
        "GetTableVersions" => tables::get_table_versions,
        "GetUserDefinedFunctions" => resources::get_functions,
        "GetConnections" => resources::get_connections,
        "GetConnection" => resources::get_connection,
        "GetTags" => resources::get_tags,
        _ => return None,
    })
}

fn resource_read(operation: &str) -> Option<Handler> {
    Some(match operation {
        "GetJobs" => |context| resources::list_documents(context, JOB),
        "GetJob" => |context| resources::get_one(context, JOB),
        "ListJobs" => |context| resources::list_names(context, JOB),
        "BatchGetJobs" => |context| resources::batch(context, JOB),
        "GetWorkflow" => |context| resources::get_one(context, WORKFLOW),
        "ListWorkflows" => |context| resources::list_names(context, WORKFLOW),
        "BatchGetWorkflows" => |context| resources::batch(context, WORKFLOW),
        "GetTriggers" => |context| resources::list_documents(context, TRIGGER),
        "GetTrigger" => |context| resources::get_one(context, TRIGGER),
        "ListTriggers" => |context| resources::list_names(context, TRIGGER),
        "BatchGetTriggers" => |context| resources::batch(context, TRIGGER),
        "GetCrawlers" => |context| resources::list_documents(context, CRAWLER),
        "GetCrawler" => |context| resources::get_one(context, CRAWLER),
        "ListCrawlers" => |context| resources::list_names(context, CRAWLER),
        "BatchGetCrawlers" => |context| resources::batch(context, CRAWLER),
        _ => return None,
    })
}

// Kinds that no simulated account has: their listings are empty.
fn empty_read(operation: &str) -> Option<Handler> {
    Some(match operation {
        "GetClassifiers" => |_| Ok(br#"{"Classifiers":[]}"#.to_vec()),
        "ListBlueprints" => |_| Ok(br#"{"Blueprints":[]}"#.to_vec()),
        "ListRegistries" => |_| Ok(br#"{"Registries":[]}"#.to_vec()),
        "ListSchemas" => |_| Ok(br#"{"Schemas":[]}"#.to_vec()),
        "ListDataQualityRulesets" => |_| Ok(br#"{"Rulesets":[]}"#.to_vec()),
        "GetSecurityConfigurations" => |_| Ok(br#"{"SecurityConfigurations":[]}"#.to_vec()),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_and_value_reads_are_refused_and_nothing_else_is_known() {
        for operation in
            ["CreateTable", "DeleteDatabase", "BatchUpdatePartition", "StartJobRun", "GetPartitions", "GetJobRuns", "TagResource"]
        {
            assert!(matches!(kind_of(operation), OperationKind::Refused), "{operation}");
        }
        for operation in ["GetTables", "ListWorkflows", "GetTags"] {
            assert!(matches!(kind_of(operation), OperationKind::Read(_)), "{operation}");
        }
        assert!(matches!(kind_of("GetEverything"), OperationKind::Unknown));
    }
}
