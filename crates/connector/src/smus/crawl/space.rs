//! Searching a whole space: pages through to the end, de-duplicated, compared with the total that the service states, and split into
//! several chains where it is large.
//!
//! One chain of pages cannot fill the published rates over a distance, so a large space is cut by project and a large project by time.
//! How the service filters is not documented everywhere; so a cut counts only if its parts add up to the whole, and otherwise one chain
//! reads everything.

use std::collections::HashSet;
use std::sync::Mutex;

use bytes::Bytes;
use futures::channel::mpsc::Sender;
use futures::{SinkExt, StreamExt};
use serde_json::{Map, Value, json};

use super::pages::{Asked, PAGE_ITEMS_MAX, Page, may_begin_again};
use super::{Crawl, CrawlError};
use crate::paging::Tokens;
use crate::port::{ApiError, AssetSink, Baseline, ReadApi, ReadOperation};

/// A space with more items than this (40 pages) is split.
const SPLIT_ABOVE: i64 = 2_000;

/// How many chains are read at once: six to eight fill the published rates at 0.3 s a page.
const CHAINS_AT_ONCE: usize = 8;

/// The most projects that a space is cut by: the first page of each is held until its turn comes.
const PROJECTS_MAX: usize = 100;

/// How many parts a cut by time aims at.
const TIME_PARTS: i64 = 8;

/// How often a cut by time halves its ranges: after that a range is a fraction of a second.
const HALVINGS_MAX: u32 = 40;

/// Nothing in Amazon DataZone is older than its preview: 2022-01-01, in milliseconds since 1970 UTC.
const EARLIEST_MS: i64 = 1_640_995_200_000;

/// Clocks differ: items may be a day younger than the crawl.
const DAY_MS: i64 = 86_400_000;

/// What is searched.
#[derive(Clone, Debug)]
pub(super) struct Space {
    operation: ReadOperation,
    domain: String,
    body: Map<String, Value>,
}

impl Space {
    /// The inventory of a scope (`ASSET`, `GLOSSARY`, …), with forms where there are any.
    pub(super) fn inventory(domain: &str, scope: &str) -> Self {
        let mut body = json!({"searchScope": scope, "maxResults": PAGE_ITEMS_MAX});
        if scope == "ASSET" {
            body["additionalAttributes"] = json!(["FORMS"]);
        }
        Self::new(ReadOperation::Search, domain, body)
    }

    /// Everything that is published.
    pub(super) fn listings(domain: &str) -> Self {
        let body = json!({"maxResults": PAGE_ITEMS_MAX, "additionalAttributes": ["FORMS"]});
        Self::new(ReadOperation::SearchListings, domain, body)
    }

    fn new(operation: ReadOperation, domain: &str, body: Value) -> Self {
        let body = if let Value::Object(body) = body { body } else { Map::new() };
        Self { operation, domain: domain.to_owned(), body }
    }

    fn asked(&self, part: &Part) -> Asked {
        let mut body = self.body.clone();
        let mut clauses = Vec::new();
        if let Some(project) = &part.project {
            if self.operation == ReadOperation::Search {
                body.insert("owningProjectIdentifier".to_owned(), json!(project));
            } else {
                clauses.push(json!({"filter": {"attribute": "owningProjectId", "value": project, "operator": "EQ"}}));
            }
        }
        if let Some((from, to)) = part.time {
            clauses.push(json!({"filter": {"attribute": "creationTime", "intValue": from, "operator": "GE"}}));
            clauses.push(json!({"filter": {"attribute": "creationTime", "intValue": to, "operator": "LT"}}));
        }
        match clauses.len() {
            0 => {}
            1 => {
                body.insert("filters".to_owned(), clauses.remove(0));
            }
            _ => {
                body.insert("filters".to_owned(), json!({"and": clauses}));
            }
        }
        Asked::search(self.operation, &self.domain, Value::Object(body))
    }
}

