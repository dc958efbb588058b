//! The crawl against an account in memory: paging, failures, recognition of what did not change, proof of absence, and one large
//! database read by several cursors.

pub(crate) mod fake;

use std::collections::BTreeMap;

use futures::executor::block_on;
use model::{Attribute, ConnectionName, Kind, KnownAsset, MissingAsset, QualifiedName, S3Location};
use serde_json::json;

use super::{CrawlError, CrawlResult, Ports, crawl};
use crate::MaskedCounts;
use crate::glue::filter::Filter;
use crate::glue::naming::Naming;
use crate::glue::settings::{Section, Settings};
use crate::port::{Baseline, Disposition, ErrorKind, NoBaseline, ReadOperation};
use crate::progress::Progress;
use fake::{ACCOUNT, FakeApi, FakeBaseline, FakeSink, Filtering, table};

struct Run {
    result: Result<CrawlResult, CrawlError>,
    sink: FakeSink,
    progress: Progress,
}

impl Run {
    fn result(&self) -> &CrawlResult {
        self.result.as_ref().unwrap()
    }

    /// Names of one kind as they were delivered, sorted, repetitions included.
    fn delivered(&self, kind: Kind) -> Vec<String> {
        let batches = self.sink.batches();
        let of_kind = batches.iter().flat_map(|batch| &batch.items).filter(|item| item.asset.kind == kind);
        let mut names: Vec<_> = of_kind.map(|item| item.asset.qualified_name.as_str().replace("default/glue/7/", "")).collect();
        names.sort();
        names
    }

    fn scopes(&self) -> BTreeMap<String, bool> {
        let mut scopes = BTreeMap::new();
        for report in &self.result().scopes {
            let complete = scopes.entry(report.scope.to_string()).or_insert(true);
            *complete &= report.complete;
        }
        scopes
    }

    fn failures(&self) -> Vec<(String, ErrorKind)> {
        self.result().failures.iter().map(|failure| (failure.scope.to_string(), failure.error.kind)).collect()
    }

    fn warning_codes(&self) -> Vec<&'static str> {
        self.result().warnings.iter().map(|warning| warning.code).collect()
    }

    fn table_count(&self, database: &str) -> Option<i64> {
        let batches = self.sink.batches();
        let items = batches.iter().flat_map(|batch| &batch.items);
        let schema = items.map(|item| &item.asset).find(|asset| asset.kind == Kind::Schema && asset.name == database)?;
        schema.attributes.get(Attribute::TableCount)?.as_integer()
    }
}

fn settings() -> Settings {
    Settings { concurrency: 8, ..Settings::default() }
}

fn run(api: &FakeApi) -> Run {
    run_with(api, &NoBaseline, &settings())
}

fn run_with<B: Baseline>(api: &FakeApi, baseline: &B, settings: &Settings) -> Run {
    run_into(api, baseline, settings, FakeSink::default())
}

fn run_into<B: Baseline>(api: &FakeApi, baseline: &B, settings: &Settings, sink: FakeSink) -> Run {
    let (progress, masked) = (Progress::default(), MaskedCounts::default());
    let ports = Ports { api, sink: &sink, baseline, progress: &progress, masked: &masked };
    let naming = Naming::new(ConnectionName::new("glue", 7), Some(ACCOUNT.to_owned()));
    let result = block_on(crawl(ports, naming, settings, "eu-west-1"));
    Run { result, sink, progress }
}

fn two_databases() -> FakeApi {
    FakeApi::new(&[("hr", &["people"]), ("sales", &["orders", "items"])])
}

fn name(path: &str) -> QualifiedName {
    QualifiedName::from_encoded(format!("default/glue/7/{path}"))
}

