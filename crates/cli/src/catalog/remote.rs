//! The questions, as requests to a control plane. Its answers become what the catalog itself would have answered.

mod answer;

use std::collections::BTreeMap;
use std::io::Write;

use model::document::report::Report;
use model::{Kind, QualifiedName, Reference, RunId};
use serde::de::DeserializeOwned;
use serde_json::Value;
use store::{
    Candidate, Diff, Direction, Found, Graph, HistoryEvent, Hit, LineageLevel, LineageQuery, NamedAsset, RunRef, SearchQuery,
    StoredAsset, Subject, Twins,
};

use super::{Inside, Run};
use crate::client::{Client, ClientError};
use crate::failure::Failure;
use answer::{AssetAnswer, Children, Connection, Found as FoundAnswer, Lineage, List, Strange};

/// Items of one page, as many as the API gives.
const PAGE: usize = 200;
/// Pages of one list: two million columns, events or runs.
const PAGES_MAX: usize = 10_000;

/// A control plane.
pub(crate) struct Remote {
    client: Client,
}

impl Remote {
    pub(super) fn new(client: Client) -> Self {
        Self { client }
    }

    pub(super) async fn find(&self, typed: &str) -> Result<Found, Failure> {
        let answer: FoundAnswer = self.client.get("assets/find", &[("name", typed.trim())]).await?;
        let Some(found) = answer.found else {
            let candidates = answer.candidates.into_iter().filter_map(|candidate| {
                let kind = Kind::from_type_name(&candidate.type_name)?;
                Some(Candidate { kind, qualified_name: QualifiedName::from_encoded(candidate.qualified_name) })
            });
            return Ok(Found::Candidates(candidates.collect()));
        };
        let name = QualifiedName::from_encoded(found.qualified_name);
        let answer = self.asset(&name).await?;
        let Some(table) = answer.table_of_column() else {
            return Ok(Found::One(Box::new(Subject::Asset(Box::new(self.whole(answer).await?)))));
        };
        let table = self.whole(self.asset(&table).await?).await?;
        let path = name.as_str().strip_prefix(&format!("{}/", table.asset.qualified_name));
        let index = table.asset.columns.iter().position(|column| Some(column.path) == path);
        let index = index.ok_or_else(|| Strange::new("a column is not among those of its table"))?;
        Ok(Found::One(Box::new(Subject::Column { table: Box::new(table), index })))
    }

    /// An asset with its first columns.
    async fn asset(&self, name: &QualifiedName) -> Result<AssetAnswer, ClientError> {
        self.client.get("assets", &[("qualifiedName", name.as_str())]).await
    }

    /// An asset with all of its columns.
    async fn whole(&self, mut answer: AssetAnswer) -> Result<StoredAsset, Failure> {
        if answer.columns_truncated {
            let name = answer.qualified_name()?;
            answer.columns = self.all("assets/columns", &[("qualifiedName", name.as_str())]).await?;
        }
        Ok(answer.stored()?)
    }

    pub(super) async fn search(&self, query: &SearchQuery) -> Result<Vec<Hit>, Failure> {
        let kinds: Vec<_> = query.kinds.iter().map(|kind| kind.type_name()).collect();
        let limit = query.limit.to_string();
        let asked = [("q", query.text.as_str()), ("type", &kinds.join(",")), ("limit", &limit)];
        let list: List<answer::Hit> = self.client.get("search", &asked).await?;
        Ok(list.items.into_iter().map(answer::Hit::found).collect::<Result<_, _>>()?)
    }

    pub(super) async fn lineage(&self, query: &LineageQuery) -> Result<Graph, Failure> {
        let direction = match query.direction {
            Direction::Upstream => "up",
            Direction::Downstream => "down",
            Direction::Both => "both",
        };
        let level = match query.level {
            LineageLevel::Assets => "table",
            LineageLevel::Columns => "column",
        };
        let (depth, nodes) = (query.depth.to_string(), query.nodes_max.to_string());
        let start = ("qualifiedName", query.start.as_str());
        let asked = [start, ("direction", direction), ("depth", &depth), ("level", level), ("nodes", &nodes)];
        match self.client.get::<Lineage>("lineage", &asked).await {
            Ok(lineage) => Ok(lineage.graph()?),
            // The catalog itself has an empty graph for what it does not know.
            Err(ClientError::NotFound { .. }) => Ok(Graph::default()),
            Err(error) => Err(error.into()),
        }
    }

    pub(super) async fn history(&self, name: &QualifiedName) -> Result<Vec<HistoryEvent>, Failure> {
        let events: Vec<answer::Event> = self.all("assets/history", &[("qualifiedName", name.as_str())]).await?;
        warn_if_cut(events.iter().any(|event| event.differences_truncated));
        Ok(events.into_iter().map(answer::Event::happened).collect::<Result<_, _>>()?)
    }

