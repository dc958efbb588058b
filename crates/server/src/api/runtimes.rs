//! `/runtimes`: programs in other networks that crawl for the control plane.

use axum::extract::State;
use serde::{Deserialize, Serialize};
use store::{NewEnrolment, Runtime, RuntimeId, RuntimeState, SecretHash};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::paging::{Paging, page_of};
use super::{Caller, CreateProblems, Created, Posted, ReadProblems};
use crate::auth::Action;
use crate::auth::token::{Token, TokenKind};
use crate::http::{Json, Page, Path, Problem, Query};
use crate::state::App;

/// How long an enrolment token works, minutes, unless the request says otherwise; and at most.
const ENROLMENT_MINUTES: u32 = 60;
const ENROLMENT_MINUTES_MAX: u32 = 7 * 24 * 60;

const LIST: &str = "runtimes";

/// A runtime.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Runtime)]
struct Shown {
    #[schema(example = "2")]
    id: String,
    /// What connections call it by.
    name: String,
    /// `online`, `stale`, `offline` or `revoked`.
    state: &'static str,
    /// When it was last heard of, milliseconds since 1970 UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    last_seen_at: Option<i64>,
    /// The version of its program.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    version: Option<String>,
    /// How many crawls it works on at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    capacity: Option<i64>,
    /// Whether it finishes what it has and takes no more.
    draining: bool,
    /// When it was enrolled, milliseconds since 1970 UTC.
    created_at: i64,
}

/// `/runtimes`.
pub(crate) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list_runtimes))
        .routes(routes!(create_enrolment_token))
        .routes(routes!(get_runtime))
        .routes(routes!(revoke_runtime))
}

/// A token to make. An empty object, or no body at all, asks for one that is good for any name and for an hour.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct EnrolmentRequest {
    /// The only name that it is good for.
    #[schema(example = "vpc-a", max_length = 200)]
    name: Option<String>,
    /// How long it works.
    #[schema(minimum = 1, maximum = 10080)]
    expires_in_minutes: Option<u32>,
}

/// A token that a runtime is enrolled with, once. It is shown now and never again.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct EnrolmentToken {
    /// For `isinglass-runtime enroll --token`.
    token: String,
    /// From when on it does not work, milliseconds since 1970 UTC.
    expires_at: i64,
}

/// Makes a token that a runtime is enrolled with, once.
#[utoipa::path(post, path = "/api/v1/runtimes/enrolment-tokens", tag = "runtimes", request_body = EnrolmentRequest,
    params(("idempotency-key" = Option<String>, Header, description = "Makes a repetition harmless.")), responses(
    (status = 201, description = "The token.", body = EnrolmentToken), CreateProblems,
))]
async fn create_enrolment_token(
    State(app): State<App>,
    caller: Caller,
    posted: Posted<EnrolmentRequest>,
) -> Result<Created, Problem> {
    caller.may(Action::ManageRuntimes)?;
    let work = async |request: EnrolmentRequest| {
        let minutes = request.expires_in_minutes.unwrap_or(ENROLMENT_MINUTES);
        if !(1..=ENROLMENT_MINUTES_MAX).contains(&minutes) {
            return Err(Problem::field("expiresInMinutes", format!("expected 1 to {ENROLMENT_MINUTES_MAX}")));
        }
        if request.name.as_deref().is_some_and(|name| !is_runtime_name(name)) {
            return Err(Problem::field("name", "expected the name of a runtime: visible ASCII without spaces, not `direct`"));
        }
        let token = Token::generate(TokenKind::Enrolment, &*app.random).map_err(|error| Problem::internal(&error))?;
        let now_ms = app.clock.now_ms();
        let expires_ms = now_ms.saturating_add(i64::from(minutes) * 60_000);
        let new = NewEnrolment { hash: SecretHash(*token.hash().as_bytes()), name: request.name, expires_ms };
        app.store.create_enrolment(&new, caller.audit(), now_ms).await?;
        let shown = EnrolmentToken { token: token.expose().to_owned(), expires_at: expires_ms };
        Created::new("/api/v1/runtimes".to_owned(), None, &shown).map(Created::shown_once)
    };
    posted.once(&app, &caller, work).await
}

