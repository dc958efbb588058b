//! Names of stores: what a reference and a configuration agree on.

use std::fmt;

use serde::Deserialize;

/// The longest name of a store, in bytes.
const NAME_BYTES_MAX: usize = 63;

/// The name of a configured store: lower-case letters, digits, `-` and `_`, beginning with a letter or a digit.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(try_from = "String")]
pub struct StoreName(String);

/// A text that is no name of a store.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "this is no name of a secret store: give at most {NAME_BYTES_MAX} lower-case letters, digits, hyphens and underscores, beginning with \
     a letter or a digit"
)]
pub struct StoreNameError;

impl StoreName {
    /// Checks a name.
    ///
    /// # Errors
    /// It is empty, too long, or has other characters.
    pub fn parse(text: &str) -> Result<Self, StoreNameError> {
        let is_plain = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        let begins_well = text.as_bytes().first().is_some_and(is_plain);
        let is_sound = text.bytes().all(|byte| is_plain(&byte) || b"-_".contains(&byte));
        if begins_well && is_sound && text.len() <= NAME_BYTES_MAX { Ok(Self(text.to_owned())) } else { Err(StoreNameError) }
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for StoreName {
    type Error = StoreNameError;

    fn try_from(text: String) -> Result<Self, StoreNameError> {
        Self::parse(&text)
    }
}

impl fmt::Display for StoreName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_short_plain_words() {
        for good in ["prod", "vault-2", "0_a", &"a".repeat(63)] {
            assert_eq!(StoreName::parse(good).unwrap().as_str(), good);
        }
        for bad in ["", "-prod", "_a", "Prod", "a b", "a.b", "é", &"a".repeat(64)] {
            assert_eq!(StoreName::parse(bad), Err(StoreNameError), "{bad}");
        }
    }
}
