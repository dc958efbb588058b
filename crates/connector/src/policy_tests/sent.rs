//! Which members requests have, taken down from what a crawl and its preflight send.

use std::collections::{BTreeMap, BTreeSet};

use crate::port::ReadOperation;

/// The members that requests of an operation have, with the values of each as JSON.
pub(super) type Sent = BTreeMap<ReadOperation, BTreeMap<String, BTreeSet<String>>>;

/// A member with its values where it has few and these are words of AWS's: a switch that is always set the same way says more with
/// its value.
pub(super) fn spelt(member: &str, values: &BTreeSet<String>) -> String {
    let word = |value: &String| {
        let word = value.trim_matches(['"', '[', ']']);
        let is_word = |word: &str| word.len() > 1 && word.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_');
        (matches!(word, "true" | "false") || is_word(word)).then(|| format!("`{word}`"))
    };
    match values.iter().map(word).collect::<Option<Vec<_>>>() {
        Some(words) if !words.is_empty() => format!("`{member}` = {}", words.join(" or ")),
        _ => format!("`{member}`"),
    }
}
