//! Master keys: 32 bytes that never enter the database, known there by an id.

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::alphabet::{STANDARD, URL_SAFE};
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use zeroize::{Zeroize, Zeroizing};

use super::KEY_BYTES;
use super::error::SealingError;
use crate::randomness::{Random, draw};

pub(super) const KEY_ID_BYTES: usize = 8;
const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);

/// Names a master key without saying anything of it: the first 8 bytes of its SHA-256, printed as 16 hex digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId([u8; KEY_ID_BYTES]);

impl KeyId {
    pub(super) fn from_bytes(bytes: [u8; KEY_ID_BYTES]) -> Self {
        Self(bytes)
    }

    pub(super) fn as_bytes(&self) -> &[u8; KEY_ID_BYTES] {
        &self.0
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyId({self})")
    }
}

/// Reads the 16 hex digits that a table keeps.
impl FromStr for KeyId {
    type Err = SealingError;

    fn from_str(text: &str) -> Result<Self, SealingError> {
        let mut bytes = [0; KEY_ID_BYTES];
        decode_hex(text, &mut bytes).ok_or(SealingError::Format { reason: "its key id is not 16 hex digits" })?;
        Ok(Self(bytes))
    }
}

/// A master key. Prints as its id, and is overwritten when it is dropped.
#[derive(Clone)]
pub struct MasterKey {
    bytes: Zeroizing<[u8; KEY_BYTES]>,
    id: KeyId,
}

impl MasterKey {
    /// Takes the bytes over.
    #[must_use]
    pub fn from_bytes(mut bytes: [u8; KEY_BYTES]) -> Self {
        let hash = digest(&SHA256, &bytes);
        let mut id = [0; KEY_ID_BYTES];
        id.iter_mut().zip(hash.as_ref()).for_each(|(to, from)| *to = *from);
        let key = Self { bytes: Zeroizing::new(bytes), id: KeyId(id) };
        bytes.zeroize();
        key
    }

    /// A new key.
    ///
    /// # Errors
    /// [`SealingError::Random`].
    pub fn generate(random: &dyn Random) -> Result<Self, SealingError> {
        Ok(Self::from_bytes(draw(random)?))
    }

    /// Reads base64 (either alphabet, padded or not) or hex. `origin` says in an error where the text came from, such as
    /// `the environment variable ISINGLASS_MASTER_KEY`.
    ///
    /// # Errors
    /// [`SealingError::NotAKey`], which does not quote the text.
    pub fn from_text(text: &str, origin: &str) -> Result<Self, SealingError> {
        let refused = |reason| SealingError::NotAKey { origin: origin.to_owned(), reason };
        let text = text.trim();
        let mut bytes = Zeroizing::new([0; KEY_BYTES]);
        if text.is_empty() {
            return Err(refused("it is empty"));
        }
        if decode_hex(text, &mut *bytes).is_none() {
            let decoded = decode_base64(text).ok_or_else(|| refused("it is neither base64 nor hex"))?;
            if decoded.len() != KEY_BYTES {
                return Err(refused("it is not 32 bytes long"));
            }
            bytes.copy_from_slice(&decoded);
        }
        if bytes.iter().all(|byte| *byte == 0) {
            return Err(refused("all its bytes are zero"));
        }
        Ok(Self::from_bytes(*bytes))
    }

    /// Names the key.
    #[must_use]
    pub fn id(&self) -> KeyId {
        self.id
    }

    pub(super) fn bytes(&self) -> &[u8; KEY_BYTES] {
        &self.bytes
    }

    /// What a key file holds.
    pub(super) fn to_text(&self) -> Zeroizing<String> {
        Zeroizing::new(base64::engine::general_purpose::STANDARD.encode(*self.bytes))
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MasterKey({})", self.id)
    }
}

/// The key that seals, and those that only open until everything is wrapped anew.
#[derive(Clone, Debug)]
pub struct MasterKeys {
    current: MasterKey,
    older: Vec<MasterKey>,
}

impl MasterKeys {
    /// The current key and the older ones.
    #[must_use]
    pub fn new(current: MasterKey, older: Vec<MasterKey>) -> Self {
        Self { current, older }
    }

    /// The key that seals.
    #[must_use]
    pub fn current(&self) -> &MasterKey {
        &self.current
    }

    /// All keys, the current one first.
    pub fn all(&self) -> impl Iterator<Item = &MasterKey> {
        std::iter::once(&self.current).chain(&self.older)
    }

    pub(super) fn find(&self, id: KeyId) -> Result<&MasterKey, SealingError> {
        self.all().find(|key| key.id == id).ok_or_else(|| SealingError::MissingKey { key_id: id, known: self.known() })
    }

    fn known(&self) -> String {
        self.all().map(|key| key.id.to_string()).collect::<Vec<_>>().join(", ")
    }
}

fn decode_base64(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    [STANDARD, URL_SAFE].iter().find_map(|alphabet| GeneralPurpose::new(alphabet, LENIENT).decode(text).ok()).map(Zeroizing::new)
}

/// Fills `bytes` from exactly twice as many hex digits.
fn decode_hex(text: &str, bytes: &mut [u8]) -> Option<()> {
    if text.len() != bytes.len() * 2 {
        return None;
    }
    for (byte, digits) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        let [high, low] = digits else { return None };
        let digit = |digit: u8| char::from(digit).to_digit(16);
        *byte = u8::try_from(digit(*high)? * 16 + digit(*low)?).ok()?;
    }
    Some(())
}
