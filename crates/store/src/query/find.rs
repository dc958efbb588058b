//! From what a person types to an asset.

use model::{GlueTableArn, Kind, QualifiedName};

use crate::db::{Row, query};
use crate::ingest::prepare::split_name;
use crate::query::asset::Subject;
use crate::query::rank::Matched;
use crate::query::search::{MatchPlan, SearchQuery};
use crate::{Result, Store, content};

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
    /// Resolves what a person types: a qualified name, the unique end of one (`sales/orders`), a name, or the ARN of a Glue table.
    /// What is archived is meant only where nothing active is.
    ///
    /// # Errors
    /// When the catalog cannot be read.
    pub async fn find(&self, typed: &str) -> Result<Found> {
        let typed = typed.trim();
        let exact = typed.trim_end_matches('/');
        if let Some(subject) = self.asset(&QualifiedName::from_encoded(exact)).await? {
            return Ok(Found::One(Box::new(subject)));
        }
        let mut matches = self.at_arn(exact).await?;
        let last = exact.rsplit('/').next().unwrap_or_default();
        let plan = MatchPlan::exact_names(&[&model::name::decode_part(last), exact]);
        let ending = format!("/{exact}");
        let mut called = Vec::new();
        for stored in self.matching(&plan).await? {
            let asset = stored.asset;
            let candidate = Candidate { kind: asset.kind, qualified_name: asset.qualified_name };
            if candidate.qualified_name.as_str().ends_with(&ending) {
                matches.push(candidate);
            } else if asset.name == exact {
                called.push(candidate);
            }
        }
        // They match equally well; the order is that of names, so that it is the same every time.
        matches.sort_by(|one, other| one.qualified_name.cmp(&other.qualified_name));
        called.sort_by(|one, other| one.qualified_name.cmp(&other.qualified_name));
        if matches.is_empty() {
            // Some qualified names are made of ids: their assets go by their names.
            matches = called;
        }
        if matches.is_empty() {
            matches = self.standing_at(exact).await?;
        }
        if let [only] = matches.as_slice()
            && let Some(subject) = self.asset(&only.qualified_name).await?
        {
            return Ok(Found::One(Box::new(subject)));
        }
        if matches.is_empty() {
            matches = self.similar(last).await?;
        }
        matches.truncate(CANDIDATES_MAX);
        Ok(Found::Candidates(matches))
    }

    /// The tables and views of an ARN.
    async fn at_arn(&self, typed: &str) -> Result<Vec<Candidate>> {
        let Some(arn) = GlueTableArn::parse(typed) else { return Ok(Vec::new()) };
        let holders = self.holders(&self.accounts().await?, [arn]).await?;
        let found = holders.into_values().flatten();
        Ok(found.map(|(name, kind)| Candidate { kind, qualified_name: QualifiedName::from_encoded(name) }).collect())
    }

    /// Assets whose qualified names end with what was typed: active ones that are named by ids, which the search index does not have, and
    /// where there is none, archived ones, which it no longer has.
    async fn standing_at(&self, typed: &str) -> Result<Vec<Candidate>> {
        let (above, part) = split_name(typed);
        let ending = if above.starts_with('/') { above.to_owned() } else { format!("/{above}") };
        let text = "SELECT p.path, a.kind, a.archived_run FROM place p JOIN asset a ON a.place = p.id
            WHERE a.part = $1 AND substr(p.path, length(p.path) - length($2) + 1) = $2 AND a.kind NOT IN (12, 13)
            ORDER BY a.archived_run > 0, p.path, a.archived_run DESC, a.kind LIMIT $3";
        let asked = i64::try_from(CANDIDATES_MAX).unwrap_or(i64::MAX);
        let query = query(text).bind(part.to_owned()).bind(ending).bind(asked);
        let rows = query.fetch_all(self.readers()).await?;
        let read = |row: &Row| -> Result<(Candidate, bool)> {
            let qualified_name = QualifiedName::from_encoded(format!("{}{part}", row.try_get::<&str, _>(0)?));
            Ok((Candidate { kind: content::kind(row.try_get(1)?)?, qualified_name }, row.try_get::<i64, _>(2)? == 0))
        };
        let standing = rows.iter().map(read).collect::<Result<Vec<_>>>()?;
        let has_active = standing.iter().any(|(_, is_active)| *is_active);
        let meant = standing.into_iter().filter(|(_, is_active)| *is_active == has_active);
        let mut meant: Vec<Candidate> = meant.map(|(candidate, _)| candidate).collect();
        // A table that had become a view: the name is one all the same.
        meant.dedup_by(|one, other| one.qualified_name == other.qualified_name);
        Ok(meant)
    }

    /// Assets of similar names. Those that are found by a column or a description have nothing to do with a name.
    async fn similar(&self, name: &str) -> Result<Vec<Candidate>> {
        let query = SearchQuery { text: name.to_owned(), limit: CANDIDATES_MAX, ..SearchQuery::default() };
        let hits = self.search(&query).await?.hits.into_iter().filter(|hit| hit.matched == Matched::Name);
        Ok(hits.map(|hit| Candidate { kind: hit.kind, qualified_name: hit.qualified_name }).collect())
    }
}
