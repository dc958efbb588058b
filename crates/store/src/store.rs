//! An open catalog: one connection that writes, a few that read.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{AssertSqlSafe, Connection as _, SqliteConnection};
use tokio::sync::Mutex;

use crate::error::LOCK_WAIT_SECONDS;
use crate::file::{self, FileLock, Found};
use crate::{CatalogUrl, Result, StoreError, migrations};

/// Bytes of a page. Measured for rows of 2.7 KB: 4096 costs a third more processor time and half as much space again.
const PAGE_BYTES: u64 = 8192;
/// Page cache of the connection that writes. Measured: 48 MiB bring nothing over 16.
const WRITER_CACHE_KIB: u32 = 16 * 1024;
/// Page cache of each connection that reads. Measured: with 8 MiB the peak of a crawl is 58 MB for 500,000 tables, with 2 MiB 38 MB,
/// and questions are as fast.
const READER_CACHE_KIB: u32 = 2 * 1024;
/// Connections that read.
const READERS_MAX: u32 = 4;
/// Pages after which the write-ahead log is copied back (`wal_autocheckpoint`): it stays at about 8 MiB between large transactions.
const CHECKPOINT_PAGES: u32 = 1000;
/// The write-ahead log is cut back to this size after a large transaction.
const LOG_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// What can be set for a catalog.
#[derive(Clone, Copy, Debug, Default)]
pub struct StoreOptions {
    /// The catalog file shall not grow beyond this size; a write that would is refused as [`StoreError::DiskFull`].
    pub size_limit_bytes: Option<u64>,
}

/// An open catalog. Clones share it.
#[derive(Clone)]
pub struct Store {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) path: PathBuf,
    pub(crate) writer: Mutex<SqliteConnection>,
    pub(crate) readers: SqlitePool,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").field("path", &self.inner.path).finish_non_exhaustive()
    }
}

impl Store {
    /// Opens the catalog, and creates it (folders too, all for the owner only) if there is none.
    ///
    /// # Errors
    /// When the file is no catalog, was written by a newer version, or cannot be read or written.
    pub async fn open(url: &CatalogUrl) -> Result<Self> {
        Self::open_with(url, StoreOptions::default()).await
    }

    /// As [`Store::open`], with options.
    ///
    /// # Errors
    /// As [`Store::open`].
    pub async fn open_with(url: &CatalogUrl, options: StoreOptions) -> Result<Self> {
        if file::inspect(url.path())? == Found::Nothing {
            create(url.path()).await?;
        }
        let mut writer = connect(&writer_options(url.path())).await?;
        migrations::migrate(&mut writer, url.path()).await?;
        if let Some(limit) = options.size_limit_bytes {
            let pragma = format!("PRAGMA max_page_count = {}", (limit / PAGE_BYTES).max(1));
            sqlx::query(AssertSqlSafe(pragma)).execute(&mut writer).await?;
        }
        let readers = SqlitePoolOptions::new()
            .min_connections(0)
            .max_connections(READERS_MAX)
            .connect_lazy_with(base_options(url.path(), READER_CACHE_KIB).pragma("query_only", "ON"));
        Ok(Self { inner: Arc::new(Inner { path: url.path().to_owned(), writer: Mutex::new(writer), readers }) })
    }

    /// Opens a catalog that must be there: for questions.
    ///
    /// # Errors
    /// As [`Store::open`], and when there is no catalog.
    pub async fn open_existing(url: &CatalogUrl) -> Result<Self> {
        match file::inspect(url.path())? {
            Found::Nothing => Err(StoreError::NoCatalog { path: url.path().to_owned() }),
            Found::Catalog => Self::open(url).await,
        }
    }

    /// Waits for reads to end and closes the files: the write-ahead log (at most some MiB) is copied back, and nothing but the one
    /// file stays. The last clone closes; a run that was not dropped before holds one.
    pub async fn close(self) {
        self.inner.readers.close().await;
        if let Some(inner) = Arc::into_inner(self.inner)
            && let Err(error) = inner.writer.into_inner().close().await
        {
            tracing::warn!(%error, "the catalog was not closed cleanly; nothing is lost, the next start tidies up");
        }
    }

    pub(crate) fn readers(&self) -> &SqlitePool {
        &self.inner.readers
    }
}

/// Creates file and schema. One program at a time: the switch to the write-ahead log needs the file for itself.
async fn create(path: &Path) -> Result<()> {
    file::create(path)?;
    let _lock = FileLock::wait(beside(path, "open.lock"))?;
    let options = SqliteConnectOptions::new().filename(path).page_size(u32::try_from(PAGE_BYTES).unwrap_or(4096));
    let mut connection = connect(&options.busy_timeout(Duration::from_secs(LOCK_WAIT_SECONDS))).await?;
    migrations::migrate(&mut connection, path).await?;
    connection.close().await?;
    let switched = connect(&writer_options(path)).await?;
    switched.close().await?;
    Ok(())
}

/// The path of a file that belongs to the catalog.
pub(crate) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(suffix);
    PathBuf::from(name)
}

fn base_options(path: &Path, cache_kib: u32) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Normal)
        .busy_timeout(Duration::from_secs(LOCK_WAIT_SECONDS))
        .foreign_keys(false)
        .pragma("cache_size", format!("-{cache_kib}"))
        .pragma("mmap_size", "0")
        .pragma("temp_store", "FILE")
}

fn writer_options(path: &Path) -> SqliteConnectOptions {
    base_options(path, WRITER_CACHE_KIB)
        .pragma("wal_autocheckpoint", CHECKPOINT_PAGES.to_string())
        .pragma("journal_size_limit", LOG_BYTES_MAX.to_string())
}

async fn connect(options: &SqliteConnectOptions) -> Result<SqliteConnection> {
    SqliteConnection::connect_with(options).await.map_err(|error| {
        match error.as_database_error().and_then(sqlx::error::DatabaseError::code) {
            // SQLITE_CANTOPEN and SQLITE_READONLY: what the file system refuses.
            Some(code) if matches!(code.parse::<i64>().map(|code| code & 0xff), Ok(14 | 8)) => StoreError::Unwritable {
                path: options.get_filename().to_owned(),
                source: std::io::Error::new(std::io::ErrorKind::PermissionDenied, error),
            },
            _ => StoreError::from(error),
        }
    })
}
