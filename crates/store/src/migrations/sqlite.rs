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
    use std::collections::BTreeMap;

    use model::{Kind, QualifiedName, RunId};
    use sqlx::sqlite::SqliteConnectOptions;

    use super::*;
    use crate::{CatalogUrl, Store};

    /// A catalog as the program of the first schema version leaves it: a database and a table in it.
    const FIRST: &str = "INSERT INTO connection VALUES (1, 'glue', 'prod', 1, 'eu-west-1', '111122223333', 1000);
        INSERT INTO run (id, connection, started_ms, finished_ms, outcome, settings) VALUES (1, 1, 5000, 6000, 'complete', '{}');
        INSERT INTO scope VALUES (1, 1, 's');
        INSERT INTO place VALUES (1, 1, 'default/glue/1/AwsDataCatalog/'), (2, 1, 'default/glue/1/AwsDataCatalog/sales/');
        INSERT INTO asset VALUES (1, 'sales', 3, 1, 1, 0, 0, NULL, 1, 0, 0, 0, 0), (2, 'orders', 4, 2, 1, 0, 0, 7, 1, 1, 0, 0, 0);
        INSERT INTO content VALUES (1, 1, 'sales', 3, 1, 1, NULL, '{}', NULL),
            (2, 2, 'orders', 4, 1, 1, NULL, '{\"rowCount\":5}', '[[\"id\",0,\"int\",0,1]]');
        INSERT INTO location VALUES ('s3://lake/orders/', 2, 1);
        INSERT INTO edge VALUES ('default/glue/1/AwsDataCatalog/sales/orders', 0, 2, 9);
        INSERT INTO history VALUES (1, 2, 1, 'orders', '{}', NULL);
        INSERT INTO word VALUES ('orders');
        INSERT INTO asset_words (rowid, words) VALUES (2, '^norders orders');";

    /// What each later version added, in use: a row in every table, whatever has to be kept of it.
    const LATER: &[&str] = &[
        "INSERT INTO twin VALUES ('arn:aws:glue:eu-west-1:111122223333:table/sales/orders', 2);",
        "INSERT INTO person (name, name_folded, role, created_ms, version) VALUES ('Ada', 'ada', 'administrator', 1, 1);
        INSERT INTO session VALUES (x'01', 1, 1, 1, 9, NULL, NULL);
        INSERT INTO api_token (person, name, hash, scopes, created_ms) VALUES (1, 'ci', x'02', '[]', 1);
        INSERT INTO setup_link VALUES (x'03', 1, 2, NULL);
        INSERT INTO credential (name, auth_type, public_part, sealed, key_id, secret_version, version, created_ms, updated_ms)
            VALUES ('prod', 'iam', '{}', x'04', '0123456789abcdef', 1, 1, 1, 1);
        INSERT INTO audit (at_ms, actor_kind, via, action, target_kind) VALUES (1, 'system', 'internal', 'user.create', 'user');
        INSERT INTO idempotency VALUES ('1', 'k', 'POST', '/users', x'05', 201, x'06', 1);",
        "INSERT INTO connection_administrator VALUES (1, 1);
        INSERT INTO workflow (connection, name, settings, preflight, retries_max, removal_share_percent, alerts, version, created_ms)
            VALUES (1, 'nightly', '{}', 'soft', 2, 20, '[]', 1, 1);
        INSERT INTO job (kind, run, connection, queue, state, run_after_ms, attempt, attempts_max, fence, cancel_requested, created_ms)
            VALUES ('crawl', 1, 1, 'direct', 'done', 1, 1, 3, 1, 0, 1);
        INSERT INTO run_event VALUES (1, 1, 5500, 'progress', '{}');
        INSERT INTO enrichment VALUES (2, '', 'all orders', '[]', '[\"gold\"]', NULL, 1, 1, 1);
        INSERT INTO enrichment_words (rowid, words) VALUES (2, 'orders gold');",
        "INSERT INTO alert_delivery (run, url, secret, message_id, body, state, attempts, next_ms, created_ms)
            VALUES (1, 'https://hooks.example.com/x', 'sealed', 'run_1_1_1', '{}', 'waiting', 0, 1, 1);",
        "INSERT INTO runtime (name, created_ms) VALUES ('vpc', 1);",
        "UPDATE enrichment SET certificate = 'verified', certificate_message = 'checked';",
        "INSERT INTO runtime_enrolment VALUES (x'07', 'vpc', 1, 2, 1);
        INSERT INTO runtime_token VALUES (x'08', 1, 2);
        INSERT INTO runtime_assertion VALUES (1, 'j', 2);
        INSERT INTO runtime_task (queue, task, created_ms, deadline_ms) VALUES ('runtime:vpc', '{}', 1, 2);
        INSERT INTO inbox_batch VALUES (1, 1, 1, x'09', x'0a');
        INSERT INTO inbox_question VALUES (1, 1, 1, 1, '{}', NULL);
        INSERT INTO inbox_end VALUES (1, 1, 1, '{}');
        INSERT INTO inbox_reader VALUES (1, 1, 'a server', 2);",
        "INSERT INTO word_segment VALUES (0, 1, 0, 1, 2, 1);
        INSERT INTO word_page VALUES (0, 1, '^norders', x'000873616c6573');
        INSERT INTO word_tombstone VALUES (0, 2, 2, 1);",
    ];

    /// Tables that a program keeps rows in; those inside the search index of earlier versions aside, and it itself.
    async fn rows_by_table(connection: &mut SqliteConnection) -> BTreeMap<String, i64> {
        let text = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%' AND name NOT LIKE '%_words%'";
        let names: Vec<String> = sqlx::query_scalar(text).fetch_all(&mut *connection).await.unwrap();
        let mut rows = BTreeMap::new();
        for name in names {
            let text = sqlx::AssertSqlSafe(format!("SELECT count(*) FROM {name}"));
            rows.insert(name, sqlx::query_scalar(text).fetch_one(&mut *connection).await.unwrap());
        }
        rows
    }

    /// A catalog as a program of a version leaves it; how many rows each table has.
    async fn catalog_of(version: usize, file: &Path) -> BTreeMap<String, i64> {
        let options = SqliteConnectOptions::new().filename(file).create_if_missing(true);
        let mut old = SqliteConnection::connect_with(&options).await.unwrap();
        for (step, rows) in STEPS.iter().zip([FIRST].iter().chain(LATER)).take(version) {
            old.execute(*step).await.unwrap();
            old.execute(*rows).await.unwrap();
        }
        let marks = format!("PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {version}");
        old.execute(sqlx::AssertSqlSafe(marks)).await.unwrap();
        let rows = rows_by_table(&mut old).await;
        old.close().await.unwrap();
        rows
    }

    #[tokio::test]
    async fn a_catalog_of_any_version_keeps_a_row_of_every_table() {
        assert_eq!(LATER.len() + 1, STEPS.len(), "a version has to say what it keeps");
        let folder = std::env::temp_dir().join(format!("store-migrations-of-all-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        for version in 1..=STEPS.len() {
            let file = folder.join(format!("{version}.db"));
            let before = catalog_of(version, &file).await;
            let empty: Vec<_> = before.iter().filter(|(_, rows)| **rows == 0).map(|(name, _)| name.as_str()).collect();
            assert!(empty.is_empty(), "{empty:?}");
            let store = Store::open_existing(&CatalogUrl::sqlite(&file)).await.unwrap();
            let name = QualifiedName::from_encoded("default/glue/1/AwsDataCatalog/sales/orders");
            assert_eq!(store.asset(&name).await.unwrap().unwrap().stored().first_run, RunId(1));
            assert_eq!(store.connections().await.unwrap().len(), 1);
            if version < WORD_INDEX {
                for found_by in ["orders", "gold"].into_iter().take(if version > 3 { 2 } else { 1 }) {
                    let query = crate::SearchQuery { text: found_by.to_owned(), limit: 5, ..crate::SearchQuery::default() };
                    assert_eq!(store.search(&query).await.unwrap().hits[0].name, "orders", "{version}: {found_by}");
                }
            }
            store.close().await;
            let mut after = SqliteConnection::connect_with(&SqliteConnectOptions::new().filename(&file)).await.unwrap();
            let rows = rows_by_table(&mut after).await;
            // Words that are learned again are the same ones, or more.
            let kept =
                |table: &str, count: i64| rows.get(table).is_some_and(|now| *now == count || (table == "word" && *now > count));
            assert!(before.iter().all(|(table, count)| kept(table, *count)), "{version}: {before:?}, then {rows:?}");
            let check: String = sqlx::query_scalar("PRAGMA integrity_check").fetch_one(&mut after).await.unwrap();
            assert_eq!((check.as_str(), super::check(&mut after, &file).await.unwrap()), ("ok", newest()));
            after.close().await.unwrap();
        }
        std::fs::remove_dir_all(folder).unwrap();
    }

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
