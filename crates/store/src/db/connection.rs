//! Connections and transactions of either database.

use sqlx::pool::PoolConnection;
use sqlx::{Connection as _, Executor as _, PgConnection, PgPool, SqliteConnection, SqlitePool};
use tokio::sync::MutexGuard;

use super::query::query_scalar;
use crate::Result;
use crate::dialect;

/// Connections that ask questions.
pub(crate) enum Readers {
    Sqlite(SqlitePool),
    Postgres(PgPool),
}

/// A connection that may write, for as long as this is held.
pub(crate) struct Writer<'s> {
    inner: Held<'s>,
    rows_written: u64,
}

pub(super) enum Held<'s> {
    /// SQLite has one writer at a time.
    Sqlite(MutexGuard<'s, SqliteConnection>),
    Pooled(PoolConnection<sqlx::Postgres>),
    /// A connection that is kept for longer than one transaction.
    Kept(MutexGuard<'s, PgConnection>),
}

/// A transaction: what is not committed is rolled back.
pub(crate) struct Transaction<'w> {
    inner: Begun<'w>,
    rows_written: &'w mut u64,
}

enum Begun<'w> {
    Sqlite(sqlx::Transaction<'w, sqlx::Sqlite>),
    Postgres(sqlx::Transaction<'w, sqlx::Postgres>),
}

/// The catalog as it is at one moment, for several questions; one connection is kept for it. Who holds one and asks the readers for
/// another connection may wait for ever when all do so.
pub(crate) struct Snapshot {
    inner: Begun<'static>,
    rows_written: u64,
}

/// One connection, borrowed to run statements on.
pub(crate) struct Connection<'c> {
    pub(super) handle: Handle<'c>,
    rows_written: &'c mut u64,
}

pub(super) enum Handle<'c> {
    Sqlite(&'c mut SqliteConnection),
    Postgres(&'c mut PgConnection),
}

impl<'s> Writer<'s> {
    pub(super) fn new(inner: Held<'s>) -> Self {
        Self { inner, rows_written: 0 }
    }

    /// Begins a transaction that will write. On SQLite it has the database for itself from the start, so that it never has to be
    /// given up half way for another writer.
    pub(crate) async fn begin(&mut self) -> Result<Transaction<'_>> {
        let inner = match &mut self.inner {
            Held::Sqlite(connection) => Begun::Sqlite(connection.begin_with("BEGIN IMMEDIATE").await?),
            Held::Pooled(connection) => Begun::Postgres(connection.begin().await?),
            Held::Kept(connection) => Begun::Postgres(connection.begin().await?),
        };
        Ok(Transaction { inner, rows_written: &mut self.rows_written })
    }

    /// As [`Writer::begin`], and no other transaction that was begun so runs at the same time, on whatever replica: writers of
    /// assets number them, share places and locations, and are never in each other's way on SQLite either.
    pub(crate) async fn begin_alone(&mut self) -> Result<Transaction<'_>> {
        let mut transaction = self.begin().await?;
        let connection = &mut transaction.connection();
        if matches!(connection.handle, Handle::Postgres(_)) {
            super::query(dialect::LOCK_WRITERS).fetch_one(connection).await?;
        }
        Ok(transaction)
    }

    /// The connection, outside a transaction.
    pub(crate) fn connection(&mut self) -> Connection<'_> {
        let handle = match &mut self.inner {
            Held::Sqlite(connection) => Handle::Sqlite(connection),
            Held::Pooled(connection) => Handle::Postgres(connection),
            Held::Kept(connection) => Handle::Postgres(connection),
        };
        Connection { handle, rows_written: &mut self.rows_written }
    }

    /// Rows written so far: on SQLite since the connection was opened, those inside the search index included; on PostgreSQL since
    /// this was held.
    pub(crate) async fn rows_written(&mut self) -> Result<u64> {
        if !matches!(self.inner, Held::Sqlite(_)) {
            return Ok(self.rows_written);
        }
        let rows: i64 = query_scalar(dialect::ROWS_WRITTEN).fetch_one(&mut self.connection()).await?;
        Ok(rows.cast_unsigned())
    }
}

impl Readers {
    /// Keeps what is read from now on as it is now.
    pub(crate) async fn snapshot(&self) -> Result<Snapshot> {
        let inner = match self {
            Self::Sqlite(pool) => Begun::Sqlite(pool.begin().await?),
            Self::Postgres(pool) => Begun::Postgres(pool.begin_with(dialect::BEGIN_SNAPSHOT).await?),
        };
        Ok(Snapshot { inner, rows_written: 0 })
    }
}

impl Snapshot {
    /// The connection that reads.
    pub(crate) fn connection(&mut self) -> Connection<'_> {
        self.inner.connection(&mut self.rows_written)
    }
}

impl Begun<'_> {
    fn connection<'c>(&'c mut self, rows_written: &'c mut u64) -> Connection<'c> {
        let handle = match self {
            Self::Sqlite(transaction) => Handle::Sqlite(transaction),
            Self::Postgres(transaction) => Handle::Postgres(transaction),
        };
        Connection { handle, rows_written }
    }
}

impl Transaction<'_> {
    /// The connection of the transaction.
    pub(crate) fn connection(&mut self) -> Connection<'_> {
        self.inner.connection(self.rows_written)
    }

    /// Makes it last.
    pub(crate) async fn commit(self) -> Result<()> {
        match self.inner {
            Begun::Sqlite(transaction) => transaction.commit().await?,
            Begun::Postgres(transaction) => transaction.commit().await?,
        }
        Ok(())
    }
}

impl<'c> Connection<'c> {
    /// A connection to a SQLite file that is being brought up to date.
    pub(crate) fn of_sqlite(inner: &'c mut SqliteConnection, rows_written: &'c mut u64) -> Self {
        Self { handle: Handle::Sqlite(inner), rows_written }
    }

    /// A connection to a PostgreSQL database that is being brought up to date.
    pub(crate) fn of_postgres(inner: &'c mut PgConnection, rows_written: &'c mut u64) -> Self {
        Self { handle: Handle::Postgres(inner), rows_written }
    }

    /// Makes the commit of this transaction last, whatever the session does with others.
    pub(crate) async fn make_durable(&mut self) -> Result<()> {
        if let Handle::Postgres(inner) = &mut self.handle {
            inner.execute(dialect::DURABLE).await?;
        }
        Ok(())
    }

    /// Waits until no other transaction writes the words of what people say, until this one ends.
    pub(crate) async fn lock_enrichment_words(&mut self) -> Result<()> {
        if let Handle::Postgres(inner) = &mut self.handle {
            inner.execute(dialect::LOCK_ENRICHMENT_WORDS).await?;
        }
        Ok(())
    }

    /// After much was written: the planner learns how much of what there is.
    pub(crate) async fn tidy(&mut self) -> Result<()> {
        if let Handle::Postgres(inner) = &mut self.handle {
            inner.execute(dialect::TIDY).await?;
        }
        Ok(())
    }

    pub(super) fn note_written(&mut self, rows: u64) {
        *self.rows_written += rows;
    }
}
