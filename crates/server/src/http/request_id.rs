//! The id that ties an answer to the log.

use std::sync::atomic::{AtomicU64, Ordering};

use http::{HeaderMap, HeaderName, HeaderValue};

/// The header, of requests and answers.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const REQUEST_ID_CHARACTERS_MAX: usize = 64;

/// The id of one request; an extension of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestId(HeaderValue);

impl RequestId {
    /// As text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.to_str().unwrap_or_default()
    }

    pub(super) fn header(&self) -> HeaderValue {
        self.0.clone()
    }
}

/// Gives out ids: a seed of the process and a count.
#[derive(Debug)]
pub struct RequestIds {
    seed: u64,
    next: AtomicU64,
}

impl RequestIds {
    /// `seed` is random, so that ids of replicas and of restarts differ.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { seed, next: AtomicU64::new(1) }
    }

    /// The id that the request came with, when it is a plain word, or a new one.
    pub fn of(&self, headers: &HeaderMap) -> RequestId {
        let plain = |value: &&HeaderValue| {
            let bytes = value.as_bytes();
            let word = bytes.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(byte));
            word && (1..=REQUEST_ID_CHARACTERS_MAX).contains(&bytes.len())
        };
        let number = || {
            let text = format!("{:016x}-{:x}", self.seed, self.next.fetch_add(1, Ordering::Relaxed));
            HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static("unknown"))
        };
        RequestId(headers.get(REQUEST_ID).filter(plain).cloned().unwrap_or_else(number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(value: &str) -> String {
        let headers = HeaderMap::from_iter([(REQUEST_ID, HeaderValue::from_str(value).unwrap())]);
        RequestIds::new(7).of(&headers).as_str().to_owned()
    }

    #[test]
    fn ids_of_clients_are_kept_when_they_are_plain_words() {
        assert_eq!(of("abc-1_2"), "abc-1_2");
        for odd in ["a b", "a\"b", "", &"x".repeat(65)] {
            assert_eq!(of(odd), "0000000000000007-1");
        }
    }

    #[test]
    fn every_request_has_its_own() {
        let ids = RequestIds::new(1);
        assert_ne!(ids.of(&HeaderMap::new()), ids.of(&HeaderMap::new()));
    }
}
