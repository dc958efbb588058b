//! What could not be read this time stays as it was known: a failure looks like no change.

use model::{Asset, Attribute, Kind, QualifiedName, Reference, Value};
use serde_json::{Value as Json, json};

use super::fake::{Call, FakeStore, FakeStudio, page_of};
use super::{Run, is_inventory, run, run_with, settings};
use crate::glue::fake::FakeSink;
use crate::port::{ErrorKind, ReadOperation};
use crate::smus::{Section, Settings};

/// A domain with one of everything: a glossary with a term that an asset, a product and the project have, a subscription with its
/// request, a draft and a published product.
fn rich(call: &Call<'_>) -> Option<Result<Json, ErrorKind>> {
    let items = match (call.operation.name(), call.body["searchScope"].as_str()) {
        ("Search", Some("GLOSSARY")) => json!([{"glossaryItem": {"id": "g1", "name": "Business"}}]),
        ("Search", Some("GLOSSARY_TERM")) => {
            let term = |id: &str, other: &str| json!({"glossaryTermItem": {"id": id, "glossaryId": "g1", "name": id, "termRelations": {"isA": [other]}}});
            json!([term("t1", "t2"), term("t2", "t1")])
        }
        ("Search", Some("DATA_PRODUCT")) => json!([
            {"dataProductItem": {"id": "d1", "name": "Draft", "owningProjectId": "p1", "glossaryTerms": ["t1"]}},
            {"dataProductItem": {"id": "d2", "name": "Published", "owningProjectId": "p1"}}]),
        ("Search", _) => {
            json!([{"assetItem": {"identifier": "a1", "owningProjectId": "p1", "glossaryTerms": ["t1"], "firstRevisionCreatedAt": 5}}])
        }
        ("SearchListings", _) => json!([
            {"assetListing": {"listingId": "l1", "entityId": "a1", "owningProjectId": "p1", "glossaryTerms": [{"name": "t1"}]}},
            {"dataProductListing": {"listingId": "l2", "entityId": "d2", "entityRevision": "4", "owningProjectId": "p1", "items": [{"listingId": "l1"}]}},
            {"dataProductListing": {"listingId": "l3", "entityId": "d3", "owningProjectId": "p9", "glossaryTerms": [{"name": "t2"}]}}]),
        ("ListSubscriptions", _) => json!([{"id": "s1", "status": "APPROVED", "subscriptionRequestId": "r1",
            "createdBy": "0a1b2c3d-1111-2222-3333-444455550001", "updatedBy": "0a1b2c3d-1111-2222-3333-444455550002",
            "subscribedPrincipal": {"project": {"id": "p1", "name": "Project p1"}},
            "subscribedListing": {"id": "l1", "name": "Orders", "ownerProjectId": "p1", "item": {"assetListing": {"entityId": "a1"}}}}]),
        ("ListSubscriptionRequests", _) => json!([{"id": "r1", "createdBy": "0a1b2c3d-1111-2222-3333-444455550003",
            "reviewerId": "0a1b2c3d-1111-2222-3333-444455550004", "requestReason": "because"}]),
        ("ListProjectProfiles", _) => json!([{"id": "pp1", "name": "All capabilities"}]),
        ("GetDataProduct", _) => return Some(Ok(json!({"items": [{"identifier": "a1"}]}))),
        ("GetProject", _) => return Some(Ok(json!({"projectProfileId": "pp1", "glossaryTerms": ["t2"]}))),
        ("ListEnvironments", _) => json!([{"id": "e1", "name": "Tooling"}]),
        ("GetEnvironment", _) => {
            let role = json!({"name": "userRoleArn", "value": "arn:aws:iam::111122223333:role/datazone_usr"});
            return Some(Ok(json!({"provisionedResources": [role]})));
        }
        _ => return None,
    };
    Some(Ok(page_of(call, items.as_array().unwrap(), 50)))
}

fn studio() -> FakeStudio {
    FakeStudio::new(&[("p1", 0)]).answering(rich)
}

fn find(run: &Run, path: &str) -> Asset {
    let name = QualifiedName::from_encoded(format!("default/aws-smus/7/{path}"));
    run.assets().into_iter().rev().find(|asset| asset.qualified_name == name).unwrap_or_else(|| panic!("{path} is delivered"))
}

fn references(asset: &Asset, attribute: Attribute) -> Vec<String> {
    let Some(Value::References(list)) = asset.attributes.get(attribute) else { return Vec::new() };
    list.iter().map(|one: &Reference| one.qualified_name.as_str().replace("default/aws-smus/7/dzd_1/", "")).collect()
}

