//! What to crawl, in words that a form, a file or a command line has, and what the connectors make of them.

mod error;

use std::collections::BTreeSet;
use std::num::NonZeroUsize;

use connector::glue::{self, Filter, FilterError, Pattern};
use connector::port::{ReadOperation, Service};
use connector::smus;
use serde::{Deserialize, Serialize};

pub use error::{Field, SpecError};

/// The most entries of one list of a spec that comes from outside.
const ENTRIES_MAX: usize = 1_000;

/// The most bytes of one text of a spec that comes from outside.
const TEXT_BYTES_MAX: usize = 2_048;

/// The most characters after the prefix of a domain's id (Amazon DataZone API reference, `DomainId`).
const DOMAIN_ID_CHARACTERS_MAX: usize = 36;

/// What reads a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Connector {
    /// The AWS Glue Data Catalog.
    #[serde(rename = "glue")]
    Glue,
    /// Amazon SageMaker Unified Studio.
    #[serde(rename = "aws-smus")]
    Smus,
}

impl Connector {
    /// Every connector.
    pub const ALL: &'static [Self] = &[Self::Glue, Self::Smus];

    /// The short name in qualified names and in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Glue => glue::CONNECTOR,
            Self::Smus => smus::CONNECTOR,
        }
    }

    /// The connector of a short name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|connector| connector.name() == name)
    }
}

/// What to crawl of the Glue Data Catalog. Empty means everything that can be seen.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct GlueSpec {
    /// Catalogs: `AwsDataCatalog` or catalog ids.
    pub catalog_ids: Vec<String>,
    /// Only what matches: `catalog/database[/table]`, with `*` and `?`.
    pub include: Vec<String>,
    /// Not what matches; wins over `include`.
    pub exclude: Vec<String>,
    /// Not the tables whose name has a match of this regular expression.
    pub exclude_table: Option<String>,
    /// Kinds to leave out, by the words of [`glue::Section`].
    pub skip: Vec<String>,
    /// What to keep that is left out by default, by the words of [`glue::Keep`].
    pub keep: Vec<String>,
}

/// What to crawl of SageMaker Unified Studio. Empty means everything that can be seen.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct SmusSpec {
    /// Domains, by id.
    pub domains: Vec<String>,
    /// Only projects whose name or id matches, with `*` and `?`.
    pub include_projects: Vec<String>,
    /// Not projects whose name or id matches; wins over `include_projects`.
    pub exclude_projects: Vec<String>,
    /// Kinds to leave out, by the words of [`smus::Section`].
    pub skip: Vec<String>,
    /// What to keep that is left out by default, by the words of [`smus::Keep`].
    pub keep: Vec<String>,
}

/// What to crawl: `{"connector": "glue", "include": […]}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "connector")]
pub enum CrawlSpec {
    /// The AWS Glue Data Catalog.
    #[serde(rename = "glue")]
    Glue(GlueSpec),
    /// Amazon SageMaker Unified Studio.
    #[serde(rename = "aws-smus")]
    Smus(SmusSpec),
}

/// What to crawl, checked, as the connectors take it.
#[derive(Clone, Debug)]
pub enum CrawlSettings {
    /// The AWS Glue Data Catalog.
    Glue(glue::Settings),
    /// Amazon SageMaker Unified Studio.
    Smus(smus::Settings),
}

/// What a crawl is told besides its spec.
#[derive(Clone, Copy, Debug)]
pub struct Occasion<'a> {
    /// What people call the connection.
    pub connection: &'a str,
    /// The most pages that are asked for at once.
    pub concurrency: NonZeroUsize,
    /// When the crawl begins, milliseconds since 1970 UTC.
    pub now_ms: i64,
}

impl CrawlSpec {
    /// The spec of a connector from JSON that comes from outside, where the connector is known otherwise. It is checked as by
    /// [`CrawlSpec::validate`].
    ///
    /// # Errors
    /// When the JSON has another form, or as [`CrawlSpec::validate`].
    pub fn parse(connector: Connector, settings: serde_json::Value) -> Result<Self, SpecError> {
        let malformed = |error: serde_json::Error| SpecError::Malformed { reason: error.to_string() };
        let spec = match connector {
            Connector::Glue => Self::Glue(serde_json::from_value(settings).map_err(malformed)?),
            Connector::Smus => Self::Smus(serde_json::from_value(settings).map_err(malformed)?),
        };
        spec.validate()?;
        Ok(spec)
    }

