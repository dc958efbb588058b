//! One kind of request to one place: whether one is under way, and when the next may be made after failures.

use super::Alarm;

/// The shortest pause after a failure, milliseconds.
pub(crate) const PAUSE_MIN_MS: i64 = 1_000;
/// The longest pause after failures, milliseconds.
pub(crate) const PAUSE_MAX_MS: i64 = 60_000;

/// At most one request is under way; after a failure there is a pause that doubles up to a bound, with jitter.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Line {
    is_busy: bool,
    failures: u32,
    not_before: i64,
}

impl Line {
    /// Whether a request may be made now. When it is too early, the alarm is set.
    pub(super) fn is_free(&self, steady_ms: i64, alarm: &mut Alarm) -> bool {
        if self.is_busy {
            return false;
        }
        if steady_ms < self.not_before {
            alarm.set(self.not_before);
            return false;
        }
        true
    }

    pub(super) const fn is_busy(&self) -> bool {
        self.is_busy
    }

    /// Failures since the last success.
    pub(super) const fn failures(&self) -> u32 {
        self.failures
    }

    /// A request is under way from now on.
    pub(super) const fn sent(&mut self) {
        self.is_busy = true;
    }

    /// It was answered as it should be.
    pub(super) const fn succeeded(&mut self) {
        *self = Self { is_busy: false, failures: 0, not_before: 0 };
    }

    /// It was answered, and the next one is not wanted before then.
    pub(super) const fn succeeded_until(&mut self, not_before: i64) {
        *self = Self { is_busy: false, failures: 0, not_before };
    }

    /// It was not: the next one comes after a pause of at most `longest_ms`, and not before `at_least_ms` from now.
    pub(super) fn failed(&mut self, steady_ms: i64, longest_ms: i64, at_least_ms: i64, random: &mut fastrand::Rng) {
        self.is_busy = false;
        self.failures = self.failures.saturating_add(1);
        let pause = pause_ms(self.failures, longest_ms, random).max(at_least_ms.min(PAUSE_MAX_MS));
        self.not_before = steady_ms.saturating_add(pause);
    }

    /// The other side answers again: no need to wait any longer.
    pub(super) const fn hurry(&mut self) {
        self.not_before = 0;
    }
}

/// A pause of half to all of 1, 2, 4, … seconds: those who failed together do not come back together.
fn pause_ms(failures: u32, longest_ms: i64, random: &mut fastrand::Rng) -> i64 {
    let doubled = PAUSE_MIN_MS.saturating_mul(1_i64 << failures.saturating_sub(1).min(16));
    let most = (doubled.saturating_mul(2)).min(longest_ms.max(PAUSE_MIN_MS));
    random.i64((most / 2).max(PAUSE_MIN_MS).min(most)..=most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_their_bound_and_differ() {
        let mut random = fastrand::Rng::with_seed(1);
        let mut seen = std::collections::BTreeSet::new();
        for failures in 1..40 {
            let pause = pause_ms(failures, PAUSE_MAX_MS, &mut random);
            assert!((PAUSE_MIN_MS..=PAUSE_MAX_MS).contains(&pause), "{failures}: {pause}");
            assert!(failures < 7 || pause >= PAUSE_MAX_MS / 2, "{failures}: {pause}");
            seen.insert(pause);
        }
        assert!(seen.len() > 20);
    }

    #[test]
    fn a_line_waits_out_its_pause_and_says_until_when() {
        let (mut line, mut alarm) = (Line::default(), Alarm::default());
        assert!(line.is_free(0, &mut alarm) && alarm.get().is_none());
        line.sent();
        assert!(!line.is_free(0, &mut alarm));
        line.failed(0, PAUSE_MAX_MS, 30_000, &mut fastrand::Rng::with_seed(1));
        assert!(!line.is_free(29_999, &mut alarm));
        assert_eq!(alarm.get(), Some(30_000));
        line.hurry();
        assert!(line.is_free(1, &mut alarm));
    }
}
