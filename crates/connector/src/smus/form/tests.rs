//! The reading of forms: in whichever layers of text their contents come, and that one of them that cannot be read costs nothing
//! but itself. Secrets are planted as `CANARY…` where nothing of them may be left.

mod custom;
mod managed;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value as Json, json};

use super::{AssetForms, FormContext, FormTypeName};
use crate::MaskedCounts;
use crate::smus::page::FormOutput;
use crate::smus::settings::{Keep, Settings};

/// What forms are read with, and what was masked while they were.
#[derive(Default)]
struct Reading {
    settings: Settings,
    masked: MaskedCounts,
    known_types: BTreeMap<String, FormTypeName>,
}

impl Reading {
    fn keeping_values_of(form_type: &str) -> Self {
        let keep = BTreeSet::from([Keep::FormValues(form_type.to_owned())]);
        Self { settings: Settings { keep, ..Settings::default() }, ..Self::default() }
    }

    fn knowing(mut self, form: &str, form_type: &str) -> Self {
        self.known_types.insert(form.to_owned(), type_name(form_type, Some("4")));
        self
    }

    fn context(&self) -> FormContext<'_> {
        FormContext { settings: &self.settings, masked: &self.masked, known_types: &self.known_types }
    }

    fn listing(&self, forms: &Json) -> AssetForms {
        AssetForms::of_listing(&self.context(), &forms.to_string())
    }

    fn outputs(&self, outputs: &Json) -> AssetForms {
        let text = outputs.to_string();
        let outputs: Vec<FormOutput<'_>> = serde_json::from_str(&text).unwrap();
        AssetForms::of_outputs(&self.context(), outputs.iter())
    }

    fn masked(&self, place: &str) -> u64 {
        self.masked.to_map().get(place).copied().unwrap_or_default()
    }
}

fn type_name(name: &str, revision: Option<&str>) -> FormTypeName {
    FormTypeName { name: name.to_owned(), revision: revision.map(str::to_owned) }
}

/// A form of an inventory asset as the service gives it: the content is JSON in text.
fn output(name: &str, form_type: &str, content: &Json) -> Json {
    json!({"formName": name, "typeName": form_type, "typeRevision": "4", "content": content.to_string()})
}

fn in_text(json: &Json) -> Json {
    Json::String(json.to_string())
}

fn codes(forms: &AssetForms) -> Vec<&'static str> {
    forms.warnings.iter().map(|(code, _)| *code).collect()
}

fn glue_content() -> Json {
    json!({"tableName": "orders", "columns": [{"columnName": "id", "dataType": "bigint"}]})
}

fn assert_orders(forms: &AssetForms, case: &str) {
    assert_eq!(forms.technical_name.as_deref(), Some("orders"), "{case}");
    assert_eq!(forms.columns.iter().map(|column| column.name).collect::<Vec<_>>(), ["id"], "{case}");
    assert_eq!((codes(forms), forms.found_any), (vec![], true), "{case}");
}

#[test]
fn forms_of_a_listing_are_read_from_any_layers_of_text() {
    let content = glue_content();
    let twice = in_text(&in_text(&content));
    for (case, content) in [("object", content.clone()), ("text", in_text(&content)), ("text in text", twice)] {
        let forms = json!({ "GlueTableForm": content });
        assert_orders(&Reading::default().listing(&forms), case);
        assert_orders(&Reading::default().listing(&in_text(&forms)), &format!("{case}, all in text"));
    }
}

#[test]
fn content_of_an_inventory_form_is_read_as_json_in_text_and_as_json_in_json_in_text() {
    let content = glue_content();
    for (case, content) in [("text", content.clone()), ("text in text", in_text(&content))] {
        let forms = Reading::default().outputs(&json!([output("GlueTableForm", "amazon.datazone.GlueTableFormType", &content)]));
        assert_orders(&forms, case);
    }
}

#[test]
fn text_in_more_layers_than_anyone_writes_is_a_warning() {
    let buried = (0..6).fold(glue_content(), |content, _| in_text(&content));
    let forms = Reading::default().listing(&json!({ "GlueTableForm": buried }));
    assert_eq!((codes(&forms), forms.found_any), (vec!["form-unreadable"], false));
}

#[test]
fn a_listing_may_give_its_forms_as_a_list_of_typed_forms() {
    let list = json!([
        {"formName": "MyTable", "typeName": "amazon.datazone.GlueTableFormType", "typeRevision": "9", "content": glue_content()},
        {"typeIdentifier": "DataOwner", "content": in_text(&json!({"owner": "x"}))},
    ]);
    let forms = Reading::default().listing(&list);
    assert_orders(&forms, "a list");
    // Without a name a form goes by its type.
    assert_eq!(forms.custom[0].name, "DataOwner");
    assert_eq!(forms.custom[0].form_type, Some(type_name("DataOwner", None)));
}

