//! Credentials that are held and renewed in time, by one request at a time however many wait for them.

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_smithy_runtime_api::client::identity::Identity;
use connector::port::ApiError;

use crate::clock::Clock;

/// How long before their expiry credentials are renewed.
pub(crate) const RENEW_BEFORE: Duration = Duration::from_secs(300);
/// Credentials that are never far from their expiry are renewed this often at most.
const RENEW_SPACING: Duration = Duration::from_secs(1);
/// How long a renewal that failed is left alone while the old credentials still hold.
const RENEW_PAUSE: Duration = Duration::from_secs(10);

/// Credentials in use.
#[derive(Debug)]
pub(crate) struct Held {
    pub(crate) identity: Identity,
    credentials: Credentials,
    /// Counts renewals, so that of many requests that find the same credentials expired one renews them.
    pub(crate) generation: u64,
    pub(crate) arn: Option<String>,
}

/// What a caller needs.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Need {
    /// Credentials that last.
    Lasting,
    /// Others than those of this generation, which were refused.
    NewerThan(u64),
}

/// Fetched credentials.
pub(crate) struct Fetched {
    pub(crate) credentials: Credentials,
    pub(crate) arn: Option<String>,
}

#[derive(Debug)]
pub(crate) struct Cache {
    clock: Clock,
    state: Mutex<State>,
    flight: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct State {
    held: Option<Arc<Held>>,
    /// From then on new credentials are fetched; never, for those that do not expire.
    renew_at: Option<SystemTime>,
}

impl Cache {
    pub(crate) fn new(clock: Clock) -> Self {
        Self { clock, state: Mutex::default(), flight: tokio::sync::Mutex::default() }
    }

    /// The credentials, fetched if those at hand do not do. A renewal that fails while the old ones still hold is no failure.
    pub(crate) async fn get<F>(&self, need: Need, fetch: impl FnOnce() -> F + Send) -> Result<Arc<Held>, ApiError>
    where
        F: Future<Output = Result<Fetched, ApiError>> + Send,
    {
        if let Some(held) = self.at_hand(need) {
            return Ok(held);
        }
        let _alone = self.flight.lock().await;
        if let Some(held) = self.at_hand(need) {
            return Ok(held);
        }
        match fetch().await {
            Ok(fetched) => Ok(self.keep(fetched)),
            Err(error) => match self.still_valid(need) {
                Some(held) => {
                    tracing::warn!(%error, "credentials were not renewed; the old ones are used until they expire");
                    Ok(held)
                }
                None => Err(error),
            },
        }
    }

    fn at_hand(&self, need: Need) -> Option<Arc<Held>> {
        let now = self.clock.now();
        let state = self.state();
        let held = state.held.as_ref()?;
        let does = match need {
            Need::Lasting => state.renew_at.is_none_or(|at| now < at) && !held.is_expired(now),
            Need::NewerThan(generation) => held.generation > generation,
        };
        does.then(|| Arc::clone(held))
    }

    fn keep(&self, fetched: Fetched) -> Arc<Held> {
        let now = self.clock.now();
        let mut state = self.state();
        let generation = state.held.as_ref().map_or(0, |held| held.generation + 1);
        let expiry = fetched.credentials.expiry();
        let identity = fetched.credentials.clone().into();
        let held = Arc::new(Held { identity, credentials: fetched.credentials, generation, arn: fetched.arn });
        state.renew_at = expiry.map(|at| at.checked_sub(RENEW_BEFORE).unwrap_or(now).max(now + RENEW_SPACING));
        state.held = Some(Arc::clone(&held));
        held
    }

    fn still_valid(&self, need: Need) -> Option<Arc<Held>> {
        let now = self.clock.now();
        let mut state = self.state();
        let held = state.held.clone().filter(|held| matches!(need, Need::Lasting) && !held.is_expired(now))?;
        state.renew_at = Some(now + RENEW_PAUSE);
        Some(held)
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    fn is_expired(&self, now: SystemTime) -> bool {
        self.credentials.expiry().is_some_and(|at| at <= now)
    }

    /// Whether both are the same keys: then sending again with the other ones is useless.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        let parts = |held: &Self| {
            let credentials = &held.credentials;
            (credentials.access_key_id().to_owned(), credentials.session_token().map(str::to_owned))
        };
        parts(self) == parts(other)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::time::UNIX_EPOCH;

