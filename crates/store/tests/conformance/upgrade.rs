//! Catalogs of earlier versions: whatever a program of any version left in one is kept, and found, once this program has opened it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use model::RunId;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection, SqliteConnection};
use store::{CatalogUrl, SearchQuery, Store};

use crate::fresh::{Fresh, name};

/// What a program writes once a step has added its tables: a row in every one, whatever has to be kept of it.
const ROWS: &[(&str, &str)] = &[
    ("catalog", include_str!("../../testdata/upgrade/catalog.sql")),
    ("twins", include_str!("../../testdata/upgrade/twins.sql")),
    ("people", include_str!("../../testdata/upgrade/people.sql")),
    ("work", include_str!("../../testdata/upgrade/work.sql")),
    ("alerts", include_str!("../../testdata/upgrade/alerts.sql")),
    ("runtimes", include_str!("../../testdata/upgrade/runtimes.sql")),
    ("certificate", include_str!("../../testdata/upgrade/certificate.sql")),
    ("runtime_protocol", include_str!("../../testdata/upgrade/runtime_protocol.sql")),
    ("word_index", include_str!("../../testdata/upgrade/word_index.sql")),
];

pub(crate) async fn a_catalog_of_any_version_keeps_a_row_of_every_table(fresh: Fresh) {
    let versions = versions(&fresh.url());
    for made in 1..=versions.len() {
        let (old, place) = (&versions[..made], fresh.another().await);
        let before = leave(old, &place.url()).await;
        let empty: Vec<_> = before.iter().filter(|(_, rows)| **rows == 0).map(|(table, _)| table).collect();
        assert!(empty.is_empty(), "a version has to say what it keeps: {empty:?}");
        opens_and_is_found(old, &place.url()).await;

        let mut database = Database::connect(&place.url()).await;
        let after = database.rows_by_table().await;
        // Words that are learned again are the same ones, or more.
        let kept = |table: &str, rows: i64| after.get(table).is_some_and(|now| *now == rows || (table == "word" && *now > rows));
        assert!(before.iter().all(|(table, rows)| kept(table, *rows)), "{made}: {before:?}, then {after:?}");
        assert_eq!(database.version().await, i64::try_from(versions.len()).unwrap());
        database.check().await;
        database.close().await;
    }
}

/// Makes a catalog as a program of the last of these versions leaves it; how many rows each table has.
async fn leave(versions: &[Version], url: &CatalogUrl) -> BTreeMap<String, i64> {
    let mut database = Database::connect(url).await;
    for version in versions {
        database.execute(&version.script).await;
    }
    database.mark(versions.len()).await;
    let rows = database.rows_by_table().await;
    database.close().await;
    rows
}

async fn opens_and_is_found(versions: &[Version], url: &CatalogUrl) {
    let store = Store::open_existing(url).await.unwrap();
    let orders = store.asset(&name("AwsDataCatalog/sales/orders")).await.unwrap().unwrap();
    assert_eq!(orders.stored().first_run, RunId(1));
    assert_eq!(store.connections().await.unwrap().len(), 1);
    let has = |step: &str| versions.iter().any(|version| version.step == step);
    let words: &[&str] = match (has("word_index"), has("work")) {
        // Nothing makes its index anew, and the one that the rows make up finds nothing.
        (true, _) => &[],
        (false, true) => &["orders", "gold"],
        (false, false) => &["orders"],
    };
    for word in words {
        let query = SearchQuery { text: (*word).to_owned(), limit: 5, ..SearchQuery::default() };
        let hits: Vec<String> = store.search(&query).await.unwrap().hits.into_iter().map(|hit| hit.name).collect();
        assert_eq!(hits, ["orders"], "version {}: {word}", versions.len());
    }
    store.close().await;
}

/// A version of the schema: the step that leads to it, with the rows that a program of it writes and none before.
struct Version {
    step: String,
    script: String,
}

fn versions(url: &CatalogUrl) -> Vec<Version> {
    let mut steps = steps(url).into_iter().peekable();
    let mut versions: Vec<Version> = Vec::new();
    for (of, rows) in ROWS {
        // What is a step of its own in one database only is a part of the step before in the other.
        versions.extend(steps.next_if(|version| version.step == *of));
        versions.last_mut().unwrap().script.push_str(&spelled_for(url, rows));
    }
    let silent: Vec<String> = steps.map(|version| version.step).collect();
    assert!(silent.is_empty(), "a version has to say what it keeps: {silent:?}");
    versions
}

