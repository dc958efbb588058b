//! The pace of one operation, as a state machine that takes the time: additive increase, multiplicative decrease.

use std::num::NonZeroU32;
use std::time::Duration;

/// What is left of the rate after a throttled answer.
const DECREASE: f64 = 0.8;
/// The slowest pace in requests a second.
const RATE_MIN: f64 = 0.5;
/// The least that a rate is set from: a first throttled answer says little about what is allowed.
const BASE_MIN: f64 = 3.0;
/// How far above what gets through a rate may be before it counts for nothing.
const HEADROOM: f64 = 1.5;
/// Requests a second that the rate gains each second: a constant, and a share of itself so that fast services are found soon.
const INCREASE: f64 = 0.3;
const INCREASE_SHARE: f64 = 0.05;
/// How long successes are counted for.
const WINDOW: Duration = Duration::from_secs(1);

/// The pace of one operation.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pace {
    /// Requests a second; none until the service has throttled.
    rate: Option<f64>,
    next_slot: Duration,
    last_cut: Option<Duration>,
    successes: Window,
}

impl Pace {
    /// When the next request may be sent. The time is taken: the request after it gets a later one.
    pub(crate) fn reserve(&mut self, now: Duration) -> Duration {
        let Some(rate) = self.rate else { return now };
        let slot = self.next_slot.max(now);
        self.next_slot = slot + Duration::from_secs_f64(1.0 / rate);
        slot
    }

    pub(crate) fn succeeded(&mut self, now: Duration) {
        self.successes.count(now);
        if let Some(rate) = self.rate.as_mut() {
            *rate += (INCREASE + INCREASE_SHARE * *rate) / *rate;
        }
    }

    /// Lowers the rate, once for all requests that were in flight when it was lowered.
    pub(crate) fn throttled(&mut self, sent_at: Duration, now: Duration) {
        if self.last_cut.is_some_and(|cut| sent_at <= cut) {
            return;
        }
        let proven = (self.successes.per_second(now) * HEADROOM).max(BASE_MIN);
        let base = self.rate.map_or(proven, |rate| rate.min(proven));
        let rate = (base * DECREASE).max(RATE_MIN);
        self.rate = Some(rate);
        self.last_cut = Some(now);
        self.next_slot = self.next_slot.max(now + Duration::from_secs_f64(1.0 / rate));
    }
}

/// Counts events over the last second, from two buckets.
#[derive(Clone, Copy, Debug, Default)]
struct Window {
    started: Duration,
    current: f64,
    previous: f64,
}

impl Window {
    fn count(&mut self, now: Duration) {
        self.turn(now);
        self.current += 1.0;
    }

    fn per_second(&mut self, now: Duration) -> f64 {
        self.turn(now);
        let into = now.saturating_sub(self.started).as_secs_f64() / WINDOW.as_secs_f64();
        self.current + self.previous * (1.0 - into).max(0.0)
    }

    fn turn(&mut self, now: Duration) {
        let age = now.saturating_sub(self.started);
        if age >= WINDOW * 2 {
            *self = Self { started: now, current: 0.0, previous: 0.0 };
        } else if age >= WINDOW {
            *self = Self { started: self.started + WINDOW, current: 0.0, previous: self.current };
        }
    }
}

/// A fixed rate that nothing raises: what the user allows for the whole run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ceiling {
    spacing: Duration,
    next_slot: Duration,
}

impl Ceiling {
    pub(crate) fn new(per_second: NonZeroU32) -> Self {
        Self { spacing: Duration::from_secs(1) / per_second.get(), next_slot: Duration::ZERO }
    }

    /// The first free time not before `wanted`.
    pub(crate) fn reserve(&mut self, wanted: Duration) -> Duration {
        let slot = self.next_slot.max(wanted);
        self.next_slot = slot + self.spacing;
        slot
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }

    #[test]
    fn an_operation_that_was_never_throttled_has_no_limit() {
        let mut pace = Pace::default();
        for at in 0..100 {
            assert_eq!(pace.reserve(ms(at)), ms(at));
            pace.succeeded(ms(at));
        }
    }

    #[test]
    fn the_first_throttled_answer_sets_the_rate_from_what_got_through() {
        let mut pace = Pace::default();
        for _ in 0..40 {
            pace.succeeded(ms(500));
        }
        pace.throttled(ms(400), ms(600));
        assert_eq!(pace.rate, Some(40.0 * HEADROOM * DECREASE));
    }

    #[test]
    fn answers_to_requests_sent_before_the_cut_do_not_cut_again() {
        let mut pace = Pace::default();
        pace.throttled(ms(10), ms(100));
        let rate = pace.rate;
        pace.throttled(ms(50), ms(120));
        pace.throttled(ms(100), ms(130));
        assert_eq!(pace.rate, rate);
        pace.throttled(ms(101), ms(140));
        assert!(pace.rate < rate);
    }

    #[test]
    fn the_rate_has_a_floor_and_grows_with_success() {
        let mut pace = Pace::default();
        for at in 1..50 {
            pace.throttled(ms(at * 10_000), ms(at * 10_000 + 1));
        }
        assert_eq!(pace.rate, Some(RATE_MIN));
        pace.succeeded(ms(600_000));
        assert!(pace.rate > Some(RATE_MIN));
    }

    #[test]
    fn a_ceiling_spaces_requests_evenly() {
        let mut ceiling = Ceiling::new(NonZeroU32::new(4).unwrap());
        let slots: Vec<_> = (0..4).map(|_| ceiling.reserve(ms(0)).as_millis()).collect();
        assert_eq!(slots, [0, 250, 500, 750]);
        assert_eq!(ceiling.reserve(ms(5000)), ms(5000));
    }
}
