//! Several domains: what fails in one costs that one only; domains that are named; what every run begins and ends with.

use model::{Attribute, Kind};
use serde_json::{Value, json};

use super::fake::{Call, FakeStore, FakeStudio};
use super::{Run, run, run_with, settings};
use crate::glue::fake::FakeSink;
use crate::port::{ErrorKind, ReadOperation};
use crate::smus::{Keep, Section, Settings};
use crate::{CrawlError, CrawlResult};

fn listed(id: &str, status: &str) -> Value {
    json!({"id": id, "name": format!("Domain {id}"), "status": status, "domainVersion": "V2",
        "arn": format!("arn:aws:datazone:eu-west-1:999922223333:domain/{id}")})
}

/// The usual domain beside a second one.
fn two_domains() -> FakeStudio {
    FakeStudio::new(&[("p1", 1)]).answering(|call| {
        let domains = json!([listed("dzd_1", "AVAILABLE"), listed("dzd_2", "AVAILABLE")]);
        (call.operation == ReadOperation::ListDomains).then(|| Ok(json!({"items": domains})))
    })
}

fn is_of_second(call: &Call<'_>) -> bool {
    call.names("dzd_2")
}

fn incomplete(result: &CrawlResult) -> Vec<String> {
    result.scopes.iter().filter(|report| !report.complete).map(|report| report.scope.to_string()).collect()
}

#[test]
fn a_domain_that_is_denied_is_one_failure_and_the_other_is_whole() {
    let api = two_domains().answering(|call| is_of_second(call).then_some(Err(ErrorKind::Denied)));
    let run = run(&api);
    assert_eq!(run.failures(), [("dzd_2".to_owned(), ErrorKind::Denied)]);
    assert!(run.result().failures[0].error.message.contains("Domain dzd_2"));
    assert_eq!(incomplete(run.result()), ["dzd_2"]);
    assert_eq!(run.delivered(Kind::SmusPublishedAsset), ["dzd_1/p1/p1a0"]);
    assert_eq!(run.delivered(Kind::SmusDomain), ["dzd_1", "dzd_2"]);
}

#[test]
fn a_domain_that_is_throttled_throughout_leaves_every_scope_of_the_other_complete() {
    let api = two_domains().answering(|call| is_of_second(call).then_some(Err(ErrorKind::Throttled)));
    let run = run(&api);
    assert!(run.failures().len() > 3);
    assert!(run.failures().iter().all(|(scope, _)| scope.starts_with("dzd_2")), "{:?}", run.failures());
    assert!(incomplete(run.result()).iter().all(|scope| scope.starts_with("dzd_2")));
    assert!(run.result().scopes.iter().any(|report| report.scope.as_str() == "dzd_1/p1" && report.complete));
    assert!(!run.result().scopes.iter().any(|report| report.scope.as_str().starts_with("dzd_2") && report.complete));
}

#[test]
fn a_domain_that_vanishes_after_it_was_listed_is_a_warning() {
    let api = two_domains().answering(|call| is_of_second(call).then_some(Err(ErrorKind::NotFound)));
    let run = run(&api);
    assert!(run.failures().is_empty());
    assert_eq!(run.warning_codes(), ["domain-vanished"]);
}

#[test]
fn nothing_is_read_in_a_domain_that_is_not_available_and_one_that_is_deleted_is_none() {
    let api = FakeStudio::new(&[("p1", 1)]).answering(|call| {
        let domains = json!([listed("dzd_3", "CREATING"), listed("dzd_4", "DELETED"), listed("dzd_5", "DELETING")]);
        (call.operation == ReadOperation::ListDomains).then(|| Ok(json!({"items": domains})))
    });
    let run = run(&api);
    assert_eq!(run.delivered(Kind::SmusDomain), ["dzd_3", "dzd_5"]);
    assert_eq!(api.called(), [ReadOperation::ListDomains]);
}

#[test]
fn domains_that_are_named_are_asked_for_once_each_and_a_wrong_name_shows() {
    let api = two_domains().answering(|call| call.is(ReadOperation::GetDomain, "dzd_9").then_some(Err(ErrorKind::Denied)));
    let domains = ["dzd_1", "dzd_9", "dzd_1"].map(str::to_owned).to_vec();
    let run = run_with(&api, &FakeStore::default(), &Settings { domains, ..settings() }, FakeSink::default());
    assert_eq!((api.count(ReadOperation::ListDomains), api.count(ReadOperation::GetDomain)), (0, 2));
    assert_eq!(run.delivered(Kind::SmusDomain), ["dzd_1"]);
    assert_eq!(run.failures(), [("dzd_9".to_owned(), ErrorKind::Denied)]);
    assert!(!run.result().scopes.iter().any(|report| report.scope.as_str() == "domains"), "the list of domains was not read");
}

