//! What scripts rely on: the form of NDJSON and of the report, names, filters, outputs, exit statuses.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use serde_json::{Value, json};

use crate::harness::assets::below;
use crate::harness::{Assets, CONNECTION_ID, ROLE, World, account_of};

fn realistic() -> (World, crate::harness::Crawled, Assets) {
    let world = World::realistic();
    let (crawled, assets) = world.crawl_to_file(&[]);
    (world, crawled.expect(0), assets)
}

/// A UUID of version 5 (RFC 9562).
fn is_guid(text: &str) -> bool {
    let groups: Vec<_> = text.split('-').map(str::len).collect();
    let is_hexadecimal = text.bytes().all(|byte| byte == b'-' || byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
    groups == [8, 4, 4, 4, 12] && is_hexadecimal && text.as_bytes()[14] == b'5' && b"89ab".contains(&text.as_bytes()[19])
}

/// Calls `visit` with every value inside, and the name it has.
fn walk<'v>(name: &'v str, value: &'v Value, visit: &mut dyn FnMut(&'v str, &'v Value)) {
    visit(name, value);
    match value {
        Value::Object(members) => members.iter().for_each(|(name, value)| walk(name, value, visit)),
        Value::Array(items) => items.iter().for_each(|item| walk(name, item, visit)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[test]
fn every_line_is_a_document_with_the_common_members() {
    let (_, _, assets) = realistic();
    for document in assets.all() {
        let members: BTreeSet<_> = document.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(members, BTreeSet::from(["typeName", "guid", "status", "attributes"]), "{document:#}");
        assert!(is_guid(document["guid"].as_str().unwrap()), "{document:#}");
        assert_eq!(document["status"], "ACTIVE");
        let attributes = &document["attributes"];
        assert!(attributes["name"].as_str().is_some_and(|name| !name.is_empty()), "{document:#}");
        if document["typeName"] != "S3Object" {
            assert_eq!(attributes["connectionQualifiedName"], format!("default/glue/{CONNECTION_ID}"), "{document:#}");
            assert_eq!(attributes["connectorName"], "glue", "{document:#}");
        }
    }
}

#[test]
fn unknown_values_are_absent_and_times_are_milliseconds() {
    let (_, _, assets) = realistic();
    let mut times = 0;
    for document in assets.all() {
        walk("", document, &mut |name, value| {
            assert!(!value.is_null(), "{name} is null: {document:#}");
            assert_ne!(value.as_str(), Some(""), "{name} is empty: {document:#}");
            if name.ends_with("At") {
                times += 1;
                let time = value.as_i64().unwrap_or_else(|| panic!("{name} is no integer: {document:#}"));
                assert!((1_500_000_000_000..2_000_000_000_000).contains(&time), "{name}: {document:#}");
            }
        });
    }
    assert!(times > 100, "{times} times");
}

#[test]
fn counts_are_the_lines_by_type() {
    let (_, crawled, assets) = realistic();
    let told: BTreeMap<String, u64> = serde_json::from_value(crawled.report["counts"].clone()).unwrap();
    assert_eq!(told, assets.counts());
    let kinds: BTreeSet<&str> = told.keys().map(String::as_str).collect();
    let all = BTreeSet::from([
        "Connection",
        "Database",
        "Schema",
        "Table",
        "View",
        "Column",
        "GlueJob",
        "GlueWorkflow",
        "GlueTrigger",
        "GlueCrawler",
        "GlueConnection",
        "Process",
        "ColumnProcess",
        "S3Object",
    ]);
    assert_eq!(kinds, all, "the realistic account has one of each");
}

#[test]
fn two_crawls_give_the_same_documents() {
    let (world, _, first) = realistic();
    let (_, second) = world.crawl_to_file(&[]);
    first.expect_same(&second);
    let other = World::realistic();
    // Another machine, signed in another way.
    other.crawl_to_file(&["--role-arn", ROLE, "--concurrency", "1"]).1.expect_same(&first);
}

#[test]
fn another_connection_number_gives_other_names_and_guids() {
    let (world, _, first) = realistic();
    let output = world.path("other.ndjson");
    world.crawl(&["--output", output.to_str().unwrap(), "--connection-id", "42", "--connection", "prod"]).expect(0);
    let other = Assets::read(&output);
    assert_eq!(other.counts(), first.counts());
    let table = other.named("Table", "default/glue/42/AwsDataCatalog/sales/orders");
    assert_ne!(table["guid"], first.named("Table", &below("AwsDataCatalog/sales/orders"))["guid"]);
    assert_eq!(other.named("Connection", "default/glue/42")["attributes"]["name"], "prod");
}

#[test]
fn without_a_number_the_time_of_the_first_crawl_is_it() {
    let world = World::new(account_of(&[("sales", 1)]));
    let number = || {
        world.crawl(&["--catalog", &world.catalog()]).expect(0);
        let exported = world.exported();
        let connection = exported.of("Connection").next().unwrap();
        connection["attributes"]["qualifiedName"].as_str().unwrap().trim_start_matches("default/glue/").parse::<u64>().unwrap()
    };
    let first = number();
    assert!((1_700_000_000..4_000_000_000).contains(&first), "seconds since 1970: {first}");
    assert_eq!(number(), first);
}

#[test]
fn every_reference_upwards_leads_to_an_asset() {
    let (_, _, assets) = realistic();
    for document in assets.all() {
        for (attribute, kinds) in [
            ("connectionQualifiedName", &["Connection"][..]),
            ("databaseQualifiedName", &["Database"]),
            ("schemaQualifiedName", &["Schema"]),
            ("tableQualifiedName", &["Table"]),
            ("viewQualifiedName", &["View"]),
            ("parentColumnQualifiedName", &["Column"]),
        ] {
            let Some(name) = document["attributes"][attribute].as_str() else { continue };
            assert!(kinds.iter().any(|kind| assets.has(kind, name)), "{attribute} leads nowhere: {document:#}");
        }
    }
    for table in assets.of("Table").chain(assets.of("View")) {
        for attribute in ["databaseName", "databaseQualifiedName", "schemaName", "schemaQualifiedName", "columnCount"] {
            assert!(!table["attributes"][attribute].is_null(), "{attribute} is missing: {table:#}");
        }
    }
}

#[test]
fn counts_of_children_are_the_children() {
    let (_, _, assets) = realistic();
    let mut children: BTreeMap<(&str, String), i64> = BTreeMap::new();
    let mut count = |relation: &'static str, parent: &Value| {
        if let Some(parent) = parent.as_str() {
            *children.entry((relation, parent.to_owned())).or_default() += 1;
        }
    };
    for column in assets.of("Column") {
        let attributes = &column["attributes"];
        count("fields", &attributes["parentColumnQualifiedName"]);
        if attributes["columnDepthLevel"] == 1 {
            count("columns", &attributes["tableQualifiedName"]);
            count("columns", &attributes["viewQualifiedName"]);
        }
    }
    assets.of("Table").for_each(|table| count("tables", &table["attributes"]["schemaQualifiedName"]));
    assets.of("View").for_each(|view| count("views", &view["attributes"]["schemaQualifiedName"]));
    for (kind, attribute, relation) in [
        ("Column", "nestedColumnCount", "fields"),
        ("Table", "columnCount", "columns"),
        ("View", "columnCount", "columns"),
        ("Schema", "tableCount", "tables"),
        ("Schema", "viewsCount", "views"),
    ] {
        for document in assets.of(kind) {
            let name = document["attributes"]["qualifiedName"].as_str().unwrap();
            let found = children.get(&(relation, name.to_owned())).copied().unwrap_or(0);
            // A link's own tables are the target's, so its counts are not known; a primitive column has no fields to count.
            match document["attributes"][attribute].as_i64() {
                Some(told) => assert_eq!(told, found, "{attribute}: {document:#}"),
                None => assert_eq!(found, 0, "{attribute} is missing: {document:#}"),
            }
        }
    }
}

#[test]
fn columns_are_in_order_and_nest_by_structs_only() {
    let (_, _, assets) = realistic();
    let orders = "AwsDataCatalog/sales/orders";
    let table = assets.at("Table", orders);
    assert_eq!((table["columnCount"].as_u64(), table["isPartitioned"].as_bool()), (Some(14), Some(true)));
    let by_order: BTreeMap<u64, &str> = assets
        .of("Column")
        .map(|column| &column["attributes"])
        .filter(|column| column["tableQualifiedName"] == below(orders) && column["columnDepthLevel"] == 1)
        .map(|column| (column["order"].as_u64().unwrap(), column["name"].as_str().unwrap()))
        .collect();
    assert_eq!(by_order.keys().copied().collect::<Vec<_>>(), (1..=14).collect::<Vec<_>>());
    assert_eq!((by_order[&1], by_order[&9], by_order[&13], by_order[&14]), ("order_id", "items", "dt", "country"));

    let items = assets.at("Column", &format!("{orders}/items"));
    assert_eq!((items["dataType"].as_str(), items["nestedColumnCount"].as_u64()), (Some("array"), Some(5)));
    let sku = assets.at("Column", &format!("{orders}/items/sku"));
    let expected =
        json!({"level": 2, "parent": "items", "parentName": below(&format!("{orders}/items")), "order": 1, "type": "string"});
    let found = json!({"level": sku["columnDepthLevel"], "parent": sku["parentColumnName"], "parentName": sku["parentColumnQualifiedName"],
        "order": sku["nestedColumnOrder"], "type": sku["dataType"]});
    assert_eq!(found, expected);
    assert_eq!(assets.at("Column", &format!("{orders}/items/discounts/code"))["columnDepthLevel"], 3);
    let map_of_primitives = assets.names_below("Column", &format!("{orders}/attributes"));
    assert_eq!(map_of_primitives, Vec::<String>::new());
    let partition = assets.at("Column", &format!("{orders}/country"));
    assert_eq!((partition["isPartition"].as_bool(), partition["partitionOrder"].as_u64()), (Some(true), Some(2)));
}

#[test]
fn maps_of_structs_add_no_level() {
    let mut account = account_of(&[("nested", 0)]);
    let columns = [
        ("attrs", "map<string,struct<a:int>>"),
        ("deep", "array<map<string,array<struct<b:struct<c:int>>>>>"),
        ("plain", "array<int>"),
    ];
    account.put_table(crate::harness::table("nested", "t", &columns));
    let (crawled, assets) = World::new(account).crawl_to_file(&[]);
    crawled.expect(0);
    let names: Vec<_> =
        assets.of("Column").map(|column| column["attributes"]["qualifiedName"].as_str().unwrap().to_owned()).collect();
    let table = below("AwsDataCatalog/nested/t");
    let expected = ["attrs", "attrs/a", "deep", "deep/b", "deep/b/c", "plain"].map(|path| format!("{table}/{path}"));
    assert_eq!(names, expected);
}

#[test]
fn lineage_leads_from_assets_to_assets() {
    let (_, _, assets) = realistic();
    let mut kinds = BTreeSet::new();
    for process in assets.of("Process").chain(assets.of("ColumnProcess")) {
        let attributes = &process["attributes"];
        kinds.insert(attributes["processKind"].as_str().unwrap());
        let name = attributes["qualifiedName"].as_str().unwrap();
        assert!(name.starts_with(&below("lineage/")), "{name}");
        assert!(attributes["sql"].is_null(), "text that was not asked for: {process:#}");
        for end in ["inputs", "outputs"] {
            let references = attributes[end].as_array().unwrap_or_else(|| panic!("no {end}: {process:#}"));
            assert!(!references.is_empty(), "no {end}: {process:#}");
            for reference in references {
                let (kind, name) = (reference["typeName"].as_str().unwrap(), reference["qualifiedName"].as_str().unwrap());
                assert!(assets.has(kind, name) || is_elsewhere(name), "{end} leads nowhere: {kind} {name} of {process:#}");
            }
        }
    }
    assert_eq!(kinds, BTreeSet::from(["glue-job", "location", "resource-link", "view"]));
}

/// What another account has, and what a link or a job names though it is gone or hidden: known by name only.
fn is_elsewhere(name: &str) -> bool {
    let catalog = name.split('/').nth(3).unwrap_or_default();
    catalog.len() == 12 || name.contains("/hr/") || name.contains("/finance/payroll") || name.contains("loyalty")
}

#[test]
fn catalogs_are_named_without_the_accounts_number() {
    let (_, _, assets) = realistic();
    let names: Vec<_> = assets.of("Database").map(|database| database["attributes"]["name"].as_str().unwrap()).collect();
    assert_eq!(
        names,
        ["444455556666", "AwsDataCatalog", "s3tablescatalog", "s3tablescatalog/analytics", "snowflake_crm", "snowflake_crm/crm"]
    );
    assert!(assets.has_at("Schema", "s3tablescatalog%2Fanalytics/web"));
    let tables = assets.names_below("Table", "s3tablescatalog%2Fanalytics/web");
    assert!(!tables.is_empty());
}

#[test]
fn filters_leave_out_what_they_say() {
    let (world, _, all) = realistic();
    let tables = |arguments: &[&str]| -> BTreeSet<String> {
        let (crawled, assets) = world.crawl_to_file(arguments);
        crawled.expect(0);
        let names = assets
            .of("Table")
            .chain(assets.of("View"))
            .map(|table| table["attributes"]["qualifiedName"].as_str().unwrap().to_owned());
        names.collect()
    };
    let of_all = |wanted: &dyn Fn(&str, &str, &str) -> bool| -> BTreeSet<String> {
        let names = all.of("Table").chain(all.of("View")).map(|table| table["attributes"]["qualifiedName"].as_str().unwrap());
        let path = |name: &&str| {
            let parts: Vec<&str> = name.trim_start_matches(&below("")).split('/').collect();
            wanted(parts[0], parts[1], parts[2])
        };
        names.filter(path).map(str::to_owned).collect()
    };
    let own = "AwsDataCatalog";
    for (arguments, expected) in [
        (&["--include", "AwsDataCatalog/sales"][..], of_all(&|c, d, _| c == own && d == "sales")),
        (&["--include", "*/sales", "--include", "*/finance"], of_all(&|_, d, _| d == "sales" || d == "finance")),
        (&["--include", "AwsDataCatalog/sales/order*"], of_all(&|c, d, t| c == own && d == "sales" && t.starts_with("order"))),
        (&["--include", "AwsDataCatalog/sales/order?"], of_all(&|c, d, t| c == own && d == "sales" && t == "orders")),
        (&["--exclude", "AwsDataCatalog/sales"], of_all(&|c, d, _| !(c == own && d == "sales"))),
        (&["--include", "*/sales", "--exclude", "*/sales/order*"], of_all(&|_, d, t| d == "sales" && !t.starts_with("order"))),
        (&["--exclude-table", "^(order|camp)"], of_all(&|_, _, t| !t.starts_with("order") && !t.starts_with("camp"))),
        (&["--catalog-id", "111122223333:s3tablescatalog/analytics"], of_all(&|c, _, _| c == "s3tablescatalog%2Fanalytics")),
        (&["--include", "s3tablescatalog%2Fanalytics/*"], of_all(&|c, _, _| c == "s3tablescatalog%2Fanalytics")),
        (&["--skip", "tables"], BTreeSet::new()),
    ] {
        let found = tables(arguments);
        assert_eq!(found, expected, "{arguments:?}");
        assert!(found.len() < all.of("Table").count() + all.of("View").count());
    }
}

#[test]
fn a_catalog_id_reads_that_catalog_and_no_other() {
    let world = World::realistic();
    let (crawled, assets) = world.crawl_to_file(&["--catalog-id", "AwsDataCatalog"]);
    crawled.expect(0);
    let names: Vec<_> = assets.of("Database").map(|database| database["attributes"]["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["AwsDataCatalog"]);
}

#[test]
fn skipped_kinds_are_neither_called_nor_written() {
    let world = World::realistic();
    for (word, operations, kind) in [
        ("jobs", &["glue:GetJobs"][..], "GlueJob"),
        ("workflows", &["glue:ListWorkflows", "glue:BatchGetWorkflows"], "GlueWorkflow"),
        ("triggers", &["glue:GetTriggers"], "GlueTrigger"),
        ("crawlers", &["glue:GetCrawlers"], "GlueCrawler"),
        ("connections", &["glue:GetConnections"], "GlueConnection"),
        ("tables", &["glue:GetTables"], "Table"),
        ("lineage", &[], "ColumnProcess"),
    ] {
        world.sim().forget_requests();
        let (crawled, assets) = world.crawl_to_file(&["--skip", word]);
        crawled.expect(0);
        assert_eq!(assets.of(kind).count(), 0, "{word}");
        for operation in operations {
            assert_eq!(world.sim().requests().count(operation), 0, "{word}");
        }
    }
}

#[test]
fn standard_output_has_nothing_but_documents() {
    let (world, _, assets) = realistic();
    let ended = world.program(&["crawl", "glue", "--output", "-", "--connection-id", CONNECTION_ID]).run();
    ended.expect(0);
    Assets::parse(&ended.stdout).expect_same(&assets);
    assert!(ended.stderr.contains("complete"), "the summary goes to standard error: {}", ended.stderr);
    let left: Vec<_> =
        fs::read_dir(world.path(".")).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    assert!(
        left.iter().all(|name| name.starts_with("assets-") || name.starts_with("report-")),
        "something else was written: {left:?}"
    );
}

#[test]
fn a_file_and_a_catalog_together_hold_the_same() {
    let world = World::realistic();
    for _ in 0..2 {
        let (crawled, assets) = world.crawl_to_file(&["--catalog", &world.catalog()]);
        let crawled = crawled.expect(0);
        assets.expect_same(&world.exported());
        assert_eq!(crawled.total(), assets.len() as u64);
    }
}

#[test]
fn without_a_destination_the_catalog_is_in_the_users_data_directory() {
    let world = World::new(account_of(&[("sales", 2)]));
    world.program(&["crawl", "glue"]).run().expect(0);
    assert!(world.path(".local/share/isinglass/catalog.db").exists());
    let elsewhere = world.program(&["crawl", "glue"]).env("XDG_DATA_HOME", world.path("xdg")).run();
    elsewhere.expect(0);
    assert!(world.path("xdg/isinglass/catalog.db").exists());
}

#[test]
fn the_report_has_its_members() {
    let (_, crawled, _) = realistic();
    let report = &crawled.report;
    for member in ["counts", "changes", "operations", "masked"] {
        assert!(report[member].is_object(), "{member}: {report:#}");
    }
    for member in ["refusedOperations", "endpoints", "warnings", "errors"] {
        assert!(report[member].is_array(), "{member}: {report:#}");
    }
    let (started, finished) = (report["startedAt"].as_i64().unwrap(), report["finishedAt"].as_i64().unwrap());
    assert!(started > 1_600_000_000_000 && finished >= started && finished - started < 600_000);
    let endpoint = &report["endpoints"][0];
    assert_eq!((endpoint["service"].as_str(), endpoint["host"].as_str()), (Some("glue"), Some("127.0.0.1")));
    assert_eq!(endpoint["addresses"], json!(["127.0.0.1"]));
    for kind in ["job-argument", "connection-property"] {
        assert!(report["masked"][kind].as_u64().unwrap() > 0, "{report:#}");
    }
    for warning in crawled.warnings() {
        for member in ["scope", "code", "message"] {
            assert!(warning[member].as_str().is_some_and(|text| !text.is_empty()), "{warning:#}");
        }
    }
}

#[test]
fn a_view_is_kept_without_its_literals_unless_asked_for() {
    let (world, _, assets) = realistic();
    let view = "AwsDataCatalog/finance/monthly_close";
    let definition = assets.at("View", view)["definition"].as_str().unwrap();
    assert!(definition.contains("GROUP BY ?"), "{definition}");
    let (crawled, kept) = world.crawl_to_file(&["--keep", "view-sql"]);
    crawled.expect(0);
    assert!(kept.at("View", view)["definition"].as_str().unwrap().contains("GROUP BY 1"));
    assert!(kept.of("Process").any(|process| process["attributes"]["sql"].is_string()));
}

#[test]
fn preflight_has_a_line_for_each_check_and_fails_when_one_does() {
    let world = World::realistic();
    for arguments in [&[][..], &["--role-arn", ROLE]] {
        let ended = world.program(&["preflight", "glue"]).args(arguments).run();
        ended.expect(0);
        assert!(
            ended.stdout.lines().count() >= 5 && ended.stdout.contains("sign-in") && !ended.stdout.contains("failed"),
            "{}",
            ended.stdout
        );
    }
    assert!(world.sim().requests().refused.is_empty());
    world.change(sim::Mutation::DenyAction { pattern: "glue:GetTables".to_owned() });
    let denied = world.program(&["preflight", "glue"]).run();
    denied.expect(1);
    assert!(
        denied.stdout.contains("failed") && denied.stdout.contains("glue:GetTables") && denied.stdout.contains("what to do"),
        "{}",
        denied.stdout
    );
    let keys = crate::harness::unknown_keys();
    let unknown = world.program(&["preflight", "glue"]).keys(&keys).run();
    unknown.expect(1);
    assert!(unknown.stdout.contains("failed") && unknown.stdout.contains("sign-in"), "{}", unknown.stdout);
}

#[test]
fn the_printed_policies_allow_what_a_crawl_calls_and_no_more_than_reads() {
    let (world, crawled, _) = realistic();
    for form in [&[][..], &["--session"], &["--endpoint"]] {
        let ended = world.program(&["policy", "glue"]).args(form).run();
        ended.expect(0);
        let policy: Value = serde_json::from_str(&ended.stdout).unwrap();
        let mut actions = BTreeSet::new();
        walk("", &policy, &mut |name, value| {
            if let (true, Some(action)) = (name == "Action" || name == "NotAction", value.as_str()) {
                actions.insert(action.to_owned());
            }
        });
        for operation in crawled.report["operations"].as_object().unwrap().keys() {
            assert!(actions.contains(operation), "{form:?} does not allow {operation}: {policy:#}");
        }
        for action in &actions {
            let verb = action.split(':').nth(1).unwrap_or_default();
            let is_read = ["Get", "List", "BatchGet", "Describe"].iter().any(|beginning| verb.starts_with(beginning));
            let gives_data = ["Partition", "ColumnStatistics", "JobRun", "WorkflowRun"].iter().any(|part| verb.contains(part));
            assert!(
                (is_read && !gives_data) || action == "lakeformation:GetDataAccess" || action == "kms:Decrypt",
                "{form:?} allows {action}"
            );
        }
    }
    let trust = world.program(&["policy", "glue", "--trust", "--external-id", "our-id"]).run();
    trust.expect(0);
    assert!(trust.stdout.contains("sts:AssumeRole") && trust.stdout.contains("sts:ExternalId") && trust.stdout.contains("our-id"));
}

#[test]
fn egress_names_the_regional_hosts() {
    let world = World::realistic();
    for (variables, host) in [
        (&[][..], "glue.eu-west-1.amazonaws.com"),
        (&[("AWS_USE_FIPS_ENDPOINT", "true")], "glue-fips.eu-west-1.amazonaws.com"),
        (&[("AWS_USE_DUALSTACK_ENDPOINT", "true")], "glue.eu-west-1.api.aws"),
    ] {
        let mut program = world.program(&["egress", "--json"]);
        for (name, value) in variables {
            program = program.env(name, value);
        }
        let ended = program.run();
        ended.expect(0);
        let rules: Vec<Value> = serde_json::from_str(&ended.stdout).unwrap();
        assert!(rules.iter().any(|rule| rule["host"] == host && rule["port"] == 443), "{host}: {rules:#?}");
        assert!(rules.iter().all(|rule| rule["host"] != "sts.amazonaws.com"), "the global STS host");
    }
    assert!(world.sim().requests().counts.is_empty());
}
