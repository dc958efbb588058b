//! Jobs, and what they read and write.

use std::collections::{BTreeSet, HashMap};

use model::lineage::{self, ProcessKind};
use model::{Asset, Attribute, Kind, QualifiedName, Reference, S3Location, Value, Warning};

use super::{MapContext, warning};
use crate::glue::graph::{ColumnFlow, Dataset, Flow, JobGraph, JobGraphField};
use crate::glue::page::Job;
use crate::privacy::Role;

/// A job, and its graph for the lineage that is put together once all tables are known.
#[derive(Debug)]
pub(crate) struct MappedJob {
    pub(crate) asset: Asset,
    pub(crate) graph: Option<JobGraph>,
}

/// One job to its asset.
pub(crate) fn map_job(context: &MapContext<'_>, job: &Job<'_>, warnings: &mut Vec<Warning>) -> MappedJob {
    let mut asset = Asset::new(Kind::GlueJob, context.naming.listed("jobs", &job.name), &*job.name);
    let attributes = &mut asset.attributes;
    attributes.set_some(Attribute::Description, job.description.as_ref().map(|text| text.scrubbed(context.masked).into_owned()));
    if let Some(command) = &job.command {
        attributes.set_some(Attribute::JobCommand, command.name.as_deref());
        attributes.set_some(Attribute::ScriptLocation, command.script_location.as_deref());
    }
    attributes.set_some(Attribute::Role, job.role.as_ref().and_then(Role::reference));
    attributes.set_some(Attribute::GlueVersion, job.glue_version.as_deref());
    attributes.set_some(Attribute::WorkerType, job.worker_type.as_deref());
    attributes.set_some(Attribute::NumberOfWorkers, job.number_of_workers);
    attributes.set_some(Attribute::MaxCapacity, job.max_capacity.map(Value::Number));
    attributes.set_some(Attribute::TimeoutMinutes, job.timeout);
    attributes.set_some(Attribute::MaxRetries, job.max_retries);
    attributes.set_some(Attribute::ExecutionClass, job.execution_class.as_deref());
    let connections = job.connections.as_ref().and_then(|connections| connections.connections.as_ref());
    attributes.set_some(Attribute::ConnectionNames, connections.map(|names| Value::texts(names.iter().map(ToString::to_string))));
    set_arguments(context, job, &mut asset);
    asset.attributes.set_some(Attribute::SourceCreatedAt, job.created_on.map(|time| time.0));
    asset.attributes.set_some(Attribute::SourceUpdatedAt, job.last_modified_on.map(|time| time.0));
    asset.attributes.set(Attribute::Visual, is_visual(job));
    let graph = match &job.code_gen_configuration_nodes {
        JobGraphField::Absent => None,
        JobGraphField::Read(graph) => Some(graph.clone()),
        JobGraphField::Unreadable => {
            warnings.push(warning(
                format!("jobs/{}", &*job.name),
                "job-graph-unreadable",
                "the graph of this visual job is not in the documented form; the job is kept without lineage",
            ));
            None
        }
    };
    MappedJob { asset, graph }
}

fn is_visual(job: &Job<'_>) -> bool {
    job.job_mode.as_deref() == Some("VISUAL") || !matches!(job.code_gen_configuration_nodes, JobGraphField::Absent)
}

fn set_arguments(context: &MapContext<'_>, job: &Job<'_>, asset: &mut Asset) {
    let mut kept = Vec::new();
    let mut masked_names = Vec::new();
    for arguments in [&job.default_arguments, &job.non_overridable_arguments] {
        if let Value::Map(entries) = arguments.to_value(context.masked) {
            kept.extend(entries);
        }
        if let Value::List(names) = arguments.masked_names() {
            masked_names.extend(names);
        }
    }
    asset.attributes.set(Attribute::Arguments, Value::Map(kept));
    asset.attributes.set(Attribute::MaskedArguments, Value::List(masked_names));
}

/// The locations that a job's graph names: to be matched with tables.
pub(crate) fn locations(graph: &JobGraph) -> Vec<S3Location> {
    let datasets = graph.flows().into_iter().flat_map(|flow| flow.sources.into_iter().chain([flow.target])).chain(graph.sources());
    let mut locations: Vec<_> = datasets.filter_map(|dataset| location_of(&dataset)).collect();
    locations.sort_unstable();
    locations.dedup();
    locations
}

