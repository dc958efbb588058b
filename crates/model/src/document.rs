//! The one JSON form of assets: store, NDJSON, wire, API and exports all write and read it here, nothing else does.
//!
//! Written straight into bytes in a canonical order (so that it can be hashed), without a tree in between; what follows
//! from an asset's qualified name is derived here and held nowhere.

mod columns;
mod read;
pub mod report;
mod write;

pub use columns::{pack_columns, unpack_columns};
pub use read::{ReadError, read_asset, read_attributes, read_columns};
pub use write::{AssetStatus, LineKinds, write_asset, write_attributes, write_columns, write_lines};

/// Appends `text` as a JSON string, quotes included (RFC 8259 section 7).
pub fn write_string(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    write_string_content(text, out);
    out.push(b'"');
}

/// Appends `text` as the inside of a JSON string.
pub(crate) fn write_string_content(text: &str, out: &mut Vec<u8>) {
    let bytes = text.as_bytes();
    if is_plain(text) {
        out.extend_from_slice(bytes);
        return;
    }
    let mut clean_from = 0;
    for (at, &byte) in bytes.iter().enumerate() {
        if needs_escape(byte) {
            out.extend_from_slice(&bytes[clean_from..at]);
            write_escape(byte, out);
            clean_from = at + 1;
        }
    }
    out.extend_from_slice(&bytes[clean_from..]);
}

/// Whether a text reads the same inside a JSON string.
pub(crate) fn is_plain(text: &str) -> bool {
    !text.bytes().fold(false, |found, byte| found | needs_escape(byte))
}

fn needs_escape(byte: u8) -> bool {
    (byte < 0x20) | (byte == b'"') | (byte == b'\\')
}

fn write_escape(byte: u8, out: &mut Vec<u8>) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    match byte {
        b'"' => out.extend_from_slice(b"\\\""),
        b'\\' => out.extend_from_slice(b"\\\\"),
        b'\n' => out.extend_from_slice(b"\\n"),
        b'\r' => out.extend_from_slice(b"\\r"),
        b'\t' => out.extend_from_slice(b"\\t"),
        _ => {
            out.extend_from_slice(b"\\u00");
            out.push(HEX[usize::from(byte >> 4)]);
            out.push(HEX[usize::from(byte & 15)]);
        }
    }
}

/// Appends a whole number in decimal.
pub(crate) fn write_integer(number: i64, out: &mut Vec<u8>) {
    let mut digits = [0_u8; 20];
    let mut at = digits.len();
    let mut rest = number.unsigned_abs();
    loop {
        at -= 1;
        digits[at] = b'0' + u8::try_from(rest % 10).unwrap_or(0);
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    if number < 0 {
        out.push(b'-');
    }
    out.extend_from_slice(&digits[at..]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_and_numbers_read_back_as_json() {
        for text in ["", "plain", "q\"b\\s/\u{1}\n\t\u{7f}é🧊", "\u{2028}"] {
            let mut out = Vec::new();
            write_string(text, &mut out);
            assert_eq!(serde_json::from_slice::<String>(&out).unwrap(), text);
        }
        for number in [0, 7, -7, 1_700_000_000_000, i64::MAX, i64::MIN] {
            let mut out = Vec::new();
            write_integer(number, &mut out);
            assert_eq!(serde_json::from_slice::<i64>(&out).unwrap(), number);
        }
    }
}