#[test]
fn a_plain_account_is_delivered_whole_and_every_scope_is_complete() {
    let run = run(&two_databases());
    assert_eq!(run.delivered(Kind::Database), ["AwsDataCatalog"]);
    assert_eq!(run.delivered(Kind::Schema), ["AwsDataCatalog/hr", "AwsDataCatalog/sales"]);
    assert_eq!(
        run.delivered(Kind::Table),
        ["AwsDataCatalog/hr/people", "AwsDataCatalog/sales/items", "AwsDataCatalog/sales/orders"]
    );
    assert_eq!(run.table_count("sales"), Some(2));
    assert!(run.scopes().values().all(|complete| *complete));
    let scopes = [
        "AwsDataCatalog",
        "AwsDataCatalog/hr",
        "AwsDataCatalog/sales",
        "catalogs",
        "connections",
        "crawlers",
        "jobs",
        "triggers",
        "workflows",
    ];
    assert_eq!(run.scopes().keys().collect::<Vec<_>>(), scopes);
    assert!(run.failures().is_empty() && run.result().warnings.is_empty() && run.result().read_anything);
    let progress = run.progress.snapshot();
    assert_eq!((progress.tables, progress.columns, progress.scopes_done), (3, 3, progress.scopes_total));
}

#[test]
fn every_glue_call_but_the_lists_of_the_account_names_the_catalog() {
    let api = two_databases();
    run(&api);
    for (operation, input) in api.calls() {
        let of_catalog =
            matches!(operation, ReadOperation::GetDatabases | ReadOperation::GetTables | ReadOperation::GetConnections);
        assert_eq!(input.get("CatalogId").is_some(), of_catalog, "{operation} {input}");
    }
}

#[test]
fn empty_pages_with_a_token_are_followed_and_an_empty_token_ends_the_listing() {
    let api = FakeApi::new(&[("sales", &[])]).answering(|call| {
        (call.operation == ReadOperation::GetTables).then(|| {
            Ok(match call.text("NextToken") {
                None => json!({"TableList": [], "NextToken": "a"}),
                Some("a") => json!({"TableList": [table("one")], "NextToken": "b"}),
                Some("b") => json!({"NextToken": "c"}),
                _ => json!({"TableList": [table("two")], "NextToken": ""}),
            })
        })
    });
    let run = run(&api);
    assert_eq!(run.delivered(Kind::Table), ["AwsDataCatalog/sales/one", "AwsDataCatalog/sales/two"]);
    assert!(run.scopes()["AwsDataCatalog/sales"]);
}

#[test]
fn a_token_that_comes_again_fails_its_scope_only() {
    let api = two_databases().answering(|call| {
        call.is(ReadOperation::GetTables, "DatabaseName", "sales")
            .then(|| Ok(json!({"TableList": [table("orders")], "NextToken": "again"})))
    });
    let run = run(&api);
    assert_eq!(run.failures(), [("AwsDataCatalog/sales".to_owned(), ErrorKind::Malformed)]);
    let scopes = run.scopes();
    assert!(!scopes["AwsDataCatalog/sales"]);
    assert!(scopes.iter().all(|(scope, complete)| *complete || scope == "AwsDataCatalog/sales"));
    assert_eq!(run.delivered(Kind::Table), ["AwsDataCatalog/hr/people", "AwsDataCatalog/sales/orders"]);
    assert_eq!(run.table_count("sales"), None, "a count that is not whole is not given");
}

#[test]
fn a_denied_database_is_a_failure_and_the_others_are_delivered() {
    let api =
        two_databases().answering(|call| call.is(ReadOperation::GetTables, "DatabaseName", "hr").then_some(Err(ErrorKind::Denied)));
    let run = run(&api);
    assert_eq!(run.failures(), [("AwsDataCatalog/hr".to_owned(), ErrorKind::Denied)]);
    assert_eq!(run.delivered(Kind::Table).len(), 2);
    assert_eq!(run.delivered(Kind::Schema), ["AwsDataCatalog/hr", "AwsDataCatalog/sales"]);
    assert!(!run.scopes()["AwsDataCatalog/hr"] && run.scopes()["AwsDataCatalog/sales"]);
}

