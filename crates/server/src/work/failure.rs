//! Why a run failed, as it is kept with the run and shown by the API.

use crawl::{Blame, Failure};
use serde::{Deserialize, Serialize};

/// Why a run, or its latest attempt, failed: for people and for scripts. Never a credential.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RunFailure {
    /// The `category` of reports, as `credentials` or `network`.
    pub(super) category: String,
    /// Whether the same run may succeed later without a change.
    pub(super) retryable: bool,
    /// Whose matter it is.
    pub(super) blame: Blame,
    /// What happened.
    pub(super) message: String,
    /// What to do next; empty where the message says it.
    pub(super) suggested_action: String,
    /// The read that failed, `service:Operation`, where one did.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(super) operation: Option<String>,
    /// What lies behind it, from near to far.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub(super) causes: Vec<String>,
}

impl From<&Failure> for RunFailure {
    fn from(failure: &Failure) -> Self {
        Self {
            category: failure.category().to_owned(),
            retryable: failure.blame() == Blame::Plumbing,
            blame: failure.blame(),
            message: failure.message.clone(),
            suggested_action: failure.remedy.clone(),
            operation: failure.operation.map(|operation| operation.to_string()),
            causes: failure.causes.clone(),
        }
    }
}

impl From<wire::Failure> for RunFailure {
    fn from(failure: wire::Failure) -> Self {
        let blame = match failure.blame {
            wire::Blame::Plumbing => Blame::Plumbing,
            wire::Blame::Source => Blame::Source,
            wire::Blame::Operator => Blame::Operator,
        };
        Self {
            category: failure.category,
            retryable: blame == Blame::Plumbing,
            blame,
            message: failure.message,
            suggested_action: failure.suggested_action,
            operation: failure.operation,
            causes: failure.causes,
        }
    }
}

impl RunFailure {
    /// As it is kept with a run.
    pub(super) fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_else(|_never| "{}".to_owned())
    }

    /// From what is kept with a run. What the store itself writes there (a worker was lost) has a code instead of a category.
    pub(super) fn from_json(text: &str) -> Option<Self> {
        if let Ok(failure) = serde_json::from_str(text) {
            return Some(failure);
        }
        let value: serde_json::Value = serde_json::from_str(text).ok()?;
        let message = value.get("message")?.as_str()?.to_owned();
        let (category, suggested_action) = ("internal".to_owned(), "Start another run.".to_owned());
        Some(Self {
            category,
            retryable: true,
            blame: Blame::Plumbing,
            message,
            suggested_action,
            operation: None,
            causes: Vec::new(),
        })
    }
}
