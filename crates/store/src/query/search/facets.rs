//! How what is found spreads over kinds, connections and certificates.

use std::collections::{BTreeMap, BTreeSet};

use model::Kind;

use crate::connections::ConnectionId;
use crate::content;
use crate::control::Certificate;
use crate::db::query;
use crate::dialect::number_list;
use crate::query::search::SearchQuery;
use crate::query::search::candidates::{Among, matching_step};
use crate::query::search::plan::{any_kind, kind_tokens, searched_kinds};
use crate::word_index::{Condition, Subject, WordIndex};
use crate::{Result, Store};

/// How much of what is found is of a kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KindCount {
    /// The kind.
    pub kind: Kind,
    /// How many.
    pub count: u64,
    /// Whether there may be more.
    pub is_capped: bool,
}

/// How much of what is found a connection has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectionCount {
    /// The connection.
    pub connection: ConnectionId,
    /// Its name.
    pub name: String,
    /// How many.
    pub count: u64,
}

/// How much of what is found has a certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CertificateCount {
    /// The certificate.
    pub certificate: Certificate,
    /// How many.
    pub count: u64,
}

/// Assets of one kind that are counted.
const COUNTED_MAX: usize = 1000;
/// Assets that are counted one by one: with more the index counts kind by kind.
const COUNTED_AT_ONCE_MAX: usize = 2000;

impl Store {
    /// How much of what a query finds is of which kind, most first, whatever kinds it is narrowed to. A kind is counted up to 1,000.
    ///
    /// # Errors
    /// When the catalog cannot be read.
    pub async fn search_kinds(&self, query: &SearchQuery) -> Result<Vec<KindCount>> {
        let plan = self.plan(query).await?;
        if plan.steps.is_empty() {
            return Ok(Vec::new());
        }
        let (any, among) = (plan.any(), self.among(query).await?);
        let mut index = WordIndex::open(self, Subject::Assets).await?;
        let (ids, is_capped) = matching_step(&mut index, &any, &among, COUNTED_AT_ONCE_MAX).await?;
        let mut counts = match among {
            Among::All if is_capped => count_by_index(&mut index, &any).await?,
            Among::All | Among::Connections(_) | Among::Assets { .. } => {
                drop(index);
                let mut ids: BTreeSet<i64> = ids.into_iter().collect();
                if !query.text.trim().is_empty() {
                    let said = self.matching_enrichment(&plan.steps).await?;
                    ids.extend(said.into_keys().filter(|id| among.allows(*id)));
                }
                self.count_kinds(ids, query, is_capped).await?
            }
        };
        counts.sort_by(|one, other| other.count.cmp(&one.count).then(one.kind.cmp(&other.kind)));
        Ok(counts)
    }

    async fn count_kinds(&self, ids: BTreeSet<i64>, of: &SearchQuery, is_capped: bool) -> Result<Vec<KindCount>> {
        let text = "SELECT c.kind, p.connection FROM content c JOIN place p ON p.id = c.place
            WHERE c.id IN (SELECT value FROM json_each($1))";
        let mut counts: BTreeMap<i64, u64> = BTreeMap::new();
        for row in query(text).bind(number_list(ids)).fetch_all(self.readers()).await? {
            let connection = ConnectionId(row.try_get(1)?);
            if of.connections.is_empty() || of.connections.contains(&connection) {
                *counts.entry(row.try_get(0)?).or_default() += 1;
            }
        }
        let bounded = |(code, count): (i64, u64)| {
            let kind = content::kind(code)?;
            Ok(KindCount { kind, count: count.min(COUNTED_MAX as u64), is_capped: is_capped || count > COUNTED_MAX as u64 })
        };
        counts.into_iter().map(bounded).collect()
    }
}

/// Counts kind by kind, each where the index has it: many kinds are nowhere, and most in a few places.
async fn count_by_index(index: &mut WordIndex, condition: &Condition) -> Result<Vec<KindCount>> {
    let kinds = searched_kinds();
    let having = index.having(&kind_tokens(&kinds)).await?;
    let mut counts = Vec::new();
    for (kind, segments) in kinds.into_iter().zip(having) {
        let narrowed = Condition::All(vec![any_kind(&[kind]), condition.clone()]);
        let count = index.matches_within(segments, &narrowed).take(COUNTED_MAX).await?.len();
        if count > 0 {
            counts.push(KindCount { kind, count: count as u64, is_capped: count >= COUNTED_MAX });
        }
    }
    Ok(counts)
}