    use connector::port::{ErrorKind, ReadOperation};

    use super::*;

    struct Fixture {
        cache: Cache,
        now: Arc<AtomicU64>,
        fetches: AtomicU64,
    }

    impl Fixture {
        fn new() -> Self {
            let now = Arc::new(AtomicU64::new(1_000_000));
            let clock = Arc::clone(&now);
            let cache = Cache::new(Clock::new(move || UNIX_EPOCH + Duration::from_secs(clock.load(Ordering::SeqCst))));
            Self { cache, now, fetches: AtomicU64::new(0) }
        }

        fn pass(&self, seconds: u64) {
            self.now.fetch_add(seconds, Ordering::SeqCst);
        }

        async fn get(&self, need: Need, lifetime: Option<u64>) -> Arc<Held> {
            let fetch = || async {
                let count = self.fetches.fetch_add(1, Ordering::SeqCst);
                tokio::task::yield_now().await;
                let expiry = lifetime.map(|seconds| self.cache.clock.now() + Duration::from_secs(seconds));
                let credentials = Credentials::new(format!("AKIA{count}"), "secret", None, expiry, "test");
                Ok(Fetched { credentials, arn: None })
            };
            self.cache.get(need, fetch).await.unwrap()
        }

        fn fetched(&self) -> u64 {
            self.fetches.load(Ordering::SeqCst)
        }
    }

    fn failure() -> ApiError {
        ApiError {
            operation: ReadOperation::AssumeRole,
            kind: ErrorKind::Unavailable,
            code: None,
            message: "no answer".to_owned(),
            suggested_action: String::new(),
            source: None,
        }
    }

    #[tokio::test]
    async fn credentials_are_renewed_five_minutes_before_they_expire() {
        let fixture = Fixture::new();
        for (seconds, fetched) in [(0, 1), (3299, 1), (1, 2), (3299, 2)] {
            fixture.pass(seconds);
            fixture.get(Need::Lasting, Some(3600)).await;
            assert_eq!(fixture.fetched(), fetched, "after {seconds} s more");
        }
    }

    #[tokio::test]
    async fn credentials_of_a_minute_are_renewed_but_not_for_every_request() {
        let fixture = Fixture::new();
        for (seconds, fetched) in [(0, 1), (0, 1), (1, 2), (0, 2)] {
            fixture.pass(seconds);
            fixture.get(Need::Lasting, Some(60)).await;
            assert_eq!(fixture.fetched(), fetched);
        }
    }

    #[tokio::test]
    async fn credentials_without_expiry_are_fetched_once() {
        let fixture = Fixture::new();
        fixture.get(Need::Lasting, None).await;
        fixture.pass(1_000_000);
        fixture.get(Need::Lasting, None).await;
        assert_eq!(fixture.fetched(), 1);
    }

    #[tokio::test]
    async fn many_requests_that_find_the_same_credentials_refused_renew_them_once() {
        let fixture = Fixture::new();
        let refused = fixture.get(Need::Lasting, Some(3600)).await;
        let need = Need::NewerThan(refused.generation);
        let (one, two, three) =
            tokio::join!(fixture.get(need, Some(3600)), fixture.get(need, Some(3600)), fixture.get(need, Some(3600)));
        assert_eq!(fixture.fetched(), 2);
        assert!(one.is_same(&two) && two.is_same(&three) && !one.is_same(&refused));
    }

    #[tokio::test]
    async fn a_failed_renewal_leaves_the_old_credentials_in_use_until_they_expire() {
        let fixture = Fixture::new();
        let first = fixture.get(Need::Lasting, Some(600)).await;
        fixture.pass(400);
        let fail = || async { Err(failure()) };
        assert!(fixture.cache.get(Need::Lasting, fail).await.unwrap().is_same(&first));
        assert!(fixture.cache.get(Need::NewerThan(first.generation), fail).await.is_err());
        fixture.pass(200);
        assert!(fixture.cache.get(Need::Lasting, fail).await.is_err());
    }
}
