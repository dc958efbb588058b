//! One very large database, read by several cursors at once.
//!
//! `GetTables` takes an `Expression`, a regular expression on the name (AWS Glue API reference). The names are cut into parts
//! that are disjoint and together everything: by the character after a common prefix. Nothing documents how the service
//! applies the expression, so it is watched: a name outside its part, a page that is short but has a token, a refusal, or a
//! name of the sample that no part finds again, and the one cursor that was there before goes on instead.

use std::collections::{BTreeSet, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use futures::StreamExt;
use futures::stream::FuturesUnordered;

use super::tables::Listing;
use super::{Crawl, CrawlError};
use crate::paging::malformed;
use crate::port::{ApiError, AssetSink, Baseline, ErrorKind, ReadApi, ReadOperation};

/// The characters after a prefix that get a part each; all others share one.
const CLASSES: &[&str] = &[
    "0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "o",
    "p", "q", "r", "s", "t", "u", "v", "w", "x", "y", "z", "_-",
];

/// The classes that are digits.
const DIGITS: &[&str] = &["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"];

/// A part that still has a token after so many pages, or twice as many and so on, is cut again if most workers are idle. Its pages
/// are read again then, so the doubling keeps what is read twice below what was read once.
const CUT_PART_AFTER_PAGES: usize = 20;

/// The most parts of one database.
const PARTS_MAX: usize = 2_000;

/// A page with a token that holds fewer tables than this was cut before it was filtered: parts then cost more than they save.
const FULL_PAGE_TABLES_MIN: usize = 50;

/// The longest common prefix that is looked into, in characters.
const PREFIX_CHARACTERS_MAX: usize = 40;

/// The names with a prefix whose next character is, or is not, one of some.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct NamePart {
    prefix: String,
    next: NextCharacter,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum NextCharacter {
    /// One of these follows.
    OneOf(String),
    /// Something else follows, or nothing.
    NoneOf(String),
}

impl NamePart {
    /// The regular expression of the part. It begins with an anchor and has its one star in a last `.*`, so that it means the
    /// same whether the service searches, matches whole names, or takes a star for a wildcard.
    pub(super) fn expression(&self) -> String {
        let prefix = escape(&self.prefix);
        match &self.next {
            NextCharacter::OneOf(characters) => format!("^{prefix}[{}].*", escape(characters)),
            NextCharacter::NoneOf(characters) if prefix.is_empty() => format!("^[^{}].*", escape(characters)),
            NextCharacter::NoneOf(characters) => format!("^{prefix}$|^{prefix}[^{}].*", escape(characters)),
        }
    }

    /// Whether a name is in the part.
    pub(super) fn contains(&self, name: &str) -> bool {
        let Some(rest) = name.strip_prefix(&self.prefix) else { return false };
        let next = rest.chars().next();
        match &self.next {
            NextCharacter::OneOf(characters) => next.is_some_and(|next| characters.contains(next)),
            NextCharacter::NoneOf(characters) => !next.is_some_and(|next| characters.contains(next)),
        }
    }

    /// Cuts this part into smaller ones that are disjoint and together the same, guided by a sample of its names.
    fn cut(&self, sample: &Sample) -> Vec<NamePart> {
        match &self.next {
            NextCharacter::OneOf(characters) if characters.chars().count() > 1 => characters
                .chars()
                .map(|character| Self { prefix: self.prefix.clone(), next: NextCharacter::OneOf(character.into()) })
                .collect(),
            NextCharacter::OneOf(character) => cut_everything(&format!("{}{character}", self.prefix), sample),
            NextCharacter::NoneOf(excluded) => by_next_character(&self.prefix, excluded, CLASSES),
        }
    }
}

/// Every name with `prefix`, in parts: along the common prefix of the sample, which is often longer than that of all names, and
/// then by the character after it. Where names are most likely to differ (right after `prefix`, and at digits, for the sample is
/// the beginning of a sorted list) each other character gets a part of its own; elsewhere all others share one.
fn cut_everything(prefix: &str, sample: &Sample) -> Vec<NamePart> {
    let common = sample.common_prefix();
    let Some(beyond) = common.strip_prefix(prefix) else { return by_next_character(prefix, "", CLASSES) };
    let mut parts = Vec::new();
    let mut current = prefix.to_owned();
    for (index, character) in beyond.chars().enumerate() {
        let known = character.to_string();
        let classes = match character {
            _ if index == 0 => CLASSES,
            '0'..='9' => DIGITS,
            _ => &[],
        };
        parts.extend(by_next_character(&current, &known, classes));
        current.push(character);
    }
    parts.extend(by_next_character(&current, "", CLASSES));
    parts
}

/// The names with `prefix` whose next character is none of `excluded`: a part for each class, and one for all others.
fn by_next_character(prefix: &str, excluded: &str, classes: &[&str]) -> Vec<NamePart> {
    let part = |next| NamePart { prefix: prefix.to_owned(), next };
    let mut listed = excluded.to_owned();
    let mut parts = Vec::with_capacity(classes.len() + 1);
    for class in classes {
        let characters: String = class.chars().filter(|character| !excluded.contains(*character)).collect();
        if !characters.is_empty() {
            listed.push_str(&characters);
            parts.push(part(NextCharacter::OneOf(characters)));
        }
    }
    parts.push(part(NextCharacter::NoneOf(listed)));
    parts
}

/// What has a meaning of its own in regular expressions, inside a class or outside.
const META_CHARACTERS: &str = "\\.+*?()|[]{}^$-&~#";

/// A literal text in a regular expression, inside a class or outside.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        if META_CHARACTERS.contains(character) {
            escaped.push('\\');
        }
        escaped.push(character);
    }
    escaped
}

