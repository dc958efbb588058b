//! The small lists of an account: jobs, workflows, triggers, crawlers, connections. Each is one scope.

use std::collections::{BTreeSet, HashSet};

use bytes::Bytes;
use model::{Asset, AssetBatch, Item, S3Location, Scope, Warning};
use serde_json::json;

use super::pages::Pager;
use super::{Crawl, CrawlError};
use crate::glue::map::job::{self, MappedJob, map_job};
use crate::glue::map::list::{map_connection, map_crawler, map_trigger, map_workflow};
use crate::glue::page::{BatchGetWorkflowsAnswer, ConnectionsPage, CrawlersPage, JobsPage, TriggersPage, WorkflowNamesPage};
use crate::glue::settings::Section;
use crate::port::{ApiError, AssetSink, Baseline, ReadApi, ReadOperation};

/// Jobs a page: visual jobs are large, so fewer than the API's maximum of 1,000.
const PAGE_JOBS_MAX: u32 = 100;

/// The most jobs whose graphs wait in memory for the lineage at the end.
const GRAPHS_MAX: usize = 20_000;

/// What one page of a list gave.
struct ListPage {
    assets: Vec<Asset>,
    token: Option<String>,
}

impl<A: ReadApi, S: AssetSink, B: Baseline> Crawl<'_, A, S, B> {
    /// Reads every list but the jobs, side by side: their rate limits are apart.
    pub(super) async fn crawl_lists(&self) -> Result<(), CrawlError> {
        let (workflows, triggers, crawlers, connections) =
            futures::join!(self.crawl_workflows(), self.crawl_triggers(), self.crawl_crawlers(), self.crawl_connections());
        workflows.and(triggers).and(crawlers).and(connections)
    }

    /// Reads the jobs. Those with a graph are delivered at the end, with their lineage.
    pub(super) async fn crawl_jobs(&self) -> Result<(), CrawlError> {
        self.crawl_list(Section::Jobs, "jobs", ReadOperation::GetJobs, json!({"MaxResults": PAGE_JOBS_MAX}), |body| {
            let page: JobsPage<'_> = serde_json::from_slice(body)?;
            let mut warnings = Vec::new();
            let mapped: Vec<MappedJob> = page.jobs.iter().map(|job| map_job(&self.context(), job, &mut warnings)).collect();
            self.findings().warn(warnings);
            let assets = self.keep_graphs(mapped);
            Ok(ListPage { assets, token: page.next_token.as_deref().map(str::to_owned) })
        })
        .await
    }

    /// Puts jobs with a graph aside, as far as there is room; gives back the others.
    fn keep_graphs(&self, mapped: Vec<MappedJob>) -> Vec<Asset> {
        let mut waiting = self.jobs.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let mut others = Vec::new();
        for job in mapped {
            if job.graph.is_none() || !self.settings.reads(Section::Lineage) {
                others.push(job.asset);
            } else if waiting.len() < GRAPHS_MAX {
                waiting.push(job);
            } else {
                let message = format!("there are more than {GRAPHS_MAX} visual jobs; this one is kept without lineage");
                self.findings().warn(vec![Warning { scope: format!("jobs/{}", job.asset.name), code: "jobs-too-many", message }]);
                others.push(job.asset);
            }
        }
        others
    }

    /// The locations that the graphs of jobs name, with everything above them up to the bucket.
    pub(super) fn locations_of_jobs(&self) -> HashSet<S3Location> {
        let waiting = self.jobs.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let named: BTreeSet<_> = waiting.iter().filter_map(|job| job.graph.as_ref()).flat_map(job::locations).collect();
        named.iter().flat_map(S3Location::ancestors).map(S3Location::from_canonical).collect()
    }

    /// Remembers the tables of a page that lie over a location that a job names.
    pub(super) fn note_locations(&self, items: &[Item]) {
        if self.wanted_locations.is_empty() {
            return;
        }
        for item in items {
            if let Some(location) = item.asset.data_location().filter(|location| self.wanted_locations.contains(location)) {
                let mut found = self.tables_found_at.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                found.entry(location).or_insert_with(|| item.asset.qualified_name.clone());
            }
        }
    }

    async fn crawl_workflows(&self) -> Result<(), CrawlError> {
        let scope = Scope::new("workflows");
        if !self.settings.reads(Section::Workflows) {
            return Ok(());
        }
        self.ports.progress.scopes_found(1);
        let mut pager = Pager::new(ReadOperation::ListWorkflows, &json!({"MaxResults": 25}));
        while !pager.is_done() {
            match self.workflow_page(&mut pager).await {
                Ok(assets) => self.deliver_assets(&scope, assets).await?,
                Err(error) => return Ok(self.findings().fail(&scope, error)?),
            }
        }
        self.findings().complete(&scope);
        self.ports.progress.scope_done();
        Ok(())
    }

    /// Names, then the workflows themselves with their graphs, 25 at a time as the API allows. Those dropped in between are
    /// simply not in the answer.
    async fn workflow_page(&self, pager: &mut Pager) -> Result<Vec<Asset>, ApiError> {
        let (_, (names, token)) = self
            .next_page(pager, |body| {
                let page: WorkflowNamesPage<'_> = serde_json::from_slice(body)?;
                let names: Vec<_> = page.workflows.iter().map(ToString::to_string).collect();
                Ok((names, page.next_token.as_deref().map(str::to_owned)))
            })
            .await?;
        pager.advance(token.as_deref(), names.len())?;
        if names.is_empty() {
            return Ok(Vec::new());
        }
        let input = json!({"Names": names, "IncludeGraph": true});
        self.read_once(ReadOperation::BatchGetWorkflows, input, |body| {
            let answer: BatchGetWorkflowsAnswer<'_> = serde_json::from_slice(body)?;
            Ok(answer.workflows.iter().map(|workflow| map_workflow(&self.context(), workflow)).collect())
        })
        .await
    }

    async fn crawl_triggers(&self) -> Result<(), CrawlError> {
        self.crawl_list(Section::Triggers, "triggers", ReadOperation::GetTriggers, json!({"MaxResults": 200}), |body| {
            let page: TriggersPage<'_> = serde_json::from_slice(body)?;
            let assets = page.triggers.iter().map(|trigger| map_trigger(&self.context(), trigger)).collect();
            Ok(ListPage { assets, token: page.next_token.as_deref().map(str::to_owned) })
        })
        .await
    }

    async fn crawl_crawlers(&self) -> Result<(), CrawlError> {
        self.crawl_list(Section::Crawlers, "crawlers", ReadOperation::GetCrawlers, json!({"MaxResults": 200}), |body| {
            let page: CrawlersPage<'_> = serde_json::from_slice(body)?;
            let assets = page.crawlers.iter().map(|crawler| map_crawler(&self.context(), crawler)).collect();
            Ok(ListPage { assets, token: page.next_token.as_deref().map(str::to_owned) })
        })
        .await
    }

    async fn crawl_connections(&self) -> Result<(), CrawlError> {
        let input = self.with_catalog(json!({"MaxResults": 200, "HidePassword": true}), None);
        self.crawl_list(Section::Connections, "connections", ReadOperation::GetConnections, input, |body| {
            let page: ConnectionsPage<'_> = serde_json::from_slice(body)?;
            let assets = page.connection_list.iter().map(|connection| map_connection(&self.context(), connection)).collect();
            Ok(ListPage { assets, token: page.next_token.as_deref().map(str::to_owned) })
        })
        .await
    }

    async fn crawl_list(
        &self,
        section: Section,
        name: &str,
        operation: ReadOperation,
        input: serde_json::Value,
        read: impl Fn(&Bytes) -> Result<ListPage, serde_json::Error>,
    ) -> Result<(), CrawlError> {
        if !self.settings.reads(section) {
            return Ok(());
        }
        let scope = Scope::new(name);
        self.ports.progress.scopes_found(1);
        let mut pager = Pager::new(operation, &input);
        while !pager.is_done() {
            let read_page = async {
                let (_, page) = self.next_page(&pager, &read).await?;
                pager.advance(page.token.as_deref(), page.assets.len())?;
                Ok::<_, ApiError>(page.assets)
            };
            match read_page.await {
                Ok(assets) if assets.is_empty() => {}
                Ok(assets) => self.deliver_assets(&scope, assets).await?,
                Err(error) => return Ok(self.findings().fail(&scope, error)?),
            }
        }
        self.findings().complete(&scope);
        self.ports.progress.scope_done();
        Ok(())
    }

    /// The lineage of visual jobs, once every table is known: paths become the tables that lie over them.
    pub(super) async fn deliver_job_lineage(&self) -> Result<(), CrawlError> {
        let jobs = std::mem::take(&mut *self.jobs.lock().unwrap_or_else(std::sync::PoisonError::into_inner));
        if jobs.is_empty() {
            return Ok(());
        }
        let mut tables_at = std::mem::take(&mut *self.tables_found_at.lock().unwrap_or_else(std::sync::PoisonError::into_inner));
        let unknown: Vec<_> = self.wanted_locations.iter().filter(|location| !tables_at.contains_key(*location)).cloned().collect();
        for (location, table) in self.ports.baseline.tables_at(unknown).await? {
            tables_at.entry(location).or_insert(table);
        }
        let items = jobs.into_iter().map(|job| {
            let derived = job::job_processes(&self.context(), &job, &tables_at);
            Item { asset: job.asset, derived, source: None }
        });
        let batch = AssetBatch { scope: Scope::new("jobs"), items: items.collect(), unchanged: Vec::new() };
        self.deliver(batch).await
    }
}
