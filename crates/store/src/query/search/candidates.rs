//! What the index and people's words have for a query, before it is ranked: a bounded number, whatever is asked for.

use std::collections::{BTreeMap, BTreeSet};

use crate::connections::ConnectionId;
use crate::content::{self, Stored};
use crate::control::Certificate;
use crate::db::{query, query_scalar};
use crate::dialect::{number_list, text_list};
use crate::query::rank::Question;
use crate::query::search::plan::{MatchPlan, kind_tokens};
use crate::query::search::{Ranked, SearchQuery};
use crate::word_index::{Condition, Matches, Subject, WordIndex};
use crate::{Result, Store, StoreError};

/// Candidates that are read and ranked: a common word has a million, and ranking them all takes a second.
const CANDIDATES_MAX: usize = 200;
/// Matches whose connection is looked at for one step.
const SCANNED_MAX: usize = 100_000;
/// Matches whose connection is looked at by one statement.
const SCANNED_AT_ONCE: usize = 2_000;
/// Assets that people have certified or tagged and that are looked at.
const ENRICHED_MAX: usize = 10_000;

/// What is ranked.
pub(super) struct Candidates {
    pub(super) assets: Vec<Stored>,
    pub(super) said: Said,
    /// Whether there may be more.
    pub(super) is_capped: bool,
}

/// What people say of candidates that were found by it.
pub(super) struct Said(BTreeMap<i64, String>);

impl Said {
    pub(super) fn rank(&self, question: &Question, stored: Stored) -> Ranked {
        let (rank, matched) = question.rank(&stored.asset, self.0.get(&stored.id).map(String::as_str));
        Ranked { rank, matched, stored }
    }
}

/// Where candidates may be.
pub(super) enum Among {
    /// Anywhere.
    All,
    /// In these connections.
    Connections(Vec<ConnectionId>),
    /// Only these assets.
    Assets {
        ids: BTreeSet<i64>,
        /// Whether some were not looked at.
        is_capped: bool,
    },
}

impl Among {
    pub(super) fn allows(&self, id: i64) -> bool {
        match self {
            // The connection of each candidate is read later on.
            Self::All | Self::Connections(_) => true,
            Self::Assets { ids, .. } => ids.contains(&id),
        }
    }
}

impl Store {
    pub(super) async fn candidates(&self, query: &SearchQuery) -> Result<Candidates> {
        let plan = self.plan(query).await?.of_kinds(&query.kinds);
        let among = self.among(query).await?;
        let said = if query.text.trim().is_empty() { BTreeMap::new() } else { self.matching_enrichment(&plan.steps).await? };
        let mut index = WordIndex::open(self, Subject::Assets).await?;
        if !query.kinds.is_empty() {
            index.narrow(&kind_tokens(&query.kinds)).await?;
        }
        let (mut ids, is_capped) = matching_ids(&mut index, &plan, &among).await?;
        drop(index);
        ids.extend(said.keys().copied().filter(|id| among.allows(*id)));
        let assets = content::read(self.readers(), ids).await?.into_values().collect();
        Ok(Candidates { assets, said: Said(said), is_capped })
    }

    /// The assets that meet the steps of a plan, up to a bound.
    pub(crate) async fn matching(&self, plan: &MatchPlan) -> Result<Vec<Stored>> {
        let mut index = WordIndex::open(self, Subject::Assets).await?;
        let (ids, _) = matching_ids(&mut index, plan, &Among::All).await?;
        drop(index);
        Ok(content::read(self.readers(), ids).await?.into_values().collect())
    }

    /// Where the candidates of a query may be.
    pub(super) async fn among(&self, query: &SearchQuery) -> Result<Among> {
        if !query.certificates.is_empty() || !query.tags.is_empty() {
            return self.enriched(query).await;
        }
        Ok(if query.connections.is_empty() { Among::All } else { Among::Connections(query.connections.clone()) })
    }

