//! What is kept of a credential: three parts for a table, or one blob.

use super::error::SealingError;
use super::master_key::{KEY_ID_BYTES, KeyId};
use super::{FORMAT_VERSION, KEY_BYTES, OVERHEAD_BYTES};

/// Length of a wrapped data key, in bytes.
const WRAPPED_BYTES: usize = OVERHEAD_BYTES + KEY_BYTES;

/// An encrypted value. Nothing of it is secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed {
    /// The master key that its data key is wrapped with.
    pub key_id: KeyId,
    /// The data key, encrypted.
    pub wrapped_data_key: Vec<u8>,
    /// The value, encrypted under the data key.
    pub ciphertext: Vec<u8>,
}

impl Sealed {
    /// All of it as one blob; the layout is in the module's documentation.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        [&[FORMAT_VERSION], self.key_id.as_bytes().as_slice(), &self.wrapped_data_key, &self.ciphertext].concat()
    }

    /// Reads what [`Sealed::to_bytes`] wrote.
    ///
    /// # Errors
    /// [`SealingError::UnknownVersion`], [`SealingError::Format`] when it is cut short.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, SealingError> {
        let cut_short = SealingError::Format { reason: "it is cut short" };
        let (version, rest) = bytes.split_first().ok_or(SealingError::Format { reason: "it is empty" })?;
        if *version != FORMAT_VERSION {
            return Err(SealingError::UnknownVersion { found: *version });
        }
        let Some((key_id, rest)) = rest.split_first_chunk::<KEY_ID_BYTES>() else { return Err(cut_short) };
        let Some((wrapped, ciphertext)) = rest.split_at_checked(WRAPPED_BYTES) else { return Err(cut_short) };
        if ciphertext.len() < OVERHEAD_BYTES {
            return Err(cut_short);
        }
        Ok(Self { key_id: KeyId::from_bytes(*key_id), wrapped_data_key: wrapped.to_vec(), ciphertext: ciphertext.to_vec() })
    }
}
