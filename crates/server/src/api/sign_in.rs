//! `/sign-in` and `/setup`: how people prove who they are.

mod oidc;
#[cfg(test)]
pub(crate) mod tests;

use axum::extract::State;
use axum::response::IntoResponse;
use http::{StatusCode, header};
use serde::{Deserialize, Serialize};
use serde_json::json;
use store::{Actor, AuditEvent, AuditTarget, AuditVia, NewAdministrator, PasswordHash, SecretHash, UserState};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::CreateProblems;
use super::secret_text::SecretText;
use super::session::{Session, set_cookie};
use super::visitor::{Visitor, password_problem};
use crate::auth::password::{PasswordError, Verdict};
use crate::auth::token::{Token, TokenKind};
use crate::http::{Code, Json, Problem};
use crate::state::App;

/// Characters of the longest name that anybody has.
const NAME_CHARACTERS_MAX: usize = 200;

/// How one may sign in.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Offered {
    /// With a name and a password.
    password: bool,
    /// At the identity provider, if there is one.
    oidc: Option<OidcOffer>,
    /// Whether there is nobody yet who could: the first administrator comes by the link that the service prints.
    needs_setup: bool,
}

/// Sign-in at the identity provider.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct OidcOffer {
    /// What the button says.
    #[schema(example = "Single sign-on")]
    display_name: String,
    /// Where it leads; takes `?returnTo=`.
    #[schema(example = "/api/v1/sign-in/oidc")]
    href: &'static str,
}

/// A name and a password.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct SignInRequest {
    /// The user's name, in upper or lower case.
    #[schema(example = "ada")]
    name: String,
    /// The password.
    password: SecretText,
}

/// The first administrator.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct SetupRequest {
    /// What the link holds: it works once.
    token: SecretText,
    /// What they sign in with.
    #[schema(example = "ada")]
    name: String,
    /// Their password.
    password: SecretText,
    /// What they are called.
    #[schema(example = "Ada Lovelace")]
    display_name: Option<String>,
}

/// `/sign-in`, `/setup`.
pub(crate) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(offered, sign_in)).routes(routes!(set_up)).merge(oidc::router())
}

/// How one may sign in here.
#[utoipa::path(get, path = "/api/v1/sign-in", tag = "sign-in", security(()), responses(
    (status = 200, description = "What is offered.", body = Offered), super::ReadProblems,
))]
async fn offered(State(app): State<App>) -> Result<Json<Offered>, Problem> {
    let display_name = app.config.sign_in.oidc.display_name.clone();
    let oidc = app.oidc.as_ref().map(|_| OidcOffer { display_name, href: oidc::BEGIN_PATH });
    Ok(Json(Offered { password: true, oidc, needs_setup: !app.store.has_users().await? }))
}

/// Signs in with a name and a password: sets the cookie of the session.
#[utoipa::path(post, path = "/api/v1/sign-in", tag = "sign-in", security(()), request_body = SignInRequest, responses(
    (status = 200, description = "Signed in; the cookie `isinglass_session` is set.", body = Session), CreateProblems,
    (status = 429, description = "Too many attempts; `Retry-After` says how long to wait.", body = Problem, content_type = "application/problem+json"),
))]
async fn sign_in(
    State(app): State<App>,
    visitor: Visitor,
    Json(request): Json<SignInRequest>,
) -> Result<impl IntoResponse, Problem> {
    visitor.attempt(&app, &request.name)?;
    let found = if may_exist(&request.name) { app.store.user_with_password(&request.name).await? } else { None };
    let (user, stored) = found.map_or((None, None), |(user, stored)| (Some(user), stored));
    let verdict = verdict(&app, &request.password, stored.as_ref()).await?;
    let Some(user) = known(&app, &visitor, user, verdict).await? else {
        return Err(Problem::new(Code::Unauthenticated, "name or password is wrong; an administrator can set a new password"));
    };
    if verdict == Verdict::RightButOutdated {
        upgrade(&app, &user, stored, &request.password).await?;
    }
    let begun = visitor.begin(&app, &user, AuditVia::Password).await?;
    visitor.succeeded(&app, &request.name);
    Ok((set_cookie(begun.cookie), Json(Session::begun(user, begun.csrf.as_str()))))
}

