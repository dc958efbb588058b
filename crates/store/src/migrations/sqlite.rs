//! The schema of SQLite files, brought up to date under the database's write lock.

use std::path::Path;

use sqlx::{Connection as _, Executor as _, SqliteConnection};

use crate::db::Connection;
use crate::{Result, StoreError, word_index};

/// Every step; its position (from 1) is the schema version that it leads to.
const STEPS: &[&str] = &[
    include_str!("sqlite/0001_catalog.sql"),
    include_str!("sqlite/0002_twins.sql"),
    include_str!("sqlite/0003_people.sql"),
    include_str!("sqlite/0004_work.sql"),
    include_str!("sqlite/0005_alerts.sql"),
    include_str!("sqlite/0006_runtimes.sql"),
    include_str!("sqlite/0007_certificate.sql"),
    include_str!("sqlite/0008_runtime_protocol.sql"),
    include_str!("sqlite/0009_word_index.sql"),
];

/// The version that has a search index of its own: what an older catalog holds has to be added to it.
const WORD_INDEX: usize = 9;

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
    if (1..WORD_INDEX).contains(&done) {
        word_index::rebuild(&mut Connection::of_sqlite(&mut transaction, &mut 0)).await?;
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
    if found > known { Err(StoreError::NewerVersion { catalog: path.display().to_string(), found, known }) } else { Ok(found) }
}

#[cfg(test)]
mod tests {
    use model::{Kind, QualifiedName, RunId};
    use sqlx::sqlite::SqliteConnectOptions;

    use super::*;
    use crate::{CatalogUrl, Store};

    /// A catalog as the program of the first schema version leaves it: a database and a table in it.
    const FIRST: &str = include_str!("../../testdata/upgrade/catalog.sql");

    #[tokio::test]
    async fn a_catalog_of_the_first_version_keeps_everything() {
        let folder = std::env::temp_dir().join(format!("store-migrations-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let file = folder.join("catalog.db");
        let options = SqliteConnectOptions::new().filename(&file).create_if_missing(true);
        let mut old = SqliteConnection::connect_with(&options).await.unwrap();
        old.execute(STEPS[0]).await.unwrap();
        let marks = format!("PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = 1");
        old.execute(sqlx::AssertSqlSafe(marks)).await.unwrap();
        old.execute(FIRST).await.unwrap();
        old.close().await.unwrap();

        for _ in 0..2 {
            let store = Store::open_existing(&CatalogUrl::sqlite(&file)).await.unwrap();
            let name = QualifiedName::from_encoded("default/glue/1/AwsDataCatalog/sales/orders");
            let subject = store.asset(&name).await.unwrap().unwrap();
            let stored = subject.stored();
            assert_eq!((stored.asset.kind, stored.asset.columns.len(), stored.first_run), (Kind::Table, 1, RunId(1)));
            assert_eq!(store.twins(stored).await.unwrap(), crate::Twins::default());
            assert_eq!(store.runs(5).await.unwrap().len(), 1);
            let version: i64 = crate::db::query_scalar("PRAGMA user_version").fetch_one(store.readers()).await.unwrap();
            assert_eq!(version, newest());
            store.close().await;
        }
        std::fs::remove_dir_all(folder).unwrap();
    }
}
