//! Passwords: argon2id with the parameters that OWASP recommends, away from the threads that serve requests.
//!
//! Hashing takes 19 MiB and tens of milliseconds. So only a few run at once, a bounded number waits, and whoever comes on top
//! is told to try again: a flood of sign-ins can take neither the memory nor the threads. A user that does not exist costs
//! the same time as a wrong password.
//!
//! Parameters: OWASP Password Storage Cheat Sheet, Argon2id, m = 19456 KiB, t = 2, p = 1.

use std::fmt;
use std::num::NonZeroUsize;
use std::sync::Arc;

use argon2::password_hash::phc::PasswordHash as Phc;
use argon2::{Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use zeroize::Zeroizing;

use crate::randomness::{Random, RandomError, draw};

/// Longest password, in bytes.
pub const PASSWORD_BYTES_MAX: usize = 1024;
/// How many callers wait for a turn per hash that runs; more are refused.
const WAITING_PER_TURN: usize = 16;
const SALT_BYTES: usize = 16;

/// What a hash costs. The whole of it is written in each hash, so a change concerns only new ones and those of the next
/// sign-in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    /// Memory, KiB.
    pub memory_kib: u32,
    /// Passes over the memory.
    pub passes: u32,
    /// Lanes.
    pub lanes: u32,
}

impl Cost {
    /// The recommendation of OWASP.
    pub const OWASP: Self = Self { memory_kib: 19 * 1024, passes: 2, lanes: 1 };
}

/// Why a password was not hashed or checked. No message holds one.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PasswordError {
    /// Not long enough for this installation.
    #[error("the password is too short: it needs at least {min} characters; several words are easy to remember")]
    TooShort {
        /// The least number of characters.
        min: usize,
    },
    /// Longer than is hashed.
    #[error("the password is too long: at most {PASSWORD_BYTES_MAX} bytes are taken")]
    TooLong,
    /// Too many sign-ins at once.
    #[error("too many people sign in at this moment: try again in a few seconds")]
    Busy,
    /// What is stored is not a hash of ours.
    #[error("the stored password cannot be read ({reason}): an administrator has to set a new one for this user")]
    Stored {
        /// What the parser said.
        reason: argon2::password_hash::Error,
    },
    /// The cost is none that argon2 takes.
    #[error("the cost of password hashing is not possible ({reason}): use the recommended one")]
    Cost {
        /// What argon2 said.
        reason: String,
    },
    /// No random bytes.
    #[error(transparent)]
    Random(#[from] RandomError),
    /// The task ended, which only a shutdown brings about.
    #[error("the server is shutting down: sign in again in a moment")]
    Ended,
}

/// What a password was found to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The right one.
    Right,
    /// The right one, but hashed at another cost: hash it anew and store that.
    RightButOutdated,
    /// Not the right one, or there is no such user.
    Wrong,
}

/// Hashes and checks passwords.
#[derive(Clone)]
pub struct Passwords(Arc<Inner>);

struct Inner {
    argon2: Argon2<'static>,
    length_min: usize,
    random: Arc<dyn Random>,
    /// Those that run.
    turns: Arc<Semaphore>,
    /// Those that run or wait.
    places: Arc<Semaphore>,
    /// A hash of nobody's password.
    nobody: String,
}

impl Passwords {
    /// `length_min` counts characters; `turns` is how many hashes run at once, each in [`Cost::memory_kib`] of memory.
    /// Takes as long as one hash.
    ///
    /// # Errors
    /// [`PasswordError::Cost`], [`PasswordError::Random`].
    pub fn new(cost: Cost, length_min: usize, turns: NonZeroUsize, random: Arc<dyn Random>) -> Result<Self, PasswordError> {
        let params = Params::new(cost.memory_kib, cost.passes, cost.lanes, None)
            .map_err(|error| PasswordError::Cost { reason: error.to_string() })?;
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let nobody = hash_now(&argon2, &draw::<SALT_BYTES>(&*random)?, &draw::<SALT_BYTES>(&*random)?)?;
        let places = turns.get().saturating_mul(1 + WAITING_PER_TURN).min(Semaphore::MAX_PERMITS);
        let turns = turns.get().min(Semaphore::MAX_PERMITS);
        let (turns, places) = (Arc::new(Semaphore::new(turns)), Arc::new(Semaphore::new(places)));
        Ok(Self(Arc::new(Inner { argon2, length_min, random, turns, places, nobody })))
    }