/// The steps of the schema in their order, without rows: `0003_work.sql` is `work`.
fn steps(url: &CatalogUrl) -> Vec<Version> {
    let database = if url.file().is_some() { "sqlite" } else { "postgres" };
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/migrations").join(database);
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    let step = |file: &PathBuf| {
        let (_, step) = file.file_stem().unwrap().to_str().unwrap().split_once('_').unwrap();
        Version { step: step.to_owned(), script: std::fs::read_to_string(file).unwrap() }
    };
    files.iter().map(step).collect()
}

/// Rows as a database reads them. They are written as SQLite has them; PostgreSQL spells bytes differently, and nothing else.
fn spelled_for(url: &CatalogUrl, rows: &str) -> String {
    if url.file().is_some() { rows.to_owned() } else { rows.replace(" x'", r" '\x").replace("(x'", r"('\x") }
}

/// A way to the database past the store, which writes no catalog but one of the newest version.
enum Database {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

impl Database {
    async fn connect(url: &CatalogUrl) -> Self {
        match url {
            CatalogUrl::Sqlite(file) => {
                std::fs::create_dir_all(file.parent().unwrap()).unwrap();
                let options = SqliteConnectOptions::new().filename(file).create_if_missing(true);
                Self::Sqlite(SqliteConnection::connect_with(&options).await.unwrap())
            }
            CatalogUrl::Postgres(url) => Self::Postgres(PgConnection::connect(&url.to_string()).await.unwrap()),
        }
    }

    async fn execute(&mut self, script: &str) {
        let script = AssertSqlSafe(script.to_owned());
        match self {
            Self::Sqlite(connection) => connection.execute(script).await.map(|_| ()).unwrap(),
            Self::Postgres(connection) => connection.execute(script).await.map(|_| ()).unwrap(),
        }
    }

    async fn number(&mut self, text: &str) -> i64 {
        let text = AssertSqlSafe(text.to_owned());
        match self {
            Self::Sqlite(connection) => sqlx::query_scalar(text).fetch_one(connection).await.unwrap(),
            Self::Postgres(connection) => sqlx::query_scalar(text).fetch_one(connection).await.unwrap(),
        }
    }

    /// The letters `Isgl` say that a file is a catalog; in PostgreSQL the table of the version does.
    async fn mark(&mut self, version: usize) {
        let application = u32::from_be_bytes(*b"Isgl");
        let marks = match self {
            Self::Sqlite(_) => format!("PRAGMA application_id = {application}; PRAGMA user_version = {version}"),
            Self::Postgres(_) => {
                format!("CREATE TABLE isinglass_schema (version BIGINT NOT NULL); INSERT INTO isinglass_schema VALUES ({version})")
            }
        };
        self.execute(&marks).await;
    }

    async fn version(&mut self) -> i64 {
        let text = match self {
            Self::Sqlite(_) => "PRAGMA user_version",
            Self::Postgres(_) => "SELECT version FROM isinglass_schema",
        };
        self.number(text).await
    }

    /// Rows of each table, those of the search index of earlier versions aside: its tables go.
    async fn rows_by_table(&mut self) -> BTreeMap<String, i64> {
        let mut rows = BTreeMap::new();
        for table in self.tables().await {
            let count = self.number(&format!("SELECT count(*) FROM {table}")).await;
            rows.insert(table, count);
        }
        rows
    }

    async fn tables(&mut self) -> Vec<String> {
        let in_sqlite = "SELECT name FROM sqlite_master
            WHERE type = 'table' AND name NOT LIKE 'sqlite%' AND name NOT LIKE '%_words%'";
        let in_postgres = "SELECT tablename::TEXT FROM pg_tables
            WHERE schemaname = current_schema() AND tablename NOT LIKE '%_words%'";
        match self {
            Self::Sqlite(connection) => sqlx::query_scalar(in_sqlite).fetch_all(connection).await.unwrap(),
            Self::Postgres(connection) => sqlx::query_scalar(in_postgres).fetch_all(connection).await.unwrap(),
        }
    }

    /// That SQLite finds no fault with its file; PostgreSQL has no such question.
    async fn check(&mut self) {
        if let Self::Sqlite(connection) = self {
            let found: String = sqlx::query_scalar("PRAGMA integrity_check").fetch_one(connection).await.unwrap();
            assert_eq!(found, "ok");
        }
    }

    async fn close(self) {
        match self {
            Self::Sqlite(connection) => connection.close().await.unwrap(),
            Self::Postgres(connection) => connection.close().await.unwrap(),
        }
    }
}
