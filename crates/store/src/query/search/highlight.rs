//! Which parts of a hit are what was searched for.

use std::ops::Range;

use model::Asset;

use crate::query::rank::{Matched, Question};
use crate::search_text::{Class, descriptions, joined};

/// What of a hit was searched for; a text is empty where nothing in it was.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Highlights {
    /// In its name.
    pub name: Vec<Segment>,
    /// In its description: the part around what was found.
    pub description: Vec<Segment>,
    /// In the name of the column that it was found by.
    pub column: Vec<Segment>,
}

/// A part of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// The part.
    pub text: String,
    /// Whether it was searched for.
    pub is_match: bool,
}

/// Characters of a description that are shown.
const SHOWN_CHARACTERS_MAX: usize = 300;
/// Characters of them before what was found.
const SHOWN_BEFORE: usize = 60;
/// Characters of a text that are looked at.
const CHARACTERS_MAX: usize = 2_000;

impl Highlights {
    pub(super) fn of(question: &Question, asset: &Asset, matched: &Matched) -> Self {
        let column = match matched {
            Matched::Column(path) => asset.columns.iter().find(|column| column.path == path).map(|column| column.name),
            Matched::Name | Matched::Description | Matched::Enrichment | Matched::Words => None,
        };
        let description = descriptions(asset).map(|text| in_prose(question, text)).find(|segments| !segments.is_empty());
        Self {
            name: in_name(question, &asset.name),
            description: description.unwrap_or_default(),
            column: column.map(|name| in_name(question, name)).unwrap_or_default(),
        }
    }
}

/// The parts of a name: all of it where it is the same but for its spelling, else what was typed as it is, else the words.
fn in_name(question: &Question, name: &str) -> Vec<Segment> {
    if question.whole.is_empty() {
        return Vec::new();
    }
    if !question.joined.is_empty() && joined(name) == question.joined {
        return vec![Segment { text: name.to_owned(), is_match: true }];
    }
    let whole = occurrences(name, &question.whole);
    segments(name, if whole.is_empty() { words(question, name) } else { whole })
}

fn in_prose(question: &Question, text: &str) -> Vec<Segment> {
    let end = text.char_indices().nth(CHARACTERS_MAX).map_or(text.len(), |(at, _)| at);
    let found = words(question, &text[..end]);
    let Some(first) = found.first() else { return Vec::new() };
    let from = text[..first.start].char_indices().rev().nth(SHOWN_BEFORE - 1).map_or(0, |(at, _)| at);
    let to = text[from..].char_indices().nth(SHOWN_CHARACTERS_MAX).map_or(text.len(), |(at, _)| from + at);
    let shown = found.iter().filter(|range| range.end <= to).map(|range| range.start - from..range.end - from);
    segments(&text[from..to], shown.collect())
}

/// Where the words of the question are; the last one may be the beginning of a word.
fn words(question: &Question, text: &str) -> Vec<Range<usize>> {
    let Some((last, others)) = question.words.split_last() else { return Vec::new() };
    let mut found = Vec::new();
    for range in word_ranges(text) {
        let word = text[range.clone()].to_lowercase();
        if others.contains(&word) || word == *last {
            found.push(range);
        } else if word.starts_with(last.as_str()) {
            let end = range.start + typed_length(&text[range.clone()], last.chars().count());
            found.push(range.start..end);
        }
    }
    found
}

/// Bytes of the beginning of a word that so many characters in lower case are made from.
fn typed_length(word: &str, lower: usize) -> usize {
    let mut count = 0;
    for (at, character) in word.char_indices() {
        if count >= lower {
            return at;
        }
        count += character.to_lowercase().count();
    }
    word.len()
}

/// Where the words of a text are, split as the index splits them.
fn word_ranges(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let (mut start, mut last) = (0, Class::Other);
    let mut characters = text.char_indices().peekable();
    while let Some((at, character)) = characters.next() {
        let class = Class::of(character);
        let begins = if class == last {
            // The last capital of an acronym starts the next word.
            class == Class::Upper && characters.peek().is_some_and(|(_, next)| Class::of(*next) == Class::Lower)
        } else {
            // A capital that starts a word belongs to it.
            !(last == Class::Upper && class == Class::Lower)
        };
        if begins {
            if last != Class::Other && start < at {
                found.push(start..at);
            }
            start = at;
        }
        last = class;
    }
    if last != Class::Other && start < text.len() {
        found.push(start..text.len());
    }
    found
}

