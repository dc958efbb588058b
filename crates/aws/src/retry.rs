//! Whether to try again, and when. Pure: chance is a parameter.

use std::time::Duration;

/// The most attempts at one request, whatever goes wrong.
pub(crate) const ATTEMPTS_MAX: u32 = 10;
/// The longest wait that a service's `Retry-After` is obeyed for.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(20);

/// What a failed attempt means for the next one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RetryClass {
    /// The service asks to slow down.
    Throttled,
    /// A fault that is likely over soon.
    Transient,
    /// No connection. Few attempts: a closed network should be diagnosed, not waited for.
    Unreachable,
    /// The answer was broken.
    Malformed,
    /// The same request will fail the same way.
    Never,
}

impl RetryClass {
    const COUNT: usize = 5;

    /// The most attempts, the first wait, the longest wait.
    const fn limits(self) -> (u32, Duration, Duration) {
        match self {
            Self::Throttled => (ATTEMPTS_MAX, Duration::from_millis(500), Duration::from_secs(20)),
            Self::Transient => (ATTEMPTS_MAX, Duration::from_millis(100), Duration::from_secs(5)),
            Self::Unreachable => (4, Duration::from_millis(200), Duration::from_secs(2)),
            Self::Malformed => (3, Duration::from_millis(100), Duration::from_secs(1)),
            Self::Never => (1, Duration::ZERO, Duration::ZERO),
        }
    }
}

/// What to do after a failed attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    /// Report the failure.
    GiveUp,
    /// Try again after this time.
    RetryAfter(Duration),
}

/// The failed attempts at one request.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Attempts {
    total: u32,
    by_class: [u32; RetryClass::COUNT],
}

impl Attempts {
    /// Counts a failed attempt of a class and decides what follows. `random` is from 0 to 1: the wait is a random share of an
    /// exponentially growing time (full jitter), and at least what the service asked for.
    pub(crate) fn next(&mut self, class: RetryClass, retry_after: Option<Duration>, random: f64) -> Decision {
        let of_class = &mut self.by_class[class as usize];
        self.total += 1;
        *of_class += 1;
        let (attempts_max, first, longest) = class.limits();
        if *of_class >= attempts_max || self.total >= ATTEMPTS_MAX {
            return Decision::GiveUp;
        }
        let grown = first.saturating_mul(1 << (*of_class - 1).min(16)).min(longest);
        let asked = retry_after.unwrap_or_default().min(RETRY_AFTER_MAX);
        Decision::RetryAfter(grown.mul_f64(random.clamp(0.0, 1.0)).max(asked))
    }

    /// How many attempts have failed.
    pub(crate) const fn made(&self) -> u32 {
        self.total
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waits(class: RetryClass, random: f64) -> Vec<u128> {
        let mut attempts = Attempts::default();
        std::iter::from_fn(|| match attempts.next(class, None, random) {
            Decision::RetryAfter(wait) => Some(wait.as_millis()),
            Decision::GiveUp => None,
        })
        .collect()
    }

    #[test]
    fn waits_grow_to_their_bound_and_attempts_end() {
        assert_eq!(waits(RetryClass::Throttled, 1.0), [500, 1000, 2000, 4000, 8000, 16_000, 20_000, 20_000, 20_000]);
        assert_eq!(waits(RetryClass::Transient, 1.0), [100, 200, 400, 800, 1600, 3200, 5000, 5000, 5000]);
        assert_eq!(waits(RetryClass::Unreachable, 1.0), [200, 400, 800]);
        assert_eq!(waits(RetryClass::Malformed, 1.0), [100, 200]);
        assert!(waits(RetryClass::Never, 1.0).is_empty());
    }

    #[test]
    fn jitter_is_full() {
        assert_eq!(waits(RetryClass::Throttled, 0.0), [0; 9]);
        assert_eq!(waits(RetryClass::Malformed, 0.5), [50, 100]);
    }

    #[test]
    fn a_service_that_names_a_time_is_obeyed_up_to_a_bound() {
        let mut attempts = Attempts::default();
        let mut next = |seconds| attempts.next(RetryClass::Throttled, Some(Duration::from_secs(seconds)), 0.0);
        assert_eq!(next(3), Decision::RetryAfter(Duration::from_secs(3)));
        assert_eq!(next(3600), Decision::RetryAfter(RETRY_AFTER_MAX));
    }

    #[test]
    fn broken_answers_after_throttling_still_get_their_own_attempts_within_the_total() {
        let mut attempts = Attempts::default();
        for _ in 0..7 {
            assert_ne!(attempts.next(RetryClass::Throttled, None, 0.0), Decision::GiveUp);
        }
        assert_ne!(attempts.next(RetryClass::Malformed, None, 0.0), Decision::GiveUp);
        assert_ne!(attempts.next(RetryClass::Malformed, None, 0.0), Decision::GiveUp);
        assert_eq!(attempts.next(RetryClass::Transient, None, 0.0), Decision::GiveUp);
        assert_eq!(attempts.made(), ATTEMPTS_MAX);
    }
}
