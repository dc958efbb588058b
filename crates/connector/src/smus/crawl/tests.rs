//! The crawl against a domain in memory: what is delivered and which scopes are complete, large spaces cut into parts, searches that do
//! not add up, memberships, proof of absence.

mod domains;
mod fake;
mod graph;
mod lineage;
mod partial;
mod people;
mod scopes;
mod sinks;
mod spaces;

use std::collections::BTreeMap;

use futures::executor::block_on;
use model::{Asset, Attribute, ConnectionName, Kind, KnownAsset, MissingAsset, QualifiedName};
use serde_json::json;

use crate::glue::fake::{FakeBaseline, FakeSink};
use crate::port::{ErrorKind, ReadOperation};
use crate::progress::Progress;
use crate::smus::settings::ProjectFilter;
use crate::smus::{Section, Settings, crawl};
use crate::{CrawlError, CrawlResult, MaskedCounts, Ports};
use fake::{Call, DOMAIN, FakeStore, FakeStudio, NOW_MS};

struct Run {
    result: Result<CrawlResult, CrawlError>,
    sink: FakeSink,
    progress: Progress,
}

impl Run {
    fn result(&self) -> &CrawlResult {
        self.result.as_ref().unwrap()
    }

    fn assets(&self) -> Vec<Asset> {
        self.sink.batches().into_iter().flat_map(|batch| batch.items).map(|item| item.asset).collect()
    }

    /// Names of one kind as they were delivered, sorted, repetitions included.
    fn delivered(&self, kind: Kind) -> Vec<String> {
        let assets = self.assets();
        let of_kind = assets.iter().filter(|asset| asset.kind == kind);
        let mut names: Vec<_> = of_kind.map(|asset| asset.qualified_name.as_str().replace("default/aws-smus/7/", "")).collect();
        names.sort();
        names
    }

    fn is_complete(&self, scope: &str) -> Option<bool> {
        let mut scopes = BTreeMap::new();
        for report in &self.result().scopes {
            *scopes.entry(report.scope.to_string()).or_insert(true) &= report.complete;
        }
        scopes.get(&format!("{DOMAIN}/{scope}")).copied()
    }

    fn failures(&self) -> Vec<(String, ErrorKind)> {
        self.result().failures.iter().map(|failure| (failure.scope.to_string(), failure.error.kind)).collect()
    }

    fn warning_codes(&self) -> Vec<&'static str> {
        self.result().warnings.iter().map(|warning| warning.code).collect()
    }
}

fn settings() -> Settings {
    Settings { concurrency: 8, now_ms: NOW_MS, ..Settings::default() }
}

fn run(api: &FakeStudio) -> Run {
    run_with(api, &FakeStore::default(), &settings(), FakeSink::default())
}

fn run_with(api: &FakeStudio, store: &FakeStore, settings: &Settings, sink: FakeSink) -> Run {
    let (progress, masked) = (Progress::default(), MaskedCounts::default());
    let ports = Ports { api, sink: &sink, baseline: store, progress: &progress, masked: &masked };
    let result = block_on(crawl(ports, ConnectionName::new("aws-smus", 7), settings, "eu-west-1"));
    Run { result, sink, progress }
}

#[test]
fn a_plain_domain_is_delivered_whole_and_every_scope_is_complete() {
    let run = run(&FakeStudio::new(&[("p1", 2), ("p2", 1)]));
    assert_eq!(run.delivered(Kind::SmusDomain), ["dzd_1"]);
    assert_eq!(run.delivered(Kind::SmusProject), ["dzd_1/p1", "dzd_1/p2"]);
    assert_eq!(run.delivered(Kind::SmusPublishedAsset), ["dzd_1/p1/p1a0", "dzd_1/p1/p1a1", "dzd_1/p2/p2a0"]);
    assert!(run.failures().is_empty() && run.warning_codes().is_empty(), "{:?} {:?}", run.failures(), run.warning_codes());
    for scope in ["projects", "p1", "p2"] {
        assert_eq!(run.is_complete(scope), Some(true), "{scope}");
    }
    assert!(run.result().scopes.iter().all(|report| report.complete));
}

#[test]
fn a_published_asset_has_the_columns_and_the_source_of_its_listing() {
    let run = run(&FakeStudio::new(&[("p1", 1)]));
    let assets = run.assets();
    let asset = assets.iter().find(|asset| asset.kind == Kind::SmusPublishedAsset).unwrap();
    let source = asset.attributes.text(Attribute::SmusAssetSourceIdentifier);
    assert_eq!(source, Some("arn:aws:glue:eu-west-1:111122223333:table/sales/p1a0"));
    assert_eq!(asset.columns.iter().map(|column| column.name).collect::<Vec<_>>(), ["id"]);
}

#[test]
fn a_listing_without_an_inventory_is_delivered_all_the_same() {
    let api =
        FakeStudio::new(&[("p1", 3)]).answering(|call| is_inventory(call).then(|| Ok(json!({"items": [], "totalMatchCount": 0}))));
    let run = run(&api);
    assert_eq!(run.delivered(Kind::SmusPublishedAsset).len(), 3);
    assert_eq!(run.is_complete("p1"), Some(true));
}

