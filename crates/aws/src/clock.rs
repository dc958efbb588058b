//! The two things that logic here takes as parameters: the time of day and chance.

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

/// Says what time it is: for signatures and for the expiry of credentials.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> SystemTime + Send + Sync>);

impl Clock {
    /// The machine's clock.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "the one place of this crate that reads the clock")]
    pub fn system() -> Self {
        Self::new(SystemTime::now)
    }

    /// Any other clock.
    #[must_use]
    pub fn new(now: impl Fn() -> SystemTime + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }

    pub(crate) fn now(&self) -> SystemTime {
        (self.0)()
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clock")
    }
}

/// Numbers from 0 to 1, for the jitter of retries.
#[derive(Clone)]
pub struct Random(Arc<dyn Fn() -> f64 + Send + Sync>);

impl Random {
    /// Chance. Jitter needs no cryptographic quality.
    #[must_use]
    pub fn system() -> Self {
        Self::new(fastrand::f64)
    }

    /// Any other source.
    #[must_use]
    pub fn new(next: impl Fn() -> f64 + Send + Sync + 'static) -> Self {
        Self(Arc::new(next))
    }

    pub(crate) fn next(&self) -> f64 {
        (self.0)()
    }
}

impl fmt::Debug for Random {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Random")
    }
}
