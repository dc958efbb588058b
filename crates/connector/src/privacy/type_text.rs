//! Column types: structure, but for the comments that people write inside nested types.

use std::borrow::Cow;
use std::sync::LazyLock;

use memchr::memchr2;
use regex::{Captures, Regex};
use serde::Deserialize;

use super::{MaskedCounts, MaskedPlace, Text, scrub};

/// A comment of a nested field (Hive: `struct<a:int comment 'text'>`), also one that is cut off.
static COMMENT: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r#"(?is)(?P<keep>\bcomment\s*)(?P<text>'(?:[^'\\]|\\.)*(?:'|\z)|"(?:[^"\\]|\\.)*(?:"|\z))"#).ok());

/// The type of a column as the catalog spells it.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct TypeText<'a>(#[serde(borrow)] Text<'a>);

impl TypeText<'_> {
    /// The type with the comments in it put through the secret scanner; what was replaced is counted.
    pub(crate) fn scrubbed(&self, masked: &MaskedCounts) -> Cow<'_, str> {
        let text: &str = &self.0;
        // Nearly no type has a quote in it.
        if memchr2(b'\'', b'"', text.as_bytes()).is_none() {
            return Cow::Borrowed(text);
        }
        let Some(comment) = COMMENT.as_ref() else { return Cow::Borrowed(text) };
        let mut count = 0;
        let clean = comment.replace_all(text, |found: &Captures<'_>| {
            let (comment, secrets) = scrub(&found["text"]);
            count += secrets;
            // The scanner may take the closing quote for a part of the secret.
            let quote = &found["text"][..1];
            let inner = comment.trim_start_matches(quote).trim_end_matches(quote);
            if secrets == 0 { found[0].to_owned() } else { format!("{}{quote}{inner}{quote}", &found["keep"]) }
        });
        masked.add(MaskedPlace::FreeText, count);
        clean
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_in_comments_of_nested_types_are_replaced_and_the_type_still_reads() {
        for (raw, clean) in [
            ("struct<token:string,password:string>", "struct<token:string,password:string>"),
            ("struct<a:int comment 'the city',b:int>", "struct<a:int comment 'the city',b:int>"),
            ("struct<a:int comment 'password=CANARY',b:int>", "struct<a:int comment 'password=***',b:int>"),
            ("struct<a:int COMMENT \"pwd: CANARY\",b:int>", "struct<a:int COMMENT \"pwd: ***\",b:int>"),
            ("struct<a:int comment 'password=CANARY", "struct<a:int comment 'password=***'"),
            ("struct<`it's`:int>", "struct<`it's`:int>"),
        ] {
            let json = serde_json::to_string(raw).unwrap();
            let text: TypeText<'_> = serde_json::from_str(&json).unwrap();
            assert_eq!(text.scrubbed(&MaskedCounts::default()), clean);
        }
    }
}
