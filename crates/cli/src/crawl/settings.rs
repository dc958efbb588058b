//! The command line to what a crawl is asked to do, and what is wrong with it in the words of the command line.

use crawl::spec::{Field, Occasion};
use crawl::{CrawlSettings, CrawlSpec, GlueSpec, SmusSpec, SpecError};

use crate::arguments::{ConnectArguments, GlueArguments, SmusArguments};
use crate::clock::now_ms;
use crate::failure::Failure;

/// What to crawl of Glue.
pub(crate) fn glue_spec(arguments: &GlueArguments) -> CrawlSpec {
    CrawlSpec::Glue(GlueSpec {
        catalog_ids: arguments.catalog_id.clone(),
        include: arguments.include.clone(),
        exclude: arguments.exclude.clone(),
        exclude_table: arguments.exclude_table.clone(),
        skip: arguments.skip.clone(),
        keep: arguments.keep.clone(),
    })
}

/// What to crawl of SageMaker Unified Studio.
pub(crate) fn smus_spec(arguments: &SmusArguments) -> CrawlSpec {
    CrawlSpec::Smus(SmusSpec {
        domains: arguments.domain.clone(),
        include_projects: arguments.include_project.clone(),
        exclude_projects: arguments.exclude_project.clone(),
        skip: arguments.skip.clone(),
        keep: arguments.keep.clone(),
    })
}

/// What the connector is to do. Unknown words and malformed patterns are usage errors that list what there is.
pub(crate) fn settings(spec: &CrawlSpec, connection: &str, connect: &ConnectArguments) -> Result<CrawlSettings, Failure> {
    let occasion = Occasion { connection, concurrency: connect.concurrency, now_ms: now_ms() };
    spec.settings(&occasion).map_err(|error| usage(&error))
}

/// A spec that cannot be used, with the flags for its fields.
pub(crate) fn usage(error: &SpecError) -> Failure {
    let mut failure = Failure::usage_error(error);
    failure.told.message = error.naming(flag);
    failure
}

/// The flag that a field of a spec is given with.
const fn flag(field: Field) -> &'static str {
    match field {
        Field::CatalogIds => "--catalog-id",
        Field::Include => "--include",
        Field::Exclude => "--exclude",
        Field::ExcludeTable => "--exclude-table",
        Field::Skip => "--skip",
        Field::Keep => "--keep",
        Field::Domains => "--domain",
        Field::IncludeProjects => "--include-project",
        Field::ExcludeProjects => "--exclude-project",
    }
}