#[test]
fn a_database_that_vanishes_while_it_is_read_is_a_warning_and_no_failure() {
    let api = two_databases()
        .answering(|call| call.is(ReadOperation::GetTables, "DatabaseName", "hr").then_some(Err(ErrorKind::NotFound)));
    let run = run(&api);
    assert!(run.failures().is_empty());
    assert_eq!(run.warning_codes(), ["database-vanished"]);
    assert!(!run.scopes()["AwsDataCatalog/hr"]);
    assert_eq!(run.delivered(Kind::Schema), ["AwsDataCatalog/sales"]);
}

#[test]
fn a_malformed_page_is_asked_for_again_and_then_fails_its_scope() {
    let malformed = |times: usize| {
        two_databases().answering(move |call| {
            let is_hit = call.is(ReadOperation::GetTables, "DatabaseName", "hr") && call.repetition < times;
            is_hit.then(|| Ok(json!("{\"TableList\":[{\"Name\":\"peo")))
        })
    };
    let healed = malformed(2);
    let run_healed = run(&healed);
    assert!(run_healed.failures().is_empty());
    assert_eq!(run_healed.delivered(Kind::Table).len(), 3);
    let broken = run(&malformed(usize::MAX));
    assert_eq!(broken.failures(), [("AwsDataCatalog/hr".to_owned(), ErrorKind::Malformed)]);
    assert_eq!(broken.delivered(Kind::Table).len(), 2);
}

#[test]
fn one_table_that_is_not_in_the_documented_form_is_left_out_with_a_warning() {
    let api = FakeApi::new(&[("sales", &[])]).answering(|call| {
        (call.operation == ReadOperation::GetTables)
            .then(|| Ok(json!({"TableList": [{"Name": "odd", "CreateTime": "CANARY"}, table("fine")]})))
    });
    let run = run(&api);
    assert_eq!(run.delivered(Kind::Table), ["AwsDataCatalog/sales/fine"]);
    assert_eq!(run.warning_codes(), ["table-unreadable"]);
    assert!(!format!("{:?}", run.result()).contains("CANARY"));
}

/// Answers the second page of `sales` with `Invalid` so many times.
fn token_expires(times: usize) -> FakeApi {
    let mut api = FakeApi::new(&[]);
    api.databases.insert("sales".to_owned(), (0..250).map(|number| format!("t{number:03}")).collect());
    api.answering(move |call| {
        (call.operation == ReadOperation::GetTables && call.text("NextToken") == Some("200") && call.repetition < times)
            .then_some(Err(ErrorKind::Invalid))
    })
}

#[test]
fn an_expired_token_begins_the_listing_again_once_where_repetition_does_no_harm() {
    let api = token_expires(1);
    let run_once = run_with(&api, &FakeBaseline::default(), &settings());
    assert!(run_once.failures().is_empty());
    let mut names = run_once.delivered(Kind::Table);
    names.dedup();
    assert_eq!(names.len(), 250);
    assert_eq!(run_once.table_count("sales"), Some(250), "tables that came twice are counted once");

    let api = token_expires(usize::MAX);
    let run_always = run_with(&api, &FakeBaseline::default(), &settings());
    assert_eq!(run_always.failures(), [("AwsDataCatalog/sales".to_owned(), ErrorKind::Invalid)]);
    assert_eq!(api.count(ReadOperation::GetTables), 6, "two listings of two pages and a refusal, and no third");
}

#[test]
fn an_expired_token_fails_the_scope_where_nothing_would_recognise_a_repetition() {
    let run = run(&token_expires(1));
    assert_eq!(run.failures(), [("AwsDataCatalog/sales".to_owned(), ErrorKind::Invalid)]);
    assert_eq!(run.delivered(Kind::Table).len(), 200);
}

