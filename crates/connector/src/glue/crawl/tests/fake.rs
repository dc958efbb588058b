//! An account in memory: answers reads, takes batches, knows earlier runs.

use std::collections::{BTreeMap, HashMap};
use std::future::Future;
use std::pin::Pin;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use model::{Asset, AssetBatch, KnownAsset, MissingAsset, QualifiedName, S3Location, ScopeReport, SourceHash};
use serde_json::{Value, json};

use crate::port::{ApiError, AssetSink, Baseline, ErrorKind, ReadApi, ReadOperation, ReadRequest, SinkError};

pub(crate) const ACCOUNT: &str = "111122223333";

/// What a script answers: a body, or the kind of failure.
pub(crate) type Answer = Result<Value, ErrorKind>;

/// A call as a script sees it.
pub(crate) struct Call<'a> {
    pub(crate) operation: ReadOperation,
    pub(crate) input: &'a Value,
    /// How many calls of the same operation and input came before.
    pub(crate) repetition: usize,
}

impl Call<'_> {
    pub(crate) fn text(&self, member: &str) -> Option<&str> {
        self.input.get(member)?.as_str()
    }

    pub(crate) fn is(&self, operation: ReadOperation, member: &str, value: &str) -> bool {
        self.operation == operation && self.text(member) == Some(value)
    }
}

type Script = Box<dyn Fn(&Call<'_>) -> Option<Answer> + Send + Sync>;

/// How the service treats `GetTables.Expression`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Filtering {
    /// As documented: pages of names that match.
    Honours,
    /// Not at all.
    Ignores,
    /// With an `InvalidInputException`.
    Refuses,
    /// Only after a page was cut: pages come out short, with a token.
    AfterPaging,
    /// Case aside, so that some names of a page are outside of the part.
    IgnoresCase,
}

/// An account with databases of tables. Scripts answer first.
pub(crate) struct FakeApi {
    pub(crate) databases: BTreeMap<String, Vec<String>>,
    pub(crate) filtering: Filtering,
    scripts: Vec<Script>,
    calls: Mutex<Vec<(ReadOperation, Value)>>,
}

impl FakeApi {
    pub(crate) fn new(databases: &[(&str, &[&str])]) -> Self {
        let own = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Self {
            databases: databases.iter().map(|(name, tables)| ((*name).to_owned(), own(tables))).collect(),
            filtering: Filtering::Honours,
            scripts: Vec::new(),
            calls: Mutex::default(),
        }
    }

    /// Adds a script that answers before the account does.
    pub(crate) fn answering(mut self, script: impl Fn(&Call<'_>) -> Option<Answer> + Send + Sync + 'static) -> Self {
        self.scripts.push(Box::new(script));
        self
    }

    pub(crate) fn calls(&self) -> Vec<(ReadOperation, Value)> {
        self.calls.lock().unwrap().clone()
    }

    pub(crate) fn count(&self, operation: ReadOperation) -> usize {
        self.calls().iter().filter(|call| call.0 == operation).count()
    }

    fn answer(&self, call: &Call<'_>) -> Answer {
        if let Some(answer) = self.scripts.iter().find_map(|script| script(call)) {
            return answer;
        }
        #[expect(clippy::wildcard_enum_match_arm, reason = "lists that a test does not script are empty")]
        match call.operation {
            ReadOperation::GetCatalogs => Ok(json!({"CatalogList": [
                {"CatalogId": ACCOUNT, "Name": ACCOUNT, "ResourceArn": format!("arn:aws:glue:eu-west-1:{ACCOUNT}:catalog")}]})),
            ReadOperation::GetDatabases => {
                let databases: Vec<_> = self.databases.keys().map(|name| json!({"Name": name, "CatalogId": ACCOUNT})).collect();
                Ok(json!({"DatabaseList": databases}))
            }
            ReadOperation::GetTables => self.tables_page(call),
            ReadOperation::GetTable | ReadOperation::GetDatabase | ReadOperation::GetCatalog => Err(ErrorKind::NotFound),
            _ => Ok(json!({})),
        }
    }

    fn tables_page(&self, call: &Call<'_>) -> Answer {
        let tables = self.databases.get(call.text("DatabaseName").unwrap()).ok_or(ErrorKind::NotFound)?;
        let expression = call.text("Expression").filter(|_| self.filtering != Filtering::Ignores);
        let flags = if self.filtering == Filtering::IgnoresCase { "(?i)" } else { "" };
        let regex = expression.map(|expression| regex::Regex::new(&format!("{flags}{expression}")).unwrap());
        let matches = |name: &str| regex.as_ref().is_none_or(|regex| regex.is_match(name));
        if expression.is_some() && self.filtering == Filtering::Refuses {
            return Err(ErrorKind::Invalid);
        }
        let size = usize::try_from(call.input["MaxResults"].as_u64().unwrap()).unwrap();
        let offset: usize = call.text("NextToken").map_or(0, |token| token.parse().unwrap());
        let all: Vec<&String> = if self.filtering == Filtering::AfterPaging {
            tables.iter().collect()
        } else {
            tables.iter().filter(|name| matches(name)).collect()
        };
        let page = all.iter().skip(offset).take(size).filter(|name| matches(name));
        let mut body = json!({"TableList": page.map(|name| table(name)).collect::<Vec<_>>()});
        if offset + size < all.len() {
            body["NextToken"] = json!((offset + size).to_string());
        }
        Ok(body)
    }
}

/// The JSON of a table that has nothing special.
pub(crate) fn table(name: &str) -> Value {
    json!({"Name": name, "TableType": "EXTERNAL_TABLE", "StorageDescriptor": {"Columns": [{"Name": "id", "Type": "bigint"}], "Location": format!("s3://lake/{name}")}})
}

/// Lets others go first, once: in between is where a future can be dropped.
#[derive(Default)]
struct Yield(bool);

impl Future for Yield {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if self.0 {
            return Poll::Ready(());
        }
        self.0 = true;
        context.waker().wake_by_ref();
        Poll::Pending
    }
}

