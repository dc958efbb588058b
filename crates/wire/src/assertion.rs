//! Signed assertions (RFC 7523): a runtime shows who it is with a JWT (RFC 7519) under its own Ed25519 key (RFC 8037), which is
//! good once and for a few minutes.

use aws_lc_rs::error::KeyRejected;
use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

/// `client_assertion_type` of RFC 7523 section 2.2.
pub const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// `grant_type` of RFC 6749 section 4.4.
pub const GRANT_TYPE: &str = "client_credentials";
/// How long an assertion is good for, seconds.
pub const ASSERTION_SECONDS: i64 = 120;
/// How far the clocks of both sides may differ, seconds.
pub const CLOCK_SKEW_SECONDS: i64 = 60;
/// The most bytes of an assertion.
pub const ASSERTION_BYTES_MAX: usize = 2048;

/// `{"alg":"EdDSA","typ":"JWT"}`: the only header that is taken, byte for byte, so that no algorithm is ever chosen by a sender.
const HEADER: &str = "eyJhbGciOiJFZERTQSIsInR5cCI6IkpXVCJ9";

/// What an assertion says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// The runtime's id.
    pub iss: String,
    /// The same.
    pub sub: String,
    /// Whom it is for.
    pub aud: String,
    /// Good once.
    pub jti: String,
    /// From when, seconds since 1970 UTC.
    pub iat: i64,
    /// Until when, seconds since 1970 UTC.
    pub exp: i64,
}

/// Why an assertion is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AssertionError {
    /// It is no JWT of the one form that is taken.
    #[error("the assertion is no JWT under EdDSA")]
    Malformed,
    /// The signature is not of this key.
    #[error("the signature of the assertion is not of the runtime's key")]
    Signature,
    /// It is for somebody else.
    #[error("the assertion is for another audience")]
    Audience,
    /// Its time has passed, has not come, or is longer than is taken.
    #[error("the time of the assertion is not now: compare the clocks of runtime and control plane")]
    Time,
}

impl Claims {
    /// Claims of a runtime for the next minutes. `jti` is random.
    #[must_use]
    pub fn new(runtime_id: &str, audience: &str, jti: String, now_seconds: i64) -> Self {
        Self {
            iss: runtime_id.to_owned(),
            sub: runtime_id.to_owned(),
            aud: audience.to_owned(),
            jti,
            iat: now_seconds,
            exp: now_seconds.saturating_add(ASSERTION_SECONDS),
        }
    }
}

/// The key that a runtime signs with.
pub struct SigningKey(Ed25519KeyPair);

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SigningKey(***)")
    }
}

impl SigningKey {
    /// A key from its seed (RFC 8032 section 5.1.5), 32 random bytes.
    ///
    /// # Errors
    /// When it is not 32 bytes.
    pub fn from_seed(seed: &[u8]) -> Result<Self, KeyRejected> {
        Ed25519KeyPair::from_seed_unchecked(seed).map(Self)
    }

    /// The public key in the form of [`crate::EnrollRequest`].
    #[must_use]
    pub fn public_key(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0.public_key().as_ref())
    }

    /// The signed assertion.
    #[must_use]
    pub fn sign(&self, claims: &Claims) -> String {
        let claims = serde_json::to_vec(claims).unwrap_or_default();
        let signed = format!("{HEADER}.{}", URL_SAFE_NO_PAD.encode(claims));
        let signature = URL_SAFE_NO_PAD.encode(self.0.sign(signed.as_bytes()).as_ref());
        format!("{signed}.{signature}")
    }
}

/// A public key from the form of [`crate::EnrollRequest`].
#[must_use]
pub fn read_public_key(text: &str) -> Option<[u8; 32]> {
    URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()
}

/// Who an assertion says that it is from, unchecked: whose key to check it with.
#[must_use]
pub fn claimed_runtime(assertion: &str) -> Option<String> {
    claims(assertion).map(|(claims, ..)| claims.sub)
}

