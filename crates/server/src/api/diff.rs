//! `/diff`: what changed from one run of a connection to another.
#![expect(unused_qualifications, reason = "what utoipa derives for a query of this module qualifies what is in scope")]

use axum::extract::State;
use model::{Guid, RunId};
use serde::{Deserialize, Serialize};
use store::DiffCursor;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::changes::{Change, Differences};
use super::{Caller, ReadProblems};
use crate::auth::Action;
use crate::http::{Json, Limit, Problem, Query};
use crate::state::App;

/// Which runs.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Which {
    /// The number of the one run.
    #[param(example = 7)]
    from: i64,
    /// The number of the other one, of the same connection. It is always told from the earlier to the later.
    #[param(example = 9)]
    to: i64,
    /// The most assets of the page.
    #[serde(default)]
    #[param(inline)]
    limit: Limit,
    /// `nextCursor` of the page before.
    cursor: Option<String>,
}

/// What changed from the end of the one run to the end of the other.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Diff {
    /// The assets of the page, by qualified name. Those of other pages may come before or after them.
    items: Vec<ChangedAsset>,
    /// Whether there are more pages.
    truncated: bool,
    /// For the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    next_cursor: Option<String>,
}

/// An asset that changed.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct ChangedAsset {
    /// How.
    change: Change,
    /// What it is.
    #[schema(example = "Table")]
    type_name: &'static str,
    /// Its id: the same on every machine.
    guid: String,
    /// Its qualified name.
    #[schema(example = "default/glue/1700000000/AwsDataCatalog/sales/orders")]
    qualified_name: String,
    #[serde(flatten)]
    differences: Differences,
}

/// `/diff`.
pub(crate) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(diff_runs))
}

/// What changed between two runs.
#[utoipa::path(get, path = "/api/v1/diff", tag = "runs", params(Which), responses(
    (status = 200, description = "What changed.", body = Diff),
    (status = 409, description = "The runs are of different connections.", body = Problem, content_type = "application/problem+json"),
    ReadProblems,
))]
async fn diff_runs(State(app): State<App>, caller: Caller, Query(which): Query<Which>) -> Result<Json<Diff>, Problem> {
    caller.may(Action::ReadCatalog)?;
    let list = format!("diff {} {}", which.from, which.to);
    let after: Option<i64> = which.cursor.as_deref().map(|cursor| app.cursors.decode(&list, cursor)).transpose()?;
    let after = DiffCursor(after.unwrap_or_default());
    let found = app.store.diff_page(RunId(which.from), RunId(which.to), after, which.limit.get().into()).await?;
    let shown = |changed: store::Changed| ChangedAsset {
        change: changed.change.into(),
        type_name: changed.kind.type_name(),
        guid: Guid::of(changed.kind, changed.qualified_name.as_str()).to_string(),
        qualified_name: changed.qualified_name.as_str().to_owned(),
        differences: changed.differences.into(),
    };
    let next_cursor = found.next.map(|next| app.cursors.encode(&list, &next.0)).transpose()?;
    Ok(Json(Diff { items: found.changed.into_iter().map(shown).collect(), truncated: found.truncated, next_cursor }))
}
