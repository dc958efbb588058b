//! What every handler can reach. One struct behind one pointer: a component that handlers need becomes a field here.

use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use secrecy::SecretString;

use crate::config::Config;
use crate::http::Cursors;
use crate::metrics::Metrics;
use crate::shutdown::Shutdown;

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
