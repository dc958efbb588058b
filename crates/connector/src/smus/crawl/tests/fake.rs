//! A domain in memory: projects with assets, searched as the service searches, and scripts that answer first.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::sync::Mutex;
use std::task::Poll;

use bytes::Bytes;
use model::name::decode_part;
use model::{Asset, KnownAsset, MissingAsset, QualifiedName, S3Location, ScopeReport, SourceHash};
use serde_json::{Value, json};

use crate::glue::fake::{FakeBaseline, scripted};
use crate::port::{ApiError, Baseline, ErrorKind, ReadApi, ReadOperation, ReadRequest, SinkError};

pub(super) const DOMAIN: &str = "dzd_1";

/// 2026-01-01 UTC, in milliseconds since 1970.
pub(super) const NOW_MS: i64 = 1_767_225_600_000;

/// How often others have a turn before a slow answer comes.
const TURNS: usize = 50;

const HOUR_MS: i64 = 3_600_000;

/// What a script answers: a body, or the kind of failure.
pub(super) type Answer = Result<Value, ErrorKind>;

/// A call as a script sees it.
pub(super) struct Call<'a> {
    pub(super) operation: ReadOperation,
    /// The segments of the path, decoded.
    segments: Vec<String>,
    query: BTreeMap<String, String>,
    pub(super) body: Value,
    earlier: &'a [ReadOperation],
}

impl Call<'_> {
    /// How many calls of the same operation came before.
    pub(super) fn earlier(&self) -> usize {
        self.earlier.iter().filter(|earlier| **earlier == self.operation).count()
    }

    /// Whether a call of this operation names something in its path.
    pub(super) fn is(&self, operation: ReadOperation, id: &str) -> bool {
        self.operation == operation && self.segments.iter().any(|segment| segment == id)
    }

    /// Whether a call names something in its path or its query.
    pub(super) fn names(&self, id: &str) -> bool {
        self.segments.iter().any(|segment| segment == id) || self.query.values().any(|value| value == id)
    }

    /// The token of the page that is asked for.
    pub(super) fn token(&self) -> Option<&str> {
        self.body["nextToken"].as_str().or_else(|| self.query.get("nextToken").map(String::as_str))
    }
}

/// An asset of a project.
#[derive(Clone, Debug)]
struct FakeAsset {
    id: String,
    project: String,
    created_ms: i64,
}

/// How the service treats filters of searches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Filtering {
    Honours,
    /// Not at all: every search is for everything.
    Ignores,
    /// With a `ValidationException`.
    Refuses,
}

