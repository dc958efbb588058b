//! Odd content through the whole program: into NDJSON, and through the catalog out again.

use std::collections::BTreeSet;

use serde_json::json;
use sim::Account;

use crate::harness::{Assets, REGION, World, account_of, table};

/// Crawls to a file and to a catalog and demands that both say the same.
fn both_ways(account: Account) -> (World, Assets) {
    let world = World::new(account);
    let (crawled, assets) = world.crawl_to_file(&[]);
    let crawled = crawled.expect(0);
    let stored = world.crawl_to_catalog(&[]).expect(0);
    assert_eq!(crawled.report["counts"], stored.report["counts"]);
    let exported = world.exported();
    assets.expect_same(&exported);
    (world, assets)
}

fn odd_names() -> Vec<String> {
    let mut names: Vec<String> = [
        "a/b",
        "50%",
        "it's",
        "say \"hi\"",
        "back\\slash",
        "semi;colon",
        "emoji 🦀 crab",
        "größe",
        "日本語",
        " leading",
        "trailing ",
        ".",
        "..",
        "a,b",
        "tab\there",
        "new\nline",
        "*",
        "?",
        "%2F",
        "UPPER",
        "upper",
        "--flag",
        "'; select 1; --",
        "e\u{301}",
        "\u{e9}",
        "null",
        "{}",
    ]
    .map(str::to_owned)
    .to_vec();
    names.push("x".repeat(255));
    names.push("🦀".repeat(255));
    names
}

fn encoded(name: &str) -> String {
    let mut text = String::new();
    for character in name.chars() {
        match character {
            '/' => text.push_str("%2F"),
            '%' => text.push_str("%25"),
            '\t' => text.push_str("%09"),
            '\n' => text.push_str("%0A"),
            other => text.push(other),
        }
    }
    text
}

#[test]
fn odd_names_come_through_whole() {
    let mut account = Account::empty("111122223333", REGION);
    for name in odd_names() {
        account.put_database(json!({"Name": name}));
        account.put_table(table(&name, "plain", &[("id", "int")]));
        account.put_table(table("tables", &name, &[("id", "int")]));
    }
    let columns: Vec<serde_json::Value> = odd_names().iter().map(|name| json!({"Name": name, "Type": "int"})).collect();
    let mut wide = table("tables", "columns", &[]);
    wide["StorageDescriptor"]["Columns"] = json!(columns);
    account.put_table(wide);

    let (world, assets) = both_ways(account);
    for name in odd_names() {
        let encoded = encoded(&name);
        assert_eq!(assets.at("Schema", &format!("AwsDataCatalog/{encoded}"))["name"], name.as_str());
        assert_eq!(assets.at("Table", &format!("AwsDataCatalog/{encoded}/plain"))["schemaName"], name.as_str());
        assert_eq!(assets.at("Table", &format!("AwsDataCatalog/tables/{encoded}"))["name"], name.as_str());
        let column = assets.at("Column", &format!("AwsDataCatalog/tables/columns/{encoded}"));
        assert_eq!((column["name"].as_str(), column["dataType"].as_str()), (Some(name.as_str()), Some("int")));
    }
    let again = world.crawl_to_catalog(&[]).expect(0);
    assert_eq!(again.changes(), [0, 0, again.total(), 0, 0, 0]);
}

#[test]
fn odd_names_that_are_dropped_are_proven_gone_by_their_real_names() {
    let mut account = account_of(&[("big", 200)]);
    for name in odd_names() {
        account.put_table(table("tables", &name, &[("id", "int")]));
    }
    let world = World::new(account);
    world.crawl_to_catalog(&[]).expect(0);
    for name in odd_names() {
        world.change(sim::Mutation::DropTable { catalog: None, database: "tables".to_owned(), table: name });
    }
    let second = world.crawl_to_catalog(&[]).expect(0);
    assert_eq!((second.count("Table"), second.change("protected")), (200, 0), "{:#}", second.report);
    assert!(world.exported().names_below("Table", "AwsDataCatalog/tables").is_empty());
}

