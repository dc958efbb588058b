//! The gate before a crawl: what the source refuses is found out before anything is crawled. What lies between us and the source
//! closes no gate: the crawl has patience of its own.

use connector::CheckState;
use crawl::preflight::{CheckReport, preflight, result_of};
use crawl::{Access, Blame, CrawlSettings, Failure};
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
            let refusal = checks.iter().find(|check| check.is_refusal()).map(CheckReport::as_failure);
            (checks, refusal)
        }
        Err(failure) => (Vec::new(), Some(failure)),
    };
    app.store.save_preflight(lease, &json!(checks).to_string()).await.map_err(stored)?;
    let mut data = told(&checks, failure.as_ref().map(|failure| failure.message.as_str()));
    if let Some(data) = data.as_object_mut() {
        data.insert("gate".to_owned(), json!(gate.as_str()));
        data.insert("result".to_owned(), json!(result_of(&checks, failure.as_ref())));
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
