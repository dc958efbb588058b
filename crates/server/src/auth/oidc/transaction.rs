//! What belongs to one sign-in while the browser is at the provider, and the cookie that carries it.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use openidconnect::url::Url;
use serde::{Deserialize, Serialize};

use super::error::{OidcError, settings};
use crate::randomness::{Random, RandomError, draw};
use crate::sealing::DerivedKey;

/// The cookie's name.
pub const COOKIE_NAME: &str = "isinglass_sign_in";
/// How long somebody may take at the provider, seconds: the cookie's Max-Age, and what is checked.
pub const COOKIE_SECONDS: i64 = 600;
/// Longest path to return to, in bytes.
const PATH_BYTES_MAX: usize = 1024;
/// Longest cookie that is opened, in bytes; browsers keep 4096.
const COOKIE_BYTES_MAX: usize = 4096;
const RANDOM_BYTES: usize = 32;

/// A path of this server, safe to redirect to: it cannot lead to another host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct LocalPath(String);

impl LocalPath {
    /// Nothing when it is not a path of this server. Browsers read `\` as `/` and leave out control characters.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let base: Url = "https://base.invalid/".parse().ok()?;
        let is_local = text.starts_with('/')
            && !text.starts_with("//")
            && text.len() <= PATH_BYTES_MAX
            && !text.chars().any(|letter| letter.is_control() || letter == '\\')
            && base.join(text).is_ok_and(|url| url.origin() == base.origin());
        is_local.then(|| Self(text.to_owned()))
    }

    /// The first page.
    #[must_use]
    pub fn root() -> Self {
        Self("/".to_owned())
    }

    /// The path with its query.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for LocalPath {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text).ok_or("not a path of this server")
    }
}

impl From<LocalPath> for String {
    fn from(path: LocalPath) -> Self {
        path.0
    }
}

#[derive(Serialize, Deserialize)]
pub(super) struct Transaction {
    pub(super) state: String,
    pub(super) nonce: String,
    pub(super) verifier: String,
    pub(super) return_to: LocalPath,
    expires_at_ms: i64,
}

impl Transaction {
    pub(super) fn draw(return_to: LocalPath, now_ms: i64, random: &dyn Random) -> Result<Self, RandomError> {
        let text = || draw::<RANDOM_BYTES>(random).map(|bytes| URL_SAFE_NO_PAD.encode(bytes));
        let expires_at_ms = now_ms.saturating_add(COOKIE_SECONDS * 1000);
        Ok(Self { state: text()?, nonce: text()?, verifier: text()?, return_to, expires_at_ms })
    }
}

impl fmt::Debug for Transaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Transaction(***)")
    }
}

/// Seals transactions, and opens those that another replica or an older key sealed.
#[derive(Debug)]
pub(super) struct Cookies {
    sealing: DerivedKey,
    opening: Vec<DerivedKey>,
    about: Vec<u8>,
}

impl Cookies {
    /// A cookie only opens for the same provider and application.
    pub(super) fn new(keys: Vec<DerivedKey>, issuer: &str, client_id: &str) -> Result<Self, OidcError> {
        let sealing = keys.first().cloned().ok_or_else(|| settings("key for cookies"))?;
        Ok(Self { sealing, opening: keys, about: format!("{issuer}\0{client_id}").into_bytes() })
    }

    pub(super) fn write(&self, transaction: &Transaction, random: &dyn Random) -> Result<String, OidcError> {
        let plain = zeroize::Zeroizing::new(serde_json::to_vec(transaction).map_err(|_unwritable| settings("cookie"))?);
        Ok(URL_SAFE_NO_PAD.encode(self.sealing.seal(&plain, &self.about, random)?))
    }

    pub(super) fn read(&self, cookie: Option<&str>, now_ms: i64) -> Result<Transaction, OidcError> {
        let cookie = cookie.filter(|cookie| cookie.len() <= COOKIE_BYTES_MAX).ok_or(OidcError::NotBegun)?;
        let sealed = URL_SAFE_NO_PAD.decode(cookie).map_err(|_invalid| OidcError::NotBegun)?;
        let plain = self.opening.iter().find_map(|key| key.open(&sealed, &self.about).ok()).ok_or(OidcError::NotBegun)?;
        let transaction: Transaction = serde_json::from_slice(plain.expose()).map_err(|_invalid| OidcError::NotBegun)?;
        if now_ms < transaction.expires_at_ms { Ok(transaction) } else { Err(OidcError::NotBegun) }
    }
}

#[cfg(test)]
mod tests {
    use super::{COOKIE_SECONDS, Cookies, LocalPath, Transaction};
    use crate::randomness::SystemRandom;
    use crate::sealing::{MasterKey, MasterKeys, Purpose};

    fn cookies(current: u8, older: &[u8], issuer: &str) -> Cookies {
        let key = |byte: u8| MasterKey::from_bytes([byte; 32]);
        let keys = MasterKeys::new(key(current), older.iter().copied().map(key).collect());
        Cookies::new(keys.derive(Purpose::SignInTransaction).unwrap(), issuer, "isinglass").unwrap()
    }

    #[test]
    fn only_paths_of_this_server_are_returned_to() {
        for path in ["/", "/assets?q=a%2Fb&x=//y", "/runs/7#events", "/a//b", "/ü"] {
            assert_eq!(LocalPath::parse(path).unwrap().as_str(), path);
        }
        let refused = [
            "",
            "runs",
            "//evil.test",
            "/\\evil.test",
            "/a\\b",
            "\\\\evil.test",
            "https://evil.test",
            "/\t/evil.test",
            "/\n",
            " /a",
        ];
        for path in refused {
            assert_eq!(LocalPath::parse(path), None, "{path:?}");
        }
        assert_eq!(LocalPath::parse(&format!("/{}", "a".repeat(1024))), None);
    }

    #[test]
    fn a_cookie_opens_until_it_expires_also_after_rotation_and_for_its_provider_only() {
        let transaction = Transaction::draw(LocalPath::root(), 0, &SystemRandom).unwrap();
        let cookie = cookies(1, &[], "https://a.test").write(&transaction, &SystemRandom).unwrap();
        let last_ms = COOKIE_SECONDS * 1000 - 1;
        assert_eq!(cookies(1, &[], "https://a.test").read(Some(&cookie), last_ms).unwrap().state, transaction.state);
        assert!(cookies(2, &[1], "https://a.test").read(Some(&cookie), last_ms).is_ok());
        assert!(cookies(1, &[], "https://a.test").read(Some(&cookie), last_ms + 1).is_err());
        assert!(cookies(2, &[], "https://a.test").read(Some(&cookie), 0).is_err());
        assert!(cookies(1, &[], "https://b.test").read(Some(&cookie), 0).is_err());
        for wrong in [None, Some(""), Some("%"), Some(&cookie[1..]), Some(&*"A".repeat(5000))] {
            assert!(cookies(1, &[], "https://a.test").read(wrong, 0).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_cookie_with_the_longest_path_fits_a_browser() {
        let path = LocalPath::parse(&format!("/{}", "a".repeat(1023))).unwrap();
        let transaction = Transaction::draw(path, 0, &SystemRandom).unwrap();
        let cookie = cookies(1, &[], "https://a.test").write(&transaction, &SystemRandom).unwrap();
        assert!(cookie.len() < 3000, "{}", cookie.len());
        assert!(!format!("{transaction:?}").contains(&transaction.verifier));
    }
}
