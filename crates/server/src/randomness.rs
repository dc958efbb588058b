//! Chance as a parameter: keys, nonces and tokens are drawn from a [`Random`], so that tests can say what is drawn.

use std::fmt;

use aws_lc_rs::rand;

/// The machine gave no random bytes. There is nothing to fall back to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the machine's random number generator failed: nothing secret can be made now; see the kernel's log, then try again")]
pub struct RandomError;

/// A source of bytes that nobody can guess.
pub trait Random: fmt::Debug + Send + Sync {
    /// Fills all of `bytes`.
    ///
    /// # Errors
    /// [`RandomError`] when the source fails; `bytes` must not be used then.
    fn fill(&self, bytes: &mut [u8]) -> Result<(), RandomError>;
}

/// The generator of aws-lc, seeded by the kernel.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemRandom;

impl Random for SystemRandom {
    fn fill(&self, bytes: &mut [u8]) -> Result<(), RandomError> {
        rand::fill(bytes).map_err(|_unspecified| RandomError)
    }
}

/// Draws `LENGTH` bytes.
///
/// # Errors
/// As [`Random::fill`].
pub fn draw<const LENGTH: usize>(random: &dyn Random) -> Result<[u8; LENGTH], RandomError> {
    let mut bytes = [0; LENGTH];
    random.fill(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
pub(crate) mod testing {
    //! A source for tests: every draw differs and every run is the same.

    use std::sync::atomic::{AtomicU8, Ordering};

    use super::{Random, RandomError};

    /// Fills the first draw with 1, the second with 2, and so on.
    #[derive(Debug, Default)]
    pub(crate) struct Counting(AtomicU8);

    impl Random for Counting {
        fn fill(&self, bytes: &mut [u8]) -> Result<(), RandomError> {
            bytes.fill(self.0.fetch_add(1, Ordering::Relaxed).wrapping_add(1));
            Ok(())
        }
    }

    /// Never gives anything.
    #[derive(Debug)]
    pub(crate) struct Broken;

    impl Random for Broken {
        fn fill(&self, _bytes: &mut [u8]) -> Result<(), RandomError> {
            Err(RandomError)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{SystemRandom, draw};

    #[test]
    fn two_draws_of_the_system_differ() {
        assert_ne!(draw::<32>(&SystemRandom).unwrap(), draw::<32>(&SystemRandom).unwrap());
    }
}
