//! The crawl of one account's Glue Data Catalog: a straight loop over pages for each scope, scopes side by side.
//!
//! Order: the catalogs; the databases of each; the jobs, which say what S3 locations matter; then the tables of every database
//! beside the small lists (workflows, …); then what needs all tables (lineage of jobs); last, proof for what is missing. A scope that cannot be read costs that
//! scope only; wrong credentials and refusals of our own end the run.

mod catalogs;
mod lists;
mod pages;
mod prove;
mod split;
mod tables;
#[cfg(test)]
pub(crate) mod tests;

use std::collections::{HashMap, HashSet};
use std::sync::Mutex;

use model::{Asset, AssetBatch, Attribute, KnownAsset, QualifiedName, S3Location, Scope, SourceHash};

use super::map::MapContext;
use super::map::job::MappedJob;
use super::naming::Naming;
use super::settings::{Section, Settings};
use crate::port::{AssetSink, Baseline, ReadApi};
use crate::run::{CrawlError, CrawlResult, Findings, Ports};

/// Raised with every change of what mapping makes of the same bytes, so that no store takes old results for unchanged ones.
const MAPPING_VERSION: u64 = 1;

/// Crawls. `account` is the account that the credentials belong to, where it is known before.
///
/// # Errors
/// When the run cannot go on: wrong credentials, a refusal by our own rules, or a sink that takes no more.
pub async fn crawl<A: ReadApi, S: AssetSink, B: Baseline>(
    ports: Ports<'_, A, S, B>,
    naming: Naming,
    settings: &Settings,
    region: &str,
) -> Result<CrawlResult, CrawlError> {
    let mut run = Crawl {
        ports,
        naming,
        settings,
        findings: Mutex::default(),
        salt: 0,
        jobs: Mutex::default(),
        wanted_locations: HashSet::new(),
        tables_found_at: Mutex::default(),
    };
    let catalogs = run.find_catalogs().await?;
    run.naming = catalogs.naming.clone();
    run.salt = run.salt();
    run.deliver_connection(region).await?;
    let databases = run.list_all_databases(&catalogs).await?;
    // Where neither catalogs nor databases could be read, nothing answers, and the rest need not be tried.
    if catalogs.is_certain || run.read_anything() {
        run.crawl_jobs().await?;
        run.wanted_locations = run.locations_of_jobs();
        let (tables, lists) = futures::join!(run.crawl_databases(&databases), run.crawl_lists());
        tables.and(lists)?;
        run.deliver_job_lineage().await?;
    }
    let gone = run.prove_missing().await?;
    Ok(run.into_result(gone))
}

/// One crawl in progress.
struct Crawl<'p, A, S, B> {
    ports: Ports<'p, A, S, B>,
    naming: Naming,
    settings: &'p Settings,
    findings: Mutex<Findings>,
    salt: u64,
    /// Jobs wait here until all tables are known.
    jobs: Mutex<Vec<MappedJob>>,
    /// The locations that jobs name, with all that lie above them.
    wanted_locations: HashSet<S3Location>,
    /// The tables that this run found over them.
    tables_found_at: Mutex<HashMap<S3Location, QualifiedName>>,
}

impl<A: ReadApi, S: AssetSink, B: Baseline> Crawl<'_, A, S, B> {
    fn context(&self) -> MapContext<'_> {
        MapContext { naming: &self.naming, settings: self.settings, masked: self.ports.masked }
    }

    /// Whatever decides what is made of the same source bytes goes into the hash of those bytes.
    fn salt(&self) -> u64 {
        let lineage = self.settings.reads(Section::Lineage);
        let text = format!(
            "{MAPPING_VERSION}|{:?}|{lineage}|{:?}|{:?}",
            self.settings.keep,
            self.naming.account(),
            self.naming.connection()
        );
        SourceHash::of(0, text.as_bytes()).0
    }

    async fn deliver(&self, batch: AssetBatch) -> Result<(), CrawlError> {
        self.ports.progress.delivering(&batch);
        Ok(self.ports.sink.deliver(batch).await?)
    }

    async fn deliver_assets(&self, scope: &Scope, assets: Vec<Asset>) -> Result<(), CrawlError> {
        let items = assets.into_iter().map(model::Item::from).collect();
        self.deliver(AssetBatch { scope: scope.clone(), items, unchanged: Vec::new() }).await
    }

    async fn deliver_connection(&self, region: &str) -> Result<(), CrawlError> {
        let connection = self.naming.connection();
        let mut asset = Asset::new(model::Kind::Connection, connection.qualified_name().clone(), &*self.settings.connection_name);
        asset.attributes.set(Attribute::Category, "lake");
        asset.attributes.set(Attribute::AwsRegion, region);
        asset.attributes.set_some(Attribute::AwsAccountId, self.naming.account());
        self.deliver_assets(&Scope::new("connection"), vec![asset]).await
    }

    fn findings(&self) -> std::sync::MutexGuard<'_, Findings> {
        self.findings.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn read_anything(&self) -> bool {
        self.ports.progress.snapshot().pages > 0
    }

    fn into_result(self, gone: Vec<KnownAsset>) -> CrawlResult {
        let read_anything = self.read_anything();
        let account = self.naming.account().map(str::to_owned);
        let findings = self.findings.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
        findings.into_result(gone, read_anything, account)
    }
}