    /// Which connector it is for.
    #[must_use]
    pub const fn connector(&self) -> Connector {
        match self {
            Self::Glue(_) => Connector::Glue,
            Self::Smus(_) => Connector::Smus,
        }
    }

    /// Checks a spec that comes from outside: its size, and all that [`CrawlSpec::settings`] checks.
    ///
    /// # Errors
    /// When a list or a text is too long, or as [`CrawlSpec::settings`].
    pub fn validate(&self) -> Result<(), SpecError> {
        for (field, texts) in self.lists() {
            if texts.len() > ENTRIES_MAX {
                return Err(SpecError::TooMany { field, most: ENTRIES_MAX });
            }
            if texts.iter().any(|text| text.len() > TEXT_BYTES_MAX) {
                return Err(SpecError::TooLong { field, most: TEXT_BYTES_MAX });
            }
        }
        self.settings(&Occasion { connection: "", concurrency: NonZeroUsize::MIN, now_ms: 0 }).map(|_| ())
    }

    /// What the connector is to do.
    ///
    /// # Errors
    /// When a word is unknown or a pattern malformed. The error names the field and lists what there is.
    pub fn settings(&self, occasion: &Occasion<'_>) -> Result<CrawlSettings, SpecError> {
        match self {
            Self::Glue(spec) => spec.settings(occasion).map(CrawlSettings::Glue),
            Self::Smus(spec) => spec.settings(occasion).map(CrawlSettings::Smus),
        }
    }

    fn lists(&self) -> Vec<(Field, &[String])> {
        match self {
            Self::Glue(spec) => vec![
                (Field::CatalogIds, &spec.catalog_ids),
                (Field::Include, &spec.include),
                (Field::Exclude, &spec.exclude),
                (Field::ExcludeTable, spec.exclude_table.as_slice()),
                (Field::Skip, &spec.skip),
                (Field::Keep, &spec.keep),
            ],
            Self::Smus(spec) => vec![
                (Field::Domains, &spec.domains),
                (Field::IncludeProjects, &spec.include_projects),
                (Field::ExcludeProjects, &spec.exclude_projects),
                (Field::Skip, &spec.skip),
                (Field::Keep, &spec.keep),
            ],
        }
    }
}

impl GlueSpec {
    /// What the connector is to do.
    ///
    /// # Errors
    /// See [`CrawlSpec::settings`].
    pub fn settings(&self, occasion: &Occasion<'_>) -> Result<glue::Settings, SpecError> {
        let filter = Filter::parse(&self.include, &self.exclude, self.exclude_table.as_deref());
        Ok(glue::Settings {
            connection_name: occasion.connection.to_owned(),
            catalog_ids: self.catalog_ids.clone(),
            filter: filter.map_err(|source| SpecError::Filter { field: self.field_of(&source), source })?,
            skip: glue_sections(&self.skip)?,
            keep: parse_words(&self.keep, Field::Keep, glue::Keep::parse, glue::Keep::ALL)?,
            concurrency: occasion.concurrency.get(),
        })
    }

    fn field_of(&self, error: &FilterError) -> Field {
        match error {
            FilterError::Regex { .. } => Field::ExcludeTable,
            FilterError::Shape { .. } if self.include.iter().any(|pattern| Pattern::parse(pattern).is_err()) => Field::Include,
            FilterError::Shape { .. } => Field::Exclude,
        }
    }
}

impl SmusSpec {
    /// What the connector is to do. Who reads is not known before sign-in, and is not in the settings.
    ///
    /// # Errors
    /// See [`CrawlSpec::settings`].
    pub fn settings(&self, occasion: &Occasion<'_>) -> Result<smus::Settings, SpecError> {
        let is_empty = |patterns: &[String]| patterns.iter().any(|pattern| pattern.trim().is_empty());
        for (field, patterns) in
            [(Field::IncludeProjects, &self.include_projects), (Field::ExcludeProjects, &self.exclude_projects)]
        {
            if is_empty(patterns) {
                return Err(SpecError::EmptyProject { field });
            }
        }
        if let Some(id) = self.domains.iter().find(|id| !is_domain_id(id)) {
            return Err(SpecError::Domain { id: id.clone() });
        }
        let keep = |word: &String| {
            let known = smus::Keep::WORDS.join(", ");
            smus::Keep::parse(word).ok_or_else(|| SpecError::Word { field: Field::Keep, word: word.clone(), known })
        };
        Ok(smus::Settings {
            connection_name: occasion.connection.to_owned(),
            domains: self.domains.clone(),
            projects: smus::ProjectFilter { include: self.include_projects.clone(), exclude: self.exclude_projects.clone() },
            skip: smus_sections(&self.skip)?,
            keep: self.keep.iter().map(keep).collect::<Result<_, _>>()?,
            concurrency: occasion.concurrency.get(),
            identity_arn: None,
            now_ms: occasion.now_ms,
        })
    }
}