    /// Hashes a new password into a PHC string.
    ///
    /// # Errors
    /// [`PasswordError::TooShort`], [`PasswordError::TooLong`], [`PasswordError::Busy`], [`PasswordError::Random`].
    pub async fn hash(&self, password: Zeroizing<String>) -> Result<String, PasswordError> {
        if password.chars().count() < self.0.length_min {
            return Err(PasswordError::TooShort { min: self.0.length_min });
        }
        let salt = draw::<SALT_BYTES>(&*self.0.random)?;
        self.take_turn(password, move |inner, password| hash_now(&inner.argon2, password, &salt)).await
    }

    /// Checks a password against what is stored, or against nothing when there is no such user, in the same time.
    ///
    /// # Errors
    /// [`PasswordError::TooLong`], [`PasswordError::Busy`], [`PasswordError::Stored`].
    pub async fn verify(&self, password: Zeroizing<String>, stored: Option<String>) -> Result<Verdict, PasswordError> {
        self.take_turn(password, move |inner, password| match stored {
            Some(stored) => verify_now(&inner.argon2, password, &stored),
            None => verify_now(&inner.argon2, password, &inner.nobody).map(|_nobody| Verdict::Wrong),
        })
        .await
    }

    /// Runs on a thread for blocking work. The turn is kept by the work itself, also when the caller has gone away.
    async fn take_turn<T: Send + 'static>(
        &self,
        password: Zeroizing<String>,
        work: impl FnOnce(&Inner, &[u8]) -> Result<T, PasswordError> + Send + 'static,
    ) -> Result<T, PasswordError> {
        if password.len() > PASSWORD_BYTES_MAX {
            return Err(PasswordError::TooLong);
        }
        let place = Arc::clone(&self.0.places).try_acquire_owned().map_err(|_full| PasswordError::Busy)?;
        let turn = Arc::clone(&self.0.turns).acquire_owned().await.map_err(|_closed| PasswordError::Ended)?;
        let inner = Arc::clone(&self.0);
        tokio::task::spawn_blocking(move || {
            let _held: (OwnedSemaphorePermit, OwnedSemaphorePermit) = (place, turn);
            work(&inner, password.as_bytes())
        })
        .await
        .map_err(|_ended| PasswordError::Ended)?
    }
}

impl fmt::Debug for Passwords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Passwords").field("argon2", &self.0.argon2).field("length_min", &self.0.length_min).finish_non_exhaustive()
    }
}

fn hash_now(argon2: &Argon2<'_>, password: &[u8], salt: &[u8]) -> Result<String, PasswordError> {
    let hash: Phc =
        argon2.hash_password_with_salt(password, salt).map_err(|error| PasswordError::Cost { reason: error.to_string() })?;
    Ok(hash.to_string())
}

/// The comparison of argon2 takes the same time wherever the hashes differ.
fn verify_now(argon2: &Argon2<'_>, password: &[u8], stored: &str) -> Result<Verdict, PasswordError> {
    let hash = Phc::new(stored).map_err(|error| PasswordError::Stored { reason: error.into() })?;
    match argon2.verify_password(password, &hash) {
        Ok(()) if is_current(argon2, &hash) => Ok(Verdict::Right),
        Ok(()) => Ok(Verdict::RightButOutdated),
        Err(argon2::password_hash::Error::PasswordInvalid) => Ok(Verdict::Wrong),
        Err(reason) => Err(PasswordError::Stored { reason }),
    }
}