#[test]
fn wrong_credentials_end_the_run_wherever_they_show() {
    for operation in [
        ReadOperation::GetCatalogs,
        ReadOperation::GetDatabases,
        ReadOperation::GetTables,
        ReadOperation::GetJobs,
        ReadOperation::GetTriggers,
    ] {
        for kind in [ErrorKind::Credentials, ErrorKind::Refused] {
            let api = two_databases().answering(move |call| (call.operation == operation).then_some(Err(kind)));
            let Err(CrawlError::Api(error)) = run(&api).result else { panic!("{operation} with {kind:?} must end the run") };
            assert_eq!((error.operation, error.kind.disposition()), (operation, Disposition::FailRun));
        }
    }
}

#[test]
fn a_sink_that_is_full_ends_the_run() {
    let run = run_into(&two_databases(), &NoBaseline, &settings(), FakeSink::with_room(2));
    assert!(matches!(run.result, Err(CrawlError::Sink(_))));
}

#[test]
fn where_catalogs_cannot_be_listed_the_accounts_own_is_crawled_and_the_failure_recorded() {
    let api =
        two_databases().answering(|call| (call.operation == ReadOperation::GetCatalogs).then_some(Err(ErrorKind::Unavailable)));
    let run = run(&api);
    assert_eq!(run.failures(), [("catalogs".to_owned(), ErrorKind::Unavailable)]);
    assert_eq!(run.warning_codes(), ["catalogs-unlisted"]);
    assert_eq!(run.delivered(Kind::Table).len(), 3);
    assert!(!run.scopes()["catalogs"]);
}

#[test]
fn where_nothing_answers_the_rest_is_not_tried() {
    let api = two_databases().answering(|_| Some(Err(ErrorKind::Unavailable)));
    let run = run(&api);
    assert!(!run.result().read_anything);
    assert_eq!(api.calls().len(), 2);
}

#[test]
fn a_catalog_that_fails_costs_that_catalog_only() {
    let api = two_databases()
        .answering(|call| {
            (call.operation == ReadOperation::GetCatalogs).then(|| {
                Ok(json!({"CatalogList": [{"CatalogId": ACCOUNT, "Name": ACCOUNT}, {"CatalogId": format!("{ACCOUNT}:fed"), "Name": "fed"},
                    {"CatalogId": format!("{ACCOUNT}:s3tablescatalog/b"), "Name": "b"}]}))
            })
        })
        .answering(|call| call.is(ReadOperation::GetDatabases, "CatalogId", "111122223333:fed").then_some(Err(ErrorKind::Unavailable)));
    let run = run(&api);
    assert_eq!(run.failures(), [("fed".to_owned(), ErrorKind::Unavailable)]);
    assert_eq!(run.delivered(Kind::Database), ["AwsDataCatalog", "fed", "s3tablescatalog%2Fb"]);
    assert_eq!(
        run.delivered(Kind::Schema),
        ["AwsDataCatalog/hr", "AwsDataCatalog/sales", "s3tablescatalog%2Fb/hr", "s3tablescatalog%2Fb/sales"]
    );
    let asked = api
        .calls()
        .into_iter()
        .filter(|call| call.0 == ReadOperation::GetTables && call.1["CatalogId"] == "111122223333:s3tablescatalog/b");
    assert_eq!(asked.count(), 2);
}

#[test]
fn links_to_databases_are_delivered_and_not_descended_into() {
    let api = FakeApi::new(&[]).answering(|call| {
        (call.operation == ReadOperation::GetDatabases).then(|| {
            Ok(json!({"DatabaseList": [{"Name": "link", "TargetDatabase": {"CatalogId": ACCOUNT, "DatabaseName": "sales"}}]}))
        })
    });
    let run = run(&api);
    assert_eq!(run.delivered(Kind::Schema), ["AwsDataCatalog/link"]);
    assert_eq!(api.count(ReadOperation::GetTables), 0);
}

