//! Asking a catalog: opening it, and finding what a user means by a name.

use model::QualifiedName;
use store::{Candidate, Found, RunRef, Store, Subject};

use crate::arguments::CatalogArguments;
use crate::crawl::destination::catalog_url;
use crate::failure::Failure;

/// Opens the catalog that a question is for.
pub(crate) async fn open(arguments: &CatalogArguments) -> Result<Store, Failure> {
    Ok(Store::open_existing(&catalog_url(arguments.catalog.as_deref())?).await?)
}

/// What a typed name stands for; where it could be several things, the error lists them.
pub(crate) async fn find(store: &Store, typed: &str) -> Result<Subject, Failure> {
    match store.find(typed).await? {
        Found::One(subject) => Ok(*subject),
        Found::Candidates(candidates) if candidates.is_empty() => {
            Err(Failure::failed(format!("the catalog has nothing named \"{typed}\""), format!("Try `isinglass search {typed}`.")))
        }
        Found::Candidates(candidates) => {
            let listed: Vec<_> = candidates.iter().map(describe).collect();
            Err(Failure::failed(
                format!("\"{typed}\" could be:\n{}", listed.join("\n")),
                "Give more of the name: database/table, or the whole of it.",
            ))
        }
    }
}

fn describe(candidate: &Candidate) -> String {
    format!("    {} {}", candidate.kind, candidate.qualified_name)
}

/// The run that a user means: a number or `latest`.
pub(crate) fn run_ref(text: &str) -> Result<RunRef, Failure> {
    if text == "latest" {
        return Ok(RunRef::Latest);
    }
    text.parse()
        .map(|number| RunRef::Id(model::RunId(number)))
        .map_err(|_| Failure::usage(format!("\"{text}\" is no run: give a number or `latest`")))
}

/// A qualified name without its connection: what people read.
pub(crate) fn short(name: &QualifiedName) -> &str {
    let connection = model::name::connection_of(name.as_str()).unwrap_or_default();
    match name.as_str().strip_prefix(connection) {
        Some(rest) if !connection.is_empty() && !rest.is_empty() => rest.trim_start_matches('/'),
        _ => name.as_str(),
    }
}
