//! What a store gives for one name, and how a value is taken from it. Pure.

use std::borrow::Cow;
use std::collections::BTreeMap;

use model::Secret;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;
use zeroize::{Zeroize, Zeroizing};

use crate::fault::Fault;

/// The longest entry that is taken, in bytes: that of AWS Secrets Manager and of Google's Secret Manager.
pub(crate) const ENTRY_BYTES_MAX: usize = 64 * 1024;
/// The key that holds the value where a store has entries of keys only and single keys are asked for.
const VALUE_KEY: &str = "value";

/// One entry of a store.
pub(crate) enum Entry {
    /// A text: the value itself, or a JSON object of keys.
    Text(Zeroizing<String>),
    /// Keys with their values.
    Keys(BTreeMap<String, KeyValue>),
}

/// The value of one key.
pub(crate) enum KeyValue {
    /// A text, or a number or a truth value in its JSON form.
    Text(Secret),
    /// Anything else, which is no credential: null, a list, an object, bytes that are no text.
    Other,
}

/// A text of an answer that is a secret: it is overwritten when it is dropped, and does not print.
pub(crate) struct SecretText(Zeroizing<String>);

impl SecretText {
    pub(crate) fn into_secret(mut self) -> Secret {
        Secret::new(std::mem::take(&mut *self.0))
    }

    pub(crate) fn into_bytes(mut self) -> Vec<u8> {
        std::mem::take(&mut *self.0).into_bytes()
    }
}

impl<'de> Deserialize<'de> for SecretText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self(Zeroizing::new(text)))
    }
}

impl Entry {
    /// A text entry within bounds. The bytes are overwritten afterwards.
    pub(crate) fn text(bytes: Vec<u8>) -> Result<Self, Fault> {
        let size = require_size(bytes.len());
        let text = String::from_utf8(bytes).map(Zeroizing::new).map_err(|error| {
            error.into_bytes().zeroize();
            binary()
        });
        size.and(text).map(Self::Text)
    }

    /// The keys of an entry that a JSON object holds.
    pub(crate) fn keys_of_json(json: &str) -> Result<Self, Fault> {
        require_size(json.len())?;
        Ok(Self::Keys(keys(json)?))
    }

    /// The values of several keys of this entry.
    pub(crate) fn into_keys(self) -> Result<BTreeMap<String, KeyValue>, Fault> {
        match self {
            Self::Keys(keys) => Ok(keys),
            Self::Text(text) => keys(&text),
        }
    }

    /// The one value of this entry.
    pub(crate) fn into_single(self) -> Result<Secret, Fault> {
        let mut keys = match self {
            Self::Text(text) if text.is_empty() => return Err(empty()),
            Self::Text(text) => return Ok(Secret::new(text.as_str())),
            Self::Keys(keys) => keys,
        };
        let chosen = if keys.len() == 1 { keys.pop_first().map(|(_, value)| value) } else { keys.remove(VALUE_KEY) };
        chosen.ok_or_else(several)?.into_secret("of the entry")
    }
}

impl KeyValue {
    /// The value; `whose` ends the sentence about one that is no text.
    pub(crate) fn into_secret(self, whose: &str) -> Result<Secret, Fault> {
        match self {
            Self::Text(secret) if secret.expose().is_empty() => Err(empty()),
            Self::Text(secret) => Ok(secret),
            Self::Other => Err(Fault::malformed(
                format!("the value {whose} is neither a text nor a number"),
                "store the value as a text; lists, objects, null and bytes that are no UTF-8 are not read",
            )),
        }
    }
}

/// The members of a JSON object. The parser's messages quote what they read, so none of them is passed on.
fn keys(json: &str) -> Result<BTreeMap<String, KeyValue>, Fault> {
    let members: BTreeMap<Cow<'_, str>, &RawValue> = serde_json::from_str(json).map_err(|error| {
        Fault::malformed(
            format!("the entry is no JSON object of keys (line {}, column {})", error.line(), error.column()),
            "store the keys as {\"key\": \"value\", …}, or refer to the entry with single keys",
        )
    })?;
    Ok(members.into_iter().map(|(key, raw)| (key.into_owned(), key_value(raw.get()))).collect())
}