#[test]
fn tables_without_what_tables_have_are_kept() {
    let mut account = account_of(&[("odd", 0)]);
    account.put_table(json!({"Name": "bare", "DatabaseName": "odd"}));
    account
        .put_table(json!({"Name": "no_columns", "DatabaseName": "odd", "StorageDescriptor": {"Location": "s3://e2e-lake/odd/"}}));
    account.put_table(
        json!({"Name": "nulls", "DatabaseName": "odd", "StorageDescriptor": null, "PartitionKeys": null, "Parameters": null,
        "TableType": null, "Description": null, "CreateTime": null}),
    );
    account.put_table(
        json!({"Name": "empty", "DatabaseName": "odd", "StorageDescriptor": {"Columns": [], "Location": ""}, "TableType": "",
        "Description": "", "Owner": "", "Parameters": {}}),
    );
    account.put_table(json!({"Name": "untyped", "DatabaseName": "odd", "StorageDescriptor": {"Columns": [{"Name": "a"}, {"Name": "b", "Type": ""}]}}));
    account.put_table(json!({"Name": "partitions_only", "DatabaseName": "odd", "PartitionKeys": [{"Name": "dt", "Type": "date"}]}));
    account.put_table(json!({"Name": "unknown_kind", "DatabaseName": "odd", "TableType": "SOMETHING_NEW", "Sparkles": {"a": [1]}}));
    let (_, assets) = both_ways(account);
    let names = ["bare", "empty", "no_columns", "nulls", "partitions_only", "unknown_kind", "untyped"];
    assert_eq!(assets.names_below("Table", "AwsDataCatalog/odd"), names);
    assert_eq!(assets.at("Table", "AwsDataCatalog/odd/unknown_kind")["subType"], "SOMETHING_NEW");
    assert_eq!(assets.at("Table", "AwsDataCatalog/odd/untyped")["columnCount"], 2);
    assert_eq!(assets.names_below("Column", "AwsDataCatalog/odd/untyped"), ["a", "b"]);
    let partition = assets.at("Column", "AwsDataCatalog/odd/partitions_only/dt");
    assert_eq!((partition["isPartition"].as_bool(), partition["order"].as_u64()), (Some(true), Some(1)));
}

#[test]
fn ten_thousand_columns_come_through_in_order() {
    let names: Vec<String> = (0..10_000).map(|number| format!("c{number:05}")).collect();
    let columns: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "struct<a:int>")).collect();
    let mut account = account_of(&[("wide", 1)]);
    account.put_table(table("wide", "ten_thousand", &columns));
    let (_, assets) = both_ways(account);
    assert_eq!(assets.at("Table", "AwsDataCatalog/wide/ten_thousand")["columnCount"], 10_000);
    let mut orders = BTreeSet::new();
    for (index, name) in names.iter().enumerate() {
        let order = assets.at("Column", &format!("AwsDataCatalog/wide/ten_thousand/{name}"))["order"].as_u64().unwrap();
        assert_eq!(order, index as u64 + 1);
        orders.insert(order);
        assert!(assets.has_at("Column", &format!("AwsDataCatalog/wide/ten_thousand/{name}/a")));
    }
    assert_eq!(orders.len(), 10_000);
}

#[test]
fn a_type_of_131_072_characters_comes_through() {
    let mut fields = String::from("struct<");
    let mut number = 0;
    while fields.len() < 131_072 - 40 {
        fields.push_str(&format!("field_{number:06}:string,"));
        number += 1;
    }
    let padding = 131_072 - fields.len() - ":int>".len();
    fields.push_str(&"z".repeat(padding));
    fields.push_str(":int>");
    assert_eq!(fields.len(), 131_072);
    let mut account = account_of(&[("wide", 1)]);
    account.put_table(table("wide", "long_type", &[("payload", &fields), ("id", "int")]));
    let (_, assets) = both_ways(account);
    let column = assets.at("Column", "AwsDataCatalog/wide/long_type/payload");
    assert_eq!(column["rawDataTypeDefinition"].as_str().map(str::len), Some(131_072));
    assert_eq!(column["nestedColumnCount"], number + 1);
    assert_eq!(assets.names_below("Column", "AwsDataCatalog/wide/long_type/payload").len(), number + 1);
    assert!(assets.has_at("Column", "AwsDataCatalog/wide/long_type/id"));
}

