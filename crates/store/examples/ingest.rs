//! What the catalog costs: processor time (all threads), bytes and peak memory for a first crawl, an unchanged and a changed one,
//! and the time of questions. `cargo run --release -p store --example ingest -- TABLES [URL [crawl|first|questions]]`: the whole, the first
//! crawl, it with its questions, or the questions alone to a catalog of before. Of PostgreSQL, the processor time is our side's.
#![expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a benchmark prints, reads the clock and may panic"
)]

use std::sync::Arc;
use std::time::Instant;

use model::attribute::{Attribute, Value};
use model::{Asset, AssetBatch, ColumnDraft, Item, Kind, Outcome, QualifiedName, Scope, ScopeReport, SourceHash};
use store::{CatalogUrl, Connection, ConnectionSpec, RemovalPolicy, RunEnd, RunWriter, Store};

const TABLES_PER_SCHEMA: usize = 1000;
const PAGE: usize = 100;
/// Databases that are read side by side, as a crawl reads them.
const FETCHERS: usize = 8;
const WORDS: &str = "customer order amount price currency status created updated deleted date time zone country region city street \
    postal code email phone first last middle name birth gender product category brand sku quantity unit discount tax total shipping \
    tracking carrier warehouse supplier vendor invoice payment method card type account number balance credit debit interest rate loan \
    term start end duration flag active source target system batch run job event session user agent device browser version platform \
    campaign channel medium content click view impression cost revenue margin score rank level tier group segment cohort index key hash \
    token payload metadata schema partition offset";

fn main() {
    let tables: usize = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(100_000);
    let url = std::env::args().nth(2).unwrap_or_else(|| "sqlite:/tmp/isinglass-bench/catalog.db".to_owned());
    let url = CatalogUrl::parse(&url).unwrap();
    let part = std::env::args().nth(3);
    if let (Some(folder), true) = (url.file().and_then(std::path::Path::parent), part.as_deref() != Some("questions")) {
        let _ = std::fs::remove_dir_all(folder);
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let store = Store::open(&url).await.unwrap();
        let spec = ConnectionSpec { name: "bench".into(), connector: "glue", number: Some(1), region: None, account: None };
        let connection = store.connection(&spec, 0).await.unwrap();
        if part.as_deref() == Some("questions") {
            return ask(&url, &connection, tables).await;
        }
        crawl(&store, &connection, "first crawl", tables, 0, false).await;
        if part.as_deref() == Some("crawl") {
            return;
        }
        if let Some(file) = url.file() {
            println!("  file: {} bytes a table", std::fs::metadata(file).unwrap().len() / tables as u64);
        }
        ask(&url, &connection, tables).await;
        if part.as_deref() == Some("first") {
            return;
        }
        crawl(&store, &connection, "unchanged crawl", tables, 0, true).await;
        crawl(&store, &connection, "same content, other bytes", tables, 0, false).await;
        crawl(&store, &connection, "every table changed", tables, 1, false).await;
        println!("peak memory {} MB", peak_memory_mb());
        store.close().await;
    });
}

async fn crawl(store: &Store, connection: &Connection, what: &str, tables: usize, version: usize, ask: bool) {
    let started = Instant::now();
    let before = processor_time_us();
    let thread_before = thread_time_us();
    let run = store.begin_run(connection, "{}", 0).await.unwrap();
    let schemas = tables.div_ceil(TABLES_PER_SCHEMA);
    let root = connection.qualified_name.child("AwsDataCatalog");
    let mut head: Vec<Item> = vec![Asset::new(Kind::Database, root.clone(), "AwsDataCatalog").into()];
    head.extend((0..schemas).map(|schema| {
        let name = format!("schema_{schema:05}");
        Item::from(Asset::new(Kind::Schema, root.child(&name), name))
    }));
    run.apply(AssetBatch { scope: Scope::new("databases"), items: head, unchanged: vec![] }).await.unwrap();
    let run = Arc::new(run);
    let mut fetchers = tokio::task::JoinSet::new();
    for fetcher in 0..FETCHERS {
        let (run, root) = (Arc::clone(&run), root.clone());
        let schemas = (fetcher..schemas).step_by(FETCHERS);
        fetchers.spawn(async move { deliver(&run, &root, schemas, Tables { tables, version, ask }).await });
    }
    let (mut making, mut longest_s, mut scopes) = (0.0, 0.0_f64, Vec::new());
    while let Some(delivered) = fetchers.join_next().await {
        let delivered = delivered.unwrap();
        making += delivered.making_us;
        longest_s = delivered.longest_s.max(longest_s);
        scopes.extend(delivered.scopes);
    }
    let missing = run.missing(&scopes, 1000).await.unwrap();
    assert!(missing.is_empty());
    let end = RunEnd { outcome: Outcome::Complete, scopes, gone: vec![], removal: RemovalPolicy::default(), now_ms: 0 };
    let finished = run.finish(end).await.unwrap();
    let spent = processor_time_us() - before - making;
    let preparing = thread_time_us() - thread_before - making;
    println!(
        "{what}: {:.1} us of processor time a table, {:.1} of it outside of SQL ({:.1} us more to make it), {:.1} s, no batch longer than {:.1} s; {} rows written, peak {} MB, {:?}",
        spent / tables as f64,
        preparing / tables as f64,
        making / tables as f64,
        started.elapsed().as_secs_f64(),
        longest_s,
        finished.rows_written,
        peak_memory_mb(),
        finished.changes
    );
}

