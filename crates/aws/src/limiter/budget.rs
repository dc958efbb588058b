//! The pace of an operation whose rate is known or assumed beforehand, as a state machine that takes the time.
//!
//! It begins at that rate rather than at none, and a published rate is a ceiling that it returns to. A throttled answer then means
//! that somebody else uses the same allowance or that the account has a smaller one. The first passes, so a cut is small, there
//! are few of them, and none while nothing at all gets through; the second stays, so the rate grows slowly where it was last cut.
//! The numbers are tuned against the simulated services in the tests of the limiter.

use std::time::Duration;

/// The share of a published rate that is used: clocks and networks are not exact.
const USED_SHARE: f64 = 0.98;
/// How much of an unused rate is saved up. Services save up a second's worth; the rest is for requests that overtake each other.
const BURST: Duration = Duration::from_millis(800);
/// What is left of the rate after a throttled answer.
const DECREASE: f64 = 0.85;
/// The shortest time between two cuts: what a cut does shows only after a while.
const CUT_INTERVAL: Duration = Duration::from_millis(500);
/// The slowest pace in requests a second.
const RATE_MIN: f64 = 0.5;
/// Requests a second that the rate gains each second: a constant, and a share of itself.
const INCREASE: f64 = 0.1;
const INCREASE_SHARE: f64 = 0.06;
/// The share that an assumed rate gains each second until the service throttles for the first time: nothing is known of it yet, and
/// five a second would be a quarter of what the service's other operations allow.
const FIRST_INCREASE_SHARE: f64 = 0.3;
/// Within this distance of the rate at the last cut, as a share of it, the rate grows by this part of the above only.
const NEAR: f64 = 0.1;
const INCREASE_NEAR: f64 = 0.25;

/// The pace of one operation.
#[derive(Clone, Debug)]
pub(super) struct Budget {
    /// Requests a second.
    rate: f64,
    /// The most that the rate may become.
    ceiling: f64,
    /// When all that has been granted so far would be used up, had it been sent evenly.
    due: Duration,
    last_cut: Option<Cut>,
    /// What is gained before the first cut, as a share of the rate each second.
    first_increase: f64,
}

#[derive(Clone, Copy, Debug)]
struct Cut {
    at: Duration,
    /// The rate that was too high.
    rate: f64,
    has_succeeded_since: bool,
}

impl Budget {
    /// At a published rate, which is never exceeded.
    pub(super) fn published(per_second: u32) -> Self {
        let rate = f64::from(per_second) * USED_SHARE;
        Self { rate, ceiling: rate, due: Duration::ZERO, last_cut: None, first_increase: INCREASE_SHARE }
    }

    /// At a rate to begin with.
    pub(super) fn assumed(per_second: u32) -> Self {
        Self {
            rate: f64::from(per_second),
            ceiling: f64::INFINITY,
            due: Duration::ZERO,
            last_cut: None,
            first_increase: FIRST_INCREASE_SHARE,
        }
    }

    /// When the next request may be sent. The time is taken: the request after it gets a later one, once the burst is used up.
    pub(super) fn reserve(&mut self, now: Duration) -> Duration {
        let spacing = self.spacing();
        let slot = now.max(self.due.saturating_sub(BURST.saturating_sub(spacing)));
        self.due = self.due.max(now) + spacing;
        slot
    }

    pub(super) fn succeeded(&mut self) {
        let share = if self.last_cut.is_none() { self.first_increase } else { INCREASE_SHARE };
        let mut gain = (INCREASE + share * self.rate) / self.rate;
        if let Some(cut) = self.last_cut.as_mut() {
            cut.has_succeeded_since = true;
            if (self.rate - cut.rate).abs() < NEAR * cut.rate {
                gain *= INCREASE_NEAR;
            }
        }
        self.rate = (self.rate + gain).min(self.ceiling);
    }

    /// Lowers the rate and forgets what was saved up. Answers to requests that were sent before the last cut or right after it do
    /// not count, and neither do those to a service that lets nothing through: going slower does not help against that.
    pub(super) fn throttled(&mut self, sent_at: Duration, now: Duration) {
        if self.last_cut.is_some_and(|cut| sent_at <= cut.at + CUT_INTERVAL || !cut.has_succeeded_since) {
            return;
        }
        self.last_cut = Some(Cut { at: now, rate: self.rate, has_succeeded_since: false });
        self.rate = (self.rate * DECREASE).max(RATE_MIN);
        self.due = self.due.max(now + BURST.max(self.spacing()));
    }

    fn spacing(&self) -> Duration {
        Duration::from_secs_f64(1.0 / self.rate)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }

    #[test]
    fn a_published_rate_is_never_exceeded_whatever_succeeds() {
        let mut budget = Budget::published(20);
        let mut sent = Vec::new();
        while sent.last().is_none_or(|last| *last < ms(60_000)) {
            sent.push(budget.reserve(ms(0)));
            budget.succeeded();
        }
        assert!(sent.iter().filter(|at| **at == ms(0)).count() <= 20);
        for (index, from) in sent.iter().enumerate().skip(20) {
            let within = sent[index..].iter().take_while(|at| **at < *from + ms(1000)).count();
            assert!(within <= 20, "{within} requests in the second from {from:?}");
        }
        let after_a_pause: Vec<_> = (0..100).map(|_| budget.reserve(ms(300_000))).collect();
        assert!(after_a_pause.iter().filter(|at| **at <= ms(300_000)).count() <= 20);
    }

    #[test]
    fn an_assumed_rate_begins_where_it_is_assumed_and_grows_with_success() {
        let mut budget = Budget::assumed(5);
        let slots: Vec<_> = (0..6).map(|_| budget.reserve(ms(0)).as_millis()).collect();
        assert_eq!(slots, [0, 0, 0, 0, 200, 400]);
        for _ in 0..200 {
            budget.succeeded();
        }
        assert!(budget.rate > 15.0, "{}", budget.rate);
    }

    #[test]
    fn one_throttled_answer_costs_little_and_the_published_rate_is_reached_again_soon() {
        let mut budget = Budget::published(20);
        budget.throttled(ms(0), ms(100));
        assert_eq!(budget.rate, 20.0 * USED_SHARE * DECREASE);
        assert!(budget.reserve(ms(100)) > ms(100), "nothing is saved up");
        for _ in 0..150 {
            budget.succeeded();
        }
        assert_eq!(budget.rate, budget.ceiling);
    }

    #[test]
    fn only_a_request_sent_well_after_a_cut_cuts_again_and_only_if_anything_got_through() {
        let mut budget = Budget::published(20);
        budget.throttled(ms(0), ms(100));
        let rate = budget.rate;
        budget.throttled(ms(50), ms(120));
        budget.throttled(ms(1000), ms(1100));
        assert_eq!(budget.rate, rate, "nothing got through");
        budget.succeeded();
        budget.throttled(ms(500), ms(1100));
        assert!(budget.rate >= rate, "sent right after the cut");
        budget.throttled(ms(1100), ms(1200));
        assert!(budget.rate < rate);
    }
}
