//! Catalogs and databases.

use std::sync::atomic::{AtomicUsize, Ordering};

use futures::StreamExt;
use futures::stream::{FuturesUnordered, TryStreamExt};
use model::{Asset, AssetBatch, Item, Scope, Warning};
use serde_json::json;

use super::pages::Pager;
use super::tables::{Database, Listed};
use super::{Crawl, CrawlError};
use crate::glue::map::catalog::{TableCounts, map_catalog, map_database};
use crate::glue::naming::{Naming, OWN_CATALOG, account_of};
use crate::glue::page::{self, CatalogAnswer, CatalogsPage, DatabasesPage};
use crate::glue::settings::Section;
use crate::port::{ApiError, AssetSink, Baseline, ErrorKind, ReadApi, ReadOperation};

/// The scope of the list of catalogs.
const CATALOGS_SCOPE: &str = "catalogs";

/// One catalog to crawl: the id that calls carry, the name it goes by, and the service's own description as JSON.
#[derive(Clone, Debug)]
pub(super) struct FoundCatalog {
    pub(super) id: Option<String>,
    pub(super) name: String,
    description: Option<String>,
}

/// The catalogs of a run.
#[derive(Debug)]
pub(super) struct FoundCatalogs {
    pub(super) catalogs: Vec<FoundCatalog>,
    pub(super) naming: Naming,
    /// Whether the service answered: without that, not even the connection is known to work.
    pub(super) is_certain: bool,
}