    pub(super) async fn diff(&self, from: RunId, to: RunId, limit: usize) -> Result<Diff, Failure> {
        let (from, to) = (from.to_string(), to.to_string());
        let asked = [("from", from.as_str()), ("to", to.as_str())];
        let (items, truncated) = self.pages::<answer::Changed>("diff", &asked, limit.div_ceil(PAGE)).await?;
        warn_if_cut(items.iter().any(|item| item.differences_truncated));
        let mut changed = items.into_iter().map(answer::Changed::changed).collect::<Result<Vec<_>, _>>()?;
        changed.sort_by(|a, b| (&a.qualified_name, a.kind).cmp(&(&b.qualified_name, b.kind)));
        Ok(Diff { changed, truncated, next: None })
    }

    pub(super) async fn run(&self, run: RunRef) -> Result<Run, Failure> {
        match run {
            RunRef::Id(id) => Ok(self.client.get::<answer::Run>(&format!("runs/{id}"), &[]).await?.run()?),
            RunRef::Latest => self.runs(1).await?.pop().ok_or_else(|| {
                Failure::failed("the catalog has no runs yet", "Start one: POST /api/v1/workflows/{id}/runs, or `isinglass crawl`.")
            }),
        }
    }

    pub(super) async fn runs(&self, limit: usize) -> Result<Vec<Run>, Failure> {
        let size = limit.clamp(1, PAGE).to_string();
        let (mut runs, _) = self.pages::<answer::Run>("runs", &[("limit", &size)], limit.div_ceil(PAGE)).await?;
        runs.truncate(limit);
        Ok(runs.into_iter().map(answer::Run::run).collect::<Result<_, _>>()?)
    }

    pub(super) async fn report(&self, run: RunId) -> Result<Option<Report>, ClientError> {
        known(self.client.get(&format!("runs/{run}/evidence"), &[]).await)
    }

    pub(super) async fn twins(&self, name: &QualifiedName) -> Result<Twins, Failure> {
        Ok(self.asset(name).await?.twins()?)
    }

    pub(super) async fn named(&self, names: &[QualifiedName]) -> Result<BTreeMap<QualifiedName, NamedAsset>, Failure> {
        let mut found = BTreeMap::new();
        for name in names {
            let answer = known(self.asset(name).await)?.filter(|answer| answer.table_of_column().is_none());
            if let Some(answer) = answer {
                let StoredAsset { asset, status, .. } = answer.stored()?;
                found.insert(name.clone(), NamedAsset { kind: asset.kind, name: asset.name, status });
            }
        }
        Ok(found)
    }

    pub(super) async fn connections(&self) -> Result<BTreeMap<String, String>, ClientError> {
        let connections: Vec<Connection> = self.all("connections", &[]).await?;
        Ok(connections.into_iter().map(|connection| (connection.qualified_name, connection.name)).collect())
    }

    pub(super) async fn children(&self, of: &QualifiedName, limit: usize) -> Result<Inside, ClientError> {
        let limit = limit.to_string();
        let asked = [("qualifiedName", of.as_str()), ("limit", limit.as_str())];
        let children: Option<Children> = known(self.client.get("assets/children", &asked).await)?;
        Ok(children.unwrap_or_default().inside())
    }

    /// A list to its end.
    async fn all<T: DeserializeOwned>(&self, path: &str, asked: &[(&str, &str)]) -> Result<Vec<T>, ClientError> {
        Ok(self.pages(path, asked, PAGES_MAX).await?.0)
    }

    /// At most so many pages of a list, and whether there are more.
    async fn pages<T: DeserializeOwned>(
        &self,
        path: &str,
        asked: &[(&str, &str)],
        pages: usize,
    ) -> Result<(Vec<T>, bool), ClientError> {
        let size = PAGE.to_string();
        let (mut items, mut cursor) = (Vec::new(), None::<String>);
        for _ in 0..pages {
            let mut query = asked.to_vec();
            if !asked.iter().any(|(name, _)| *name == "limit") {
                query.push(("limit", &size));
            }
            query.extend(cursor.as_deref().map(|cursor| ("cursor", cursor)));
            let page: List<T> = self.client.get(path, &query).await?;
            items.extend(page.items);
            cursor = page.next_cursor;
            if cursor.is_none() {
                break;
            }
        }
        Ok((items, cursor.is_some()))
    }
}

/// A server lists some hundred differences of one asset; what is missing is said beside the results.
fn warn_if_cut(is_cut: bool) {
    if is_cut {
        let text = "warning: the server does not list every difference of an asset; --catalog does";
        let _ = writeln!(std::io::stderr(), "{text}");
    }
}

/// What the server does not have is absent.
fn known<T>(answer: Result<T, ClientError>) -> Result<Option<T>, ClientError> {
    match answer {
        Ok(found) => Ok(Some(found)),
        Err(ClientError::NotFound { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The type and name of an asset in an answer.
fn reference(type_name: &str, qualified_name: String) -> Result<Reference, Strange> {
    let kind = Kind::from_type_name(type_name).ok_or_else(|| Strange::new(format!("there is no type {type_name}")))?;
    Ok(Reference::new(kind, QualifiedName::from_encoded(qualified_name)))
}

/// Whether an answer has a member, for members that only some have.
fn text<'v>(value: &'v Value, path: &str) -> Option<&'v str> {
    value.pointer(path).and_then(Value::as_str)
}