type Script = Box<dyn Fn(&Call<'_>) -> Option<Answer> + Send + Sync>;

/// One domain; lists that a test does not script are empty.
pub(super) struct FakeStudio {
    assets: Vec<FakeAsset>,
    filtering: Filtering,
    /// What is answered later than anything else.
    slow: Option<ReadOperation>,
    projects: Vec<String>,
    scripts: Vec<Script>,
    calls: Mutex<Vec<ReadOperation>>,
    /// What is refused, and the words for it.
    refusal: Option<(&'static str, &'static str)>,
    bodies: Mutex<Vec<(ReadOperation, Value)>>,
}

impl FakeStudio {
    /// Projects with so many published assets each, made an hour apart.
    pub(super) fn new(projects: &[(&str, usize)]) -> Self {
        let of_project = |(project, count): &(&str, usize)| {
            let project = (*project).to_owned();
            (0..*count).map(move |number| FakeAsset {
                id: format!("{project}a{number}"),
                project: project.clone(),
                created_ms: NOW_MS - HOUR_MS * i64::try_from(number + 1).unwrap(),
            })
        };
        Self {
            assets: projects.iter().flat_map(of_project).collect(),
            filtering: Filtering::Honours,
            slow: None,
            projects: projects.iter().map(|(project, _)| (*project).to_owned()).collect(),
            scripts: Vec::new(),
            calls: Mutex::default(),
            refusal: None,
            bodies: Mutex::default(),
        }
    }

    pub(super) fn filtering(self, filtering: Filtering) -> Self {
        Self { filtering, ..self }
    }

    /// Has one operation answer only when all others have had their turn many times.
    pub(super) fn slow(self, operation: ReadOperation) -> Self {
        Self { slow: Some(operation), ..self }
    }

    /// Adds a script that answers before the domain does.
    pub(super) fn answering(mut self, script: impl Fn(&Call<'_>) -> Option<Answer> + Send + Sync + 'static) -> Self {
        self.scripts.push(Box::new(script));
        self
    }

    /// Has one operation fail, always.
    pub(super) fn failing(self, operation: ReadOperation, kind: ErrorKind) -> Self {
        self.answering(move |call| (call.operation == operation).then_some(Err(kind)))
    }

    /// Has one operation refused for one thing, in the service's or in IAM's words.
    pub(super) fn refusing(mut self, operation: ReadOperation, id: &'static str, message: &'static str) -> Self {
        self.refusal = Some((id, message));
        self.answering(move |call| call.is(operation, id).then_some(Err(ErrorKind::Denied)))
    }

    /// Every operation in the order of calls.
    pub(super) fn called(&self) -> Vec<ReadOperation> {
        self.calls.lock().unwrap().clone()
    }

    /// The bodies of all searches.
    pub(super) fn bodies(&self) -> Vec<(ReadOperation, Value)> {
        self.bodies.lock().unwrap().clone()
    }

    pub(super) fn count(&self, operation: ReadOperation) -> usize {
        self.calls.lock().unwrap().iter().filter(|call| **call == operation).count()
    }

    fn answer(&self, call: &Call<'_>) -> Answer {
        if let Some(answer) = self.scripts.iter().find_map(|script| script(call)) {
            return answer;
        }
        #[expect(clippy::wildcard_enum_match_arm, reason = "lists that a test does not script are empty")]
        match call.operation {
            ReadOperation::ListDomains => Ok(json!({"items": [domain()]})),
            ReadOperation::GetDomain => Ok(domain()),
            ReadOperation::GetDomainUnit => Ok(json!({"id": "u1", "name": "Root"})),
            ReadOperation::ListProjects => {
                let projects = self.projects.iter().map(|id| json!({"id": id, "name": format!("Project {id}")}));
                Ok(json!({"items": projects.collect::<Vec<_>>()}))
            }
            ReadOperation::GetProject => {
                let id = call.segments.last().unwrap();
                Ok(json!({"id": id, "name": format!("Project {id}")}))
            }
            ReadOperation::ListProjectMemberships => Ok(json!({"members": []})),
            ReadOperation::Search if call.body["searchScope"] == "ASSET" => self.page(call, inventory_item),
            ReadOperation::SearchListings => self.page(call, listing_item),
            ReadOperation::QueryGraph | ReadOperation::GetLineageNode => Err(ErrorKind::NotFound),
            _ => Ok(json!({"items": []})),
        }
    }

    fn page(&self, call: &Call<'_>, item: fn(&FakeAsset) -> Value) -> Answer {
        let mut filters = Vec::new();
        if let Some(project) = call.body["owningProjectIdentifier"].as_str() {
            filters.push(json!({"attribute": "owningProjectId", "value": project}));
        }
        collect_filters(&call.body["filters"], &mut filters);
        match self.filtering {
            Filtering::Honours => {}
            Filtering::Ignores => filters.clear(),
            Filtering::Refuses if filters.is_empty() => {}
            Filtering::Refuses => return Err(ErrorKind::Invalid),
        }
        let found: Vec<_> = self.assets.iter().filter(|asset| filters.iter().all(|filter| passes(asset, filter))).collect();
        let offset: usize = call.token().map_or(0, |token| token.parse().unwrap());
        let size = usize::try_from(call.body["maxResults"].as_u64().unwrap()).unwrap();
        let items: Vec<_> = found.iter().skip(offset).take(size).map(|asset| item(asset)).collect();
        let mut page = json!({"items": items, "totalMatchCount": found.len()});
        if offset + size < found.len() {
            page["nextToken"] = json!((offset + size).to_string());
        }
        Ok(page)
    }
}

/// A page of a list of so many items a page, as the service gives them.
pub(super) fn page_of(call: &Call<'_>, items: &[Value], size: usize) -> Value {
    let offset: usize = call.token().map_or(0, |token| token.parse().unwrap());
    let page: Vec<_> = items.iter().skip(offset).take(size).cloned().collect();
    let mut page = json!({"items": page, "totalMatchCount": items.len()});
    if offset + size < items.len() {
        page["nextToken"] = json!((offset + size).to_string());
    }
    page
}

fn domain() -> Value {
    json!({"id": DOMAIN, "name": "Domain", "status": "AVAILABLE", "domainVersion": "V2", "rootDomainUnitId": "u1"})
}

fn inventory_item(asset: &FakeAsset) -> Value {
    json!({"assetItem": {"identifier": asset.id, "name": asset.id, "owningProjectId": asset.project,
        "firstRevisionCreatedAt": asset.created_ms / 1_000, "additionalAttributes": {"formsOutput": []}}})
}

fn listing_item(asset: &FakeAsset) -> Value {
    json!({"assetListing": {"listingId": format!("l-{}", asset.id), "entityId": asset.id, "name": asset.id,
        "owningProjectId": asset.project, "additionalAttributes": {"forms": table_form(&asset.id)}}})
}

/// The forms of a listing: the Glue table that the asset is made from, with one column.
fn table_form(table: &str) -> String {
    let arn = format!("arn:aws:glue:eu-west-1:111122223333:table/sales/{table}");
    json!({"GlueTableForm": {"tableArn": arn, "tableName": table, "columns": [{"columnName": "id", "dataType": "bigint"}]}})
        .to_string()
}

fn collect_filters(clause: &Value, found: &mut Vec<Value>) {
    found.extend(clause.get("filter").cloned());
    clause["and"].as_array().into_iter().flatten().for_each(|clause| collect_filters(clause, found));
}

fn passes(asset: &FakeAsset, filter: &Value) -> bool {
    match (filter["attribute"].as_str().unwrap(), filter["operator"].as_str()) {
        ("owningProjectId", _) => filter["value"] == json!(asset.project),
        ("creationTime", Some("GE")) => asset.created_ms >= filter["intValue"].as_i64().unwrap(),
        ("creationTime", Some("LT")) => asset.created_ms < filter["intValue"].as_i64().unwrap(),
        other => panic!("nothing is searched for by {other:?}"),
    }
}

impl ReadApi for FakeStudio {
    async fn read(&self, request: ReadRequest) -> Result<Bytes, ApiError> {
        if self.slow == Some(request.operation) {
            let mut turns = 0..TURNS;
            poll_fn(|context| {
                context.waker().wake_by_ref();
                if turns.next().is_some() { Poll::Pending } else { Poll::Ready(()) }
            })
            .await;
        }
        let (path, query) = request.path.split_once('?').unwrap_or((&request.path, ""));
        let parameters = query.split('&').filter_map(|parameter| parameter.split_once('='));
        let mut calls = self.calls.lock().unwrap();
        let call = Call {
            operation: request.operation,
            segments: path.split('/').map(decode_part).collect(),
            query: parameters.map(|(name, value)| (name.to_owned(), decode_part(value))).collect(),
            body: serde_json::from_slice(&request.body).unwrap_or(Value::Null),
            earlier: &calls,
        };
        let answer = self.answer(&call);
        let refusal = self.refusal.filter(|(id, _)| call.names(id));
        if !request.body.is_empty() {
            self.bodies.lock().unwrap().push((request.operation, call.body));
        }
        calls.push(request.operation);
        answer.map(|body| Bytes::from(body.to_string())).map_err(|kind| {
            let error = scripted(request.operation, kind);
            let message = refusal.map_or_else(|| error.message.clone(), |(_, message)| message.to_owned());
            ApiError { message, ..error }
        })
    }
}

/// A store in which assets are missing, each of which it knows.
#[derive(Default)]
pub(super) struct FakeStore {
    pub(super) assets: FakeBaseline,
    pub(super) stored: Vec<Asset>,
}

impl Baseline for FakeStore {
    fn keeps_hashes(&self) -> bool {
        false
    }

    fn is_empty(&self) -> bool {
        self.stored.is_empty()
    }

    async fn unchanged(&self, slices: Vec<(QualifiedName, SourceHash)>) -> Result<Vec<Option<KnownAsset>>, SinkError> {
        self.assets.unchanged(slices).await
    }

    async fn stored(&self, name: &QualifiedName) -> Result<Option<Asset>, SinkError> {
        Ok(self.stored.iter().find(|asset| asset.qualified_name == *name).cloned())
    }

    async fn tables_at(&self, locations: Vec<S3Location>) -> Result<Vec<(S3Location, QualifiedName)>, SinkError> {
        self.assets.tables_at(locations).await
    }

    async fn missing(&self, scopes: Vec<ScopeReport>, limit: usize) -> Result<Vec<MissingAsset>, SinkError> {
        self.assets.missing(scopes, limit).await
    }
}
