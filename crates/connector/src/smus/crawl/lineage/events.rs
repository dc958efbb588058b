//! Lineage events: which datasets and jobs have lineage, and the payload of each job's latest event for its columns.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use futures::StreamExt;

use super::PART;
use crate::MaskedCounts;
use crate::paging::Tokens;
use crate::port::{AssetSink, Baseline, ErrorKind, ReadApi, ReadOperation};
use crate::privacy::SourceIdentifier;
use crate::run::CrawlError;
use crate::smus::crawl::Crawl;
use crate::smus::crawl::pages::{Asked, PAGE_ITEMS_MAX, Page, may_begin_again, token};
use crate::smus::map::lineage::{ColumnFlow, JobEvent, Resolve, dataset_source, job_key};
use crate::smus::map::{DomainFacts, warning};
use crate::smus::page::{LineageEventsPage, NameIdentifier, OpenLineageDataset, OpenLineageEvent};

/// The most pages of events, newest first: 20,000 events.
const EVENT_PAGES_MAX: usize = 400;

/// The most payloads that are read in one domain: one for each job.
const PAYLOADS_MAX: usize = 2_000;

/// How many payloads are asked for at once.
const PAYLOADS_AT_ONCE: usize = 4;

/// What the events of a domain say.
#[derive(Debug, Default)]
pub(super) struct Events {
    /// The latest event of each job that says what it writes.
    pub(super) jobs: Vec<JobEvent>,
    /// Source identifiers of all datasets that events name, each once, newest first.
    pub(super) datasets: Vec<String>,
    pub(super) is_complete: bool,
}

/// What the payloads of events say of columns.
#[derive(Debug, Default)]
pub(super) struct ColumnFlows {
    pub(super) flows: Vec<ColumnFlow>,
    /// Whether the payload of every job's latest event was read.
    pub(super) is_complete: bool,
}

/// An event as its summary has it.
struct Summary {
    event: JobEvent,
    says_outputs: bool,
}

impl<A: ReadApi, S: AssetSink, B: Baseline> Crawl<'_, A, S, B> {
    /// Reads the list of events, newest first.
    pub(super) async fn read_events(&self, facts: &DomainFacts) -> Result<Events, CrawlError> {
        let asked =
            Asked::get(ReadOperation::ListLineageEvents, &[&facts.id]).with("sortOrder", "DESCENDING").paged(PAGE_ITEMS_MAX);
        let mut tokens = Tokens::new(asked.operation);
        let mut events = Events { is_complete: true, ..Events::default() };
        let mut jobs: BTreeMap<String, JobEvent> = BTreeMap::new();
        let mut seen = BTreeSet::new();
        for pages in 0.. {
            if tokens.is_done() {
                break;
            }
            if pages == EVENT_PAGES_MAX {
                let message = format!("only the {} newest lineage events are looked at", EVENT_PAGES_MAX * PAGE_ITEMS_MAX as usize);
                self.findings().warn(vec![warning(format!("{}/{PART}", facts.id), "lineage-events-left-out", message)]);
                events.is_complete = false;
                break;
            }
            match self.next_page(&asked, &mut tokens, |body| self.parse_events(body)).await {
                Ok(summaries) => summaries.into_iter().for_each(|summary| take_event(summary, &mut events, &mut jobs, &mut seen)),
                Err(error) if may_begin_again(&error, &tokens) => tokens.restart(),
                Err(error) => {
                    events.is_complete = false;
                    self.fail_part(facts, "lineage-events", error)?;
                    break;
                }
            }
        }
        events.jobs = jobs.into_values().collect();
        Ok(events)
    }

    fn parse_events(&self, body: &bytes::Bytes) -> Result<Page<Vec<Summary>>, serde_json::Error> {
        let page: LineageEventsPage<'_> = serde_json::from_slice(body)?;
        let was_processed = |status: Option<&str>| !matches!(status, Some("FAILED"));
        let processed = page.items.iter().filter(|event| was_processed(event.processing_status.as_deref()));
        let made = processed.filter_map(|event| {
            let summary = event.event_summary.as_ref()?.open_lineage_run_event_summary.as_ref()?;
            let sources = |list: &Option<Vec<NameIdentifier<'_>>>| -> Vec<String> {
                list.iter()
                    .flatten()
                    .filter_map(|one| identifier(one.namespace.as_ref(), one.name.as_ref(), self.ports.masked))
                    .collect()
            };
            let job = summary.job.as_ref()?;
            let name = job.name.as_ref()?.kept(self.ports.masked)?;
            let namespace = job.namespace.as_ref().and_then(|namespace| namespace.kept(self.ports.masked)).unwrap_or_default();
            let event = JobEvent {
                event_id: event.id.as_deref().filter(|id| !id.is_empty())?.to_owned(),
                at_ms: event.event_time.and_then(|time| time.0).unwrap_or_default(),
                job: job_key(&format!("{namespace}.{name}")),
                name,
                inputs: sources(&summary.inputs),
                outputs: sources(&summary.outputs),
            };
            let has_failed = matches!(summary.event_type.as_deref(), Some("FAIL" | "ABORT"));
            Some(Summary { says_outputs: !has_failed && !event.outputs.is_empty(), event })
        });
        Ok(Page { made: made.collect(), next_token: token(page.next_token.as_ref()), items: page.items.len() })
    }

    /// The column lineage of each job's latest event.
    pub(super) async fn read_column_flows(
        &self,
        facts: &DomainFacts,
        jobs: &[JobEvent],
        resolve: &impl Resolve,
    ) -> Result<ColumnFlows, CrawlError> {
        let mut columns = ColumnFlows { is_complete: jobs.len() <= PAYLOADS_MAX, ..ColumnFlows::default() };
        if jobs.len() > PAYLOADS_MAX {
            let message = format!("column lineage is read of {PAYLOADS_MAX} of {} jobs", jobs.len());
            self.findings().warn(vec![warning(format!("{}/{PART}", facts.id), "lineage-events-left-out", message)]);
        }
        let reading = (0..jobs.len().min(PAYLOADS_MAX)).map(|at| async move {
            let job = &jobs[at];
            let asked = Asked::get(ReadOperation::GetLineageEvent, &[&facts.id, &job.event_id]);
            let flows = self.read_once(&asked, |body| {
                let event: OpenLineageEvent<'_> = serde_json::from_slice(body)?;
                Ok(column_flows(job, &event, resolve, self.ports.masked))
            });
            (job, flows.await)
        });
        let mut reading = futures::stream::iter(reading).buffered(PAYLOADS_AT_ONCE);
        while let Some((job, read)) = reading.next().await {
            columns.is_complete &= read.is_ok();
            match read {
                Ok(read) => columns.flows.extend(read),
                Err(error) if error.kind == ErrorKind::NotFound => {}
                Err(error) if error.kind == ErrorKind::Malformed => {
                    let message = format!(
                        "the event {} is no OpenLineage event; the columns of the job \"{}\" are not known",
                        job.event_id, job.name
                    );
                    self.findings().warn(vec![warning(format!("{}/{PART}", facts.id), "lineage-event-unreadable", message)]);
                }
                Err(error) => {
                    let is_denied = error.kind == ErrorKind::Denied;
                    self.fail_part(facts, "lineage-event-payloads", error)?;
                    // Whoever may not read one may not read the others.
                    if is_denied {
                        break;
                    }
                }
            }
        }
        Ok(columns)
    }
}