/// Which tables are delivered, and how.
#[derive(Clone, Copy)]
struct Tables {
    tables: usize,
    version: usize,
    ask: bool,
}

/// What a fetcher did.
#[derive(Default)]
struct Delivered {
    /// How long it took to make the tables, microseconds.
    making_us: f64,
    /// How long the store kept it waiting at most, seconds.
    longest_s: f64,
    scopes: Vec<ScopeReport>,
}

/// Delivers the tables of some schemas.
async fn deliver(run: &RunWriter, root: &QualifiedName, schemas: impl Iterator<Item = usize>, which: Tables) -> Delivered {
    let mut delivered = Delivered::default();
    for schema in schemas {
        let parent = root.child(&format!("schema_{schema:05}"));
        let scope = Scope::new(format!("AwsDataCatalog/schema_{schema:05}"));
        let last = which.tables.min((schema + 1) * TABLES_PER_SCHEMA);
        for first in (schema * TABLES_PER_SCHEMA..last).step_by(PAGE) {
            let numbers = first..last.min(first + PAGE);
            let batch = if which.ask {
                unchanged_page(run, &parent, &scope, numbers).await
            } else {
                let at = thread_time_us();
                let items = numbers.map(|number| table(&parent, number, which.version)).collect();
                delivered.making_us += thread_time_us() - at;
                AssetBatch { scope: scope.clone(), items, unchanged: vec![] }
            };
            let at = Instant::now();
            run.apply(batch).await.unwrap();
            delivered.longest_s = delivered.longest_s.max(at.elapsed().as_secs_f64());
            // A crawl waits for its next page here.
            tokio::task::yield_now().await;
        }
        delivered.scopes.push(ScopeReport { scope, complete: true });
    }
    delivered
}

/// Makes a query, given the name of a table.
type Phrase = fn(&mut Random, &str) -> String;

/// Questions of each sort.
const QUESTIONS: usize = 200;

async fn ask(url: &CatalogUrl, connection: &Connection, tables: usize) {
    let store = Store::open_existing(url).await.unwrap();
    let mut random = Random(4711);
    let mut number = 0;
    let sorts: [(&str, Phrase); 8] = [
        ("whole name", |_, name| name.to_owned()),
        ("beginning of a name", |_, name| name[..name.len() - 3].to_owned()),
        ("number in a name", |_, name| name[name.len() - 7..].to_owned()),
        ("column", |random, _| format!("{}_{}", random.word(), random.word())),
        ("one common word", |random, _| random.word().to_owned()),
        ("three words", |random, _| format!("{} {} {}", random.word(), random.word(), random.word())),
        ("beginning of a word", |random, _| random.word()[..3].to_owned()),
        ("middle of a word", |random, _| random.word().get(1..5).unwrap_or("rder").to_owned()),
    ];
    for (sort, make) in sorts {
        let (mut times, mut counts) = (Vec::new(), Vec::new());
        let mut hits = 0;
        for _ in 0..QUESTIONS {
            number = (number * 31 + 7919) % tables;
            let text = make(&mut random, &table_name(number));
            let at = Instant::now();
            let query = store::SearchQuery { text, limit: 20, ..store::SearchQuery::default() };
            hits += store.search(&query).await.unwrap().hits.len();
            times.push(at.elapsed());
            let at = Instant::now();
            store.search_kinds(&query).await.unwrap();
            counts.push(at.elapsed());
        }
        report(&format!("counting kinds of {sort}"), counts);
        report(&format!("search for {sort} ({:.1} hits)", hits as f64 / QUESTIONS as f64), times);
    }
    let (mut pages, mut lists, mut graphs) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..QUESTIONS {
        number = (number * 31 + 7919) % tables;
        let schema = connection.qualified_name.child("AwsDataCatalog").child(&format!("schema_{:05}", number / TABLES_PER_SCHEMA));
        let name = schema.child(&table_name(number));
        let at = Instant::now();
        assert!(store.asset(&name).await.unwrap().is_some());
        pages.push(at.elapsed());
        let at = Instant::now();
        assert!(!store.children(&schema, 50, None).await.unwrap().assets.is_empty());
        lists.push(at.elapsed());
        let (direction, level) = (store::Direction::Both, store::LineageLevel::Assets);
        let at = Instant::now();
        let query = store::LineageQuery { start: name, direction, depth: 3, level, nodes_max: 1000 };
        assert_eq!(store.lineage(&query).await.unwrap().nodes.len(), 2);
        graphs.push(at.elapsed());
    }
    report("asset page", pages);
    report("50 children", lists);
    report("lineage of 3 hops", graphs);
}