#[test]
fn a_domain_with_everything_is_whole() {
    let run = run(&studio());
    assert!(run.warning_codes().is_empty(), "{:?}", run.warning_codes());
    assert_eq!(run.failures(), [("dzd_1/p9".to_owned(), ErrorKind::Denied)]);
    assert_eq!(references(&find(&run, "dzd_1/glossaries/g1/t1"), Attribute::AssignedEntities), ["p1/a1", "p1/d1"]);
    assert_eq!(references(&find(&run, "dzd_1/glossaries/g1/t2"), Attribute::AssignedEntities), ["p1", "p9/d3"]);
    assert_eq!(references(&find(&run, "dzd_1/glossaries/g1/t2"), Attribute::IsA), ["glossaries/g1/t1"]);
    for (product, members) in [("p1/d1", vec!["p1/a1"]), ("p1/d2", vec!["p1/a1"]), ("p9/d3", vec![])] {
        assert_eq!(references(&find(&run, &format!("dzd_1/{product}")), Attribute::SmusDataProductAssets), members, "{product}");
    }
    let subscribed = find(&run, "dzd_1/p1/subscriptions/s1");
    let requester = subscribed.attributes.text(Attribute::SmusSubscribedAssetRequestorId);
    assert_eq!(requester, Some("0a1b2c3d-1111-2222-3333-444455550003"));
    assert_eq!(references(&subscribed, Attribute::SmusPublishedAsset), ["p1/a1"]);
    assert_eq!(find(&run, "dzd_1/p1/a1").attributes.get(Attribute::SmusPublishedAssetSubscriptionsCount), Some(&Value::Integer(1)));
    let role = find(&run, "dzd_1/p1").attributes.text(Attribute::SmusProjectRoleArn).map(str::to_owned);
    assert_eq!(role.as_deref(), Some("arn:aws:iam::111122223333:role/datazone_usr"));
    assert!(!format!("{:?}", run.assets()).contains("because"));
}

#[test]
fn a_project_that_only_publishes_a_data_product_is_delivered() {
    let run = run(&studio());
    assert_eq!(run.delivered(Kind::SmusProject), ["dzd_1/p1", "dzd_1/p9"]);
    assert_eq!(run.is_complete("p9/data-products"), Some(false));
}

/// What a second run delivers other than the first one, after which everything is stored.
fn changes(second: &FakeStudio, settings: &Settings) -> (Vec<String>, Run) {
    let first = run(&studio());
    let stored = first.assets();
    let store = FakeStore { stored: stored.clone(), ..FakeStore::default() };
    let again = run_with(second, &store, settings, FakeSink::default());
    let of = |asset: &Asset| stored.iter().rev().find(|known| known.qualified_name == asset.qualified_name).cloned();
    let is_changed = |asset: &&Asset| of(asset).as_ref() != Some(*asset);
    let changed = again.assets().iter().filter(is_changed).map(|asset| format!("{asset:?} was {:?}", of(asset))).collect();
    (changed, again)
}

#[test]
fn a_failure_of_any_list_changes_nothing_that_is_delivered() {
    for operation in [
        ReadOperation::ListDomainUnitsForParent,
        ReadOperation::GetDomainUnit,
        ReadOperation::ListProjectProfiles,
        ReadOperation::GetProject,
        ReadOperation::ListEnvironments,
        ReadOperation::GetEnvironment,
        ReadOperation::SearchTypes,
        ReadOperation::SearchListings,
        ReadOperation::ListSubscriptions,
        ReadOperation::ListSubscriptionRequests,
        ReadOperation::GetDataProduct,
        ReadOperation::ListProjectMemberships,
        ReadOperation::ListLineageEvents,
    ] {
        for kind in [ErrorKind::Throttled, ErrorKind::Denied] {
            let api = FakeStudio::new(&[("p1", 0)]).failing(operation, kind).answering(rich);
            let (changed, run) = changes(&api, &settings());
            assert!(changed.is_empty(), "{operation} {kind:?}: {changed:#?}");
            let is_quiet = operation == ReadOperation::GetDataProduct && kind == ErrorKind::Denied;
            let failures = run.failures();
            assert!(is_quiet || failures.iter().any(|(scope, _)| scope != "dzd_1/p9"), "{operation} {kind:?}: {failures:?}");
        }
    }
}

#[test]
fn a_failure_of_any_search_changes_nothing_that_is_delivered() {
    for scope in ["ASSET", "GLOSSARY", "GLOSSARY_TERM", "DATA_PRODUCT"] {
        let api = FakeStudio::new(&[("p1", 0)])
            .answering(move |call| (call.body["searchScope"] == scope).then_some(Err(ErrorKind::Throttled)))
            .answering(rich);
        let (changed, run) = changes(&api, &settings());
        assert!(changed.is_empty(), "{scope}: {changed:#?}");
        assert_eq!(run.failures().len(), 2, "{scope}");
        let own = match scope {
            "GLOSSARY" => Some("glossaries"),
            "GLOSSARY_TERM" => Some("terms"),
            _ => None,
        };
        assert_eq!(own.and_then(|own| run.is_complete(own)), own.map(|_| false), "{scope}");
        if scope == "DATA_PRODUCT" {
            assert_ne!(run.is_complete("p1/data-products"), Some(true));
        }
    }
}

#[test]
fn what_assets_had_stays_where_only_the_environments_are_skipped() {
    let (changed, _) = changes(&studio(), &Settings { skip: [Section::Environments].into(), ..settings() });
    assert!(changed.is_empty(), "{changed:#?}");
}

#[test]
fn an_inventory_that_breaks_off_leaves_what_it_had_said() {
    let api = FakeStudio::new(&[("p1", 0)])
        .answering(|call| {
            let broken = json!({"items": [], "totalMatchCount": 1, "nextToken": "n"});
            is_inventory(call).then(|| if call.token().is_some() { Err(ErrorKind::Unavailable) } else { Ok(broken) })
        })
        .answering(rich);
    let (changed, _) = changes(&api, &settings());
    assert!(changed.is_empty(), "{changed:#?}");
}
