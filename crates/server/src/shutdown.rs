//! How the process ends: softly first (nothing new, finish what runs), hard when that takes too long or is asked for twice.

use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// How long tasks have to notice the hard token before the process stops waiting for them.
const HARD_STOP_MS: u64 = 2_000;

/// The two tokens, and the tasks that must end before the process does. Clones share all three.
#[derive(Clone, Debug)]
pub struct Shutdown {
    hard: CancellationToken,
    soft: CancellationToken,
    tasks: TaskTracker,
}

/// How a drain ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Drained {
    /// Every task finished what it was doing.
    Finished,
    /// Some were stopped.
    Stopped,
}

impl Default for Shutdown {
    fn default() -> Self {
        Self::new()
    }
}

impl Shutdown {
    /// Nothing cancelled, no tasks.
    #[must_use]
    pub fn new() -> Self {
        let hard = CancellationToken::new();
        Self { soft: hard.child_token(), hard, tasks: TaskTracker::new() }
    }

    /// Take on nothing new; finish. Cancelled too when the hard token is.
    #[must_use]
    pub fn soft(&self) -> &CancellationToken {
        &self.soft
    }

    /// Stop where you are.
    #[must_use]
    pub fn hard(&self) -> &CancellationToken {
        &self.hard
    }

    /// Where every task of the service is spawned.
    #[must_use]
    pub fn tasks(&self) -> &TaskTracker {
        &self.tasks
    }

    /// One step further towards the end: soft on the first call, hard on the second.
    pub fn advance(&self) {
        if self.soft.is_cancelled() {
            tracing::warn!("second signal: stopping at once");
            self.hard.cancel();
        } else {
            tracing::info!("stopping: nothing new is taken on, what runs is finished");
            self.soft.cancel();
        }
    }

    /// Waits for the soft token, then at most `limit` for the tasks, then stops them.
    pub async fn drain(&self, limit: Duration) -> Drained {
        self.soft.cancelled().await;
        self.tasks.close();
        tokio::select! {
            biased;
            () = self.tasks.wait() => { self.hard.cancel(); return Drained::Finished }
            () = tokio::time::sleep(limit) => tracing::warn!(tasks = self.tasks.len(), "drain took too long: stopping"),
            () = self.hard.cancelled() => {}
        }
        self.hard.cancel();
        let ended = tokio::time::timeout(Duration::from_millis(HARD_STOP_MS), self.tasks.wait()).await;
        if ended.is_err() {
            tracing::error!(tasks = self.tasks.len(), "tasks did not stop; they end with the process");
        }
        Drained::Stopped
    }
}

/// The signals that end the process. From installation on, they no longer kill it by themselves.
#[derive(Debug)]
pub struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    /// Takes over SIGTERM and SIGINT.
    ///
    /// # Errors
    /// The operating system refuses the handlers.
    pub fn install() -> std::io::Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    /// Advances `shutdown` on each signal until it has ended. The caller runs it beside the drain.
    pub async fn follow(&mut self, shutdown: &Shutdown) {
        loop {
            tokio::select! {
                _ = self.terminate.recv() => shutdown.advance(),
                _ = self.interrupt.recv() => shutdown.advance(),
                () = shutdown.hard.cancelled() => return,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_first_signal_is_soft_and_the_second_hard() {
        let shutdown = Shutdown::new();
        shutdown.advance();
        assert!(shutdown.soft().is_cancelled() && !shutdown.hard().is_cancelled());
        shutdown.advance();
        assert!(shutdown.hard().is_cancelled());
    }

    #[tokio::test]
    async fn a_drain_ends_as_soon_as_the_tasks_have() {
        let shutdown = Shutdown::new();
        let soft = shutdown.soft().clone();
        shutdown.tasks().spawn(async move { soft.cancelled().await });
        shutdown.advance();
        assert_eq!(shutdown.drain(Duration::from_secs(60)).await, Drained::Finished);
    }

    #[tokio::test]
    async fn a_drain_that_takes_too_long_stops_the_tasks() {
        let shutdown = Shutdown::new();
        let hard = shutdown.hard().clone();
        shutdown.tasks().spawn(async move { hard.cancelled().await });
        shutdown.advance();
        assert_eq!(shutdown.drain(Duration::from_millis(10)).await, Drained::Stopped);
        assert!(shutdown.tasks().is_empty());
    }

    #[tokio::test]
    async fn hard_implies_soft() {
        let shutdown = Shutdown::new();
        shutdown.hard().cancel();
        assert!(shutdown.soft().is_cancelled());
    }
}
