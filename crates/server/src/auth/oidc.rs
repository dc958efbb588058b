//! Sign-in by OpenID Connect: the authorization code flow with PKCE, state and nonce.
//!
//! Nothing is remembered here between the two halves of a sign-in: what belongs to it travels in a sealed cookie, so any
//! replica can finish what another began. Only what the provider publishes about itself is cached.

mod claims;
mod error;
#[cfg(test)]
pub(crate) mod fake_provider;
mod http;
mod provider;
mod sign_out;
#[cfg(test)]
mod tests;
mod transaction;
mod user_info;

use std::sync::Arc;

use openidconnect::core::CoreResponseType;
use openidconnect::url::Url;
use openidconnect::{
    AuthenticationFlow, AuthorizationCode, ClientId, ClientSecret, CsrfToken, IssuerUrl, Nonce, PkceCodeChallenge,
    PkceCodeVerifier, PostLogoutRedirectUrl, RedirectUrl, Scope as OidcScope,
};

use store::RoleGrant;

pub use claims::{RoleRules, VerifiedClaims};
pub use error::OidcError;
pub use transaction::{COOKIE_NAME, COOKIE_SECONDS, LocalPath};

use self::claims::Said;
use self::provider::{Provider, Registration};
use self::transaction::{Cookies, Transaction};
use super::token::same;
use crate::outbound::Outbound;
use crate::randomness::Random;
use crate::sealing::DerivedKey;

/// Longest authorization code that is passed on, in bytes.
const CODE_BYTES_MAX: usize = 4096;

/// What the operator has agreed with the provider.
#[derive(Clone, Debug)]
pub struct OidcSettings {
    /// As the provider spells it, such as `https://login.example.com/realms/main`; a slash at its end makes no difference.
    pub issuer: String,
    /// Our name there.
    pub client_id: String,
    /// Without one, PKCE alone protects the exchange.
    pub client_secret: Option<model::Secret>,
    /// Where the provider sends the browser back to: `https://…/api/v1/sign-in/oidc/callback`.
    pub redirect_url: String,
    /// Where the provider sends the browser back to after the end of a session there; without it, the browser stays there.
    pub post_logout_redirect_url: Option<String>,
    /// Scopes besides `openid`, such as `profile`, `email`, `groups`.
    pub scopes: Vec<String>,
    /// Which role somebody gets.
    pub roles: RoleRules,
}

/// The first half of a sign-in.
#[derive(Clone, Debug)]
pub struct Begun {
    /// Where to send the browser.
    pub authorize_url: String,
    /// The value of the cookie [`COOKIE_NAME`], to be kept for [`COOKIE_SECONDS`]: HttpOnly, SameSite=Lax.
    pub cookie: String,
}

/// What the provider sends back by way of the browser: query parameters, all of them untrusted.
#[derive(Clone, Debug, Default, serde::Deserialize)]
pub struct Callback {
    /// The authorization code.
    pub code: Option<String>,
    /// Must be ours.
    pub state: Option<String>,
    /// Instead of a code.
    pub error: Option<String>,
    /// Who answers (RFC 9207); checked when given.
    pub iss: Option<String>,
}

/// The second half of a sign-in. The cookie is used up: delete it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedIn {
    /// Who it is, as the provider says.
    pub claims: VerifiedClaims,
    /// The role by the rules; nothing when the rules give none, which means that this person may not sign in.
    pub role: Option<RoleGrant>,
    /// Where to send the browser.
    pub return_to: LocalPath,
}

/// Sign-in with one provider.
#[derive(Debug)]
pub struct Oidc {
    provider: Provider,
    cookies: Cookies,
    scopes: Vec<OidcScope>,
    roles: RoleRules,
    /// Without a slash at its end.
    issuer: String,
    random: Arc<dyn Random>,
}

impl Oidc {
    /// Asks nobody yet. `keys` are [`crate::sealing::MasterKeys::derive`] for [`crate::sealing::Purpose::SignInTransaction`]:
    /// the first seals, all open.
    ///
    /// # Errors
    /// [`OidcError::Settings`].
    pub fn new(
        settings: OidcSettings,
        outbound: Outbound,
        keys: Vec<DerivedKey>,
        random: Arc<dyn Random>,
    ) -> Result<Self, OidcError> {
        let issuer = IssuerUrl::new(settings.issuer.clone()).map_err(|_invalid| error::settings("issuer"))?;
        let redirect_url = RedirectUrl::new(settings.redirect_url).map_err(|_invalid| error::settings("redirect URL"))?;
        let invalid = |_invalid| error::settings("post-logout redirect URL");
        let post_logout_redirect_url =
            settings.post_logout_redirect_url.map(PostLogoutRedirectUrl::new).transpose().map_err(invalid)?;
        let back = post_logout_redirect_url.as_ref().map(|url| (url.url(), "post-logout redirect URL"));
        for (url, what) in [(issuer.url(), "issuer"), (redirect_url.url(), "redirect URL")].into_iter().chain(back) {
            crate::outbound::check(url).map_err(|_refused| error::settings(what))?;
        }
        let cookies = Cookies::new(keys, &settings.issuer, &settings.client_id)?;
        let registration = Registration {
            issuer,
            client_id: ClientId::new(settings.client_id),
            client_secret: settings.client_secret.map(|secret| ClientSecret::new(secret.expose().to_owned())),
            redirect_url,
            post_logout_redirect_url,
        };
        Ok(Self {
            provider: Provider::new(registration, outbound),
            cookies,
            scopes: settings.scopes.into_iter().map(OidcScope::new).collect(),
            roles: settings.roles,
            issuer: settings.issuer.trim_end_matches('/').to_owned(),
            random,
        })
    }

