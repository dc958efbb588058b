//! What counts as read: a scope is complete only if nothing in it was left unread, and what was not asked for has no scope.

use model::{Asset, Kind, KnownAsset, MissingAsset, QualifiedName};
use serde_json::{Value, json};

use super::fake::{Answer, FakeStore, FakeStudio, page_of};
use super::{Run, run, run_with, settings};
use crate::glue::fake::{FakeBaseline, FakeSink};
use crate::port::{ErrorKind, ReadOperation};
use crate::smus::settings::ProjectFilter;
use crate::smus::{Keep, Section, Settings};

/// A domain with one known project and a listing of a project that its list does not have.
fn with_foreign_listing() -> FakeStudio {
    let listings = ["p1", "p9"].map(
        |project| json!({"assetListing": {"listingId": format!("l-{project}"), "entityId": format!("a-{project}"), "owningProjectId": project}}),
    );
    FakeStudio::new(&[("p1", 0)])
        .answering(move |call| (call.operation == ReadOperation::SearchListings).then(|| Ok(page_of(call, &listings, 50))))
}

fn filtered(include: &[&str], exclude: &[&str]) -> Settings {
    let own = |patterns: &[&str]| patterns.iter().map(|pattern| (*pattern).to_owned()).collect();
    Settings { projects: ProjectFilter { include: own(include), exclude: own(exclude) }, ..settings() }
}

#[test]
fn a_listing_of_a_project_that_the_role_does_not_see_is_delivered_with_its_project_and_the_failure_names_it() {
    let run = run(&with_foreign_listing());
    assert_eq!(run.delivered(Kind::SmusPublishedAsset), ["dzd_1/p1/a-p1", "dzd_1/p9/a-p9"]);
    assert_eq!(run.delivered(Kind::SmusProject), ["dzd_1/p1", "dzd_1/p9"]);
    assert_eq!(run.failures(), [("dzd_1/p9".to_owned(), ErrorKind::Denied)]);
    assert!(run.result().failures[0].error.message.contains("p9"));
    for (scope, complete) in
        [("p1", true), ("p1/subscriptions", true), ("p9", false), ("p9/subscriptions", false), ("projects", true)]
    {
        assert_eq!(run.is_complete(scope), Some(complete), "{scope}");
    }
}

#[test]
fn filters_reach_projects_that_the_role_does_not_see() {
    for settings in [filtered(&["Project p1"], &[]), filtered(&[], &["p9"])] {
        let run = run_with(&with_foreign_listing(), &FakeStore::default(), &settings, FakeSink::default());
        assert_eq!(run.delivered(Kind::SmusPublishedAsset), ["dzd_1/p1/a-p1"]);
        assert_eq!((run.failures().len(), run.is_complete("p9")), (0, None));
    }
    let run = run_with(&with_foreign_listing(), &FakeStore::default(), &filtered(&["p9"], &[]), FakeSink::default());
    assert_eq!(run.delivered(Kind::SmusPublishedAsset), ["dzd_1/p9/a-p9"]);
}

#[test]
fn where_projects_cannot_be_listed_what_may_be_excluded_by_name_is_left_out() {
    let api = || with_foreign_listing().failing(ReadOperation::ListProjects, ErrorKind::Denied);
    let run = run_with(&api(), &FakeStore::default(), &filtered(&[], &["Secret*"]), FakeSink::default());
    assert!(run.delivered(Kind::SmusPublishedAsset).is_empty());
    let run = super::run(&api());
    assert_eq!(run.delivered(Kind::SmusPublishedAsset).len(), 2);
    assert_eq!(run.failures(), [("dzd_1/projects".to_owned(), ErrorKind::Denied)]);
}

