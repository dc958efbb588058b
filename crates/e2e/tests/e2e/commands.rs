//! Asking a catalog: what was crawled is found, shown and followed, and what is not there is said so.

use std::fs;

use serde_json::Value;
use sim::Mutation;

use crate::harness::{Assets, Ended, World, assets::below};

/// The realistic account in a catalog: run 1, then run 2 in which one column has changed.
fn crawled() -> World {
    let world = World::realistic();
    world.crawl_to_catalog(&[]).expect(0);
    world.change(Mutation::RetypeColumn {
        catalog: None,
        database: "sales".to_owned(),
        table: "stores".to_owned(),
        column: "store_id".to_owned(),
        to: "bigint".to_owned(),
    });
    world.crawl_to_catalog(&[]).expect(0);
    world
}

fn ask(world: &World, arguments: &[&str]) -> Ended {
    world.program(arguments).args(&["--catalog", &world.catalog()]).run()
}

#[track_caller]
fn answer(world: &World, arguments: &[&str]) -> Value {
    let ended = ask(world, arguments);
    ended.expect(0);
    serde_json::from_str(&ended.stdout).unwrap_or_else(|error| panic!("{error}: {}", ended.stdout))
}

#[test]
fn tables_columns_and_descriptions_are_found() {
    let world = crawled();
    let names = |query: &[&str]| -> Vec<String> {
        let mut arguments = vec!["search", "--json"];
        arguments.extend_from_slice(query);
        let hits = answer(&world, &arguments);
        hits.as_array().unwrap().iter().map(|hit| hit["qualifiedName"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names(&["orders"])[0], below("AwsDataCatalog/sales/orders"));
    assert!(names(&["shipping_address"]).contains(&below("AwsDataCatalog/sales/orders")), "a column is found by its name");
    assert!(
        names(&["placed", "in", "the", "web", "shop"]).contains(&below("AwsDataCatalog/sales/orders")),
        "a description is found"
    );
    assert!(names(&["orders", "--type", "GlueJob"]).iter().all(|name| name.contains("/jobs/")));
    assert_eq!(names(&["orders", "--limit", "2"]).len(), 2);
    assert!(names(&["no-such-thing-anywhere"]).is_empty());
    for query in ["\"", "'; --", "*", "%", "a AND", "(", "🦀"] {
        names(&[query]);
    }
}

#[test]
fn an_asset_is_shown_with_its_columns_as_it_was_written() {
    let world = crawled();
    let shown = ask(&world, &["show", "sales/orders", "--json"]);
    shown.expect(0);
    let exported = world.exported();
    let shown = Assets::parse(&shown.stdout);
    assert_eq!(shown.of("Column").count(), 25);
    for document in shown.all() {
        let kind = document["typeName"].as_str().unwrap();
        assert_eq!(document, exported.named(kind, document["attributes"]["qualifiedName"].as_str().unwrap()));
    }
    for name in ["orders", "sales/orders", "AwsDataCatalog/sales/orders", &below("AwsDataCatalog/sales/orders")] {
        let text = ask(&world, &["show", name]);
        text.expect(0);
        assert!(
            text.stdout.contains("s3://acme-lake/sales/orders/") && text.stdout.contains("discounts"),
            "{name}: {}",
            text.stdout
        );
    }
}

#[test]
fn what_is_not_there_is_said_with_what_to_do() {
    let world = crawled();
    for command in ["show", "lineage", "history"] {
        ask(&world, &[command, "sales/qqqzzz"]).says(1, &["sales/qqqzzz", "isinglass search"]);
    }
    for arguments in [&["evidence", "99"][..], &["diff", "1", "99"]] {
        ask(&world, arguments).says(1, &["99", "run"]);
    }
    ask(&world, &["evidence", "yesterday"]).says(2, &["yesterday", "latest"]);
    let none = format!("sqlite:{}", world.text_path("none.db"));
    for arguments in [&["search", "x"][..], &["show", "x"], &["runs"], &["export", "--format", "ndjson"]] {
        world.program(arguments).args(&["--catalog", &none]).run().says(1, &["none.db", "isinglass crawl"]);
    }
    assert!(!world.path("none.db").exists(), "a question made a catalog");
}

#[test]
fn lineage_is_followed_both_ways_and_as_far_as_asked() {
    let world = crawled();
    let edges = |arguments: &[&str]| -> Vec<(String, String)> {
        let mut all = vec!["lineage", "sales/orders", "--json"];
        all.extend_from_slice(arguments);
        let graph = answer(&world, &all);
        let text = |edge: &Value, end: &str| edge[end].as_str().unwrap().to_owned();
        graph["edges"].as_array().unwrap().iter().map(|edge| (text(edge, "from"), text(edge, "to"))).collect()
    };
    let orders = below("AwsDataCatalog/sales/orders");
    let location = ("s3://acme-lake/sales/orders".to_owned(), orders.clone());
    let view = (orders.clone(), below("AwsDataCatalog/sales/order_summary"));
    let view_of_view = (view.1.clone(), below("AwsDataCatalog/sales/german_orders"));
    let both = edges(&[]);
    assert!(both.contains(&location) && both.contains(&view) && both.contains(&view_of_view), "{both:#?}");
    assert_eq!(edges(&["--direction", "upstream"]), std::slice::from_ref(&location));
    let near = edges(&["--depth", "1"]);
    assert!(near.contains(&location) && near.contains(&view) && !near.contains(&view_of_view), "{near:#?}");
}

#[test]
fn history_and_diff_show_the_changed_column() {
    let world = crawled();
    let history = ask(&world, &["history", "sales/stores"]);
    history.expect(0);
    for part in ["run 2", "run 1", "store_id", "bigint", "created"] {
        assert!(history.stdout.contains(part), "{part}: {}", history.stdout);
    }
    let diff = ask(&world, &["diff", "1", "2"]);
    diff.expect(0);
    assert!(
        diff.stdout.contains("sales/stores") && diff.stdout.contains("bigint") && !diff.stdout.contains("sales/orders"),
        "{}",
        diff.stdout
    );
    let changed = answer(&world, &["diff", "1", "latest", "--json"]);
    assert!(changed["changed"].to_string().contains(&below("AwsDataCatalog/sales/stores")), "{changed:#}");
}

#[test]
fn evidence_is_the_report_of_the_run() {
    let world = World::realistic();
    let first = world.crawl_to_catalog(&[]).expect(0);
    world.change(Mutation::DenyAction { pattern: "glue:GetJobs".to_owned() });
    let second = world.crawl_to_catalog(&[]).expect(3);
    assert_eq!(answer(&world, &["evidence", "1", "--json"]), first.report);
    assert_eq!(answer(&world, &["evidence", "--json"]), second.report);
    let text = ask(&world, &["evidence"]);
    text.expect(0);
    for part in ["glue:GetTables", "127.0.0.1", "partial", "glue:GetJobs"] {
        assert!(text.stdout.contains(part), "{part}: {}", text.stdout);
    }
    let runs = ask(&world, &["runs"]);
    runs.expect(0);
    assert!(runs.stdout.contains("partial") && runs.stdout.contains("complete"), "{}", runs.stdout);
}

#[test]
fn exports_go_to_files_that_are_whole() {
    let world = crawled();
    let file = world.text_path("export.ndjson");
    ask(&world, &["export", "--format", "ndjson", "--output", &file]).expect(0);
    Assets::read(&world.path("export.ndjson")).expect_same(&world.exported());
    let folder = world.text_path("parquet");
    ask(&world, &["export", "--format", "parquet", "--output", &folder]).expect(0);
    for name in ["assets.parquet", "columns.parquet"] {
        let bytes = fs::read(world.path("parquet").join(name)).unwrap();
        assert!(bytes.starts_with(b"PAR1") && bytes.ends_with(b"PAR1"), "{name}");
    }
    ask(&world, &["export", "--format", "ndjson", "--output", "/dev/full"]).says(1, &["/dev/full", "disk is full"]);
    ask(&world, &["export", "--format", "ndjson", "--output", &world.text_path("missing/x.ndjson")])
        .says(1, &["missing", "does not exist"]);
}

#[test]
fn archived_assets_are_not_found_but_keep_their_history() {
    let world = crawled();
    world.change(Mutation::DropTable { catalog: None, database: "sales".to_owned(), table: "stores".to_owned() });
    world.crawl_to_catalog(&[]).expect(0);
    let hits = answer(&world, &["search", "stores", "--type", "Table", "--json"]);
    assert!(hits.as_array().unwrap().iter().all(|hit| hit["name"] != "stores"), "{hits:#}");
    let history = ask(&world, &["history", &below("AwsDataCatalog/sales/stores")]);
    history.expect(0);
    assert!(history.stdout.contains("run 3") && history.stdout.contains("run 1"), "{}", history.stdout);
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let world = crawled();
    let catalog = world.catalog();
    let binary = crate::harness::program::binary();
    let line = format!("{} export --format ndjson --catalog {catalog} | head -1", binary.display());
    let output = std::process::Command::new("bash").args(["-o", "pipefail", "-c", &line]).output().unwrap();
    assert!(output.status.success() && !String::from_utf8_lossy(&output.stderr).contains("panicked"), "{output:?}");
    assert_eq!(String::from_utf8(output.stdout).unwrap().lines().count(), 1);
}
