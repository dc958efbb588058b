//! Search: candidates from the index, the best first where the index can tell, and one ranking of them in Rust.

use std::collections::BTreeSet;

use model::{Kind, QualifiedName};

use crate::content::{self, Stored};
use crate::db::{Condition, query_scalar};
use crate::dialect;
use crate::query::rank::{self, Matched, Question};
use crate::search_text::{Collector, Ends, descriptions, joined, kind_token};
use crate::{Result, Store};

/// What is searched for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SearchQuery {
    /// Words, or a part of a name. All words must be found; the last one may be the beginning of a word.
    pub text: String,
    /// Only these kinds; none means all.
    pub kinds: Vec<Kind>,
    /// How many hits at most.
    pub limit: usize,
}

/// A found asset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hit {
    /// What it is.
    pub kind: Kind,
    /// Its qualified name.
    pub qualified_name: QualifiedName,
    /// Its name.
    pub name: String,
    /// Its description.
    pub description: Option<String>,
    /// Why it was found.
    pub matched: Matched,
}

/// Candidates that are read and ranked: a common word has a million, and ranking them all takes a second.
const CANDIDATES_MAX: usize = 200;
/// Words of a query that are looked for; the rest only ranks.
const QUERY_WORDS_MAX: usize = 8;
/// Pieces of a name that are looked for: each costs a look-up, and a few tell names apart.
const PIECES_MAX: usize = 3;
/// Words that a prefix is completed to.
const COMPLETIONS_MAX: i64 = 24;

/// Conditions on the search index, from the most to the least telling.
#[derive(Debug, Default)]
pub(crate) struct MatchPlan {
    steps: Vec<Condition>,
}

impl MatchPlan {
    /// Assets of exactly one of these names, whatever its case.
    pub(crate) fn exact_names(names: &[&str]) -> Self {
        let mut steps: Vec<Condition> = names.iter().filter_map(|name| exact(name)).collect();
        steps.dedup();
        Self { steps }
    }
}

/// A condition that holds for assets of this name: by its letters and digits, or by its pieces where it has neither.
fn exact(name: &str) -> Option<Condition> {
    if joined(name).is_empty() {
        return pieces(name, Ends::Both);
    }
    let mut collector = Collector::default();
    collector.whole_name(name);
    Some(Condition::word(collector.text().trim_end()))
}

/// A condition that holds for names with these pieces; `None` where there is no piece.
fn pieces(name: &str, ends: Ends) -> Option<Condition> {
    let mut collector = Collector::default();
    collector.pieces(name, ends);
    let all: Vec<&str> = collector.text().split_ascii_whitespace().collect();
    // Spread over the name, both ends included.
    let step = all.len().div_ceil(PIECES_MAX).max(1);
    let mut chosen: Vec<&str> = all.iter().step_by(step).copied().collect();
    chosen.extend(all.last().filter(|last| !chosen.contains(last)));
    (!chosen.is_empty()).then(|| Condition::All(chosen.into_iter().map(Condition::word).collect()))
}

impl Store {
    /// The best hits for a query, best first. What the index holds of archived assets is gone, so hits are active.
    ///
    /// # Errors
    /// When the catalog cannot be read.
    pub async fn search(&self, query: &SearchQuery) -> Result<Vec<Hit>> {
        let plan = self.plan(query).await?;
        let question = Question::new(&query.text);
        let mut ranked: Vec<(rank::Rank, Hit)> = Vec::new();
        let said = self.matching_enrichment(&plan.steps).await?;
        for stored in self.matching_or(&plan, said.keys().copied()).await? {
            let asset = &stored.asset;
            let (rank, matched) = question.rank(asset, said.get(&stored.id).map(String::as_str));
            let hit = Hit {
                kind: asset.kind,
                qualified_name: asset.qualified_name.clone(),
                name: asset.name.clone(),
                description: descriptions(asset).next().map(str::to_owned),
                matched,
            };
            ranked.push((rank, hit));
        }
        ranked.sort_by(|a, b| (&a.0, a.1.qualified_name.as_str()).cmp(&(&b.0, b.1.qualified_name.as_str())));
        Ok(ranked.into_iter().map(|(_, hit)| hit).take(query.limit).collect())
    }

    /// The assets that meet the steps of a plan, in their order, up to the bound.
    pub(crate) async fn matching(&self, plan: &MatchPlan) -> Result<Vec<Stored>> {
        self.matching_or(plan, []).await
    }

    /// As [`Store::matching`], and those of `others` besides.
    async fn matching_or(&self, plan: &MatchPlan, others: impl IntoIterator<Item = i64>) -> Result<Vec<Stored>> {
        let mut ids: BTreeSet<i64> = BTreeSet::new();
        for step in &plan.steps {
            let wanted = CANDIDATES_MAX - ids.len();
            if wanted == 0 {
                break;
            }
            let limit = i64::try_from(CANDIDATES_MAX).unwrap_or(i64::MAX);
            let query = query_scalar(dialect::MATCHING).bind(step.clone()).bind(limit);
            let found: Vec<i64> = query.fetch_all(self.readers()).await?;
            let fresh: Vec<i64> = found.into_iter().filter(|id| !ids.contains(id)).take(wanted).collect();
            ids.extend(fresh);
        }
        ids.extend(others);
        Ok(content::read(self.readers(), ids).await?.into_values().collect())
    }

    async fn plan(&self, query: &SearchQuery) -> Result<MatchPlan> {
        let mut collector = Collector::default();
        collector.words(&query.text);
        let words: Vec<&str> = collector.text().split_ascii_whitespace().take(QUERY_WORDS_MAX).collect();
        let whole = query.text.trim();
        let mut steps: Vec<Condition> = Vec::new();
        steps.extend(exact(whole));
        steps.extend(pieces(whole, Ends::Start));
        let joined = joined(whole);
        if !joined.is_empty() {
            steps.push(Condition::word(&joined));
        }
        steps.extend((words.len() > 1).then(|| Condition::All(words.iter().copied().map(Condition::word).collect())));
        if let Some((last, others)) = words.split_last() {
            let completions = self.completions(last, &joined).await?;
            if !completions.is_empty() {
                let begun = Condition::Any(completions.iter().map(|word| Condition::word(word)).collect());
                steps.push(Condition::All(others.iter().copied().map(Condition::word).chain([begun]).collect()));
            }
        }
        steps.extend(pieces(whole, Ends::Neither));
        if !query.kinds.is_empty() {
            let kinds = Condition::Any(query.kinds.iter().map(|kind| Condition::word(&kind_token(*kind))).collect());
            steps = steps.into_iter().map(|step| Condition::All(vec![kinds.clone(), step])).collect();
        }
        Ok(MatchPlan { steps })
    }

    /// Stored words that begin with the last word of the query, or with all of it as one word.
    async fn completions(&self, last: &str, joined: &str) -> Result<BTreeSet<String>> {
        let mut words = BTreeSet::new();
        for beginning in [last, joined].into_iter().filter(|beginning| !beginning.is_empty()) {
            let text = "SELECT word FROM word WHERE word >= $1 AND word < $2 ORDER BY word LIMIT $3";
            let query = query_scalar::<String>(text).bind(beginning.to_owned()).bind(format!("{beginning}\u{10FFFF}"));
            words.extend(query.bind(COMPLETIONS_MAX).fetch_all(self.readers()).await?);
        }
        Ok(words)
    }
}
