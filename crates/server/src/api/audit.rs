//! `/audit`: who did what, newest first.
#![expect(unused_qualifications, reason = "what utoipa derives for a query of this module qualifies what is in scope")]

#[cfg(test)]
mod tests;

use axum::extract::State;
use serde::{Deserialize, Serialize};
use store::{AuditEntry, AuditFilter, UserId};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::paging::{Paging, page_of};
use super::{Caller, ReadProblems};
use crate::auth::Action;
use crate::http::{Code, Json, Limit, Page, Problem, Query};
use crate::state::App;

/// Which entries: those that all of this is true of.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
struct Filter {
    /// What the user of this number did.
    actor: Option<i64>,
    /// This action, as it is spelled: `user.create`.
    action: Option<String>,
    /// What was done to this kind of thing: `user`.
    target_kind: Option<String>,
    /// What was done to the thing of this number or qualified name.
    target_id: Option<String>,
    /// From this time on, milliseconds since 1970 UTC.
    since: Option<i64>,
    /// Before this time, milliseconds since 1970 UTC.
    until: Option<i64>,
    /// The most items of the page.
    #[serde(default)]
    #[param(inline)]
    limit: Limit,
    /// `nextCursor` of the page before.
    cursor: Option<String>,
}

/// An entry.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Entry {
    /// Its number.
    #[schema(example = "7")]
    id: String,
    /// When, milliseconds since 1970 UTC.
    at: i64,
    /// Who.
    actor: EntryActor,
    /// How: `session`, `password`, `oidc`, `token:<number>`, `setup-link`, `command-line` or `internal`.
    #[schema(example = "session")]
    via: String,
    /// Noun and verb.
    #[schema(example = "user.create")]
    action: String,
    /// To what.
    target: EntryTarget,
    /// More about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Object, nullable = false)]
    detail: Option<serde_json::Value>,
    /// The network address that the request came from.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    address: Option<String>,
    /// The request's id in the log.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    request_id: Option<String>,
}

/// Who did it.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct EntryActor {
    /// `user`, `runtime`, `system` or `anonymous`.
    #[schema(example = "user")]
    kind: String,
    /// The user's number.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    id: Option<String>,
    /// The name at that time.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    name: Option<String>,
}

/// What it was done to.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct EntryTarget {
    /// The noun.
    #[schema(example = "user")]
    kind: String,
    /// Its number, or its qualified name.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    id: Option<String>,
    /// The name at that time.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    name: Option<String>,
}

/// `/audit`.
pub(crate) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list_audit))
}

/// Who did what, newest first.
#[utoipa::path(get, path = "/api/v1/audit", tag = "audit", params(Filter), responses(
    (status = 200, description = "A page of entries.", body = Page<Entry>), ReadProblems,
))]
async fn list_audit(State(app): State<App>, caller: Caller, Query(filter): Query<Filter>) -> Result<Json<Page<Entry>>, Problem> {
    caller.may(Action::ReadAudit)?;
    let Filter { actor, action, target_kind, target_id, since, until, limit, cursor } = filter;
    for (name, text) in [("action", &action), ("targetKind", &target_kind), ("targetId", &target_id)] {
        refuse_control(name, text.as_deref())?;
    }
    let actor = actor.map(UserId);
    let filter = AuditFilter { actor, action, target_kind, target_id, since_ms: since, until_ms: until };
    let list = format!("audit {filter:?}");
    let found = app.store.audit_log(&filter, Paging { limit, cursor }.request(&app, &list)?).await?;
    page_of(&app, &list, found, shown).map(Json)
}

/// Nothing has such a name, and databases do not all take it.
fn refuse_control(name: &str, text: Option<&str>) -> Result<(), Problem> {
    if !text.is_some_and(|text| text.chars().any(char::is_control)) {
        return Ok(());
    }
    let problem = Problem::new(Code::InvalidParameter, "a parameter of the query is not as described");
    Err(problem.with_field(name, "expected no control characters"))
}

fn shown(entry: AuditEntry) -> Entry {
    Entry {
        id: entry.id.to_string(),
        at: entry.at_ms,
        actor: EntryActor { kind: entry.actor_kind, id: entry.actor_id.map(|id| id.to_string()), name: entry.actor_name },
        via: entry.via,
        action: entry.action,
        target: EntryTarget { kind: entry.target_kind, id: entry.target_id, name: entry.target_name },
        detail: entry.detail.and_then(|detail| serde_json::from_str(&detail).ok()),
        address: entry.address,
        request_id: entry.request_id,
    }
}
