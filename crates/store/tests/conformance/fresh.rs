//! A fresh catalog for each test, and the assets that tests are made of.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::postgres;
use model::attribute::Attribute;
use model::{Asset, AssetBatch, ColumnDraft, Item, Kind, KnownAsset, Outcome, QualifiedName, Scope, ScopeReport, SourceHash};
use store::{
    Archived, CatalogUrl, Connection, ConnectionSpec, ExportCursor, ExportFilter, FinishedRun, RemovalPolicy, RunEnd, RunWriter,
    Store, StoredAsset,
};

/// Where a fresh catalog can be made; it goes when the test ends.
pub(crate) struct Fresh {
    place: Place,
}

enum Place {
    Folder(PathBuf),
    Database(CatalogUrl),
}

static FRESH: AtomicU32 = AtomicU32::new(0);

impl Fresh {
    pub(crate) fn sqlite() -> Self {
        let number = FRESH.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("store-conformance-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        Self { place: Place::Folder(folder) }
    }

    pub(crate) async fn postgres() -> Self {
        let number = FRESH.fetch_add(1, Ordering::Relaxed);
        Self { place: Place::Database(postgres::database(&format!("conformance_{number}")).await) }
    }

    /// Another one in the same kind of database.
    pub(crate) async fn another(&self) -> Self {
        match &self.place {
            Place::Folder(_) => Self::sqlite(),
            Place::Database(_) => Self::postgres().await,
        }
    }

    pub(crate) fn file(&self) -> PathBuf {
        match &self.place {
            Place::Folder(folder) => folder.join("new").join("catalog.db"),
            Place::Database(url) => panic!("{url} is no file"),
        }
    }

    pub(crate) fn url(&self) -> CatalogUrl {
        match &self.place {
            Place::Folder(_) => CatalogUrl::sqlite(self.file()),
            Place::Database(url) => url.clone(),
        }
    }

    pub(crate) async fn open(&self) -> Store {
        Store::open(&self.url()).await.unwrap()
    }
}

impl Drop for Fresh {
    fn drop(&mut self) {
        if let Place::Folder(folder) = &self.place {
            let _ = std::fs::remove_dir_all(folder);
        }
    }
}

pub(crate) async fn connection(store: &Store, number: u64) -> Connection {
    let name = format!("connection {number}");
    let spec = ConnectionSpec { name, connector: "glue", number: Some(number), region: None, account: None };
    store.connection(&spec, 1_000_000).await.unwrap()
}

/// The qualified name at a path of encoded parts below `default/glue/1`.
pub(crate) fn name(path: &str) -> QualifiedName {
    QualifiedName::from_encoded(format!("default/glue/1/{path}"))
}

pub(crate) fn asset(kind: Kind, path: &str) -> Asset {
    let qualified_name = name(path);
    let last = model::name::decode_part(path.rsplit('/').next().unwrap());
    Asset::new(kind, qualified_name, last)
}

/// A table with plain columns.
pub(crate) fn table(path: &str, columns: &[&str]) -> Asset {
    let mut table = asset(Kind::Table, path);
    for column in columns {
        push_column(&mut table, column, "string");
    }
    table
}

pub(crate) fn push_column(table: &mut Asset, column: &str, raw_type: &str) {
    let order = u32::try_from(table.columns.len() + 1).unwrap();
    table.columns.push(&ColumnDraft {
        name: column,
        data_type: raw_type,
        raw_type,
        description: None,
        order,
        partition_order: None,
        parent: None,
        nested_count: 0,
    });
}

pub(crate) fn located(mut table: Asset, location: &str) -> Asset {
    table.attributes.set(Attribute::ExternalLocation, location);
    table
}

pub(crate) fn described(mut asset: Asset, description: &str) -> Asset {
    asset.attributes.set(Attribute::Description, description);
    asset
}

pub(crate) fn hashed(asset: Asset, hash: u64) -> Item {
    Item { asset, derived: Vec::new(), source: Some(SourceHash(hash)) }
}

pub(crate) fn batch(scope: &str, items: impl IntoIterator<Item = impl Into<Item>>) -> AssetBatch {
    AssetBatch { scope: Scope::new(scope), items: items.into_iter().map(Into::into).collect(), unchanged: Vec::new() }
}

pub(crate) fn unchanged(scope: &str, known: impl IntoIterator<Item = KnownAsset>) -> AssetBatch {
    AssetBatch { scope: Scope::new(scope), items: Vec::new(), unchanged: known.into_iter().collect() }
}

pub(crate) fn complete(scopes: &[&str]) -> Vec<ScopeReport> {
    scopes.iter().map(|scope| ScopeReport { scope: Scope::new(*scope), complete: true }).collect()
}

pub(crate) fn end(gone: Vec<KnownAsset>) -> RunEnd {
    RunEnd { outcome: Outcome::Complete, scopes: Vec::new(), gone, removal: RemovalPolicy::default(), now_ms: 2_000_000 }
}

pub(crate) async fn begin(store: &Store, connection: &Connection) -> RunWriter {
    store.begin_run(connection, "{}", 1_500_000).await.unwrap()
}

/// One whole run of one batch.
pub(crate) async fn crawl(store: &Store, connection: &Connection, batch: AssetBatch) -> FinishedRun {
    let run = begin(store, connection).await;
    run.apply(batch).await.unwrap();
    run.finish(end(Vec::new())).await.unwrap()
}

/// One whole run of one batch that archives what its scope no longer lists.
pub(crate) async fn crawl_and_remove(store: &Store, connection: &Connection, batch: AssetBatch) -> FinishedRun {
    let run = begin(store, connection).await;
    let scopes = complete(&[batch.scope.as_str()]);
    run.apply(batch).await.unwrap();
    let gone = run.missing(&scopes, 1000).await.unwrap().into_iter().map(|missing| missing.known).collect();
    run.finish(RunEnd { removal: RemovalPolicy::Confirmed, ..end(gone) }).await.unwrap()
}

/// Everything that an export gives, page by page.
pub(crate) async fn export(store: &Store, filter: &ExportFilter, page: usize) -> Vec<StoredAsset> {
    let mut all = Vec::new();
    let mut cursor = ExportCursor::default();
    loop {
        let read = store.export(filter, &cursor, page).await.unwrap();
        assert!(read.assets.len() <= page);
        all.extend(read.assets);
        match read.next {
            Some(next) => cursor = next,
            None => return all,
        }
    }
}

pub(crate) async fn export_all(store: &Store) -> Vec<StoredAsset> {
    export(store, &ExportFilter { archived: Archived::Included, ..ExportFilter::default() }, 7).await
}

/// Lines of the document form of what is active in a connection, by type name.
pub(crate) async fn exported_lines(store: &Store, connection: &Connection) -> Vec<String> {
    let filter = ExportFilter { connection: Some(connection.id), ..ExportFilter::default() };
    let mut out = Vec::new();
    for stored in export(store, &filter, 100).await {
        model::document::write_lines(&stored.asset, stored.status, |_| stored.stands_for_location, &mut out);
    }
    String::from_utf8(out).unwrap().lines().map(str::to_owned).collect()
}
