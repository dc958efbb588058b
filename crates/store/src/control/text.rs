//! Texts that people give: what is refused, what is cut, and when two names are the same.

use crate::{Result, StoreError};

/// Characters of a name.
const NAME_CHARACTERS_MAX: usize = 200;

/// A name as it is stored.
///
/// Names stand in lists, messages and the audit log: what cannot be seen there is refused.
pub(super) fn checked_name(noun: &str, name: &str) -> Result<String> {
    let wrong = if name.trim().is_empty() {
        "is empty"
    } else if name.trim() != name {
        "begins or ends with a space"
    } else if name.chars().any(char::is_control) {
        "has a character that cannot be shown"
    } else if name.chars().count() > NAME_CHARACTERS_MAX {
        "is longer than 200 characters"
    } else {
        return Ok(name.to_owned());
    };
    Err(StoreError::Invalid { message: format!("the name of the {noun} {wrong}: give another name") })
}

/// What two names have in common that differ in case only. Capitals come first, since some small letters share one (`ſ`, `ς`).
pub(super) fn folded(name: &str) -> String {
    name.chars().flat_map(char::to_uppercase).flat_map(char::to_lowercase).collect()
}

/// At most so many characters of a text that is only shown, without NUL: PostgreSQL has no place for it.
pub(super) fn shown(text: &str, characters_max: usize) -> String {
    text.chars().take(characters_max).map(|character| if character == '\0' { '\u{FFFD}' } else { character }).collect()
}

/// As [`shown`], and nothing stays nothing.
pub(super) fn shown_if_any(text: Option<&String>, characters_max: usize) -> Option<String> {
    text.map(|text| shown(text, characters_max))
}

/// JSON of at most so many bytes. Written properly it has no control characters.
pub(super) fn checked_json(what: &str, json: &str, bytes_max: usize) -> Result<String> {
    if json.len() > bytes_max {
        let message = format!("{what} has {} bytes: at most {bytes_max} are stored, make it shorter", json.len());
        return Err(StoreError::Invalid { message });
    }
    match serde_json::from_str::<&serde_json::value::RawValue>(json) {
        Ok(_) => Ok(json.to_owned()),
        Err(error) => Err(StoreError::Invalid { message: format!("{what} is no JSON ({error}): this is a defect of the program") }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_differ_in_case_only_are_the_same() {
        for (one, other) in [("Ada", "aDA"), ("Straße", "STRASSE"), ("ΟΔΥΣΣΕΥΣ", "οδυσσευς"), ("ÉMILE", "émile"), ("日本", "日本")]
        {
            assert_eq!(folded(one), folded(other), "{one} {other}");
        }
        assert_ne!(folded("emile"), folded("émile"));
    }

    #[test]
    fn names_that_cannot_be_seen_are_refused() {
        for name in ["", " ", " a", "a ", "a\0b", "a\nb", &"x".repeat(201)] {
            assert!(matches!(checked_name("user", name), Err(StoreError::Invalid { .. })), "{name:?}");
        }
        assert_eq!(checked_name("user", &"日".repeat(200)).unwrap().chars().count(), 200);
    }

    #[test]
    fn what_is_shown_is_cut_at_characters_and_has_no_nul() {
        assert_eq!(shown("日\0本x", 3), "日\u{FFFD}本");
    }
}