/// Creates the first administrator, for who has the link, and signs them in.
#[utoipa::path(post, path = "/api/v1/setup", tag = "sign-in", security(()), request_body = SetupRequest, responses(
    (status = 201, description = "Created and signed in; the cookie `isinglass_session` is set.", body = Session), CreateProblems,
    (status = 429, description = "Too many attempts; `Retry-After` says how long to wait.", body = Problem, content_type = "application/problem+json"),
))]
async fn set_up(State(app): State<App>, visitor: Visitor, Json(request): Json<SetupRequest>) -> Result<impl IntoResponse, Problem> {
    // Hashing is slow, and nothing is known of the link before: each client has its own few attempts.
    let account = format!("setup {}", visitor.client());
    visitor.attempt(&app, &account)?;
    let token = Token::parse(TokenKind::Setup, request.token.expose());
    let token = token.map_err(|error| Problem::field("token", error.to_string()))?;
    let password = app.passwords.hash(request.password.into_inner()).await;
    let password = PasswordHash(password.map_err(|error| password_problem("password", &error))?);
    let new = NewAdministrator { name: request.name, display_name: request.display_name, password };
    let audit = visitor.audit(Actor::Anonymous, AuditVia::SetupLink);
    let hash = SecretHash(*token.hash().as_bytes());
    let user = app.store.use_setup_link(&hash, &new, &audit, app.clock.now_ms()).await?;
    let begun = visitor.begin(&app, &user, AuditVia::SetupLink).await?;
    visitor.succeeded(&app, &account);
    let location = [(header::LOCATION, format!("/api/v1/users/{}", user.id))];
    Ok((StatusCode::CREATED, location, set_cookie(begun.cookie), Json(Session::begun(user, begun.csrf.as_str()))))
}

/// Nobody has a name that the store does not take.
fn may_exist(name: &str) -> bool {
    name.chars().count() <= NAME_CHARACTERS_MAX && !name.chars().any(char::is_control)
}

async fn verdict(app: &App, password: &SecretText, stored: Option<&PasswordHash>) -> Result<Verdict, Problem> {
    match app.passwords.verify(password.clone().into_inner(), stored.map(|hash| hash.0.clone())).await {
        Err(PasswordError::TooLong) => Ok(Verdict::Wrong),
        verdict => verdict.map_err(|error| password_problem("password", &error)),
    }
}

/// The user, unless the password is wrong or they may not sign in; which is written down. A name that nobody has is not: people type
/// their password there.
async fn known(app: &App, visitor: &Visitor, user: Option<store::User>, verdict: Verdict) -> Result<Option<store::User>, Problem> {
    let reason = match &user {
        None => "unknown-name",
        Some(_) if verdict == Verdict::Wrong => "wrong-password",
        Some(user) if user.state() == UserState::Disabled => "disabled",
        Some(_) => return Ok(user),
    };
    refused(app, visitor, AuditVia::Password, user.as_ref(), reason).await?;
    if reason == "disabled" {
        return Err(Problem::new(Code::Forbidden, "this user is disabled: an administrator can enable them"));
    }
    Ok(None)
}

/// Writes down that somebody was not let in.
async fn refused(app: &App, visitor: &Visitor, via: AuditVia, user: Option<&store::User>, reason: &str) -> Result<(), Problem> {
    let (id, name) = (user.map(|user| user.id.to_string()), user.map(|user| user.name.clone()));
    let target = AuditTarget { kind: "user", id, name };
    let event = AuditEvent { action: "sign-in.refuse", target, detail: json!({ "reason": reason }) };
    Ok(app.store.append_audit(&visitor.audit(Actor::Anonymous, via), &event, app.clock.now_ms()).await?)
}

/// Hashes a right password anew at the present cost. One that is too short by now stays as it is.
async fn upgrade(app: &App, user: &store::User, stored: Option<PasswordHash>, password: &SecretText) -> Result<(), Problem> {
    let Some(old) = stored else { return Ok(()) };
    match app.passwords.hash(password.clone().into_inner()).await {
        Ok(new) => Ok(app.store.upgrade_password(user.id, &old, &PasswordHash(new)).await?),
        Err(error) => {
            tracing::debug!(%error, "a password is not hashed anew");
            Ok(())
        }
    }
}
