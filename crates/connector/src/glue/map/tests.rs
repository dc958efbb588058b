//! The mapping as data: recorded-shape pages in `testdata/glue/*.json` against the NDJSON that they become. After a change of the
//! mapping, `UPDATE_EXPECT=1 cargo test -p connector` writes the expectation anew, and the diff is what there is to review.
//!
//! Secrets are planted in the pages as `CANARY…`: none may be in any expectation.

use std::collections::HashMap;
use std::fs;
use std::path::PathBuf;

use expect_test::expect_file;
use model::document::{AssetStatus, write_asset, write_lines};
use model::{Asset, ConnectionName, Item, Kind, QualifiedName, S3Location, Warning};
use serde::Deserialize;

use super::MapContext;
use super::catalog::{TableCounts, map_catalog, map_database};
use super::job::{job_processes, map_job};
use super::list::{map_connection, map_crawler, map_trigger, map_workflow};
use super::table::{Place, map_table};
use crate::MaskedCounts;
use crate::glue::naming::{Naming, OWN_CATALOG};
use crate::glue::page::{
    BatchGetWorkflowsAnswer, CatalogsPage, ConnectionsPage, CrawlersPage, DatabasesPage, JobsPage, TablesPage, TriggersPage,
};
use crate::glue::settings::{Keep, Settings};

const ACCOUNT: &str = "111122223333";

fn directory() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("testdata/glue")
}

/// What a page became: lines as in NDJSON output, then a line for each warning and one for what was masked.
struct Written {
    lines: Vec<u8>,
    warnings: Vec<Warning>,
}

impl Written {
    fn asset(&mut self, asset: &Asset) {
        write_lines(asset, AssetStatus::Active, |_| true, &mut self.lines);
    }

    fn derived(&mut self, derived: &[Asset]) {
        for asset in derived {
            write_asset(asset, AssetStatus::Active, &mut self.lines);
            self.lines.push(b'\n');
        }
    }

    fn item(&mut self, item: &Item) {
        self.asset(&item.asset);
        self.derived(&item.derived);
    }
}

/// Parses a page, maps it and compares the outcome with the expectation of the same name.
fn check<P: Deserialize<'static>>(name: &str, map: impl FnOnce(&MapContext<'_>, P, &mut Written)) {
    check_with(&Settings::default(), name, map);
}

fn check_with<P: Deserialize<'static>>(settings: &Settings, name: &str, map: impl FnOnce(&MapContext<'_>, P, &mut Written)) {
    let json: &'static str = Box::leak(fs::read_to_string(directory().join(format!("{name}.json"))).unwrap().into_boxed_str());
    let naming = Naming::new(ConnectionName::new("glue", 7), Some(ACCOUNT.to_owned()));
    let masked = MaskedCounts::default();
    let context = MapContext { naming: &naming, settings, masked: &masked };
    let mut written = Written { lines: Vec::new(), warnings: Vec::new() };
    map(&context, serde_json::from_str(json).unwrap(), &mut written);
    let mut text = String::from_utf8(written.lines).unwrap();
    for line in text.lines() {
        serde_json::from_str::<serde_json::Value>(line).unwrap();
    }
    for warning in &written.warnings {
        let warning = serde_json::json!({"warning": format!("{} {}: {}", warning.code, warning.scope, warning.message)});
        text.push_str(&format!("{warning}\n"));
    }
    let counts: Vec<_> = masked.to_map().into_iter().map(|(place, count)| format!("\"{place}\":{count}")).collect();
    text.push_str(&format!("{{\"masked\":{{{}}}}}\n", counts.join(",")));
    expect_file![directory().join(format!("{name}.ndjson"))].assert_eq(&text);
}

fn map_tables(context: &MapContext<'_>, page: &TablesPage<'_>, written: &mut Written) {
    let schema = context.naming.schema(OWN_CATALOG, "sales");
    let place = Place { catalog: OWN_CATALOG, database: "sales", schema: &schema };
    for table in &page.table_list {
        let item = map_table(context, place, table, None, &mut written.warnings);
        written.item(&item);
    }
}