/// A part of a space; without anything it is the whole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Part {
    project: Option<String>,
    /// Milliseconds since 1970 UTC, the end not included.
    time: Option<(i64, i64)>,
}

/// What a page of a search gave: items with the hash of what identifies each, and the total that the service states.
pub(super) struct Found<I> {
    pub(super) items: Vec<(u64, I)>,
    pub(super) total: Option<i64>,
}

/// The first page of a part, and where the list goes on.
struct First<I> {
    found: Found<I>,
    tokens: Tokens,
}

impl<I> First<I> {
    fn total(&self) -> i64 {
        self.found.total.unwrap_or(0)
    }
}

/// How the reading of a space ended.
#[derive(Debug, Default)]
pub(super) struct SpaceEnd {
    /// Why it could not be read to its end.
    pub(super) failure: Option<ApiError>,
    /// Items found and items stated, where these differ even after a second reading.
    pub(super) differs: Option<(i64, i64)>,
}

impl SpaceEnd {
    fn failed(error: ApiError) -> Self {
        Self { failure: Some(error), differs: None }
    }

    /// Whether everything was read.
    pub(super) fn is_whole(&self) -> bool {
        self.failure.is_none() && self.differs.is_none()
    }

    fn join(&mut self, other: Self) {
        self.failure = self.failure.take().or(other.failure);
        self.differs = match (self.differs, other.differs) {
            (Some(one), Some(other)) => Some((one.0 + other.0, one.1 + other.1)),
            (one, other) => one.or(other),
        };
    }
}

/// What all chains of a space share.
struct Reading<'r, I, P> {
    space: &'r Space,
    parse: &'r P,
    seen: Mutex<HashSet<u64>>,
    out: Sender<Vec<I>>,
}

