//! The demonstration account, read from the JSON files in `fixtures/glue`.
//!
//! The files hold Glue's own documents with one addition: `{"$presto_view": …}` stands for the comment with base64 inside that
//! Athena keeps in `ViewOriginalText`, so that a reader of the file sees the view.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use regex::Regex;
use serde_json::{Value, json};

use super::{Account, Collection, Database, TableEntry, Visibility, studio, text};
use crate::identity::Role;

const DATABASES: [&str; 6] = [
    include_str!("../../fixtures/glue/sales.json"),
    include_str!("../../fixtures/glue/marketing.json"),
    include_str!("../../fixtures/glue/finance.json"),
    include_str!("../../fixtures/glue/logistics.json"),
    include_str!("../../fixtures/glue/hr.json"),
    include_str!("../../fixtures/glue/raw.json"),
];
/// Links, what another account shares, S3 table buckets and a federated catalog.
const ELSEWHERE: &str = include_str!("../../fixtures/glue/elsewhere.json");
const ETL: &str = include_str!("../../fixtures/glue/etl.json");

/// What some crawls are asked to keep.
const OPT_IN: &str = "CANARY_OPT_IN_";

const COLLECTIONS: [(&str, Collection); 6] = [
    ("job", Collection::Job),
    ("workflow", Collection::Workflow),
    ("trigger", Collection::Trigger),
    ("crawler", Collection::Crawler),
    ("connection", Collection::Connection),
    ("function", Collection::Function),
];

pub(crate) fn account() -> Account {
    let mut account = Account::empty("111122223333", "eu-west-1");
    for fixture in DATABASES {
        put_database(&mut account, &parse(fixture));
    }
    let elsewhere = parse(ELSEWHERE);
    for catalog in items(&elsewhere, "Catalogs") {
        account.put_catalog(catalog.clone());
    }
    for database in items(&elsewhere, "Databases") {
        put_database(&mut account, database);
    }
    put_etl(&mut account, &parse(ETL));
    studio::put_domains(&mut account, parse);
    account.put_role(Role {
        external_id: Some("isinglass-demo-external-id".to_owned()),
        session_seconds_max: 43_200,
        ..Role::new("arn:aws:iam::111122223333:role/isinglass-reader-with-external-id")
    });
    account
}

pub(crate) fn canaries() -> Vec<String> {
    planted().filter(|canary| !canary.starts_with(OPT_IN)).collect()
}

pub(crate) fn opt_in_canaries() -> Vec<String> {
    planted().filter(|canary| canary.starts_with(OPT_IN)).collect()
}

fn planted() -> impl Iterator<Item = String> {
    let canary = Regex::new("CANARY_[A-Z0-9_]+").ok();
    let found: BTreeSet<String> = canary
        .iter()
        .flat_map(|canary| fixtures().flat_map(|text| canary.find_iter(text)))
        .map(|found| found.as_str().to_owned())
        .collect();
    found.into_iter()
}

fn fixtures() -> impl Iterator<Item = &'static str> {
    DATABASES.into_iter().chain([ELSEWHERE, ETL]).chain(studio::FIXTURES)
}

/// A workflow without a past, for accounts that need more of them than fit on a page.
pub(super) fn workflow(number: u32) -> Value {
    let name = format!("generated-{number:04}");
    json!({
        "Name": name, "CreatedOn": 1_700_000_000.0, "LastModifiedOn": 1_700_000_000.0,
        "Graph": {"Nodes": [{"Type": "JOB", "Name": "nightly-export", "UniqueId": format!("{name}-1")}], "Edges": []},
    })
}

#[expect(clippy::expect_used, reason = "the fixtures are part of this crate")]
fn parse(fixture: &str) -> Value {
    serde_json::from_str(fixture).expect("fixture is JSON")
}

fn items<'v>(value: &'v Value, member: &str) -> impl Iterator<Item = &'v Value> {
    value.get(member).and_then(Value::as_array).into_iter().flatten()
}

fn put_database(account: &mut Account, fixture: &Value) {
    let document = fixture["Database"].clone();
    let (catalog, name) = (text(&document, "CatalogId").to_owned(), text(&document, "Name").to_owned());
    let hidden: BTreeSet<&str> = items(fixture, "Hidden").filter_map(Value::as_str).collect();
    let mut database = Database::new(document);
    if fixture["DatabaseHidden"] == true {
        database.visibility = Visibility::Hidden;
    }
    for table in items(fixture, "Tables") {
        let table_name = text(table, "Name");
        let visibility = if hidden.contains(table_name) { Visibility::Hidden } else { Visibility::Visible };
        database.tables.put(table_name, TableEntry { document: with_view_text(table.clone()), visibility });
    }
    account.put_database_in(&catalog, &name, database);
}

fn with_view_text(mut table: Value) -> Value {
    if let Some(view) = table.pointer("/ViewOriginalText/$presto_view") {
        let encoded = STANDARD.encode(view.to_string());
        table["ViewOriginalText"] = json!(format!("/* Presto View: {encoded} */"));
    }
    table
}

fn put_etl(account: &mut Account, etl: &Value) {
    for (member, collection) in COLLECTIONS {
        for document in items(etl, member) {
            account.put(collection, document.clone());
        }
    }
    for (arn, tags) in etl["tags"].as_object().into_iter().flatten() {
        let tags = tags.as_object().into_iter().flatten();
        let tags = tags.filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())));
        account.tags.insert(arn.clone(), tags.collect());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_listed_kind_is_there() {
        let account = account();
        let own = &account.catalogs["111122223333"];
        let tables: usize = own.databases.values().map(|database| database.tables.after(None).count()).sum();
        assert!(tables >= 60, "{tables} tables");
        assert_eq!(account.catalogs["111122223333:s3tablescatalog/analytics"].databases.len(), 2);
        for (collection, expected) in
            [(Collection::Job, 6), (Collection::Workflow, 3), (Collection::Trigger, 5), (Collection::Crawler, 3)]
        {
            assert!(account.resources[&collection].len() >= expected, "{collection:?}");
        }
    }

    #[test]
    fn presto_views_carry_their_sql_in_base64() {
        let view = account().table("sales", "order_summary").expect("view");
        let encoded = text(&view, "ViewOriginalText").trim_start_matches("/* Presto View: ").trim_end_matches(" */");
        let decoded: Value = serde_json::from_slice(&STANDARD.decode(encoded).expect("base64")).expect("JSON");
        assert!(text(&decoded, "originalSql").contains("JOIN sales.customers AS c"));
        assert_eq!(decoded["catalog"], "awsdatacatalog");
    }

    #[test]
    fn canaries_are_many_and_none_hides_in_another_place() {
        let canaries: Vec<String> = planted().collect();
        assert!(canaries.len() > 130, "{}", canaries.len());
        assert!(opt_in_canaries().len() > 20);
        let all: String = fixtures().collect();
        let canary = Regex::new("CANARY_[A-Z0-9_]+").expect("pattern");
        assert_eq!(canary.find_iter(&all).count(), canaries.len(), "a canary that stands twice cannot tell where it leaked");
    }
}
