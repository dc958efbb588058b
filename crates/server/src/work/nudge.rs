//! Wake-ups: whoever has made work says so, and nobody waits for a timer. A lost one costs time, nothing else.

use std::time::Duration;

use tokio::sync::Notify;

/// Wakes those who wait for work.
#[derive(Debug, Default)]
pub struct Nudge {
    notify: Notify,
}

impl Nudge {
    /// There may be work.
    pub fn wake(&self) {
        self.notify.notify_waiters();
    }

    /// Waits for a wake-up, or for `at_most`.
    pub(super) async fn wait(&self, at_most: Duration) {
        let _timed_out = tokio::time::timeout(at_most, self.notify.notified()).await;
    }
}
