//! `/tokens`: how programs sign in. A token is shown once, when it is made.
#![expect(unused_qualifications, reason = "what utoipa derives for a query of this module qualifies what is in scope")]

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use axum::extract::State;
use axum::response::IntoResponse;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use store::{NewToken, SecretHash, TokenId, UserId};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::paging::{Paging, page_of, present};
use super::{Caller, CreateProblems, Created, EditProblems, Posted, ReadProblems};
use crate::auth::token::{Token as Secret, TokenKind};
use crate::auth::{Action, Owner, Role, Scope};
use crate::http::{Code, Json, Limit, Page, Path, Problem, Query};
use crate::state::App;

/// How long a token works unless told otherwise, days.
const DAYS_DEFAULT: u32 = 90;
/// The longest, days.
const DAYS_MAX: u32 = 365;
const MILLISECONDS_PER_DAY: i64 = 86_400_000;

/// What a token may do at most. Each scope allows what those before it allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ScopeName {
    /// Looks.
    Read,
    /// Changes connections, workflows and enrichment; runs workflows.
    Write,
    /// Manages users and tokens, reads the audit log.
    Admin,
}

/// A token to make.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct TokenRequest {
    /// What it is for: unique among one's tokens.
    #[schema(example = "nightly export")]
    name: String,
    /// What it may do; never more than its user.
    #[schema(example = json!(["read"]), min_items = 1)]
    scopes: BTreeSet<ScopeName>,
    /// How long it works; 90 when left out. Administrators may say `null`: for ever.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<u32>, minimum = 1, maximum = 365, example = 90)]
    expires_in_days: Option<Option<u32>>,
}

/// A token, without its text.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Token {
    /// Its number.
    #[schema(example = "7")]
    id: String,
    /// The number of its user.
    #[schema(example = "1")]
    user_id: String,
    /// What it is for.
    name: String,
    /// What it may do.
    scopes: Vec<ScopeName>,
    /// When it was made, milliseconds since 1970 UTC.
    created_at: i64,
    /// From when on it does not work, milliseconds since 1970 UTC; absent when it always does.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    expires_at: Option<i64>,
    /// When it was last used, up to a minute before.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    last_used_at: Option<i64>,
    /// When it was revoked.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    revoked_at: Option<i64>,
}

/// A token that was made now.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct NewlyMade<'a> {
    /// What to send as `Authorization: Bearer`. It is shown this once.
    token: &'a str,
    /// What is kept.
    #[serde(flatten)]
    kept: Token,
}

/// Whose tokens.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Whose {
    /// The number of a user, or `all`; one's own when left out.
    user: Option<String>,
    /// The most items of the page.
    #[serde(default)]
    #[param(inline)]
    limit: Limit,
    /// `nextCursor` of the page before.
    cursor: Option<String>,
}

/// `/tokens`.
pub(crate) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list_tokens, create_token)).routes(routes!(get_token, revoke_token))
}

/// One's own tokens, the oldest first; for administrators also those of others.
#[utoipa::path(get, path = "/api/v1/tokens", tag = "tokens", params(Whose), responses(
    (status = 200, description = "A page of tokens.", body = Page<Token>), ReadProblems,
))]
async fn list_tokens(State(app): State<App>, caller: Caller, Query(query): Query<Whose>) -> Result<Json<Page<Token>>, Problem> {
    let wrong = |_no_number| {
        let problem = Problem::new(Code::InvalidParameter, "a parameter of the query is not as described");
        problem.with_field("user", "expected the number of a user, or `all`")
    };
    let user = match query.user.as_deref() {
        None => Some(caller.user_id()),
        Some("all") => None,
        Some(number) => Some(UserId(number.parse().map_err(wrong)?)),
    };
    caller.may(Action::ManageTokens(owner(&caller, user)))?;
    let list = format!("tokens {user:?}");
    let paging = Paging { limit: query.limit, cursor: query.cursor };
    let found = app.store.tokens(user, paging.request(&app, &list)?).await?;
    page_of(&app, &list, found, shown).map(Json)
}

