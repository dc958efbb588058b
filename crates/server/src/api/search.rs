//! `/search`: names, descriptions, columns and what people said, best first, with what was found marked.
#![expect(unused_qualifications, reason = "what utoipa derives for a query of this module qualifies what is in scope")]

mod view;

#[cfg(test)]
mod tests;

use axum::extract::State;
use model::Kind;
use serde::Deserialize;
use store::{Certificate, ConnectionId, SearchQuery};
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{Caller, ReadProblems};
use crate::auth::Action;
use crate::http::{Code, Json, Limit, Problem, Query};
use crate::state::App;
use view::{Facets, SearchResults};

/// Characters of a query: what somebody pastes by mistake is refused in words.
const QUERY_CHARACTERS_MAX: usize = 1000;
/// Values of one filter.
const VALUES_MAX: usize = 50;

/// What is searched for.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
struct Asked {
    /// Words, or a part of a name; at most 1,000 characters. All words must be found, the last one may be the beginning of a word. Without
    /// any, the filters alone decide.
    #[serde(default)]
    #[param(example = "customer order")]
    q: String,
    /// Only these types, separated by commas.
    #[serde(default)]
    #[param(example = "Table,View")]
    r#type: String,
    /// Only what these connections crawled: their numbers, separated by commas.
    #[serde(default)]
    #[param(example = "1,2")]
    connection_id: String,
    /// Only what has one of these certificates, separated by commas.
    #[serde(default)]
    #[param(example = "verified")]
    certificate: String,
    /// Only what people filed under this tag, spelt exactly so.
    tag: Option<String>,
    /// The most hits of the page.
    #[serde(default)]
    #[param(inline)]
    limit: Limit,
    /// `nextCursor` of the page before.
    cursor: Option<String>,
}

/// `/search`.
pub(crate) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(search))
}

/// Finds assets, best first. Facets come with the first page.
#[utoipa::path(get, path = "/api/v1/search", tag = "search", params(Asked), responses(
    (status = 200, description = "A page of hits.", body = SearchResults), ReadProblems,
))]
async fn search(State(app): State<App>, caller: Caller, Query(asked): Query<Asked>) -> Result<Json<SearchResults>, Problem> {
    caller.may(Action::ReadCatalog)?;
    let mut query = asked.query()?;
    let list = list_of(&query);
    let offset: Option<usize> = asked.cursor.as_deref().map(|cursor| app.cursors.decode(&list, cursor)).transpose()?;
    query.offset = offset.unwrap_or(0);
    let (page, facets) = match offset {
        None => {
            let (page, kinds) = futures::try_join!(app.store.search(&query), app.store.search_kinds(&query))?;
            let facets = Facets::of(&page, &kinds);
            (page, Some(facets))
        }
        Some(_) => (app.store.search(&query).await?, None),
    };
    let shown = query.offset + page.hits.len();
    let next_cursor = (shown < page.total).then(|| app.cursors.encode(&list, &shown)).transpose()?;
    Ok(Json(SearchResults::new(page, facets, next_cursor)))
}

/// The list that a cursor is of: everything but where in it.
fn list_of(query: &SearchQuery) -> String {
    let SearchQuery { text, kinds, connections, certificates, tags, offset: _, limit: _ } = query;
    format!("search {text:?} {kinds:?} {connections:?} {certificates:?} {tags:?}")
}

impl Asked {
    fn query(&self) -> Result<SearchQuery, Problem> {
        if self.q.chars().count() > QUERY_CHARACTERS_MAX {
            return Err(wrong("q", &format!("expected at most {QUERY_CHARACTERS_MAX} characters")));
        }
        let number = |text: &str| text.parse().ok().map(ConnectionId);
        Ok(SearchQuery {
            text: self.q.clone(),
            kinds: listed("type", &self.r#type, "type names of assets (`Table`)", Kind::from_type_name)?,
            connections: listed("connectionId", &self.connection_id, "numbers of connections", number)?,
            certificates: listed("certificate", &self.certificate, "verified, draft, deprecated", Certificate::parse)?,
            tags: self.tag.iter().cloned().collect(),
            offset: 0,
            limit: self.limit.get().into(),
        })
    }
}

/// The values of a list that is separated by commas.
fn listed<T>(field: &str, text: &str, expected: &str, parse: impl Fn(&str) -> Option<T>) -> Result<Vec<T>, Problem> {
    if text.is_empty() {
        return Ok(Vec::new());
    }
    let values: Option<Vec<T>> = text.split(',').take(VALUES_MAX + 1).map(|value| parse(value.trim())).collect();
    let values = values.filter(|values| values.len() <= VALUES_MAX);
    values.ok_or_else(|| wrong(field, &format!("expected at most {VALUES_MAX} of {expected}, separated by commas")))
}

fn wrong(field: &str, message: &str) -> Problem {
    Problem::new(Code::InvalidParameter, "a parameter of the query is not as described").with_field(field, message)
}