    /// The first half: where to send the browser, and what it has to keep meanwhile. `now_ms` is in milliseconds since 1970.
    ///
    /// # Errors
    /// [`OidcError::Discovery`], [`OidcError::Random`], [`OidcError::Settings`].
    pub async fn begin(&self, return_to: LocalPath, now_ms: i64) -> Result<Begun, OidcError> {
        let client = self.provider.client(now_ms).await?;
        let transaction = Transaction::draw(return_to, now_ms, &*self.random)?;
        let challenge = PkceCodeChallenge::from_code_verifier_sha256(&PkceCodeVerifier::new(transaction.verifier.clone()));
        let (state, nonce) = (CsrfToken::new(transaction.state.clone()), Nonce::new(transaction.nonce.clone()));
        let (url, _state, _nonce): (Url, _, _) = client
            .authorize_url(AuthenticationFlow::<CoreResponseType>::AuthorizationCode, move || state, move || nonce)
            .add_scopes(self.scopes.iter().cloned())
            .set_pkce_challenge(challenge)
            .url();
        Ok(Begun { authorize_url: url.into(), cookie: self.cookies.write(&transaction, &*self.random)? })
    }

    /// The second half: exchanges the code and verifies who it is. `cookie` is the value of [`COOKIE_NAME`].
    ///
    /// # Errors
    /// [`OidcError`]; [`OidcError::is_of_the_provider`] tells faults of the other side from those of the browser.
    pub async fn finish(&self, callback: Callback, cookie: Option<&str>, now_ms: i64) -> Result<SignedIn, OidcError> {
        let transaction = self.cookies.read(cookie, now_ms)?;
        let code = self.checked_code(callback, &transaction)?;
        let exchanged = self.provider.exchange(code, PkceCodeVerifier::new(transaction.verifier), now_ms).await?;
        let token = self.provider.verify(&exchanged.id_token, &Nonce::new(transaction.nonce), now_ms).await?;
        let mut said = Said::in_id_token(&token, &self.roles);
        if !said.is_enough(&self.roles)
            && let Some(more) = self.provider.user_info(exchanged.access_token, token.subject(), now_ms).await?
        {
            said = said.or(Said::at_userinfo(&more, &self.roles));
        }
        let claims = said.of(&token);
        let role = self.roles.grant(&claims.role_values);
        Ok(SignedIn { claims, role, return_to: transaction.return_to })
    }

    /// Where to send the browser so that the session ends at the provider too; nowhere for who is of another `issuer`, or when the
    /// provider names no place that a browser may be sent to.
    ///
    /// # Errors
    /// [`OidcError::Discovery`].
    pub async fn sign_out_url(&self, issuer: &str, now_ms: i64) -> Result<Option<String>, OidcError> {
        if !self.is_the_issuer(issuer) {
            return Ok(None);
        }
        Ok(self.provider.sign_out_url(now_ms).await?.map(String::from))
    }

    /// The state is looked at first: an error that somebody else made up is not shown as one of the provider.
    fn checked_code(&self, callback: Callback, transaction: &Transaction) -> Result<AuthorizationCode, OidcError> {
        let state = callback.state.unwrap_or_default();
        let is_of_another = callback.iss.is_some_and(|issuer| !self.is_the_issuer(&issuer));
        if !same(state.as_bytes(), transaction.state.as_bytes()) || is_of_another {
            return Err(OidcError::WrongState);
        }
        match (callback.error, callback.code) {
            (Some(code), _) => Err(error::refused_by_provider(&code)),
            (None, Some(code)) if code.len() <= CODE_BYTES_MAX => Ok(AuthorizationCode::new(code)),
            (None, _) => Err(error::refused_by_provider("no code")),
        }
    }

    /// A slash at the end makes no difference.
    fn is_the_issuer(&self, issuer: &str) -> bool {
        issuer.trim_end_matches('/') == self.issuer
    }
}
