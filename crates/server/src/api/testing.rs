//! A whole service in a test: a fresh catalog in a file, an administrator's token, requests without a network.

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use futures::FutureExt;
use futures::future::BoxFuture;
use http::{HeaderMap, Request, StatusCode, header};
use http_body_util::BodyExt;
use serde_json::Value;
use store::{Actor, Audit, AuditVia, BootstrapToken, CatalogUrl, Store};
use tower::ServiceExt;

use super::caller::hash_of;
use crate::auth::password::{Cost, Passwords};
use crate::auth::rate_limit::SignInLimiter;
use crate::clock::SystemClock;
use crate::config::Config;
use crate::http::{CursorKey, Cursors, RequestIds};
use crate::metrics::Metrics;
use crate::outbound::{Outbound, OutboundSettings};
use crate::randomness::SystemRandom;
use crate::router::{Around, assemble};
use crate::sealing::{KeyRing, MasterKey, MasterKeys};
use crate::shutdown::Shutdown;
use crate::state::{App, AppState, NotReady, Readiness};
use crate::telemetry::Traces;
use crate::webhook::{AllowedHosts, Webhooks};
use crate::work::{Nudge, Statuses};

/// The token of the first administrator.
pub(crate) const TOKEN: &str = "a bootstrap token of forty characters...";

#[derive(Debug)]
pub(crate) struct Ready;

impl Readiness for Ready {
    fn check(&self) -> BoxFuture<'_, Result<(), NotReady>> {
        async { Ok(()) }.boxed()
    }
}

/// A service and the folder of its catalog.
pub(crate) struct Service {
    pub(crate) app: App,
    pub(crate) router: Router,
    pub(crate) folder: tempfile::TempDir,
}

/// What was answered.
#[derive(Debug)]
pub(crate) struct Answered {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

pub(crate) fn system() -> Audit {
    Audit { actor: Actor::System { name: "test".into() }, via: AuditVia::Internal, address: None, request_id: None }
}

/// The state around a fresh catalog.
pub(crate) async fn state(config: Config, folder: &tempfile::TempDir) -> AppState {
    let store = Store::open(&CatalogUrl::sqlite(folder.path().join("catalog.db"))).await.unwrap();
    state_of(config, store)
}

pub(crate) fn state_of(config: Config, store: Store) -> AppState {
    let random = Arc::new(SystemRandom);
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let outbound = Outbound::new(&OutboundSettings::default()).unwrap();
    let allowed = AllowedHosts::new(config.alerts.allowed_hosts.iter().map(String::as_str)).unwrap();
    AppState {
        config: Arc::new(config),
        metrics: Arc::new(Metrics::new()),
        shutdown: Shutdown::new(),
        cursors: Cursors::new(&CursorKey::new([1; 32])),
        readiness: Arc::new(Ready),
        store,
        clock: Arc::new(SystemClock),
        random: random.clone(),
        keys: Arc::new(KeyRing::fixed(MasterKeys::new(MasterKey::from_bytes([7; 32]), Vec::new()), Arc::new(SystemClock))),
        request_key: aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, &[2; 32]),
        passwords: Passwords::new(Cost { memory_kib: 8, passes: 1, lanes: 1 }, 12, NonZeroUsize::MIN, random).unwrap(),
        limiter: Mutex::new(SignInLimiter::default()),
        webhooks: Webhooks::new(outbound, allowed),
        nudge: Nudge::default(),
        reconcilers: Statuses::default(),
        aws_environment: aws::Environment::from_lookup(|_| None),
        oidc: None,
        metrics_token: None,
    }
}

impl Service {
    /// A service with an administrator, whose token is [`TOKEN`].
    pub(crate) async fn start() -> Self {
        Self::start_with(Config::default()).await
    }

    pub(crate) async fn start_with(config: Config) -> Self {
        let service = Self::start_empty(config).await;
        service.add_administrator().await;
        service
    }

    /// Makes the first administrator, whose token is [`TOKEN`].
    pub(crate) async fn add_administrator(&self) {
        let app = &self.app;
        let token = BootstrapToken { name: "test".into(), hash: hash_of(TOKEN), scopes: r#"["read","write","admin"]"#.into() };
        app.store.bootstrap(&token, &system(), app.clock.now_ms()).await.unwrap();
    }

    /// A service that nobody has set up.
    pub(crate) async fn start_empty(config: Config) -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self::around(state(config, &folder).await, folder)
    }

    /// The service of a state.
    pub(crate) fn around(state: AppState, folder: tempfile::TempDir) -> Self {
        let app: App = Arc::new(state);
        let around = Around { ids: RequestIds::new(7), traces: Traces::Off };
        let router = assemble(app.clone(), crate::router::api(), Router::new(), around).unwrap();
        Self { app, router, folder }
    }

    /// Sends a request as it is.
    pub(crate) async fn send(&self, request: Request<Body>) -> Answered {
        let (parts, body) = self.router.clone().oneshot(request).await.unwrap().into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        let body = serde_json::from_slice(&bytes).unwrap_or_else(|_| String::from_utf8_lossy(&bytes).into_owned().into());
        Answered { status: parts.status, headers: parts.headers, body }
    }

    /// GET as the administrator.
    pub(crate) async fn get(&self, path: &str) -> Answered {
        self.send(with_token(Request::get(path), TOKEN).body(Body::empty()).unwrap()).await
    }

    /// Any other method with a body, as the administrator; `If-Match` where a version is given.
    pub(crate) async fn call(&self, method: &str, path: &str, version: Option<i64>, body: &Value) -> Answered {
        let mut request = with_token(Request::builder().method(method).uri(path), TOKEN);
        if let Some(version) = version {
            request = request.header(header::IF_MATCH, format!("\"{version}\""));
        }
        let request = request.header(header::CONTENT_TYPE, "application/json");
        self.send(request.body(Body::from(body.to_string())).unwrap()).await
    }
}

pub(crate) fn with_token(request: http::request::Builder, token: &str) -> http::request::Builder {
    request.header(header::AUTHORIZATION, format!("Bearer {token}"))
}