#[test]
fn every_scope_is_reported_once_and_what_of_a_closed_project_is_incomplete_stays_so() {
    let api = FakeStudio::new(&[("p1", 1), ("p2", 1)])
        .answering(|call| call.is(ReadOperation::ListProjectMemberships, "p2").then_some(Err(ErrorKind::Denied)));
    let keep = [Keep::UnpublishedAssets].into();
    let run = run_with(&api, &FakeStore::default(), &Settings { keep, ..settings() }, FakeSink::default());
    let mut names: Vec<_> = run.result().scopes.iter().map(|report| report.scope.to_string()).collect();
    let count = names.len();
    names.dedup();
    assert_eq!(names.len(), count);
    for part in ["", "/inventory", "/data-products", "/subscriptions"] {
        assert_eq!(run.is_complete(&format!("p1{part}")), Some(true), "p1{part}");
        assert_eq!(run.is_complete(&format!("p2{part}")), Some(false), "p2{part}");
    }
}

#[test]
fn a_store_is_asked_with_settled_scopes() {
    let store = FakeStore::default();
    let api = FakeStudio::new(&[("p1", 1)])
        .answering(|call| call.is(ReadOperation::ListProjectMemberships, "p1").then_some(Err(ErrorKind::Denied)));
    run_with(&api, &store, &settings(), FakeSink::default());
    let asked = store.assets.scopes_asked.lock().unwrap();
    let of_project: Vec<_> =
        asked.iter().filter(|report| report.scope.as_str() == "dzd_1/p1").map(|report| report.complete).collect();
    assert_eq!(of_project, [false]);
}

fn missing(kind: Kind, path: &str) -> MissingAsset {
    let qualified_name = QualifiedName::from_encoded(format!("default/aws-smus/7/{path}"));
    MissingAsset { known: KnownAsset { id: 5, kind }, qualified_name }
}

/// A run that misses one thing, with what the service says when it is asked for it.
fn run_missing(kind: Kind, path: &str, operation: ReadOperation, answer: impl Fn() -> Answer + Send + Sync + 'static) -> Run {
    let id = path.rsplit('/').next().unwrap().to_owned();
    let api = FakeStudio::new(&[("p1", 1)]).answering(move |call| call.is(operation, &id).then(&answer));
    let assets = FakeBaseline { missing: vec![missing(kind, path)], ..FakeBaseline::default() };
    let keep = [Keep::UnpublishedAssets].into();
    run_with(&api, &FakeStore { assets, stored: Vec::new() }, &Settings { keep, ..settings() }, FakeSink::default())
}

#[test]
fn whatever_is_denied_when_it_is_asked_for_makes_its_own_scope_incomplete() {
    for (kind, path, operation, scope) in [
        (Kind::SmusProject, "dzd_1/p7", ReadOperation::GetProject, "projects"),
        (Kind::SmusPublishedAsset, "dzd_1/p1/a7", ReadOperation::GetAsset, "p1"),
        (Kind::SmusInventoryAsset, "dzd_1/p1/a7", ReadOperation::GetAsset, "p1/inventory"),
        (Kind::SmusDataProduct, "dzd_1/p1/d7", ReadOperation::GetDataProduct, "p1/data-products"),
        (Kind::SmusSubscribedAsset, "dzd_1/p1/subscriptions/s7", ReadOperation::GetSubscription, "p1/subscriptions"),
    ] {
        let run = run_missing(kind, path, operation, || Err(ErrorKind::Denied));
        assert!(run.result().gone.is_empty(), "{path}");
        assert_eq!(run.failures(), [(format!("dzd_1/{scope}"), ErrorKind::Denied)]);
        assert_eq!(run.is_complete(scope), Some(false), "{scope}");
        let gone = run_missing(kind, path, operation, || Err(ErrorKind::NotFound));
        assert_eq!((gone.result().gone.len(), gone.is_complete(scope)), (1, Some(true)), "{scope}");
        let there = run_missing(kind, path, operation, || Ok(json!({})));
        assert_eq!((there.result().gone.len(), there.warning_codes()), (0, vec!["absence-unproven"]), "{scope}");
    }
}

