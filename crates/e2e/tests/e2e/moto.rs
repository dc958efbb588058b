//! A second opinion on Glue: a catalog that boto3 makes in moto, crawled, and compared with what boto3 reads back.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::harness::program::wait_until;
use crate::harness::{Assets, CONNECTION_ID, Crawled, Program, REGION};

/// The Python that `make test` provides with boto3 and moto.
pub(crate) fn python() -> PathBuf {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().and_then(Path::parent).unwrap();
    let path = std::env::var_os("ISINGLASS_PYTHON").map_or_else(|| workspace.join(".cache/venv/bin/python"), PathBuf::from);
    assert!(path.exists(), "{} does not exist: run `make test`, which provides Python with boto3 and moto", path.display());
    path
}

/// A moto server, killed when the test is over.
struct Moto {
    process: Child,
    endpoint: String,
}

impl Moto {
    fn start() -> Self {
        let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let mut command = Command::new(python());
        command.args(["-m", "moto.server", "-H", "127.0.0.1", "-p", &free.port().to_string()]);
        let process = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        wait_until("moto listens", || TcpStream::connect(free).is_ok());
        Self { process, endpoint: format!("http://{free}") }
    }

    /// Makes the catalog and tells what boto3 reads of it.
    fn fill(&self) -> Value {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/e2e/moto_catalog.py");
        let mut command = Command::new(python());
        command.arg(script).arg(&self.endpoint).env("AWS_ACCESS_KEY_ID", "testing").env("AWS_SECRET_ACCESS_KEY", "testing");
        let output = command.env_remove("AWS_PROFILE").output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn crawl(moto: &Moto, folder: &Path, arguments: &[&str]) -> Crawled {
    let report = folder.join("report.json");
    let program = Program::new(&[
        "crawl",
        "glue",
        "--region",
        REGION,
        "--connection-id",
        CONNECTION_ID,
        "--report",
        report.to_str().unwrap(),
    ])
    .home(folder)
    .args(arguments)
    .env("AWS_ENDPOINT_URL_GLUE", &moto.endpoint)
    .env("AWS_ENDPOINT_URL_STS", &moto.endpoint)
    .env("AWS_ACCESS_KEY_ID", "testing")
    .env("AWS_SECRET_ACCESS_KEY", "testing");
    Crawled::of(program.run(), &report)
}

fn items<'v>(value: &'v Value, member: &str) -> &'v [Value] {
    value[member].as_array().map(Vec::as_slice).unwrap_or_default()
}

/// Moto sends numbers as numbers and boto3 makes dates of them; the script gives them back as milliseconds.
fn compare_table(assets: &Assets, expected: &Value) {
    let kind = if expected["TableType"] == "VIRTUAL_VIEW" { "View" } else { "Table" };
    let path = format!("AwsDataCatalog/{}/{}", expected["DatabaseName"].as_str().unwrap(), expected["Name"].as_str().unwrap());
    let found = assets.at(kind, &path);
    let columns: Vec<&Value> =
        items(&expected["StorageDescriptor"], "Columns").iter().chain(items(expected, "PartitionKeys")).collect();
    assert_eq!(found["columnCount"].as_u64(), Some(columns.len() as u64), "{path}");
    assert_eq!(found["sourceCreatedAt"], expected["CreateTime"], "{path}");
    for (member, attribute) in [("Description", "description"), ("TableType", "subType")] {
        // Moto stores what was not given as an empty text; unknown values are absent.
        assert_eq!(
            found[attribute].as_str().unwrap_or_default(),
            expected[member].as_str().unwrap_or_default(),
            "{path} {attribute}"
        );
    }
    if let Some(location) = expected["StorageDescriptor"]["Location"].as_str().filter(|location| !location.is_empty()) {
        assert_eq!(found["externalLocation"], location, "{path}");
        assert!(assets.has("S3Object", location.trim_end_matches('/')), "{path}");
    }
    for (index, column) in columns.iter().enumerate() {
        let found = assets.at("Column", &format!("{path}/{}", column["Name"].as_str().unwrap()));
        assert_eq!(found["rawDataTypeDefinition"], column["Type"], "{found:#}");
        assert_eq!(found["order"].as_u64(), Some(index as u64 + 1), "{found:#}");
        assert_eq!(found["description"], column["Comment"], "{found:#}");
    }
    let partitions = items(expected, "PartitionKeys").iter().map(|key| key["Name"].as_str().unwrap());
    for (index, name) in partitions.enumerate() {
        assert_eq!(assets.at("Column", &format!("{path}/{name}"))["partitionOrder"].as_u64(), Some(index as u64 + 1));
    }
}

