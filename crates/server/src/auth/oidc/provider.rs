//! The provider as it describes itself: fetched once, refreshed each hour, and at once when it signs with a new key.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use openidconnect::core::{
    CoreAuthDisplay, CoreAuthPrompt, CoreClientAuthMethod, CoreErrorResponseType, CoreGenderClaim, CoreJsonWebKey,
    CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm, CoreRevocableToken, CoreRevocationErrorResponse,
    CoreTokenIntrospectionResponse, CoreTokenType,
};
use openidconnect::url::Url;
use openidconnect::{
    AccessToken, AuthType, AuthorizationCode, Client, ClientId, ClientSecret, DiscoveryError, EmptyExtraTokenFields, EndSessionUrl,
    EndpointMaybeSet, EndpointNotSet, EndpointSet, IdToken, IdTokenFields, IdTokenVerifier, IssuerUrl, Nonce, OAuth2TokenResponse,
    PkceCodeVerifier, PostLogoutRedirectUrl, RedirectUrl, RequestTokenError, SignatureVerificationError, StandardErrorResponse,
    StandardTokenResponse, TokenResponse,
};
use tokio::sync::Mutex;

use super::claims::{Claims, OtherClaims};
use super::error::{HttpError, OidcError, id_token, plain, settings};
use super::http::Adapter;
use super::sign_out::{self, Description};
use crate::outbound::Outbound;

/// After this time the provider is asked anew, milliseconds.
const REFRESH_AFTER_MS: i64 = 3_600_000;
/// A key that is not known makes us ask at most this often, milliseconds: anybody can send such a token.
const REFRESH_FOR_KEY_AFTER_MS: i64 = 60_000;
/// After a failure the provider is left alone for this time, milliseconds.
const ASK_AGAIN_AFTER_MS: i64 = 10_000;
/// How far clocks may differ, seconds.
const CLOCK_SKEW_SECONDS: i64 = 60;
/// Signatures that are accepted. None with a shared secret, and not `none`.
const ALGORITHMS: [CoreJwsSigningAlgorithm; 9] = [
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha384,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha512,
    CoreJwsSigningAlgorithm::RsaSsaPssSha256,
    CoreJwsSigningAlgorithm::RsaSsaPssSha384,
    CoreJwsSigningAlgorithm::RsaSsaPssSha512,
    CoreJwsSigningAlgorithm::EcdsaP256Sha256,
    CoreJwsSigningAlgorithm::EcdsaP384Sha384,
    CoreJwsSigningAlgorithm::EdDsa,
];

pub(super) type Token = IdToken<OtherClaims, CoreGenderClaim, CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm>;
type Fields =
    IdTokenFields<OtherClaims, EmptyExtraTokenFields, CoreGenderClaim, CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm>;
type ErrorResponse = StandardErrorResponse<CoreErrorResponseType>;
type ProviderClient = Client<
    OtherClaims,
    CoreAuthDisplay,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJsonWebKey,
    CoreAuthPrompt,
    ErrorResponse,
    StandardTokenResponse<Fields, CoreTokenType>,
    CoreTokenIntrospectionResponse,
    CoreRevocableToken,
    CoreRevocationErrorResponse,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

/// What a code was exchanged for; nothing of it is verified yet.
pub(super) struct Exchanged {
    pub(super) id_token: Token,
    pub(super) access_token: AccessToken,
}

#[derive(Debug)]
pub(super) struct Registration {
    pub(super) issuer: IssuerUrl,
    pub(super) client_id: ClientId,
    pub(super) client_secret: Option<ClientSecret>,
    pub(super) redirect_url: RedirectUrl,
    pub(super) post_logout_redirect_url: Option<PostLogoutRedirectUrl>,
}

/// What came of asking the provider.
#[derive(Debug, Default)]
struct Known {
    client: Option<Arc<ProviderClient>>,
    /// Where sessions at the provider end, if it says so.
    end_session: Option<EndSessionUrl>,
    fetched_ms: i64,
    /// Why it could not be asked the last time, and when that was.
    failure: Option<(String, i64)>,
}