#[test]
fn domains_that_cannot_be_listed_are_a_failure_and_none_at_all_is_a_warning() {
    let denied = run(&FakeStudio::new(&[]).failing(ReadOperation::ListDomains, ErrorKind::Denied));
    assert_eq!(denied.failures(), [("domains".to_owned(), ErrorKind::Denied)]);
    assert!(!denied.result().read_anything);
    let none =
        FakeStudio::new(&[]).answering(|call| (call.operation == ReadOperation::ListDomains).then(|| Ok(json!({"items": []}))));
    let none = run(&none);
    assert_eq!((none.warning_codes(), none.failures().len()), (vec!["no-domains"], 0));
    assert!(none.result().read_anything);
}

fn account(run: &Run) -> (Option<String>, Option<String>) {
    let assets = run.assets();
    let connection = assets.iter().find(|asset| asset.kind == Kind::Connection).unwrap();
    (run.result().account.clone(), connection.attributes.text(Attribute::AwsAccountId).map(str::to_owned))
}

#[test]
fn the_account_is_the_roles_own_and_only_without_a_role_that_of_a_domain() {
    let shared = run(&two_domains());
    assert_eq!(account(&shared), (Some("999922223333".to_owned()), Some("999922223333".to_owned())));
    let identity_arn = Some("arn:aws:sts::111122223333:assumed-role/reader/s".to_owned());
    let own = run_with(&two_domains(), &FakeStore::default(), &Settings { identity_arn, ..settings() }, FakeSink::default());
    assert_eq!(account(&own), (Some("111122223333".to_owned()), Some("111122223333".to_owned())));
}

#[test]
fn wrong_credentials_end_the_run_wherever_they_show() {
    let identity_arn = Some("arn:aws:iam::111122223333:role/reader".to_owned());
    let settings = Settings { identity_arn, keep: [Keep::UnpublishedAssets].into(), ..settings() };
    let whole = two_domains();
    run_with(&whole, &FakeStore::default(), &settings, FakeSink::default());
    let mut operations = whole.called();
    operations.sort_unstable();
    operations.dedup();
    assert!(operations.len() > 12, "{operations:?}");
    for operation in operations {
        for kind in [ErrorKind::Credentials, ErrorKind::Refused] {
            let api = FakeStudio::new(&[("p1", 1)]).failing(operation, kind);
            let ended = run_with(&api, &FakeStore::default(), &settings, FakeSink::default());
            let Err(CrawlError::Api(error)) = ended.result else { panic!("{operation} with {kind:?} must end the run") };
            assert_eq!((error.operation, error.kind), (operation, kind));
        }
    }
}

#[test]
fn progress_ends_with_as_many_scopes_as_it_found_also_where_parts_fail() {
    let failing =
        [None, Some(ReadOperation::ListSubscriptions), Some(ReadOperation::ListLineageEvents), Some(ReadOperation::SearchListings)];
    for operation in failing {
        let api = match operation {
            Some(operation) => FakeStudio::new(&[("p1", 3)]).failing(operation, ErrorKind::Unavailable),
            None => two_domains(),
        };
        let run = run(&api);
        let progress = run.progress.snapshot();
        assert_eq!(progress.scopes_done, progress.scopes_total, "{operation:?}");
        assert!(progress.scopes_total >= 6, "{operation:?}: {}", progress.scopes_total);
    }
}

#[test]
fn domains_are_listed_first_and_an_asset_costs_no_call_of_its_own() {
    for count in [1, 49, 50, 51, 240] {
        let api = FakeStudio::new(&[("p1", count)]);
        let skip = [Section::Glossaries, Section::DataProducts, Section::Lineage].into();
        run_with(&api, &FakeStore::default(), &Settings { skip, ..settings() }, FakeSink::default());
        let pages = count.div_ceil(50);
        assert_eq!((api.count(ReadOperation::Search), api.count(ReadOperation::SearchListings)), (pages, pages), "{count}");
        assert_eq!(api.called()[..2], [ReadOperation::ListDomains, ReadOperation::GetDomain]);
        assert_eq!(api.called().len(), 2 * pages + 11, "{:?}", api.called());
    }
}