fn nested(depth: usize, innermost: &str) -> String {
    format!("{}{innermost}{}", "struct<n:".repeat(depth - 1), ">".repeat(depth - 1))
}

#[test]
fn a_type_nested_40_deep_is_cut_at_level_15_and_noted() {
    let mut account = account_of(&[("deep", 1)]);
    account.put_table(table("deep", "forty", &[("top", &nested(40, "int")), ("id", "int")]));
    let world = World::new(account);
    let (crawled, assets) = world.crawl_to_file(&[]);
    let crawled = crawled.expect(0);
    let warning = crawled.has_warning("AwsDataCatalog/deep/forty", "column-type-too-deep");
    assert!(warning["message"].as_str().unwrap().contains("\"top\""), "{warning:#}");
    let path = |level: usize| format!("AwsDataCatalog/deep/forty/top{}", "/n".repeat(level - 1));
    for level in 1..=15 {
        assert_eq!(assets.at("Column", &path(level))["columnDepthLevel"], level);
    }
    assert!(!assets.has_at("Column", &path(16)));
    // What lies deeper stays in the text of level 15.
    assert_eq!(assets.at("Column", &path(15))["rawDataTypeDefinition"], nested(26, "int").as_str());
}

#[test]
fn a_type_nested_5_000_deep_overflows_no_stack() {
    let deep = nested(5_000, "int");
    let arrays = format!("{}int{}", "array<".repeat(5_000), ">".repeat(5_000));
    let unclosed = "map<string,".repeat(5_000);
    let mut account = account_of(&[("deep", 1)]);
    account.put_table(table(
        "deep",
        "thousands",
        &[("structs", &deep), ("arrays", &arrays), ("unclosed", &unclosed), ("id", "int")],
    ));
    let (_, assets) = both_ways(account);
    let columns = assets.names_below("Column", "AwsDataCatalog/deep/thousands");
    assert_eq!(columns, ["arrays", "id", "structs", "unclosed"]);
    assert_eq!(assets.at("Column", "AwsDataCatalog/deep/thousands/structs")["rawDataTypeDefinition"].as_str(), Some(deep.as_str()));
    let depth = assets.of("Column").filter_map(|column| column["attributes"]["columnDepthLevel"].as_u64()).max();
    assert_eq!(depth, Some(15));
}

#[test]
fn a_type_that_is_no_type_is_kept_as_text_and_noted() {
    let oddities = [
        "not a type at all!",
        "struct<",
        "struct<a:int",
        "array<>",
        "map<string>",
        "decimal(",
        ">>>",
        "null",
        "struct<a b c>",
        "🦀",
    ];
    let names: Vec<String> = (0..oddities.len()).map(|number| format!("c{number}")).collect();
    let columns: Vec<(&str, &str)> = names.iter().map(String::as_str).zip(oddities).collect();
    let mut account = account_of(&[("odd", 0)]);
    account.put_table(table("odd", "types", &columns));
    let world = World::new(account);
    let (crawled, assets) = world.crawl_to_file(&[]);
    crawled.expect(0).has_warning("AwsDataCatalog/odd/types", "column-type-unparsed");
    for (name, kind) in columns {
        let column = assets.at("Column", &format!("AwsDataCatalog/odd/types/{name}"));
        assert_eq!(column["rawDataTypeDefinition"], kind, "{column:#}");
    }
}
