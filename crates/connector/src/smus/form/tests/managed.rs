//! Managed forms: columns with their descriptions and terms, source, summary; and that secrets in any of them are replaced.

use serde_json::{Value as Json, json};

use super::{Reading, codes, output};
use crate::smus::form::AssetForms;

const ARN: &str = "arn:aws:glue:eu-west-1:111122223333:table/sales/orders";

/// Columns as name, type and description.
fn columns(forms: &AssetForms) -> Vec<(&str, &str, Option<&str>)> {
    forms.columns.iter().map(|column| (column.name, column.data_type, column.description)).collect()
}

fn glue(columns: &Json) -> Json {
    json!({"GlueTableForm": {"tableName": "orders", "columns": columns}})
}

#[test]
fn a_glue_form_gives_columns_in_order_source_place_and_description() {
    let content = json!({
        "catalogId": "111122223333", "databaseName": "sales", "tableName": "orders", "region": "eu-west-1", "tableArn": ARN,
        "tableDescription": "All orders", "sourceClassification": "parquet", "compressionType": "CANARY",
        "columns": [{"columnName": "id", "dataType": "bigint", "description": "key"}, {"columnName": "at", "dataType": "date"}],
    });
    for (name, form_type) in
        [("GlueTableForm", "GlueTableFormType"), ("x", "GlueTableFormType"), ("GlueViewForm", "GlueViewFormType")]
    {
        let forms = Reading::default().outputs(&json!([output(name, &format!("amazon.datazone.{form_type}"), &content)]));
        assert_eq!(columns(&forms), [("id", "bigint", Some("key")), ("at", "date", None)], "{name}");
        assert_eq!(forms.columns.iter().map(|column| column.order).collect::<Vec<_>>(), [1, 2]);
        assert_eq!(forms.source.table_arn.as_deref(), Some(ARN));
        let place = (Some("eu-west-1".to_owned()), "111122223333".to_owned(), "sales".to_owned(), "orders".to_owned());
        assert_eq!(forms.source.place, Some(place));
        assert_eq!(forms.technical_name.as_deref(), Some("orders"));
        assert_eq!(forms.table_description.as_deref(), Some("All orders"));
        assert!(forms.custom.is_empty() && forms.warnings.is_empty());
    }
}

#[test]
fn a_redshift_form_of_a_table_or_view_names_it_in_full_and_gives_its_columns() {
    let columns_json = json!([{"columnName": "id", "dataType": "int8"}]);
    for (form, member) in [("RedshiftTableForm", "tableName"), ("RedshiftViewForm", "viewName")] {
        let content = json!({
            "databaseName": "dev", "schemaName": "public", member: "orders", "columns": columns_json, "accessType": "CANARY",
            "clusterIdentifier": "CANARY", "credentialsSecretArn": "CANARY",
        });
        let forms = Reading::default().listing(&json!({ form: content }));
        assert_eq!(forms.technical_name.as_deref(), Some("dev.public.orders"), "{form}");
        assert_eq!(columns(&forms), [("id", "int8", None)], "{form}");
        assert!(!format!("{forms:?}").contains("CANARY"));
    }
}

#[test]
fn common_details_give_source_identifier_summary_and_read_me() {
    let details = json!({"sourceIdentifier": ARN, "summary": "In short", "readMe": "# At length", "customerVisible": "CANARY"});
    let forms = Reading::default().listing(&json!({ "AssetCommonDetailsForm": details }));
    assert_eq!(forms.source.source_identifier.as_deref(), Some(ARN));
    assert_eq!((forms.summary.as_deref(), forms.read_me.as_deref()), (Some("In short"), Some("# At length")));
    assert!(!format!("{forms:?}").contains("CANARY"));
}

#[test]
fn business_descriptions_take_the_place_of_technical_ones_whichever_form_comes_first() {
    let table = output(
        "GlueTableForm",
        "amazon.datazone.GlueTableFormType",
        &json!({"columns": [
            {"columnName": "a", "dataType": "int", "description": "technical"},
            {"columnName": "b", "dataType": "int", "description": "technical"},
            {"columnName": "c", "dataType": "int", "description": "technical"},
        ]}),
    );
    let business = output(
        "ColumnBusinessMetadataForm",
        "amazon.datazone.ColumnBusinessMetadataFormType",
        &json!({"columnsBusinessMetadata": [
            {"columnIdentifier": "a", "name": "A", "description": "business"},
            {"columnIdentifier": "b", "description": ""},
            {"columnIdentifier": "gone", "description": "of no column"},
        ]}),
    );
    for both in [json!([table, business]), json!([business, table])] {
        let forms = Reading::default().outputs(&both);
        let descriptions: Vec<_> = columns(&forms).into_iter().map(|column| column.2).collect();
        assert_eq!(descriptions, [Some("business"), Some("technical"), Some("technical")]);
        assert_eq!(forms.columns.iter().map(|column| column.order).collect::<Vec<_>>(), [1, 2, 3]);
        assert!(forms.warnings.is_empty());
    }
}

