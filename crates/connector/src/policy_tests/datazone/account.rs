//! An account in memory with one domain that has one of everything: its answers make a crawl and a preflight call every operation.

use std::collections::BTreeMap;
use std::sync::Mutex;

use bytes::Bytes;
use model::{Asset, Attribute, Kind, KnownAsset, MissingAsset, QualifiedName, S3Location, ScopeReport, SourceHash};
use serde_json::{Value, json};

use super::requests::members_of;
use crate::glue::fake::{FakeBaseline, scripted};
use crate::policy_tests::shapes::Model;
use crate::port::{ApiError, Baseline, ErrorKind, ReadApi, ReadOperation, ReadRequest, SinkError};

pub(super) const DOMAIN: &str = "dzd_1";
pub(super) const ROLE_SESSION_ARN: &str = "arn:aws:sts::111122223333:assumed-role/reader/session";
/// 2026-01-01 UTC, in milliseconds since 1970.
pub(super) const NOW_MS: i64 = 1_767_225_600_000;

/// When the assets of a large domain were made: half of them on 2023-01-01, half on 2025-01-01.
const CREATED_MS: [i64; 2] = [1_672_531_200_000, 1_735_689_600_000];

/// How many assets of a project were made at each of these times in a large domain.
const CREATED_AT_ONCE: usize = 1_250;

const PROJECTS: [&str; 2] = ["p1", "p2"];
const PERSON: &str = "0a1b2c3d-1111-2222-3333-444455556666";

/// How much there is in the domain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Size {
    /// One of everything.
    Small,
    /// Searches state so many assets that they are cut by project and by time.
    Large,
}

/// Answers reads, and takes them down.
pub(super) struct StudioApi<'m> {
    model: &'m Model,
    size: Size,
    requests: Mutex<Vec<ReadRequest>>,
}

/// A request as AWS's model reads it.
struct Call {
    operation: ReadOperation,
    members: BTreeMap<String, Value>,
}

impl Call {
    fn text(&self, member: &str) -> &str {
        self.members.get(member).and_then(Value::as_str).unwrap_or_default()
    }

    /// A list of two pages: the second has what the first leaves.
    fn pages(&self, key: &str, first: &Value, second: &Value) -> Value {
        match self.text("nextToken") {
            "" => json!({key: first, "nextToken": "next"}),
            _ => json!({key: second}),
        }
    }

    fn items(&self, first: &Value) -> Value {
        self.pages("items", first, &json!([]))
    }
}

impl<'m> StudioApi<'m> {
    pub(super) fn new(model: &'m Model, size: Size) -> Self {
        Self { model, size, requests: Mutex::default() }
    }

    pub(super) fn requests(&self) -> Vec<ReadRequest> {
        self.requests.lock().unwrap().clone()
    }

    fn answer(&self, call: &Call) -> Result<Value, ErrorKind> {
        if call.text("domainIdentifier") == "gone" || call.text("identifier") == "gone" {
            return Err(ErrorKind::NotFound);
        }
        #[expect(clippy::wildcard_enum_match_arm, reason = "the groups answer the rest")]
        Ok(match call.operation {
            ReadOperation::Search => self.search(call),
            ReadOperation::SearchListings => self.listings(call),
            operation => about_projects(operation, call)
                .or_else(|| about_subscriptions(operation, call))
                .or_else(|| about_lineage(operation, call))
                .unwrap_or_else(|| panic!("{operation} has no answer in the account in memory")),
        })
    }

    fn search(&self, call: &Call) -> Value {
        let item = match call.text("searchScope") {
            "ASSET" if self.size == Size::Large => return json!({"totalMatchCount": stated(call)}),
            "ASSET" => json!({"assetItem": {"identifier": "a1", "owningProjectId": "p1"}}),
            "GLOSSARY" => json!({"glossaryItem": {"id": "g1"}}),
            "GLOSSARY_TERM" => json!({"glossaryTermItem": {"id": "t1", "glossaryId": "g1"}}),
            "DATA_PRODUCT" => json!({"dataProductItem": {"id": "d1", "owningProjectId": "p1"}}),
            other => panic!("nothing of the scope {other} is searched for"),
        };
        let mut page = call.items(&json!([item]));
        page["totalMatchCount"] = json!(1);
        page
    }

    fn listings(&self, call: &Call) -> Value {
        if self.size == Size::Large {
            return json!({"totalMatchCount": stated(call)});
        }
        // Forms that cannot be read have the asset asked for by name.
        let listing = json!({"listingId": "l1", "entityId": "a1", "entityRevision": "2", "owningProjectId": "p1",
            "additionalAttributes": {"forms": "none"}});
        let mut page = call.items(&json!([{"assetListing": listing}]));
        page["totalMatchCount"] = json!(1);
        page
    }
}

/// How many assets of a large domain a search is for.
fn stated(call: &Call) -> usize {
    let mut filters = Vec::new();
    collect_filters(call.members.get("filters").unwrap_or(&Value::Null), &mut filters);
    let has_project =
        filters.iter().any(|filter| filter["attribute"] == "owningProjectId") || !call.text("owningProjectIdentifier").is_empty();
    let is_in = |at: &&i64| {
        filters.iter().all(|filter| match filter["operator"].as_str() {
            Some("GE") => filter["intValue"].as_i64().unwrap() <= **at,
            Some("LT") => filter["intValue"].as_i64().unwrap() > **at,
            _ => true,
        })
    };
    CREATED_MS.iter().filter(is_in).count() * CREATED_AT_ONCE * if has_project { 1 } else { PROJECTS.len() }
}

