//! How a run ended in the runtime, and what else is told of it.

use model::document::report::Report;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::ids::{LeaseId, Sequence};
use crate::question::Known;

/// The answer to a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BatchAnswer {
    /// Which batch is kept from now on: the runtime may forget it.
    pub stored: Sequence,
}

/// `POST /runtime/v1/preflight`: what was checked before the crawl.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PreflightReport {
    /// The lease.
    pub lease: LeaseId,
    /// Each check: `name`, `state`, `message`, `remedy`, `durationMs`, `error`.
    pub checks: Vec<Value>,
    /// Why the checks themselves could not be made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
}

/// `POST /runtime/v1/finish`: the last word on a lease. It may be sent again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Finish {
    /// The lease.
    pub lease: LeaseId,
    /// The last batch that belongs to it; 0 for none. All of them have arrived before the end of a crawl that went through is sent; what a
    /// crawl found that did not is not missed.
    pub batches: Sequence,
    /// How it ended.
    pub ending: Ending,
}

/// How a run ended in the runtime.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Ending {
    /// The crawl went through, complete or in parts.
    #[serde(rename_all = "camelCase")]
    Crawled {
        /// What was called, where it went, what could not be read. The control plane adds what came of it in the catalog.
        report: Box<Report>,
        /// Every scope that was begun.
        scopes: Vec<ScopeRead>,
        /// Assets of the catalog that are proven to be gone.
        gone: Vec<Known>,
        /// The account that was crawled, where it became known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        account: Option<String>,
    },
    /// It failed. The control plane decides whether it is tried again.
    Failed {
        /// As above, as far as it went.
        report: Box<Report>,
        /// Why.
        failure: Failure,
    },
    /// Somebody asked to stop.
    Cancelled {
        /// As above, as far as it went.
        report: Box<Report>,
    },
    /// The runtime stops, or has lost its place: another one may take the run, and the attempt does not count.
    HandedBack {
        /// Why, for people.
        reason: String,
    },
}

/// How far a scope was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScopeRead {
    /// Which scope.
    pub scope: String,
    /// Whether every page was read.
    pub complete: bool,
}

/// Why something failed, for people and for scripts. Never a credential.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Failure {
    /// The `category` of reports (`credentials`, `network`, …), or `secret-store`.
    pub category: String,
    /// Whose matter it is.
    pub blame: Blame,
    /// What happened.
    pub message: String,
    /// What to do next; empty where the message says it.
    #[serde(default)]
    pub suggested_action: String,
    /// The read that failed, `service:Operation`, where one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<String>,
    /// What lies behind it, from near to far.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub causes: Vec<String>,
}

/// Whose matter a failure is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Blame {
    /// What lies between the runtime and the source: it is tried again.
    Plumbing,
    /// The source or a secret store says no.
    Source,
    /// What was asked for or configured.
    Operator,
}