/// Makes a token for oneself, and shows it this once.
#[utoipa::path(post, path = "/api/v1/tokens", tag = "tokens", request_body = TokenRequest,
    params(("idempotency-key" = Option<String>, Header, description = "Makes a repetition harmless: it is refused, as a token is shown once.")),
    responses((status = 201, description = "The token.", body = NewlyMade<'static>), CreateProblems,
))]
async fn create_token(State(app): State<App>, caller: Caller, posted: Posted<TokenRequest>) -> Result<Created, Problem> {
    caller.may(Action::ManageTokens(Owner::Oneself))?;
    let work = async |request: TokenRequest| {
        refuse_beyond(caller.principal().role, &request.scopes)?;
        let days = days(caller.principal().role, request.expires_in_days)?;
        let secret = Secret::generate(TokenKind::Api, &*app.random).map_err(|error| Problem::internal(&error))?;
        let now_ms = app.clock.now_ms();
        let new = NewToken {
            user: caller.user_id(),
            name: request.name,
            hash: SecretHash(*secret.hash().as_bytes()),
            scopes: serde_json::to_string(&request.scopes).map_err(|error| Problem::internal(&error))?,
            expires_ms: days.map(|days| now_ms.saturating_add(i64::from(days) * MILLISECONDS_PER_DAY)),
        };
        let kept = app.store.create_token(&new, caller.audit(), now_ms).await?;
        let location = format!("/api/v1/tokens/{}", kept.id);
        Ok(Created::new(location, None, &NewlyMade { token: secret.expose(), kept: shown(kept) })?.shown_once())
    };
    posted.once(&app, &caller, work).await
}

/// One token, without its text.
#[utoipa::path(get, path = "/api/v1/tokens/{id}", tag = "tokens", params(("id" = i64, Path, description = "Its number.")), responses(
    (status = 200, description = "The token.", body = Token), ReadProblems,
))]
async fn get_token(State(app): State<App>, caller: Caller, Path(id): Path<i64>) -> Result<impl IntoResponse, Problem> {
    Ok(Json(shown(find(&app, &caller, id).await?)))
}

/// Revokes a token: it does not work any more. A second time changes nothing.
#[utoipa::path(delete, path = "/api/v1/tokens/{id}", tag = "tokens", params(("id" = i64, Path, description = "Its number.")), responses(
    (status = 204, description = "It is revoked."), EditProblems,
))]
async fn revoke_token(State(app): State<App>, caller: Caller, Path(id): Path<i64>) -> Result<StatusCode, Problem> {
    let token = find(&app, &caller, id).await?;
    app.store.revoke_token(token.id, caller.audit(), app.clock.now_ms()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A token that is one's own, or that an administrator asks for. Others learn nothing of it.
async fn find(app: &App, caller: &Caller, id: i64) -> Result<store::Token, Problem> {
    caller.may(Action::ManageTokens(Owner::Oneself))?;
    let found = app.store.token(TokenId(id)).await?;
    let may_see = |token: &store::Token| caller.may(Action::ManageTokens(owner(caller, Some(token.user)))).is_ok();
    found.filter(may_see).ok_or_else(|| Problem::not_found("token"))
}

fn owner(caller: &Caller, user: Option<UserId>) -> Owner {
    if user == Some(caller.user_id()) { Owner::Oneself } else { Owner::SomebodyElse }
}

fn refuse_beyond(role: Role, scopes: &BTreeSet<ScopeName>) -> Result<(), Problem> {
    let largest = ScopeName::from(role.scope_max());
    match scopes.last() {
        None => Err(Problem::field("scopes", "expected at least one of read, write, admin")),
        Some(scope) if *scope > largest => {
            let detail = format!("a token of the role {role} has at most the scope {}", role.scope_max());
            Err(Problem::new(Code::Forbidden, detail).with_field("scopes", "leave out the scopes above that"))
        }
        Some(_) => Ok(()),
    }
}

fn days(role: Role, asked: Option<Option<u32>>) -> Result<Option<u32>, Problem> {
    match asked {
        None => Ok(Some(DAYS_DEFAULT)),
        Some(Some(days)) if (1..=DAYS_MAX).contains(&days) => Ok(Some(days)),
        Some(None) if role == Role::Administrator => Ok(None),
        Some(None) => {
            Err(Problem::field("expiresInDays", "only a token of an administrator may work for ever: give 1 to 365 days"))
        }
        Some(Some(_)) => Err(Problem::field("expiresInDays", "expected 1 to 365 days")),
    }
}

fn shown(token: store::Token) -> Token {
    Token {
        id: token.id.to_string(),
        user_id: token.user.to_string(),
        name: token.name,
        scopes: serde_json::from_str(&token.scopes).unwrap_or_default(),
        created_at: token.created_ms,
        expires_at: token.expires_ms,
        last_used_at: token.last_used_ms,
        revoked_at: token.revoked_ms,
    }
}

impl From<Scope> for ScopeName {
    fn from(scope: Scope) -> Self {
        match scope {
            Scope::Read => Self::Read,
            Scope::Write => Self::Write,
            Scope::Admin => Self::Admin,
        }
    }
}
