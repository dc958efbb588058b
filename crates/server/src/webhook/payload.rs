//! What a receiver is told. Names and counts, no text of the source and nothing secret.

use std::collections::BTreeMap;

use chrono::{DateTime, SecondsFormat};
use serde::Serialize;

/// Something with a name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Named {
    /// Its id in the API.
    pub id: String,
    /// Its name.
    pub name: String,
}

/// What became of the catalog.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Changes {
    /// Assets that are new.
    pub created: u64,
    /// Assets that changed.
    pub updated: u64,
    /// Assets that are gone from the source.
    pub archived: u64,
    /// Assets that are back.
    pub restored: u64,
}

/// Why a run is not complete.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Failure {
    /// Such as `permission` or `throttled`.
    pub category: String,
    /// Whether a retry may help.
    pub retryable: bool,
    /// What to do.
    pub suggested_action: String,
}

/// A run has ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RunEnded {
    /// The run's id in the API.
    pub run_id: String,
    /// What was run.
    pub workflow: Named,
    /// What was crawled.
    pub connection: Named,
    /// `complete`, `partial`, `failed`, `cancelled` or `interrupted`.
    pub outcome: String,
    /// 1 for the first attempt.
    pub attempt: u32,
    /// Assets by type.
    pub counts: BTreeMap<String, u64>,
    /// What became of the catalog.
    pub changes: Changes,
    /// When not complete.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
    /// The run's page.
    pub link: String,
}

/// A message, made once and sent as often as needed: id and bytes stay the same, so a receiver can tell a repetition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    id: String,
    body: Vec<u8>,
}

/// The outer form that Standard Webhooks recommends.
#[derive(Serialize)]
struct Envelope<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    timestamp: String,
    data: &'a RunEnded,
}

impl Message {
    /// `ended_ms` is when the run ended, milliseconds since 1970 UTC.
    ///
    /// # Errors
    /// When the JSON cannot be written, which these types do not bring about.
    pub fn run_ended(run: &RunEnded, ended_ms: i64) -> Result<Self, serde_json::Error> {
        let timestamp = DateTime::from_timestamp_millis(ended_ms).unwrap_or_default().to_rfc3339_opts(SecondsFormat::Millis, true);
        let body = serde_json::to_vec(&Envelope { kind: "run.ended", timestamp, data: run })?;
        // The signed text is cut at dots, so an id has none.
        let id =
            format!("run_{}_{}_{ended_ms}", run.run_id.replace(|letter: char| !letter.is_ascii_alphanumeric(), "-"), run.attempt);
        Ok(Self { id, body })
    }

    /// A message that is kept between attempts.
    #[must_use]
    pub fn from_parts(id: String, body: Vec<u8>) -> Self {
        Self { id, body }
    }

    /// The value of `webhook-id`.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The JSON that is signed and sent.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.body
    }
}