impl<A: ReadApi, S: AssetSink, B: Baseline> Crawl<'_, A, S, B> {
    /// Which catalogs there are, and of which account. Where they cannot be listed, the account's own remains.
    pub(super) async fn find_catalogs(&self) -> Result<FoundCatalogs, CrawlError> {
        let scope = Scope::new(CATALOGS_SCOPE);
        let listed = self.list_catalogs().await;
        let is_certain = listed.is_ok();
        let found = match listed {
            Ok(found) => {
                if self.settings.catalog_ids.is_empty() {
                    self.findings().complete(&scope);
                }
                found
            }
            Err(error) => {
                self.note_unlisted_catalogs(&scope, error)?;
                Vec::new()
            }
        };
        let own = found.iter().find(|catalog| catalog.1.as_deref().is_some_and(|id| account_of(id) == Some(id)));
        let account = own
            .and_then(|catalog| catalog.1.clone())
            .or_else(|| found.iter().find_map(|catalog| Some(account_of(catalog.1.as_deref()?)?.to_owned())));
        let account = account.or_else(|| self.naming.account().map(str::to_owned));
        let naming = Naming::new(self.naming.connection().clone(), account);
        let catalogs = self.choose_catalogs(&naming, &found).await?;
        Ok(FoundCatalogs { catalogs, naming, is_certain })
    }

    /// Catalogs that were asked for by id do not need the list.
    fn note_unlisted_catalogs(&self, scope: &Scope, error: ApiError) -> Result<(), CrawlError> {
        let mut findings = self.findings();
        findings.warn(vec![Warning {
            scope: CATALOGS_SCOPE.to_owned(),
            code: "catalogs-unlisted",
            message: format!(
                "the catalogs of the account could not be listed ({error}); only the account's own catalog is crawled"
            ),
        }]);
        if self.settings.catalog_ids.is_empty() || error.kind.disposition() == crate::port::Disposition::FailRun {
            findings.fail(scope, error)?;
        }
        Ok(())
    }

    /// Every catalog as (name, id, JSON).
    async fn list_catalogs(&self) -> Result<Vec<(String, Option<String>, String)>, ApiError> {
        let mut pager = Pager::new(ReadOperation::GetCatalogs, &json!({"Recursive": true, "IncludeRoot": true}));
        let mut found = Vec::new();
        while !pager.is_done() {
            let (body, ()) = self.next_page(&pager, |body| serde_json::from_slice::<CatalogsPage<'_>>(body).map(|_| ())).await?;
            let Ok(page) = serde_json::from_slice::<CatalogsPage<'_>>(&body) else { break };
            let token = page.next_token.as_deref().map(str::to_owned);
            let raw: RawCatalogs<'_> = serde_json::from_slice(&body).unwrap_or_default();
            for (catalog, json) in page.catalog_list.iter().zip(raw.catalog_list) {
                let id = catalog.catalog_id.as_deref().map(str::to_owned);
                let account = catalog.resource_arn.as_deref().and_then(|arn| arn.split(':').nth(4)).map(str::to_owned);
                let is_root = catalog.resource_arn.as_deref().is_some_and(|arn| arn.ends_with(":catalog"));
                found.push((catalog.name.to_string(), id.or(account.filter(|_| is_root)), json.get().to_owned()));
            }
            pager.advance(token.as_deref(), page.catalog_list.len())?;
        }
        Ok(found)
    }

    /// The catalogs that the settings ask for, or all.
    async fn choose_catalogs(
        &self,
        naming: &Naming,
        found: &[(String, Option<String>, String)],
    ) -> Result<Vec<FoundCatalog>, CrawlError> {
        let named = |id: &Option<String>, json: &str| FoundCatalog {
            id: id.clone(),
            name: naming.catalog_name(id.as_deref()).into_owned(),
            description: Some(json.to_owned()),
        };
        let mut catalogs: Vec<_> = found.iter().map(|(_, id, json)| named(id, json)).collect();
        let own = FoundCatalog { id: naming.account().map(str::to_owned), name: OWN_CATALOG.to_owned(), description: None };
        if !catalogs.iter().any(|catalog| catalog.name == OWN_CATALOG) {
            catalogs.insert(0, own);
        }
        if self.settings.catalog_ids.is_empty() {
            return Ok(catalogs);
        }
        let mut chosen = Vec::new();
        for id in &self.settings.catalog_ids {
            let known = catalogs.iter().find(|catalog| catalog.name == *id || catalog.id.as_deref() == Some(id));
            match known {
                Some(catalog) => chosen.push(catalog.clone()),
                None => chosen.extend(self.ask_for_catalog(naming, id).await?),
            }
        }
        if chosen.is_empty()
            && let Some(failure) = self.findings().failures.pop()
        {
            // Not one of the catalogs that were asked for is there: what else the account has was not the question.
            return Err(failure.error.into());
        }
        Ok(chosen)
    }

    /// A catalog that was asked for by an id that the list does not have: another account's, or none at all.
    async fn ask_for_catalog(&self, naming: &Naming, id: &str) -> Result<Option<FoundCatalog>, CrawlError> {
        let scope = Scope::new(naming.catalog_name(Some(id)));
        match self
            .read_once(ReadOperation::GetCatalog, json!({"CatalogId": id}), |body| {
                serde_json::from_slice::<CatalogAnswer<'_>>(body).map(|_| body.clone())
            })
            .await
        {
            Ok(body) => {
                let raw: RawCatalog<'_> = serde_json::from_slice(&body).unwrap_or_default();
                let description = raw.catalog.map(|catalog| catalog.get().to_owned());
                Ok(Some(FoundCatalog { id: Some(id.to_owned()), name: naming.catalog_name(Some(id)).into_owned(), description }))
            }
            Err(mut error) if error.kind == ErrorKind::NotFound => {
                error.message = format!("there is no catalog \"{id}\" that this role can see ({})", error.message);
                error.suggested_action =
                    "Give an id as GetCatalogs lists it: AwsDataCatalog, or <account>:s3tablescatalog/<bucket>.".to_owned();
                self.findings().fail(&scope, error)?;
                Ok(None)
            }
            // Services that do not know GetCatalog may know the catalog all the same: its databases will tell.
            Err(error) if error.kind != ErrorKind::Denied && error.kind.disposition() != crate::port::Disposition::FailRun => {
                Ok(Some(FoundCatalog {
                    id: Some(id.to_owned()),
                    name: naming.catalog_name(Some(id)).into_owned(),
                    description: None,
                }))
            }
            Err(error) => {
                self.findings().fail(&scope, error)?;
                Ok(None)
            }
        }
    }

    /// Lists the databases of every catalog: all of them before any table, so that the tables share one pool of workers.
    pub(super) async fn list_all_databases(&self, found: &FoundCatalogs) -> Result<Vec<Database>, CrawlError> {
        let catalogs = &found.catalogs;
        let listings: FuturesUnordered<_> = (0..catalogs.len()).map(|at| self.list_databases(&catalogs[at])).collect();
        let listed: Vec<Vec<Database>> = listings.try_collect().await?;
        let databases: Vec<_> = listed.into_iter().flatten().collect();
        if databases.is_empty() && !self.settings.filter.is_empty() && self.read_anything() {
            let message =
                "no database that the role can see is let through by --include and --exclude; check how they are spelt".to_owned();
            self.findings().warn(vec![Warning { scope: CATALOGS_SCOPE.to_owned(), code: "filter-matches-nothing", message }]);
        }
        self.ports.progress.scopes_found(databases.len() as u64);
        Ok(databases)
    }

    /// Crawls the tables of all databases, as many at once as the settings allow.
    pub(super) async fn crawl_databases(&self, databases: &[Database]) -> Result<(), CrawlError> {
        let active = AtomicUsize::new(0);
        let concurrency = self.settings.concurrency.max(1);
        // By place, so that the crawl can move between threads (ARCHITECTURE.md, Threads).
        let crawls = (0..databases.len()).map(|at| self.crawl_database(&databases[at], &active));
        let mut crawls = futures::stream::iter(crawls).buffer_unordered(concurrency);
        while let Some(done) = crawls.next().await {
            done?;
        }
        Ok(())
    }

    /// Lists the databases of a catalog and delivers the catalog itself.
    async fn list_databases(&self, catalog: &FoundCatalog) -> Result<Vec<Database>, CrawlError> {
        let scope = Scope::new(&*catalog.name);
        let mut pager = Pager::new(
            ReadOperation::GetDatabases,
            &self.with_catalog(json!({"ResourceShareType": "ALL", "MaxResults": 100}), catalog.id.as_deref()),
        );
        let mut databases = Vec::new();
        let mut seen = 0_i64;
        let is_complete = loop {
            match self.database_page(catalog, &mut pager, &mut databases).await {
                Ok(count) => seen += i64::try_from(count).unwrap_or(0),
                // A federated parent has no databases of its own, and a catalog may be dropped after it was listed.
                Err(error)
                    if error.kind == ErrorKind::NotFound && self.settings.catalog_ids.is_empty() && catalog.name != OWN_CATALOG =>
                {
                    break true;
                }
                Err(error) => {
                    self.findings().fail(&scope, error)?;
                    break false;
                }
            }
            if pager.is_done() {
                break true;
            }
        };
        let description = catalog.description.as_deref().and_then(|json| serde_json::from_str::<page::Catalog<'_>>(json).ok());
        let asset = map_catalog(&self.context(), &catalog.name, description.as_ref(), is_complete.then_some(seen));
        let asset = if is_complete && description.is_some() { asset } else { self.with_what_was_known(asset).await? };
        self.deliver_assets(&Scope::new(CATALOGS_SCOPE), vec![asset]).await?;
        self.deliver_other_catalogs(catalog, &databases, is_complete).await?;
        if is_complete {
            self.findings().complete(&scope);
        }
        Ok(databases)
    }

    /// The account that a database is shared from: the list of an account's own catalog has those too (`ResourceShareType` ALL),
    /// and their tables are read from, and named by, the catalog that they are in.
    fn other_owner(&self, database: &page::Database<'_>) -> Option<String> {
        let owner = database.catalog_id.as_deref().filter(|id| account_of(id) == Some(id))?;
        let own = self.naming.account()?;
        (owner != own && database.target_database.is_none()).then(|| owner.to_owned())
    }

    /// The catalogs of other accounts that shared databases are in: known by nothing but their ids.
    async fn deliver_other_catalogs(
        &self,
        catalog: &FoundCatalog,
        databases: &[Database],
        is_complete: bool,
    ) -> Result<(), CrawlError> {
        let others: std::collections::BTreeSet<_> =
            databases.iter().map(|database| &database.catalog_name).filter(|name| **name != catalog.name).collect();
        for name in others {
            self.deliver_assets(&Scope::new(CATALOGS_SCOPE), vec![map_catalog(&self.context(), name, None, None)]).await?;
            if is_complete {
                self.findings().complete(&Scope::new(name));
            }
        }
        Ok(())
    }

    async fn database_page(
        &self,
        catalog: &FoundCatalog,
        pager: &mut Pager,
        databases: &mut Vec<Database>,
    ) -> Result<usize, ApiError> {
        let (body, token) = self
            .next_page(pager, |body| {
                serde_json::from_slice::<DatabasesPage<'_>>(body).map(|page| page.next_token.as_deref().map(str::to_owned))
            })
            .await?;
        let raw: RawDatabases<'_> = serde_json::from_slice(&body).unwrap_or_default();
        let count = raw.database_list.len();
        for json in raw.database_list {
            let Ok(database) = serde_json::from_str::<page::Database<'_>>(json.get()) else { continue };
            let owner = self.other_owner(&database);
            // A database that is shared from another account is in that account's catalog, which may not have been asked for.
            let is_asked = owner.is_none() || self.settings.catalog_ids.is_empty();
            let catalog_name = owner.clone().unwrap_or_else(|| catalog.name.clone());
            if !is_asked || !self.settings.filter.wants_database(&catalog_name, &database.name) {
                continue;
            }
            databases.push(Database {
                catalog_id: owner
                    .clone()
                    .or_else(|| catalog.id.clone())
                    .or_else(|| database.catalog_id.as_deref().map(str::to_owned)),
                catalog_name,
                name: database.name.to_string(),
                is_link: database.target_database.is_some(),
                description: json.get().to_owned(),
            });
        }
        pager.advance(token.as_deref(), count)?;
        Ok(count)
    }

    /// Reads the tables of one database, then delivers the database itself, whose counts are known only then.
    async fn crawl_database(&self, database: &Database, active: &AtomicUsize) -> Result<(), CrawlError> {
        active.fetch_add(1, Ordering::Relaxed);
        // A database link is a name for another database: its tables are that database's, and are crawled there.
        let listed = if database.is_link || !self.settings.reads(Section::Tables) {
            Ok(Listed::Skipped)
        } else {
            self.crawl_tables(database, active).await
        };
        active.fetch_sub(1, Ordering::Relaxed);
        self.ports.progress.scope_done();
        let counts = match listed? {
            Listed::Complete(counts) => Some(counts),
            Listed::Vanished => return Ok(()),
            Listed::Skipped | Listed::Incomplete => None,
        };
        self.deliver_database(database, counts).await
    }

    /// What could not be read this time stays as it was known: else every failure would look like a change, and its end too.
    async fn with_what_was_known(&self, mut asset: Asset) -> Result<Asset, CrawlError> {
        if let Some(stored) = self.ports.baseline.stored(&asset.qualified_name).await? {
            for (attribute, value) in
                stored.attributes.iter().filter(|(attribute, _)| asset.attributes.get(*attribute).is_none()).collect::<Vec<_>>()
            {
                asset.attributes.set(attribute, value.clone());
            }
        }
        Ok(asset)
    }

    async fn deliver_database(&self, database: &Database, counts: Option<TableCounts>) -> Result<(), CrawlError> {
        let Ok(page) = serde_json::from_str::<page::Database<'_>>(&database.description) else { return Ok(()) };
        let (asset, process) = map_database(&self.context(), &database.catalog_name, &page, counts);
        let asset = if counts.is_some() || database.is_link { asset } else { self.with_what_was_known(asset).await? };
        let item = Item { asset, derived: process.into_iter().collect(), source: None };
        self.deliver(AssetBatch { scope: Scope::new(&*database.catalog_name), items: vec![item], unchanged: Vec::new() }).await
    }
}

/// The catalogs of a page as text, so that each can be kept until it is delivered.
#[derive(Default, serde::Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct RawCatalogs<'a> {
    #[serde(borrow)]
    catalog_list: Vec<&'a serde_json::value::RawValue>,
}

#[derive(Default, serde::Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct RawCatalog<'a> {
    #[serde(borrow)]
    catalog: Option<&'a serde_json::value::RawValue>,
}

#[derive(Default, serde::Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct RawDatabases<'a> {
    #[serde(borrow)]
    database_list: Vec<&'a serde_json::value::RawValue>,
}
