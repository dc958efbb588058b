//! Qualified names: the identity of every asset, and the only way to build one.

use std::fmt;

/// The path that identifies an asset together with its kind, e.g. `default/glue/1700000000/AwsDataCatalog/sales/orders`.
///
/// Each part is percent-encoded for `/`, `%` and control characters only, so that a split at `/` is always right.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct QualifiedName(String);

impl QualifiedName {
    /// Takes a name that is already in its encoded form: from a user, a stored row or a wire document.
    #[must_use]
    pub fn from_encoded(encoded: impl Into<String>) -> Self {
        Self(encoded.into())
    }

    /// The child of this name with the given raw (not yet encoded) part.
    #[must_use]
    pub fn child(&self, raw_part: &str) -> Self {
        let mut name = String::with_capacity(self.0.len() + 1 + raw_part.len());
        name.push_str(&self.0);
        name.push('/');
        encode_part(raw_part, &mut name);
        Self(name)
    }

    /// The name without its last part; `None` for a name of one part.
    #[must_use]
    pub fn parent(&self) -> Option<&str> {
        self.0.rsplit_once('/').map(|(parent, _)| parent)
    }

    /// The encoded form.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for QualifiedName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The name of a connection: `default/<connector>/<number>`, the root of every name below it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ConnectionName {
    name: QualifiedName,
    connector: &'static str,
}

impl ConnectionName {
    /// `connector` is the short name that stands in qualified names (`glue`, `aws-smus`).
    #[must_use]
    pub fn new(connector: &'static str, number: u64) -> Self {
        Self { name: QualifiedName(format!("default/{connector}/{number}")), connector }
    }

    /// The qualified name of the connection asset itself.
    #[must_use]
    pub fn qualified_name(&self) -> &QualifiedName {
        &self.name
    }

    /// The connector's short name, the `connectorName` of every asset of the connection.
    #[must_use]
    pub fn connector(&self) -> &'static str {
        self.connector
    }

    /// The encoded form of the qualified name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.name.as_str()
    }
}

/// How many parts the name of a connection has (`default`, connector, number).
const CONNECTION_PARTS: usize = 3;

/// The connection's part of a qualified name: its first three parts. `None` for names outside any connection (`s3://…`).
#[must_use]
pub fn connection_of(qualified_name: &str) -> Option<&str> {
    if !qualified_name.starts_with("default/") {
        return None;
    }
    let end = qualified_name.match_indices('/').nth(CONNECTION_PARTS - 1).map_or(qualified_name.len(), |(at, _)| at);
    Some(&qualified_name[..end])
}

/// The connector's short name in a qualified name: its second part.
#[must_use]
pub fn connector_of(qualified_name: &str) -> Option<&str> {
    connection_of(qualified_name)?.split('/').nth(1)
}

/// Appends one part, percent-encoding `/`, `%` and control characters (as UTF-8 bytes, upper-case hex) and nothing else.
pub fn encode_part(raw: &str, out: &mut String) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    if !raw.bytes().any(|byte| byte == b'/' || byte == b'%' || !(0x20..0x7f).contains(&byte)) {
        out.push_str(raw);
        return;
    }
    for character in raw.chars() {
        if character != '/' && character != '%' && !character.is_control() {
            out.push(character);
            continue;
        }
        let mut buffer = [0_u8; 4];
        for byte in character.encode_utf8(&mut buffer).bytes() {
            out.push('%');
            out.push(char::from(HEX[usize::from(byte >> 4)]));
            out.push(char::from(HEX[usize::from(byte & 15)]));
        }
    }
}

/// Undoes [`encode_part`]. What is no valid escape stays as it is.
#[must_use]
pub fn decode_part(encoded: &str) -> String {
    let mut bytes = Vec::with_capacity(encoded.len());
    let mut rest = encoded.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let escape = (first == b'%').then(|| tail.get(..2)).flatten().and_then(|hex| std::str::from_utf8(hex).ok());
        match escape.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            None => {
                bytes.push(first);
                rest = tail;
            }
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| encoded.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_encoded_for_slash_percent_and_control_characters_only() {
        let root = ConnectionName::new("glue", 7);
        let name = root.qualified_name().child("a/b%c\n\u{85}é 'q\" 🧊.d");
        assert_eq!(name.as_str(), "default/glue/7/a%2Fb%25c%0A%C2%85é 'q\" 🧊.d");
    }

    #[test]
    fn decoding_gives_back_every_encoded_part_and_leaves_other_text_alone() {
        for raw in ["plain", "a/b", "100%", "%2F", "tab\tend", "naïve/日本", ""] {
            let mut encoded = String::new();
            encode_part(raw, &mut encoded);
            assert_eq!(decode_part(&encoded), raw);
        }
        assert_eq!(decode_part("50%zz"), "50%zz");
        assert_eq!(decode_part("tail%2"), "tail%2");
    }

    #[test]
    fn the_connection_of_a_name_is_its_first_three_parts() {
        assert_eq!(connection_of("default/glue/7/AwsDataCatalog/sales"), Some("default/glue/7"));
        assert_eq!(connection_of("default/glue/7"), Some("default/glue/7"));
        assert_eq!(connector_of("default/aws-smus/7/x"), Some("aws-smus"));
        assert_eq!(connection_of("s3://bucket/key"), None);
    }
}
