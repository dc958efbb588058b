//! What every test needs: the program with a clean environment, a simulated account to point it at, and a reader of what it left.

pub(crate) mod assets;
pub(crate) mod browser;
pub(crate) mod postgres;
pub(crate) mod program;
pub(crate) mod provider;
pub(crate) mod runtime;
pub(crate) mod service;
pub(crate) mod tls;

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::{Value, json};
use sim::{Account, Builder, Keys, Mutation, Running, Simulation};
use tempfile::TempDir;
use tokio::runtime::Runtime;

pub(crate) use assets::Assets;
pub(crate) use postgres::Postgres;
pub(crate) use program::{Ended, Program};
pub(crate) use service::Service;

/// The number in the qualified names of every test.
pub(crate) const CONNECTION_ID: &str = "1700000000";
pub(crate) const REGION: &str = "eu-west-1";
pub(crate) const ROLE: &str = "arn:aws:iam::111122223333:role/isinglass-reader";
pub(crate) const ROLE_WITH_EXTERNAL_ID: &str = "arn:aws:iam::111122223333:role/isinglass-reader-with-external-id";

/// A simulated AWS that serves beside the test, which itself is plain blocking code.
pub(crate) struct Aws {
    pub(crate) running: Running,
    // Last, so that the server outlives its handle.
    _runtime: Runtime,
}

impl Aws {
    pub(crate) fn start(builder: Builder) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let running = runtime.block_on(builder.start()).unwrap();
        Self { running, _runtime: runtime }
    }
}

/// One test's world: an account and a folder.
pub(crate) struct World {
    pub(crate) aws: Aws,
    folder: TempDir,
    reports: AtomicU32,
}

impl World {
    pub(crate) fn new(account: Account) -> Self {
        Self::with(Simulation::builder().account(account))
    }

    pub(crate) fn realistic() -> Self {
        Self::new(Account::realistic())
    }

    pub(crate) fn with(builder: Builder) -> Self {
        Self { aws: Aws::start(builder), folder: tempfile::tempdir().unwrap(), reports: AtomicU32::new(0) }
    }

    pub(crate) fn sim(&self) -> &Running {
        &self.aws.running
    }

    pub(crate) fn change(&self, mutation: Mutation) {
        self.sim().apply(mutation).unwrap();
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn text_path(&self, name: &str) -> String {
        self.path(name).to_str().unwrap().to_owned()
    }

    /// The catalog of this test as `--catalog` takes it.
    pub(crate) fn catalog(&self) -> String {
        format!("sqlite:{}", self.text_path("catalog.db"))
    }

    /// The program, pointed at this account.
    pub(crate) fn program(&self, arguments: &[&str]) -> Program {
        let endpoint = self.sim().endpoint();
        Program::new(arguments)
            .home(self.folder.path())
            .env("AWS_ENDPOINT_URL_GLUE", &endpoint)
            .env("AWS_ENDPOINT_URL_DATAZONE", &endpoint)
            .env("AWS_ENDPOINT_URL_STS", &endpoint)
            .env("AWS_REGION", REGION)
            .keys(&self.sim().keys())
    }

    /// `crawl glue`, with a report, not yet started.
    pub(crate) fn crawl_program(&self, arguments: &[&str]) -> (Program, PathBuf) {
        self.crawl_program_of("glue", arguments)
    }

    /// `crawl` of a source, with a report, not yet started.
    pub(crate) fn crawl_program_of(&self, source: &str, arguments: &[&str]) -> (Program, PathBuf) {
        let report = self.path(&format!("report-{}.json", self.reports.fetch_add(1, Ordering::Relaxed)));
        let program = self.program(&["crawl", source, "--report", report.to_str().unwrap()]).args(arguments);
        (program, report)
    }

    /// `crawl smus` to its end.
    pub(crate) fn smus(&self, arguments: &[&str]) -> Crawled {
        let (program, report) = self.crawl_program_of("smus", arguments);
        Crawled::of(program.run(), &report)
    }

    /// `crawl smus` into the catalog of this test.
    pub(crate) fn smus_to_catalog(&self, arguments: &[&str]) -> Crawled {
        let catalog = self.catalog();
        let mut all = vec!["--catalog", catalog.as_str(), "--connection-id", CONNECTION_ID];
        all.extend_from_slice(arguments);
        self.smus(&all)
    }

    /// `crawl smus` to an NDJSON file, whose assets are read back.
    pub(crate) fn smus_to_file(&self, arguments: &[&str]) -> (Crawled, Assets) {
        let path = self.path(&format!("studio-{}.ndjson", self.reports.load(Ordering::Relaxed)));
        let mut all = vec!["--output", path.to_str().unwrap(), "--connection-id", CONNECTION_ID];
        all.extend_from_slice(arguments);
        let crawled = self.smus(&all);
        let assets = if path.exists() { Assets::read(&path) } else { Assets::default() };
        (crawled, assets)
    }

    /// `crawl glue` to its end.
    pub(crate) fn crawl(&self, arguments: &[&str]) -> Crawled {
        let (program, report) = self.crawl_program(arguments);
        Crawled::of(program.run(), &report)
    }

    /// A crawl into the catalog of this test.
    pub(crate) fn crawl_to_catalog(&self, arguments: &[&str]) -> Crawled {
        let catalog = self.catalog();
        let mut all = vec!["--catalog", catalog.as_str(), "--connection-id", CONNECTION_ID];
        all.extend_from_slice(arguments);
        self.crawl(&all)
    }

    /// A crawl to an NDJSON file, whose assets are read back.
    pub(crate) fn crawl_to_file(&self, arguments: &[&str]) -> (Crawled, Assets) {
        let path = self.path(&format!("assets-{}.ndjson", self.reports.load(Ordering::Relaxed)));
        let mut all = vec!["--output", path.to_str().unwrap(), "--connection-id", CONNECTION_ID];
        all.extend_from_slice(arguments);
        let crawled = self.crawl(&all);
        let assets = if path.exists() { Assets::read(&path) } else { Assets::default() };
        (crawled, assets)
    }

    /// What the catalog holds, as `export` tells it.
    pub(crate) fn exported(&self) -> Assets {
        let ended = self.program(&["export", "--format", "ndjson", "--catalog", &self.catalog()]).run();
        ended.expect(0);
        Assets::parse(&ended.stdout)
    }
}

/// A crawl that has ended, with its report.
#[derive(Debug)]
pub(crate) struct Crawled {
    pub(crate) ended: Ended,
    /// Null where none was written.
    pub(crate) report: Value,
}

impl Crawled {
    pub(crate) fn of(ended: Ended, report: &std::path::Path) -> Self {
        let report = fs::read(report).map_or(Value::Null, |bytes| serde_json::from_slice(&bytes).unwrap());
        Self { ended, report }
    }

