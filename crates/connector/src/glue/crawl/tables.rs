//! The tables of one database.

use std::collections::HashSet;
use std::ops::Range;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use model::{AssetBatch, Item, Kind, KnownAsset, QualifiedName, Scope, SourceHash, Warning};
use serde_json::json;

use super::pages::Pager;
use super::split::{NamePart, Sample};
use super::{Crawl, CrawlError};
use crate::glue::filter::TableFilter;
use crate::glue::map::catalog::TableCounts;
use crate::glue::map::table::{Place, map_table};
use crate::glue::page::{Table, TablesPage};
use crate::glue::slice;
use crate::port::{ApiError, AssetSink, Baseline, ErrorKind, ReadApi, ReadOperation};

/// How many tables a page is asked for: the API's own maximum.
const PAGE_TABLES_MAX: u32 = 100;

/// A database with a token after so many pages is large: if there are workers to spare, it is read by several cursors.
const SPLIT_AFTER_PAGES: usize = 20;

/// One database of a catalog.
#[derive(Clone, Debug)]
pub(super) struct Database {
    pub(super) catalog_id: Option<String>,
    pub(super) catalog_name: String,
    pub(super) name: String,
    pub(super) is_link: bool,
    /// The service's own description, as JSON.
    pub(super) description: String,
}

/// How the listing of a database's tables went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Listed {
    /// To the end.
    Complete(TableCounts),
    /// Not to the end; why is recorded.
    Incomplete,
    /// The database was dropped while it was read.
    Vanished,
    /// Not asked for.
    Skipped,
}

/// What all cursors of one database share.
pub(super) struct Listing<'a> {
    pub(super) database: &'a Database,
    pub(super) scope: Scope,
    schema: QualifiedName,
    filter: TableFilter,
    counts: Mutex<TableCounts>,
    /// Hashes of the names that were delivered, kept only where two cursors may meet.
    delivered: Mutex<Option<HashSet<u64>>>,
}

impl Listing<'_> {
    /// Remembers a name; `false` if another cursor delivered it before.
    fn is_new(&self, name: &str) -> bool {
        let mut delivered = self.delivered.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        delivered.as_mut().is_none_or(|names| names.insert(name_hash(name)))
    }

    /// Whether several cursors read this database, so that pages may repeat.
    fn is_in_parts(&self) -> bool {
        self.delivered.lock().unwrap_or_else(std::sync::PoisonError::into_inner).is_some()
    }

    /// Whether another cursor delivered this name before.
    fn was_delivered(&self, name: &str) -> bool {
        let delivered = self.delivered.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        delivered.as_ref().is_some_and(|names| names.contains(&name_hash(name)))
    }

    pub(super) fn remember_names<'n>(&self, names: impl Iterator<Item = &'n String>) {
        let mut delivered = self.delivered.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        delivered.get_or_insert_default().extend(names.map(|name| name_hash(name)));
    }

    fn add_counts(&self, tables: i64, views: i64) {
        let mut counts = self.counts.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        counts.tables += tables;
        counts.views += views;
    }

    /// Forgets what was counted, unless names that come again are recognised and not counted twice.
    fn forget_counts(&self) {
        let delivered = self.delivered.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if delivered.is_none() {
            *self.counts.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = TableCounts::default();
        }
    }

    fn counts(&self) -> TableCounts {
        *self.counts.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// A cursor over the tables whose names are in `part`, or over all.
    pub(super) fn pager(&self, part: Option<&NamePart>, input: impl FnOnce(serde_json::Value) -> serde_json::Value) -> Pager {
        let mut request = json!({"DatabaseName": self.database.name, "MaxResults": PAGE_TABLES_MAX});
        if let (Some(part), Some(object)) = (part, request.as_object_mut()) {
            object.insert("Expression".to_owned(), json!(part.expression()));
        }
        Pager::new(ReadOperation::GetTables, &input(request))
    }
}

fn name_hash(name: &str) -> u64 {
    SourceHash::of(0, name.as_bytes()).0
}

/// What a page of tables was.
pub(super) struct PageFacts {
    /// The names in it, in the service's order.
    pub(super) names: Vec<String>,
}

/// What can be made of a page's bytes alone.
enum PageContent {
    /// Everything.
    Mapped(Mapped),
    /// Where each table is: which of them changed is for the store to say.
    Sliced(Vec<Range<usize>>),
}

/// A page's tables on their way to the sink.
struct Mapped {
    items: Vec<Item>,
    unchanged: Vec<KnownAsset>,
    names: Vec<String>,
    warnings: Vec<Warning>,
}

