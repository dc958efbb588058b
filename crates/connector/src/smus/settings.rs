//! What a crawl of SageMaker Unified Studio is asked to do.

use std::collections::BTreeSet;

use crate::glob::glob;
use crate::port::{ReadOperation, Service};

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

    /// The sections that an operation is called for; none for one that every crawl needs.
    #[expect(clippy::wildcard_enum_match_arm, reason = "what no section needs is needed by all, or is of another service")]
    const fn needing(operation: ReadOperation) -> &'static [Self] {
        match operation {
            ReadOperation::ListDomainUnitsForParent | ReadOperation::GetDomainUnit => &[Self::DomainUnits],
            ReadOperation::ListEnvironments | ReadOperation::GetEnvironment => &[Self::Environments],
            ReadOperation::Search => &[Self::Assets, Self::Glossaries, Self::DataProducts],
            ReadOperation::SearchListings | ReadOperation::GetListing => &[Self::Assets, Self::DataProducts],
            ReadOperation::GetAsset => &[Self::Assets],
            ReadOperation::GetDataProduct => &[Self::DataProducts],
            ReadOperation::SearchTypes => &[Self::MetadataForms],
            ReadOperation::ListSubscriptions
            | ReadOperation::GetSubscription
            | ReadOperation::ListSubscriptionRequests
            | ReadOperation::ListAssetFilters => &[Self::Subscriptions],
            ReadOperation::QueryGraph
            | ReadOperation::GetLineageNode
            | ReadOperation::ListLineageEvents
            | ReadOperation::GetLineageEvent => &[Self::Lineage],
            _ => &[],
        }
    }
}

/// The reads of Amazon DataZone that a crawl without these sections may make: the gate, the session policy and the policies for printing
/// follow from them.
#[must_use]
pub fn operations(skip: &BTreeSet<Section>) -> Vec<ReadOperation> {
    let is_needed = |operation: &ReadOperation| {
        let sections = Section::needing(*operation);
        sections.is_empty() || sections.iter().any(|section| !skip.contains(section))
    };
    ReadOperation::of(Service::DataZone).filter(is_needed).collect()
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
    fn a_read_is_left_out_only_if_no_section_that_is_left_needs_it() {
        let without = |sections: &[Section]| operations(&sections.iter().copied().collect());
        assert_eq!(without(&[]), ReadOperation::of(Service::DataZone).collect::<Vec<_>>());
        let some = without(&[Section::Assets, Section::Lineage]);
        assert!(!some.contains(&ReadOperation::GetAsset) && !some.contains(&ReadOperation::QueryGraph));
        assert!(some.contains(&ReadOperation::Search) && some.contains(&ReadOperation::ListAssetFilters));
        let few = without(&Section::ALL.iter().map(|entry| entry.0).collect::<Vec<_>>());
        assert!(few.contains(&ReadOperation::ListProjects) && !few.contains(&ReadOperation::Search), "{few:?}");
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