fn report(what: &str, mut times: Vec<std::time::Duration>) {
    times.sort_unstable();
    let at = |percent: usize| times[(times.len() - 1) * percent / 100].as_secs_f64() * 1000.0;
    println!("  {what}: median {:.1} ms, 95th percentile {:.1} ms, longest {:.1} ms", at(50), at(95), at(100));
}

async fn unchanged_page(run: &RunWriter, parent: &QualifiedName, scope: &Scope, numbers: std::ops::Range<usize>) -> AssetBatch {
    let slices: Vec<_> = numbers.map(|number| (parent.child(&table_name(number)), SourceHash(number as u64))).collect();
    let asked = slices.len();
    let unchanged: Vec<_> = run.unchanged(slices).await.unwrap().into_iter().flatten().collect();
    assert_eq!(unchanged.len(), asked);
    AssetBatch { scope: scope.clone(), items: vec![], unchanged }
}

struct Random(u64);

static VOCABULARY: std::sync::LazyLock<Vec<&str>> = std::sync::LazyLock::new(|| WORDS.split_ascii_whitespace().collect());

impl Random {
    fn word(&mut self) -> &'static str {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        VOCABULARY[(self.0 % VOCABULARY.len() as u64) as usize]
    }
}

fn table_name(number: usize) -> String {
    let mut random = Random((number as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(1));
    format!("{}_{}_{number:07}", random.word(), random.word())
}

fn table(parent: &QualifiedName, number: usize, version: usize) -> Item {
    let name = table_name(number);
    let mut asset = Asset::new(Kind::Table, parent.child(&name), name.clone());
    let mut random = Random((number as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(77));
    let location = format!("s3://lake-prod-eu/warehouse/{}/{name}/", number / TABLES_PER_SCHEMA);
    for (attribute, value) in [
        (Attribute::Description, Value::from(format!("The {} of the {}, version {version}", random.word(), random.word()))),
        (Attribute::ColumnCount, Value::from(20)),
        (Attribute::SubType, Value::from("EXTERNAL_TABLE")),
        (Attribute::ExternalLocation, Value::from(location)),
        (Attribute::ExternalLocationFormat, Value::from("org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat")),
        (Attribute::IsPartitioned, Value::from(true)),
        (Attribute::PartitionKeys, Value::texts(["year", "month"])),
        (Attribute::SourceCreatedBy, Value::from("arn:aws:sts::123456789012:assumed-role/etl/session")),
        (Attribute::SourceCreatedAt, Value::from(1_700_000_000_000_i64)),
        (Attribute::SourceUpdatedAt, Value::from(1_700_000_000_000_i64 + number as i64)),
        (
            Attribute::Parameters,
            Value::Map(
                ["classification", "typeOfData", "EXTERNAL", "compressionType", "table_type", "write.format.default"]
                    .map(|key| (key.to_owned(), Value::from(format!("value of {key}"))))
                    .to_vec(),
            ),
        ),
    ] {
        asset.attributes.set(attribute, value);
    }
    let mut parent_column = None;
    for index in 0..30_u32 {
        let nested = index % 3 == 2;
        let name = format!("{}_{}", random.word(), random.word());
        let comment = (index % 2 == 0).then(|| format!("the {} at {}", random.word(), random.word()));
        let draft = ColumnDraft {
            name: &name,
            data_type: "string",
            raw_type: "string",
            description: comment.as_deref(),
            order: index + 1,
            partition_order: None,
            parent: if nested { parent_column } else { None },
            nested_count: 0,
        };
        let at = asset.columns.push(&draft);
        if !nested {
            parent_column = Some(at);
        }
    }
    Item { asset, derived: vec![], source: Some(SourceHash(number as u64)) }
}

/// User and system time of all threads, microseconds (proc(5): `/proc/self/stat` counts in hundredths of a second).
fn processor_time_us() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_ascii_whitespace().collect();
    let ticks: f64 = [11, 12].map(|at: usize| fields[at].parse::<f64>().unwrap()).iter().sum();
    ticks * 10_000.0
}

/// Time of this thread, microseconds (proc(5): `/proc/thread-self/schedstat` counts in nanoseconds).
fn thread_time_us() -> f64 {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    stat.split(' ').next().unwrap().parse::<f64>().unwrap() / 1000.0
}

fn peak_memory_mb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap();
    line.split_ascii_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
}
