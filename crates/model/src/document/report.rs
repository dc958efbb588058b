//! The report of a run: what it found, what it called, where it connected. The form is fixed by the project's contract with scripts.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A run's report as it is written by `--report` and shown by `evidence`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// `complete`, `partial` or `failed`.
    pub outcome: String,
    /// The run's number in its catalog; absent where nothing was stored.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run: Option<i64>,
    /// The qualified name of the connection.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connection: Option<String>,
    /// Assets found, by type name.
    pub counts: BTreeMap<String, u64>,
    /// What changed in the store.
    pub changes: Changes,
    /// Calls made, by `service:Operation`.
    pub operations: BTreeMap<String, u64>,
    /// Operations that the gate refused: none in any sound build.
    pub refused_operations: Vec<String>,
    /// Where connections went.
    pub endpoints: Vec<Endpoint>,
    /// Oddities that lost nothing.
    pub warnings: Vec<ReportWarning>,
    /// What could not be read.
    pub errors: Vec<ReportError>,
    /// How many values were masked, by kind of place.
    pub masked: BTreeMap<String, u64>,
    /// Milliseconds since 1970 UTC.
    pub started_at: i64,
    /// Milliseconds since 1970 UTC.
    pub finished_at: i64,
}

/// See [`crate::ChangeCounts`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Changes {
    /// New assets.
    pub created: u64,
    /// Changed assets.
    pub updated: u64,
    /// Assets as before.
    pub unchanged: u64,
    /// Assets gone from the source.
    pub archived: u64,
    /// Assets that came back.
    pub restored: u64,
    /// Assets that the circuit breaker kept.
    pub protected: u64,
}

impl From<crate::ChangeCounts> for Changes {
    fn from(counts: crate::ChangeCounts) -> Self {
        let crate::ChangeCounts { created, updated, unchanged, archived, restored, protected } = counts;
        Self { created, updated, unchanged, archived, restored, protected }
    }
}

/// One host that the run connected to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Endpoint {
    /// `glue`, `sts`, `datazone`.
    pub service: String,
    /// The host name, or the address where one was given.
    pub host: String,
    /// Every address that was connected to.
    pub addresses: Vec<String>,
    /// Whether all of them are private.
    pub private: bool,
    /// The proxy that connections went through.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub proxy: Option<String>,
    /// The TLS session; absent for plain HTTP to loopback.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub tls: Option<Tls>,
    /// How many connections were opened.
    pub connections: u64,
    /// Bytes sent on them.
    pub bytes_sent: u64,
    /// Bytes received on them.
    pub bytes_received: u64,
}

/// The TLS session of an endpoint.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Tls {
    /// `TLSv1.3` or `TLSv1.2`.
    pub protocol: String,
    /// The subject of the server's certificate.
    pub subject: String,
    /// Who issued it.
    pub issuer: String,
    /// SHA-256 of the certificate in hex.
    #[serde(default)]
    pub certificate_sha256: String,
}

/// See [`crate::Warning`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportWarning {
    /// Where.
    pub scope: String,
    /// A stable word for scripts.
    pub code: String,
    /// For people.
    pub message: String,
}

impl From<&crate::Warning> for ReportWarning {
    fn from(warning: &crate::Warning) -> Self {
        Self { scope: warning.scope.clone(), code: warning.code.to_owned(), message: warning.message.clone() }
    }
}

/// Something that could not be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ReportError {
    /// Where.
    pub scope: String,
    /// `service:Operation`.
    pub operation: String,
    /// `permission`, `credentials`, `throttling`, `network`, `not-found`, `malformed`, `input`, `refused`, `internal`.
    pub category: String,
    /// Whether the same run may succeed later without a change.
    pub retryable: bool,
    /// What happened.
    pub message: String,
    /// What to do next.
    pub suggested_action: String,
}
