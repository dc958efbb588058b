//! The schema, forward only: each step runs once, in order, in one transaction under the database's write lock.

use std::path::Path;

use sqlx::{Connection as _, Executor as _, SqliteConnection};

use crate::{Result, StoreError};

/// Every step; its position (from 1) is the schema version that it leads to. Steps are added, never changed.
const STEPS: &[&str] = &[include_str!("migrations/sqlite/0001_catalog.sql")];

/// The schema version that this program writes.
pub(crate) fn newest() -> i64 {
    i64::try_from(STEPS.len()).unwrap_or(i64::MAX)
}

/// The number that marks a SQLite file as a catalog of ours (`PRAGMA application_id`): the letters `Isgl`.
pub(crate) const APPLICATION_ID: u32 = 0x4973_676C;

/// Brings the schema up to date, or refuses a catalog that a newer program wrote.
pub(crate) async fn migrate(connection: &mut SqliteConnection, path: &Path) -> Result<()> {
    if check(connection, path).await? == newest() {
        return Ok(());
    }
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    // Read again: another program may have migrated while this one waited for the lock.
    let found = check(&mut transaction, path).await?;
    let done = usize::try_from(found).unwrap_or(0);
    for step in STEPS.iter().skip(done) {
        transaction.execute(*step).await?;
    }
    let marks = format!("PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {}", newest());
    transaction.execute(sqlx::AssertSqlSafe(marks)).await?;
    transaction.commit().await?;
    Ok(())
}

/// The schema version of the catalog, if this program can work with it.
pub(crate) async fn check(connection: &mut SqliteConnection, path: &Path) -> Result<i64> {
    let found: i64 = sqlx::query_scalar("PRAGMA user_version").fetch_one(connection).await?;
    let known = newest();
    if found > known { Err(StoreError::NewerVersion { path: path.to_owned(), found, known }) } else { Ok(found) }
}
