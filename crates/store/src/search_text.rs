//! What an asset is found by: its words, split and folded the same way for the index and for queries on every database.

use std::collections::HashSet;
use std::hash::BuildHasherDefault;
use std::sync::Arc;

use model::attribute::Attribute;
use model::{Asset, Kind};

/// Words of one asset. The whole names of columns come first: they are found whatever else is cut.
const WORDS_MAX: usize = 50_000;
/// Characters of a description that are searched.
const DESCRIPTION_CHARACTERS_MAX: usize = 2_000;
/// Longer words are cut: nobody types them.
const WORD_BYTES_MAX: usize = 64;

/// Collects distinct words in one text: no allocation a word, since a table has some hundred.
#[derive(Default)]
pub(crate) struct Collector {
    text: String,
    /// Where the word begins that is being written.
    start: usize,
    hashes: HashSet<u64, BuildHasherDefault<AsIs>>,
}

impl Collector {
    /// Forgets everything.
    pub(crate) fn clear(&mut self) {
        self.text.clear();
        self.hashes.clear();
        self.start = 0;
    }

    fn push(&mut self, character: char) {
        if self.text.len() - self.start >= WORD_BYTES_MAX {
            return;
        }
        if character.is_ascii() {
            self.text.push(character.to_ascii_lowercase());
        } else {
            self.text.extend(character.to_lowercase());
        }
    }

    /// Ends the word that is being written; drops it if it is empty or there already.
    fn end(&mut self) {
        let word = &self.text.as_bytes()[self.start..];
        if word.is_empty() {
            return;
        }
        if self.hashes.len() < WORDS_MAX && self.hashes.insert(xxhash_rust::xxh3::xxh3_64(word)) {
            self.text.push(' ');
        } else {
            self.text.truncate(self.start);
        }
        self.start = self.text.len();
    }

    /// Adds a word as it is.
    fn add(&mut self, word: &str) {
        self.text.push_str(word);
        self.end();
    }

    /// The words of text: runs of letters and digits, split at `snake_case`, `camelCase` and digits, in lower case.
    pub(crate) fn words(&mut self, text: &str) {
        // Nearly all names are ASCII, and bytes are faster to walk than characters.
        if text.is_ascii() { self.split(text.bytes().map(char::from)) } else { self.split(text.chars()) }
    }

    fn split(&mut self, characters: impl Iterator<Item = char>) {
        let mut last = Class::Other;
        let mut characters = characters.peekable();
        while let Some(character) = characters.next() {
            let class = Class::of(character);
            if class != last {
                // A capital that starts a word belongs to it.
                if !(last == Class::Upper && class == Class::Lower) {
                    self.end();
                }
            } else if class == Class::Upper && characters.peek().is_some_and(|next| Class::of(*next) == Class::Lower) {
                // The last capital of an acronym starts the next word.
                self.end();
            }
            if class != Class::Other {
                self.push(character);
            }
            last = class;
        }
        self.end();
    }

    /// Letters and digits of a name in lower case, nothing else: `Order_ID` and `orderId` become one word.
    pub(crate) fn joined(&mut self, name: &str) {
        if name.is_ascii() {
            name.bytes().filter(u8::is_ascii_alphanumeric).for_each(|byte| self.push(char::from(byte)));
        } else {
            name.chars().filter(|character| Class::of(*character) != Class::Other).for_each(|character| self.push(character));
        }
        self.end();
    }

    /// A name as one word that no column's name is taken for.
    pub(crate) fn whole_name(&mut self, name: &str) {
        self.text.push_str("^n");
        self.joined(name);
    }

    /// The three-letter pieces of a name between `^` and `$`, each after `_` so that none is taken for a word. What is neither
    /// letter nor digit reads `_`.
    pub(crate) fn pieces(&mut self, name: &str, ends: Ends) {
        let folded = name.chars().flat_map(|character| {
            let other = Class::of(character) == Class::Other;
            character.to_lowercase().map(move |lower| if other { '_' } else { lower })
        });
        let opening = matches!(ends, Ends::Both | Ends::Start).then_some('^');
        let closing = matches!(ends, Ends::Both).then_some('$');
        let mut window = [' '; 3];
        for (index, character) in opening.into_iter().chain(folded).chain(closing).enumerate() {
            window = [window[1], window[2], character];
            if index >= 2 {
                self.text.push('_');
                window.iter().for_each(|character| self.text.push(*character));
                self.end();
            }
        }
    }

    /// The distinct words, with a space after each.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }
}

/// Which ends of a name are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ends {
    /// The whole name.
    Both,
    /// Its beginning.
    Start,
    /// Something in it.
    Neither,
}

/// What a character is to the splitting of words.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    Lower,
    Upper,
    Digit,
    Other,
}

impl Class {
    pub(crate) fn of(character: char) -> Self {
        match character {
            'a'..='z' => Self::Lower,
            'A'..='Z' => Self::Upper,
            '0'..='9' => Self::Digit,
            _ if character.is_ascii() => Self::Other,
            _ if character.is_numeric() => Self::Digit,
            _ if character.is_uppercase() => Self::Upper,
            _ if character.is_alphabetic() => Self::Lower,
            _ => Self::Other,
        }
    }
}

/// Letters and digits of a name in lower case, as the index has them.
pub(crate) fn joined(name: &str) -> String {
    let mut collector = Collector::default();
    collector.joined(name);
    collector.text.truncate(collector.text.trim_end().len());
    collector.text
}

