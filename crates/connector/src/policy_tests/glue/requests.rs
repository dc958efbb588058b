//! What a crawl and its preflight send: taken down from both, run against an account in memory that has one of everything.

use futures::executor::block_on;
use model::{ConnectionName, Kind, KnownAsset, MissingAsset, QualifiedName};
use serde_json::{Value, json};

use crate::MaskedCounts;
use crate::Ports;
use crate::glue::fake::{ACCOUNT, FakeApi, FakeBaseline, FakeSink};
use crate::glue::{Naming, Settings, crawl, list_databases, preflight};
use crate::policy_tests::sent::Sent;
use crate::policy_tests::shapes::Model;
use crate::port::ReadOperation;
use crate::progress::Progress;

const OTHER_ACCOUNT: &str = "444455556666";

pub(super) fn sent(_model: &Model) -> Sent {
    let api = account();
    let missing = |id, kind, path: &str| MissingAsset {
        known: KnownAsset { id, kind },
        qualified_name: QualifiedName::from_encoded(format!("default/glue/7/{path}")),
    };
    let baseline = FakeBaseline {
        missing: vec![missing(1, Kind::Database, "gone"), missing(2, Kind::Schema, "gone/x"), missing(3, Kind::Table, "gone/x/y")],
        ..FakeBaseline::default()
    };
    for catalog_ids in [vec![], vec![OTHER_ACCOUNT.to_owned()]] {
        let (sink, progress, masked) = (FakeSink::default(), Progress::default(), MaskedCounts::default());
        let ports = Ports { api: &api, sink: &sink, baseline: &baseline, progress: &progress, masked: &masked };
        let naming = Naming::new(ConnectionName::new("glue", 7), Some(ACCOUNT.to_owned()));
        let settings = Settings { concurrency: 8, catalog_ids, ..Settings::default() };
        block_on(crawl(ports, naming, &settings, "eu-west-1")).unwrap();
        block_on(preflight(&api, &settings, &mut |_| ()));
        block_on(list_databases(&api)).unwrap();
    }
    let mut sent = Sent::new();
    for (operation, input) in api.calls() {
        if operation == ReadOperation::GetConnections {
            assert_eq!(input["HidePassword"], Value::Bool(true), "passwords of connections are never asked for");
        }
        for (member, value) in input.as_object().unwrap() {
            sent.entry(operation).or_default().entry(member.clone()).or_default().insert(value.to_string());
        }
        sent.entry(operation).or_default();
    }
    sent
}

/// An account in which every operation is called, and every list has a second page.
fn account() -> FakeApi {
    let mut api = FakeApi::new(&[]);
    api.databases.insert("large".to_owned(), (0..2_500).map(|number| format!("t{number:04}")).collect());
    api.answering(|call| {
        let first = call.text("NextToken").is_none();
        let next = first.then_some("next");
        #[expect(clippy::wildcard_enum_match_arm, reason = "the account in memory answers the rest")]
        match call.operation {
            ReadOperation::ListWorkflows => Some(Ok(json!({"Workflows": ["one"], "NextToken": next}))),
            ReadOperation::GetCatalogs
            | ReadOperation::GetJobs
            | ReadOperation::GetTriggers
            | ReadOperation::GetCrawlers
            | ReadOperation::GetConnections => Some(Ok(json!({"NextToken": next}))),
            ReadOperation::GetCatalog if call.text("CatalogId") == Some(OTHER_ACCOUNT) => {
                Some(Ok(json!({"Catalog": {"Name": OTHER_ACCOUNT}})))
            }
            ReadOperation::GetDatabases if first => Some(Ok(json!({"NextToken": next}))),
            _ => None,
        }
    })
}
