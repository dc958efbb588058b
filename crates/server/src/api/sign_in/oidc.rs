//! Sign-in at an identity provider: the browser goes there and comes back.
#![expect(unused_qualifications, reason = "what utoipa derives for a query of this module qualifies what is in scope")]

#[cfg(test)]
pub(super) mod tests;

use std::fmt::Write;

use axum::extract::State;
use axum::response::{AppendHeaders, IntoResponse, Response};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::Deserialize;
use serde_json::json;
use store::{Actor, AuditEvent, AuditTarget, AuditVia, OidcIdentity, OidcSignIn, RoleGrant, StoreError, User, UserState};
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::refused;
use crate::api::caller::cookie as sent_cookie;
use crate::api::visitor::{Visitor, cookie};
use crate::api::{CreateProblems, ReadProblems};
use crate::auth::oidc::{COOKIE_NAME, COOKIE_SECONDS, Callback, LocalPath, Oidc, OidcError, SignedIn, VerifiedClaims};
use crate::http::{Code, Problem, Query};
use crate::state::App;

/// Where a sign-in at the provider begins.
pub(super) const BEGIN_PATH: &str = "/api/v1/sign-in/oidc";
/// Seconds after which a provider that failed is worth another try.
const RETRY_AFTER_SECONDS: u32 = 10;

/// Where to go afterwards.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
struct Begin {
    /// A path of this service: `/assets?q=orders`.
    return_to: Option<String>,
}

/// What the provider sends back.
#[derive(Clone, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Returned {
    /// The authorization code.
    code: Option<String>,
    /// What was sent there.
    state: Option<String>,
    /// Instead of a code.
    error: Option<String>,
    /// Who answers.
    iss: Option<String>,
}

/// `/sign-in/oidc`.
pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(begin)).routes(routes!(finish))
}

/// Sends the browser to the identity provider.
#[utoipa::path(get, path = "/api/v1/sign-in/oidc", operation_id = "begin_oidc", tag = "sign-in", security(()), params(Begin), responses(
    (status = 302, description = "To the provider.", headers(("location" = String, description = "The provider."))), ReadProblems,
))]
async fn begin(State(app): State<App>, Query(query): Query<Begin>) -> Result<Response, Problem> {
    let oidc = provider(&app)?;
    let wrong = || {
        Problem::new(Code::InvalidParameter, "a parameter of the query is not as described")
            .with_field("returnTo", "expected a path of this service, such as /runs")
    };
    let return_to = query.return_to.map_or(Ok(LocalPath::root()), |path| LocalPath::parse(&path).ok_or_else(wrong))?;
    let begun = oidc.begin(return_to, app.clock.now_ms()).await.map_err(|error| problem(&error))?;
    let cookie = cookie(&app, COOKIE_NAME, &begun.cookie, BEGIN_PATH, COOKIE_SECONDS)?;
    found(&begun.authorize_url, [cookie])
}

/// Where the provider sends the browser back to: sets the cookie of the session.
#[utoipa::path(get, path = "/api/v1/sign-in/oidc/callback", operation_id = "finish_oidc", tag = "sign-in", security(()), params(Returned), responses(
    (status = 302, description = "Signed in; to where it began.", headers(("location" = String, description = "A path of this service."))), CreateProblems,
))]
async fn finish(
    State(app): State<App>,
    visitor: Visitor,
    headers: HeaderMap,
    Query(returned): Query<Returned>,
) -> Result<Response, Problem> {
    let used_up = cookie(&app, COOKIE_NAME, "", BEGIN_PATH, 0)?;
    let Returned { code, state, error, iss } = returned;
    let callback = Callback { code, state, error, iss };
    match admit(&app, &visitor, callback, sent_cookie(&headers, COOKIE_NAME)).await {
        Ok((session, return_to)) => found(&ascii(return_to.as_str()), [used_up, session]),
        Err(problem) => Ok((AppendHeaders([(header::SET_COOKIE, used_up)]), problem).into_response()),
    }
}

/// The cookie of the session, and where to go.
async fn admit(
    app: &App,
    visitor: &Visitor,
    callback: Callback,
    cookie: Option<&str>,
) -> Result<(HeaderValue, LocalPath), Problem> {
    let signed_in = provider(app)?.finish(callback, cookie, app.clock.now_ms()).await.map_err(|error| problem(&error))?;
    let SignedIn { claims, role, return_to } = signed_in;
    let Some(role) = role else {
        refuse_stranger(app, visitor, &claims, "no-role").await?;
        let detail = "the provider knows you, and nothing that it says gives you a role here: ask an administrator of this service";
        return Err(Problem::new(Code::Forbidden, detail));
    };
    let user = user_of(app, visitor, claims, role).await?;
    if user.state() == UserState::Disabled {
        refused(app, visitor, AuditVia::Oidc, Some(&user), "disabled").await?;
        return Err(Problem::new(Code::Forbidden, "this user is disabled: an administrator can enable them"));
    }
    Ok((visitor.begin(app, &user, AuditVia::Oidc).await?.cookie, return_to))
}

