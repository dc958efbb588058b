//! A catalog in a PostgreSQL database: a pool for questions and short transactions, and a session of its own for each crawl.

use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};

use super::connection::Readers;
use super::database::{Database, Writing};
use crate::dialect::LOCK_CLASS;
use crate::error::LOCK_WAIT_SECONDS;
use crate::store::StoreOptions;
use crate::url::PostgresUrl;
use crate::{Result, StoreError, migrations};

/// How long a question waits for a free connection.
const ACQUIRE_SECONDS: u64 = 10;
/// How long a crawl waits for another one of its connection to let go.
const HOLD_WAIT_SECONDS: u64 = 1;
/// Longest that one statement of the pool runs.
const STATEMENT_SECONDS: u64 = 60;

/// What is sorted and joined for a group of assets stays in memory. A crash of the server may lose the last moments of a run that is
/// not finished, as it may on SQLite: it stays whole, and the next attempt finds out. The end of a run is durable.
const SESSION_OF_A_CRAWL: &str = "SET work_mem = '64MB'; SET synchronous_commit = off";

pub(super) async fn open(url: &PostgresUrl, options: StoreOptions) -> Result<Database> {
    migrations::postgres::migrate(&mut connect(url).await?, url).await?;
    let pool = PgPoolOptions::new()
        .min_connections(0)
        .max_connections(options.connections_max)
        .acquire_timeout(Duration::from_secs(ACQUIRE_SECONDS))
        .connect_lazy_with(url.options().clone().options([
            ("statement_timeout", format!("{STATEMENT_SECONDS}s")),
            // What is asked for is in memory or on a fast disk: reaching for single rows costs about as much as reading on.
            ("random_page_cost", "1.1".to_owned()),
            // How common a word is decides how it is looked for: a plan for any word reads the whole index for a rare one.
            ("plan_cache_mode", "force_custom_plan".to_owned()),
        ]));
    Ok(Database { readers: Readers::Postgres(pool), writing: Writing::Postgres })
}

pub(super) async fn exists(url: &PostgresUrl) -> Result<bool> {
    let mut connection = connect(url).await?;
    Ok(migrations::postgres::version(&mut connection).await? > 0)
}

/// A session that holds the lock of a connection's crawl, unless another one does. It ends with its connection; the server takes a
/// moment to notice that, which is waited for.
pub(super) async fn hold(url: &PostgresUrl, connection: i64) -> Result<Option<PgConnection>> {
    let mut session = connect(url).await?;
    session.execute(AssertSqlSafe(format!("SET lock_timeout = '{HOLD_WAIT_SECONDS}s'"))).await?;
    let query = sqlx::query("SELECT pg_advisory_lock($1, $2)").bind(LOCK_CLASS).bind(lock_number(connection));
    match query.execute(&mut session).await.map_err(StoreError::from) {
        Ok(_) => {}
        Err(StoreError::Locked { .. }) => return Ok(None),
        Err(error) => return Err(error),
    }
    session.execute(AssertSqlSafe(format!("SET lock_timeout = '{LOCK_WAIT_SECONDS}s'"))).await?;
    session.execute(SESSION_OF_A_CRAWL).await?;
    Ok(Some(session))
}

/// Lets go of the lock of a connection's crawl.
pub(super) async fn let_go(session: &mut PgConnection, connection: i64) -> Result<()> {
    let query = sqlx::query("SELECT pg_advisory_unlock($1, $2)").bind(LOCK_CLASS).bind(lock_number(connection));
    query.fetch_one(session).await?;
    Ok(())
}

/// Lists of connections stay far below two thousand millions.
fn lock_number(connection: i64) -> i32 {
    i32::try_from(connection).unwrap_or(i32::MAX)
}

/// A connection outside the pool.
async fn connect(url: &PostgresUrl) -> Result<PgConnection> {
    let options: &PgConnectOptions = url.options();
    let mut connection = PgConnection::connect_with(options).await?;
    connection.execute(AssertSqlSafe(format!("SET lock_timeout = '{LOCK_WAIT_SECONDS}s'"))).await?;
    Ok(connection)
}