#[test]
fn what_is_filtered_out_or_skipped_is_neither_delivered_nor_asked_for() {
    let api = two_databases();
    let filter = Filter::parse(&["AwsDataCatalog/sales/o*".to_owned()], &[], None).unwrap();
    let skip = Section::ALL.iter().map(|(section, _)| *section).filter(|section| *section != Section::Tables).collect();
    let run = run_with(&api, &NoBaseline, &Settings { filter, skip, ..settings() });
    assert_eq!(run.delivered(Kind::Table), ["AwsDataCatalog/sales/orders"]);
    let mut operations: Vec<_> = api.calls().into_iter().map(|call| call.0).collect();
    operations.dedup();
    assert_eq!(operations, [ReadOperation::GetCatalogs, ReadOperation::GetDatabases, ReadOperation::GetTables]);
}

#[test]
fn tables_whose_bytes_did_not_change_are_reported_as_known_and_not_parsed() {
    let first = run_with(&two_databases(), &FakeBaseline::default(), &settings());
    let mut baseline = FakeBaseline::default();
    for (id, item) in (1..).zip(first.sink.batches().iter().flat_map(|batch| &batch.items)) {
        if let Some(hash) = item.source {
            baseline.known.insert(item.asset.qualified_name.clone(), (hash, KnownAsset { id, kind: item.asset.kind }));
        }
    }
    assert_eq!(baseline.known.len(), 3);
    let again = run_with(&two_databases(), &baseline, &settings());
    assert!(again.delivered(Kind::Table).is_empty());
    let batches = again.sink.batches();
    let unchanged = batches.iter().map(|batch| batch.unchanged.len()).sum::<usize>();
    assert_eq!((unchanged, again.table_count("sales")), (3, Some(2)));
    assert_eq!(again.progress.snapshot().columns, 0, "nothing was parsed");

    let keeping = Settings { keep: [crate::glue::settings::Keep::ViewSql].into(), ..settings() };
    let with_other_settings = run_with(&two_databases(), &baseline, &keeping);
    assert_eq!(with_other_settings.delivered(Kind::Table).len(), 3, "other settings make other assets of the same bytes");
}

fn visual_job() -> serde_json::Value {
    json!({"Jobs": [{"Name": "clean", "CodeGenConfigurationNodes": {
        "a": {"S3ParquetSource": {"Name": "a", "Paths": ["s3://lake/orders/part/"]}},
        "b": {"S3CsvSource": {"Name": "b", "Paths": ["s3://archive/old"]}},
        "t": {"S3DirectTarget": {"Name": "t", "Inputs": ["a", "b"], "Path": "s3://lake/items"}}}}]})
}

#[test]
fn paths_of_jobs_become_the_tables_of_this_run_and_of_earlier_ones() {
    let api = two_databases().answering(|call| (call.operation == ReadOperation::GetJobs).then(|| Ok(visual_job())));
    let baseline = FakeBaseline {
        tables_at: vec![(S3Location::parse("s3://archive").unwrap(), name("AwsDataCatalog/old/archive"))],
        ..FakeBaseline::default()
    };
    let run = run_with(&api, &baseline, &settings());
    let batches = run.sink.batches();
    let job = batches.iter().flat_map(|batch| &batch.items).find(|item| item.asset.kind == Kind::GlueJob).unwrap();
    let process = job.derived.iter().find(|asset| asset.kind == Kind::Process).unwrap();
    let ends = format!("{:?} -> {:?}", process.attributes.get(Attribute::Inputs), process.attributes.get(Attribute::Outputs));
    for end in [
        "AwsDataCatalog/sales/orders",
        "AwsDataCatalog/old/archive",
        "-> Some(References([Reference { kind: Table, qualified_name: QualifiedName(\"default/glue/7/AwsDataCatalog/sales/items\")",
    ] {
        assert!(ends.contains(end), "{end} in {ends}");
    }
    assert!(run.scopes()["jobs"]);
}

