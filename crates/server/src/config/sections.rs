//! The settings, a struct for each section of the file. docs/isinglass.toml explains each key; a test holds the two together.

use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroU32;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::secret::SecretReference;
use super::values::{CatalogUrl, Cidr, DefaultRole, LogFormat, Network, VariableName};

const DEFAULT_PORT: u16 = 7070;

/// Everything that an operator may set.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq, Eq)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where the service listens.
    pub listen: SocketAddr,
    /// Whether plain HTTP may leave the machine (behind a proxy that ends TLS).
    pub listen_insecure: bool,
    /// How browsers reach the service, for redirects and cookies.
    pub public_url: Option<String>,
    /// The catalog; without it, a SQLite file in the user's data directory (which the command line knows).
    pub catalog: Option<CatalogUrl>,
    /// Whether this process also works on direct crawls and reconciliation.
    pub workers: bool,
    /// TLS.
    pub tls: Tls,
    /// The key that seals credentials.
    pub master_key: MasterKey,
    /// How people sign in.
    pub sign_in: SignIn,
    /// Direct crawls.
    pub crawl: Crawl,
    /// Alerts to webhooks.
    pub alerts: Alerts,
    /// Bounds of the service.
    pub limits: Limits,
    /// How long things are kept.
    pub retention: Retention,
    /// Log.
    pub log: Log,
    /// Traces.
    pub telemetry: Telemetry,
    /// Metrics.
    pub metrics: Metrics,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, DEFAULT_PORT)),
            listen_insecure: false,
            public_url: None,
            catalog: None,
            workers: true,
            tls: Tls::default(),
            master_key: MasterKey::default(),
            sign_in: SignIn::default(),
            crawl: Crawl::default(),
            alerts: Alerts::default(),
            limits: Limits::default(),
            retention: Retention::default(),
            log: Log::default(),
            telemetry: Telemetry::default(),
            metrics: Metrics::default(),
        }
    }
}

/// The pair of PEM files, both or neither.
#[derive(Clone, Debug, Default, Serialize, Deserialize, PartialEq, Eq)]
#[serde(default, deny_unknown_fields)]
pub struct Tls {
    /// The chain, the server's certificate first.
    pub certificate_file: Option<PathBuf>,
    /// The private key.
    pub key_file: Option<PathBuf>,
}

/// The two files of [`Tls`], when TLS is on.
#[derive(Clone, Debug)]
pub struct TlsFiles {
    /// The chain.
    pub certificate: PathBuf,
    /// The private key.
    pub key: PathBuf,
}

impl Tls {
    /// Both files, or nothing when TLS is off; that one comes without the other is refused on loading.
    #[must_use]
    pub fn files(&self) -> Option<TlsFiles> {
        let (certificate, key) = (self.certificate_file.clone()?, self.key_file.clone()?);
        Some(TlsFiles { certificate, key })
    }
}

/// Where the master key is; without either, a file beside the SQLite catalog.
#[derive(Clone, Debug, Default, Serialize, Deserialize, PartialEq, Eq)]
#[serde(default, deny_unknown_fields)]
pub struct MasterKey {
    /// A file that only the service can read.
    pub file: Option<PathBuf>,
    /// The variable that holds it.
    pub variable: Option<VariableName>,
}

impl MasterKey {
    /// Where the key is.
    #[must_use]
    pub fn reference(&self) -> Option<SecretReference> {
        SecretReference::of("master_key", self.file.as_ref(), self.variable.as_ref())
    }
}

/// How people sign in.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq, Eq)]
#[serde(default, deny_unknown_fields)]
pub struct SignIn {
    /// How long a session lasts.
    pub session_hours: NonZeroU32,
    /// The least length of a password, in characters.
    pub password_characters_min: u32,
    /// Single sign-on.
    pub oidc: Oidc,
}

impl Default for SignIn {
    fn default() -> Self {
        Self { session_hours: at_least_one(12), password_characters_min: 12, oidc: Oidc::default() }
    }
}

/// Single sign-on by OpenID Connect; on when `issuer` is set.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq, Eq)]
#[serde(default, deny_unknown_fields)]
pub struct Oidc {
    /// The issuer's URL.
    pub issuer: Option<String>,
    /// The id that the issuer knows the service by.
    pub client_id: Option<String>,
    /// A file that holds the client secret.
    pub client_secret_file: Option<PathBuf>,
    /// The variable that holds the client secret.
    pub client_secret_variable: Option<VariableName>,
    /// Where the issuer sends browsers back to when a session there has ended; without it, they stay there.
    pub post_logout_redirect_url: Option<String>,
    /// What is asked for.
    pub scopes: Vec<String>,
    /// What the button says.
    pub display_name: String,
    /// The claim that decides the role.
    pub role_claim: String,
    /// Values of the claim that make an administrator.
    pub administrators: Vec<String>,
    /// Values of the claim that make a member.
    pub members: Vec<String>,
    /// Values of the claim that make a viewer.
    pub viewers: Vec<String>,
    /// The role of everyone else.
    pub default_role: DefaultRole,
}