/// What is indexed for one asset.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct SearchText {
    /// All distinct words, with a space after each: first those that stand for this asset alone.
    pub(crate) text: Arc<str>,
    /// Where the words begin that other assets are likely to have too.
    common_from: usize,
}

/// Whether assets of a kind are found by search. Processes are found through what they connect.
pub(crate) fn is_searched(kind: Kind) -> bool {
    !matches!(kind, Kind::Process | Kind::ColumnProcess)
}

/// What the token of a kind begins with.
pub(crate) const KIND_TOKEN_START: &str = "^k";

/// The token that every asset of a kind has, and each asset one of.
pub(crate) fn kind_token(kind: Kind) -> String {
    format!("{KIND_TOKEN_START}{}", kind.code())
}

impl SearchText {
    /// The words of name, description and column names, the whole names of columns, the pieces of the name, and the kind.
    pub(crate) fn of(asset: &Asset, collector: &mut Collector) -> Self {
        if !is_searched(asset.kind) {
            return Self::default();
        }
        collector.clear();
        collector.add(&kind_token(asset.kind));
        collector.whole_name(&asset.name);
        collector.pieces(&asset.name, Ends::Both);
        let common_from = collector.text.len();
        collector.words(&asset.name);
        for text in descriptions(asset) {
            collector.words(cut(text));
        }
        if let Some(name) = technical_name(asset) {
            collector.joined(name);
            collector.words(name);
        }
        for column in asset.columns.iter() {
            collector.joined(column.name);
        }
        for column in asset.columns.iter() {
            collector.words(column.name);
        }
        Self { text: Arc::from(collector.text.as_str()), common_from }
    }

    /// The words of what people say of an asset of a kind.
    pub(crate) fn of_enrichment<'a>(kind: Kind, texts: impl IntoIterator<Item = &'a str>, collector: &mut Collector) -> Self {
        if !is_searched(kind) {
            return Self::default();
        }
        collector.clear();
        collector.add(&kind_token(kind));
        let common_from = collector.text.len();
        texts.into_iter().for_each(|text| collector.words(cut(text)));
        Self { text: Arc::from(collector.text.as_str()), common_from }
    }

    /// Words that may complete a prefix which is being typed: those without digits, which are mostly numbers of their asset.
    pub(crate) fn vocabulary(&self) -> impl Iterator<Item = &str> {
        let common = &self.text[self.common_from..];
        common.split_ascii_whitespace().filter(|word| !word.bytes().any(|byte| byte.is_ascii_digit()))
    }
}

/// The texts that say in prose what an asset is, the first one to be shown with it.
pub(crate) fn descriptions(asset: &Asset) -> impl Iterator<Item = &str> {
    let told = [Attribute::Description, Attribute::SmusAssetSummary, Attribute::ShortDescription, Attribute::LongDescription];
    let count = if is_told_in_many_ways(asset.kind) { told.len() } else { 1 };
    told.into_iter().take(count).filter_map(|attribute| asset.attributes.text(attribute))
}

/// The name in the source of an asset that has another one for people.
pub(crate) fn technical_name(asset: &Asset) -> Option<&str> {
    if asset.kind.is_smus_asset() { asset.attributes.text(Attribute::SmusAssetTechnicalName) } else { None }
}

/// Tables outnumber all else and have one description: their attributes are not searched for more.
fn is_told_in_many_ways(kind: Kind) -> bool {
    kind.is_smus_asset() || matches!(kind, Kind::SmusDataProduct | Kind::Glossary | Kind::GlossaryTerm)
}

/// The part of a description that is searched.
fn cut(text: &str) -> &str {
    if text.len() <= DESCRIPTION_CHARACTERS_MAX {
        return text;
    }
    text.char_indices().nth(DESCRIPTION_CHARACTERS_MAX).map_or(text, |(at, _)| &text[..at])
}

/// Hashes what is a hash already.
#[derive(Default)]
pub(crate) struct AsIs(u64);

impl std::hash::Hasher for AsIs {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = number;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn collected(fill: impl FnOnce(&mut Collector)) -> Vec<String> {
        let mut collector = Collector::default();
        fill(&mut collector);
        collector.text().split_ascii_whitespace().map(str::to_owned).collect()
    }

    fn split(text: &str) -> Vec<String> {
        collected(|collector| collector.words(text))
    }

    #[test]
    fn identifiers_split_at_snake_camel_and_digits() {
        assert_eq!(split("order_items_2024"), ["order", "items", "2024"]);
        assert_eq!(split("customerId HTTPServer v2Beta"), ["customer", "id", "http", "server", "v", "2", "beta"]);
        assert_eq!(split("Größe-日本 'x'"), ["größe", "日本", "x"]);
        assert_eq!(split("🧊!"), Vec::<String>::new());
        assert_eq!(split("a b A"), ["a", "b"]);
    }

    #[test]
    fn pieces_mark_the_ends_of_a_name_and_never_look_like_words() {
        assert_eq!(collected(|collector| collector.pieces("a-bC", Ends::Both)), ["_^a_", "_a_b", "__bc", "_bc$"]);
        assert_eq!(collected(|collector| collector.pieces("^$", Ends::Start)), ["_^__"]);
        assert_eq!(collected(|collector| collector.pieces("ab", Ends::Neither)), Vec::<String>::new());
    }

    #[test]
    fn spellings_of_one_name_join_to_one_word() {
        assert_eq!(joined("Order_ID"), joined("orderId"));
        assert_eq!(joined("🧊"), "");
    }
}
