//! Tokens: long random texts that are shown once and kept as a hash.
//!
//! A token is a prefix that says its kind, and 32 random bytes as 43 letters of base64url. The prefix lets secret scanners
//! find a leaked one. Only the SHA-256 of the whole text is stored: a guess is hopeless, so a slow hash would add nothing.

use std::fmt;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::randomness::{Random, RandomError, draw};

const RANDOM_BYTES: usize = 32;
const HASH_BYTES: usize = 32;
/// How many letters after the prefix a list shows, so that people tell their tokens apart.
const HINT_LETTERS: usize = 4;
const CSRF_LABEL: &[u8] = b"isinglass csrf 1";

/// What a token is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenKind {
    /// `isg_…`, for programs.
    Api,
    /// `isgsession_…`, the value of the session cookie.
    Session,
    /// `isgsetup_…`, in the one-time link that makes the first administrator.
    Setup,
    /// `isgenroll_…`, with which a runtime is enrolled once.
    Enrolment,
    /// `isgruntime_…`, with which a runtime works for some minutes.
    Runtime,
}

impl TokenKind {
    /// What its tokens begin with.
    #[must_use]
    pub fn prefix(self) -> &'static str {
        match self {
            Self::Api => "isg_",
            Self::Session => "isgsession_",
            Self::Setup => "isgsetup_",
            Self::Enrolment => "isgenroll_",
            Self::Runtime => "isgruntime_",
        }
    }
}

/// The text is no token of this kind. The message does not quote it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is no token of the expected shape (`{}` and 43 letters or digits): check that all of it was copied", kind.prefix())]
pub struct NotAToken {
    kind: TokenKind,
}

/// A token in the clear. Prints as its prefix and stars, and is overwritten when it is dropped.
#[derive(Clone)]
pub struct Token {
    kind: TokenKind,
    text: Zeroizing<String>,
}

impl Token {
    /// A new one.
    ///
    /// # Errors
    /// [`RandomError`].
    pub fn generate(kind: TokenKind, random: &dyn Random) -> Result<Self, RandomError> {
        let bytes = Zeroizing::new(draw::<RANDOM_BYTES>(random)?);
        let mut text = Zeroizing::new(String::from(kind.prefix()));
        URL_SAFE_NO_PAD.encode_string(*bytes, &mut text);
        Ok(Self { kind, text })
    }

    /// Checks the shape, before anything is hashed or looked up.
    ///
    /// # Errors
    /// [`NotAToken`].
    pub fn parse(kind: TokenKind, text: &str) -> Result<Self, NotAToken> {
        let mut bytes = Zeroizing::new([0; RANDOM_BYTES]);
        let random = text.strip_prefix(kind.prefix()).ok_or(NotAToken { kind })?;
        let written = URL_SAFE_NO_PAD.decode_slice(random, &mut *bytes).map_err(|_invalid| NotAToken { kind })?;
        if written != RANDOM_BYTES {
            return Err(NotAToken { kind });
        }
        Ok(Self { kind, text: Zeroizing::new(text.to_owned()) })
    }

    /// The text, to be shown or set as a cookie once.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.text
    }

    /// What is stored and looked up.
    #[must_use]
    pub fn hash(&self) -> TokenHash {
        let mut hash = [0; HASH_BYTES];
        hash.iter_mut().zip(digest(&SHA256, self.text.as_bytes()).as_ref()).for_each(|(to, from)| *to = *from);
        TokenHash(hash)
    }

    /// The beginning, for lists: `isg_Ab12…`. 24 of 256 bits, so it may be stored.
    #[must_use]
    pub fn hint(&self) -> String {
        format!("{}…", self.text.get(..self.kind.prefix().len() + HINT_LETTERS).unwrap_or_default())
    }

    /// The token that a page of this session sends along with every change. It follows from the session token, so nothing
    /// more is stored, and says nothing of it.
    #[must_use]
    pub fn csrf(&self) -> CsrfToken {
        let key = hmac::Key::new(hmac::HMAC_SHA256, self.text.as_bytes());
        CsrfToken(URL_SAFE_NO_PAD.encode(hmac::sign(&key, CSRF_LABEL)))
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}***", self.kind.prefix())
    }
}

/// The SHA-256 of a token. Comparing takes the same time wherever two differ.
#[derive(Clone, Copy)]
pub struct TokenHash([u8; HASH_BYTES]);