/// Checks an assertion. That it is used once is for the caller to see to.
///
/// # Errors
/// When it is not taken.
pub fn verify(assertion: &str, public_key: &[u8; 32], audience: &str, now_seconds: i64) -> Result<Claims, AssertionError> {
    let (claims, signed, signature) = claims(assertion).ok_or(AssertionError::Malformed)?;
    let key = UnparsedPublicKey::new(&ED25519, public_key);
    key.verify(signed.as_bytes(), &signature).map_err(|_unspecified| AssertionError::Signature)?;
    if claims.iss != claims.sub || claims.jti.is_empty() {
        return Err(AssertionError::Malformed);
    }
    if claims.aud != audience {
        return Err(AssertionError::Audience);
    }
    let is_now = claims.iat <= now_seconds.saturating_add(CLOCK_SKEW_SECONDS)
        && claims.exp > now_seconds.saturating_sub(CLOCK_SKEW_SECONDS)
        && (1..=ASSERTION_SECONDS).contains(&claims.exp.saturating_sub(claims.iat));
    if is_now { Ok(claims) } else { Err(AssertionError::Time) }
}

fn claims(assertion: &str) -> Option<(Claims, &str, Vec<u8>)> {
    if assertion.len() > ASSERTION_BYTES_MAX {
        return None;
    }
    let (signed, signature) = assertion.rsplit_once('.')?;
    let (header, claims) = signed.split_once('.')?;
    if header != HEADER {
        return None;
    }
    let claims = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).ok()?).ok()?;
    Some((claims, signed, URL_SAFE_NO_PAD.decode(signature).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_700_000_000;

    fn key(first: u8) -> SigningKey {
        SigningKey::from_seed(&[first; 32]).unwrap()
    }

    fn public(key: &SigningKey) -> [u8; 32] {
        read_public_key(&key.public_key()).unwrap()
    }

    #[test]
    fn an_assertion_is_taken_by_its_audience_within_its_time_only() {
        let key = key(1);
        let claims = Claims::new("12", "isinglass:a", "j".to_owned(), NOW);
        let assertion = key.sign(&claims);
        let verify = |audience: &str, now: i64| verify(&assertion, &public(&key), audience, now);
        assert_eq!(verify("isinglass:a", NOW).unwrap(), claims);
        assert_eq!(claimed_runtime(&assertion).as_deref(), Some("12"));
        assert_eq!(verify("isinglass:b", NOW), Err(AssertionError::Audience));
        for (now, taken) in [
            (NOW - CLOCK_SKEW_SECONDS, true),
            (NOW - CLOCK_SKEW_SECONDS - 1, false),
            (NOW + ASSERTION_SECONDS + CLOCK_SKEW_SECONDS - 1, true),
            (NOW + ASSERTION_SECONDS + CLOCK_SKEW_SECONDS, false),
        ] {
            assert_eq!(verify("isinglass:a", now).is_ok(), taken, "{now}");
        }
        let long = key.sign(&Claims { exp: NOW + ASSERTION_SECONDS + 1, ..claims });
        assert_eq!(super::verify(&long, &public(&key), "isinglass:a", NOW), Err(AssertionError::Time));
    }

    #[test]
    fn another_key_another_algorithm_and_a_changed_text_are_refused() {
        let key = key(1);
        let assertion = key.sign(&Claims::new("12", "a", "j".to_owned(), NOW));
        assert_eq!(verify(&assertion, &public(&self::key(2)), "a", NOW), Err(AssertionError::Signature));
        let forged = Claims::new("13", "a", "j".to_owned(), NOW);
        let forged = URL_SAFE_NO_PAD.encode(serde_json::to_vec(&forged).unwrap());
        let signature = assertion.rsplit_once('.').unwrap().1;
        assert_eq!(verify(&format!("{HEADER}.{forged}.{signature}"), &public(&key), "a", NOW), Err(AssertionError::Signature));
        let none = URL_SAFE_NO_PAD.encode(r#"{"alg":"none"}"#);
        for text in [format!("{none}.{forged}."), format!("{none}.{forged}.{signature}"), "a.b".to_owned(), String::new()] {
            assert_eq!(verify(&text, &public(&key), "a", NOW), Err(AssertionError::Malformed), "{text}");
        }
        assert_eq!(format!("{key:?}"), "SigningKey(***)");
    }

    #[test]
    fn the_fixed_header_says_what_it_is_taken_for() {
        assert_eq!(URL_SAFE_NO_PAD.decode(HEADER).unwrap(), br#"{"alg":"EdDSA","typ":"JWT"}"#);
    }
}