/// Names seen so far: what a cut is guided by.
#[derive(Debug, Default)]
pub(super) struct Sample(Vec<String>);

impl Sample {
    pub(super) fn add(&mut self, names: Vec<String>) {
        self.0.extend(names);
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &String> {
        self.0.iter()
    }

    fn common_prefix(&self) -> String {
        let Some(first) = self.0.first() else { return String::new() };
        let common = self.0.iter().fold(first.as_str(), |common, name| {
            let same = common.char_indices().zip(name.chars()).take_while(|((_, one), other)| one == other);
            let end = same.last().map_or(0, |((at, character), _)| at + character.len_utf8());
            &common[..end]
        });
        common.chars().take(PREFIX_CHARACTERS_MAX).collect()
    }
}

/// The service does not apply the expression as its documentation says.
pub(super) fn filters_otherwise() -> ApiError {
    let mut error = malformed(ReadOperation::GetTables, "the service filters names otherwise than by the given expression");
    error.kind = ErrorKind::Invalid;
    error
}

/// How one part ended.
enum PartEnd {
    /// All its tables were read.
    Read,
    /// It is large: these smaller parts remain.
    Cut(Vec<NamePart>),
}

impl<A: ReadApi, S: AssetSink, B: Baseline> Crawl<'_, A, S, B> {
    /// Reads a database in parts. `false` when the service does not play along: what was delivered stays delivered and is
    /// remembered, and the caller goes on with one cursor.
    pub(super) async fn read_in_parts(&self, listing: &Listing<'_>, sample: &Sample) -> Result<bool, CrawlError> {
        let found_again = std::sync::Mutex::new(BTreeSet::new());
        let sampled: BTreeSet<&str> = sample.names().map(String::as_str).collect();
        let mut waiting: VecDeque<_> = cut_everything("", sample).into();
        let mut parts = waiting.len();
        let in_play = AtomicUsize::new(parts);
        let is_refused = AtomicBool::new(false);
        let mut reading = FuturesUnordered::new();
        loop {
            while reading.len() < self.settings.concurrency.max(1)
                && let Some(part) = waiting.pop_front()
            {
                reading.push(self.read_part(listing, part, &in_play, &is_refused, &sampled, &found_again));
            }
            in_play.store(if parts < PARTS_MAX { waiting.len() + reading.len() } else { usize::MAX }, Ordering::Relaxed);
            match reading.next().await {
                None => break,
                Some(Ok(PartEnd::Read)) => {}
                Some(Ok(PartEnd::Cut(smaller))) => {
                    parts += smaller.len();
                    waiting.extend(smaller);
                }
                Some(Err(CrawlError::Api(error))) if error.kind == ErrorKind::Invalid => {
                    tracing::info!(scope = %listing.scope, reason = %error, "reading with one cursor");
                    // What other parts have in hand must reach the sink: it counts as delivered already.
                    is_refused.store(true, Ordering::Relaxed);
                    waiting.clear();
                }
                Some(Err(error)) => return Err(error),
            }
        }
        drop(reading);
        let found_again = found_again.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
        Ok(!is_refused.into_inner() && found_again.len() == sampled.len())
    }