impl TokenHash {
    /// From the database.
    #[must_use]
    pub fn from_bytes(bytes: [u8; HASH_BYTES]) -> Self {
        Self(bytes)
    }

    /// For the database.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; HASH_BYTES] {
        &self.0
    }
}

impl PartialEq for TokenHash {
    fn eq(&self, other: &Self) -> bool {
        same(&self.0, &other.0)
    }
}

impl Eq for TokenHash {}

impl fmt::Debug for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenHash(***)")
    }
}

/// Proof that a change comes from a page of ours.
#[derive(Clone)]
pub struct CsrfToken(String);

impl CsrfToken {
    /// For the page, by way of `GET /session`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the header holds it.
    #[must_use]
    pub fn matches(&self, header: &str) -> bool {
        same(self.0.as_bytes(), header.as_bytes())
    }
}

impl fmt::Debug for CsrfToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CsrfToken(***)")
    }
}

/// Compares two secrets in a time that depends on their lengths only.
#[must_use]
pub fn same(left: &[u8], right: &[u8]) -> bool {
    left.ct_eq(right).into()
}

#[cfg(test)]
mod tests {
    use super::{Token, TokenHash, TokenKind, same};
    use crate::randomness::SystemRandom;
    use crate::randomness::testing::{Broken, Counting};

    const KINDS: [TokenKind; 3] = [TokenKind::Api, TokenKind::Session, TokenKind::Setup];

    #[test]
    fn a_token_is_its_prefix_and_43_letters() {
        let token = Token::generate(TokenKind::Api, &Counting::default()).unwrap();
        assert_eq!(token.expose(), "isg_AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE");
        assert_eq!(token.hint(), "isg_AQEB…");
        assert!(Token::generate(TokenKind::Api, &Broken).is_err());
    }

    #[test]
    fn a_token_is_parsed_as_its_own_kind_only() {
        for kind in KINDS {
            let token = Token::generate(kind, &SystemRandom).unwrap();
            for other in KINDS {
                assert_eq!(Token::parse(other, token.expose()).is_ok(), kind == other, "{kind:?} as {other:?}");
            }
            assert_eq!(Token::parse(kind, token.expose()).unwrap().hash(), token.hash());
        }
    }

    #[test]
    fn other_shapes_are_refused_without_being_quoted() {
        let right = "isg_AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE";
        let wrong = [
            String::new(),
            "isg_".to_owned(),
            right.replace("isg_", "ghp_"),
            right[..46].to_owned(),
            format!("{right}A"),
            format!("{right}="),
            format!(" {right}"),
            // The last letter has two bits that no byte uses; only one spelling is a token.
            format!("{}F", &right[..46]),
            right.replace("AQ", "+/"),
            "isg_".repeat(10_000),
        ];
        for text in wrong {
            let error = Token::parse(TokenKind::Api, &text).unwrap_err().to_string();
            assert!(text.len() < 5 || !error.contains(&text), "{error}");
        }
    }

    #[test]
    fn the_hash_is_sha_256_of_the_whole_text() {
        let hash = Token::parse(TokenKind::Api, "isg_AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE").unwrap().hash();
        let hex: String = hash.as_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, "f012c4128c0919df2110cce0a07c5876362e5871c813c6bd54366aaa8949b8a1");
        assert_ne!(hash, TokenHash::from_bytes([0; 32]));
    }

    #[test]
    fn the_csrf_token_belongs_to_one_session() {
        let (one, other) = (
            Token::generate(TokenKind::Session, &SystemRandom).unwrap(),
            Token::generate(TokenKind::Session, &SystemRandom).unwrap(),
        );
        assert!(one.csrf().matches(one.csrf().as_str()));
        assert!(!one.csrf().matches(other.csrf().as_str()) && !one.csrf().matches(""));
        assert!(!one.csrf().as_str().contains(&one.expose()[15..]));
    }

    #[test]
    fn nothing_secret_is_printed() {
        let token = Token::generate(TokenKind::Session, &SystemRandom).unwrap();
        assert_eq!(format!("{token:?} {:?} {:?}", token.hash(), token.csrf()), "isgsession_*** TokenHash(***) CsrfToken(***)");
    }

    #[test]
    fn only_equal_secrets_are_the_same() {
        assert!(same(b"abc", b"abc") && !same(b"abc", b"abd") && !same(b"abc", b"ab") && same(b"", b""));
    }
}
