//! That the pages have the shape that AWS's public service model gives to the answers: a page with members that the service does not
//! have would prove nothing.

use std::fs;
use std::path::PathBuf;

use serde_json::Value as Json;

use super::page;

/// Each page with the answer that it is one of.
const ANSWERS: &[(&str, &str)] = &[
    ("asset_filters", "ListAssetFilters"),
    ("data_product_listings", "SearchListings"),
    ("data_products", "Search"),
    ("domain", "GetDomain"),
    ("domain_unit", "GetDomainUnit"),
    ("domains", "ListDomains"),
    ("environment", "GetEnvironment"),
    ("form_types", "SearchTypes"),
    ("glossaries", "Search"),
    ("glossary_terms", "Search"),
    ("inventory", "Search"),
    ("inventory_opt_in", "Search"),
    ("listings", "SearchListings"),
    ("project", "GetProject"),
    ("projects", "ListProjects"),
    ("subscription_requests", "ListSubscriptionRequests"),
    ("subscription_requests_opt_in", "ListSubscriptionRequests"),
    ("subscriptions", "ListSubscriptions"),
];

/// What in `json` is not as the shape has it, each with its path.
fn differences(shapes: &Json, shape: &str, json: &Json, path: &str) -> Vec<String> {
    let Some(known) = shapes.get(shape) else {
        let is_right = match shape {
            "string" => json.is_string(),
            "boolean" => json.is_boolean(),
            _ => json.is_number(),
        };
        return if is_right { Vec::new() } else { vec![format!("{path} is no {shape}")] };
    };
    let of = |shape: &Json, json: &Json, path: String| differences(shapes, shape.as_str().unwrap(), json, &path);
    match (known["type"].as_str().unwrap(), json) {
        ("structure", Json::Object(members)) => members
            .iter()
            .flat_map(|(name, value)| match known["members"].get(name) {
                Some(member) => of(member, value, format!("{path}.{name}")),
                None => vec![format!("{path}.{name} is no member of {shape}")],
            })
            .collect(),
        ("list", Json::Array(items)) => items.iter().flat_map(|item| of(&known["member"], item, format!("{path}[]"))).collect(),
        ("map", Json::Object(entries)) => {
            entries.values().flat_map(|value| of(&known["value"], value, format!("{path}{{}}"))).collect()
        }
        (kind, _) => vec![format!("{path} is no {kind}")],
    }
}

#[test]
fn pages_have_the_shape_of_the_services_answers() {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("testdata/datazone-shapes.json");
    let model: Json = serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap();
    for (name, operation) in ANSWERS {
        let output = model["operations"][operation]["output"].as_str().unwrap();
        assert_eq!(differences(&model["shapes"], output, &page(name), name), Vec::<String>::new());
    }
    let pages: Vec<_> = super::texts("json").into_iter().map(|(path, _)| path).collect();
    assert_eq!(pages.len(), ANSWERS.len(), "{pages:?}");
}