fn take_event(summary: Summary, events: &mut Events, jobs: &mut BTreeMap<String, JobEvent>, seen: &mut BTreeSet<String>) {
    for dataset in summary.event.outputs.iter().chain(&summary.event.inputs) {
        if seen.insert(dataset.to_lowercase()) {
            events.datasets.push(dataset.clone());
        }
    }
    if !summary.says_outputs {
        return;
    }
    match jobs.get(&summary.event.job) {
        Some(known) if known.at_ms >= summary.event.at_ms => {}
        Some(_) | None => {
            jobs.insert(summary.event.job.clone(), summary.event);
        }
    }
}

fn identifier(
    namespace: Option<&SourceIdentifier<'_>>,
    name: Option<&SourceIdentifier<'_>>,
    masked: &MaskedCounts,
) -> Option<String> {
    let name = name?.kept(masked)?;
    let namespace = namespace.and_then(|namespace| namespace.kept(masked)).unwrap_or_default();
    Some(dataset_source(&namespace, &name))
}

/// What each column of an event's outputs is made from. Datasets go by the name that the catalog knows, if one of their names is known.
fn column_flows(job: &JobEvent, event: &OpenLineageEvent<'_>, resolve: &impl Resolve, masked: &MaskedCounts) -> Vec<ColumnFlow> {
    let datasets = event.inputs.iter().flatten().chain(event.outputs.iter().flatten());
    let best: HashMap<String, String> = datasets.filter_map(|dataset| best_name(dataset, resolve, masked)).collect();
    let named = |namespace: Option<&SourceIdentifier<'_>>, name: Option<&SourceIdentifier<'_>>| {
        let own = identifier(namespace, name, masked)?;
        Some(best.get(&own).cloned().unwrap_or(own))
    };
    let mut flows = Vec::new();
    for output in event.outputs.iter().flatten() {
        let Some(source) = named(output.namespace.as_ref(), output.name.as_ref()) else { continue };
        let lineage = output.facets.as_ref().and_then(|facets| facets.column_lineage.as_ref());
        for (column, inputs) in lineage.iter().flat_map(|lineage| &lineage.fields) {
            let inputs = inputs.input_fields.iter().flatten().filter_map(|input| {
                let field = input.field.as_deref().filter(|field| !field.is_empty())?;
                Some((named(input.namespace.as_ref(), input.name.as_ref())?, field.to_owned()))
            });
            flows.push(ColumnFlow {
                job: job.job.clone(),
                name: job.name.clone(),
                output: (source.clone(), column.clone()),
                inputs: inputs.collect(),
            });
        }
    }
    flows
}

/// A dataset's own name, and the one of all its names that counts: one that the catalog has, else the ARN of a Glue table, else its own.
fn best_name(dataset: &OpenLineageDataset<'_>, resolve: &impl Resolve, masked: &MaskedCounts) -> Option<(String, String)> {
    let own = identifier(dataset.namespace.as_ref(), dataset.name.as_ref(), masked)?;
    let symlinks = dataset.facets.as_ref().and_then(|facets| facets.symlinks.as_ref());
    let others = symlinks.into_iter().flat_map(|symlinks| symlinks.identifiers.iter().flatten());
    let others = others.filter_map(|one| identifier(one.namespace.as_ref(), one.name.as_ref(), masked));
    let names: Vec<String> = std::iter::once(own.clone()).chain(others).collect();
    let known = names.iter().find(|name| !resolve.assets(name).is_empty());
    let best = known.or_else(|| names.iter().find(|name| model::GlueTableArn::parse(name).is_some()));
    Some((own.clone(), best.cloned().unwrap_or(own)))
}
