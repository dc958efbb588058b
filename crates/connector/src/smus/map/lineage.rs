//! The lineage graph of a domain to processes: jobs with what they read and write, and what is made from something else without one.
//!
//! A node that stands for an asset of the catalog becomes that asset; any other dataset is kept as a reference by its source identifier.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use model::lineage::{ProcessKind, column_process_of, process, process_name};
use model::name::encode_part;
use model::{Asset, GlueTableArn, Kind, QualifiedName, Reference, S3Location};

use super::MapContext;

/// A node of the graph, whichever operation gave it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Node {
    pub(crate) type_name: String,
    pub(crate) name: Option<String>,
    pub(crate) source: Option<String>,
    pub(crate) upstream: BTreeSet<String>,
    pub(crate) downstream: BTreeSet<String>,
}

/// What a node stands for (Amazon DataZone user guide, lineage node types).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum NodeKind {
    Data,
    Job,
    JobRun,
}

impl Node {
    /// Whether it stands for an asset of the domain or its listing.
    fn is_asset(&self) -> bool {
        self.type_name.rsplit('.').next().is_some_and(|name| name.starts_with("Asset"))
    }

    fn kind(&self) -> NodeKind {
        let name = self.type_name.rsplit('.').next().unwrap_or_default();
        match name {
            _ if name.starts_with("JobRun") => NodeKind::JobRun,
            _ if name.starts_with("Job") => NodeKind::Job,
            _ => NodeKind::Data,
        }
    }
}

/// What an event of OpenLineage says of a job.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct JobEvent {
    pub(crate) event_id: String,
    pub(crate) at_ms: i64,
    pub(crate) job: String,
    pub(crate) name: String,
    /// Source identifiers of datasets.
    pub(crate) inputs: Vec<String>,
    pub(crate) outputs: Vec<String>,
}

/// An output column and what it is made from, all by source identifier of the dataset and name of the column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ColumnFlow {
    pub(crate) job: String,
    pub(crate) name: String,
    pub(crate) output: (String, String),
    pub(crate) inputs: Vec<(String, String)>,
}

/// The assets of the catalog that a source identifier stands for; several where several projects have an asset of one source.
pub(crate) trait Resolve {
    /// The assets, none if the catalog has none.
    fn assets(&self, source: &str) -> Vec<Reference>;
}

/// One name for all spellings of a job: events say namespace and name, nodes put a dot or a slash between them.
pub(crate) fn job_key(text: &str) -> String {
    text.replace('/', ".")
}

/// The source identifier of a dataset that OpenLineage names.
pub(crate) fn dataset_source(namespace: &str, name: &str) -> String {
    match namespace.trim_end_matches('/') {
        "" => name.to_owned(),
        arn if arn.starts_with("arn:") && name.starts_with("table/") => format!("{arn}:{name}"),
        arn if arn.starts_with("arn:") && arn.contains(":glue:") => format!("{arn}:table/{name}"),
        namespace => format!("{namespace}/{}", name.trim_start_matches('/')),
    }
}

/// A job with everything that its nodes and events say of it.
#[derive(Debug, Default)]
struct Job {
    name: String,
    inputs: Vec<Reference>,
    outputs: Vec<Reference>,
}

