//! The command line to what the connector and the gate need to know.

use connector::glue::{Filter, Keep, Section, Settings};
use connector::port::{ReadOperation, Service};
use connector::smus;

use crate::arguments::{GlueArguments, SmusArguments};
use crate::failure::Failure;

/// What to crawl. Unknown words and malformed patterns are usage errors that list what there is.
pub(crate) fn glue_settings(arguments: &GlueArguments, connection: &str, concurrency: usize) -> Result<Settings, Failure> {
    let filter = Filter::parse(&arguments.include, &arguments.exclude, arguments.exclude_table.as_deref());
    let filter = filter.map_err(|error| Failure { causes: source_of(&error), ..Failure::usage(&error) })?;
    Ok(Settings {
        connection_name: connection.to_owned(),
        catalog_ids: arguments.catalog_id.clone(),
        filter,
        skip: parse_words(&arguments.skip, "--skip", Section::parse, Section::ALL)?,
        keep: parse_words(&arguments.keep, "--keep", Keep::parse, Keep::ALL)?,
        concurrency,
    })
}

/// The sections that words name.
pub(crate) fn sections(words: &[String]) -> Result<std::collections::BTreeSet<Section>, Failure> {
    parse_words(words, "--skip", Section::parse, Section::ALL)
}

fn source_of(error: &dyn std::error::Error) -> Vec<String> {
    error.source().map(ToString::to_string).into_iter().collect()
}

fn parse_words<T: Ord>(
    words: &[String],
    flag: &str,
    parse: impl Fn(&str) -> Option<T>,
    all: &[(T, &'static str)],
) -> Result<std::collections::BTreeSet<T>, Failure> {
    let known = || all.iter().map(|entry| entry.1).collect::<Vec<_>>().join(", ");
    let word =
        |word: &String| parse(word).ok_or_else(|| Failure::usage(format!("{flag} does not know \"{word}\"; it takes {}", known())));
    words.iter().map(word).collect()
}

/// What to crawl of SageMaker Unified Studio.
pub(crate) fn smus_settings(
    arguments: &SmusArguments,
    connection: &str,
    concurrency: usize,
    now_ms: i64,
) -> Result<smus::Settings, Failure> {
    let malformed = arguments.domain.iter().find(|id| !is_domain_id(id));
    if let Some(id) = malformed {
        return Err(Failure::usage(format!(
            "--domain \"{id}\" is no id of a domain; ids begin with dzd_ or dzd- (`isinglass preflight smus` lists domains)"
        )));
    }
    let empty = arguments.include_project.iter().chain(&arguments.exclude_project).any(|pattern| pattern.trim().is_empty());
    if empty {
        return Err(Failure::usage("--include-project and --exclude-project take the name or id of a project, with * and ?"));
    }
    let keep = |word: &String| {
        let known = smus::Keep::WORDS.join(", ");
        smus::Keep::parse(word).ok_or_else(|| Failure::usage(format!("--keep does not know \"{word}\"; it takes {known}")))
    };
    Ok(smus::Settings {
        connection_name: connection.to_owned(),
        domains: arguments.domain.clone(),
        projects: smus::ProjectFilter { include: arguments.include_project.clone(), exclude: arguments.exclude_project.clone() },
        skip: parse_words(&arguments.skip, "--skip", smus::Section::parse, smus::Section::ALL)?,
        keep: arguments.keep.iter().map(keep).collect::<Result<_, _>>()?,
        concurrency,
        identity_arn: None,
        now_ms,
    })
}

/// Domain ids are `dzd`, a hyphen or underscore, and up to 36 letters, digits, hyphens and underscores (Amazon DataZone API, `DomainId`).
fn is_domain_id(id: &str) -> bool {
    let rest = id.strip_prefix("dzd").and_then(|rest| rest.strip_prefix(['-', '_']));
    rest.is_some_and(|rest| {
        (1..=36).contains(&rest.len()) && rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    })
}

/// The operations that a crawl of SageMaker Unified Studio may call. STS comes first: it assumes the role, or says who the keys are, so
/// that memberships can be compared.
pub(crate) fn smus_operations(settings: &smus::Settings, has_role: bool) -> Vec<ReadOperation> {
    use smus::Section;
    let reads = |section: Section| !settings.skip.contains(&section);
    #[expect(clippy::wildcard_enum_match_arm, reason = "the operations of other services are none of this crawl's")]
    let wanted = |operation: ReadOperation| match operation {
        ReadOperation::AssumeRole => has_role,
        ReadOperation::GetCallerIdentity => !has_role,
        ReadOperation::ListDomains
        | ReadOperation::GetDomain
        | ReadOperation::ListProjects
        | ReadOperation::GetProject
        | ReadOperation::ListProjectProfiles
        | ReadOperation::ListProjectMemberships
        | ReadOperation::GetUserProfile => true,
        ReadOperation::ListDomainUnitsForParent | ReadOperation::GetDomainUnit => reads(Section::DomainUnits),
        ReadOperation::ListEnvironments | ReadOperation::GetEnvironment => reads(Section::Environments),
        ReadOperation::Search => reads(Section::Assets) || reads(Section::Glossaries) || reads(Section::DataProducts),
        ReadOperation::SearchListings | ReadOperation::GetListing => reads(Section::Assets) || reads(Section::DataProducts),
        ReadOperation::GetAsset => reads(Section::Assets),
        ReadOperation::GetDataProduct => reads(Section::DataProducts),
        ReadOperation::SearchTypes => reads(Section::MetadataForms),
        ReadOperation::ListSubscriptions
        | ReadOperation::GetSubscription
        | ReadOperation::ListSubscriptionRequests
        | ReadOperation::ListAssetFilters => reads(Section::Subscriptions),
        ReadOperation::QueryGraph
        | ReadOperation::GetLineageNode
        | ReadOperation::ListLineageEvents
        | ReadOperation::GetLineageEvent => reads(Section::Lineage),
        _ => false,
    };
    let services = [Service::Sts, Service::DataZone];
    services.into_iter().flat_map(ReadOperation::of).filter(|operation| wanted(*operation)).collect()
}

/// The operations that a crawl with these settings may call: the session policy, the gate and the egress list follow from them.
pub(crate) fn operations(settings: &Settings, has_role: bool) -> Vec<ReadOperation> {
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