fn is_inventory(call: &Call<'_>) -> bool {
    call.operation == ReadOperation::Search && call.body["searchScope"] == "ASSET"
}

#[test]
fn a_project_whose_members_cannot_be_seen_is_named_and_what_it_publishes_is_there() {
    let api = FakeStudio::new(&[("p1", 1), ("p2", 1)])
        .answering(|call| call.is(ReadOperation::ListProjectMemberships, "p2").then_some(Err(ErrorKind::Denied)));
    let run = run(&api);
    let failures = &run.result().failures;
    assert_eq!(failures.len(), 1);
    assert!(failures[0].error.message.contains("Project p2"), "{}", failures[0].error.message);
    assert_eq!(run.delivered(Kind::SmusPublishedAsset), ["dzd_1/p1/p1a0", "dzd_1/p2/p2a0"]);
}

#[test]
fn a_failure_of_one_part_is_said_and_leaves_the_others_whole() {
    for operation in [ReadOperation::ListSubscriptions, ReadOperation::ListLineageEvents, ReadOperation::SearchTypes] {
        let run = run(&FakeStudio::new(&[("p1", 2)]).failing(operation, ErrorKind::Denied));
        assert_eq!(run.failures().len(), 1, "{operation}: {:?}", run.failures());
        assert_eq!(run.delivered(Kind::SmusPublishedAsset).len(), 2, "{operation}");
        assert_eq!(run.is_complete("p1"), Some(true), "{operation}");
    }
}

#[test]
fn credentials_that_are_refused_end_the_run_and_nothing_is_proven_gone() {
    for operation in [ReadOperation::ListProjects, ReadOperation::SearchListings, ReadOperation::ListLineageEvents] {
        let api = FakeStudio::new(&[("p1", 2)]).failing(operation, ErrorKind::Credentials);
        assert!(matches!(run(&api).result, Err(CrawlError::Api(_))), "{operation}");
    }
}

#[test]
fn a_sink_that_fails_ends_the_run() {
    let api = FakeStudio::new(&[("p1", 300)]);
    let run = run_with(&api, &FakeStore::default(), &settings(), FakeSink::with_room(3));
    assert!(matches!(run.result, Err(CrawlError::Sink(_))));
    assert_eq!(run.sink.batches().len(), 3);
}

#[test]
fn projects_that_are_left_out_and_sections_that_are_skipped_are_not_delivered() {
    let api = FakeStudio::new(&[("p1", 1), ("p2", 1)]);
    let projects = ProjectFilter { include: Vec::new(), exclude: vec!["Project p2".to_owned()] };
    let some = Settings { projects, skip: [Section::Lineage].into(), ..settings() };
    let run = run_with(&api, &FakeStore::default(), &some, FakeSink::default());
    assert_eq!(run.delivered(Kind::SmusPublishedAsset), ["dzd_1/p1/p1a0"]);
    assert_eq!(run.is_complete("p2"), None);
    assert_eq!(api.count(ReadOperation::ListLineageEvents) + api.count(ReadOperation::QueryGraph), 0);
}

/// A store that knows a published asset under the listing `l-gone`, which no list has any more.
fn store_with_missing_asset() -> FakeStore {
    let name = QualifiedName::from_encoded("default/aws-smus/7/dzd_1/p1/gone".to_owned());
    let known = KnownAsset { id: 3.into(), kind: Kind::SmusPublishedAsset };
    let mut asset = Asset::new(Kind::SmusPublishedAsset, name.clone(), "gone");
    asset.attributes.set(Attribute::SmusListingId, "l-gone");
    let missing = vec![MissingAsset { known, qualified_name: name }];
    FakeStore { assets: FakeBaseline { missing, ..FakeBaseline::default() }, stored: vec![asset] }
}

fn run_with_listing(answer: fake::Answer) -> Run {
    let answer = std::sync::Mutex::new(Some(answer));
    let api = FakeStudio::new(&[("p1", 1)])
        .answering(move |call| call.is(ReadOperation::GetListing, "l-gone").then(|| answer.lock().unwrap().take().unwrap()));
    run_with(&api, &store_with_missing_asset(), &settings(), FakeSink::default())
}

#[test]
fn an_asset_is_gone_only_if_its_listing_is_not_there_or_not_active() {
    for (answer, is_gone) in [
        (Err(ErrorKind::NotFound), true),
        (Ok(json!({"status": "INACTIVE"})), true),
        (Ok(json!({"status": "ACTIVE"})), false),
        (Err(ErrorKind::Unavailable), false),
    ] {
        let told = format!("{answer:?}");
        let run = run_with_listing(answer);
        assert_eq!(run.result().gone.len(), usize::from(is_gone), "{told}");
        assert_eq!(run.warning_codes().contains(&"absence-unproven"), !is_gone, "{told}");
    }
}

#[test]
fn a_missing_asset_that_is_denied_now_is_kept_and_makes_its_scope_incomplete() {
    let run = run_with_listing(Err(ErrorKind::Denied));
    assert!(run.result().gone.is_empty());
    assert_eq!(run.failures(), [("dzd_1/p1".to_owned(), ErrorKind::Denied)]);
    assert_eq!(run.is_complete("p1"), Some(false));
}
