//! The end of an attempt, as the catalog is told of it: again and again for as long as the lease could be ours, and not a moment longer.

use std::future::Future;
use std::time::Duration;

use store::StoreError;

use super::attempt::Attempt;
use super::heartbeat::Pulse;
use super::pause::{grown, jittered};

/// How long one attempt to write may take: a large archive is one transaction.
const WRITE_PATIENCE: Duration = Duration::from_secs(15 * 60);
/// What is being written when the service stops at once has this long.
const LAST_WORDS: Duration = Duration::from_millis(1500);

/// Whether trying again cannot help.
fn is_final(error: &StoreError) -> bool {
    matches!(
        error,
        StoreError::Fenced { .. }
            | StoreError::NotFound { .. }
            | StoreError::RunEnded { .. }
            | StoreError::RunBroken { .. }
            | StoreError::Conflict { .. }
            | StoreError::Invalid { .. }
            | StoreError::Corrupt { .. }
    )
}

impl Attempt {
    /// Writes something that cannot be written twice; nothing came of it when the service stops at once or the catalog never answers.
    pub(super) async fn write_once<T>(&self, write: impl Future<Output = Result<T, StoreError>>) -> Option<Result<T, StoreError>> {
        tokio::select! {
            written = tokio::time::timeout(WRITE_PATIENCE, write) => written.ok(),
            () = self.last_words() => None,
        }
    }

    async fn last_words(&self) {
        self.app.shutdown.hard().cancelled().await;
        tokio::time::sleep(LAST_WORDS).await;
    }

    /// Writes something of the run until it is written, is refused for good, or the lease is lost; what came of it.
    pub(super) async fn write<T, F>(&self, what: &'static str, write: impl Fn() -> F) -> Option<T>
    where
        F: Future<Output = Result<T, StoreError>>,
    {
        tokio::select! {
            written = self.write_patiently(what, write) => written,
            () = self.last_words() => {
                tracing::warn!(run = %self.lease.run, what, "stopped before it was written; the lease will expire");
                None
            }
        }
    }

    async fn write_patiently<T, F>(&self, what: &'static str, write: impl Fn() -> F) -> Option<T>
    where
        F: Future<Output = Result<T, StoreError>>,
    {
        let mut failures = 0_u32;
        loop {
            match tokio::time::timeout(WRITE_PATIENCE, write()).await {
                Ok(Ok(written)) => return Some(written),
                Ok(Err(error)) if is_final(&error) => {
                    tracing::warn!(%error, run = %self.lease.run, what, "not written");
                    return None;
                }
                Ok(Err(error)) => tracing::warn!(%error, run = %self.lease.run, what, "not written yet"),
                Err(_elapsed) => tracing::warn!(run = %self.lease.run, what, "the catalog does not answer"),
            }
            if self.heart.pulse() == Pulse::Lost {
                tracing::warn!(run = %self.lease.run, what, "given up: the lease is lost, and somebody else goes on");
                return None;
            }
            failures = failures.saturating_add(1);
            tokio::time::sleep(jittered(grown(self.pace.report, failures), &*self.app.random)).await;
        }
    }
}