#[test]
fn a_subscription_that_was_revoked_or_cancelled_is_gone() {
    for status in ["REVOKED", "CANCELLED"] {
        let answer = move || Ok(json!({"id": "s7", "status": status}));
        let run = run_missing(Kind::SmusSubscribedAsset, "dzd_1/p1/subscriptions/s7", ReadOperation::GetSubscription, answer);
        assert_eq!(run.result().gone.len(), 1, "{status}");
    }
}

#[test]
fn an_unpublished_asset_that_has_been_published_is_gone_as_such() {
    let run = run_missing(Kind::SmusInventoryAsset, "dzd_1/p1/p1a0", ReadOperation::GetAsset, || Ok(json!({"id": "p1a0"})));
    assert_eq!(run.delivered(Kind::SmusPublishedAsset), ["dzd_1/p1/p1a0"]);
    assert_eq!((run.result().gone.len(), run.warning_codes()), (1, vec![]));
}

#[test]
fn what_lists_show_by_the_right_to_see_the_domain_is_gone_when_it_is_missing() {
    for (kind, path) in [
        (Kind::SmusDomainUnit, "dzd_1/units/u7"),
        (Kind::Glossary, "dzd_1/glossaries/g7"),
        (Kind::GlossaryTerm, "dzd_1/glossaries/g7/t7"),
        (Kind::Process, "lineage/7"),
    ] {
        let run = run_missing(kind, path, ReadOperation::GetDomain, || Err(ErrorKind::Unavailable));
        assert_eq!(run.result().gone.len(), 1, "{path}");
    }
}

/// What the service says of a domain that its list does not have.
fn run_missing_domain(message: &'static str) -> Run {
    let api = FakeStudio::new(&[]).refusing(ReadOperation::GetDomain, "dzd_7", message);
    let assets = FakeBaseline { missing: vec![missing(Kind::SmusDomain, "dzd_7")], ..FakeBaseline::default() };
    run_with(&api, &FakeStore { assets, stored: Vec::new() }, &settings(), FakeSink::default())
}

#[test]
fn a_domain_is_gone_if_the_service_itself_refuses_it_and_kept_if_iam_does() {
    let run = run_missing_domain("User is not permitted to perform operation: GetDomain");
    assert_eq!(run.result().gone.len(), 1);
    assert!(run.failures().is_empty());
    let run = run_missing_domain("User: arn:aws:sts::1:assumed-role/r/s is not authorized to perform: datazone:GetDomain");
    assert!(run.result().gone.is_empty());
    assert_eq!(run.failures(), [("domains".to_owned(), ErrorKind::Denied)]);
    assert!(run.result().scopes.iter().any(|report| report.scope.as_str() == "domains" && !report.complete));
}

#[test]
fn a_project_that_the_filters_leave_out_is_not_asked_for_and_not_gone() {
    let mut stored = Asset::new(Kind::SmusProject, missing(Kind::SmusProject, "dzd_1/p7").qualified_name, "Project p7");
    stored.attributes.set(model::Attribute::SmusProjectId, "p7");
    let assets = FakeBaseline { missing: vec![missing(Kind::SmusProject, "dzd_1/p7")], ..FakeBaseline::default() };
    let api = FakeStudio::new(&[("p1", 1)]);
    let run = run_with(&api, &FakeStore { assets, stored: vec![stored] }, &filtered(&[], &["Project p7"]), FakeSink::default());
    assert!(run.result().gone.is_empty() && run.warning_codes().is_empty());
    assert_eq!(api.count(ReadOperation::GetProject), 1);
}

