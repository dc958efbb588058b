//! From what a person types to conditions on the index.

use std::collections::BTreeSet;

use model::Kind;

use crate::db::query_scalar;
use crate::query::search::SearchQuery;
use crate::search_text::{Collector, Ends, is_searched, joined, kind_token};
use crate::word_index::Condition;
use crate::{Result, Store};

/// Words of a query that are looked for; the rest only ranks.
const QUERY_WORDS_MAX: usize = 8;
/// Pieces of a name that are looked for: each costs a look-up, and a few tell names apart.
const PIECES_MAX: usize = 3;
/// Words that a prefix is completed to.
const COMPLETIONS_MAX: i64 = 24;

/// Conditions on the search index, from the most to the least telling.
#[derive(Debug, Default)]
pub(crate) struct MatchPlan {
    pub(super) steps: Vec<Condition>,
}

impl MatchPlan {
    /// Assets of exactly one of these names, whatever its case.
    pub(crate) fn exact_names(names: &[&str]) -> Self {
        let mut steps: Vec<Condition> = names.iter().filter_map(|name| exact(name)).collect();
        steps.dedup();
        Self { steps }
    }

    /// Of these kinds only; none means all.
    pub(super) fn of_kinds(self, kinds: &[Kind]) -> Self {
        if kinds.is_empty() {
            return self;
        }
        let narrowed = self.steps.into_iter().map(|step| Condition::All(vec![any_kind(kinds), step]));
        Self { steps: narrowed.collect() }
    }

    /// What meets any of the steps.
    pub(super) fn any(&self) -> Condition {
        Condition::Any(self.steps.clone())
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

/// A condition that holds for assets of any of these kinds.
pub(super) fn any_kind(kinds: &[Kind]) -> Condition {
    Condition::Any(kind_tokens(kinds).iter().map(|token| Condition::word(token)).collect())
}

/// The words by which the index has these kinds.
pub(super) fn kind_tokens(kinds: &[Kind]) -> Vec<String> {
    kinds.iter().copied().map(kind_token).collect()
}

/// The kinds that the index has.
pub(super) fn searched_kinds() -> Vec<Kind> {
    Kind::ALL.iter().copied().filter(|kind| is_searched(*kind)).collect()
}

impl Store {
    /// The conditions that a query stands for, its kinds aside.
    pub(super) async fn plan(&self, query: &SearchQuery) -> Result<MatchPlan> {
        let whole = query.text.trim();
        if whole.is_empty() {
            // Every asset has the word of its kind.
            let steps = if query.is_narrowed() { vec![any_kind(&searched_kinds())] } else { Vec::new() };
            return Ok(MatchPlan { steps });
        }
        let mut collector = Collector::default();
        collector.words(&query.text);
        let words: Vec<&str> = collector.text().split_ascii_whitespace().take(QUERY_WORDS_MAX).collect();
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

impl SearchQuery {
    /// Whether it says more than words.
    fn is_narrowed(&self) -> bool {
        let Self { kinds, connections, certificates, tags, .. } = self;
        !(kinds.is_empty() && connections.is_empty() && certificates.is_empty() && tags.is_empty())
    }
}
