//! The schema of PostgreSQL databases, brought up to date under an advisory lock: replicas that start at once wait for one another.

use sqlx::{Connection as _, Executor as _, PgConnection};

use crate::db::Connection;
use crate::dialect::LOCK_CLASS;
use crate::url::PostgresUrl;
use crate::{Result, StoreError, word_index};

/// Every step; its position (from 1) is the schema version that it leads to.
const STEPS: &[&str] = &[
    include_str!("postgres/0001_catalog.sql"),
    include_str!("postgres/0002_people.sql"),
    include_str!("postgres/0003_work.sql"),
    include_str!("postgres/0004_alerts.sql"),
    include_str!("postgres/0005_runtimes.sql"),
    include_str!("postgres/0006_certificate.sql"),
    include_str!("postgres/0007_runtime_protocol.sql"),
    include_str!("postgres/0008_word_index.sql"),
];

/// The version that has a search index of its own: what an older catalog holds has to be added to it.
const WORD_INDEX: usize = 8;

/// The second number of the lock (the first is [`LOCK_CLASS`]).
const LOCK_MIGRATIONS: i32 = -1;

/// Brings the schema up to date, or refuses a catalog that a newer program wrote.
pub(crate) async fn migrate(connection: &mut PgConnection, url: &PostgresUrl) -> Result<()> {
    if check(connection, url).await? == newest() {
        return Ok(());
    }
    let mut transaction = connection.begin().await?;
    let lock = sqlx::query("SELECT pg_advisory_xact_lock($1, $2)").bind(LOCK_CLASS).bind(LOCK_MIGRATIONS);
    lock.execute(&mut *transaction).await?;
    // Read again: another program may have migrated while this one waited for the lock.
    let done = usize::try_from(check(&mut transaction, url).await?).unwrap_or(0);
    transaction.execute("CREATE TABLE IF NOT EXISTS isinglass_schema (version BIGINT NOT NULL)").await?;
    for step in STEPS.iter().skip(done) {
        transaction.execute(*step).await?;
    }
    if (1..WORD_INDEX).contains(&done) {
        word_index::rebuild(&mut Connection::of_postgres(&mut transaction, &mut 0)).await?;
    }
    transaction.execute("DELETE FROM isinglass_schema").await?;
    sqlx::query("INSERT INTO isinglass_schema (version) VALUES ($1)").bind(newest()).execute(&mut *transaction).await?;
    transaction.commit().await?;
    Ok(())
}

/// The schema version of the database, 0 where there is no catalog.
pub(crate) async fn version(connection: &mut PgConnection) -> Result<i64> {
    let text = "SELECT to_regclass('isinglass_schema') IS NOT NULL";
    let exists: bool = sqlx::query_scalar(text).fetch_one(&mut *connection).await?;
    if !exists {
        return Ok(0);
    }
    Ok(sqlx::query_scalar("SELECT coalesce(max(version), 0) FROM isinglass_schema").fetch_one(connection).await?)
}

fn newest() -> i64 {
    i64::try_from(STEPS.len()).unwrap_or(i64::MAX)
}

async fn check(connection: &mut PgConnection, url: &PostgresUrl) -> Result<i64> {
    let (found, known) = (version(connection).await?, newest());
    if found > known { Err(StoreError::NewerVersion { catalog: url.to_string(), found, known }) } else { Ok(found) }
}
