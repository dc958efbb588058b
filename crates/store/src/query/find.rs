//! From what a person types to an asset.

use model::{Kind, QualifiedName};

use crate::query::asset::Subject;
use crate::query::search::{MatchPlan, SearchQuery};
use crate::{Result, Store};

/// What was found for a name that a person typed.
#[derive(Clone, Debug, PartialEq)]
pub enum Found {
    /// The one asset or column that is meant.
    One(Box<Subject>),
    /// None or several: what could be meant, best first.
    Candidates(Vec<Candidate>),
}

/// An asset that could be meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// What it is.
    pub kind: Kind,
    /// Its qualified name.
    pub qualified_name: QualifiedName,
}

/// Candidates that are shown at most.
const CANDIDATES_MAX: usize = 10;

impl Store {
    /// Resolves what a person types: a qualified name, the unique end of one (`sales/orders`), or a name.
    ///
    /// # Errors
    /// When the catalog cannot be read.
    pub async fn find(&self, typed: &str) -> Result<Found> {
        let typed = typed.trim();
        let exact = typed.trim_end_matches('/');
        if let Some(subject) = self.asset(&QualifiedName::from_encoded(exact)).await? {
            return Ok(Found::One(Box::new(subject)));
        }
        let last = exact.rsplit('/').next().unwrap_or_default();
        let plan = MatchPlan::exact_name(&model::name::decode_part(last));
        let ending = format!("/{exact}");
        let mut matches = Vec::new();
        for stored in self.matching(&plan).await? {
            let name = stored.asset.qualified_name.as_str();
            if name.ends_with(&ending) {
                matches.push(Candidate { kind: stored.asset.kind, qualified_name: stored.asset.qualified_name });
            }
        }
        if let [only] = matches.as_slice()
            && let Some(subject) = self.asset(&only.qualified_name).await?
        {
            return Ok(Found::One(Box::new(subject)));
        }
        if matches.is_empty() {
            let query = SearchQuery { text: last.to_owned(), kinds: Vec::new(), limit: CANDIDATES_MAX };
            let hits = self.search(&query).await?;
            matches.extend(hits.into_iter().map(|hit| Candidate { kind: hit.kind, qualified_name: hit.qualified_name }));
        }
        matches.truncate(CANDIDATES_MAX);
        Ok(Found::Candidates(matches))
    }
}
