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
        skip: smus_sections(&arguments.skip)?,
        keep: arguments.keep.iter().map(keep).collect::<Result<_, _>>()?,
        concurrency,
        identity_arn: None,
        now_ms,
    })
}

/// The operations that a crawl of SageMaker Unified Studio may call. STS comes first: it assumes the role, or says who the keys are, so
/// that memberships can be compared.
pub(crate) fn smus_operations(settings: &smus::Settings, has_role: bool) -> Vec<ReadOperation> {
    let sign_in = if has_role { ReadOperation::AssumeRole } else { ReadOperation::GetCallerIdentity };
    std::iter::once(sign_in).chain(smus::operations(&settings.skip)).collect()
}

/// The sections of SageMaker Unified Studio that words name.
pub(crate) fn smus_sections(words: &[String]) -> Result<std::collections::BTreeSet<smus::Section>, Failure> {
    parse_words(words, "--skip", smus::Section::parse, smus::Section::ALL)
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
