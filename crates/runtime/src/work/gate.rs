//! The gate before a crawl: what the source refuses is found out before anything is crawled. What lies between us and the source
//! closes no gate: the crawl has patience of its own.

use crawl::preflight::{CheckReport, preflight, result_of};
use crawl::{Access, Blame, CrawlSettings, Failure};
use serde_json::Value;
use wire::{Gate, LogLevel};

use super::Outlet;
use super::trouble::Trouble;
use crate::clock;

/// Checks as the job says, tells what was found, and says whether the crawl may go on.
///
/// # Errors
/// The gate is `hard` and the source refuses something, or what was checked cannot be told.
pub(crate) async fn pass<O: Outlet>(gate: Gate, access: &Access, settings: &CrawlSettings, outlet: &O) -> Result<(), Trouble> {
    if gate == Gate::Off {
        return Ok(());
    }
    let (checks, failure) = match preflight(access, settings, &clock::wall_ms).await {
        Ok(checks) => {
            let refusal = checks.iter().find(|check| check.is_refusal()).map(CheckReport::as_failure);
            (checks, refusal)
        }
        Err(failure) => (Vec::new(), Some(failure)),
    };
    // The reason of a refusal is in its check; only what kept the checks from being made is told beside them.
    let why_not_made = failure.as_ref().filter(|_| checks.is_empty()).map(|failure| Trouble::Crawl(copy(failure)).told());
    outlet.checked(checks.iter().map(as_json).collect(), why_not_made).await.map_err(Failure::from)?;
    let word = result_of(&checks, failure.as_ref());
    outlet.say(LogLevel::Info, format!("checked before the crawl: {word} ({} checks)", checks.len()));
    match failure {
        Some(failure) if gate == Gate::Hard && failure.blame() != Blame::Plumbing => Err(failure.into()),
        Some(_) | None => Ok(()),
    }
}

fn copy(failure: &Failure) -> Failure {
    let Failure { kind, message, remedy, causes, operation, .. } = failure;
    Failure { causes: causes.clone(), operation: *operation, ..Failure::new(*kind, message.clone(), remedy.clone()) }
}

/// A check in the form of the protocol.
pub(super) fn as_json(check: &CheckReport) -> Value {
    serde_json::to_value(check).unwrap_or(Value::Null)
}
