//! Views as engines write them, and text that no engine writes.

mod lineage;
mod masking;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{SqlDialect, ViewSqlError, ViewText, definition};

fn view(dialect: SqlDialect, sql: &str, columns: &[&str]) -> ViewText {
    ViewText {
        sql: sql.to_owned(),
        dialect,
        default_catalog: None,
        default_schema: None,
        columns: columns.iter().map(|name| ((*name).to_owned(), "varchar".to_owned())).collect(),
    }
}

fn envelope(kind: &str, json: &str) -> String {
    format!("/* {kind}: {} */", STANDARD.encode(json))
}

const JSON: &str = r#"{"originalSql":"SELECT a FROM t","catalog":"awsdatacatalog","schema":"sales",
    "columns":[{"name":"a","type":"row(b bigint)"}],"owner":"someone","runAsInvoker":false}"#;

#[test]
fn a_presto_envelope_is_opened() {
    for kind in ["Presto View", "Presto Materialized View"] {
        let found = definition(Some(&envelope(kind, JSON)), Some("/* Presto View */")).unwrap().unwrap();
        assert_eq!((found.sql.as_str(), found.dialect), ("SELECT a FROM t", SqlDialect::Trino));
        assert_eq!((found.default_catalog.as_deref(), found.default_schema.as_deref()), (Some("awsdatacatalog"), Some("sales")));
        assert_eq!(found.columns, [("a".to_owned(), "row(b bigint)".to_owned())]);
    }
}

#[test]
fn an_envelope_without_padding_and_with_line_breaks_is_opened() {
    let bare = STANDARD.encode(r#"{"originalSql":"SELECT 1"}"#).replace('=', "");
    let (head, tail) = bare.split_at(10);
    let found = definition(Some(&format!("/* Presto View: {head}\n{tail} */")), None).unwrap().unwrap();
    assert_eq!((found.sql.as_str(), found.default_catalog, found.columns.len()), ("SELECT 1", None, 0));
}

#[test]
fn plain_sql_is_taken_from_the_expanded_text_if_there_is_any() {
    let sql = |original, expanded| definition(original, expanded).unwrap().map(|view| (view.sql, view.dialect));
    let hive = |text: &str| Some((text.to_owned(), SqlDialect::Hive));
    assert_eq!(sql(Some("select a"), Some("SELECT `a`")), hive("SELECT `a`"));
    assert_eq!(sql(Some("select a"), Some("  ")), hive("select a"));
    assert_eq!(sql(Some("select a"), None), hive("select a"));
    assert_eq!(sql(None, Some("select b")), hive("select b"));
    for marker in ["/* Presto View */", "Presto View", "/* presto materialized view */", ""] {
        assert_eq!(sql(Some("select a"), Some(marker)), hive("select a"), "{marker}");
        assert_eq!(sql(Some(marker), Some(marker)), None, "{marker}");
    }
    assert_eq!(sql(None, None), None);
    assert_eq!(sql(Some("Presto View: select 1"), None), hive("Presto View: select 1"));
}

#[test]
fn a_damaged_envelope_is_an_error() {
    let error = |text: &str| definition(Some(text), Some("/* Presto View */")).unwrap_err();
    assert_eq!(error("/* Presto View: %%% */"), ViewSqlError::EnvelopeBase64);
    assert_eq!(error(&envelope("Presto View", "{\"originalSql\":")), ViewSqlError::EnvelopeJson);
    assert_eq!(error(&envelope("Presto View", "{\"catalog\":\"c\"}")), ViewSqlError::EnvelopeJson);
    assert_eq!(error(&envelope("Presto View", &"[".repeat(100_000))), ViewSqlError::EnvelopeJson);
}

#[test]
fn debug_output_holds_no_sql() {
    let text = format!("{:?}", view(SqlDialect::Hive, "SELECT 'hunter2'", &["a"]));
    assert!(text.contains("sql_bytes: 16") && !text.contains("hunter2"), "{text}");
}
