//! How long to wait: longer after each failure, and never all at once.

use std::time::Duration;

use crate::randomness::{Random, draw};

/// A wait doubles this often at most.
const DOUBLINGS_MAX: u32 = 6;

/// Milliseconds of a duration.
pub(super) fn milliseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// `base`, twice as long after each failure but the first, up to 64 times.
pub(super) fn grown(base: Duration, failures: u32) -> Duration {
    base.saturating_mul(1 << failures.saturating_sub(1).min(DOUBLINGS_MAX))
}

/// Between three quarters of a duration and all of it: replicas that start together do not stay together.
pub(super) fn jittered(duration: Duration, random: &dyn Random) -> Duration {
    // Without chance everybody waits for the longest.
    let share = draw::<1>(random).map_or(u8::MAX, |[byte]| byte);
    duration.mul_f64(0.75 + 0.25 * f64::from(share) / f64::from(u8::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::randomness::SystemRandom;
    use crate::randomness::testing::Broken;

    const BASE: Duration = Duration::from_secs(8);

    #[test]
    fn waits_double_up_to_a_bound() {
        let waits: Vec<u64> = [0, 1, 2, 3, 7, 8, u32::MAX].map(|failures| grown(BASE, failures).as_secs()).to_vec();
        assert_eq!(waits, [8, 8, 16, 32, 512, 512, 512]);
    }

    #[test]
    fn a_wait_is_never_longer_and_little_shorter() {
        for _ in 0..100 {
            assert!((Duration::from_secs(6)..=BASE).contains(&jittered(BASE, &SystemRandom)));
        }
        assert_eq!(jittered(BASE, &Broken), BASE);
    }
}
