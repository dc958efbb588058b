//! Leaving: take no more, finish what runs within its time, hand back the rest, and go.

use super::{Action, Exit, Now, Session, Step, Why};

/// How long handing back and the last uploads may take when the time of running crawls is over, milliseconds.
pub(crate) const GIVE_BACK_MS: i64 = 5_000;

/// A stop that was asked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Drain {
    hand_back_at: i64,
    give_up_at: i64,
    is_told: bool,
    is_handing_back: bool,
}

impl Drain {
    /// Whether the control plane has yet to hear of it; from now on it has.
    pub(super) const fn tell(&mut self) -> bool {
        !std::mem::replace(&mut self.is_told, true)
    }
}

impl Session {
    pub(super) fn begin_drain(&mut self, now: Now) {
        if self.drain.is_none() {
            let hand_back_at = now.steady_ms.saturating_add(self.settings.drain_ms);
            let give_up_at = hand_back_at.saturating_add(GIVE_BACK_MS);
            self.drain = Some(Drain { hand_back_at, give_up_at, is_told: false, is_handing_back: false });
        }
    }

    pub(super) fn advance_drain(&mut self, now: Now, step: &mut Step) {
        let Some(drain) = self.drain else { return };
        if self.runs.is_empty() && self.tasks.is_empty() {
            return self.leave(Exit::Drained, step);
        }
        if now.steady_ms >= drain.give_up_at {
            return self.leave(Exit::Left, step);
        }
        if now.steady_ms < drain.hand_back_at {
            return step.alarm.set(drain.hand_back_at);
        }
        step.alarm.set(drain.give_up_at);
        if !drain.is_handing_back {
            self.drain = Some(Drain { is_handing_back: true, ..drain });
            for (lease, run) in &mut self.runs {
                if run.stop() {
                    let why = Why::HandedBack("the runtime stops".to_owned());
                    step.actions.push(Action::StopCrawl { lease: lease.clone(), why });
                }
            }
        }
    }
}
