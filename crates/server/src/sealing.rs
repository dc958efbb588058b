//! Credentials at rest: each is encrypted under a data key of its own, and the data key under a master key that is not in
//! the database. Rotating the master key wraps the data keys anew and leaves the ciphertexts alone.
//!
//! # What is stored (version 1)
//! ```text
//! wrapped data key   01 | nonce, 12 bytes | data key, 32 bytes, encrypted | tag, 16 bytes     61 bytes
//! ciphertext         01 | nonce, 12 bytes | plaintext, encrypted          | tag, 16 bytes     29 bytes more than the plaintext
//! key id             the first 8 bytes of SHA-256 of the master key, as 16 hex digits
//! one blob           01 | key id, 8 bytes | wrapped data key, 61 bytes | ciphertext
//! ```
//! Both are AES-256-GCM. What is authenticated besides (`|` is concatenation, numbers are big-endian):
//! ```text
//! "isinglass sealing 1" | part, 1 byte: 01 data key, 02 content | version, 4 bytes | credential id, UTF-8
//! and for the data key, before the credential id: key id, 8 bytes
//! ```
//! So a ciphertext or a data key that is copied to another credential, or kept from an older version of it, does not open.
//! Nonces are random; a data key encrypts one message, a master key far fewer than 2^32 data keys.

mod derived;
mod error;
mod key_file;
mod master_key;
mod ring;
mod sealed;
mod secret;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_of_files;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use zeroize::Zeroizing;

pub use derived::{DerivedKey, Purpose};
pub use error::SealingError;
pub use key_file::{KEYS_MAX, KeyFileState};
pub use master_key::{KeyId, MasterKey, MasterKeys};
pub use ring::KeyRing;
pub use sealed::Sealed;
pub use secret::SecretBytes;

use crate::randomness::{Random, draw};

/// Length of a master key and of a data key, in bytes.
pub const KEY_BYTES: usize = 32;
/// Longest plaintext that is sealed, in bytes.
pub const PLAINTEXT_BYTES_MAX: usize = 64 * 1024;

const FORMAT_VERSION: u8 = 1;
const NONCE_BYTES: usize = 12;
const TAG_BYTES: usize = 16;
const OVERHEAD_BYTES: usize = 1 + NONCE_BYTES + TAG_BYTES;
const LABEL: &[u8] = b"isinglass sealing 1";

/// What a sealed value belongs to: it opens for nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SealingContext<'a> {
    /// The credential.
    pub credential_id: &'a str,
    /// Its version, which grows with every change of the value.
    pub version: u32,
}

impl SealingContext<'_> {
    fn wrapping(&self, key_id: KeyId) -> Vec<u8> {
        [LABEL, &[1], &self.version.to_be_bytes(), key_id.as_bytes(), self.credential_id.as_bytes()].concat()
    }

    fn content(&self) -> Vec<u8> {
        [LABEL, &[2], &self.version.to_be_bytes(), self.credential_id.as_bytes()].concat()
    }
}

impl MasterKeys {
    /// Encrypts under a fresh data key, and that under the current master key.
    ///
    /// # Errors
    /// [`SealingError::TooLong`] above [`PLAINTEXT_BYTES_MAX`]; [`SealingError::Random`].
    pub fn seal(&self, plaintext: &SecretBytes, context: SealingContext<'_>, random: &dyn Random) -> Result<Sealed, SealingError> {
        if plaintext.expose().len() > PLAINTEXT_BYTES_MAX {
            return Err(SealingError::TooLong { bytes: plaintext.expose().len() });
        }
        let data_key = Zeroizing::new(draw::<KEY_BYTES>(random)?);
        let wrapped_data_key = wrap(self.current(), &data_key, context, random)?;
        let ciphertext = encrypt(&data_key, plaintext.expose(), &context.content(), random)?;
        Ok(Sealed { key_id: self.current().id(), wrapped_data_key, ciphertext })
    }

