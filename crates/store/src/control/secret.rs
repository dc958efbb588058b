//! What is derived from secrets, and never printed.

use std::fmt;

/// The SHA-256 of a random token: enough to find it again, not enough to use it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SecretHash(pub [u8; 32]);

/// A password's hash in PHC string format, with its salt and cost.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(pub String);

/// A secret as the server sealed it: to the catalog just bytes.
#[derive(Clone, PartialEq, Eq)]
pub struct SealedSecret {
    /// What was sealed.
    pub bytes: Vec<u8>,
    /// Which master key opens it.
    pub key_id: String,
}

impl SecretHash {
    pub(super) fn value(&self) -> Vec<u8> {
        self.0.to_vec()
    }
}

impl fmt::Debug for SecretHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretHash(…)")
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(…)")
    }
}

impl fmt::Debug for SealedSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SealedSecret").field("key_id", &self.key_id).finish_non_exhaustive()
    }
}
