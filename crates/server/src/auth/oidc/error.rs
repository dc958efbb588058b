//! What can go wrong between the browser, the provider and us. No message holds a code, a token or a secret.

use openidconnect::{ClaimsVerificationError, SignatureVerificationError};

use crate::outbound::OutboundError;
use crate::randomness::RandomError;
use crate::sealing::SealingError;

/// Longest error code of a provider that is repeated, in characters.
const PROVIDER_CODE_MAX: usize = 40;

/// Why a sign-in by OpenID Connect did not come about.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OidcError {
    /// The configuration cannot be right.
    #[error(
        "the {what} of the OpenID Connect configuration cannot be used: write it as the provider shows it; URLs begin with https://"
    )]
    Settings {
        /// Which part.
        what: &'static str,
    },
    /// What the provider publishes about itself cannot be read.
    #[error(
        "the provider {issuer} does not describe itself ({reason}): check the issuer in the configuration, and that this server may reach it"
    )]
    Discovery {
        /// The issuer.
        issuer: String,
        /// What is wrong.
        reason: String,
    },
    /// No cookie, one that does not open, or one that is too old.
    #[error("this sign-in took too long or was begun in another browser: begin it again")]
    NotBegun,
    /// The state is not the one of this browser.
    #[error("this answer belongs to another sign-in: begin it again; never follow a sign-in link that somebody sent")]
    WrongState,
    /// The provider says no.
    #[error("the provider refused this sign-in ({code}): ask its administrator whether you may use this application")]
    RefusedByProvider {
        /// Its error code.
        code: String,
    },
    /// The code is of no use any more, or never was of any to this browser.
    #[error(
        "the provider does not take the code of this sign-in: it was used before, is too old, or is of another sign-in; begin it again"
    )]
    CodeRefused,
    /// The code was not exchanged.
    #[error(
        "the provider did not exchange the code ({reason}): begin the sign-in again; if it stays so, check client id and secret"
    )]
    Exchange {
        /// What is wrong.
        reason: String,
    },
    /// The ID token was made for another sign-in: its nonce is not the one of this browser.
    #[error(
        "the provider's answer is for another sign-in (its nonce is not the one that was sent): begin it again; never follow a \
         sign-in link that somebody sent"
    )]
    WrongNonce,
    /// The ID token is not to be believed.
    #[error(
        "the provider's ID token is not accepted ({reason}): begin the sign-in again; if it stays so, check the provider's settings"
    )]
    IdToken {
        /// Which check failed.
        reason: &'static str,
    },
    /// The provider did not tell what the ID token lacks.
    #[error(
        "the provider's userinfo endpoint does not tell who this is ({reason}): begin the sign-in again; if it stays so, have the \
         provider put the claims into the ID token"
    )]
    UserInfo {
        /// What is wrong.
        reason: String,
    },
    /// No random bytes.
    #[error(transparent)]
    Random(#[from] RandomError),
    /// The cookie cannot be made.
    #[error(transparent)]
    Sealing(#[from] SealingError),
}

impl OidcError {
    /// Whether the provider or its configuration is at fault, which an operator has to look at, and not the browser.
    #[must_use]
    pub fn is_of_the_provider(&self) -> bool {
        match self {
            Self::Settings { .. }
            | Self::Discovery { .. }
            | Self::Exchange { .. }
            | Self::IdToken { .. }
            | Self::UserInfo { .. } => true,
            Self::NotBegun
            | Self::WrongState
            | Self::RefusedByProvider { .. }
            | Self::CodeRefused
            | Self::WrongNonce
            | Self::Random(_)
            | Self::Sealing(_) => false,
        }
    }
}

/// Why the adapter gave the library no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum HttpError {
    #[error(transparent)]
    Outbound(#[from] OutboundError),
    #[error("the request cannot be made")]
    Request,
}

pub(super) fn settings(what: &'static str) -> OidcError {
    OidcError::Settings { what }
}

pub(super) fn refused_by_provider(code: &str) -> OidcError {
    OidcError::RefusedByProvider { code: plain(code) }
}

/// An error code of the other side is only repeated as far as it looks like one.
pub(super) fn plain(code: &str) -> String {
    code.chars().filter(|letter| letter.is_ascii_lowercase() || matches!(letter, '_' | ' ')).take(PROVIDER_CODE_MAX).collect()
}

/// The library's messages quote the token's content; these do not.
pub(super) fn id_token(error: &ClaimsVerificationError) -> OidcError {
    let reason = match error {
        ClaimsVerificationError::Expired(_) => "its times do not fit; is the clock of this server right?",
        ClaimsVerificationError::InvalidAudience(_) => "it is for another application",
        ClaimsVerificationError::InvalidIssuer(_) => "it is of another issuer",
        ClaimsVerificationError::InvalidNonce(_) => return OidcError::WrongNonce,
        ClaimsVerificationError::SignatureVerification(SignatureVerificationError::DisallowedAlg(_)) => {
            "its signature is of a kind that is not accepted"
        }
        ClaimsVerificationError::SignatureVerification(SignatureVerificationError::NoMatchingKey) => {
            "it is signed with a key that the provider does not publish"
        }
        ClaimsVerificationError::SignatureVerification(_) => "its signature is wrong",
        ClaimsVerificationError::InvalidSubject(_) => "it names nobody",
        ClaimsVerificationError::InvalidAuthContext(_)
        | ClaimsVerificationError::InvalidAuthTime(_)
        | ClaimsVerificationError::Other(_)
        | ClaimsVerificationError::Unsupported(_)
        | _ => "it is malformed",
    };
    OidcError::IdToken { reason }
}