impl Default for Oidc {
    fn default() -> Self {
        Self {
            issuer: None,
            client_id: None,
            client_secret_file: None,
            client_secret_variable: None,
            post_logout_redirect_url: None,
            scopes: ["openid", "profile", "email"].map(str::to_owned).to_vec(),
            display_name: "Single sign-on".to_owned(),
            role_claim: "groups".to_owned(),
            administrators: Vec::new(),
            members: Vec::new(),
            viewers: Vec::new(),
            default_role: DefaultRole::None,
        }
    }
}

impl Oidc {
    /// Where the client secret is; public clients have none.
    #[must_use]
    pub fn client_secret(&self) -> Option<SecretReference> {
        let (file, variable) = (self.client_secret_file.as_ref(), self.client_secret_variable.as_ref());
        SecretReference::of("sign_in.oidc.client_secret", file, variable)
    }
}

/// Direct crawls.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq, Eq)]
#[serde(default, deny_unknown_fields)]
pub struct Crawl {
    /// Runs at the same time in this process.
    pub concurrency: NonZeroU32,
    /// Which addresses may be dialled.
    pub network: Network,
    /// Further ranges that count as private.
    pub private_cidrs: Vec<Cidr>,
    /// Certificates of the authorities to trust, PEM, instead of the system's.
    pub ca_bundle: Option<PathBuf>,
    /// Endpoint URLs that a credential may name, exactly.
    pub allowed_endpoint_urls: Vec<String>,
    /// Calls a second, for each operation; without it, what the service allows.
    pub max_rps: Option<NonZeroU32>,
}

impl Default for Crawl {
    fn default() -> Self {
        Self {
            concurrency: at_least_one(2),
            network: Network::Public,
            private_cidrs: Vec::new(),
            ca_bundle: None,
            allowed_endpoint_urls: Vec::new(),
            max_rps: None,
        }
    }
}

/// Alerts.
#[derive(Clone, Debug, Default, Serialize, Deserialize, PartialEq, Eq)]
#[serde(default, deny_unknown_fields)]
pub struct Alerts {
    /// Hosts that an alert may be sent to.
    pub allowed_hosts: Vec<String>,
}

/// Bounds of the service.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq, Eq)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// The largest body of a request.
    pub body_bytes: NonZeroU32,
    /// How long a request may take.
    pub request_seconds: NonZeroU32,
    /// Requests that are worked on at the same time.
    pub requests_in_flight: NonZeroU32,
    /// Connections that are open at the same time.
    pub connections: NonZeroU32,
    /// How long a TLS handshake may take.
    pub handshake_seconds: NonZeroU32,
    /// How long the head of a request may take.
    pub header_seconds: NonZeroU32,
    /// How long requests in flight have when the service stops; at most 30.
    pub drain_seconds: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body_bytes: at_least_one(1 << 20),
            request_seconds: at_least_one(30),
            requests_in_flight: at_least_one(256),
            connections: at_least_one(1024),
            handshake_seconds: at_least_one(10),
            header_seconds: at_least_one(10),
            drain_seconds: 30,
        }
    }
}

/// How long things are kept.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq, Eq)]
#[serde(default, deny_unknown_fields)]
pub struct Retention {
    /// Runs and their reports.
    pub runs_days: NonZeroU32,
    /// The audit.
    pub audit_days: NonZeroU32,
    /// Events of runs.
    pub events_days: NonZeroU32,
}

impl Default for Retention {
    fn default() -> Self {
        Self { runs_days: at_least_one(90), audit_days: at_least_one(365), events_days: at_least_one(30) }
    }
}

/// Log, to standard error.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq, Eq)]
#[serde(default, deny_unknown_fields)]
pub struct Log {
    /// How lines look.
    pub format: LogFormat,
    /// What is logged: a level, or directives as in `info,store=debug`.
    pub level: String,
}

impl Default for Log {
    fn default() -> Self {
        Self { format: LogFormat::Text, level: "info".to_owned() }
    }
}

/// Traces.
#[derive(Clone, Debug, Default, Serialize, Deserialize, PartialEq, Eq)]
#[serde(default, deny_unknown_fields)]
pub struct Telemetry {
    /// The URL that traces are posted to (OTLP over HTTP, with its path); without it, none are made.
    pub otlp_endpoint: Option<String>,
}

/// Metrics.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq, Eq)]
#[serde(default, deny_unknown_fields)]
pub struct Metrics {
    /// Whether `/metrics` answers.
    pub enabled: bool,
    /// A file that holds the token to ask for.
    pub token_file: Option<PathBuf>,
    /// The variable that holds the token to ask for.
    pub token_variable: Option<VariableName>,
}

impl Default for Metrics {
    fn default() -> Self {
        Self { enabled: true, token_file: None, token_variable: None }
    }
}

impl Metrics {
    /// Where the token is, if one is asked for.
    #[must_use]
    pub fn token(&self) -> Option<SecretReference> {
        SecretReference::of("metrics.token", self.token_file.as_ref(), self.token_variable.as_ref())
    }
}

const fn at_least_one(number: u32) -> NonZeroU32 {
    match NonZeroU32::new(number) {
        Some(number) => number,
        None => NonZeroU32::MIN,
    }
}
