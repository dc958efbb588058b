//! What a Glue crawl is asked to do.

use std::collections::BTreeSet;

use super::filter::Filter;

/// A kind of thing that can be left out with `--skip`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Section {
    /// Jobs and their lineage.
    Jobs,
    /// Workflows.
    Workflows,
    /// Triggers.
    Triggers,
    /// Crawlers.
    Crawlers,
    /// Glue connections.
    Connections,
    /// Lineage of every kind.
    Lineage,
    /// Tables, views and columns: databases only.
    Tables,
}

impl Section {
    /// Every section with its word.
    pub const ALL: &'static [(Section, &'static str)] = &[
        (Section::Jobs, "jobs"),
        (Section::Workflows, "workflows"),
        (Section::Triggers, "triggers"),
        (Section::Crawlers, "crawlers"),
        (Section::Connections, "connections"),
        (Section::Lineage, "lineage"),
        (Section::Tables, "tables"),
    ];

    /// The section of a word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.iter().find(|entry| entry.1 == word).map(|entry| entry.0)
    }
}

/// What is kept although the policy leaves it out by default (`--keep`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Keep {
    /// View definitions with their literals.
    ViewSql,
    /// User names and e-mail addresses.
    PersonNames,
}

impl Keep {
    /// Every opt-in of this connector with its word.
    pub const ALL: &'static [(Keep, &'static str)] = &[(Keep::ViewSql, "view-sql"), (Keep::PersonNames, "person-names")];

    /// The opt-in of a word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.iter().find(|entry| entry.1 == word).map(|entry| entry.0)
    }
}

/// What to crawl and how.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// What people call the connection.
    pub connection_name: String,
    /// Catalogs to crawl: `AwsDataCatalog` or catalog ids. Empty means all that can be seen.
    pub catalog_ids: Vec<String>,
    /// Which databases and tables.
    pub filter: Filter,
    /// What is left out.
    pub skip: BTreeSet<Section>,
    /// What is kept by choice.
    pub keep: BTreeSet<Keep>,
    /// How many pages may be asked for at once; at least 1.
    pub concurrency: usize,
}

impl Settings {
    pub(crate) fn reads(&self, section: Section) -> bool {
        !self.skip.contains(&section)
    }

    pub(crate) fn keeps(&self, what: Keep) -> bool {
        self.keep.contains(&what)
    }
}