#[test]
fn where_lineage_is_skipped_jobs_are_delivered_without_it() {
    let api = two_databases().answering(|call| (call.operation == ReadOperation::GetJobs).then(|| Ok(visual_job())));
    let run = run_with(&api, &NoBaseline, &Settings { skip: [Section::Lineage].into(), ..settings() });
    assert_eq!(run.delivered(Kind::GlueJob), ["jobs/clean"]);
    assert!(run.sink.batches().iter().flat_map(|batch| &batch.items).all(|item| item.derived.is_empty()));
}

#[test]
fn workflows_are_listed_by_name_and_read_in_batches_and_those_dropped_in_between_are_no_failure() {
    let api = two_databases()
        .answering(|call| {
            (call.operation == ReadOperation::ListWorkflows).then(|| match call.text("NextToken") {
                None => Ok(json!({"Workflows": ["one", "dropped"], "NextToken": "n"})),
                _ => Ok(json!({"Workflows": ["two"]})),
            })
        })
        .answering(|call| {
            (call.operation == ReadOperation::BatchGetWorkflows).then(|| {
                let names = call.input["Names"].as_array().unwrap().iter().filter(|name| *name != "dropped");
                Ok(json!({"Workflows": names.map(|name| json!({"Name": name})).collect::<Vec<_>>(), "MissingWorkflows": ["dropped"]}))
            })
        });
    let run = run(&api);
    assert_eq!(run.delivered(Kind::GlueWorkflow), ["workflows/one", "workflows/two"]);
    assert!(run.failures().is_empty() && run.scopes()["workflows"]);
}

fn missing(id: i64, kind: Kind, path: &str) -> MissingAsset {
    MissingAsset { known: KnownAsset { id, kind }, qualified_name: name(path) }
}

#[test]
fn only_what_answers_that_it_is_not_there_counts_as_gone() {
    let api = two_databases()
        .answering(|call| call.is(ReadOperation::GetTable, "Name", "hid/den").then_some(Err(ErrorKind::Denied)))
        .answering(|call| {
            call.is(ReadOperation::GetTable, "Name", "still_there").then(|| Ok(json!({"Table": table("still_there")})))
        })
        .answering(|call| call.is(ReadOperation::GetTable, "Name", "unlucky").then_some(Err(ErrorKind::Unavailable)));
    let baseline = FakeBaseline {
        missing: vec![
            missing(1, Kind::Table, "AwsDataCatalog/sales/gone"),
            missing(2, Kind::Table, "AwsDataCatalog/sales/hid%2Fden"),
            missing(3, Kind::View, "AwsDataCatalog/sales/still_there"),
            missing(4, Kind::Table, "AwsDataCatalog/sales/unlucky"),
            missing(5, Kind::Table, "AwsDataCatalog/sales/outside"),
            missing(6, Kind::Schema, "AwsDataCatalog/dropped"),
            missing(7, Kind::GlueJob, "jobs/dropped"),
            missing(8, Kind::Database, "s3tablescatalog%2Fgone"),
        ],
        ..FakeBaseline::default()
    };
    let filter = Filter::parse(&[], &["AwsDataCatalog/sales/out*".to_owned()], None).unwrap();
    let run = run_with(&api, &baseline, &Settings { filter, ..settings() });
    let gone: Vec<_> = run.result().gone.iter().map(|known| known.id).collect();
    assert_eq!(gone, [1, 6, 7, 8]);
    assert_eq!(run.warning_codes(), ["absence-unproven"; 3]);
    assert_eq!(run.failures(), [("AwsDataCatalog/sales".to_owned(), ErrorKind::Denied)]);
    assert!(!run.scopes()["AwsDataCatalog/sales"] && run.scopes()["AwsDataCatalog/hr"]);
    let asked: Vec<_> =
        api.calls().into_iter().filter(|call| call.0 == ReadOperation::GetTable).map(|call| call.1["Name"].to_string()).collect();
    assert!(!asked.iter().any(|name| name.contains("outside")), "{asked:?}");
    let catalog = api.calls().into_iter().find(|call| call.0 == ReadOperation::GetCatalog).unwrap();
    assert_eq!(catalog.1["CatalogId"], "111122223333:s3tablescatalog/gone");
}

