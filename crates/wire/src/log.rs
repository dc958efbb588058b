//! What a runtime says of a run to whoever watches it.

use serde::{Deserialize, Serialize};

use crate::ids::LeaseId;

/// The most lines of one request.
pub const LOG_LINES_MAX: usize = 200;
/// The most bytes of the text of a line; what is longer is cut.
pub const LOG_TEXT_BYTES_MAX: usize = 4096;

/// `POST /runtime/v1/logs`. A request that is sent twice may be shown twice: logs are for watching.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogLines {
    /// The lease.
    pub lease: LeaseId,
    /// The lines, oldest first.
    pub lines: Vec<LogLine>,
}

/// One line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LogLine {
    /// When, by the runtime's clock, milliseconds since 1970 UTC.
    pub at_ms: i64,
    /// How grave.
    pub level: LogLevel,
    /// What happened. Never a secret, never data.
    pub message: String,
}

/// How grave a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LogLevel {
    /// As it should be.
    Info,
    /// Worth a look.
    Warn,
    /// Something does not work.
    Error,
}