    /// Asserts the exit status, and that the report tells the same.
    #[track_caller]
    pub(crate) fn expect(self, status: i32) -> Self {
        self.ended.expect(status);
        let outcome = match status {
            0 => "complete",
            3 => "partial",
            _ => "failed",
        };
        assert_eq!(self.report["outcome"], outcome, "{:#}", self.report);
        self
    }

    pub(crate) fn change(&self, name: &str) -> u64 {
        self.report["changes"][name].as_u64().unwrap_or_else(|| panic!("no change count {name}: {:#}", self.report))
    }

    pub(crate) fn changes(&self) -> [u64; 6] {
        ["created", "updated", "unchanged", "archived", "restored", "protected"].map(|name| self.change(name))
    }

    pub(crate) fn count(&self, kind: &str) -> u64 {
        self.report["counts"][kind].as_u64().unwrap_or(0)
    }

    pub(crate) fn total(&self) -> u64 {
        self.report["counts"].as_object().unwrap().values().filter_map(Value::as_u64).sum()
    }

    pub(crate) fn operation(&self, name: &str) -> u64 {
        self.report["operations"][name].as_u64().unwrap_or(0)
    }

    pub(crate) fn errors(&self) -> &[Value] {
        self.report["errors"].as_array().map(Vec::as_slice).unwrap_or_default()
    }

    pub(crate) fn warnings(&self) -> &[Value] {
        self.report["warnings"].as_array().map(Vec::as_slice).unwrap_or_default()
    }

    /// The error of a scope; it must be well-formed and say what to do.
    #[track_caller]
    pub(crate) fn error_of(&self, scope: &str) -> &Value {
        let found = self.errors().iter().find(|error| error["scope"] == scope);
        let error = found.unwrap_or_else(|| panic!("no error of scope {scope}: {:#}", self.report));
        for member in ["operation", "category", "message", "suggestedAction"] {
            assert!(error[member].as_str().is_some_and(|text| !text.is_empty()), "{member} is missing: {error:#}");
        }
        assert!(error["retryable"].is_boolean(), "{error:#}");
        error
    }

    #[track_caller]
    pub(crate) fn has_warning(&self, scope: &str, code: &str) -> &Value {
        let found = self.warnings().iter().find(|warning| warning["scope"] == scope && warning["code"] == code);
        found.unwrap_or_else(|| panic!("no warning {code} of {scope}: {:#}", self.report["warnings"]))
    }
}

/// Keys that this account does not know.
pub(crate) fn unknown_keys() -> Keys {
    Keys { access_key_id: "AKIANOBODYKNOWSTHIS1".to_owned(), secret_access_key: "unknown-secret".to_owned(), session_token: None }
}

/// A table document with these columns, given as name and type.
pub(crate) fn table(database: &str, name: &str, columns: &[(&str, &str)]) -> Value {
    let columns: Vec<Value> = columns.iter().map(|(name, kind)| json!({"Name": name, "Type": kind})).collect();
    json!({
        "Name": name, "DatabaseName": database, "TableType": "EXTERNAL_TABLE", "CreateTime": 1_700_000_000.0, "UpdateTime": 1_700_000_000.0,
        "StorageDescriptor": {"Columns": columns, "Location": format!("s3://e2e-lake/{database}/{name}/")},
        "PartitionKeys": [], "Parameters": {"classification": "parquet"}, "VersionId": "1",
    })
}

/// An account with `tables` plain tables in each of the databases.
pub(crate) fn account_of(databases: &[(&str, usize)]) -> Account {
    let mut account = Account::empty("111122223333", REGION);
    for (database, tables) in databases {
        account.put_database(json!({"Name": database, "CreateTime": 1_700_000_000.0}));
        for number in 0..*tables {
            account.put_table(table(database, &format!("t{number:04}"), &[("id", "bigint"), ("label", "string")]));
        }
    }
    account
}

/// Whether this process may make mounts and network namespaces; says why not.
pub(crate) fn may_administer(what: &str, probe: &mut Command) -> bool {
    if !rustix::process::geteuid().is_root() {
        println!("skipped: {what} needs root");
        return false;
    }
    match probe.output() {
        Ok(output) if output.status.success() => true,
        Ok(output) => {
            println!("skipped: {what} is not possible here: {}", String::from_utf8_lossy(&output.stderr).trim());
            false
        }
        Err(error) => {
            println!("skipped: {what} is not possible here: {error}");
            false
        }
    }
}