fn key_value(raw: &str) -> KeyValue {
    match raw.as_bytes().first() {
        Some(b'"') => serde_json::from_str::<String>(raw).map_or(KeyValue::Other, |text| KeyValue::Text(Secret::new(text))),
        Some(b'0'..=b'9' | b'-' | b't' | b'f') => KeyValue::Text(Secret::new(raw)),
        Some(_) | None => KeyValue::Other,
    }
}

/// Refuses an entry of more than [`ENTRY_BYTES_MAX`].
pub(crate) fn require_size(bytes: usize) -> Result<(), Fault> {
    if bytes <= ENTRY_BYTES_MAX { Ok(()) } else { Err(too_long()) }
}

pub(crate) fn too_long() -> Fault {
    Fault::malformed(
        format!("the entry is longer than {} KiB", ENTRY_BYTES_MAX / 1024),
        "refer to an entry that holds credentials only; those are short",
    )
}

fn binary() -> Fault {
    Fault::malformed("the entry is no UTF-8 text", "store credentials as text; binary entries are not read")
}

fn empty() -> Fault {
    Fault::malformed("the value is empty", "store the value, or refer to another entry or key")
}

fn several() -> Fault {
    Fault::malformed(
        format!("the entry has several keys, and none of them is {VALUE_KEY:?}"),
        "refer to it with multi-key, or store one value an entry",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::FaultKind;

    fn text(of: &str) -> Entry {
        Entry::text(of.as_bytes().to_vec()).unwrap_or_else(|fault| panic!("{}", fault.reason))
    }

    fn single(entry: Entry) -> Result<String, FaultKind> {
        entry.into_single().map(|secret| secret.expose().to_owned()).map_err(|fault| fault.kind)
    }

    #[test]
    fn members_of_an_object_are_texts_numbers_and_truth_values() {
        let json = r#"{"text":"a\n\"b\" é","number":1.50,"yes":true,"none":null,"list":["x"],"object":{"a":"b"},"empty":""}"#;
        let mut keys = text(json).into_keys().unwrap_or_else(|fault| panic!("{}", fault.reason));
        let mut take = |key: &str| keys.remove(key).unwrap().into_secret("of the key").map(|secret| secret.expose().to_owned());
        assert_eq!(take("text").unwrap(), "a\n\"b\" é");
        assert_eq!((take("number").unwrap(), take("yes").unwrap()), ("1.50".to_owned(), "true".to_owned()));
        for other in ["none", "list", "object", "empty"] {
            assert_eq!(take(other).unwrap_err().kind, FaultKind::Malformed, "{other}");
        }
    }

    #[test]
    fn what_is_no_object_is_malformed_and_not_quoted() {
        for not_an_object in ["hunter2", "\"hunter2\"", "[\"hunter2\"]", "{\"hunter2\"", "null", ""] {
            let Err(fault) = text(not_an_object).into_keys() else { panic!("{not_an_object}") };
            assert_eq!(fault.kind, FaultKind::Malformed);
            assert!(!format!("{fault:?}").contains("hunter2"), "{fault:?}");
        }
    }

    #[test]
    fn a_single_value_is_the_text_or_the_only_key_or_the_key_value() {
        let of = |json: &str| Entry::keys_of_json(json).unwrap_or_else(|fault| panic!("{}", fault.reason));
        assert_eq!(single(text(" a\n")).unwrap(), " a\n");
        assert_eq!(single(of(r#"{"password":"p"}"#)).unwrap(), "p");
        assert_eq!(single(of(r#"{"value":"v","note":"n"}"#)).unwrap(), "v");
        for bad in [of(r#"{"a":"1","b":"2"}"#), of("{}"), of(r#"{"a":null}"#), text("")] {
            assert_eq!(single(bad), Err(FaultKind::Malformed));
        }
    }

    #[test]
    fn long_and_binary_entries_are_malformed() {
        assert!(Entry::text(vec![b'a'; ENTRY_BYTES_MAX]).is_ok());
        for bad in [vec![b'a'; ENTRY_BYTES_MAX + 1], vec![0xff, 0xfe]] {
            assert!(matches!(Entry::text(bad), Err(fault) if fault.kind == FaultKind::Malformed));
        }
    }
}