/// The processes of a domain's graph and events.
pub(crate) fn map_graph(
    context: &MapContext<'_>,
    domain: &str,
    nodes: &HashMap<String, Node>,
    events: &[JobEvent],
    resolve: &impl Resolve,
) -> Vec<Asset> {
    let mut jobs: BTreeMap<String, Job> = BTreeMap::new();
    let mut direct = Vec::new();
    let keys = job_keys(nodes);
    for (from, to) in edges(nodes) {
        match (keys.get(from), keys.get(to)) {
            (None, Some((key, name))) => {
                let job = jobs.entry(key.clone()).or_default();
                name.clone_into(&mut job.name);
                job.inputs.extend(references(&nodes[from], resolve));
            }
            (Some((key, name)), None) => {
                let job = jobs.entry(key.clone()).or_default();
                name.clone_into(&mut job.name);
                job.outputs.extend(references(&nodes[to], resolve));
            }
            (None, None) => direct.push((from, to)),
            // A run and its job, or one job that starts another: no data flows there.
            (Some(_), Some(_)) => {}
        }
    }
    // Where the graph has a job, its nodes say it better: events may name one dataset in several ways.
    let of_graph: BTreeSet<String> = jobs.keys().cloned().collect();
    for event in events.iter().filter(|event| !of_graph.contains(&event.job)) {
        let job = jobs.entry(event.job.clone()).or_default();
        event.name.clone_into(&mut job.name);
        job.inputs.extend(event.inputs.iter().flat_map(|source| source_references(source, resolve)));
        job.outputs.extend(event.outputs.iter().flat_map(|source| source_references(source, resolve)));
    }
    let mut processes: Vec<Asset> = jobs.into_iter().filter_map(|(key, job)| map_job(context, domain, &key, job)).collect();
    processes.extend(map_direct(context, domain, nodes, &direct, resolve));
    processes
}

/// The key and name of the job of every node that is a job or a run of one.
fn job_keys(nodes: &HashMap<String, Node>) -> HashMap<&str, (String, String)> {
    let own = |id: &str, node: &Node| {
        let source = node.source.as_deref().or(node.name.as_deref()).unwrap_or(id);
        let source = match node.kind() {
            NodeKind::JobRun => source.rsplit_once('/').map_or(source, |(job, _run)| job),
            NodeKind::Job | NodeKind::Data => source,
        };
        let name = node.name.clone().filter(|_| node.kind() == NodeKind::Job);
        (job_key(source), name.unwrap_or_else(|| source.rsplit(['/', '.']).next().unwrap_or(source).to_owned()))
    };
    let key = |(id, node): (&String, &Node)| {
        let neighbours = node.upstream.iter().chain(&node.downstream);
        let job = neighbours.filter_map(|id| Some((id, nodes.get(id)?))).find(|(_, other)| other.kind() == NodeKind::Job);
        match (node.kind(), job) {
            (NodeKind::JobRun, Some((job_id, job))) => own(job_id, job),
            _ => own(id, node),
        }
    };
    nodes.iter().filter(|(_, node)| node.kind() != NodeKind::Data).map(|(id, node)| (id.as_str(), key((id, node)))).collect()
}

/// Every edge between known nodes once, whichever end names it.
fn edges(nodes: &HashMap<String, Node>) -> BTreeSet<(&str, &str)> {
    let mut edges = BTreeSet::new();
    for (id, node) in nodes {
        let known = |other: &&String| nodes.contains_key(*other) && *other != id;
        edges.extend(node.upstream.iter().filter(known).map(|up| (up.as_str(), id.as_str())));
        edges.extend(node.downstream.iter().filter(known).map(|down| (id.as_str(), down.as_str())));
    }
    edges
}

fn references(node: &Node, resolve: &impl Resolve) -> Vec<Reference> {
    let Some(source) = node.source.as_deref().or(node.name.as_deref()) else { return Vec::new() };
    let references = source_references(source, resolve);
    // An asset that the catalog does not have (one that is not published) is no dataset of its own: what it is made from is a node, too.
    let is_dataset = |reference: &Reference| reference.kind == Kind::Dataset;
    if node.is_asset() && references.iter().any(is_dataset) { Vec::new() } else { references }
}

/// The assets that a source identifier stands for, or a reference by the identifier itself.
pub(crate) fn source_references(source: &str, resolve: &impl Resolve) -> Vec<Reference> {
    let assets = resolve.assets(source);
    if !assets.is_empty() {
        return assets;
    }
    if let Some(arn) = GlueTableArn::parse(source) {
        return vec![Reference::new(Kind::Table, QualifiedName::from_encoded(arn.to_string()))];
    }
    if let Some(location) = S3Location::parse(source).filter(|_| source.starts_with("s3")) {
        return vec![Reference::new(Kind::S3Object, QualifiedName::from_encoded(location.as_str()))];
    }
    vec![Reference::new(Kind::Dataset, QualifiedName::from_encoded(source))]
}