fn collect_filters(clause: &Value, found: &mut Vec<Value>) {
    found.extend(clause.get("filter").cloned());
    clause["and"].as_array().into_iter().flatten().for_each(|clause| collect_filters(clause, found));
}

fn about_projects(operation: ReadOperation, call: &Call) -> Option<Value> {
    #[expect(clippy::wildcard_enum_match_arm, reason = "the other groups answer the rest")]
    Some(match operation {
        ReadOperation::ListDomains => call.items(&json!([{"id": DOMAIN, "status": "AVAILABLE", "domainVersion": "V2"}])),
        ReadOperation::GetDomain => json!({"id": DOMAIN, "rootDomainUnitId": "u1", "domainVersion": "V2"}),
        ReadOperation::ListDomainUnitsForParent => call.items(&json!([])),
        ReadOperation::GetDomainUnit | ReadOperation::GetProject => json!({}),
        ReadOperation::ListProjects => call.items(&json!(PROJECTS.map(|id| json!({"id": id})))),
        ReadOperation::ListProjectProfiles | ReadOperation::SearchTypes => call.items(&json!([])),
        ReadOperation::ListProjectMemberships => call.pages("members", &json!([{"memberDetails": {"group": {}}}]), &json!([])),
        ReadOperation::ListEnvironments => call.items(&json!([{"id": "e1"}])),
        ReadOperation::GetEnvironment | ReadOperation::GetAsset | ReadOperation::GetDataProduct => json!({}),
        ReadOperation::GetUserProfile => json!({"id": PERSON}),
        _ => return None,
    })
}

fn about_subscriptions(operation: ReadOperation, call: &Call) -> Option<Value> {
    let asset = json!({"entityId": "a1", "assetScope": {"filterIds": ["f1"]}});
    let listing = json!({"id": "l1", "ownerProjectId": "p1", "item": {"assetListing": asset}});
    let subscription = json!({"id": "s1", "subscribedPrincipal": {"project": {"id": "p1"}}, "subscribedListing": listing,
        "subscriptionRequestId": "r1"});
    #[expect(clippy::wildcard_enum_match_arm, reason = "the other groups answer the rest")]
    Some(match operation {
        ReadOperation::ListSubscriptions => call.items(&json!([subscription])),
        // The request that is looked for is on the second page, so that the first is not the last.
        ReadOperation::ListSubscriptionRequests => {
            call.pages("items", &json!([]), &json!([{"id": "r1", "createdBy": PERSON, "reviewerId": PERSON}]))
        }
        ReadOperation::ListAssetFilters => call.items(&json!([])),
        _ => return None,
    })
}

fn about_lineage(operation: ReadOperation, call: &Call) -> Option<Value> {
    let end = json!({"namespace": "s3://bucket", "name": "data"});
    let run = json!({"eventType": "COMPLETE", "job": {"namespace": "n", "name": "job"}, "outputs": [end]});
    #[expect(clippy::wildcard_enum_match_arm, reason = "the other groups answer the rest")]
    Some(match operation {
        ReadOperation::ListLineageEvents => {
            call.items(&json!([{"id": "v1", "eventTime": 1, "eventSummary": {"openLineageRunEventSummary": run}}]))
        }
        ReadOperation::GetLineageEvent => json!({}),
        // Not the node that is asked for, which is then asked for by itself.
        ReadOperation::QueryGraph => call.items(&json!([{"lineageNode": {"id": "n2"}}])),
        ReadOperation::GetLineageNode => json!({"id": "n1"}),
        _ => return None,
    })
}

impl ReadApi for StudioApi<'_> {
    async fn read(&self, request: ReadRequest) -> Result<Bytes, ApiError> {
        let operation = request.operation;
        let call = Call { operation, members: members_of(self.model, &request) };
        self.requests.lock().unwrap().push(request);
        self.answer(&call).map(|body| Bytes::from(body.to_string())).map_err(|kind| scripted(operation, kind))
    }
}

/// A store that knows of every asset that it was published under a listing.
pub(super) struct KnownListing(pub(super) FakeBaseline);

impl Baseline for KnownListing {
    fn keeps_hashes(&self) -> bool {
        self.0.keeps_hashes()
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    async fn unchanged(&self, slices: Vec<(QualifiedName, SourceHash)>) -> Result<Vec<Option<KnownAsset>>, SinkError> {
        self.0.unchanged(slices).await
    }

    async fn stored(&self, name: &QualifiedName) -> Result<Option<Asset>, SinkError> {
        let mut asset = Asset::new(Kind::SmusPublishedAsset, name.clone(), "known");
        asset.attributes.set(Attribute::SmusListingId, "l1");
        Ok(Some(asset))
    }

    async fn tables_at(&self, locations: Vec<S3Location>) -> Result<Vec<(S3Location, QualifiedName)>, SinkError> {
        self.0.tables_at(locations).await
    }

    async fn missing(&self, scopes: Vec<ScopeReport>, limit: usize) -> Result<Vec<MissingAsset>, SinkError> {
        self.0.missing(scopes, limit).await
    }
}
