//! A sink that takes no more ends the run wherever it happens: no search waits for a receiver that is gone.

use serde_json::{Value, json};

use super::fake::{FakeStore, FakeStudio, page_of};
use super::{run_with, settings};
use crate::CrawlError;
use crate::glue::fake::FakeSink;
use crate::port::ReadOperation;
use crate::smus::{Keep, Settings};

/// A domain in which every search has more pages than its channel holds.
fn wide() -> FakeStudio {
    FakeStudio::new(&[("p1", 30)]).answering(|call| match (call.operation, call.body["searchScope"].as_str()) {
        (ReadOperation::Search, Some("ASSET")) => Some(Ok(page_of(call, &numbered(unpublished), 5))),
        (ReadOperation::Search, Some("GLOSSARY")) => Some(Ok(page_of(call, &numbered(glossary), 5))),
        (ReadOperation::Search, Some("GLOSSARY_TERM")) => Some(Ok(page_of(call, &numbered(term), 5))),
        (ReadOperation::Search, Some("DATA_PRODUCT")) => Some(Ok(page_of(call, &numbered(product), 5))),
        (ReadOperation::SearchListings, _) => Some(Ok(page_of(call, &numbered(listing), 5))),
        _ => None,
    })
}

fn numbered(item: fn(usize) -> Value) -> Vec<Value> {
    (0..100).map(item).collect()
}

fn unpublished(number: usize) -> Value {
    json!({"assetItem": {"identifier": format!("u{number}"), "owningProjectId": "p1"}})
}

fn glossary(number: usize) -> Value {
    json!({"glossaryItem": {"id": format!("g{number}"), "name": "Glossary"}})
}

fn term(number: usize) -> Value {
    json!({"glossaryTermItem": {"id": format!("t{number}"), "glossaryId": "g1", "name": "Term"}})
}

fn product(number: usize) -> Value {
    json!({"dataProductItem": {"id": format!("d{number}"), "owningProjectId": "p1", "name": "Product"}})
}

fn listing(number: usize) -> Value {
    json!({"assetListing": {"listingId": format!("l{number}"), "entityId": format!("a{number}"), "owningProjectId": "p1"}})
}

#[test]
fn wherever_the_sink_fails_the_run_ends() {
    let keep = [Keep::UnpublishedAssets].into();
    let settings = Settings { keep, ..settings() };
    let whole = run_with(&wide(), &FakeStore::default(), &settings, FakeSink::default());
    let batches = whole.sink.batches().len();
    assert!(batches > 60, "{batches} batches");
    for room in 1..batches {
        let run = run_with(&wide(), &FakeStore::default(), &settings, FakeSink::with_room(room));
        assert!(matches!(run.result, Err(CrawlError::Sink(_))), "{room}");
    }
}

#[test]
fn a_search_whose_receiver_is_gone_asks_for_no_further_page() {
    let api = wide();
    let run = run_with(&api, &FakeStore::default(), &settings(), FakeSink::with_room(3));
    assert!(matches!(run.result, Err(CrawlError::Sink(_))));
    assert!(api.count(ReadOperation::Search) < 50, "{} searches", api.count(ReadOperation::Search));
}
