//! What a crawl of SageMaker Unified Studio is asked to do.

use std::collections::BTreeSet;

use crate::glob::glob;

/// A kind of thing that can be left out with `--skip`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Section {
    /// Domain units.
    DomainUnits,
    /// Environments of projects: a project's role and place in Amazon S3.
    Environments,
    /// Published (and unpublished) assets with their columns.
    Assets,
    /// Subscriptions: subscribed assets, and how often published ones are subscribed to.
    Subscriptions,
    /// Data products.
    DataProducts,
    /// Glossaries, terms and assignments.
    Glossaries,
    /// Types of metadata forms.
    MetadataForms,
    /// Lineage.
    Lineage,
}

impl Section {
    /// Every section with its word.
    pub const ALL: &'static [(Section, &'static str)] = &[
        (Section::DomainUnits, "domain-units"),
        (Section::Environments, "environments"),
        (Section::Assets, "assets"),
        (Section::Subscriptions, "subscriptions"),
        (Section::DataProducts, "data-products"),
        (Section::Glossaries, "glossaries"),
        (Section::MetadataForms, "metadata-forms"),
        (Section::Lineage, "lineage"),
    ];

    /// The section of a word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.iter().find(|entry| entry.1 == word).map(|entry| entry.0)
    }
}

/// What is kept although the policy leaves it out by default (`--keep`).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Keep {
    /// Assets of the inventory that are not published.
    UnpublishedAssets,
    /// The values of customer-defined forms of one type.
    FormValues(String),
    /// The reasons that people gave with requests and decisions.
    RequestReasons,
    /// The names of requesters and approvers.
    PersonNames,
}

/// What comes before the form type in the word of [`Keep::FormValues`].
const FORM_VALUES: &str = "form-values=";

impl Keep {
    /// The words that there are, for messages.
    pub const WORDS: &'static [&'static str] =
        &["unpublished-assets", "form-values=<form type>", "request-reasons", "person-names"];

    /// The opt-in of a word.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "unpublished-assets" => Some(Self::UnpublishedAssets),
            "request-reasons" => Some(Self::RequestReasons),
            "person-names" => Some(Self::PersonNames),
            _ => word.strip_prefix(FORM_VALUES).filter(|name| !name.is_empty()).map(|name| Self::FormValues(name.to_owned())),
        }
    }
}

/// Which projects are read: by name or id, with `*` and `?`. An exclude wins over an include; no include means all.
#[derive(Clone, Debug, Default)]
pub struct ProjectFilter {
    /// Only these.
    pub include: Vec<String>,
    /// Not these.
    pub exclude: Vec<String>,
}

impl ProjectFilter {
    pub(crate) fn wants(&self, id: &str, name: &str) -> bool {
        let matches = |patterns: &[String]| patterns.iter().any(|pattern| glob(pattern, name) || glob(pattern, id));
        (self.include.is_empty() || matches(&self.include)) && !matches(&self.exclude)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.include.is_empty() && self.exclude.is_empty()
    }
}

/// What to crawl and how.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// What people call the connection.
    pub connection_name: String,
    /// Ids of domains to crawl. Empty means all that can be seen.
    pub domains: Vec<String>,
    /// Which projects.
    pub projects: ProjectFilter,
    /// What is left out.
    pub skip: BTreeSet<Section>,
    /// What is kept by choice.
    pub keep: BTreeSet<Keep>,
    /// How many pages may be asked for at once; at least 1.
    pub concurrency: usize,
    /// The ARN of the role or user that reads, where it is known: memberships are compared with it.
    pub identity_arn: Option<String>,
    /// When the crawl begins, milliseconds since 1970 UTC: no asset is younger.
    pub now_ms: i64,
}

impl Settings {
    pub(crate) fn reads(&self, section: Section) -> bool {
        !self.skip.contains(&section)
    }

    pub(crate) fn keeps(&self, what: &Keep) -> bool {
        self.keep.contains(what)
    }

    /// Whether the values of customer-defined forms of a type are kept.
    pub(crate) fn keeps_values_of(&self, form_type: &str) -> bool {
        self.keep.iter().any(|keep| matches!(keep, Keep::FormValues(name) if name == form_type))
    }

    /// The ARN of the role that a session is of, or of the user: the form that profiles are found by.
    pub(crate) fn profile_arn(&self) -> Option<String> {
        let arn = self.identity_arn.as_deref()?;
        let Some((before, after)) = arn.split_once(":assumed-role/") else { return Some(arn.to_owned()) };
        let role = after.split('/').next()?;
        Some(format!("{}:role/{role}", before.replacen(":sts:", ":iam:", 1)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_name_sections_and_opt_ins() {
        for (section, word) in Section::ALL {
            assert_eq!(Section::parse(word), Some(*section));
        }
        assert_eq!(Keep::parse("form-values=DataOwner"), Some(Keep::FormValues("DataOwner".into())));
        for word in ["form-values=", "form-values", "view-sql", ""] {
            assert_eq!(Keep::parse(word), None, "{word}");
        }
    }

    #[test]
    fn projects_are_chosen_by_name_or_id_and_exclude_wins() {
        let filter = ProjectFilter { include: vec!["Sales*".into(), "prj7".into()], exclude: vec!["*Test".into()] };
        assert!(filter.wants("prj1", "sales eu") && filter.wants("prj7", "x"));
        assert!(!filter.wants("prj1", "Sales Test") && !filter.wants("prj2", "Finance"));
    }

    #[test]
    fn a_sessions_profile_is_that_of_its_role() {
        let of = |arn: &str| Settings { identity_arn: Some(arn.into()), ..Settings::default() }.profile_arn().unwrap();
        assert_eq!(of("arn:aws:sts::1:assumed-role/reader/isinglass"), "arn:aws:iam::1:role/reader");
        assert_eq!(of("arn:aws:iam::1:user/ann"), "arn:aws:iam::1:user/ann");
    }
}