    /// The active assets of which people say what the query asks for.
    async fn enriched(&self, wanted: &SearchQuery) -> Result<Among> {
        let all = Certificate::ALL.map(Certificate::as_str);
        let certificates: Vec<&str> = match wanted.certificates.as_slice() {
            [] => [""].into_iter().chain(all).collect(),
            some => some.iter().map(|certificate| certificate.as_str()).collect(),
        };
        let text = "SELECT e.asset, e.tags, p.connection FROM enrichment e JOIN content c ON c.id = e.asset
            JOIN place p ON p.id = c.place JOIN asset a ON a.place = c.place AND a.part = c.part AND a.kind = c.kind
            WHERE e.path = '' AND a.archived_run = 0 AND coalesce(e.certificate, '') IN (SELECT value FROM json_each($1))
                AND e.tags LIKE $2 ESCAPE '!' ORDER BY e.asset LIMIT $3";
        let limit = i64::try_from(ENRICHED_MAX).unwrap_or(i64::MAX);
        let query = query(text).bind(text_list(certificates)).bind(tag_pattern(&wanted.tags)).bind(limit);
        let rows = query.fetch_all(self.readers()).await?;
        let mut ids = BTreeSet::new();
        for row in &rows {
            let tags: Vec<String> = serde_json::from_str(row.try_get(1)?).map_err(StoreError::corrupt)?;
            let connection = ConnectionId(row.try_get(2)?);
            let is_there = wanted.connections.is_empty() || wanted.connections.contains(&connection);
            if is_there && wanted.tags.iter().all(|tag| tags.contains(tag)) {
                ids.insert(row.try_get(0)?);
            }
        }
        Ok(Among::Assets { ids, is_capped: rows.len() >= ENRICHED_MAX })
    }
}

/// The candidates that meet the steps of a plan, the first steps first; and whether there may be more.
async fn matching_ids(index: &mut WordIndex, plan: &MatchPlan, among: &Among) -> Result<(BTreeSet<i64>, bool)> {
    let mut ids: BTreeSet<i64> = BTreeSet::new();
    let mut is_capped = matches!(among, Among::Assets { is_capped: true, .. });
    for step in &plan.steps {
        let (found, is_step_capped) = matching_step(index, step, among, CANDIDATES_MAX).await?;
        is_capped |= is_step_capped;
        for id in found {
            if ids.len() < CANDIDATES_MAX {
                ids.insert(id);
            }
        }
        if ids.len() == CANDIDATES_MAX {
            // What later steps have is not looked at.
            return Ok((ids, true));
        }
    }
    Ok((ids, is_capped))
}

/// The first assets that meet a condition, up to a bound; and whether there may be more.
pub(super) async fn matching_step(index: &mut WordIndex, step: &Condition, among: &Among, max: usize) -> Result<(Vec<i64>, bool)> {
    let (ids, is_capped) = match among {
        Among::All => (index.matches(step).take(max).await?, false),
        Among::Assets { ids, .. } => (index.matches_among(step, ids.iter().copied().collect()).take(max).await?, false),
        Among::Connections(connections) => of_connections(index.matches(step), connections, max).await?,
    };
    let is_full = ids.len() >= max;
    Ok((ids, is_full || is_capped))
}

/// The first assets of connections, up to a bound; and whether so many others were looked at that there may be more.
async fn of_connections(mut matches: Matches<'_>, connections: &[ConnectionId], max: usize) -> Result<(Vec<i64>, bool)> {
    let text = "SELECT c.id FROM content c JOIN place p ON p.id = c.place WHERE c.id IN (SELECT value FROM json_each($1))
        AND p.connection IN (SELECT value FROM json_each($2)) ORDER BY c.id";
    let (mut ids, mut scanned): (Vec<i64>, usize) = (Vec::new(), 0);
    while ids.len() < max && scanned < SCANNED_MAX {
        let found = matches.take(SCANNED_AT_ONCE).await?;
        if found.is_empty() {
            return Ok((ids, false));
        }
        scanned += found.len();
        let query = query_scalar::<i64>(text).bind(number_list(found));
        let connections = number_list(connections.iter().map(|connection| connection.0));
        ids.extend(query.bind(connections).fetch_all(&mut matches.connection()).await?);
    }
    ids.truncate(max);
    Ok((ids, true))
}

/// A pattern for the JSON list of tags that holds where the first of these is in it, and sometimes where it is not.
fn tag_pattern(tags: &[String]) -> String {
    let Some(tag) = tags.first() else { return "%".to_owned() };
    let json = serde_json::Value::from(tag.as_str()).to_string();
    let mut pattern = String::from("%");
    for character in json.chars() {
        if matches!(character, '%' | '_' | '!') {
            pattern.push('!');
        }
        pattern.push(character);
    }
    pattern.push('%');
    pattern
}