fn distinct(mut references: Vec<Reference>) -> Vec<Reference> {
    references.sort_by(|one, other| one.qualified_name.cmp(&other.qualified_name));
    references.dedup();
    references
}

fn map_job(context: &MapContext<'_>, domain: &str, key: &str, job: Job) -> Option<Asset> {
    let (inputs, outputs) = (distinct(job.inputs), distinct(job.outputs));
    if inputs.is_empty() && outputs.is_empty() {
        return None;
    }
    let subject = context.naming.lineage_subject(domain, &format!("job/{key}"));
    Some(process(ProcessKind::DataZone, &subject, &job.name, inputs, outputs))
}

/// What one asset is made from without a job between.
#[derive(Debug, Default)]
struct Direct {
    name: Option<String>,
    output: Option<Reference>,
    inputs: Vec<Reference>,
}

/// Everything that is made from something else without a job between, by what is made: several nodes may stand for it. Nodes that stand
/// for one and the same asset (the asset, its listing, the dataset under it and under others) are no lineage.
fn map_direct(
    context: &MapContext<'_>,
    domain: &str,
    nodes: &HashMap<String, Node>,
    edges: &[(&str, &str)],
    resolve: &impl Resolve,
) -> Vec<Asset> {
    let mut made: BTreeMap<QualifiedName, Direct> = BTreeMap::new();
    for (from, to) in edges {
        let (inputs, outputs) = (references(&nodes[*from], resolve), references(&nodes[*to], resolve));
        if inputs.iter().any(|input| outputs.contains(input)) {
            continue;
        }
        for output in outputs {
            let direct = made.entry(output.qualified_name.clone()).or_default();
            direct.name = direct.name.take().or_else(|| nodes[*to].name.clone());
            direct.output.get_or_insert(output);
            direct.inputs.extend(inputs.iter().cloned());
        }
    }
    made.into_iter().filter_map(|(name, direct)| direct_process(context, domain, &name, direct)).collect()
}

fn direct_process(context: &MapContext<'_>, domain: &str, made: &QualifiedName, direct: Direct) -> Option<Asset> {
    let inputs = distinct(direct.inputs);
    if inputs.is_empty() {
        return None;
    }
    let subject = context.naming.lineage_subject(domain, &format!("direct/{made}"));
    let name = direct.name.unwrap_or_else(|| made.as_str().to_owned());
    Some(process(ProcessKind::DataZone, &subject, &name, inputs, direct.output.into_iter().collect()))
}

/// The processes between columns.
pub(crate) fn map_columns(context: &MapContext<'_>, domain: &str, flows: &[ColumnFlow], resolve: &impl Resolve) -> Vec<Asset> {
    let mut processes: BTreeMap<QualifiedName, Asset> = BTreeMap::new();
    for flow in flows {
        let inputs: Vec<_> = flow.inputs.iter().flat_map(|(source, column)| columns(source, column, resolve)).collect();
        let inputs = distinct(inputs);
        if inputs.is_empty() {
            continue;
        }
        for output in columns(&flow.output.0, &flow.output.1, resolve) {
            let key = format!("column/{}/{}", flow.job, output.qualified_name);
            let subject = context.naming.lineage_subject(domain, &key);
            let made = column_process_of(ProcessKind::DataZone, &subject, &flow.name, inputs.clone(), output);
            processes.insert(process_name(ProcessKind::DataZone, &subject), made);
        }
    }
    processes.into_values().collect()
}

/// A column of everything that a source identifier stands for.
fn columns(source: &str, column: &str, resolve: &impl Resolve) -> Vec<Reference> {
    let column_of = |asset: Reference| {
        let mut name = format!("{}/", asset.qualified_name);
        encode_part(column, &mut name);
        Reference::new(asset.kind.column_kind(), QualifiedName::from_encoded(name))
    };
    source_references(source, resolve).into_iter().map(column_of).collect()
}

#[cfg(test)]
mod tests;
