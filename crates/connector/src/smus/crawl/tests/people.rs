//! Memberships, subscriptions, and what is kept only by choice: unpublished assets, names of people, reasons.

use model::{Asset, Attribute, Kind};
use serde_json::{Value, json};

use super::fake::{FakeStore, FakeStudio, page_of};
use super::{Run, run, run_with, settings};
use crate::glue::fake::FakeSink;
use crate::port::{ErrorKind, ReadOperation};
use crate::smus::{Keep, Settings};

const OWN: &str = "0a1b2c3d-1111-2222-3333-444455550000";
const ANN: &str = "0a1b2c3d-1111-2222-3333-444455550001";
const BEN: &str = "0a1b2c3d-1111-2222-3333-444455550002";

fn with(settings: &Settings, api: &FakeStudio) -> Run {
    run_with(api, &FakeStore::default(), settings, FakeSink::default())
}

fn keeping(keep: &[Keep]) -> Settings {
    Settings { keep: keep.iter().cloned().collect(), ..settings() }
}

/// A domain whose project has these members, read by a role whose profile is known.
fn with_members(members: Value) -> FakeStudio {
    FakeStudio::new(&[("p1", 0)]).answering(move |call| match call.operation.name() {
        "GetUserProfile" => Some(Ok(json!({"id": OWN, "details": {"iam": {"arn": "arn:aws:iam::1:role/reader"}}}))),
        "ListProjectMemberships" => Some(Ok(json!({"members": members}))),
        _ => None,
    })
}

fn as_role() -> Settings {
    Settings { identity_arn: Some("arn:aws:sts::111122223333:assumed-role/reader/session".to_owned()), ..settings() }
}

#[test]
fn a_role_that_is_neither_among_the_members_nor_sees_an_inventory_is_no_member() {
    let user = |id: &str| json!({"memberDetails": {"user": {"userId": id}}, "designation": "PROJECT_OWNER"});
    let group = json!({"memberDetails": {"group": {"groupId": ANN}}, "designation": "PROJECT_CONTRIBUTOR"});
    for (members, is_outside) in
        [(json!([user(ANN), user(OWN)]), false), (json!([user(ANN), group]), false), (json!([user(ANN)]), true), (json!([]), true)]
    {
        let told = members.to_string();
        let run = with(&as_role(), &with_members(members));
        let expected: &[_] = if is_outside { &[("dzd_1/p1".to_owned(), ErrorKind::Denied)] } else { &[] };
        assert_eq!(run.failures(), expected, "{told}");
        assert_eq!(run.is_complete("p1"), Some(!is_outside), "{told}");
        assert_eq!(run.is_complete("projects"), Some(true), "{told}");
    }
}

#[test]
fn a_role_whose_profile_is_not_known_is_taken_for_a_member() {
    for kind in [ErrorKind::Denied, ErrorKind::NotFound, ErrorKind::Throttled] {
        let api = FakeStudio::new(&[("p1", 0)]).failing(ReadOperation::GetUserProfile, kind);
        let run = with(&as_role(), &api);
        assert!(run.failures().is_empty(), "{kind:?}: {:?}", run.failures());
        assert_eq!(api.count(ReadOperation::GetUserProfile), 1);
    }
}

/// An asset of 23 columns that is published, subscribed to in full and through filters, with requests of every status.
fn subscribed() -> FakeStudio {
    let columns: Vec<_> = (0..23).map(|number| json!({"columnName": format!("c{number}"), "dataType": "string"})).collect();
    let forms = json!({"GlueTableForm": {"tableName": "orders", "columns": columns}}).to_string();
    let subscription = move |id: &str, status: &str, request: &str, filters: Value| {
        json!({"id": id, "status": status, "subscriptionRequestId": request, "createdBy": "ann@example.com", "updatedBy": BEN,
            "subscribedPrincipal": {"project": {"id": "p1", "name": "Project p1"}},
            "subscribedListing": {"id": "l1", "name": "Orders", "ownerProjectId": "p7",
                "item": {"assetListing": {"entityId": "a1", "entityType": "amazon.datazone.GlueTableAssetType", "forms": forms, "assetScope": {"filterIds": filters}}}}})
    };
    FakeStudio::new(&[("p1", 0)]).answering(move |call| {
        let items = match call.operation.name() {
            "ListSubscriptions" => json!([
                subscription("s1", "APPROVED", "r1", json!([])),
                subscription("s2", "APPROVED", "r2", json!(["f1", "f2"])),
                subscription("s3", "APPROVED", "r3", json!(["f1", "f9"])),
                subscription("s4", "REVOKED", "r4", json!([]))]),
            "ListSubscriptionRequests" => json!([
                {"id": "r1", "createdBy": ANN, "reviewerId": BEN, "createdAt": 1, "updatedAt": 2, "requestReason": "CANARY request", "decisionComment": "CANARY decision"},
                {"id": "r2", "createdBy": ANN, "reviewerId": "ben@example.com", "requestReason": "CANARY", "decisionComment": ""},
                {"id": "r8", "createdBy": ANN, "requestReason": "CANARY of no subscription"}]),
            "ListAssetFilters" => json!([
                {"id": "f1", "name": "few", "effectiveColumnNames": ["c1", "c2"], "effectiveRowFilter": "CANARY = 1"},
                {"id": "f2", "name": "more", "effectiveColumnNames": ["c2", "c3"]}]),
            "GetUserProfile" if call.names(ANN) => {
                return Some(Ok(json!({"id": ANN, "details": {"sso": {"firstName": "Ann", "lastName": "Arbor", "username": "ann@example.com"}}})));
            }
            "GetUserProfile" => return Some(Err(ErrorKind::Denied)),
            _ => return None,
        };
        Some(Ok(page_of(call, items.as_array().unwrap(), 50)))
    })
}

