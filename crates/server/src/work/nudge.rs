//! Wake-ups: whoever has made work says so, and nobody waits for a timer.

use std::time::Duration;

use tokio::sync::Notify;

/// Wakes those of this process who wait for work; other processes find it by their timers. A nudge that comes while somebody is busy
/// is not lost.
#[derive(Debug, Default)]
pub struct Nudge {
    bells: [Notify; Waiter::COUNT],
}

/// Who is woken: each of them once in a process.
#[derive(Clone, Copy, Debug)]
pub(super) enum Waiter {
    Executor,
    Schedule,
    LeaseExpiry,
    Alerts,
    Inbox,
}

impl Waiter {
    const COUNT: usize = 5;
}

impl Nudge {
    /// There may be work: a run was enqueued or has ended, a schedule was written, a connection moved to this server.
    pub fn wake(&self) {
        self.bells.iter().for_each(Notify::notify_one);
    }

    /// Waits for a wake-up, or for `at_most`.
    pub(super) async fn wait(&self, waiter: Waiter, at_most: Duration) {
        if let Some(bell) = self.bells.get(waiter as usize) {
            let _timed_out = tokio::time::timeout(at_most, bell.notified()).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_nudge_reaches_everybody_also_who_was_busy() {
        let nudge = Nudge::default();
        let began = tokio::time::Instant::now();
        nudge.wake();
        for waiter in [Waiter::Executor, Waiter::Schedule, Waiter::LeaseExpiry, Waiter::Alerts, Waiter::Inbox] {
            nudge.wait(waiter, Duration::from_secs(60)).await;
        }
        assert!(began.elapsed() < Duration::from_secs(1));
        nudge.wait(Waiter::Alerts, Duration::from_millis(50)).await;
        assert!(began.elapsed() >= Duration::from_millis(50));
    }
}
