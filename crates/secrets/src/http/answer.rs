//! One answer of a store, and what its status means where the store says nothing more.

use reqwest::StatusCode;
use reqwest::header::HeaderMap;
use serde::Deserialize;
use zeroize::Zeroizing;

use crate::fault::Fault;

/// The longest code of an error that is passed on.
const CODE_BYTES_MAX: usize = 64;

/// A whole answer. It does not print, and its body is overwritten when it is dropped.
pub(crate) struct Answer {
    pub(crate) host: String,
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Zeroizing<Vec<u8>>,
}

impl Answer {
    /// Whether the store is there and asks for another time.
    pub(super) fn is_outage(&self) -> bool {
        self.status.is_server_error() || self.status == StatusCode::TOO_MANY_REQUESTS
    }

    /// The body as what the store promises. The parser's messages quote what they read, so none of them is passed on.
    pub(crate) fn json<'a, T: Deserialize<'a>>(&'a self) -> Result<T, Fault> {
        serde_json::from_slice(&self.body).map_err(|error| {
            Fault::malformed(
                format!(
                    "the answer of {} is not of the form that this store has (line {}, column {})",
                    self.host,
                    error.line(),
                    error.column()
                ),
                "check the address of the store, and look for a proxy on the way that answers in its place",
            )
        })
    }

    /// What an error says, if it is of the store's form.
    pub(crate) fn said<'a, T: Deserialize<'a> + Default>(&'a self) -> T {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// What a status other than success means where the store has no rule of its own. `code` is what the store calls it.
    pub(crate) fn fault(&self, code: &str) -> Fault {
        let said = if code.is_empty() { String::new() } else { format!(", {code}") };
        let reason = format!("{} answered {}{said}", self.host, self.status.as_u16());
        match self.status.as_u16() {
            401 | 403 => Fault::denied(reason, "allow the identity of the runtime to read this entry"),
            404 => Fault::missing(reason, "check the name of the entry, and make the entry if it is not there"),
            429 => Fault::unreachable(reason, "the store is asked too often: try again later, or raise its limits"),
            500..=599 => Fault::unreachable(reason, "look at the state of the store, and try again later"),
            300..=399 => Fault::misconfigured(
                format!("{reason}: it points to another address, which is not followed"),
                "configure the address that it points to",
            ),
            _ => Fault::malformed(reason, "check the address of the store, and the name of the entry"),
        }
    }
}

/// A code of an error: a word of letters, digits, `_`, `-` and `.`. Anything else is left out, so that no message of a store gets into ours.
pub(crate) fn code(text: Option<&str>) -> &str {
    let is_word = |text: &&str| {
        text.len() <= CODE_BYTES_MAX && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte))
    };
    text.filter(is_word).unwrap_or_default()
}