impl ReadApi for FakeApi {
    async fn read(&self, request: ReadRequest) -> Result<Bytes, ApiError> {
        Yield::default().await;
        let input: Value = serde_json::from_slice(&request.body).unwrap();
        let repetition = self.calls.lock().unwrap().iter().filter(|call| call.0 == request.operation && call.1 == input).count();
        self.calls.lock().unwrap().push((request.operation, input.clone()));
        match self.answer(&Call { operation: request.operation, input: &input, repetition }) {
            // A script's text stands for a body that is no JSON.
            Ok(Value::String(raw)) => Ok(Bytes::from(raw)),
            Ok(body) => Ok(Bytes::from(body.to_string())),
            Err(kind) => Err(scripted(request.operation, kind)),
        }
    }
}

/// The failure that a script asks for.
pub(crate) fn scripted(operation: ReadOperation, kind: ErrorKind) -> ApiError {
    ApiError {
        operation,
        kind,
        code: None,
        message: format!("scripted {kind:?}"),
        suggested_action: "none".to_owned(),
        source: None,
    }
}

/// Keeps every batch.
#[derive(Default)]
pub(crate) struct FakeSink {
    batches: Mutex<Vec<AssetBatch>>,
    /// How many batches it takes before it fails; 0 for no bound.
    room: usize,
    taken: AtomicUsize,
}

impl FakeSink {
    pub(crate) fn with_room(room: usize) -> Self {
        Self { room, ..Self::default() }
    }

    pub(crate) fn batches(&self) -> Vec<AssetBatch> {
        self.batches.lock().unwrap().clone()
    }
}

impl AssetSink for FakeSink {
    async fn deliver(&self, batch: AssetBatch) -> Result<(), SinkError> {
        Yield::default().await;
        Yield::default().await;
        if self.room > 0 && self.taken.fetch_add(1, Ordering::Relaxed) >= self.room {
            return Err(SinkError { message: "the sink is full".to_owned(), source: None });
        }
        self.batches.lock().unwrap().push(batch);
        Ok(())
    }
}

/// A store as a crawl sees it.
#[derive(Default)]
pub(crate) struct FakeBaseline {
    /// Assets by name, with the hash that they were made from.
    pub(crate) known: HashMap<QualifiedName, (SourceHash, KnownAsset)>,
    pub(crate) tables_at: Vec<(S3Location, QualifiedName)>,
    pub(crate) missing: Vec<MissingAsset>,
    pub(crate) scopes_asked: Mutex<Vec<ScopeReport>>,
}

impl Baseline for FakeBaseline {
    fn keeps_hashes(&self) -> bool {
        true
    }

    fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    async fn unchanged(&self, slices: Vec<(QualifiedName, SourceHash)>) -> Result<Vec<Option<KnownAsset>>, SinkError> {
        Yield::default().await;
        let known =
            |(name, hash): &(QualifiedName, SourceHash)| self.known.get(name).filter(|known| known.0 == *hash).map(|known| known.1);
        Ok(slices.iter().map(known).collect())
    }

    async fn stored(&self, _name: &QualifiedName) -> Result<Option<Asset>, SinkError> {
        Ok(None)
    }

    async fn tables_at(&self, locations: Vec<S3Location>) -> Result<Vec<(S3Location, QualifiedName)>, SinkError> {
        Ok(self.tables_at.iter().filter(|(location, _)| locations.contains(location)).cloned().collect())
    }

    async fn missing(&self, scopes: Vec<ScopeReport>, limit: usize) -> Result<Vec<MissingAsset>, SinkError> {
        *self.scopes_asked.lock().unwrap() = scopes;
        Ok(self.missing.iter().take(limit).cloned().collect())
    }
}
