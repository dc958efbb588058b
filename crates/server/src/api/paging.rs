//! The pages of lists that the store numbers, and the versions that edits may name.

use axum::extract::FromRequestParts;
use http::header;
use http::request::Parts;
use serde::{Deserialize, Deserializer};
use store::PageRequest;
use utoipa::IntoParams;

use crate::http::{IfMatch, Limit, Page, Problem};
use crate::state::App;

/// Which page.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Paging {
    /// The most items of the page.
    #[serde(default)]
    #[param(inline)]
    pub(crate) limit: Limit,
    /// `nextCursor` of the page before.
    pub(crate) cursor: Option<String>,
}

impl Paging {
    /// What to ask the store for. `list` names the list with its filters: a cursor of another one is refused.
    pub(crate) fn request(&self, app: &App, list: &str) -> Result<PageRequest, Problem> {
        let after = self.cursor.as_deref().map(|cursor| app.cursors.decode(list, cursor)).transpose()?;
        Ok(PageRequest { after, limit: self.limit.get().into() })
    }
}

/// The answer of what the store found.
pub(crate) fn page_of<T, U>(app: &App, list: &str, found: store::Page<T>, shown: impl FnMut(T) -> U) -> Result<Page<U>, Problem> {
    let next_cursor = found.next.map(|next| app.cursors.encode(list, &next)).transpose()?;
    Ok(Page { items: found.items.into_iter().map(shown).collect(), next_cursor })
}

/// The version that a deletion is meant for, if it names one.
#[derive(Clone, Debug)]
pub(crate) struct AnyVersion(pub(crate) Option<i64>);

impl<S: Send + Sync> FromRequestParts<S> for AnyVersion {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        if !parts.headers.contains_key(header::IF_MATCH) {
            return Ok(Self(None));
        }
        Ok(Self(IfMatch::from_request_parts(parts, state).await?.expected()))
    }
}

/// For a field that may be left out, or be null: `None` is left out, `Some(None)` is null.
#[expect(clippy::option_option, reason = "left out and null mean different things in an edit")]
pub(crate) fn present<'de, T, D>(deserializer: D) -> Result<Option<Option<T>>, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    Option::deserialize(deserializer).map(Some)
}