/// The user of an identity, with the role that is ruled. Nobody is taken over because a name or an address is the same: whoever can
/// choose their name at the provider could choose an administrator's.
async fn user_of(app: &App, visitor: &Visitor, claims: VerifiedClaims, role: RoleGrant) -> Result<User, Problem> {
    let audit = visitor.audit(Actor::System { name: "sign-in".to_owned() }, AuditVia::Oidc);
    let user = match app.store.sign_in_oidc(&told(&claims, role), &audit, app.clock.now_ms()).await {
        Err(StoreError::Exists { name, .. }) => {
            refuse_stranger(app, visitor, &claims, "name-taken").await?;
            let detail = format!(
                "there is a user `{name}` already, who is not you to the provider: ask an administrator of this service to rename \
                 them, or an administrator of the provider to rename you"
            );
            return Err(Problem::new(Code::NameTaken, detail));
        }
        user => user?,
    };
    if matches!(role, RoleGrant::Ruled(role) if role != user.role) {
        tracing::warn!(user = %user.name, "the last active administrator keeps the role, whatever groups say: make somebody else one");
    }
    Ok(user)
}

/// Writes down that somebody whom the provider knows, and who is no user, was not let in.
async fn refuse_stranger(app: &App, visitor: &Visitor, claims: &VerifiedClaims, reason: &str) -> Result<(), Problem> {
    let target = AuditTarget { kind: "user", id: None, name: Some(name_of(claims)) };
    let detail = json!({ "reason": reason, "issuer": claims.issuer, "subject": claims.subject });
    let event = AuditEvent { action: "sign-in.refuse", target, detail };
    let audit = visitor.audit(Actor::Anonymous, AuditVia::Oidc);
    Ok(app.store.append_audit(&audit, &event, app.clock.now_ms()).await?)
}

fn provider(app: &App) -> Result<&Oidc, Problem> {
    let none = || Problem::new(Code::NotFound, "this service has no identity provider (`sign_in.oidc.issuer`): use a password");
    app.oidc.as_ref().ok_or_else(none)
}

/// What the store is told of somebody.
fn told(claims: &VerifiedClaims, role: RoleGrant) -> OidcSignIn {
    OidcSignIn {
        identity: OidcIdentity { issuer: claims.issuer.clone(), subject: claims.subject.clone() },
        name: name_of(claims),
        display_name: claims.name.clone(),
        email: verified_email(claims).cloned(),
        role,
    }
}

/// What somebody is called here when they are new.
fn name_of(claims: &VerifiedClaims) -> String {
    let name = claims.preferred_username.as_ref().or_else(|| verified_email(claims)).unwrap_or(&claims.subject);
    name.trim().to_owned()
}

/// An address that is not verified proves nothing, and is not kept.
fn verified_email(claims: &VerifiedClaims) -> Option<&String> {
    claims.email.as_ref().filter(|_| claims.email_verified)
}

fn problem(error: &OidcError) -> Problem {
    match error {
        OidcError::NotBegun | OidcError::WrongState => Problem::new(Code::InvalidParameter, error.to_string()),
        OidcError::CodeRefused | OidcError::WrongNonce => {
            tracing::info!(%error, "a sign-in is refused");
            Problem::new(Code::InvalidParameter, error.to_string())
        }
        OidcError::RefusedByProvider { .. } => Problem::new(Code::Forbidden, error.to_string()),
        OidcError::Settings { .. }
        | OidcError::Discovery { .. }
        | OidcError::Exchange { .. }
        | OidcError::IdToken { .. }
        | OidcError::UserInfo { .. } => {
            tracing::warn!(%error, "the identity provider does not work");
            let detail = "the identity provider does not work at the moment; the log of the service says more";
            Problem::new(Code::Unavailable, detail).with_retry_after(RETRY_AFTER_SECONDS)
        }
        OidcError::Random(_) | OidcError::Sealing(_) => Problem::internal(error),
    }
}

fn found(location: &str, cookies: impl IntoIterator<Item = HeaderValue>) -> Result<Response, Problem> {
    let location = HeaderValue::from_str(location).map_err(|error| Problem::internal(&error))?;
    let mut headers = HeaderMap::from_iter([(header::LOCATION, location)]);
    headers.extend(cookies.into_iter().map(|cookie| (header::SET_COOKIE, cookie)));
    Ok((StatusCode::FOUND, headers).into_response())
}

/// A header has ASCII only.
fn ascii(path: &str) -> String {
    path.bytes().fold(String::with_capacity(path.len()), |mut text, byte| {
        if byte.is_ascii_graphic() {
            text.push(char::from(byte));
        } else {
            let _never_fails = write!(text, "%{byte:02X}");
        }
        text
    })
}