/// Where a text in lower case occurs, whatever the case there, one after the other.
fn occurrences(text: &str, lower: &str) -> Vec<Range<usize>> {
    let wanted: Vec<char> = lower.chars().collect();
    let folded: Vec<(char, Range<usize>)> = text
        .char_indices()
        .take(CHARACTERS_MAX)
        .flat_map(|(at, character)| character.to_lowercase().map(move |lower| (lower, at..at + character.len_utf8())))
        .collect();
    let mut found = Vec::new();
    let mut at = 0;
    while !wanted.is_empty() && at + wanted.len() <= folded.len() {
        let window = &folded[at..at + wanted.len()];
        if window.iter().map(|(character, _)| character).eq(&wanted) {
            found.push(window[0].1.start..window[wanted.len() - 1].1.end);
            at += wanted.len();
        } else {
            at += 1;
        }
    }
    found
}

/// A text in parts; nothing where nothing was found.
fn segments(text: &str, found: Vec<Range<usize>>) -> Vec<Segment> {
    if found.is_empty() {
        return Vec::new();
    }
    let mut segments: Vec<Segment> = Vec::new();
    let mut push = |range: Range<usize>, is_match: bool| match segments.last_mut() {
        _ if range.is_empty() => {}
        Some(last) if last.is_match == is_match => last.text.push_str(&text[range]),
        _ => segments.push(Segment { text: text[range].to_owned(), is_match }),
    };
    let mut done = 0;
    for range in found {
        let start = range.start.max(done);
        push(done..start, false);
        push(start..range.end.max(start), true);
        done = range.end.max(start);
    }
    push(done..text.len(), false);
    segments
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::search_text::Collector;

    fn marked(segments: &[Segment]) -> String {
        segments.iter().map(|part| if part.is_match { format!("[{}]", part.text) } else { part.text.clone() }).collect()
    }

    #[test]
    fn words_are_where_the_index_has_them() {
        for text in ["order_items_2024", "customerId HTTPServer v2Beta", "Größe-日本 'x'", "🧊!", "", "aB", "ÄÖü_Ä9", "a b A"]
        {
            let mut collector = Collector::default();
            collector.words(text);
            let expected: std::collections::BTreeSet<&str> = collector.text().split_ascii_whitespace().collect();
            let found: std::collections::BTreeSet<String> =
                word_ranges(text).into_iter().map(|range| text[range].to_lowercase()).collect();
            assert_eq!(found.iter().map(String::as_str).collect::<std::collections::BTreeSet<_>>(), expected, "{text}");
        }
    }

    #[test]
    fn names_show_what_was_typed_or_its_words_in_any_script() {
        for (query, name, expected) in [
            ("order id", "Order_ID", "[Order_ID]"),
            ("fact_ship", "fact_shipment_2024", "[fact_ship]ment_2024"),
            ("SHIP", "shipShipment", "[shipShip]ment"),
            ("shipment fact", "fact_big_shipment", "[fact]_big_[shipment]"),
            ("ship fac", "fact_ship", "[fac]t_[ship]"),
            ("größe", "die_Größe", "die_[Größe]"),
            ("ÜBER", "Überweisung", "[Über]weisung"),
            ("i", "İstanbul", "[İ]stanbul"),
            ("日本", "大日本語", "大[日本]語"),
            ("x", "abc", ""),
            ("", "abc", ""),
        ] {
            assert_eq!(marked(&in_name(&Question::new(query), name)), expected, "{query} in {name}");
        }
    }

    #[test]
    fn of_a_long_description_the_part_around_what_was_found_is_shown() {
        let text = format!("{}The customers of 日本. {}", "ä ".repeat(200), "b ".repeat(400));
        let shown = in_prose(&Question::new("customer"), &text);
        let all: String = shown.iter().map(|part| part.text.as_str()).collect();
        assert_eq!(all.chars().count(), SHOWN_CHARACTERS_MAX);
        assert!(marked(&shown).contains("The [customer]s of"), "{}", marked(&shown));
        assert_eq!(in_prose(&Question::new("nothing"), &text), []);
    }
}