#[derive(Debug)]
pub(super) struct Provider {
    registration: Registration,
    http: Adapter,
    /// Held while the provider is asked, so that many sign-ins ask once.
    known: Mutex<Known>,
}

impl Provider {
    pub(super) fn new(registration: Registration, outbound: Outbound) -> Self {
        Self { registration, http: Adapter(outbound), known: Mutex::default() }
    }

    pub(super) async fn client(&self, now_ms: i64) -> Result<Arc<ProviderClient>, OidcError> {
        self.client_not_older_than(REFRESH_AFTER_MS, now_ms).await
    }

    pub(super) async fn exchange(
        &self,
        code: AuthorizationCode,
        verifier: PkceCodeVerifier,
        now_ms: i64,
    ) -> Result<Exchanged, OidcError> {
        let client = self.client(now_ms).await?;
        let request = client.exchange_code(code).map_err(|_no_endpoint| self.undescribed("it has no token endpoint"))?;
        let response =
            request.set_pkce_verifier(verifier).request_async(&self.http).await.map_err(|error| exchange_failed(&error))?;
        let none = OidcError::IdToken { reason: "there is none; is the scope openid allowed?" };
        Ok(Exchanged { id_token: response.id_token().cloned().ok_or(none)?, access_token: response.access_token().clone() })
    }

    /// Providers change their keys: one that is not known is looked for once more.
    pub(super) async fn verify(&self, token: &Token, nonce: &Nonce, now_ms: i64) -> Result<Claims, OidcError> {
        let client = self.client(now_ms).await?;
        match token.claims(&verifier(&client, now_ms)?, nonce) {
            Err(openidconnect::ClaimsVerificationError::SignatureVerification(SignatureVerificationError::NoMatchingKey)) => {}
            checked => return checked.cloned().map_err(|error| id_token(&error)),
        }
        let client = self.client_not_older_than(REFRESH_FOR_KEY_AFTER_MS, now_ms).await?;
        token.claims(&verifier(&client, now_ms)?, nonce).cloned().map_err(|error| id_token(&error))
    }

    /// Where a browser ends its session at the provider, which need not have such a place.
    pub(super) async fn sign_out_url(&self, now_ms: i64) -> Result<Option<Url>, OidcError> {
        self.client(now_ms).await?;
        let end_session = self.known.lock().await.end_session.clone();
        Ok(end_session.map(|endpoint| sign_out::url(endpoint, &self.registration)))
    }

    /// When the provider cannot be asked anew, what it said before still holds. A failure is remembered for a while, as those
    /// who wait for the lock would otherwise fail one after the other, each after the whole time limit.
    async fn client_not_older_than(&self, age_ms: i64, now_ms: i64) -> Result<Arc<ProviderClient>, OidcError> {
        let mut known = self.known.lock().await;
        if let Some(client) = known.client.as_ref().filter(|_client| now_ms.saturating_sub(known.fetched_ms) < age_ms) {
            return Ok(Arc::clone(client));
        }
        let failed_lately =
            known.failure.as_ref().is_some_and(|(_reason, at_ms)| now_ms.saturating_sub(*at_ms) < ASK_AGAIN_AFTER_MS);
        if !failed_lately {
            self.refresh(&mut known, now_ms).await;
        }
        let reason = known.failure.as_ref().map_or("it was not asked", |(reason, _at_ms)| reason);
        known.client.as_ref().map(Arc::clone).ok_or_else(|| self.undescribed(reason))
    }

    async fn refresh(&self, known: &mut Known, now_ms: i64) {
        match self.describe().await.map_err(|error| discovery_reason(&error)) {
            Ok(description) => {
                let end_session = description.additional_metadata().endpoint();
                let client = Some(Arc::new(self.client_of(description)));
                *known = Known { client, end_session, fetched_ms: now_ms, failure: None };
            }
            Err(reason) => {
                tracing::warn!(issuer = %self.registration.issuer.as_str(), reason, "the identity provider cannot be asked");
                known.failure = Some((reason, now_ms));
            }
        }
    }

