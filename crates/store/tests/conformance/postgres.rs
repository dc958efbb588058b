//! A PostgreSQL server of the test program's own: it starts with the first test that asks, and ends with the program.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;

use sqlx::{AssertSqlSafe, Connection as _, Executor as _, PgConnection};
use store::CatalogUrl;

/// The server; it lives for as long as somebody holds the other end of its standard input.
struct Server {
    _process: Child,
    address: String,
}

static SERVER: LazyLock<Server> = LazyLock::new(|| {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../scripts/postgres.sh");
    let mut process = Command::new(script).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let address = line.split_whitespace().next().expect("the server did not start").to_owned();
    Server { _process: process, address }
});

/// The address of a new, empty database.
pub(crate) async fn database(name: &str) -> CatalogUrl {
    let mut connection = PgConnection::connect(&SERVER.address).await.unwrap();
    connection.execute(AssertSqlSafe(format!("CREATE DATABASE {name} TEMPLATE template0"))).await.unwrap();
    CatalogUrl::parse(&SERVER.address.replace("/postgres?", &format!("/{name}?"))).unwrap()
}

/// The address of a new database that holds what a dump of another one holds.
pub(crate) async fn dumped_and_restored(url: &str) -> CatalogUrl {
    let name = format!("{}_restored", url.rsplit('/').next().unwrap());
    let restored = database(&name).await;
    let dump = std::env::temp_dir().join(format!("{name}-{}.dump", std::process::id()));
    let run = |program: &str, arguments: &[String]| {
        let output = Command::new(program).args(arguments).output().unwrap();
        assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
    };
    run("pg_dump", &["--format=custom".into(), format!("--file={}", dump.display()), format!("--dbname={url}")]);
    run("pg_restore", &["--no-owner".into(), format!("--dbname={restored}"), dump.display().to_string()]);
    std::fs::remove_file(dump).unwrap();
    restored
}
