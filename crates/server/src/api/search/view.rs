//! Hits and facets as the API shows them.

use serde::Serialize;
use store::{KindCount, Matched, SearchPage, Segment};
use utoipa::ToSchema;

use crate::api::named::{AssetRef, Parent};
use model::document::AssetStatus;

/// A page of hits.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct SearchResults {
    /// The hits, best first.
    items: Vec<Hit>,
    /// For the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    next_cursor: Option<String>,
    /// How many hits there are in all pages.
    #[schema(example = 42)]
    total: usize,
    /// Whether there is more in the catalog than was ranked: narrow the search to see it.
    is_capped: bool,
    /// How the hits spread; on the first page only.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    facets: Option<Facets>,
}

/// How what was found spreads.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Facets {
    /// Over types, whatever types the search is narrowed to.
    types: Vec<TypeCount>,
    /// Over connections, most first.
    connections: Vec<ConnectionCount>,
    /// Over certificates.
    certificates: Vec<CertificateCount>,
    /// Whether connections and certificates were counted over the best hits only.
    is_sampled: bool,
}

/// How much was found of a type.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct TypeCount {
    /// The type.
    #[schema(example = "Table")]
    type_name: &'static str,
    /// How many, up to 1,000.
    #[schema(example = 40)]
    count: u64,
    /// Whether there may be more.
    is_capped: bool,
}

/// How much was found of a connection.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct ConnectionCount {
    /// Its number.
    #[schema(example = "1")]
    connection_id: String,
    /// Its name.
    #[schema(example = "production")]
    name: String,
    /// How many.
    #[schema(example = 40)]
    count: u64,
}

/// How much was found with a certificate.
#[derive(Clone, Debug, Serialize, ToSchema)]
struct CertificateCount {
    /// `verified`, `draft` or `deprecated`.
    #[schema(example = "verified")]
    certificate: &'static str,
    /// How many.
    #[schema(example = 3)]
    count: u64,
}

/// A found asset.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Hit {
    #[serde(flatten)]
    asset: AssetRef,
    /// Its description, as its source gives it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    description: Option<String>,
    /// Why it was found.
    matched: MatchedBy,
    /// The path of the column that it was found by.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "items/sku")]
    column: Option<String>,
    /// What in it was searched for.
    highlights: Highlights,
    /// The number of the connection that crawled it.
    #[schema(example = "1")]
    connection_id: String,
    /// What it lies in, from the connection down.
    parents: Vec<Parent>,
    /// `verified`, `draft` or `deprecated`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "verified")]
    certificate: Option<&'static str>,
    /// Whom people named to be asked about it.
    owners: Vec<String>,
}

/// Why an asset was found.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum MatchedBy {
    /// By its name.
    Name,
    /// By a column.
    Column,
    /// By its description.
    Description,
    /// By what people said of it.
    Enrichment,
    /// By words here and there, or by the filters alone.
    Words,
}

/// What of a hit was searched for: texts in parts.
#[derive(Clone, Debug, Serialize, ToSchema)]
struct Highlights {
    /// The name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    name: Vec<Part>,
    /// The description, around what was found.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    description: Vec<Part>,
    /// The name of the column.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    column: Vec<Part>,
}

/// A part of a text.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Part {
    /// The part.
    #[schema(example = "customer")]
    text: String,
    /// Whether it was searched for.
    is_match: bool,
}

impl SearchResults {
    pub(super) fn new(page: SearchPage, facets: Option<Facets>, next_cursor: Option<String>) -> Self {
        let items = page.hits.into_iter().map(Hit::from).collect();
        Self { items, next_cursor, total: page.total, is_capped: page.is_capped, facets }
    }
}

impl Facets {
    pub(super) fn of(page: &SearchPage, kinds: &[KindCount]) -> Self {
        let of_type = |of: &KindCount| TypeCount { type_name: of.kind.type_name(), count: of.count, is_capped: of.is_capped };
        let of_connection = |of: &store::ConnectionCount| ConnectionCount {
            connection_id: of.connection.0.to_string(),
            name: of.name.clone(),
            count: of.count,
        };
        let of_certificate =
            |of: &store::CertificateCount| CertificateCount { certificate: of.certificate.as_str(), count: of.count };
        Self {
            types: kinds.iter().map(of_type).collect(),
            connections: page.connections.iter().map(of_connection).collect(),
            certificates: page.certificates.iter().map(of_certificate).collect(),
            is_sampled: page.is_capped,
        }
    }
}

impl From<store::Hit> for Hit {
    fn from(hit: store::Hit) -> Self {
        let (matched, column) = match hit.matched {
            Matched::Name => (MatchedBy::Name, None),
            Matched::Column(path) => (MatchedBy::Column, Some(path)),
            Matched::Description => (MatchedBy::Description, None),
            Matched::Enrichment => (MatchedBy::Enrichment, None),
            Matched::Words => (MatchedBy::Words, None),
        };
        Self {
            asset: AssetRef::new(hit.kind, &hit.qualified_name, &hit.name, Some(AssetStatus::Active)),
            description: hit.description,
            matched,
            column,
            highlights: hit.highlights.into(),
            connection_id: hit.connection.0.to_string(),
            parents: hit.parents.into_iter().map(Parent::from).collect(),
            certificate: hit.certificate.map(store::Certificate::as_str),
            owners: hit.owners,
        }
    }
}

impl From<store::Highlights> for Highlights {
    fn from(found: store::Highlights) -> Self {
        let parts = |segments: Vec<Segment>| {
            segments.into_iter().map(|Segment { text, is_match }| Part { text, is_match }).collect::<Vec<_>>()
        };
        Self { name: parts(found.name), description: parts(found.description), column: parts(found.column) }
    }
}
