//! The domains of the demonstration account, read from the JSON files in `fixtures/datazone`.
//!
//! The files hold the service's own documents with a few additions, so that nothing is written twice: `{"$json": …}` is a text of
//! JSON; `$forms` of a listing says how the forms of its asset are shown in it; `{"$listing": id, "$scope": …}` is that listing as
//! subscriptions show it.

use serde_json::{Map, Value, json};

use super::datazone::{Domain, Thing};
use super::{Account, text};

pub(super) const FIXTURES: [&str; 9] = [
    include_str!("../../fixtures/datazone/corporate.json"),
    include_str!("../../fixtures/datazone/glossaries.json"),
    include_str!("../../fixtures/datazone/types.json"),
    include_str!("../../fixtures/datazone/assets.json"),
    include_str!("../../fixtures/datazone/listings.json"),
    include_str!("../../fixtures/datazone/subscriptions.json"),
    include_str!("../../fixtures/datazone/lineage.json"),
    include_str!("../../fixtures/datazone/classic.json"),
    include_str!("../../fixtures/datazone/lab.json"),
];

/// Adds all domains; `parse` reads one file.
pub(super) fn put_domains(account: &mut Account, parse: impl Fn(&str) -> Value) {
    for fixture in FIXTURES {
        let mut fixture = parse(fixture);
        expand_json(&mut fixture);
        let domains = &mut account.datazone.domains;
        if let Some(document) = fixture.get("domain") {
            domains.insert(text(document, "id").to_owned(), Domain::new(document.clone()));
        }
        let id = fixture.pointer("/domain/id").or_else(|| fixture.get("domain_id")).and_then(Value::as_str).unwrap_or_default();
        if let Some(domain) = domains.get_mut(id) {
            put_things(domain, &fixture);
        }
    }
}

fn put_things(domain: &mut Domain, fixture: &Value) {
    for (kind, documents) in fixture.as_object().into_iter().flatten() {
        let Ok(thing) = serde_json::from_value::<Thing>(json!(kind)) else { continue };
        for document in documents.as_array().into_iter().flatten() {
            let mut document = document.clone();
            if let (Thing::Listing, Some(asset)) = (thing, domain.document(Thing::Asset, text(&document, "entityId"))) {
                let asset = asset.into_owned();
                complete_listing(&mut document, &asset, domain);
            }
            complete_subscribed(&mut document, domain);
            domain.put(thing, document);
        }
    }
}

fn expand_json(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(expand_json),
        Value::Object(members) => {
            members.values_mut().for_each(expand_json);
            if let Some(inner) = members.get("$json") {
                *value = Value::from(inner.to_string());
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// What a listing shows of its asset, unless the listing says otherwise.
pub(super) fn complete_listing(listing: &mut Value, asset: &Value, domain: &Domain) {
    let shown_as = listing.get("$forms").and_then(Value::as_str) == Some("object");
    let forms = asset.get("formsOutput").and_then(Value::as_array).into_iter().flatten();
    let contents: Map<String, Value> = forms
        .map(|form| {
            let content = text(form, "content");
            let inner = if shown_as { serde_json::from_str(content).unwrap_or_else(|_| json!(content)) } else { json!(content) };
            (text(form, "formName").to_owned(), inner)
        })
        .collect();
    let kind = text(asset, "typeIdentifier").trim_start_matches("amazon.datazone.");
    let mut defaults = Map::new();
    defaults.insert("name".to_owned(), asset["name"].clone());
    defaults.insert("entityType".to_owned(), json!(kind));
    defaults.insert("owningProjectId".to_owned(), asset["owningProjectId"].clone());
    defaults.insert("forms".to_owned(), json!(Value::Object(contents).to_string()));
    defaults.extend(asset.get("description").map(|description| ("description".to_owned(), description.clone())));
    for member in ["glossaryTerms", "governedGlossaryTerms"] {
        defaults.extend(asset.get(member).map(|ids| (member.to_owned(), named_terms(domain, ids))));
    }
    let series = asset.get("latestTimeSeriesDataPointFormsOutput");
    defaults.extend(series.map(|series| ("latestTimeSeriesDataPointForms".to_owned(), series.clone())));
    let Some(members) = listing.as_object_mut() else { return };
    for (name, value) in defaults {
        members.entry(name).or_insert(value);
    }
}

// A listing shows terms by name, not by id.
fn named_terms(domain: &Domain, ids: &Value) -> Value {
    let ids = ids.as_array().into_iter().flatten().filter_map(Value::as_str);
    let terms = ids.filter_map(|id| domain.document(Thing::GlossaryTerm, id));
    terms.map(|term| json!({"name": term["name"], "shortDescription": term["shortDescription"]})).collect()
}

fn complete_subscribed(document: &mut Value, domain: &Domain) {
    match document {
        Value::Array(items) => items.iter_mut().for_each(|item| complete_subscribed(item, domain)),
        Value::Object(members) => {
            if let Some(id) = members.get("$listing").and_then(Value::as_str) {
                let subscribed =
                    domain.document(Thing::Listing, id).map(|listing| subscribed(&listing, members.get("$scope"), domain));
                *document = subscribed.unwrap_or_default();
                return;
            }
            members.values_mut().for_each(|member| complete_subscribed(member, domain));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn subscribed(listing: &Value, scope: Option<&Value>, domain: &Domain) -> Value {
    let owner = text(listing, "owningProjectId");
    let mut item = Map::new();
    for member in ["entityId", "entityRevision", "entityType", "forms", "glossaryTerms"] {
        item.extend(listing.get(member).map(|value| (member.to_owned(), value.clone())));
    }
    item.extend(scope.map(|scope| ("assetScope".to_owned(), scope.clone())));
    let project = domain.document(Thing::Project, owner);
    json!({
        "id": listing["listingId"], "revision": listing["listingRevision"], "name": listing["name"],
        "description": text(listing, "description"), "item": {"assetListing": item},
        "ownerProjectId": owner, "ownerProjectName": project.map(|project| project["name"].clone()),
    })
}