#[test]
fn incomplete_scopes_are_told_apart_when_the_store_is_asked_what_is_missing() {
    let api =
        two_databases().answering(|call| call.is(ReadOperation::GetTables, "DatabaseName", "hr").then_some(Err(ErrorKind::Denied)));
    let baseline = FakeBaseline::default();
    run_with(&api, &baseline, &settings());
    let asked = baseline.scopes_asked.lock().unwrap();
    assert!(asked.iter().any(|report| report.scope.as_str() == "AwsDataCatalog/hr" && !report.complete));
    assert!(asked.iter().any(|report| report.scope.as_str() == "AwsDataCatalog/sales" && report.complete));
}

/// A database that is large enough to be read in parts, with names of every kind in it.
fn large(filtering: Filtering) -> FakeApi {
    let odd = ["a b", "a.b", "Z", "_x", "-y", "ß", "🧊", "sales", "sales_", "it's", "x]y", "back\\slash", "0", "9z"];
    let numbered = (0..5_200).map(|number| format!("{}_{number:05}", ["sales", "stock", "web", "zeta"][number % 4]));
    let mut names: Vec<_> = odd.iter().map(|name| (*name).to_owned()).chain(numbered).collect();
    names.sort();
    let mut api = FakeApi::new(&[]);
    api.databases.insert("large".to_owned(), names);
    api.filtering = filtering;
    api
}

fn assert_whole_and_once(run: &Run, api: &FakeApi) {
    let delivered = run.delivered(Kind::Table);
    let expected: Vec<_> = api.databases["large"].iter().map(|table| format!("AwsDataCatalog/large/{table}")).collect();
    assert_eq!(delivered.len(), expected.len(), "every table once");
    assert_eq!(delivered, expected);
    assert!(run.failures().is_empty() && run.scopes()["AwsDataCatalog/large"]);
    assert_eq!(run.table_count("large"), i64::try_from(expected.len()).ok());
}

fn has_expression(call: &(ReadOperation, serde_json::Value)) -> bool {
    call.1.get("Expression").is_some()
}

#[test]
fn a_large_database_is_read_in_parts_whose_union_is_the_whole() {
    let api = large(Filtering::Honours);
    let run = run(&api);
    assert_whole_and_once(&run, &api);
    let calls: Vec<_> = api.calls().into_iter().filter(|call| call.0 == ReadOperation::GetTables).collect();
    assert_eq!(calls.iter().filter(|call| !has_expression(call)).count(), 20, "the one cursor stops where the parts begin");
}

#[test]
fn a_large_database_is_read_in_parts_also_into_a_store() {
    let api = large(Filtering::Honours);
    let baseline = FakeBaseline::default();
    assert_whole_and_once(&run_with(&api, &baseline, &settings()), &api);
}

#[test]
fn where_the_service_filters_otherwise_one_cursor_reads_the_whole_and_no_name_comes_twice_or_is_lost() {
    for filtering in [Filtering::Ignores, Filtering::Refuses, Filtering::AfterPaging, Filtering::IgnoresCase] {
        let api = large(filtering);
        let run = run(&api);
        assert!(api.calls().iter().any(has_expression), "{filtering:?}: parts were tried");
        assert_whole_and_once(&run, &api);
    }
}

#[test]
fn without_idle_workers_one_cursor_reads_a_large_database() {
    let api = large(Filtering::Honours);
    let run = run_with(&api, &NoBaseline, &Settings { concurrency: 1, ..Settings::default() });
    assert_whole_and_once(&run, &api);
    assert!(!api.calls().iter().any(has_expression));
}
