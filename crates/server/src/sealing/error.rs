//! What can go wrong with keys and sealed values. No message holds a byte of either.

use std::io;
use std::path::PathBuf;

use super::master_key::KeyId;
use crate::randomness::RandomError;

/// Why a key cannot be used, or a value not be sealed or opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SealingError {
    /// Sealed by a key that this process was not given.
    #[error(
        "this credential was sealed with the master key {key_id}, which is not among the keys of this server ({known}): \
         give that key as an older master key (a further line of the master key file), or enter the credential again"
    )]
    MissingKey {
        /// The key that is missing.
        key_id: KeyId,
        /// The ids of those that are there.
        known: String,
    },
    /// Changed, or copied from another credential or version.
    #[error(
        "this sealed credential does not open: it was changed in the database, or belongs to another credential or version; \
         restore it from a backup or enter it again"
    )]
    DoesNotOpen,
    /// Written by a newer version of this program.
    #[error("this sealed credential has format version {found}, this program knows version 1: use the newer program that wrote it")]
    UnknownVersion {
        /// The version that was found.
        found: u8,
    },
    /// Not what this program writes.
    #[error("this sealed credential is damaged ({reason}): restore it from a backup or enter it again")]
    Format {
        /// What is wrong with it.
        reason: &'static str,
    },
    /// More than is sealed.
    #[error("a credential of {bytes} bytes is too long: at most {} bytes are kept", super::PLAINTEXT_BYTES_MAX)]
    TooLong {
        /// Its length.
        bytes: usize,
    },
    /// The text is not a key.
    #[error(
        "{origin} holds no master key ({reason}): it must be 32 random bytes as base64 or hex, as `openssl rand -base64 32` prints them"
    )]
    NotAKey {
        /// Where the text came from.
        origin: String,
        /// What is wrong with it; never the text.
        reason: &'static str,
    },
    /// More keys than are kept.
    #[error(
        "{origin} holds more than {} master keys: `isinglass keys rotate` brings every secret under the first one, \
         `isinglass keys retire` then drops the others",
        super::KEYS_MAX
    )]
    TooManyKeys {
        /// Where the keys came from.
        origin: String,
    },
    /// Others may read or change the file.
    #[error(
        "the master key file {} may be read or changed by others (mode {mode:04o}): run `chmod 600 {}`; if others had access, \
         make a new key and rotate to it",
        path.display(), path.display()
    )]
    ReadableByOthers {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// A key file is never overwritten.
    #[error("the master key file {} exists and is never overwritten: use it, or give another path", path.display())]
    FileExists {
        /// The file.
        path: PathBuf,
    },
    /// The file could not be read or written.
    #[error("cannot {doing} the master key file {}: check that its directory exists and that this user may use it", path.display())]
    File {
        /// `read`, `create` or `replace`.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// No random bytes.
    #[error(transparent)]
    Random(#[from] RandomError),
    /// The cipher refused to work, which a self test that failed brings about.
    #[error("the cryptographic library refused to work: restart this server; if it stays so, the installation is damaged")]
    Cipher,
}
