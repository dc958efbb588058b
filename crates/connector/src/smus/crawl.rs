//! The crawl of the domains of SageMaker Unified Studio that an account can see: a straight loop over pages for each list, lists side
//! by side as far as one does not need the other.
//!
//! Order in a domain: the domain itself; its units, projects, form types, glossaries and subscriptions; then its assets beside the
//! details of its projects; then data products and terms, which need the assets; last its lineage. At the end of all, proof for what is
//! missing. What cannot be read costs that part only; wrong credentials and refusals of our own end the run.

mod assets;
mod details;
mod domains;
mod glossaries;
mod known;
mod lineage;
mod lists;
mod pages;
mod products;
mod prove;
mod space;
mod subscriptions;
#[cfg(test)]
pub(crate) mod tests;

use std::collections::{BTreeMap, HashSet};
use std::sync::Mutex;

use model::{Asset, AssetBatch, Attribute, ConnectionName, Item, Kind, KnownAsset, QualifiedName, Scope};

pub(super) use details::{Members, own_profile_id, own_profile_request};
pub(super) use pages::Asked;

use super::map::MapContext;
use super::map::domain::account_of;
use super::naming::Naming;
use super::settings::{Keep, Section, Settings};
use crate::port::{AssetSink, Baseline, ReadApi};
use crate::run::{CrawlError, CrawlResult, Findings, Ports};

/// How many assets are delivered at once.
const ASSETS_A_BATCH: usize = 100;

/// The scope of the connection itself.
const CONNECTION_SCOPE: &str = "connection";

/// Crawls.
///
/// # Errors
/// When the run cannot go on: wrong credentials, a refusal by our own rules, or a sink that takes no more.
pub async fn crawl<A: ReadApi, S: AssetSink, B: Baseline>(
    ports: Ports<'_, A, S, B>,
    connection: ConnectionName,
    settings: &Settings,
    region: &str,
) -> Result<CrawlResult, CrawlError> {
    let run = Crawl {
        ports,
        naming: Naming::new(connection),
        settings,
        region,
        findings: Mutex::default(),
        account: Mutex::default(),
        published: Mutex::default(),
    };
    let domains = run.find_domains().await?;
    run.deliver_connection(&domains).await?;
    run.crawl_domains(&domains).await?;
    let gone = run.prove_missing().await?;
    Ok(run.into_result(gone))
}

/// One crawl in progress.
struct Crawl<'p, A, S, B> {
    ports: Ports<'p, A, S, B>,
    naming: Naming,
    settings: &'p Settings,
    region: &'p str,
    findings: Mutex<Findings>,
    account: Mutex<Option<String>>,
    /// Hashes of the names of published assets, where unpublished ones are kept as well: an asset may have been one and be the other.
    published: Mutex<HashSet<u64>>,
}

impl<A: ReadApi, S: AssetSink, B: Baseline> Crawl<'_, A, S, B> {
    fn context(&self) -> MapContext<'_> {
        MapContext { naming: &self.naming, settings: self.settings, masked: self.ports.masked, region: self.region }
    }

    fn reads(&self, section: Section) -> bool {
        self.settings.reads(section)
    }

    fn concurrency(&self) -> usize {
        self.settings.concurrency.max(1)
    }

    async fn deliver(&self, scope: &Scope, items: Vec<Item>) -> Result<(), CrawlError> {
        if items.is_empty() {
            return Ok(());
        }
        let batch = AssetBatch { scope: scope.clone(), items, unchanged: Vec::new() };
        self.ports.progress.delivering(&batch);
        Ok(self.ports.sink.deliver(batch).await?)
    }

    async fn deliver_assets(&self, scope: &Scope, assets: Vec<Asset>) -> Result<(), CrawlError> {
        self.deliver(scope, assets.into_iter().map(Item::from).collect()).await
    }

    /// Delivers assets that belong to different scopes, in batches of one scope each.
    async fn deliver_by_scope(&self, assets: impl IntoIterator<Item = (Scope, Asset)>) -> Result<(), CrawlError> {
        let mut by_scope: BTreeMap<Scope, Vec<Asset>> = BTreeMap::new();
        for (scope, asset) in assets {
            by_scope.entry(scope).or_default().push(asset);
        }
        for (scope, assets) in by_scope {
            let mut assets = assets.into_iter().peekable();
            while assets.peek().is_some() {
                self.deliver_assets(&scope, assets.by_ref().take(ASSETS_A_BATCH).collect()).await?;
            }
        }
        Ok(())
    }

    async fn deliver_connection(&self, domains: &[domains::FoundDomain]) -> Result<(), CrawlError> {
        // A domain may be shared from another account.
        let own = self.settings.identity_arn.as_deref().and_then(account_of);
        let account =
            own.or_else(|| domains.iter().find_map(|domain| account_of(domain.asset.attributes.text(Attribute::AwsArn)?)));
        *self.account.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = account.map(str::to_owned);
        let mut asset = Asset::new(Kind::Connection, self.naming.connection().clone(), &*self.settings.connection_name);
        asset.attributes.set(Attribute::Category, "lake");
        asset.attributes.set(Attribute::AwsRegion, self.region);
        asset.attributes.set_some(Attribute::AwsAccountId, account);
        self.deliver_assets(&Scope::new(CONNECTION_SCOPE), vec![asset]).await
    }

    /// These attributes stay as they were known, also where something else is known now: they follow from what could not be read.
    async fn keep_known(&self, asset: &mut Asset, attributes: &[Attribute]) -> Result<(), CrawlError> {
        if attributes.is_empty() {
            return Ok(());
        }
        if let Some(stored) = self.ports.baseline.stored(&asset.qualified_name).await? {
            for attribute in attributes {
                asset.attributes.set_some(*attribute, stored.attributes.get(*attribute).cloned());
            }
        }
        Ok(())
    }

    /// What could not be read this time stays as it was known: else every failure would look like a change, and its end too.
    async fn with_what_was_known(&self, mut asset: Asset) -> Result<Asset, CrawlError> {
        if let Some(stored) = self.ports.baseline.stored(&asset.qualified_name).await? {
            // What is known by its id alone keeps the name that it had.
            if asset.qualified_name.as_str().rsplit('/').next() == Some(&*asset.name) {
                asset.name.clone_from(&stored.name);
            }
            let missing = stored.attributes.iter().filter(|(attribute, _)| asset.attributes.get(*attribute).is_none());
            for (attribute, value) in missing.collect::<Vec<_>>() {
                asset.attributes.set(attribute, value.clone());
            }
        }
        Ok(asset)
    }

    fn note_published(&self, name: &QualifiedName) {
        if self.settings.keeps(&Keep::UnpublishedAssets) {
            let mut published = self.published.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            published.insert(super::hash(name.as_str()));
        }
    }

    fn was_published(&self, name: &QualifiedName) -> bool {
        self.published.lock().unwrap_or_else(std::sync::PoisonError::into_inner).contains(&super::hash(name.as_str()))
    }

    fn findings(&self) -> std::sync::MutexGuard<'_, Findings> {
        self.findings.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn read_anything(&self) -> bool {
        self.ports.progress.snapshot().pages > 0
    }

    fn into_result(self, gone: Vec<KnownAsset>) -> CrawlResult {
        let read_anything = self.read_anything();
        let account = self.account.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
        let findings = self.findings.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
        findings.into_result(gone, read_anything, account)
    }
}