fn check_tables(name: &str) {
    check(name, |context, page: TablesPage<'static>, written| map_tables(context, &page, written));
}

#[test]
fn hive_tables_keep_a_repeated_partition_key_once_and_measurements_that_are_numbers() {
    check_tables("tables_hive_parquet");
}

#[test]
fn iceberg_tables_hide_dropped_columns() {
    check_tables("tables_iceberg");
}

#[test]
fn hudi_tables_are_told_by_provider_and_by_reader_class() {
    check_tables("tables_hudi");
}

#[test]
fn delta_tables_take_their_columns_from_sparks_schema() {
    check_tables("tables_delta");
}

#[test]
fn athena_views_have_masked_definitions_columns_and_lineage() {
    check_tables("tables_athena_view");
}

#[test]
fn spark_views_have_masked_definitions_and_lineage() {
    check_tables("tables_spark_view");
}

#[test]
fn multi_dialect_views_take_their_text_from_a_representation_in_its_dialect() {
    check_tables("tables_multi_dialect_view");
}

#[test]
fn materialized_views_are_views() {
    check_tables("tables_materialized_view");
}

#[test]
fn resource_links_point_at_their_target_also_when_it_is_gone() {
    check_tables("tables_link");
}

#[test]
fn tables_without_storage_columns_or_types_are_kept() {
    check_tables("tables_no_storage");
}

#[test]
fn odd_names_are_encoded_in_qualified_names_and_spelt_in_names() {
    check_tables("tables_odd_names");
}

#[test]
fn fields_of_nested_types_are_columns() {
    check_tables("tables_nested");
}

#[test]
fn broken_types_become_warnings() {
    check_tables("tables_broken_types");
}

#[test]
fn types_deeper_than_level_15_stay_text_with_a_warning() {
    check_tables("tables_deep");
}

#[test]
fn secrets_planted_in_tables_are_masked() {
    check_tables("tables_secrets");
}

#[test]
fn view_text_and_person_names_are_kept_whole_only_for_those_who_ask() {
    let settings = Settings { keep: Keep::ALL.iter().map(|(keep, _)| *keep).collect(), ..Settings::default() };
    let map = |context: &MapContext<'_>, page: TablesPage<'static>, written: &mut Written| map_tables(context, &page, written);
    check_with(&settings, "tables_opt_in", map);
}

#[test]
fn databases_and_links_to_databases() {
    check("databases", |context, page: DatabasesPage<'static>, written| {
        for database in &page.database_list {
            let (asset, process) = map_database(context, OWN_CATALOG, database, Some(TableCounts { tables: 3, views: 1 }));
            written.item(&Item { asset, derived: process.into_iter().collect(), source: None });
        }
    });
}

#[test]
fn catalogs_of_every_type() {
    check("catalogs", |context, page: CatalogsPage<'static>, written| {
        for catalog in &page.catalog_list {
            let name = context.naming.catalog_name(catalog.catalog_id.as_deref());
            written.asset(&map_catalog(context, &name, Some(catalog), Some(2)));
        }
        written.asset(&map_catalog(context, "never_described", None, None));
    });
}

#[test]
fn jobs_written_drawn_and_unreadable_with_their_lineage() {
    check("jobs", |context, page: JobsPage<'static>, written| {
        let at = |location: &str, table: &str| (S3Location::from_canonical(location), QualifiedName::from_encoded(table));
        let tables_at = HashMap::from([
            at("s3://lake/raw/customers", "default/glue/7/AwsDataCatalog/raw/customers"),
            at("s3://lake/clean_ids", "default/glue/7/AwsDataCatalog/sales/clean_ids"),
        ]);
        for job in &page.jobs {
            let mapped = map_job(context, job, &mut written.warnings);
            written.asset(&mapped.asset);
            written.derived(&job_processes(context, &mapped, &tables_at));
        }
    });
}

#[test]
fn workflows_with_their_graph_and_without_their_runs() {
    check("workflows", |context, page: BatchGetWorkflowsAnswer<'static>, written| {
        page.workflows.iter().for_each(|workflow| written.asset(&map_workflow(context, workflow)));
    });
}

#[test]
fn triggers_of_every_type() {
    check("triggers", |context, page: TriggersPage<'static>, written| {
        page.triggers.iter().for_each(|trigger| written.asset(&map_trigger(context, trigger)));
    });
}

#[test]
fn crawlers_with_every_kind_of_target() {
    check("crawlers", |context, page: CrawlersPage<'static>, written| {
        page.crawlers.iter().for_each(|crawler| written.asset(&map_crawler(context, crawler)));
    });
}

#[test]
fn connections_without_what_they_sign_in_with() {
    check("connections", |context, page: ConnectionsPage<'static>, written| {
        page.connection_list.iter().for_each(|connection| written.asset(&map_connection(context, connection)));
    });
}

#[test]
fn no_expectation_holds_a_planted_secret_and_every_page_has_one() {
    let files: Vec<_> = fs::read_dir(directory()).unwrap().map(|entry| entry.unwrap().path()).collect();
    let named =
        |extension: &str| files.iter().filter(|path| path.extension().is_some_and(|found| found == extension)).collect::<Vec<_>>();
    let (pages, expected) = (named("json"), named("ndjson"));
    assert_eq!(pages.len(), expected.len());
    for path in &expected {
        let text = fs::read_to_string(path).unwrap().to_uppercase();
        assert!(!text.contains("CANARY"), "{} holds a planted secret", path.display());
        assert!(!text.contains("424242"), "{} holds a planted number", path.display());
    }
    let planted: usize = pages.iter().map(|path| fs::read_to_string(path).unwrap().matches("CANARY").count()).sum();
    assert!(planted > 100, "only {planted} secrets are planted");
}

#[test]
fn every_kind_that_a_glue_page_can_become_is_in_an_expectation() {
    let files = fs::read_dir(directory()).unwrap().map(|entry| entry.unwrap().path());
    let expected = files.filter(|path| path.extension().is_some_and(|found| found == "ndjson"));
    let text: String = expected.map(|path| fs::read_to_string(path).unwrap()).collect();
    let of_glue = |kind: &&Kind| **kind != Kind::Connection && kind.code() <= Kind::S3Object.code();
    for kind in Kind::ALL.iter().filter(of_glue) {
        assert!(text.contains(&format!("\"typeName\":\"{kind}\"")), "{kind}");
    }
}
