//! A run as the API shows it.

use std::collections::BTreeMap;

use model::document::report::{Changes, Report};
use serde::Serialize;
use serde_json::Value;
use store::{RemovalPolicy, RunState, RunSummary};
use utoipa::ToSchema;

/// A run.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Run {
    /// Its number.
    #[schema(example = "12")]
    id: String,
    /// What it crawls.
    connection_id: String,
    /// The workflow that it is a run of; absent for one of a command line.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    workflow_id: Option<String>,
    /// `manual`, `schedule` or `command-line`.
    trigger: &'static str,
    /// `queued`, `running` or `ended`.
    state: &'static str,
    /// When it has ended: `complete`, `partial`, `failed`, `cancelled` or `interrupted`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    outcome: Option<&'static str>,
    /// Which attempt is the latest; 0 while none has begun.
    attempt: i64,
    /// Who asked for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    requested_by: Option<String>,
    /// When it was asked for, milliseconds since 1970 UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    queued_at: Option<i64>,
    /// When its latest attempt began, milliseconds since 1970 UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    started_at: Option<i64>,
    /// When it ended, milliseconds since 1970 UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    finished_at: Option<i64>,
    /// What it changed, in lines of the export.
    #[schema(value_type = BTreeMap<String, u64>)]
    changes: Changes,
    /// What it found, by type; of one run only, not in lists.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    counts: Option<BTreeMap<String, u64>>,
    /// Whether removals were held back, being suspiciously many, and wait for somebody to confirm them.
    protected: bool,
    /// Whether it may archive whatever is gone.
    removals_confirmed: bool,
    /// What was checked before it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    preflight: Option<Value>,
    /// Why it failed, or its latest attempt: `category`, `retryable`, `message`, `suggestedAction`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    failure: Option<Value>,
}

impl Run {
    /// A run, with what its report counts where that is at hand.
    pub(crate) fn of(run: &RunSummary, report: Option<&Report>) -> Self {
        let (state, outcome) = match run.state {
            RunState::Queued => ("queued", None),
            RunState::Running => ("running", None),
            RunState::Ended(outcome) => ("ended", Some(outcome.as_str())),
        };
        let json = |text: &Option<String>| text.as_deref().and_then(|text| serde_json::from_str(text).ok());
        Self {
            id: run.id.to_string(),
            connection_id: run.connection.0.to_string(),
            workflow_id: run.workflow.map(|workflow| workflow.to_string()),
            trigger: run.trigger.as_str(),
            state,
            outcome,
            attempt: run.attempt,
            requested_by: run.requested_by.map(|user| user.to_string()),
            queued_at: run.queued_ms,
            started_at: (state != "queued").then_some(run.started_ms),
            finished_at: run.finished_ms,
            protected: run.changes.protected > 0,
            changes: run.changes.clone(),
            counts: report.map(|report| report.counts.clone()),
            removals_confirmed: run.removal == RemovalPolicy::Confirmed,
            preflight: json(&run.preflight),
            failure: json(&run.failure),
        }
    }
}
