//! An open database, whichever it is.

use std::path::Path;

use sqlx::{PgConnection, SqliteConnection};
use tokio::sync::Mutex;

use super::connection::{Held, Readers, Writer};
use super::{backup, postgres, sqlite};
use crate::file::FileLock;
use crate::store::StoreOptions;
use crate::url::CatalogUrl;
use crate::{Result, StoreError};

/// An open database.
pub(crate) struct Database {
    pub(super) readers: Readers,
    pub(super) writing: Writing,
}

/// How the database is written to.
pub(super) enum Writing {
    /// One connection for everybody.
    Sqlite(Box<Mutex<SqliteConnection>>),
    /// A connection of the pool for each transaction.
    Postgres,
}

/// Something that only one program at a time may do, on whatever machine. The system lets go of it however the program ends.
pub(crate) enum Hold {
    File {
        _lock: FileLock,
    },
    /// An advisory lock of this session: what is written through it is written by whoever holds the lock.
    Session(Box<Mutex<PgConnection>>),
    /// Nothing is held any more.
    Free,
}

impl Hold {
    /// Lets go of a connection's crawl. A session stays open, to write through.
    pub(crate) async fn let_go(self, connection: i64) -> Result<Self> {
        match self {
            Self::File { .. } | Self::Free => Ok(Self::Free),
            Self::Session(session) => {
                postgres::let_go(&mut *session.lock().await, connection).await?;
                Ok(Self::Session(session))
            }
        }
    }
}

impl Database {
    /// Opens the database, creates it where that is possible, and brings its schema up to date.
    pub(crate) async fn open(url: &CatalogUrl, options: StoreOptions) -> Result<Self> {
        match url {
            CatalogUrl::Sqlite(path) => sqlite::open(path, options).await,
            CatalogUrl::Postgres(url) => postgres::open(url, options).await,
        }
    }

    /// Whether there is a catalog.
    pub(crate) async fn exists(url: &CatalogUrl) -> Result<bool> {
        match url {
            CatalogUrl::Sqlite(path) => sqlite::exists(path),
            CatalogUrl::Postgres(url) => postgres::exists(url).await,
        }
    }

    /// Copies the catalog into a file, where it is one itself.
    pub(crate) async fn backup(url: &CatalogUrl, to: &Path) -> Result<u64> {
        match url {
            CatalogUrl::Sqlite(path) => backup::backup(path, to).await,
            CatalogUrl::Postgres(url) => Err(StoreError::OtherBackup { catalog: url.to_string() }),
        }
    }

    /// Connections that ask.
    pub(crate) fn readers(&self) -> &Readers {
        &self.readers
    }

    /// A connection that writes.
    pub(crate) async fn writer(&self) -> Result<Writer<'_>> {
        let held = match (&self.writing, &self.readers) {
            (Writing::Sqlite(writer), _) => Held::Sqlite(writer.lock().await),
            (Writing::Postgres, Readers::Postgres(pool)) => Held::Pooled(pool.acquire().await?),
            (Writing::Postgres, Readers::Sqlite(_)) => {
                return Err(StoreError::internal("open a connection", "two databases are mixed up"));
            }
        };
        Ok(Writer::new(held))
    }

    /// A connection that writes, for who holds something: what a lost hold would write does not arrive.
    pub(crate) async fn writer_of<'s>(&'s self, hold: &'s Hold) -> Result<Writer<'s>> {
        match hold {
            Hold::File { .. } | Hold::Free => self.writer().await,
            Hold::Session(connection) => Ok(Writer::new(Held::Kept(connection.lock().await))),
        }
    }

    /// Takes hold of a connection's crawl, unless somebody has it.
    pub(crate) async fn hold(&self, url: &CatalogUrl, connection: i64) -> Result<Option<Hold>> {
        match url {
            CatalogUrl::Sqlite(path) => Ok(hold_file(path, connection)?.map(|lock| Hold::File { _lock: lock })),
            CatalogUrl::Postgres(url) => {
                let held = postgres::hold(url, connection).await?;
                Ok(held.map(|connection| Hold::Session(Box::new(Mutex::new(connection)))))
            }
        }
    }

    /// Waits for what is running, and closes all connections.
    pub(crate) async fn close(self) {
        match self.readers {
            Readers::Sqlite(pool) => pool.close().await,
            Readers::Postgres(pool) => pool.close().await,
        }
        if let Writing::Sqlite(writer) = self.writing
            && let Err(error) = sqlx::Connection::close(writer.into_inner()).await
        {
            tracing::warn!(%error, "the catalog was not closed cleanly; nothing is lost, the next start tidies up");
        }
    }
}

fn hold_file(path: &Path, connection: i64) -> Result<Option<FileLock>> {
    FileLock::try_take(sqlite::beside(path, &format!("connection-{connection}.lock")))
}