impl CrawlSettings {
    /// Which connector they are for.
    #[must_use]
    pub const fn connector(&self) -> Connector {
        match self {
            Self::Glue(_) => Connector::Glue,
            Self::Smus(_) => Connector::Smus,
        }
    }

    /// What people call the connection.
    #[must_use]
    pub fn connection_name(&self) -> &str {
        match self {
            Self::Glue(settings) => &settings.connection_name,
            Self::Smus(settings) => &settings.connection_name,
        }
    }

    /// The operations that a crawl with these settings may call: the session policy, the gate and the egress list follow from them.
    #[must_use]
    pub fn operations(&self, has_role: bool) -> Vec<ReadOperation> {
        match self {
            Self::Glue(settings) => glue_operations(settings, has_role),
            Self::Smus(settings) => smus_operations(settings, has_role),
        }
    }
}

/// The sections of Glue that words name.
///
/// # Errors
/// When a word is unknown.
pub fn glue_sections(words: &[String]) -> Result<BTreeSet<glue::Section>, SpecError> {
    parse_words(words, Field::Skip, glue::Section::parse, glue::Section::ALL)
}

/// The sections of SageMaker Unified Studio that words name.
///
/// # Errors
/// When a word is unknown.
pub fn smus_sections(words: &[String]) -> Result<BTreeSet<smus::Section>, SpecError> {
    parse_words(words, Field::Skip, smus::Section::parse, smus::Section::ALL)
}

/// Whether a text is a domain's id as Amazon DataZone makes them (API reference, `DomainId`). An id with a wildcard would widen a policy
/// without a word.
#[must_use]
pub fn is_domain_id(text: &str) -> bool {
    let rest = text.strip_prefix("dzd_").or_else(|| text.strip_prefix("dzd-")).unwrap_or_default();
    (1..=DOMAIN_ID_CHARACTERS_MAX).contains(&rest.len())
        && rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
}

fn parse_words<T: Ord>(
    words: &[String],
    field: Field,
    parse: impl Fn(&str) -> Option<T>,
    all: &[(T, &'static str)],
) -> Result<BTreeSet<T>, SpecError> {
    let known = || all.iter().map(|entry| entry.1).collect::<Vec<_>>().join(", ");
    let word = |word: &String| parse(word).ok_or_else(|| SpecError::Word { field, word: word.clone(), known: known() });
    words.iter().map(word).collect()
}

fn glue_operations(settings: &glue::Settings, has_role: bool) -> Vec<ReadOperation> {
    use glue::Section;
    #[expect(clippy::wildcard_enum_match_arm, reason = "the operations of other services are none of this crawl's")]
    let wanted = |operation: ReadOperation| match operation {
        ReadOperation::AssumeRole => has_role,
        ReadOperation::GetCallerIdentity => false,
        ReadOperation::GetTables | ReadOperation::GetTable => !settings.skip.contains(&Section::Tables),
        ReadOperation::GetJobs => !settings.skip.contains(&Section::Jobs),
        ReadOperation::ListWorkflows | ReadOperation::BatchGetWorkflows => !settings.skip.contains(&Section::Workflows),
        ReadOperation::GetTriggers => !settings.skip.contains(&Section::Triggers),
        ReadOperation::GetCrawlers => !settings.skip.contains(&Section::Crawlers),
        ReadOperation::GetConnections => !settings.skip.contains(&Section::Connections),
        ReadOperation::GetCatalogs | ReadOperation::GetCatalog | ReadOperation::GetDatabases | ReadOperation::GetDatabase => true,
        _ => false,
    };
    let services = [Service::Sts, Service::Glue];
    services.into_iter().flat_map(ReadOperation::of).filter(|operation| wanted(*operation)).collect()
}

/// STS comes first: it assumes the role, or says who the keys are, so that memberships can be compared.
fn smus_operations(settings: &smus::Settings, has_role: bool) -> Vec<ReadOperation> {
    let sign_in = if has_role { ReadOperation::AssumeRole } else { ReadOperation::GetCallerIdentity };
    std::iter::once(sign_in).chain(smus::operations(&settings.skip)).collect()
}

#[cfg(test)]
mod tests;