    /// Decrypts.
    ///
    /// # Errors
    /// [`SealingError::MissingKey`] when no key of this set sealed it; [`SealingError::DoesNotOpen`] when it was changed or
    /// belongs to another context; [`SealingError::Format`].
    pub fn open(&self, sealed: &Sealed, context: SealingContext<'_>) -> Result<SecretBytes, SealingError> {
        let data_key = self.unwrap_data_key(sealed, context)?;
        Ok(SecretBytes::from(decrypt(&data_key, &sealed.ciphertext, &context.content())?))
    }

    /// The same value with its data key wrapped by the current master key: what rotation does. The ciphertext stays.
    ///
    /// # Errors
    /// As [`MasterKeys::open`], except that the ciphertext is not looked at; [`SealingError::Random`].
    pub fn rewrap(&self, sealed: &Sealed, context: SealingContext<'_>, random: &dyn Random) -> Result<Sealed, SealingError> {
        let data_key = self.unwrap_data_key(sealed, context)?;
        let wrapped_data_key = wrap(self.current(), &data_key, context, random)?;
        Ok(Sealed { key_id: self.current().id(), wrapped_data_key, ciphertext: sealed.ciphertext.clone() })
    }

    /// Whether [`MasterKeys::rewrap`] would bring it under another key.
    #[must_use]
    pub fn needs_rewrap(&self, sealed: &Sealed) -> bool {
        sealed.key_id != self.current().id()
    }

    fn unwrap_data_key(&self, sealed: &Sealed, context: SealingContext<'_>) -> Result<Zeroizing<[u8; KEY_BYTES]>, SealingError> {
        let master = self.find(sealed.key_id)?;
        let bytes = decrypt(master.bytes(), &sealed.wrapped_data_key, &context.wrapping(sealed.key_id))?;
        let mut data_key = Zeroizing::new([0; KEY_BYTES]);
        if bytes.len() != KEY_BYTES {
            return Err(SealingError::Format { reason: "its data key has the wrong length" });
        }
        data_key.copy_from_slice(&bytes);
        Ok(data_key)
    }
}

fn wrap(
    master: &MasterKey,
    data_key: &[u8; KEY_BYTES],
    context: SealingContext<'_>,
    random: &dyn Random,
) -> Result<Vec<u8>, SealingError> {
    encrypt(master.bytes(), data_key, &context.wrapping(master.id()), random)
}

/// Version, nonce, ciphertext, tag.
fn encrypt(key: &[u8; KEY_BYTES], plaintext: &[u8], aad: &[u8], random: &dyn Random) -> Result<Vec<u8>, SealingError> {
    let nonce = draw::<NONCE_BYTES>(random)?;
    let mut out = Vec::with_capacity(OVERHEAD_BYTES + plaintext.len());
    out.push(FORMAT_VERSION);
    out.extend_from_slice(&nonce);
    out.extend_from_slice(plaintext);
    let content = out.get_mut(1 + NONCE_BYTES..).unwrap_or_default();
    let tag = cipher(key)?
        .seal_in_place_separate_tag(Nonce::assume_unique_for_key(nonce), Aad::from(aad), content)
        .map_err(|_unspecified| SealingError::Cipher)?;
    out.extend_from_slice(tag.as_ref());
    Ok(out)
}

fn decrypt(key: &[u8; KEY_BYTES], bytes: &[u8], aad: &[u8]) -> Result<Zeroizing<Vec<u8>>, SealingError> {
    let (version, rest) = bytes.split_first().ok_or(SealingError::Format { reason: "it is empty" })?;
    if *version != FORMAT_VERSION {
        return Err(SealingError::UnknownVersion { found: *version });
    }
    let (nonce, content) = rest.split_first_chunk::<NONCE_BYTES>().ok_or(SealingError::Format { reason: "it is cut short" })?;
    let mut content = Zeroizing::new(content.to_vec());
    let length = cipher(key)?
        .open_in_place(Nonce::assume_unique_for_key(*nonce), Aad::from(aad), &mut content)
        .map_err(|_unspecified| SealingError::DoesNotOpen)?
        .len();
    content.truncate(length);
    Ok(content)
}

fn cipher(key: &[u8; KEY_BYTES]) -> Result<LessSafeKey, SealingError> {
    UnboundKey::new(&AES_256_GCM, key).map(LessSafeKey::new).map_err(|_unspecified| SealingError::Cipher)
}