fn find(run: &Run, id: &str) -> Asset {
    let assets = run.assets();
    assets.into_iter().find(|asset| asset.qualified_name.as_str().ends_with(&format!("/p1/subscriptions/{id}"))).unwrap()
}

fn text(asset: &Asset, attribute: Attribute) -> Option<&str> {
    asset.attributes.text(attribute)
}

#[test]
fn approved_subscriptions_say_how_many_columns_their_filters_let_through() {
    let api = subscribed();
    let run = run(&api);
    assert_eq!(run.delivered(Kind::SmusSubscribedAsset), ["s1", "s2", "s3"].map(|id| format!("dzd_1/p1/subscriptions/{id}")));
    for (id, columns) in [("s1", Some("23 out of 23")), ("s2", Some("3 out of 23")), ("s3", None)] {
        assert_eq!(text(&find(&run, id), Attribute::SmusSubscribedAssetColumnAccessInfo), columns, "{id}");
    }
    assert_eq!(api.count(ReadOperation::ListAssetFilters), 1, "filters are asked for once an asset");
    assert_eq!(run.is_complete("p1/subscriptions"), Some(true));
}

#[test]
fn reasons_and_names_of_people_stay_out_and_opaque_ids_stand_for_them() {
    let api = subscribed();
    let run = run(&api);
    let written = format!("{:?} {:?}", run.assets(), run.result());
    for word in ["CANARY", "example.com", "Ann", "Arbor"] {
        assert!(!written.contains(word), "{word}");
    }
    let first = find(&run, "s1");
    assert_eq!(text(&first, Attribute::SmusSubscribedAssetRequestorName), Some(ANN));
    assert_eq!(text(&first, Attribute::SmusSubscribedAssetApproverId), Some(BEN));
    assert_eq!(text(&find(&run, "s2"), Attribute::SmusSubscribedAssetApproverId), None);
    assert_eq!(api.count(ReadOperation::GetUserProfile), 0, "nobody is looked up unasked");
}

#[test]
fn reasons_and_names_are_kept_for_those_who_ask_and_who_cannot_be_looked_up_stays_an_id() {
    let api = subscribed();
    let run = with(&keeping(&[Keep::RequestReasons, Keep::PersonNames]), &api);
    let first = find(&run, "s1");
    assert_eq!(text(&first, Attribute::SmusSubscribedAssetRequestReason), Some("CANARY request"));
    assert_eq!(text(&first, Attribute::SmusSubscribedAssetApprovedReason), Some("CANARY decision"));
    assert_eq!(text(&first, Attribute::SmusSubscribedAssetRequestorName), Some("Ann Arbor"));
    assert_eq!(text(&first, Attribute::SmusSubscribedAssetApproverName), Some(BEN));
    assert!(!format!("{:?}", run.assets()).contains("of no subscription"));
    assert!(run.failures().is_empty(), "{:?}", run.failures());
    assert_eq!(api.count(ReadOperation::GetUserProfile), 2);
}

#[test]
fn without_approved_subscriptions_no_request_is_read() {
    let api = FakeStudio::new(&[("p1", 1)]);
    let run = run(&api);
    assert_eq!(api.count(ReadOperation::ListSubscriptionRequests), 0);
    let assets = run.assets();
    let asset = assets.iter().find(|asset| asset.kind == Kind::SmusPublishedAsset).unwrap();
    assert_eq!(asset.attributes.get(Attribute::SmusPublishedAssetSubscriptionsCount), Some(&model::Value::Integer(0)));
}

#[test]
fn unpublished_assets_are_kept_only_for_those_who_ask_and_never_beside_their_publication() {
    let api = || {
        FakeStudio::new(&[("p1", 1)]).answering(|call| {
            let items = ["p1a0", "draft"].map(|id| json!({"assetItem": {"identifier": id, "name": id, "owningProjectId": "p1"}}));
            (call.body["searchScope"] == "ASSET").then(|| Ok(page_of(call, &items, 50)))
        })
    };
    let usual = run(&api());
    assert!(usual.delivered(Kind::SmusInventoryAsset).is_empty());
    assert_eq!(usual.is_complete("p1/inventory"), None);
    let keeping_all = with(&keeping(&[Keep::UnpublishedAssets]), &api());
    assert_eq!(keeping_all.delivered(Kind::SmusInventoryAsset), ["dzd_1/p1/draft"]);
    assert_eq!(keeping_all.delivered(Kind::SmusPublishedAsset), ["dzd_1/p1/p1a0"]);
    assert_eq!(keeping_all.is_complete("p1/inventory"), Some(true));
}

#[test]
fn unpublished_assets_are_not_told_from_published_ones_where_listings_were_not_read() {
    let api = FakeStudio::new(&[("p1", 3)]).failing(ReadOperation::SearchListings, ErrorKind::Throttled);
    let run = with(&keeping(&[Keep::UnpublishedAssets]), &api);
    assert!(run.delivered(Kind::SmusInventoryAsset).is_empty());
    assert_ne!(run.is_complete("p1/inventory"), Some(true));
}