#[test]
fn failing_details_of_one_project_leave_the_list_of_projects_and_the_other_project_complete() {
    for operation in [ReadOperation::GetProject, ReadOperation::ListEnvironments, ReadOperation::ListProjectMemberships] {
        let api = FakeStudio::new(&[("p1", 1), ("p2", 1)])
            .answering(move |call| (call.operation == operation && call.names("p2")).then_some(Err(ErrorKind::Throttled)));
        let run = run(&api);
        assert_eq!(run.failures().len(), 1, "{operation} {:?}", run.failures());
        assert!(run.failures()[0].0.starts_with("dzd_1/p2/"), "{:?}", run.failures());
        for scope in ["projects", "p1", "p2", "p1/subscriptions"] {
            assert_eq!(run.is_complete(scope), Some(true), "{operation} {scope}");
        }
        assert_eq!(run.delivered(Kind::SmusProject), ["dzd_1/p1", "dzd_1/p2"]);
    }
}

#[test]
fn a_failed_domain_unit_leaves_its_tree_incomplete_and_a_tree_that_goes_round_ends() {
    let children = |call: &super::fake::Call<'_>| {
        (call.operation == ReadOperation::ListDomainUnitsForParent).then(|| Ok(json!({"items": [{"id": "u1"}, {"id": "u2"}]})))
    };
    let run_round = run(&FakeStudio::new(&[]).answering(children));
    assert_eq!(run_round.delivered(Kind::SmusDomainUnit), ["dzd_1/units/u1", "dzd_1/units/u2"]);
    assert_eq!(run_round.is_complete("units"), Some(true));
    let api = FakeStudio::new(&[])
        .answering(|call| call.is(ReadOperation::GetDomainUnit, "u2").then_some(Err(ErrorKind::Denied)))
        .answering(children);
    let run_failed = run(&api);
    assert_eq!(run_failed.is_complete("units"), Some(false));
    assert_eq!(run_failed.failures(), [("dzd_1/units".to_owned(), ErrorKind::Denied)]);
}

fn listing(id: &str, entity: &str) -> Value {
    json!({"assetListing": {"listingId": id, "entityId": entity, "owningProjectId": "p1"}})
}

fn with_listings(listings: Vec<Value>) -> FakeStudio {
    FakeStudio::new(&[("p1", 0)])
        .answering(move |call| (call.operation == ReadOperation::SearchListings).then(|| Ok(page_of(call, &listings, 50))))
}

#[test]
fn of_two_listings_of_one_asset_the_first_counts_and_the_search_adds_up() {
    let run = run(&with_listings(vec![listing("l1", "a1"), listing("l2", "a1")]));
    assert_eq!(run.delivered(Kind::SmusPublishedAsset), ["dzd_1/p1/a1"]);
    assert!(run.warning_codes().is_empty(), "{:?}", run.warning_codes());
    assert_eq!(run.is_complete("p1"), Some(true));
}

#[test]
fn one_listing_that_is_not_in_the_documented_form_is_left_out_with_a_warning() {
    let odd = json!({"assetListing": {"listingId": "l1", "entityId": "a1", "description": {"CANARY": 1}}});
    let run = run(&with_listings(vec![odd, listing("l2", "a2")]));
    assert_eq!(run.delivered(Kind::SmusPublishedAsset), ["dzd_1/p1/a2"]);
    assert_eq!(run.warning_codes(), ["listing-unreadable"]);
    assert!(!format!("{:?}", run.result()).contains("CANARY"));
    assert_eq!(run.is_complete("p1"), Some(true));
}

#[test]
fn no_asset_is_asked_for_by_name_because_its_listing_has_no_forms() {
    let api = FakeStudio::new(&[("p1", 120)]).answering(|call| {
        let bare = |number: usize| json!({"assetListing": {"listingId": format!("l{number}"), "entityId": format!("p1a{number}"), "owningProjectId": "p1", "additionalAttributes": {"forms": "{}"}}});
        let items: Vec<_> = (0..120).map(bare).collect();
        (call.operation == ReadOperation::SearchListings).then(|| Ok(page_of(call, &items, 50)))
    });
    let run = run(&api);
    assert_eq!(run.delivered(Kind::SmusPublishedAsset).len(), 120);
    let searches = [ReadOperation::Search, ReadOperation::SearchListings, ReadOperation::GetAsset].map(|one| api.count(one));
    // Three pages of assets; glossaries, terms and data products a page each.
    assert_eq!(searches, [3 + 3, 3, 0]);
}

