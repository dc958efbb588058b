//! What every handler can reach. One struct behind one pointer: a component that handlers need becomes a field here.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::future::BoxFuture;
use secrecy::SecretString;

use store::Store;

use crate::auth::oidc::Oidc;
use crate::auth::password::Passwords;
use crate::auth::rate_limit::SignInLimiter;
use crate::clock::Clock;
use crate::config::Config;
use crate::http::Cursors;
use crate::metrics::Metrics;
use crate::randomness::Random;
use crate::sealing::KeyRing;
use crate::shutdown::Shutdown;
use crate::webhook::Webhooks;
use crate::work::{Nudge, Statuses};

/// The state of the router: `State(app): State<App>`.
pub type App = Arc<AppState>;

/// The parts of the service.
pub struct AppState {
    /// What the operator set.
    pub config: Arc<Config>,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// How it ends; streams select on its soft token.
    pub shutdown: Shutdown,
    /// Makes and reads cursors.
    pub cursors: Cursors,
    /// Whether requests make sense yet.
    pub readiness: Arc<dyn Readiness>,
    /// The catalog, and everything else that lasts.
    pub store: Store,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Where secrets and tokens come from.
    pub random: Arc<dyn Random>,
    /// What secrets are sealed with; it follows a rotation.
    pub keys: Arc<KeyRing>,
    /// What a request that may be repeated is recognised by.
    pub request_key: aws_lc_rs::hmac::Key,
    /// Hashes and compares passwords.
    pub passwords: Passwords,
    /// Slows down who guesses.
    pub limiter: Mutex<SignInLimiter>,
    /// Sends alerts.
    pub webhooks: Webhooks,
    /// Wakes those who wait for work.
    pub nudge: Nudge,
    /// What the reconcilers of this process last did.
    pub reconcilers: Statuses,
    /// Endpoints, proxy and credentials that the process has for AWS.
    pub aws_environment: aws::Environment,
    /// Signs in at the identity provider, where one is configured.
    pub oidc: Option<Oidc>,
    /// What `/metrics` asks for, if anything.
    pub metrics_token: Option<SecretString>,
}

impl std::fmt::Debug for AppState {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("AppState").field("config", &self.config).finish_non_exhaustive()
    }
}

/// What is missing for requests to make sense, in words for an operator: the text is shown without signing in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotReady(pub String);

/// Whether the store is reachable and its migrations are done.
pub trait Readiness: Send + Sync {
    /// Asks now.
    fn check(&self) -> BoxFuture<'_, Result<(), NotReady>>;
}

const READINESS_TIMEOUT: Duration = Duration::from_secs(2);

impl AppState {
    /// Ready, stopping, or what is missing; within two seconds.
    ///
    /// # Errors
    /// What is missing.
    pub async fn ready(&self) -> Result<(), NotReady> {
        if self.shutdown.soft().is_cancelled() {
            return Err(NotReady("the service is stopping".to_owned()));
        }
        let asked = tokio::time::timeout(READINESS_TIMEOUT, self.readiness.check()).await;
        asked.unwrap_or_else(|_| Err(NotReady("the catalog does not answer".to_owned())))
    }
}
