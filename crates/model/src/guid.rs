//! Stable asset ids: a UUID version 5 of type and qualified name, the same on every machine and in every run.

use std::fmt;

use sha1::{Digest, Sha1};

use crate::Kind;

/// The namespace of all asset ids (RFC 9562 section 5.5): a constant of this project, never changed.
const NAMESPACE: [u8; 16] = *b"isinglass-asset\x01";

/// The id of an asset. Prints in the usual hyphenated lower-case form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Guid([u8; 16]);

impl Guid {
    /// The id of the asset of this kind with this qualified name (in its encoded form).
    #[must_use]
    pub fn of(kind: Kind, qualified_name: &str) -> Self {
        Self::from_digest(GuidPrefix::new(kind, "").0.chain_update(qualified_name))
    }

    fn from_digest(hasher: Sha1) -> Self {
        let digest = hasher.finalize();
        let mut bytes = [0_u8; 16];
        bytes.copy_from_slice(&digest[..16]);
        bytes[6] = (bytes[6] & 0x0f) | 0x50;
        bytes[8] = (bytes[8] & 0x3f) | 0x80;
        Self(bytes)
    }

    /// Appends the 36 characters of the hyphenated form.
    pub fn write(self, out: &mut Vec<u8>) {
        const HEX: &[u8; 16] = b"0123456789abcdef";
        let mut text = [b'-'; 36];
        let mut at = 0;
        for (index, byte) in self.0.into_iter().enumerate() {
            if matches!(index, 4 | 6 | 8 | 10) {
                at += 1;
            }
            text[at] = HEX[usize::from(byte >> 4)];
            text[at + 1] = HEX[usize::from(byte & 15)];
            at += 2;
        }
        out.extend_from_slice(&text);
    }
}

impl fmt::Display for Guid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = Vec::with_capacity(36);
        self.write(&mut text);
        f.write_str(std::str::from_utf8(&text).map_err(|_| fmt::Error)?)
    }
}

/// The hash state of a name's beginning, so that the many columns of one table hash its name only once.
#[derive(Clone)]
pub struct GuidPrefix(Sha1);

impl GuidPrefix {
    /// Starts the id of a `kind` whose qualified name begins with `beginning`.
    #[must_use]
    pub fn new(kind: Kind, beginning: &str) -> Self {
        Self(Sha1::new().chain_update(NAMESPACE).chain_update(kind.type_name()).chain_update(b":").chain_update(beginning))
    }

    /// The id of the name that continues with `rest`.
    #[must_use]
    pub fn finish(&self, rest: &str) -> Guid {
        Guid::from_digest(self.0.clone().chain_update(rest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_version_5_and_depend_on_kind_and_name() {
        let table = Guid::of(Kind::Table, "default/glue/7/c/d/t").to_string();
        assert_eq!(table.len(), 36);
        assert_eq!(&table[14..15], "5");
        assert_ne!(table, Guid::of(Kind::View, "default/glue/7/c/d/t").to_string());
        assert_eq!(table, Guid::of(Kind::Table, "default/glue/7/c/d/t").to_string());
    }

    #[test]
    fn a_prefix_gives_the_same_id_as_the_whole_name() {
        let prefix = GuidPrefix::new(Kind::Column, "default/glue/7/c/d/t/");
        assert_eq!(prefix.finish("amount"), Guid::of(Kind::Column, "default/glue/7/c/d/t/amount"));
    }
}
