//! A catalog in a SQLite file: one connection that writes, a few that read.

use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{AssertSqlSafe, Connection as _, SqliteConnection};
use tokio::sync::Mutex;

use super::connection::Readers;
use super::database::{Database, Writing};
use crate::error::LOCK_WAIT_SECONDS;
use crate::file::{self, FileLock, Found};
use crate::store::StoreOptions;
use crate::{Result, StoreError, migrations};

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

pub(super) async fn open(path: &Path, options: StoreOptions) -> Result<Database> {
    if !exists(path)? {
        create(path).await?;
    }
    let mut writer = connect(&writer_options(path)).await?;
    migrations::sqlite::migrate(&mut writer, path).await?;
    if let Some(limit) = options.size_limit_bytes {
        let pragma = format!("PRAGMA max_page_count = {}", (limit / PAGE_BYTES).max(1));
        sqlx::query(AssertSqlSafe(pragma)).execute(&mut writer).await?;
    }
    let readers = SqlitePoolOptions::new()
        .min_connections(0)
        .max_connections(READERS_MAX)
        .connect_lazy_with(reading_options(path).pragma("query_only", "ON"));
    Ok(Database { readers: Readers::Sqlite(readers), writing: Writing::Sqlite(Box::new(Mutex::new(writer))) })
}

pub(super) fn exists(path: &Path) -> Result<bool> {
    Ok(file::inspect(path)? == Found::Catalog)
}

/// Creates file and schema. One program at a time: the switch to the write-ahead log needs the file for itself.
async fn create(path: &Path) -> Result<()> {
    file::create(path)?;
    let _lock = FileLock::wait(beside(path, "open.lock"))?;
    let options = SqliteConnectOptions::new().filename(path).page_size(u32::try_from(PAGE_BYTES).unwrap_or(4096));
    let mut connection = connect(&options.busy_timeout(Duration::from_secs(LOCK_WAIT_SECONDS))).await?;
    migrations::sqlite::migrate(&mut connection, path).await?;
    connection.close().await?;
    let switched = connect(&writer_options(path)).await?;
    switched.close().await?;
    Ok(())
}

/// The path of a file that belongs to the catalog.
pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
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

/// For a connection that reads.
pub(super) fn reading_options(path: &Path) -> SqliteConnectOptions {
    base_options(path, READER_CACHE_KIB)
}

pub(super) fn writer_options(path: &Path) -> SqliteConnectOptions {
    base_options(path, WRITER_CACHE_KIB)
        .pragma("wal_autocheckpoint", CHECKPOINT_PAGES.to_string())
        .pragma("journal_size_limit", LOG_BYTES_MAX.to_string())
}

pub(super) async fn connect(options: &SqliteConnectOptions) -> Result<SqliteConnection> {
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