fn location_of(dataset: &Dataset) -> Option<S3Location> {
    match dataset {
        Dataset::Path(path) => S3Location::parse(path),
        Dataset::Table { .. } => None,
    }
}

/// The processes of a job: one for each table or place that it writes, with the columns that mappings name. `tables_at` says
/// which table lies over a location; the longest location above a path wins.
pub(crate) fn job_processes(
    context: &MapContext<'_>,
    job: &MappedJob,
    tables_at: &HashMap<S3Location, QualifiedName>,
) -> Vec<Asset> {
    let Some(graph) = &job.graph else { return Vec::new() };
    let mut outputs: Vec<(Reference, Vec<Reference>)> = Vec::new();
    let mut columns: Vec<Asset> = Vec::new();
    for flow in graph.flows() {
        let Some(output) = reference(context, &flow.target, tables_at) else { continue };
        let inputs = flow.sources.iter().filter_map(|source| reference(context, source, tables_at));
        for process in column_processes(context, job, &flow, &output, tables_at) {
            if !columns.iter().any(|known| known.qualified_name == process.qualified_name) {
                columns.push(process);
            }
        }
        // Two nodes may write the same table, and two paths may lie under one: each is named once.
        let at = outputs.iter().position(|known| known.0 == output).unwrap_or(outputs.len());
        if at == outputs.len() {
            outputs.push((output, Vec::new()));
        }
        for input in inputs {
            if !outputs[at].1.contains(&input) {
                outputs[at].1.push(input);
            }
        }
    }
    let mut processes = locations_as_objects(outputs.iter().flat_map(|(output, inputs)| inputs.iter().chain([output])));
    for (output, inputs) in outputs {
        let subject = format!("{}>{}", job.asset.qualified_name, output.qualified_name);
        processes.push(lineage::process(ProcessKind::GlueJob, &subject, &job.asset.name, inputs, vec![output]));
    }
    processes.extend(columns);
    processes
}

/// S3 objects that no table lies over are assets of their own, so that lineage does not end in nothing.
fn locations_as_objects<'a>(references: impl Iterator<Item = &'a Reference>) -> Vec<Asset> {
    let names: BTreeSet<_> =
        references.filter(|reference| reference.kind == Kind::S3Object).map(|object| object.qualified_name.as_str()).collect();
    names.into_iter().map(|name| lineage::location_object(&S3Location::from_canonical(name))).collect()
}

fn reference(context: &MapContext<'_>, dataset: &Dataset, tables_at: &HashMap<S3Location, QualifiedName>) -> Option<Reference> {
    match dataset {
        Dataset::Table { database, table } => Some(context.naming.own_table(&database.to_lowercase(), &table.to_lowercase())),
        Dataset::Path(path) => {
            let location = S3Location::parse(path)?;
            let table = location.ancestors().find_map(|above| tables_at.get(&S3Location::from_canonical(above)));
            Some(match table {
                Some(table) => Reference::new(Kind::Table, table.clone()),
                None => Reference::new(Kind::S3Object, QualifiedName::from_encoded(location.as_str())),
            })
        }
    }
}

fn column_processes(
    context: &MapContext<'_>,
    job: &MappedJob,
    flow: &Flow,
    output: &Reference,
    tables_at: &HashMap<S3Location, QualifiedName>,
) -> Vec<Asset> {
    if output.kind != Kind::Table {
        return Vec::new();
    }
    let column = |(name, inputs): &ColumnFlow| {
        let input = |(dataset, path): &(Dataset, Vec<String>)| {
            let table = reference(context, dataset, tables_at).filter(|table| table.kind == Kind::Table)?;
            Some(path.iter().fold(table.qualified_name, |name, part| name.child(part)))
        };
        let inputs: Vec<_> = inputs.iter().filter_map(input).collect();
        if inputs.is_empty() {
            return None;
        }
        let column = output.qualified_name.child(name);
        // Several jobs may write one column: the job is part of the process's identity.
        let subject = format!("{}>{column}", job.asset.qualified_name);
        let mut process = lineage::column_process(ProcessKind::GlueJob, &job.asset.name, inputs, column);
        process.qualified_name = lineage::process_name(ProcessKind::GlueJob, &subject);
        Some(process)
    };
    flow.columns.iter().filter_map(column).collect()
}
