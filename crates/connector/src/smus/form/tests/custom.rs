//! Forms that the customer defined: names of members always, values only of the types that the settings name.

use serde_json::{Value as Json, json};

use super::{Reading, in_text, output, type_name};
use crate::smus::form::AssetForms;

/// A value of every JSON type, each with a secret or a piece of business data.
fn content() -> Json {
    json!({"owner": "CANARY person", "cost": 424_242, "list": ["CANARY"], "nested": {"inner": "CANARY"}, "yes": true})
}

fn members(forms: &AssetForms) -> Vec<(&str, Option<&str>)> {
    forms.custom.iter().flat_map(|form| &form.members).map(|(name, value)| (name.as_str(), value.as_deref())).collect()
}

#[test]
fn a_customers_form_keeps_names_of_members_and_no_value_and_every_value_is_counted() {
    let reading = Reading::default();
    let forms = reading.outputs(&json!([output("Who", "DataOwner", &content())]));
    assert_eq!(members(&forms), ["cost", "list", "nested", "owner", "yes"].map(|name| (name, None)));
    assert_eq!(forms.custom[0].form_type, Some(type_name("DataOwner", Some("4"))));
    assert_eq!(reading.masked("form-value"), 5);
    let all = format!("{forms:?}");
    assert!(!all.contains("CANARY") && !all.contains("424242"), "{all}");
}

#[test]
fn names_of_members_inside_values_are_values_and_not_kept() {
    let forms = Reading::default().listing(&json!({"Who": in_text(&json!({"nested": {"CANARY": 1}}))}));
    assert_eq!(members(&forms), [("nested", None)]);
    assert!(!format!("{forms:?}").contains("CANARY"));
}

#[test]
fn values_are_kept_only_of_the_form_type_that_the_settings_name() {
    let reading = Reading::keeping_values_of("DataOwner");
    let forms = reading.outputs(&json!([
        output("Who", "DataOwner", &json!({"owner": "Sales team", "cost": 7, "list": ["a"]})),
        output("DataOwner", "Secrets", &json!({"x": "CANARY"})),
    ]));
    let kept = [("cost", Some("7")), ("list", Some("[\"a\"]")), ("owner", Some("Sales team")), ("x", None)];
    assert_eq!(members(&forms), kept);
    assert_eq!(reading.masked("form-value"), 1);
}

#[test]
fn values_kept_by_choice_pass_the_secret_scanner() {
    let reading = Reading::keeping_values_of("DataOwner");
    let content = json!({"note": "ask bob, password=CANARY", "nested": {"password": "CANARY"}});
    let forms = reading.outputs(&json!([output("Who", "DataOwner", &content)]));
    assert_eq!(members(&forms)[1], ("note", Some("ask bob, password=***")));
    assert!(!format!("{forms:?}").contains("CANARY"), "{forms:?}");
    assert_eq!(reading.masked("free-text"), 2);
}

#[test]
fn values_of_members_whose_names_speak_of_secrets_are_not_kept_by_choice_either() {
    let reading = Reading::keeping_values_of("DataOwner");
    let content = json!({"password": "CANARY", "apiKey": "CANARY", "owner": "Sales"});
    let forms = reading.outputs(&json!([output("Who", "DataOwner", &content)]));
    assert_eq!(members(&forms), [("apiKey", None), ("owner", Some("Sales")), ("password", None)]);
    assert_eq!(reading.masked("form-value"), 2);
}

#[test]
fn members_without_a_value_are_no_members_and_nothing_to_count() {
    let reading = Reading::default();
    let forms = reading.outputs(&json!([output("Who", "DataOwner", &json!({"owner": "x", "none": null}))]));
    assert_eq!(members(&forms), [("owner", None)]);
    assert_eq!(reading.masked("form-value"), 1);
}

#[test]
fn values_too_long_to_keep_by_choice_are_left_out_and_counted() {
    let reading = Reading::keeping_values_of("DataOwner");
    let content = json!({"fits": "x y ".repeat(1_024), "long": "x y ".repeat(1_025)});
    let forms = reading.outputs(&json!([output("Who", "DataOwner", &content)]));
    assert_eq!(
        members(&forms).into_iter().map(|(name, value)| (name, value.is_some())).collect::<Vec<_>>(),
        [("fits", true), ("long", false)]
    );
    assert_eq!(reading.masked("form-value"), 1);
}

#[test]
fn known_types_give_the_type_of_forms_of_listings_that_leave_it_out() {
    let forms = Reading::default().knowing("Who", "DataOwner").listing(&json!({"Who": content(), "Why": {}}));
    let types: Vec<_> = forms.custom.iter().map(|form| (form.name.as_str(), form.form_type.clone())).collect();
    assert_eq!(types, [("Who", Some(type_name("DataOwner", Some("4")))), ("Why", None)]);
}

#[test]
fn values_are_kept_by_a_known_type_and_not_by_the_name_of_the_form() {
    let listing = json!({"Who": {"owner": "Sales team"}, "DataOwner": {"owner": "CANARY"}});
    let forms = Reading::keeping_values_of("DataOwner").knowing("Who", "DataOwner").listing(&listing);
    assert_eq!(members(&forms), [("owner", None), ("owner", Some("Sales team"))]);
}

#[test]
fn a_forms_own_type_counts_more_than_the_known_one() {
    let typed = json!({"typeName": "Secrets", "content": {"owner": "CANARY"}});
    let forms = Reading::keeping_values_of("DataOwner").knowing("Who", "DataOwner").listing(&json!({ "Who": typed }));
    assert_eq!(forms.custom[0].form_type, Some(type_name("Secrets", None)));
    assert_eq!(members(&forms), [("owner", None)]);
}

#[test]
fn a_customers_form_with_the_name_of_a_managed_one_is_the_customers_if_its_type_says_so() {
    let content = json!({"summary": "CANARY", "tableName": "CANARY"});
    let forms = Reading::default().outputs(&json!([output("GlueTableForm", "MyTableForm", &content)]));
    assert_eq!(members(&forms), [("summary", None), ("tableName", None)]);
    assert_eq!((forms.technical_name, forms.summary), (None, None));
}

#[test]
fn a_customers_form_that_is_no_object_is_kept_without_members_and_told() {
    let forms = Reading::default().outputs(&json!([output("Who", "DataOwner", &json!(["CANARY"]))]));
    assert_eq!((forms.custom[0].name.as_str(), members(&forms)), ("Who", vec![]));
    let (code, message) = &forms.warnings[0];
    assert!(*code == "form-unreadable" && message.contains("\"Who\"") && !message.contains("CANARY"), "{message}");
}

#[test]
fn members_beyond_what_the_service_allows_are_left_out() {
    let content: Json = (0..600).map(|number| (format!("m{number:03}"), json!(1))).collect::<serde_json::Map<_, _>>().into();
    let forms = Reading::default().outputs(&json!([output("Who", "DataOwner", &content)]));
    assert_eq!(forms.custom[0].members.len(), 500);
}