#[test]
fn a_catalog_made_with_boto3_is_crawled_as_boto3_reads_it() {
    let moto = Moto::start();
    let expected = moto.fill();
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("out.ndjson");
    let crawled = crawl(&moto, folder.path(), &["--output", output.to_str().unwrap()]);
    let crawled = crawled.expect(3);
    let assets = Assets::read(&output);

    // GetCatalogs is no operation of moto: the crawl takes the account's own catalog, says so, and is partial.
    let errors = crawled.errors();
    assert_eq!(
        errors.iter().map(|error| error["operation"].as_str().unwrap()).collect::<Vec<_>>(),
        ["glue:GetCatalogs"],
        "{errors:#?}"
    );
    assert!(crawled.ended.stdout.contains("GetCatalogs") && crawled.ended.stdout.contains("partial"), "{}", crawled.ended.stdout);
    assert!(!crawled.ended.stdout.contains("<!doctype"), "{}", crawled.ended.stdout);

    let databases: Vec<_> = items(&expected, "databases").iter().map(|database| database["Name"].as_str().unwrap()).collect();
    assert_eq!(assets.names_below("Schema", "AwsDataCatalog"), databases);
    for database in items(&expected, "databases") {
        let found = assets.at("Schema", &format!("AwsDataCatalog/{}", database["Name"].as_str().unwrap()));
        assert_eq!((&found["description"], &found["schemaExternalLocation"]), (&database["Description"], &database["LocationUri"]));
    }
    let tables = items(&expected, "tables");
    assert_eq!(assets.of("Table").count() + assets.of("View").count(), tables.len());
    tables.iter().for_each(|table| compare_table(&assets, table));
    assert!(assets.has_at("Column", "AwsDataCatalog/shop/orders/items/discounts/code"), "structs in arrays are nested columns");
    assert!(assets.has_at("Column", "AwsDataCatalog/shop/orders/attributes/since"), "structs in maps are nested columns");

    for (member, kind, list) in
        [("jobs", "GlueJob", "jobs"), ("workflows", "GlueWorkflow", "workflows"), ("crawlers", "GlueCrawler", "crawlers")]
    {
        let names: Vec<_> = items(&expected, member).iter().map(|item| item["Name"].as_str().unwrap().to_owned()).collect();
        assert!(!names.is_empty());
        assert_eq!(assets.names_below(kind, list), names);
    }
    let job = assets.at("GlueJob", "jobs/nightly");
    assert_eq!(
        (job["role"].as_str(), job["scriptLocation"].as_str()),
        (Some("arn:aws:iam::123456789012:role/glue"), Some("s3://shop-etl/nightly.py"))
    );
    let text = fs::read_to_string(&output).unwrap();
    assert!(!text.contains("hunter2"), "a secret argument of the job was kept");

    let catalog = format!("sqlite:{}", folder.path().join("catalog.db").display());
    let first = crawl(&moto, folder.path(), &["--catalog", &catalog]).expect(3);
    assert_eq!(first.report["counts"], crawled.report["counts"]);
    let second = crawl(&moto, folder.path(), &["--catalog", &catalog]).expect(3);
    assert_eq!(second.changes(), [0, 0, first.total(), 0, 0, 0], "{:#}", second.report);
}
