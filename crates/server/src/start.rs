//! From the configuration to a service that runs: everything is opened and checked before the first request is taken.

mod first_user;
mod key_place;
mod parts;

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use rustls::crypto::CryptoProvider;
use store::{CatalogUrl, Store, StoreError};

use crate::auth::oidc::OidcError;
use crate::auth::password::PasswordError;
use crate::config::{Config, ConfigError, Environment};
use crate::http::RequestIds;
use crate::listener::{ListenError, Listener};
use crate::outbound::OutboundError;
use crate::randomness::{Random, RandomError, SystemRandom, draw};
use crate::router::{Around, assemble};
use crate::sealing::SealingError;
use crate::shutdown::{Drained, Shutdown};
use crate::state::App;
use crate::telemetry::Traces;
use crate::webhook::InvalidHost;
use crate::{router, serve, work};

pub use first_user::{BOOTSTRAP_VARIABLE, FirstUser};
pub use key_place::KeyPlace;

/// Why the service does not start. Each says what to change.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The catalog.
    #[error("the catalog cannot be used")]
    Store(#[from] StoreError),
    /// A secret that the configuration names.
    #[error("the configuration cannot be used")]
    Config(#[from] ConfigError),
    /// The master key.
    #[error("the master key cannot be used")]
    Sealing(#[from] SealingError),
    /// PostgreSQL is shared by replicas, so the key cannot be made by one of them.
    #[error(
        "a catalog in PostgreSQL needs a master key that all replicas share: make one with `isinglass keys create FILE` and set `master_key.file` (or `master_key.variable`)"
    )]
    NoMasterKey,
    /// The first administrator's token.
    #[error("`{BOOTSTRAP_VARIABLE}` has {characters} characters: give it at least 32 and at most 512, of visible ASCII")]
    BootstrapToken {
        /// How many it has.
        characters: usize,
    },
    /// The socket or the certificate.
    #[error("the service cannot listen")]
    Listen(#[from] ListenError),
    /// Requests to others.
    #[error("requests to other servers cannot be set up")]
    Outbound(#[from] OutboundError),
    /// Hosts of alerts.
    #[error("`alerts.allowed_hosts` cannot be used")]
    Alerts(#[from] InvalidHost),
    /// Single sign-on.
    #[error("`sign_in.oidc` cannot be used")]
    Oidc(#[from] OidcError),
    /// `sign_in.oidc` is half set.
    #[error("`sign_in.oidc` needs `{missing}` as well")]
    OidcIncomplete {
        /// The key.
        missing: &'static str,
    },
    /// Passwords.
    #[error("passwords cannot be hashed")]
    Password(#[from] PasswordError),
    /// The operating system's randomness.
    #[error("there is no randomness")]
    Random(#[from] RandomError),
    /// A file of the configuration.
    #[error("{path} cannot be read")]
    File {
        /// The file.
        path: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The operating system or the program.
    #[error("the service cannot be put together")]
    Internal(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// What the shell around the service gives it.
#[derive(Debug)]
pub struct Surroundings<'a> {
    /// Where the catalog is when the configuration does not say.
    pub default_catalog: CatalogUrl,
    /// The variables of the process.
    pub environment: &'a Environment,
    /// The TLS provider of the process.
    pub tls: Arc<CryptoProvider>,
    /// Whether spans go anywhere.
    pub traces: Traces,
    /// Pages beside the API.
    pub pages: Router<App>,
    /// Told who the first administrator is, before the first request.
    pub announce: fn(&FirstUser),
}

/// A service that is put together and holds its address, and answers nobody yet.
pub struct Prepared {
    app: App,
    router: Router,
    listener: Listener,
    address: SocketAddr,
}

/// Opens and checks everything, takes the address, and announces the first administrator if there is none.
///
/// # Errors
/// [`StartError`].
pub async fn prepare(config: Config, around: Surroundings<'_>) -> Result<Prepared, StartError> {
    let url = match &config.catalog {
        Some(url) => CatalogUrl::parse(url.expose())?,
        None => around.default_catalog,
    };
    let random: Arc<dyn Random> = Arc::new(SystemRandom);
    let keys = parts::master_keys(&config, &url, around.environment, &*random)?;
    let store = Store::open(&url).await?;
    let listener = Listener::bind(&config, around.tls).await?;
    let app = Arc::new(parts::state(config, store, keys, random, around.environment)?);
    let address = listener.local_addr().map_err(|error| StartError::Internal(error.into()))?;
    if let Some(first) = first_user::ensure(&app, around.environment, address).await? {
        (around.announce)(&first);
    }
    let ids = RequestIds::new(u64::from_be_bytes(draw(&*app.random)?));
    let router = assemble(app.clone(), router::api(), around.pages, Around { ids, traces: around.traces });
    let router = router.map_err(|error| StartError::Internal(error.into()))?;
    Ok(Prepared { app, router, listener, address })
}

impl Prepared {
    /// Where it listens; tells the port when the configuration asked for any (0).
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What ends it, besides signals.
    #[must_use]
    pub fn shutdown(&self) -> Shutdown {
        self.app.shutdown.clone()
    }

    /// Answers requests and does its work until it is told to stop.
    ///
    /// # Errors
    /// [`StartError::Internal`]: nothing has been served.
    pub async fn serve(self) -> Result<Drained, StartError> {
        let Self { app, router, listener, address: _ } = self;
        work::start(&app);
        let drained = serve::serve(app.clone(), router, listener).await.map_err(|error| StartError::Internal(error.into()))?;
        // The last clone closes: all others are in what has ended by now, and in this.
        let store = app.store.clone();
        drop(app);
        store.close().await;
        Ok(drained)
    }
}

/// Runs the service until it is told to stop.
///
/// # Errors
/// [`StartError`]: nothing has been served.
pub async fn run(config: Config, around: Surroundings<'_>) -> Result<Drained, StartError> {
    prepare(config, around).await?.serve().await
}
