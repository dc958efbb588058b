//! The order of search results: the same in every database, since it looks at nothing but the assets.

use model::{Asset, Kind};

use crate::search_text::{Collector, descriptions, joined, technical_name};

/// Why an asset was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Matched {
    /// Its name.
    Name,
    /// A column: its path below the table, encoded.
    Column(String),
    /// Its description.
    Description,
    /// What people said of it, or of one of its columns.
    Enrichment,
    /// Several of them together; or nothing was asked for but what search is narrowed to.
    Words,
}

/// The place in the order: lower is better.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Rank {
    tier: u8,
    kind: u8,
    length: usize,
}

/// A query, prepared for comparing with many assets.
pub(crate) struct Question {
    pub(super) whole: String,
    pub(super) joined: String,
    pub(super) words: Vec<String>,
}

const EXACT_NAME: u8 = 0;
const SAME_LETTERS: u8 = 1;
const NAME_PREFIX: u8 = 2;
const NAME_WORDS: u8 = 3;
const NAME_PART: u8 = 4;
const EXACT_COLUMN: u8 = 5;
const COLUMN_WORDS: u8 = 6;
const DESCRIPTION: u8 = 7;
const WORDS: u8 = 8;

impl Question {
    pub(crate) fn new(text: &str) -> Self {
        Self { whole: text.trim().to_lowercase(), joined: joined(text), words: words_of(text) }
    }

    /// How well an asset answers, and by what; `said` is what people said of it, where it was found by that.
    pub(crate) fn rank(&self, asset: &Asset, said: Option<&str>) -> (Rank, Matched) {
        let (tier, matched) = match (self.tier(asset), said) {
            ((WORDS, _), Some(said)) if self.words_in(said) => (DESCRIPTION, Matched::Enrichment),
            ((WORDS, _), Some(_)) => (WORDS, Matched::Enrichment),
            (found, _) => found,
        };
        (Rank { tier, kind: weight(asset.kind), length: asset.name.chars().count() }, matched)
    }

    fn tier(&self, asset: &Asset) -> (u8, Matched) {
        if self.whole.is_empty() {
            return (WORDS, Matched::Words);
        }
        let name = asset.name.to_lowercase();
        if name == self.whole {
            return (EXACT_NAME, Matched::Name);
        }
        if !self.joined.is_empty() && joined(&asset.name) == self.joined {
            return (SAME_LETTERS, Matched::Name);
        }
        let technical = technical_name(asset);
        if technical.is_some_and(|name| !self.joined.is_empty() && joined(name) == self.joined) {
            return (SAME_LETTERS, Matched::Name);
        }
        if name.starts_with(&self.whole) {
            return (NAME_PREFIX, Matched::Name);
        }
        if self.words_in(&asset.name) {
            return (NAME_WORDS, Matched::Name);
        }
        if name.contains(&self.whole) || technical.is_some_and(|name| self.words_in(name)) {
            return (NAME_PART, Matched::Name);
        }
        self.column_tier(asset)
    }

    fn column_tier(&self, asset: &Asset) -> (u8, Matched) {
        let (mut by_words, mut collector) = (None, Collector::default());
        for column in asset.columns.iter() {
            if !self.joined.is_empty() && is_joined(column.name, &self.joined, &mut collector) {
                return (EXACT_COLUMN, Matched::Column(column.path.to_owned()));
            }
            if by_words.is_none() && self.words_among(column.name, &mut collector) {
                by_words = Some(column.path);
            }
        }
        if let Some(path) = by_words {
            return (COLUMN_WORDS, Matched::Column(path.to_owned()));
        }
        if descriptions(asset).any(|text| self.words_among(text, &mut collector)) {
            (DESCRIPTION, Matched::Description)
        } else {
            (WORDS, Matched::Words)
        }
    }

    /// Whether all words are in the text; the last one may be the beginning of a word there.
    fn words_in(&self, text: &str) -> bool {
        self.words_among(text, &mut Collector::default())
    }

    /// As [`Question::words_in`], with a collector that is used again for the many texts of an asset.
    fn words_among(&self, text: &str, collector: &mut Collector) -> bool {
        let Some((last, others)) = self.words.split_last() else { return false };
        collector.clear();
        collector.words(text);
        let words = collector.text().split_ascii_whitespace();
        words.clone().any(|word| word.starts_with(last.as_str()))
            && others.iter().all(|word| words.clone().any(|found| found == word))
    }
}

/// Whether the letters and digits of a name are these.
fn is_joined(name: &str, joined: &str, collector: &mut Collector) -> bool {
    collector.clear();
    collector.joined(name);
    collector.text().trim_end() == joined
}

fn words_of(text: &str) -> Vec<String> {
    let mut collector = Collector::default();
    collector.words(text);
    collector.text().split_ascii_whitespace().map(str::to_owned).collect()
}

/// What people look for most comes first among equals.
fn weight(kind: Kind) -> u8 {
    match kind {
        Kind::Table | Kind::View | Kind::SmusPublishedAsset => 0,
        Kind::Schema | Kind::SmusDataProduct | Kind::SmusProject => 1,
        Kind::Database | Kind::SmusDomain | Kind::GlossaryTerm => 2,
        Kind::GlueJob | Kind::SmusSubscribedAsset | Kind::SmusInventoryAsset => 3,
        Kind::Connection
        | Kind::Column
        | Kind::GlueWorkflow
        | Kind::GlueTrigger
        | Kind::GlueCrawler
        | Kind::GlueConnection
        | Kind::Process
        | Kind::ColumnProcess
        | Kind::S3Object
        | Kind::SmusDomainUnit
        | Kind::SmusAssetSchema
        | Kind::Glossary
        | Kind::Dataset => 4,
    }
}
