//! The end of a session at the provider (OpenID Connect RP-Initiated Logout 1.0): the browser goes there, as it alone has the
//! provider's cookie.

use openidconnect::core::{
    CoreAuthDisplay, CoreClaimName, CoreClaimType, CoreClientAuthMethod, CoreGrantType, CoreJsonWebKey,
    CoreJweContentEncryptionAlgorithm, CoreJweKeyManagementAlgorithm, CoreResponseMode, CoreResponseType,
    CoreSubjectIdentifierType,
};
use openidconnect::url::Url;
use openidconnect::{AdditionalProviderMetadata, EndSessionUrl, LogoutRequest, ProviderMetadata};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::provider::Registration;
use crate::outbound;

/// What a provider publishes about itself. The library's own type with this endpoint refuses the whole description where the
/// endpoint is no URL, and signing in does not depend on it.
pub(super) type Description = ProviderMetadata<
    SignOutMetadata,
    CoreAuthDisplay,
    CoreClientAuthMethod,
    CoreClaimName,
    CoreClaimType,
    CoreGrantType,
    CoreJweContentEncryptionAlgorithm,
    CoreJweKeyManagementAlgorithm,
    CoreJsonWebKey,
    CoreResponseMode,
    CoreResponseType,
    CoreSubjectIdentifierType,
>;

/// What a provider says about signing out.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct SignOutMetadata {
    end_session_endpoint: Option<Value>,
}

impl AdditionalProviderMetadata for SignOutMetadata {}

impl SignOutMetadata {
    /// Where sessions end, when it is an address that a browser may be sent to.
    pub(super) fn endpoint(&self) -> Option<EndSessionUrl> {
        let named = self.end_session_endpoint.as_ref()?;
        let endpoint = named.as_str().and_then(|text| EndSessionUrl::new(text.to_owned()).ok());
        let usable = endpoint.filter(|endpoint| outbound::check(endpoint.url()).is_ok());
        if usable.is_none() {
            tracing::warn!(
                "the provider's end_session_endpoint is no URL that begins with https://: signing out ends sessions here only"
            );
        }
        usable
    }
}

/// Where to send the browser. The ID token of the sign-in is no hint here: for that it would have to be stored as long as the
/// session lasts, a secret with claims about a person at rest. The client id tells the provider who asks (section 2); without
/// the hint it may ask the person first.
pub(super) fn url(endpoint: EndSessionUrl, registration: &Registration) -> Url {
    let request = LogoutRequest::from(endpoint).set_client_id(registration.client_id.clone());
    match registration.post_logout_redirect_url.clone() {
        Some(back) => request.set_post_logout_redirect_uri(back).http_get_url(),
        None => request.http_get_url(),
    }
}
