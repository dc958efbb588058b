//! How the runtime is, in a file: there is no port to ask.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use wire::{LeaseId, Spooled};

use crate::spool::files;

const FILE: &str = "health.json";
/// A state that is older says that the process hangs or is gone, milliseconds.
const STALE_MS: i64 = 30_000;

/// How the runtime is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Health {
    /// What it is about.
    pub(crate) state: State,
    /// When this was written, milliseconds since 1970 UTC.
    pub(crate) at_ms: i64,
    /// The version of the program.
    pub(crate) version: String,
    /// Where the control plane is.
    pub(crate) control_plane: String,
    /// Whether the control plane did not answer last.
    pub(crate) is_away: bool,
    /// When it answered last, milliseconds since 1970 UTC.
    pub(crate) last_contact_ms: Option<i64>,
    /// Runs that are crawled or uploaded.
    pub(crate) runs: Vec<RunHealth>,
    /// Bytes that wait to be sent.
    pub(crate) spool_bytes: u64,
    /// Bytes that may wait.
    pub(crate) spool_bytes_max: u64,
}

/// What the runtime is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum State {
    Running,
    Draining,
    Stopped,
    Revoked,
}

/// A run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct RunHealth {
    /// Its number.
    pub(crate) run: i64,
    /// Its lease.
    pub(crate) lease: LeaseId,
    /// What waits to be sent.
    pub(crate) spooled: Spooled,
}

/// The file of a data folder.
#[derive(Clone, Debug)]
pub(crate) struct HealthFile(PathBuf);

impl HealthFile {
    pub(crate) fn of(data: &Path) -> Self {
        Self(data.join(FILE))
    }

    /// Writes it, as a whole. A disk that is full must not stop anything.
    #[expect(clippy::needless_pass_by_value, reason = "whoever writes a state has made it for that")]
    pub(crate) fn write(&self, health: Health) {
        let written = serde_json::to_vec(&health).map_err(std::io::Error::other).and_then(|text| files::replace(&self.0, &text));
        if let Err(error) = written {
            tracing::debug!(%error, "the state cannot be written down");
        }
    }

    /// What was written last.
    pub(crate) fn read(&self) -> Option<Health> {
        serde_json::from_slice(&std::fs::read(&self.0).ok()?).ok()
    }
}

impl Health {
    /// Whether the process that wrote it is alive and at work.
    pub(crate) const fn is_well(&self, now_ms: i64) -> bool {
        let is_fresh = now_ms.abs_diff(self.at_ms) <= STALE_MS.unsigned_abs();
        is_fresh && matches!(self.state, State::Running | State::Draining)
    }
}
