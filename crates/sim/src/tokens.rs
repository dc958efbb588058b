//! Opaque page tokens that hold for one operation with one set of parameters, for a while.

use std::fmt;

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

const TAG_BYTES: usize = 16;
const TIME_BYTES: usize = 8;
const NUMBER_BYTES: usize = 8;

/// Makes and checks tokens; stateless, so that any number of listings may be under way.
pub(crate) struct Tokens {
    key: hmac::Key,
}

impl Default for Tokens {
    fn default() -> Self {
        Self { key: hmac::Key::new(hmac::HMAC_SHA256, b"isinglass-sim next token") }
    }
}

impl fmt::Debug for Tokens {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Tokens")
    }
}

/// Where a listing stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Position {
    /// The key after which to go on; `None` where nothing was listed yet.
    pub(crate) after: Option<String>,
    /// Pages answered so far.
    pub(crate) pages: u64,
}

impl Tokens {
    /// A token for whoever asks with the same `binding` again.
    pub(crate) fn encode(&self, binding: &str, position: &Position, now_ms: i64) -> String {
        let mut payload = Vec::with_capacity(64);
        payload.extend_from_slice(&now_ms.to_be_bytes());
        payload.extend_from_slice(&position.pages.to_be_bytes());
        if let Some(after) = &position.after {
            payload.push(b'=');
            payload.extend_from_slice(after.as_bytes());
        }
        let mut token = self.tag(binding, &payload);
        token.extend_from_slice(&payload);
        STANDARD.encode(token)
    }

    /// The position that a token stands for; `None` where it is expired, garbage or bound to something else.
    pub(crate) fn decode(&self, binding: &str, token: &str, (now_ms, lifetime_ms): (i64, i64)) -> Option<Position> {
        let bytes = STANDARD.decode(token).ok()?;
        let (tag, payload) = bytes.split_at_checked(TAG_BYTES)?;
        if tag != self.tag(binding, payload) {
            return None;
        }
        let (time, rest) = payload.split_at_checked(TIME_BYTES)?;
        let (pages, after) = rest.split_at_checked(NUMBER_BYTES)?;
        let issued_ms = i64::from_be_bytes(time.try_into().ok()?);
        if now_ms.saturating_sub(issued_ms) > lifetime_ms {
            return None;
        }
        let after = match after.split_first() {
            Some((_, key)) => Some(String::from_utf8(key.to_vec()).ok()?),
            None => None,
        };
        Some(Position { after, pages: u64::from_be_bytes(pages.try_into().ok()?) })
    }

    fn tag(&self, binding: &str, payload: &[u8]) -> Vec<u8> {
        let mut context = hmac::Context::with_key(&self.key);
        context.update(binding.as_bytes());
        context.update(&[0]);
        context.update(payload);
        context.sign().as_ref()[..TAG_BYTES].to_vec()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_holds_for_its_own_request_and_time_only() {
        let tokens = Tokens::default();
        for after in [None, Some(String::new()), Some("orders".to_owned())] {
            let position = Position { after, pages: 3 };
            let token = tokens.encode("GetTables sales", &position, 1_000);
            assert_eq!(tokens.decode("GetTables sales", &token, (2_000, 5_000)), Some(position));
            assert_eq!(tokens.decode("GetTables finance", &token, (2_000, 5_000)), None);
            assert_eq!(tokens.decode("GetTables sales", &token, (6_001, 5_000)), None);
        }
        for garbage in ["", "x", "AAAA", "not base64!"] {
            assert_eq!(tokens.decode("GetTables sales", garbage, (0, 1)), None);
        }
    }
}
