//! Keys for other purposes, derived from the master key: what a browser keeps for us is sealed with one, so that every
//! replica can open it and none has to remember it.

use std::fmt;

use aws_lc_rs::hkdf::{HKDF_SHA256, KeyType, Salt};
use zeroize::Zeroizing;

use super::error::SealingError;
use super::master_key::{MasterKey, MasterKeys};
use super::secret::SecretBytes;
use super::{KEY_BYTES, decrypt, encrypt};
use crate::randomness::Random;

/// What a derived key is for. Keys of two purposes have nothing to do with each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// The cookie that holds a sign-in by OpenID Connect while the browser is at the provider.
    SignInTransaction,
    /// The seal on cursors of lists.
    Cursors,
    /// What requests that may be repeated are recognised by.
    Requests,
    /// Shows in tests that keys of two purposes differ.
    #[cfg(test)]
    Other,
}

impl Purpose {
    fn label(self) -> &'static [u8] {
        match self {
            Self::SignInTransaction => b"isinglass sign-in transaction 1",
            Self::Cursors => b"isinglass cursors 1",
            Self::Requests => b"isinglass requests 1",
            #[cfg(test)]
            Self::Other => b"isinglass other 1",
        }
    }
}

/// A key by HKDF-SHA-256 from a master key. Prints as its purpose, and is overwritten when it is dropped.
#[derive(Clone)]
pub struct DerivedKey {
    bytes: Zeroizing<[u8; KEY_BYTES]>,
    purpose: Purpose,
}

struct Length;

impl KeyType for Length {
    fn len(&self) -> usize {
        KEY_BYTES
    }
}

impl MasterKey {
    /// The key for a purpose.
    ///
    /// # Errors
    /// [`SealingError::Cipher`].
    pub fn derive(&self, purpose: Purpose) -> Result<DerivedKey, SealingError> {
        let mut bytes = Zeroizing::new([0; KEY_BYTES]);
        Salt::new(HKDF_SHA256, b"isinglass")
            .extract(self.bytes())
            .expand(&[purpose.label()], Length)
            .and_then(|key| key.fill(&mut *bytes))
            .map_err(|_unspecified| SealingError::Cipher)?;
        Ok(DerivedKey { bytes, purpose })
    }
}

impl MasterKeys {
    /// The keys for a purpose, the current one first.
    ///
    /// # Errors
    /// [`SealingError::Cipher`].
    pub fn derive(&self, purpose: Purpose) -> Result<Vec<DerivedKey>, SealingError> {
        self.all().map(|key| key.derive(purpose)).collect()
    }
}

impl DerivedKey {
    /// The key itself, for what is authenticated and not encrypted.
    #[must_use]
    pub fn expose(&self) -> &[u8; KEY_BYTES] {
        &self.bytes
    }

    /// Encrypts; `about` must be the same when it is opened.
    ///
    /// # Errors
    /// [`SealingError::Random`].
    pub fn seal(&self, plaintext: &[u8], about: &[u8], random: &dyn Random) -> Result<Vec<u8>, SealingError> {
        encrypt(&self.bytes, plaintext, &[self.purpose.label(), about].concat(), random)
    }

    /// Decrypts.
    ///
    /// # Errors
    /// [`SealingError::DoesNotOpen`], [`SealingError::Format`], [`SealingError::UnknownVersion`].
    pub fn open(&self, sealed: &[u8], about: &[u8]) -> Result<SecretBytes, SealingError> {
        decrypt(&self.bytes, sealed, &[self.purpose.label(), about].concat()).map(SecretBytes::from)
    }
}

impl fmt::Debug for DerivedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DerivedKey({:?})", self.purpose)
    }
}
