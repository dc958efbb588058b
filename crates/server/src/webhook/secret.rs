//! The secret that a receiver shares with us, in the spelling of Standard Webhooks: `whsec_` and base64 of 24 to 64 bytes.

use std::fmt;

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use crate::randomness::{Random, RandomError, draw};

const PREFIX: &str = "whsec_";
const BYTES_MIN: usize = 24;
const BYTES_MAX: usize = 64;
const BYTES_NEW: usize = 32;

/// Not a secret of a webhook. The message does not quote it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "this is no secret of a webhook: it must be `{PREFIX}` and base64 of {BYTES_MIN} to {BYTES_MAX} bytes; leave it out to have one made"
)]
pub struct InvalidSecret;

/// Signs alerts. Prints as stars, and is overwritten when it is dropped.
#[derive(Clone)]
pub struct WebhookSecret(Zeroizing<Vec<u8>>);

impl WebhookSecret {
    /// A new one.
    ///
    /// # Errors
    /// [`RandomError`].
    pub fn generate(random: &dyn Random) -> Result<Self, RandomError> {
        Ok(Self(Zeroizing::new(draw::<BYTES_NEW>(random)?.to_vec())))
    }

    /// Reads `whsec_…`.
    ///
    /// # Errors
    /// [`InvalidSecret`].
    pub fn parse(text: &str) -> Result<Self, InvalidSecret> {
        let encoded = text.trim().strip_prefix(PREFIX).ok_or(InvalidSecret)?;
        let bytes = Zeroizing::new(STANDARD.decode(encoded).map_err(|_invalid| InvalidSecret)?);
        if (BYTES_MIN..=BYTES_MAX).contains(&bytes.len()) { Ok(Self(bytes)) } else { Err(InvalidSecret) }
    }

    /// `whsec_…`, to be shown once and sealed.
    #[must_use]
    pub fn expose(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::from(PREFIX));
        STANDARD.encode_string(&*self.0, &mut text);
        text
    }

    /// The value of `webhook-signature`: version and HMAC-SHA-256 of `id.timestamp.body`; `timestamp` in seconds since 1970.
    pub(super) fn sign(&self, id: &str, timestamp: i64, body: &[u8]) -> String {
        let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, &self.0));
        context.update(format!("{id}.{timestamp}.").as_bytes());
        context.update(body);
        format!("v1,{}", STANDARD.encode(context.sign()))
    }
}

impl fmt::Debug for WebhookSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("whsec_***")
    }
}

#[cfg(test)]
mod tests {
    use super::{InvalidSecret, WebhookSecret};
    use crate::randomness::SystemRandom;

    #[test]
    fn the_example_of_the_specification_is_signed_as_it_says() {
        let secret = WebhookSecret::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        assert_eq!(
            secret.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, br#"{"test": 2432232314}"#),
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
        );
    }

    #[test]
    fn secrets_survive_their_text_and_print_as_stars() {
        let secret = WebhookSecret::generate(&SystemRandom).unwrap();
        assert_eq!(WebhookSecret::parse(&secret.expose()).unwrap().expose(), secret.expose());
        assert_eq!(format!("{secret:?}"), "whsec_***");
    }

    #[test]
    fn other_texts_are_no_secrets() {
        for text in
            ["", "whsec_", "whsec_c2hvcnQ=", "whsec_!!!", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", &format!("whsec_{}", "A".repeat(88))]
        {
            assert!(matches!(WebhookSecret::parse(text), Err(InvalidSecret)), "{text}");
        }
    }
}
