//! The columns of a table, a page at a time: some tables have ten thousand.

use axum::extract::State;
use model::Asset;
use model::document::{AssetStatus, write_columns};
use serde_json::Value;
use serde_json::value::RawValue;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::PageOf;
use crate::api::named::find;
use crate::api::{Caller, ReadProblems};
use crate::auth::Action;
use crate::http::{Json, Page, Problem, Query};
use crate::state::App;

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list_columns))
}

/// The columns of a table, in order, each before its fields.
#[utoipa::path(get, path = "/api/v1/assets/columns", tag = "assets", params(PageOf), responses(
    (status = 200, description = "A page of columns, as exports write them; none of what has no columns.", body = Page<Value>), ReadProblems,
))]
async fn list_columns(
    State(app): State<App>,
    caller: Caller,
    Query(which): Query<PageOf>,
) -> Result<Json<Page<Box<RawValue>>>, Problem> {
    caller.may(Action::ReadCatalog)?;
    let list = format!("columns {}", which.qualified_name);
    let from: usize = which.cursor.as_deref().map(|cursor| app.cursors.decode(&list, cursor)).transpose()?.unwrap_or(0);
    let subject = find(&app, &which.qualified_name).await?;
    let limit = usize::from(which.limit.get());
    let (items, count) = match subject.column() {
        Some(_) => (Vec::new(), 0),
        None => (documents(&subject.stored().asset, subject.stored().status, from, limit)?, subject.stored().asset.columns.len()),
    };
    let next = from.saturating_add(limit);
    let next_cursor = (next < count).then(|| app.cursors.encode(&list, &next)).transpose()?;
    Ok(Json(Page { items, next_cursor }))
}

/// The documents of some columns of an asset.
pub(super) fn documents(asset: &Asset, status: AssetStatus, from: usize, limit: usize) -> Result<Vec<Box<RawValue>>, Problem> {
    let mut lines = Vec::new();
    write_columns(asset, status, &mut lines);
    let lines = lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).skip(from).take(limit);
    lines.map(|line| serde_json::from_slice(line).map_err(|error| Problem::internal(&error))).collect()
}