#[test]
fn terms_of_columns_are_given_by_the_columns_path_as_ids_or_as_entities() {
    let forms = json!({
        "GlueTableForm": {"columns": [{"columnName": "a/b"}, {"columnName": "c"}, {"columnName": "d"}]},
        "ColumnBusinessMetadataForm": {"columnsBusinessMetadata": [
            {"columnIdentifier": "c", "glossaryTerms": [{"amazonmetadata.entityId": "t3", "name": "x"}, 7, {"other": 1}]},
            {"columnIdentifier": "a/b", "glossaryTerms": ["t1", "t2"]},
            {"columnIdentifier": "d", "glossaryTerms": []},
            {"columnIdentifier": "gone", "glossaryTerms": ["t1"]},
        ]},
    });
    let forms = Reading::default().listing(&forms);
    let paths: Vec<_> = forms.columns.iter().map(|column| column.path).collect();
    assert_ne!(paths[0], "a/b", "a path is encoded");
    let terms = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>();
    let expected = [(paths[0].to_owned(), terms(&["t1", "t2"])), ("c".to_owned(), terms(&["t3"]))];
    assert_eq!(forms.column_terms, expected);
}

#[test]
fn a_secret_in_a_comment_of_a_nested_type_is_replaced_and_the_type_still_reads() {
    let reading = Reading::default();
    let forms = reading.listing(&glue(&json!([
        {"columnName": "s", "dataType": "struct<x:int comment 'password=CANARY',y:string>"},
        {"columnName": "t", "dataType": "struct<x:int comment 'the city'>"},
    ])));
    let types: Vec<_> = forms.columns.iter().map(|column| (column.data_type, column.raw_type)).collect();
    let clean = "struct<x:int comment 'password=***',y:string>";
    assert_eq!(types, [(clean, clean), ("struct<x:int comment 'the city'>", "struct<x:int comment 'the city'>")]);
    assert_eq!(reading.masked("free-text"), 1);
}

#[test]
fn secrets_in_descriptions_summary_read_me_and_source_are_replaced_and_counted() {
    let reading = Reading::default();
    let forms = reading.listing(&json!({
        "GlueTableForm": {
            "tableDescription": "token: CANARY", "tableArn": "jdbc:x password=CANARY",
            "columns": [{"columnName": "a", "dataType": "int", "description": "pwd=CANARY"}, {"columnName": "b"}],
        },
        "AssetCommonDetailsForm": {
            "summary": "api_key=CANARY", "readMe": "see https://bob:CANARY@host/x", "sourceIdentifier": "s3://u:CANARY@lake/t?sig=CANARY",
        },
        "ColumnBusinessMetadataForm": {"columnsBusinessMetadata": [{"columnIdentifier": "b", "description": "secret=CANARY"}]},
    }));
    assert!(!format!("{forms:?}").contains("CANARY"), "{forms:?}");
    assert_eq!(columns(&forms), [("a", "int", Some("pwd=***")), ("b", "", Some("secret=***"))]);
    assert_eq!(forms.table_description.as_deref(), Some("token: ***"));
    assert_eq!(forms.summary.as_deref(), Some("api_key=***"));
    assert_eq!(forms.source.source_identifier.as_deref(), Some("s3://lake/t"));
    assert_eq!(reading.masked("free-text"), 6);
}

#[test]
fn columns_beyond_20_000_are_left_out_with_a_warning() {
    let named = |count: usize| (0..count).map(|number| json!({"columnName": format!("c{number}"), "dataType": "int"})).collect();
    let forms = Reading::default().listing(&glue(&Json::Array(named(20_000))));
    assert_eq!((forms.columns.len(), codes(&forms)), (20_000, vec![]));
    let forms = Reading::default().listing(&glue(&Json::Array(named(20_001))));
    assert_eq!((forms.columns.len(), codes(&forms)), (20_000, vec!["columns-too-many"]));
    assert!(forms.warnings[0].1.contains("20001"), "{}", forms.warnings[0].1);
}

#[test]
fn columns_without_a_name_are_passed_over_and_the_others_are_counted_without_them() {
    let forms =
        Reading::default().listing(&glue(&json!([{"dataType": "int"}, {"columnName": ""}, {"columnName": "a", "dataType": null}])));
    assert_eq!(columns(&forms), [("a", "", None)]);
    assert_eq!(forms.columns.iter().next().unwrap().order, 1);
}

#[test]
fn managed_forms_that_nothing_is_read_from_are_skipped_and_are_no_customers_forms() {
    let content = json!({"value": "CANARY"});
    let named = ["DataSourceReferenceForm", "SubscriptionTermsForm", "S3ObjectCollectionForm", "amazon.datazone.SomethingNewForm"];
    let listing: Json = named.iter().map(|name| ((*name).to_owned(), content.clone())).collect::<serde_json::Map<_, _>>().into();
    let of_listing = Reading::default().listing(&listing);
    let of_output = Reading::default().outputs(&json!([output("x", "amazon.datazone.SomethingNewFormType", &content)]));
    for forms in [of_listing, of_output] {
        assert!(forms.custom.is_empty() && forms.warnings.is_empty() && forms.found_any);
        assert!(!format!("{forms:?}").contains("CANARY"));
    }
}