#[test]
fn forms_that_cannot_be_read_are_asked_for_with_the_asset_and_one_that_was_dropped_costs_nothing() {
    let listings = ["p1a0", "p1a1"].map(
        |id| json!({"assetListing": {"listingId": id, "entityId": id, "entityRevision": "3", "owningProjectId": "p1", "additionalAttributes": {"forms": "no JSON"}}}),
    );
    let api = FakeStudio::new(&[("p1", 2)])
        .answering(move |call| (call.operation == ReadOperation::SearchListings).then(|| Ok(page_of(call, &listings, 50))))
        .answering(|call| call.is(ReadOperation::GetAsset, "p1a1").then_some(Err(ErrorKind::NotFound)))
        .answering(|call| {
            let form = json!({"formName": "GlueTableForm", "typeName": "amazon.datazone.GlueTableFormType",
                "content": json!({"tableName": "orders", "columns": [{"columnName": "id"}]}).to_string()});
            (call.operation == ReadOperation::GetAsset).then(|| Ok(json!({"formsOutput": [form]})))
        });
    let run = run(&api);
    let columns: Vec<_> =
        run.assets().iter().filter(|asset| asset.kind == Kind::SmusPublishedAsset).map(|asset| asset.columns.len()).collect();
    assert_eq!(columns, [1, 0]);
    assert_eq!(run.warning_codes(), ["form-unreadable"; 2]);
    assert!(run.failures().is_empty() && run.is_complete("p1") == Some(true));
}

#[test]
fn a_list_whose_token_has_expired_is_begun_again_once_and_nothing_comes_twice() {
    let projects: Vec<_> = (0..70).map(|number| json!({"id": format!("p{number}"), "name": format!("P{number}")})).collect();
    let api = |times: usize| {
        let projects = projects.clone();
        FakeStudio::new(&[]).answering(move |call| {
            (call.operation == ReadOperation::ListProjects).then(|| match call.token() {
                Some(_) if call.earlier() < 2 * times => Err(ErrorKind::Invalid),
                _ => Ok(page_of(call, &projects, 50)),
            })
        })
    };
    let healed = run(&api(1));
    assert_eq!(healed.delivered(Kind::SmusProject).len(), 70);
    assert!(healed.failures().is_empty());
    let broken = run(&api(usize::MAX / 2));
    assert_eq!(broken.failures(), [("dzd_1/projects".to_owned(), ErrorKind::Invalid)]);
}

#[test]
fn what_is_skipped_is_not_called_and_every_call_is_one_that_the_settings_allow() {
    for (section, word) in Section::ALL {
        let api = FakeStudio::new(&[("p1", 3)]);
        let skip = [*section].into();
        let settings = Settings { skip, keep: [Keep::UnpublishedAssets, Keep::PersonNames].into(), ..settings() };
        let allowed = crate::smus::operations(&settings.skip);
        run_with(&api, &FakeStore::default(), &settings, FakeSink::default());
        for operation in api.called() {
            assert!(allowed.contains(&operation), "{operation} without {word}");
        }
    }
    let skip = Section::ALL.iter().map(|entry| entry.0).collect();
    let api = FakeStudio::new(&[("p1", 3)]);
    let run = run_with(&api, &FakeStore::default(), &Settings { skip, ..settings() }, FakeSink::default());
    assert_eq!(run.delivered(Kind::SmusProject), ["dzd_1/p1"]);
    assert_eq!(api.called().first(), Some(&ReadOperation::ListDomains));
    let few = [
        ReadOperation::ListDomains,
        ReadOperation::GetDomain,
        ReadOperation::ListProjects,
        ReadOperation::GetProject,
        ReadOperation::ListProjectProfiles,
        ReadOperation::ListProjectMemberships,
    ];
    assert!(api.called().iter().all(|operation| few.contains(operation)), "{:?}", api.called());
}