#[test]
fn a_listing_may_give_types_in_its_object_of_forms_by_name() {
    let owner = json!({"typeName": "DataOwner", "typeRevision": "2", "content": {"owner": "x"}});
    let table = json!({"typeName": "amazon.datazone.GlueTableFormType", "content": in_text(&glue_content())});
    let forms = Reading::default().listing(&json!({"Who": owner, "Table": table}));
    assert_orders(&forms, "typed forms by name");
    assert_eq!(forms.custom[0].name, "Who");
    assert_eq!(forms.custom[0].form_type, Some(type_name("DataOwner", Some("2"))));
    assert_eq!(forms.custom[0].members, [("owner".to_owned(), None)]);
}

#[test]
fn no_form_of_a_list_is_lost_without_a_word() {
    let list = json!([{"formName": "NoType", "content": in_text(&json!({"x": 1}))}, {"content": {"x": 1}}, "CANARY"]);
    let forms = Reading::default().listing(&list);
    assert_eq!(forms.custom.iter().map(|form| form.name.as_str()).collect::<Vec<_>>(), ["NoType"]);
    assert_eq!(forms.custom[0].members, [("x".to_owned(), None)]);
    assert_eq!(codes(&forms), ["form-unreadable", "form-unreadable"]);
}

#[test]
fn a_typed_form_is_one_however_much_of_it_is_there() {
    let both = json!({"typeName": "DataOwner", "typeIdentifier": "DataOwner", "content": {"owner": "x"}});
    let empty = json!({"formName": "Empty", "typeName": "DataOwner"});
    let forms = Reading::default().listing(&json!({"Both": both, "Empty": empty, "Own": {"typeName": "x"}}));
    let members = |at: usize| forms.custom[at].members.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>();
    assert_eq!(forms.custom.len(), 3);
    assert_eq!((members(0), members(1)), (vec!["owner"], vec![]));
    // A customer's form may have a member that is called so.
    assert_eq!(members(2), ["typeName"]);
}

#[test]
fn a_form_that_is_no_json_is_a_warning_and_the_others_are_kept() {
    let broken = json!({"formName": "Broken", "typeName": "DataOwner", "content": "{CANARY"});
    let table = output("GlueTableForm", "amazon.datazone.GlueTableFormType", &glue_content());
    let forms = Reading::default().outputs(&json!([broken, table]));
    assert_eq!(forms.technical_name.as_deref(), Some("orders"));
    assert_eq!((codes(&forms), forms.custom.len()), (vec!["form-unreadable"], 0));
    let message = &forms.warnings[0].1;
    assert!(message.contains("\"Broken\"") && !message.contains("CANARY"), "{message}");
}

#[test]
fn a_managed_form_that_is_not_as_known_is_a_warning_and_the_others_are_kept() {
    let forms = json!({
        "AssetCommonDetailsForm": {"summary": {"CANARY": 1}},
        "ColumnBusinessMetadataForm": {"columnsBusinessMetadata": "CANARY"},
        "GlueTableForm": glue_content(),
        "Other": "{CANARY",
    });
    let forms = Reading::default().listing(&forms);
    assert_eq!(forms.technical_name.as_deref(), Some("orders"));
    assert_eq!((codes(&forms), forms.columns.len()), (vec!["form-unreadable"; 3], 1));
    assert!(forms.warnings.iter().all(|(_, message)| !message.contains("CANARY")), "{:?}", forms.warnings);
}

#[test]
fn forms_of_a_listing_that_are_no_json_object_are_one_warning() {
    for text in ["", "CANARY", "\"CANARY", "{\"GlueTableForm\":", "7", "[1"] {
        let forms = AssetForms::of_listing(&Reading::default().context(), text);
        assert_eq!((codes(&forms), forms.found_any), (vec!["form-unreadable"], false), "{text}");
        assert!(!forms.warnings[0].1.contains("CANARY"), "{text}");
    }
}

#[test]
fn an_asset_without_forms_is_no_warning_and_nothing_is_found() {
    for forms in [Reading::default().listing(&json!({})), Reading::default().outputs(&json!([]))] {
        assert!(forms.warnings.is_empty() && !forms.found_any && forms.columns.is_empty());
    }
}

#[test]
fn a_form_without_name_and_type_is_passed_over_and_one_without_content_is_empty() {
    let forms = Reading::default().outputs(&json!([{"content": "{\"a\":1}"}, {"formName": "Who", "typeName": "DataOwner"}]));
    assert_eq!(forms.custom.len(), 1);
    assert_eq!((forms.custom[0].name.as_str(), forms.custom[0].members.len()), ("Who", 0));
    assert!(forms.warnings.is_empty());
}
