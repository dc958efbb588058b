//! What a runtime does: crawls and tasks, each from a job to its result. Nothing here knows of the session or of HTTP.

pub(crate) mod access;
pub(crate) mod attempt;
pub(crate) mod credentials;
pub(crate) mod delivery;
pub(crate) mod gate;
pub(crate) mod questions;
pub(crate) mod task;
pub(crate) mod trouble;

use connector::port::{AssetSink, SinkError};
use serde_json::Value;
use wire::LogLevel;

use crate::configuration::Configuration;
use credentials::Credentials;

/// What every job is done with.
pub(crate) struct Workshop {
    /// What the operator decided.
    pub(crate) configuration: Configuration,
    /// What AWS's own tools would read from the environment.
    pub(crate) aws: aws::Environment,
    /// The secret stores.
    pub(crate) credentials: Credentials,
}

/// Where a crawl's results go.
pub(crate) trait Outlet: AssetSink {
    /// Takes what was checked before the crawl.
    fn checked(&self, checks: Vec<Value>, failure: Option<wire::Failure>) -> impl Future<Output = Result<(), SinkError>> + Send;

    /// Tells whoever watches the run. Never waits.
    fn say(&self, level: LogLevel, message: String);
}