fn is_current(argon2: &Argon2<'_>, hash: &Phc) -> bool {
    let now = argon2.params();
    hash.algorithm == Algorithm::Argon2id.ident()
        && Params::try_from(hash)
            .is_ok_and(|then| (then.m_cost(), then.t_cost(), then.p_cost()) == (now.m_cost(), now.t_cost(), now.p_cost()))
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroUsize;
    use std::sync::Arc;

    use zeroize::Zeroizing;

    use super::{Cost, PASSWORD_BYTES_MAX, PasswordError, Passwords, Verdict, WAITING_PER_TURN};
    use crate::randomness::SystemRandom;

    /// Fast enough for a build that is not optimised.
    const CHEAP: Cost = Cost { memory_kib: 64, passes: 1, lanes: 1 };

    fn passwords(cost: Cost) -> Passwords {
        Passwords::new(cost, 8, NonZeroUsize::MIN, Arc::new(SystemRandom)).unwrap()
    }

    fn text(text: &str) -> Zeroizing<String> {
        Zeroizing::new(text.to_owned())
    }

    #[tokio::test]
    async fn the_recommended_cost_is_written_in_the_hash_and_the_password_opens_it() {
        let passwords = passwords(Cost::OWASP);
        let hash = passwords.hash(text("correct horse")).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert_eq!(passwords.verify(text("correct horse"), Some(hash.clone())).await.unwrap(), Verdict::Right);
        assert_eq!(passwords.verify(text("correct hors"), Some(hash)).await.unwrap(), Verdict::Wrong);
    }

    #[tokio::test]
    async fn a_hash_of_another_cost_is_right_but_outdated() {
        let hash = passwords(CHEAP).hash(text("correct horse")).await.unwrap();
        let dearer = passwords(Cost { passes: 2, ..CHEAP });
        assert_eq!(dearer.verify(text("correct horse"), Some(hash.clone())).await.unwrap(), Verdict::RightButOutdated);
        assert_eq!(dearer.verify(text("wrong horse"), Some(hash)).await.unwrap(), Verdict::Wrong);
    }

    #[tokio::test]
    async fn nobody_has_no_password() {
        assert_eq!(passwords(CHEAP).verify(text("correct horse"), None).await.unwrap(), Verdict::Wrong);
        assert_eq!(passwords(CHEAP).verify(text(""), None).await.unwrap(), Verdict::Wrong);
    }

    #[tokio::test]
    async fn two_hashes_of_one_password_differ() {
        let passwords = passwords(CHEAP);
        assert_ne!(passwords.hash(text("correct horse")).await.unwrap(), passwords.hash(text("correct horse")).await.unwrap());
    }

    #[tokio::test]
    async fn short_and_long_passwords_are_refused_by_characters_and_bytes() {
        let passwords = passwords(CHEAP);
        assert!(matches!(passwords.hash(text("öööö")).await, Err(PasswordError::TooShort { min: 8 })));
        assert!(passwords.hash(text("öööööööö")).await.is_ok());
        let long = "a".repeat(PASSWORD_BYTES_MAX + 1);
        assert!(matches!(passwords.hash(text(&long)).await, Err(PasswordError::TooLong)));
        assert!(matches!(passwords.verify(text(&long), None).await, Err(PasswordError::TooLong)));
        assert!(passwords.hash(text(&long[1..])).await.is_ok());
    }

    #[tokio::test]
    async fn what_is_not_a_hash_is_an_error_that_says_what_to_do() {
        let error = passwords(CHEAP).verify(text("correct horse"), Some("plain".to_owned())).await.unwrap_err();
        assert!(error.to_string().contains("set a new one"), "{error}");
    }

    #[tokio::test]
    async fn a_flood_is_told_to_try_again() {
        let passwords = passwords(CHEAP);
        let turn = Arc::clone(&passwords.0.turns).acquire_owned().await.unwrap();
        let waiting: Vec<_> = (0..=WAITING_PER_TURN)
            .map(|_| {
                let passwords = passwords.clone();
                tokio::spawn(async move { passwords.verify(text("correct horse"), None).await })
            })
            .collect();
        tokio::task::yield_now().await;
        assert!(matches!(passwords.verify(text("correct horse"), None).await, Err(PasswordError::Busy)));
        drop(turn);
        for one in waiting {
            assert_eq!(one.await.unwrap().unwrap(), Verdict::Wrong);
        }
    }
}