impl<A: ReadApi, S: AssetSink, B: Baseline> Crawl<'_, A, S, B> {
    /// Reads a space and sends its items, each once, to `out`. `projects` are what it may be cut by; a receiver that is gone ends it.
    ///
    /// # Errors
    /// When the run cannot go on.
    pub(super) async fn read_space<I, P>(
        &self,
        space: &Space,
        projects: &[&str],
        parse: &P,
        out: Sender<Vec<I>>,
    ) -> Result<SpaceEnd, CrawlError>
    where
        P: Fn(&Bytes) -> Result<Page<Found<I>>, serde_json::Error>,
    {
        let whole = Part::default();
        let first = match self.first_page(space, &whole, parse).await {
            Ok(first) => first,
            Err(error) if Self::is_fatal(&error) => return Err(error.into()),
            Err(error) => return Ok(SpaceEnd::failed(error)),
        };
        let parts = self.split(space, projects, first, parse).await?;
        let reading = Reading { space, parse, seen: Mutex::default(), out };
        let chains = parts.into_iter().map(|(part, first)| self.read_part(&reading, part, first));
        let mut chains = futures::stream::iter(chains).buffer_unordered(CHAINS_AT_ONCE);
        let mut end = SpaceEnd::default();
        while let Some(part) = chains.next().await {
            end.join(part?);
        }
        Ok(end)
    }

    async fn first_page<I, P>(&self, space: &Space, part: &Part, parse: &P) -> Result<First<I>, ApiError>
    where
        P: Fn(&Bytes) -> Result<Page<Found<I>>, serde_json::Error>,
    {
        let mut tokens = Tokens::new(space.operation);
        let found = self.next_page(&space.asked(part), &mut tokens, parse).await?;
        Ok(First { found, tokens })
    }

    /// Cuts a space into parts that are known to add up to it.
    async fn split<I, P>(
        &self,
        space: &Space,
        projects: &[&str],
        first: First<I>,
        parse: &P,
    ) -> Result<Vec<(Part, First<I>)>, CrawlError>
    where
        P: Fn(&Bytes) -> Result<Page<Found<I>>, serde_json::Error>,
    {
        let total = first.total();
        if total <= SPLIT_ABOVE {
            return Ok(vec![(Part::default(), first)]);
        }
        // Every project costs a page at least: a cut by many small ones would cost more than it saves.
        let pages = total / i64::from(PAGE_ITEMS_MAX);
        let is_worthwhile =
            (2..=PROJECTS_MAX).contains(&projects.len()) && i64::try_from(projects.len()).is_ok_and(|count| count * 4 <= pages);
        let by_project = if is_worthwhile { self.split_by_project(space, projects, total, parse).await? } else { None };
        let mut parts = Vec::new();
        for (part, first) in by_project.unwrap_or_else(|| vec![(Part::default(), first)]) {
            if first.total() > SPLIT_ABOVE {
                parts.extend(self.split_by_time(space, part, first, parse).await?);
            } else {
                parts.push((part, first));
            }
        }
        // The longest first, so that none is left to run alone at the end.
        parts.sort_by_key(|(_, first)| std::cmp::Reverse(first.total()));
        Ok(parts)
    }

    async fn split_by_project<I, P>(
        &self,
        space: &Space,
        projects: &[&str],
        total: i64,
        parse: &P,
    ) -> Result<Option<Vec<(Part, First<I>)>>, CrawlError>
    where
        P: Fn(&Bytes) -> Result<Page<Found<I>>, serde_json::Error>,
    {
        let firsts = (0..projects.len()).map(|at| async move {
            let part = Part { project: Some(projects[at].to_owned()), time: None };
            self.first_page(space, &part, parse).await.map(|first| (part, first))
        });
        let mut reading = futures::stream::iter(firsts).buffer_unordered(CHAINS_AT_ONCE);
        let mut parts = Vec::new();
        while let Some(read) = reading.next().await {
            match read {
                Ok(part) => parts.push(part),
                Err(error) if Self::is_fatal(&error) => return Err(error.into()),
                Err(error) => {
                    tracing::debug!(%error, "the space is not cut by project");
                    return Ok(None);
                }
            }
        }
        let sum: i64 = parts.iter().map(|(_, first)| first.total()).sum();
        Ok((sum == total).then_some(parts))
    }

    /// Halves ranges of time until each is small; a half that does not add up with the other leaves its range whole.
    async fn split_by_time<I, P>(
        &self,
        space: &Space,
        part: Part,
        first: First<I>,
        parse: &P,
    ) -> Result<Vec<(Part, First<I>)>, CrawlError>
    where
        P: Fn(&Bytes) -> Result<Page<Found<I>>, serde_json::Error>,
    {
        let small = (first.total() / TIME_PARTS).max(SPLIT_ABOVE);
        let end = self.settings.now_ms.max(EARLIEST_MS) + DAY_MS;
        let ranged = Part { time: Some((EARLIEST_MS, end)), ..part.clone() };
        let Some(range) = self.probe(space, &ranged, parse).await? else { return Ok(vec![(part, first)]) };
        if range.total() != first.total() {
            return Ok(vec![(part, first)]);
        }
        let mut open = vec![(ranged, range, 0)];
        let mut parts = Vec::new();
        while let Some((part, first, halvings)) = open.pop() {
            let (from, to) = part.time.unwrap_or((EARLIEST_MS, end));
            let middle = from + (to - from) / 2;
            if first.total() <= small || halvings >= HALVINGS_MAX || middle == from {
                parts.push((part, first));
                continue;
            }
            let halves = [(from, middle), (middle, to)].map(|time| Part { time: Some(time), ..part.clone() });
            let probes = futures::join!(self.probe(space, &halves[0], parse), self.probe(space, &halves[1], parse));
            let [earlier_part, later_part] = halves;
            match (probes.0?, probes.1?) {
                (Some(earlier), Some(later)) if earlier.total() + later.total() == first.total() => {
                    open.push((earlier_part, earlier, halvings + 1));
                    open.push((later_part, later, halvings + 1));
                }
                _ => parts.push((part, first)),
            }
        }
        parts.retain(|(_, first)| first.total() > 0);
        Ok(parts)
    }

    /// The first page of a part, or none if the service refuses the filter.
    async fn probe<I, P>(&self, space: &Space, part: &Part, parse: &P) -> Result<Option<First<I>>, CrawlError>
    where
        P: Fn(&Bytes) -> Result<Page<Found<I>>, serde_json::Error>,
    {
        match self.first_page(space, part, parse).await {
            Ok(first) => Ok(Some(first)),
            Err(error) if Self::is_fatal(&error) => Err(error.into()),
            Err(error) => {
                tracing::debug!(%error, "the space is not cut by time");
                Ok(None)
            }
        }
    }

    /// Reads one part to its end; once more if the service states more items than came.
    async fn read_part<I, P>(&self, reading: &Reading<'_, I, P>, part: Part, first: First<I>) -> Result<SpaceEnd, CrawlError>
    where
        P: Fn(&Bytes) -> Result<Page<Found<I>>, serde_json::Error>,
    {
        let asked = reading.space.asked(&part);
        let mut ids = HashSet::new();
        let First { found, tokens } = first;
        let mut total = match self.read_chain(reading, &asked, tokens, Some(found), &mut ids).await? {
            Ok(total) => total,
            Err(error) => return Ok(SpaceEnd::failed(error)),
        };
        if counted(&ids) < total && !reading.out.is_closed() {
            tracing::debug!(found = counted(&ids), total, "fewer items came than the service states; reading again");
            total = match self.read_chain(reading, &asked, Tokens::new(reading.space.operation), None, &mut ids).await? {
                Ok(total) => total,
                Err(error) => return Ok(SpaceEnd::failed(error)),
            };
        }
        Ok(SpaceEnd { failure: None, differs: (counted(&ids) < total).then(|| (counted(&ids), total)) })
    }

    /// Reads from a first page, or from the beginning, to the end; gives the total that the service stated last.
    async fn read_chain<I, P>(
        &self,
        reading: &Reading<'_, I, P>,
        asked: &Asked,
        mut tokens: Tokens,
        first: Option<Found<I>>,
        ids: &mut HashSet<u64>,
    ) -> Result<Result<i64, ApiError>, CrawlError>
    where
        P: Fn(&Bytes) -> Result<Page<Found<I>>, serde_json::Error>,
    {
        let mut total = 0;
        let mut found = first;
        // A receiver that is gone has failed, and says so itself.
        while !reading.out.is_closed() {
            if let Some(page) = found.take() {
                total = page.total.unwrap_or(total);
                ids.extend(page.items.iter().map(|(id, _)| *id));
                let fresh = reading.fresh(page.items);
                if !fresh.is_empty() && reading.out.clone().send(fresh).await.is_err() {
                    break;
                }
            }
            if tokens.is_done() {
                return Ok(Ok(total));
            }
            match self.next_page(asked, &mut tokens, reading.parse).await {
                Ok(page) => found = Some(page),
                // What came before is known, so beginning again costs calls only.
                Err(error) if may_begin_again(&error, &tokens) => tokens.restart(),
                Err(error) if Self::is_fatal(&error) => return Err(error.into()),
                Err(error) => return Ok(Err(error)),
            }
        }
        Ok(Ok(total))
    }
}

impl<I, P> Reading<'_, I, P> {
    /// The items that no chain has had before.
    fn fresh(&self, items: Vec<(u64, I)>) -> Vec<I> {
        let mut seen = self.seen.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        items.into_iter().filter(|(id, _)| seen.insert(*id)).map(|(_, item)| item).collect()
    }
}

fn counted(ids: &HashSet<u64>) -> i64 {
    i64::try_from(ids.len()).unwrap_or(i64::MAX)
}
