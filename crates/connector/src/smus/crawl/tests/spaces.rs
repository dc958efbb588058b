//! Reading whole spaces: cut where the service filters as it says, in one chain where it does not, and compared with the total.

use std::collections::BTreeSet;

use model::{Attribute, Kind};
use serde_json::json;

use super::fake::{FakeStudio, Filtering};
use super::{Run, is_inventory, run};
use crate::port::{ErrorKind, ReadOperation};

/// Every asset that is published, once.
fn assert_is_whole(run: &Run, count: usize) {
    let names = run.delivered(Kind::SmusPublishedAsset);
    assert_eq!(names.len(), count);
    assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), count);
    assert!(!run.warning_codes().contains(&"search-total-differs"));
    assert!(run.failures().is_empty(), "{:?}", run.failures());
}

#[test]
fn a_large_space_is_cut_by_project_and_time_and_every_asset_comes_once() {
    let api = FakeStudio::new(&[("p1", 2_600), ("p2", 700)]);
    let run = run(&api);
    assert_is_whole(&run, 3_300);
    assert_eq!((run.is_complete("p1"), run.is_complete("p2")), (Some(true), Some(true)));
    // One chain takes 66 pages; cutting costs a few more.
    let pages = api.count(ReadOperation::SearchListings);
    assert!((67..100).contains(&pages), "{pages} pages");
}

#[test]
fn where_filters_are_ignored_or_refused_one_chain_reads_everything() {
    for filtering in [Filtering::Ignores, Filtering::Refuses] {
        let api = FakeStudio::new(&[("p1", 1_500), ("p2", 1_500)]).filtering(filtering);
        let run = run(&api);
        assert_is_whole(&run, 3_000);
        assert_eq!(run.is_complete("p1"), Some(true), "{filtering:?}");
    }
}

#[test]
fn a_search_that_gives_less_than_it_states_is_read_again_and_then_nothing_counts_as_gone() {
    let api = FakeStudio::new(&[("p1", 1)]).answering(|call| {
        let listing = json!({"assetListing": {"listingId": "l1", "entityId": "a1", "owningProjectId": "p1"}});
        (call.operation == ReadOperation::SearchListings).then(|| Ok(json!({"items": [listing], "totalMatchCount": 2})))
    });
    let run = run(&api);
    assert_eq!(api.count(ReadOperation::SearchListings), 2);
    assert_eq!(run.warning_codes(), ["search-total-differs"]);
    assert_ne!(run.is_complete("p1"), Some(true));
}

#[test]
fn what_a_second_reading_brings_makes_the_space_whole() {
    let api = FakeStudio::new(&[("p1", 1)]).answering(|call| {
        let listing = |id: &str| json!({"assetListing": {"listingId": id, "entityId": id, "owningProjectId": "p1"}});
        let second = if call.earlier() == 0 { "a1" } else { "a2" };
        let items = json!([listing("a1"), listing(second)]);
        (call.operation == ReadOperation::SearchListings).then(|| Ok(json!({"items": items, "totalMatchCount": 2})))
    });
    let run = run(&api);
    assert_is_whole(&run, 2);
    assert_eq!(run.is_complete("p1"), Some(true));
}

#[test]
fn a_token_that_has_expired_begins_the_list_again_once() {
    let api = FakeStudio::new(&[("p1", 120)]).answering(|call| {
        let is_expired = call.operation == ReadOperation::SearchListings && call.token() == Some("100") && call.earlier() == 2;
        is_expired.then_some(Err(ErrorKind::Invalid))
    });
    let run = run(&api);
    assert_is_whole(&run, 120);
    assert_eq!(api.count(ReadOperation::SearchListings), 6);
}

#[test]
fn a_listing_search_that_breaks_off_keeps_what_came_and_completes_no_project() {
    let api = FakeStudio::new(&[("p1", 120)]).answering(|call| {
        (call.operation == ReadOperation::SearchListings && call.token().is_some()).then_some(Err(ErrorKind::Unavailable))
    });
    let run = run(&api);
    assert_eq!(run.delivered(Kind::SmusPublishedAsset).len(), 50);
    assert_eq!(run.failures(), [("dzd_1/listings".to_owned(), ErrorKind::Unavailable)]);
    assert_ne!(run.is_complete("p1"), Some(true));
}