/// Whether connections can name a runtime so.
pub(crate) fn is_runtime_name(name: &str) -> bool {
    const BYTES_MAX: usize = 200;
    (1..=BYTES_MAX).contains(&name.len()) && name != "direct" && name.bytes().all(|byte| byte.is_ascii_graphic())
}

/// One runtime.
#[utoipa::path(get, path = "/api/v1/runtimes/{id}", tag = "runtimes", params(("id" = i64, Path, description = "Its number.")), responses(
    (status = 200, description = "The runtime.", body = Shown), ReadProblems,
))]
async fn get_runtime(State(app): State<App>, caller: Caller, Path(id): Path<i64>) -> Result<Json<Shown>, Problem> {
    caller.may(Action::ReadCatalog)?;
    Ok(Json(shown(app.store.runtime(RuntimeId(id)).await?, app.clock.now_ms())))
}

/// Revokes a runtime: it can do nothing any more, at once, and what it works on goes back to the queue. To come back it has to be enrolled
/// anew.
#[utoipa::path(post, path = "/api/v1/runtimes/{id}/revoke", tag = "runtimes", params(("id" = i64, Path, description = "Its number.")), responses(
    (status = 200, description = "It is revoked.", body = Shown), CreateProblems,
))]
async fn revoke_runtime(State(app): State<App>, caller: Caller, Path(id): Path<i64>) -> Result<Json<Shown>, Problem> {
    caller.may(Action::ManageRuntimes)?;
    let now_ms = app.clock.now_ms();
    let revoked = app.store.revoke_runtime(RuntimeId(id), caller.audit(), now_ms).await?;
    tracing::warn!(runtime = %revoked.id, name = revoked.name, "a runtime was revoked");
    app.nudge.wake();
    Ok(Json(shown(revoked, now_ms)))
}

/// Runtimes, in the order of their enrolment.
#[utoipa::path(get, path = "/api/v1/runtimes", tag = "runtimes", params(Paging), responses(
    (status = 200, description = "A page of runtimes.", body = Page<Shown>), ReadProblems,
))]
async fn list_runtimes(State(app): State<App>, caller: Caller, Query(paging): Query<Paging>) -> Result<Json<Page<Shown>>, Problem> {
    caller.may(Action::ReadCatalog)?;
    let (found, now_ms) = (app.store.runtimes(paging.request(&app, LIST)?).await?, app.clock.now_ms());
    page_of(&app, LIST, found, |runtime| shown(runtime, now_ms)).map(Json)
}

fn shown(runtime: Runtime, now_ms: i64) -> Shown {
    let state = match runtime.state(now_ms) {
        RuntimeState::Online => "online",
        RuntimeState::Stale => "stale",
        RuntimeState::Offline => "offline",
        RuntimeState::Revoked => "revoked",
    };
    Shown {
        id: runtime.id.to_string(),
        name: runtime.name,
        state,
        last_seen_at: runtime.last_seen_ms,
        version: runtime.version,
        capacity: runtime.capacity,
        draining: runtime.is_draining,
        created_at: runtime.created_ms,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::api::testing::Service;

    #[tokio::test]
    async fn without_runtimes_the_list_is_empty() {
        let service = Service::start().await;
        assert_eq!(service.get("/api/v1/runtimes").await.body, json!({ "items": [] }));
    }

    #[test]
    fn a_runtime_that_was_never_heard_of_is_offline() {
        let (id, name) = (RuntimeId(2), "vpc".to_owned());
        let runtime = Runtime {
            id,
            name,
            version: None,
            capacity: None,
            is_draining: false,
            created_ms: 5,
            last_seen_ms: None,
            revoked_ms: None,
        };
        let expected = json!({ "id": "2", "name": "vpc", "state": "offline", "draining": false, "createdAt": 5 });
        assert_eq!(serde_json::to_value(shown(runtime, 9)).unwrap(), expected);
    }
}
