//! An open catalog.

use std::sync::Arc;

use crate::db::{Database, Hold, Readers, Writer};
use crate::{CatalogUrl, Result, StoreError};

/// What can be set for a catalog.
#[derive(Clone, Copy, Debug)]
pub struct StoreOptions {
    /// A catalog file shall not grow beyond this size; a write that would is refused as [`StoreError::DiskFull`]. A PostgreSQL server
    /// has limits of its own.
    pub size_limit_bytes: Option<u64>,
    /// Connections to a PostgreSQL server at most, besides one for each crawl.
    pub connections_max: u32,
}

impl Default for StoreOptions {
    fn default() -> Self {
        Self { size_limit_bytes: None, connections_max: 16 }
    }
}

/// An open catalog. Clones share it.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    url: CatalogUrl,
    database: Database,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").field("url", &self.inner.url).finish_non_exhaustive()
    }
}

impl Store {
    /// Opens the catalog, and creates it if there is none: a file with its folders, all for the owner only, or the tables in a
    /// PostgreSQL database that is there.
    ///
    /// # Errors
    /// When it is no catalog, was written by a newer version, or cannot be reached, read or written.
    pub async fn open(url: &CatalogUrl) -> Result<Self> {
        Self::open_with(url, StoreOptions::default()).await
    }

    /// As [`Store::open`], with options.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub async fn open_with(url: &CatalogUrl, options: StoreOptions) -> Result<Self> {
        let database = Database::open(url, options).await?;
        Ok(Self { inner: Arc::new(Inner { url: url.clone(), database }) })
    }

    /// Opens a catalog that must be there: for questions.
    ///
    /// # Errors
    /// As [`Store::open`], and when there is no catalog.
    pub async fn open_existing(url: &CatalogUrl) -> Result<Self> {
        if !Database::exists(url).await? {
            return Err(StoreError::NoCatalog { catalog: url.to_string() });
        }
        Self::open(url).await
    }

    /// Copies a SQLite catalog into a new file, for its owner only, while it is crawled and asked; how many bytes the copy has. The
    /// catalog is not opened for that, so that it keeps its schema version.
    ///
    /// # Errors
    /// [`StoreError::OtherBackup`] for PostgreSQL; [`StoreError::Conflict`] when there is something at `to`;
    /// [`StoreError::NoCatalog`]; when either cannot be read or written.
    pub async fn backup(url: &CatalogUrl, to: &std::path::Path) -> Result<u64> {
        Database::backup(url, to).await
    }

    /// Waits for reads to end and closes the connections. Of a catalog file, the write-ahead log (at most some MiB) is copied back,
    /// and nothing but the one file stays. The last clone closes; a run that was not dropped before holds one.
    pub async fn close(self) {
        if let Some(inner) = Arc::into_inner(self.inner) {
            inner.database.close().await;
        }
    }

    /// Which kind of database it is: `sqlite` or `postgres`.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self.inner.url {
            CatalogUrl::Sqlite(_) => "sqlite",
            CatalogUrl::Postgres(_) => "postgres",
        }
    }

    pub(crate) fn readers(&self) -> &Readers {
        self.inner.database.readers()
    }

    pub(crate) async fn writer(&self) -> Result<Writer<'_>> {
        self.inner.database.writer().await
    }

    pub(crate) async fn writer_of<'s>(&'s self, hold: &'s Hold) -> Result<Writer<'s>> {
        self.inner.database.writer_of(hold).await
    }

    /// Takes hold of a connection's crawl, unless somebody has it.
    pub(crate) async fn hold(&self, connection: i64) -> Result<Option<Hold>> {
        self.inner.database.hold(&self.inner.url, connection).await
    }
}
