//! Column types: structure, but for the comments that people write inside nested types.

use std::borrow::Cow;
use std::sync::LazyLock;

use memchr::{memchr, memchr3};
use regex::{Captures, Regex};
use serde::Deserialize;

use super::{MaskedCounts, MaskedPlace, Text, scrub};

/// Text in a type: a comment of a nested field (Hive: `struct<a:int comment 'text'>`) or a member of an enumeration, in any quotes, a
/// quote within doubled or with a backslash, also cut off; and comments of programs.
static QUOTED: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r#"(?s)(?P<text>'(?:[^'\\]|\\.|'')*(?:'|\z)|"(?:[^"\\]|\\.|"")*(?:"|\z)|`(?:[^`]|``)*(?:`|\z)|/\*.*?(?:\*/|\z)|--[^\n]*)"#,
    )
    .ok()
});

/// The type of a column as the catalog spells it.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct TypeText<'a>(#[serde(borrow)] Text<'a>);

impl TypeText<'_> {
    /// The type with the text in it put through the secret scanner; what was replaced is counted.
    pub(crate) fn scrubbed(&self, masked: &MaskedCounts) -> Cow<'_, str> {
        let text: &str = &self.0;
        // Nearly no type has any of these in it.
        if memchr3(b'\'', b'"', b'`', text.as_bytes()).is_none() && memchr3(b'=', b'/', b' ', text.as_bytes()).is_none() {
            return Cow::Borrowed(text);
        }
        let (clean, count) = scrub_quoted(text);
        // A type has names and types with a colon between them, which the scanner could take for a secret with its value, and no equals
        // sign: where there is one, or text without quotes, something else than a type stands there.
        let (clean, more) = if is_only_type(&clean) { (clean, 0) } else { scrub_all(clean) };
        masked.add(MaskedPlace::FreeText, count + more);
        clean
    }
}

/// The text with everything that stands in quotes or comments through the scanner.
fn scrub_quoted(text: &str) -> (Cow<'_, str>, u64) {
    let Some(quoted) = QUOTED.as_ref() else { return scrub(text) };
    let mut count = 0;
    let clean = quoted.replace_all(text, |found: &Captures<'_>| {
        let (comment, secrets) = scrub(&found["text"]);
        count += secrets;
        let quote = &found["text"][..1];
        if secrets == 0 || quote == "/" || quote == "-" {
            return comment.into_owned();
        }
        // The scanner may take the closing quote for a part of the secret.
        format!("{quote}{}{quote}", comment.trim_start_matches(quote).trim_end_matches(quote))
    });
    (clean, count)
}

/// Whether what stands outside of quotes can be a type: no equals sign, and no comment without quotes.
fn is_only_type(text: &str) -> bool {
    let Some(quoted) = QUOTED.as_ref() else { return false };
    let outside = quoted.replace_all(text, "''").to_lowercase();
    let has_bare_comment =
        outside.match_indices("comment ").any(|(at, word)| !outside[at + word.len()..].trim_start().starts_with('\''));
    memchr(b'=', outside.as_bytes()).is_none() && !has_bare_comment
}

fn scrub_all(text: Cow<'_, str>) -> (Cow<'_, str>, u64) {
    let (clean, count) = scrub(&text);
    match clean {
        Cow::Owned(clean) => (Cow::Owned(clean), count),
        Cow::Borrowed(_) => (text, count),
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
            ("struct<`password`:string comment 'a',`key`:int>", "struct<`password`:string comment 'a',`key`:int>"),
            ("decimal(10, 2)", "decimal(10, 2)"),
            ("struct<comment:string, token: string>", "struct<comment:string, token: string>"),
        ] {
            let json = serde_json::to_string(raw).unwrap();
            let text: TypeText<'_> = serde_json::from_str(&json).unwrap();
            assert_eq!(text.scrubbed(&MaskedCounts::default()), clean);
        }
    }

    #[test]
    fn secrets_are_found_however_the_text_around_them_is_quoted() {
        for raw in [
            "struct<x:int comment 'it''s password=CANARY'>",
            "struct<x:int comment 'it\\'s password=CANARY'>",
            "struct<x:int comment password=CANARY>",
            "struct<x:int comment password: CANARY>",
            "struct<x:int comment `password=CANARY`>",
            "struct<x:int /* password=CANARY */>",
            "struct<x:int> -- password: CANARY",
            "enum('a','password=CANARY')",
            "password=CANARY",
        ] {
            let json = serde_json::to_string(raw).unwrap();
            let text: TypeText<'_> = serde_json::from_str(&json).unwrap();
            let masked = MaskedCounts::default();
            assert!(!text.scrubbed(&masked).contains("CANARY"), "{raw}: {}", text.scrubbed(&masked));
        }
    }
}
