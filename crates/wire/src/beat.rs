//! Heartbeats: the runtime says how far it is, and hears whether to go on.

use serde::{Deserialize, Serialize};

use crate::ids::LeaseId;

/// `POST /runtime/v1/heartbeat`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Heartbeat {
    /// The lease.
    pub lease: LeaseId,
    /// How far the crawl is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub progress: Option<Progress>,
    /// What waits to be sent.
    #[serde(default)]
    pub spooled: Spooled,
}

/// How far a crawl is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Progress {
    /// Pages read.
    pub pages: u64,
    /// Tables, views and assets of SageMaker Unified Studio read.
    pub tables: u64,
    /// Columns read, nested ones included.
    pub columns: u64,
    /// Scopes known so far: databases and lists.
    pub scopes_total: u64,
    /// Scopes read to their end.
    pub scopes_done: u64,
    /// A scope that was worked on last.
    pub scope: String,
    /// Calls to AWS so far, retries included.
    pub calls: u64,
}

/// What waits in the runtime.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Spooled {
    /// Batches.
    pub batches: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// The answer to [`Heartbeat`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeartbeatAnswer {
    /// What to do.
    pub command: Command,
}

/// What a runtime is to do with a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Command {
    /// Go on.
    Continue,
    /// Stop, and say so with [`crate::Ending::Cancelled`].
    Cancel,
    /// Forget it: the run is somebody else's, or has ended. Nothing that is still spooled for it is wanted.
    Abandon,
}
