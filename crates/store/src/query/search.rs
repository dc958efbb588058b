//! Search: candidates from the index, the best first where the index can tell, and one ranking of them in Rust.

mod about;
mod candidates;
mod facets;
mod highlight;
mod plan;

use model::{Kind, QualifiedName};

use crate::connections::ConnectionId;
use crate::content::Stored;
use crate::control::Certificate;
use crate::query::rank::{Matched, Question, Rank};
use crate::search_text::descriptions;
use crate::{Result, Store};
pub use about::Parent;
use about::{About, Abouts};
pub use facets::{CertificateCount, ConnectionCount, KindCount};
pub use highlight::{Highlights, Segment};
pub(crate) use plan::MatchPlan;

/// What is searched for. Without words everything is, narrowed to what is said besides; with neither, nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SearchQuery {
    /// Words, or a part of a name. All words must be found; the last one may be the beginning of a word.
    pub text: String,
    /// Only these kinds; none means all.
    pub kinds: Vec<Kind>,
    /// Only what these connections crawled; none means all.
    pub connections: Vec<ConnectionId>,
    /// Only what people gave one of these certificates; none means all.
    pub certificates: Vec<Certificate>,
    /// Only what people filed under each of these tags, spelt exactly so.
    pub tags: Vec<String>,
    /// How many of the best hits are left out.
    pub offset: usize,
    /// How many hits at most.
    pub limit: usize,
}

/// Some of what was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SearchPage {
    /// The best hits after those that were left out, best first.
    pub hits: Vec<Hit>,
    /// How many hits there are in all pages.
    pub total: usize,
    /// Whether there may be more than could be looked at, so that the total and what is counted are of a part.
    pub is_capped: bool,
    /// How many of the hits of all pages each connection has, most first.
    pub connections: Vec<ConnectionCount>,
    /// How many of the hits of all pages have each certificate.
    pub certificates: Vec<CertificateCount>,
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
    /// Its description, as its source gives it.
    pub description: Option<String>,
    /// Why it was found.
    pub matched: Matched,
    /// What in it was searched for.
    pub highlights: Highlights,
    /// The connection that crawled it.
    pub connection: ConnectionId,
    /// What it lies in, from the connection down.
    pub parents: Vec<Parent>,
    /// What people gave it.
    pub certificate: Option<Certificate>,
    /// Whom people named to be asked about it.
    pub owners: Vec<String>,
}

/// A candidate with its place in the order.
struct Ranked {
    rank: Rank,
    matched: Matched,
    stored: Stored,
}

impl Store {
    /// The best hits for a query, best first. What the index holds of archived assets is gone, so hits are active.
    ///
    /// # Errors
    /// When the catalog cannot be read.
    pub async fn search(&self, query: &SearchQuery) -> Result<SearchPage> {
        let question = Question::new(&query.text);
        let mut found = self.candidates(query).await?;
        let abouts = self.abouts(found.assets.iter().map(|stored| stored.id), &query.connections).await?;
        found.assets.retain(|stored| abouts.of(stored.id).is_some());
        let mut ranked: Vec<Ranked> = found.assets.into_iter().map(|stored| found.said.rank(&question, stored)).collect();
        let place = |one: &Ranked| (one.rank.clone(), one.stored.asset.qualified_name.clone(), one.stored.asset.kind);
        ranked.sort_by_cached_key(place);
        let total = ranked.len();
        let (connections, certificates) = abouts.counts();
        let mut hits: Vec<Hit> = Vec::new();
        for one in ranked.into_iter().skip(query.offset).take(query.limit) {
            hits.extend(abouts.of(one.stored.id).map(|about| hit(one, about, &abouts, &question)));
        }
        self.name_parents(&mut hits).await?;
        Ok(SearchPage { hits, total, is_capped: found.is_capped, connections, certificates })
    }
}

fn hit(ranked: Ranked, about: &About, abouts: &Abouts, question: &Question) -> Hit {
    let asset = &ranked.stored.asset;
    let description = descriptions(asset).next().map(str::to_owned);
    Hit {
        kind: asset.kind,
        qualified_name: asset.qualified_name.clone(),
        name: asset.name.clone(),
        highlights: Highlights::of(question, asset, &ranked.matched),
        description,
        connection: about.connection,
        parents: abouts.parents(about, &asset.qualified_name),
        certificate: about.certificate,
        owners: about.owners.clone(),
        matched: ranked.matched,
    }
}