    fn client_of(&self, description: Description) -> ProviderClient {
        let auth_type = auth_type(&description);
        let (client_id, secret) = (self.registration.client_id.clone(), self.registration.client_secret.clone());
        ProviderClient::from_provider_metadata(description, client_id, secret)
            .set_auth_type(auth_type)
            .set_redirect_uri(self.registration.redirect_url.clone())
    }

    /// The description lies at the same address whether or not the issuer ends with a slash, and people write either: the provider's
    /// spelling is the one that its tokens have to hold.
    async fn describe(&self) -> Result<Description, DiscoveryError<HttpError>> {
        let issuer = &self.registration.issuer;
        match Description::discover_async(issuer.clone(), &self.http).await {
            Err(DiscoveryError::Validation(message)) => {
                let other = other_spelling(issuer).ok_or(DiscoveryError::Validation(message))?;
                Description::discover_async(other, &self.http).await
            }
            described => described,
        }
    }

    pub(super) fn http(&self) -> &Adapter {
        &self.http
    }

    fn undescribed(&self, reason: &str) -> OidcError {
        OidcError::Discovery { issuer: self.registration.issuer.to_string(), reason: reason.to_owned() }
    }
}

/// With a slash at its end, or without it.
fn other_spelling(issuer: &IssuerUrl) -> Option<IssuerUrl> {
    let text = issuer.as_str();
    IssuerUrl::new(text.strip_suffix('/').map_or_else(|| format!("{text}/"), str::to_owned)).ok()
}

/// Basic is what the standard assumes; the body only where nothing else is offered.
fn auth_type(description: &Description) -> AuthType {
    match description.token_endpoint_auth_methods_supported() {
        Some(methods)
            if methods.contains(&CoreClientAuthMethod::ClientSecretPost)
                && !methods.contains(&CoreClientAuthMethod::ClientSecretBasic) =>
        {
            AuthType::RequestBody
        }
        _ => AuthType::BasicAuth,
    }
}

fn verifier(client: &ProviderClient, now_ms: i64) -> Result<IdTokenVerifier<'_, CoreJsonWebKey>, OidcError> {
    let now = DateTime::<Utc>::from_timestamp_millis(now_ms).ok_or_else(|| settings("clock"))?;
    let skew = chrono::TimeDelta::seconds(CLOCK_SKEW_SECONDS);
    Ok(client.id_token_verifier().set_allowed_algs(ALGORITHMS).set_time_fn(move || now - skew).set_issue_time_verifier_fn(
        move |issued| if issued <= now + skew { Ok(()) } else { Err("issued in the future".to_owned()) },
    ))
}

/// The library's errors hold whole answers, which hold tokens; these reasons do not.
fn exchange_failed(error: &RequestTokenError<HttpError, ErrorResponse>) -> OidcError {
    let reason = match error {
        RequestTokenError::ServerResponse(response) if *response.error() == CoreErrorResponseType::InvalidGrant => {
            return OidcError::CodeRefused;
        }
        RequestTokenError::ServerResponse(response) => format!("it answered {}", plain(response.error().as_ref())),
        RequestTokenError::Request(error) => error.to_string(),
        RequestTokenError::Parse(..) => "its answer is no token response".to_owned(),
        RequestTokenError::Other(_) => "its answer is empty or has a status that does not fit".to_owned(),
    };
    OidcError::Exchange { reason }
}

fn discovery_reason(error: &DiscoveryError<HttpError>) -> String {
    match error {
        DiscoveryError::Request(error) => error.to_string(),
        DiscoveryError::Response(status, ..) => format!("it answered {status}, or not with JSON"),
        DiscoveryError::Parse(error) => format!("its description is incomplete: {}", error.path()),
        DiscoveryError::Validation(_) => "it names another issuer than the configuration does".to_owned(),
        DiscoveryError::UrlParse(_) | DiscoveryError::Other(_) | _ => "its description cannot be read".to_owned(),
    }
}
