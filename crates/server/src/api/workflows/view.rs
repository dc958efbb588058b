//! A workflow as the API shows it.

use serde::Serialize;
use serde_json::Value;
use store::Workflow;
use utoipa::ToSchema;

use super::alerts::{self, AlertShown, Kept};
use super::{Removal, Retries, ScheduleRequest};
use crate::schedule::Schedule;

/// Next times that are shown.
const NEXT_SHOWN: usize = 5;

/// A workflow.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Workflow)]
pub(super) struct Shown {
    #[schema(example = "5")]
    id: String,
    name: String,
    connection_id: String,
    /// What is crawled.
    #[schema(value_type = Object)]
    settings: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    schedule: Option<ScheduleRequest>,
    /// When the schedule runs next, milliseconds since 1970 UTC; absent while it is paused.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    next_run_at: Option<i64>,
    /// The times after now, milliseconds since 1970 UTC.
    next_runs_at: Vec<i64>,
    /// Since when it is paused, milliseconds since 1970 UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    paused_at: Option<i64>,
    /// `off`, `soft` or `hard`.
    preflight: &'static str,
    retries: Retries,
    removal: Removal,
    alerts: Vec<AlertShown>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    created_by: Option<String>,
    /// Milliseconds since 1970 UTC.
    created_at: i64,
    /// Grows with every change; the `ETag`.
    version: i64,
}

impl Shown {
    pub(super) fn of(workflow: Workflow, now_ms: i64) -> Self {
        let spec = workflow.spec;
        let parsed = spec.schedule.as_ref().and_then(|stored| Schedule::parse(&stored.cron, &stored.time_zone, now_ms).ok());
        let is_paused = workflow.paused_ms.is_some();
        Self {
            id: workflow.id.to_string(),
            name: spec.name,
            connection_id: workflow.connection.0.to_string(),
            settings: serde_json::from_str(&spec.settings).unwrap_or(Value::Null),
            next_run_at: spec.next_run_ms.filter(|_| !is_paused),
            next_runs_at: parsed.filter(|_| !is_paused).map(|schedule| schedule.next(now_ms, NEXT_SHOWN)).unwrap_or_default(),
            schedule: spec.schedule.map(|stored| ScheduleRequest { cron: stored.cron, time_zone: stored.time_zone }),
            paused_at: workflow.paused_ms,
            preflight: spec.preflight.as_str(),
            retries: Retries { max: spec.retries_max },
            removal: Removal { max_share_percent: spec.removal_share_percent },
            alerts: alerts::read(&spec.alerts).iter().map(AlertShown::of).collect(),
            created_by: workflow.created_by.map(|user| user.to_string()),
            created_at: workflow.created_ms,
            version: workflow.version,
        }
    }

    /// With the secrets of alerts that were made just now.
    pub(super) fn with_secrets(mut self, kept: &[Kept]) -> Self {
        self.alerts = kept.iter().map(AlertShown::of).collect();
        self
    }
}
