//! The gate before a crawl: what the source refuses is found out before anything is crawled. What lies between us and the source
//! closes no gate: the crawl has patience of its own.

use connector::CheckState;
use connector::port::ErrorKind;
use crawl::preflight::{CheckReport, preflight};
use crawl::{Access, Blame, CrawlSettings, Failure, FailureKind};
use serde_json::{Value, json};
use store::{Lease, PreflightGate};

use super::crawling::stored;
use super::events;
use crate::state::AppState;

/// Checks as the workflow says, keeps the checks with the run, and says whether the run may go on.
///
/// # Errors
/// The gate is `hard` and the source refuses something, or the checks cannot be kept.
pub(super) async fn pass(
    app: &AppState,
    lease: &Lease,
    gate: PreflightGate,
    access: &Access,
    settings: &CrawlSettings,
) -> Result<(), Failure> {
    if gate == PreflightGate::Off {
        return Ok(());
    }
    let now_ms = || app.clock.now_ms();
    let (checks, failure) = match preflight(access, settings, &now_ms).await {
        Ok(checks) => {
            let refusal = checks.iter().find(|check| check.is_refusal()).map(refusal);
            (checks, refusal)
        }
        Err(failure) => (Vec::new(), Some(failure)),
    };
    app.store.save_preflight(lease, &json!(checks).to_string()).await.map_err(stored)?;
    let mut data = told(&checks, failure.as_ref().map(|failure| failure.message.as_str()));
    if let Some(data) = data.as_object_mut() {
        data.insert("gate".to_owned(), json!(gate.as_str()));
        data.insert("result".to_owned(), json!(word(&checks, failure.as_ref())));
    }
    events::tell(app, lease, "preflight", &data).await;
    match failure {
        Some(failure) if gate == PreflightGate::Hard && failure.blame() != Blame::Plumbing => Err(failure),
        Some(_) | None => Ok(()),
    }
}

/// What is told of checks to whoever watches.
pub(super) fn told(checks: &[CheckReport], failure: Option<&str>) -> Value {
    let refusal = checks.iter().find(|check| check.is_refusal());
    let has = |state: CheckState| checks.iter().any(|check| check.state == state);
    let result = if failure.is_some() || refusal.is_some() {
        "failed"
    } else if has(CheckState::Failed) {
        "unknown"
    } else if has(CheckState::Warning) {
        "warning"
    } else {
        "passed"
    };
    let refused = checks.iter().filter(|check| check.is_refusal()).count();
    let mut data = json!({ "result": result, "checks": checks.len(), "refused": refused });
    if let (Some(message), Some(data)) = (failure.or(refusal.map(|check| check.message.as_str())), data.as_object_mut()) {
        data.insert("message".to_owned(), json!(message));
    }
    data
}

fn word(checks: &[CheckReport], failure: Option<&Failure>) -> &'static str {
    match failure {
        Some(failure) if failure.blame() == Blame::Plumbing => "unknown",
        Some(_) => "failed",
        None if checks.iter().any(|check| check.state == CheckState::Failed) => "unknown",
        None if checks.iter().any(|check| check.state == CheckState::Warning) => "warning",
        None => "passed",
    }
}

/// A check that failed, as why a run fails.
fn refusal(check: &CheckReport) -> Failure {
    const KINDS: [ErrorKind; 5] =
        [ErrorKind::Denied, ErrorKind::NotFound, ErrorKind::Credentials, ErrorKind::Invalid, ErrorKind::Refused];
    let category = check.error.as_ref().map_or("", |error| error.category.as_str());
    let kind = KINDS.into_iter().find(|kind| kind.category() == category).map_or(FailureKind::Input, FailureKind::Api);
    Failure::new(kind, format!("the check \"{}\" before the run failed: {}", check.name, check.message), check.remedy.clone())
}