    async fn read_part(
        &self,
        listing: &Listing<'_>,
        part: NamePart,
        in_play: &AtomicUsize,
        is_refused: &AtomicBool,
        sampled: &BTreeSet<&str>,
        found_again: &std::sync::Mutex<BTreeSet<String>>,
    ) -> Result<PartEnd, CrawlError> {
        let mut pager = listing.pager(Some(&part), |input| self.with_catalog(input, listing.database.catalog_id.as_deref()));
        let mut seen = Sample::default();
        let mut pages = 0;
        while !pager.is_done() && !is_refused.load(Ordering::Relaxed) {
            let facts = self.table_page(listing, &mut pager, Some(&part)).await?;
            pages += 1;
            if !pager.is_done() && facts.names.len() < FULL_PAGE_TABLES_MIN {
                return Err(filters_otherwise().into());
            }
            if let Ok(mut found) = found_again.lock() {
                found.extend(facts.names.iter().filter(|name| sampled.contains(name.as_str())).cloned());
            }
            if pages <= CUT_PART_AFTER_PAGES {
                seen.add(facts.names);
            }
            let is_time = pages % CUT_PART_AFTER_PAGES == 0 && (pages / CUT_PART_AFTER_PAGES).is_power_of_two();
            let has_idle_workers = in_play.load(Ordering::Relaxed).saturating_mul(4) <= self.settings.concurrency;
            if is_time && !pager.is_done() && has_idle_workers {
                return Ok(PartEnd::Cut(part.cut(&seen)));
            }
        }
        Ok(PartEnd::Read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names() -> Vec<String> {
        let odd = ["s", "sa", "S", "ß", "🧊x", "-a", "_a", ".hidden", "a b", "sales^", "sales]x", "sales\\y", "zz", "9", "salesé"];
        let numbered = (0..500).step_by(7).map(|number| format!("sales_{number:04}"));
        odd.iter().map(|name| (*name).to_owned()).chain(numbered).collect()
    }

    fn assert_disjoint_and_whole(parts: &[NamePart], of: impl Fn(&str) -> bool) {
        let regexes: Vec<_> = parts.iter().map(|part| regex::Regex::new(&part.expression()).unwrap()).collect();
        for name in names().iter().filter(|name| of(name)) {
            assert_eq!(parts.iter().filter(|part| part.contains(name)).count(), 1, "{name:?}");
            for (part, regex) in parts.iter().zip(&regexes) {
                assert_eq!(regex.is_match(name), part.contains(name), "{name:?} in {}", part.expression());
            }
        }
    }

    #[test]
    fn parts_are_disjoint_and_together_everything_also_for_odd_names() {
        let sample = Sample((0..300).map(|number| format!("sales_{number:04}")).collect());
        assert_eq!(sample.common_prefix(), "sales_0");
        let parts = cut_everything("", &sample);
        assert_disjoint_and_whole(&parts, |_| true);
        for part in &parts {
            let smaller = part.cut(&sample);
            assert_disjoint_and_whole(&smaller, |name| part.contains(name));
            assert!(smaller.iter().all(|small| names().iter().all(|name| !small.contains(name) || part.contains(name))));
        }
    }

    #[test]
    fn a_sample_without_a_common_prefix_is_cut_by_the_first_character() {
        let parts = cut_everything("", &Sample(vec!["a".into(), "b".into()]));
        assert_eq!(parts.len(), CLASSES.len() + 1);
        assert_disjoint_and_whole(&parts, |_| true);
    }

    #[test]
    fn prefixes_with_characters_that_mean_something_in_expressions_are_escaped() {
        let sample = Sample(vec!["a.b*c+(1".into(), "a.b*c+(2".into()]);
        for part in cut_everything("", &sample) {
            let regex = regex::Regex::new(&part.expression()).unwrap();
            for name in ["a.b*c+(1", "aXb*c+(1", "a.b"] {
                assert_eq!(regex.is_match(name), part.contains(name), "{name} {}", part.expression());
            }
        }
    }
}