#[test]
fn whichever_half_of_an_asset_comes_first_waits_for_the_other() {
    for slow in [ReadOperation::Search, ReadOperation::SearchListings] {
        let run = run(&FakeStudio::new(&[("p1", 1_000)]).slow(slow));
        assert_is_whole(&run, 1_000);
        let assets = run.assets();
        let published = assets.iter().filter(|asset| asset.kind == Kind::SmusPublishedAsset);
        // Only the inventory knows when the first revision was made.
        let without = published.filter(|asset| asset.attributes.get(Attribute::SourceCreatedAt).is_none());
        assert_eq!(without.count(), 0, "{slow} is slow");
    }
}

#[test]
fn an_inventory_that_cannot_be_read_is_said_and_the_listings_are_delivered() {
    let api = FakeStudio::new(&[("p1", 120)]).answering(|call| is_inventory(call).then_some(Err(ErrorKind::Unavailable)));
    let run = run(&api);
    assert_eq!(run.delivered(Kind::SmusPublishedAsset).len(), 120);
    assert_eq!(run.failures(), [("dzd_1/inventory".to_owned(), ErrorKind::Unavailable)]);
}

#[test]
fn a_token_that_comes_twice_fails_the_search_instead_of_going_round() {
    let api = FakeStudio::new(&[("p1", 1)]).answering(|call| {
        (call.operation == ReadOperation::SearchListings)
            .then(|| Ok(json!({"items": [], "nextToken": "same", "totalMatchCount": 1})))
    });
    let run = run(&api);
    assert_eq!(run.failures(), [("dzd_1/listings".to_owned(), ErrorKind::Malformed)]);
    assert!(api.count(ReadOperation::SearchListings) <= 3);
}

#[test]
fn what_is_cut_is_asked_for_as_the_service_takes_it() {
    let api = FakeStudio::new(&[("p1", 2_600), ("p2", 700)]);
    run(&api);
    let bodies = api.bodies();
    let searches = |operation| bodies.iter().filter(move |(called, _)| *called == operation).map(|(_, body)| body);
    assert!(searches(ReadOperation::Search).any(|body| body["owningProjectIdentifier"] == "p2"));
    let by_project = json!({"filter": {"attribute": "owningProjectId", "value": "p2", "operator": "EQ"}});
    assert!(searches(ReadOperation::SearchListings).any(|body| body["filters"] == by_project));
    for (operation, body) in &bodies {
        assert!((1..=50).contains(&body["maxResults"].as_i64().unwrap_or(1)), "{operation} {body}");
        assert!(body["filters"]["and"].as_array().is_none_or(|clauses| (1..=100).contains(&clauses.len())), "{body}");
    }
}

#[test]
fn a_listing_that_names_no_asset_is_left_out_and_the_search_adds_up() {
    let api = FakeStudio::new(&[("p1", 1)]).answering(|call| {
        let items = json!([{"assetListing": {"listingId": "l1", "owningProjectId": "p1"}}, {"assetListing": {"listingId": "l2", "entityId": "a2", "owningProjectId": "p1"}}]);
        (call.operation == ReadOperation::SearchListings).then(|| Ok(json!({"items": items, "totalMatchCount": 2})))
    });
    assert_is_whole(&run(&api), 1);
}

#[test]
fn with_more_projects_than_pages_are_worth_a_space_is_cut_by_time_alone() {
    let projects: Vec<_> = (0..150).map(|number| format!("q{number}")).collect();
    let projects: Vec<_> = projects.iter().map(|id| (id.as_str(), 20)).collect();
    let api = FakeStudio::new(&projects);
    assert_is_whole(&run(&api), 3_000);
    assert!(!api.bodies().iter().any(|(_, body)| body.to_string().contains("owningProjectId")));
}
