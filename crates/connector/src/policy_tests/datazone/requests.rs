//! What a crawl of SageMaker Unified Studio and its preflight send: taken down from both, run against an account in memory that has one
//! of everything.
//!
//! Each request is taken apart by AWS's model: a path segment, query parameter or member of a body that the model does not have fails.

use std::collections::BTreeMap;

use futures::executor::block_on;
use model::name::decode_part;
use model::{ConnectionName, Kind, KnownAsset, MissingAsset, QualifiedName};
use serde_json::Value;

use super::account::{DOMAIN, KnownListing, NOW_MS, ROLE_SESSION_ARN, Size, StudioApi};
use crate::glue::fake::{FakeBaseline, FakeSink};
use crate::policy_tests::sent::Sent;
use crate::policy_tests::shapes::{Model, Shape};
use crate::port::ReadRequest;
use crate::progress::Progress;
use crate::smus::{Keep, Settings, crawl, preflight};
use crate::{MaskedCounts, Ports};

/// Words of switches that would have the service give more than structure.
const SWITCHES: &[&str] = &["secret", "credential", "password", "decrypt", "sample"];

pub(super) fn sent(model: &Model) -> Sent {
    let mut sent = Sent::new();
    for (size, domains) in [(Size::Small, vec![]), (Size::Large, vec![DOMAIN.to_owned()])] {
        let api = StudioApi::new(model, size);
        let settings = settings(domains);
        run(&api, &settings);
        for request in api.requests() {
            let members = sent.entry(request.operation).or_default();
            for (member, value) in members_of(model, &request) {
                members.entry(member).or_default().insert(value.to_string());
            }
        }
    }
    assert_no_switch(model);
    sent
}

fn settings(domains: Vec<String>) -> Settings {
    let keep = [Keep::UnpublishedAssets, Keep::RequestReasons, Keep::PersonNames, Keep::FormValues("Form".to_owned())];
    Settings {
        domains,
        keep: keep.into_iter().collect(),
        concurrency: 8,
        identity_arn: Some(ROLE_SESSION_ARN.to_owned()),
        now_ms: NOW_MS,
        ..Settings::default()
    }
}

fn run(api: &StudioApi<'_>, settings: &Settings) {
    let missing = |(id, kind, path): (u32, Kind, &str)| MissingAsset {
        known: KnownAsset { id: id.into(), kind },
        qualified_name: QualifiedName::from_encoded(format!("default/aws-smus/7/{path}")),
    };
    let gone = [
        (1, Kind::SmusDomain, "gone"),
        (2, Kind::SmusProject, "gone/p"),
        (3, Kind::SmusPublishedAsset, "gone/p/a"),
        (4, Kind::SmusInventoryAsset, "gone/p/i"),
        (5, Kind::SmusDataProduct, "gone/p/d"),
        (6, Kind::SmusSubscribedAsset, "gone/p/subscriptions/s"),
    ];
    let baseline = KnownListing(FakeBaseline { missing: gone.into_iter().map(missing).collect(), ..FakeBaseline::default() });
    let (sink, progress, masked) = (FakeSink::default(), Progress::default(), MaskedCounts::default());
    let ports = Ports { api, sink: &sink, baseline: &baseline, progress: &progress, masked: &masked };
    let result = block_on(crawl(ports, ConnectionName::new("aws-smus", 7), settings, "eu-west-1")).unwrap();
    assert!(result.failures.is_empty(), "{:?}", result.failures);
    block_on(preflight(api, settings, &mut |_| ()));
}

/// The members of a request by AWS's names for them, whichever place they travel in.
pub(super) fn members_of(model: &Model, request: &ReadRequest) -> BTreeMap<String, Value> {
    let ends = &model.operations[request.operation.name()];
    let rest = ends.rest.as_ref().unwrap();
    let (path, query) = request.path.split_once('?').unwrap_or((&request.path, ""));
    assert_eq!(path.split('/').count(), rest.path.split('/').count(), "{path}");
    let mut members = BTreeMap::new();
    for (given, expected) in path.split('/').zip(rest.path.split('/')) {
        match expected.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
            Some(name) => members.insert(rest.uri[name].clone(), Value::from(decode_part(given))),
            None => {
                assert_eq!(given, expected, "{path}");
                None
            }
        };
    }
    for (name, value) in query.split('&').filter_map(|parameter| parameter.split_once('=')) {
        let member = rest.query.get(name).unwrap_or_else(|| panic!("{}: the query has no {name}", request.operation));
        members.insert(member.clone(), Value::from(decode_part(value)));
    }
    let elsewhere: Vec<&String> = rest.uri.values().chain(rest.query.values()).chain(&rest.headers).collect();
    for (member, value) in body_of(request, &rest.method) {
        let shape = model.members(&ends.input).get(&member).filter(|_| !elsewhere.contains(&&member));
        let shape = shape.unwrap_or_else(|| panic!("{}: the body has no {member}", request.operation));
        assert_is_of_shape(model, shape, &value, &format!("{}: {member}", request.operation));
        members.insert(member, value);
    }
    members
}

fn body_of(request: &ReadRequest, method: &str) -> serde_json::Map<String, Value> {
    if method == "GET" {
        assert!(request.body.is_empty(), "{}: a GET has no body", request.operation);
        return serde_json::Map::new();
    }
    serde_json::from_slice(&request.body).unwrap()
}

/// Whether a value has no member, at any depth, that its shape does not have.
fn assert_is_of_shape(model: &Model, shape: &str, value: &Value, path: &str) {
    match (model.shapes.get(shape), value) {
        (Some(Shape::Structure { members }), Value::Object(given)) => {
            for (name, value) in given {
                let shape = members.get(name).unwrap_or_else(|| panic!("{path} has no {name}"));
                assert_is_of_shape(model, shape, value, &format!("{path}.{name}"));
            }
        }
        (Some(Shape::List { member }), Value::Array(given)) => {
            given.iter().for_each(|value| assert_is_of_shape(model, member, value, path));
        }
        (None, value) => assert!(!value.is_object() && !value.is_array(), "{path} is {value}"),
        (shape, value) => panic!("{path} is {value} and not {shape:?}"),
    }
}

/// No operation that exists in the program takes a switch that would give secrets, so none can be set by mistake.
fn assert_no_switch(model: &Model) {
    for (operation, ends) in &model.operations {
        for member in model.members(&ends.input).keys() {
            let name = member.to_lowercase();
            assert!(!SWITCHES.iter().any(|word| name.contains(word)), "{operation} takes {member}");
        }
    }
}