impl<A: ReadApi, S: AssetSink, B: Baseline> Crawl<'_, A, S, B> {
    /// Reads all tables of a database. `active` counts the databases that are being read.
    pub(super) async fn crawl_tables(&self, database: &Database, active: &AtomicUsize) -> Result<Listed, CrawlError> {
        let listing = Listing {
            database,
            scope: Scope::new(format!("{}/{}", database.catalog_name, database.name)),
            schema: self.naming.schema(&database.catalog_name, &database.name),
            filter: self.settings.filter.for_database(&database.catalog_name, &database.name),
            counts: Mutex::default(),
            delivered: Mutex::default(),
        };
        let listed = match self.read_listing(&listing, active).await {
            Ok(()) => {
                self.findings().complete(&listing.scope);
                Listed::Complete(listing.counts())
            }
            Err(CrawlError::Api(error)) => {
                let vanished = error.kind == ErrorKind::NotFound;
                if vanished {
                    self.note_vanished(&listing, &error);
                } else {
                    self.findings().fail(&listing.scope, error)?;
                }
                if vanished { Listed::Vanished } else { Listed::Incomplete }
            }
            Err(error) => return Err(error),
        };
        Ok(listed)
    }

    /// A database that is dropped while it is read is no failure: the list of databases tells the next run that it is gone.
    fn note_vanished(&self, listing: &Listing<'_>, error: &ApiError) {
        let mut findings = self.findings();
        findings.incomplete(&listing.scope);
        findings.warn(vec![Warning {
            scope: listing.scope.to_string(),
            code: "database-vanished",
            message: format!(
                "the database was dropped while it was read ({}); what was read of it is kept until the next run",
                error.message
            ),
        }]);
    }

    /// One cursor to begin with; several when the database turns out to be large and workers are idle.
    async fn read_listing(&self, listing: &Listing<'_>, active: &AtomicUsize) -> Result<(), CrawlError> {
        let mut pager = listing.pager(None, |input| self.with_catalog(input, listing.database.catalog_id.as_deref()));
        let mut sample = Sample::default();
        let mut pages = 0;
        while !pager.is_done() {
            let facts = self.table_page(listing, &mut pager, None).await?;
            pages += 1;
            if pages <= SPLIT_AFTER_PAGES {
                sample.add(facts.names);
            }
            let has_idle_workers = active.load(Ordering::Relaxed) * 2 <= self.settings.concurrency;
            if pages == SPLIT_AFTER_PAGES && !pager.is_done() && has_idle_workers {
                listing.remember_names(sample.names());
                if self.read_in_parts(listing, &sample).await? {
                    return Ok(());
                }
                // The service does not filter as it should: the one cursor goes on, and what parts delivered is skipped.
            }
        }
        Ok(())
    }

    /// Reads and delivers one page of a cursor. Names outside of `part` show that the service filters otherwise.
    pub(super) async fn table_page(
        &self,
        listing: &Listing<'_>,
        pager: &mut Pager,
        part: Option<&NamePart>,
    ) -> Result<PageFacts, CrawlError> {
        let take = |body: &Bytes| self.take_page(listing, body);
        let (body, (content, token)) = match self.next_page(pager, take).await {
            Err(error) if error.kind == ErrorKind::Invalid && pager.can_restart() && self.ports.baseline.keeps_hashes() => {
                // The token expired. Delivering a page twice changes nothing in a store, so the listing begins again, once.
                pager.restart();
                listing.forget_counts();
                self.next_page(pager, take).await?
            }
            other => other?,
        };
        let mapped = match content {
            PageContent::Mapped(mapped) => mapped,
            PageContent::Sliced(tables) => self.map_sliced_page(listing, &body, &tables).await?,
        };
        pager.advance(token.as_deref(), mapped.names.len())?;
        let views = mapped
            .items
            .iter()
            .map(|item| item.asset.kind)
            .chain(mapped.unchanged.iter().map(|known| known.kind))
            .filter(|kind| *kind == Kind::View)
            .count();
        let total = mapped.items.len() + mapped.unchanged.len();
        listing.add_counts(i64::try_from(total - views).unwrap_or(0), i64::try_from(views).unwrap_or(0));
        self.findings().warn(mapped.warnings);
        self.note_locations(&mapped.items);
        if total > 0 {
            self.deliver(AssetBatch { scope: listing.scope.clone(), items: mapped.items, unchanged: mapped.unchanged }).await?;
        }
        // Only once they are delivered: the names of this page count as delivered from here on.
        if part.is_some_and(|part| mapped.names.iter().any(|name| !part.contains(name))) {
            return Err(super::split::filters_otherwise().into());
        }
        Ok(PageFacts { names: mapped.names })
    }

    /// Makes of a page's bytes what can be made without asking anybody. Where no hashes are kept, it is parsed as a whole; else,
    /// or where one of its tables cannot be parsed, it is cut into the bytes of each table.
    fn take_page(&self, listing: &Listing<'_>, body: &Bytes) -> Result<(PageContent, Option<String>), serde_json::Error> {
        let mut fault = None;
        if !self.ports.baseline.keeps_hashes() && !listing.is_in_parts() {
            // Checking the whole page for UTF-8 at once is cheaper than checking every string of it.
            let parsed =
                std::str::from_utf8(body).map_err(serde::de::Error::custom).and_then(serde_json::from_str::<TablesPage<'_>>);
            match parsed {
                Ok(page) => {
                    let token = page.next_token.as_deref().map(str::to_owned);
                    return Ok((PageContent::Mapped(self.map_whole(listing, &page)), token));
                }
                Err(error) => fault = Some(error),
            }
        }
        let Some(sliced) = slice::tables(body) else {
            // The full parser says where the fault is.
            return Err(fault.or_else(|| serde_json::from_slice::<TablesPage<'_>>(body).err()).unwrap_or_else(no_list));
        };
        let token = sliced.next_token.map(|token| serde_json::from_slice::<String>(&body[token])).transpose()?;
        Ok((PageContent::Sliced(sliced.tables), token))
    }

    async fn map_sliced_page(&self, listing: &Listing<'_>, body: &Bytes, ranges: &[Range<usize>]) -> Result<Mapped, CrawlError> {
        let tables: Vec<_> = ranges.iter().map(|range| &body[range.clone()]).collect();
        let hashes: Vec<_> = tables.iter().map(|table| SourceHash::of(self.salt, table)).collect();
        let unchanged = self.unchanged_tables(listing, &tables, &hashes).await?;
        Ok(self.map_slices(listing, &tables, &hashes, unchanged))
    }

    /// For each table the stored asset, if its bytes did not change since.
    async fn unchanged_tables(
        &self,
        listing: &Listing<'_>,
        tables: &[&[u8]],
        hashes: &[SourceHash],
    ) -> Result<Vec<Option<KnownAsset>>, CrawlError> {
        if self.ports.baseline.is_empty() {
            return Ok(vec![None; tables.len()]);
        }
        let named = tables.iter().map(|table| slice::table_name(table));
        let questions: Vec<_> = named.zip(hashes).filter_map(|(name, hash)| Some((listing.schema.child(name?), *hash))).collect();
        let is_asked: Vec<_> = tables.iter().map(|table| slice::table_name(table).is_some()).collect();
        let mut answers = self.ports.baseline.unchanged(questions).await?.into_iter();
        Ok(is_asked.into_iter().map(|asked| if asked { answers.next().flatten() } else { None }).collect())
    }

    fn map_whole(&self, listing: &Listing<'_>, page: &TablesPage<'_>) -> Mapped {
        let mut mapped = Mapped::with_capacity(page.table_list.len());
        for table in &page.table_list {
            mapped.names.push(table.name.to_string());
            if listing.filter.wants(&table.name) && listing.is_new(&table.name) {
                mapped.items.push(map_table(&self.context(), listing.place(), table, None, &mut mapped.warnings));
            }
        }
        mapped
    }

    fn map_slices(
        &self,
        listing: &Listing<'_>,
        tables: &[&[u8]],
        hashes: &[SourceHash],
        unchanged: Vec<Option<KnownAsset>>,
    ) -> Mapped {
        let mut mapped = Mapped::with_capacity(tables.len());
        for ((bytes, hash), known) in tables.iter().zip(hashes).zip(unchanged) {
            // What another cursor delivered before is not parsed again.
            if let Some(name) = slice::table_name(bytes).filter(|name| listing.was_delivered(name)) {
                mapped.names.push(name.to_owned());
                continue;
            }
            if let (Some(known), Some(name)) = (known, slice::table_name(bytes)) {
                mapped.names.push(name.to_owned());
                if listing.filter.wants(name) && listing.is_new(name) {
                    mapped.unchanged.push(known);
                }
                continue;
            }
            match std::str::from_utf8(bytes).map_err(serde::de::Error::custom).and_then(serde_json::from_str::<Table<'_>>) {
                Ok(table) => {
                    mapped.names.push(table.name.to_string());
                    if listing.filter.wants(&table.name) && listing.is_new(&table.name) {
                        mapped.items.push(map_table(&self.context(), listing.place(), &table, Some(*hash), &mut mapped.warnings));
                    }
                }
                Err(error) => mapped.warnings.push(Warning {
                    scope: format!("{}/{}", listing.scope, slice::table_name(bytes).unwrap_or("?")),
                    code: "table-unreadable",
                    message: format!(
                        "the table is not in the documented form (column {} of its JSON) and is left out",
                        error.column()
                    ),
                }),
            }
        }
        mapped
    }
}

impl Mapped {
    fn with_capacity(tables: usize) -> Self {
        Self { items: Vec::with_capacity(tables), unchanged: Vec::new(), names: Vec::with_capacity(tables), warnings: Vec::new() }
    }
}

impl Listing<'_> {
    fn place(&self) -> Place<'_> {
        Place { catalog: &self.database.catalog_name, database: &self.database.name, schema: &self.schema }
    }
}

/// A page that is JSON, but no list of tables.
fn no_list() -> serde_json::Error {
    serde::de::Error::custom("the page is no list of tables")
}
