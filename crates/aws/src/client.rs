//! The client of a run: set up once, cloned freely.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64};

use bytes::Bytes;
use connector::port::{ApiError, ErrorKind, ReadApi, ReadOperation, ReadRequest, Service};

use crate::call::Calls;
use crate::clock::{Clock, Random};
use crate::credentials::cache::{Cache, Need};
use crate::credentials::{Base, IdentitySource, Origin, Session, chain, profiles, sts};
use crate::endpoint::{AwsService, Target};
use crate::evidence::Evidence;
use crate::limiter::Limiter;
use crate::network::connect::Network;
use crate::network::proxy::Proxy;
use crate::network::resolve::{Resolve, SystemResolver};
use crate::network::tls;
use crate::settings::{ConnectError, CredentialSource, Settings};
use crate::sign::Outgoing;
use crate::wire::{Timeouts, Wire};

pub use crate::credentials::SessionScope;
pub use crate::credentials::sts::CallerIdentity;

/// Reads from AWS within the rules of a run. Cloning it shares connections, credentials and limits.
#[derive(Clone, Debug)]
pub struct Client {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    calls: Arc<Calls>,
    session: Session,
    operations: Vec<ReadOperation>,
}

/// What a client takes from the machine besides its settings.
#[derive(Clone, Debug)]
pub struct Surroundings {
    /// Names to addresses.
    pub resolver: Arc<dyn Resolve>,
    /// The time of day.
    pub clock: Clock,
    /// Chance.
    pub random: Random,
    pub(crate) timeouts: Timeouts,
}

impl Default for Surroundings {
    fn default() -> Self {
        Self { resolver: Arc::new(SystemResolver), clock: Clock::system(), random: Random::system(), timeouts: Timeouts::default() }
    }
}

/// How the run signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignIn {
    /// The ARN of the session; known where a role was assumed.
    pub arn: Option<String>,
    /// The account of that session.
    pub account: Option<String>,
    /// How far the session's rights are cut down.
    pub scope: SessionScope,
}

impl Client {
    /// Sets a client up for the reads of a run: checks settings, profiles, endpoints, proxy and certificates. Sends nothing.
    ///
    /// # Errors
    /// Something in the settings, the environment or the profile files cannot be used.
    pub async fn connect(settings: Settings, operations: &[ReadOperation], evidence: Evidence) -> Result<Self, ConnectError> {
        Self::connect_with(settings, operations, evidence, Surroundings::default()).await
    }

    /// As [`Client::connect`], with another resolver, clock or source of chance.
    ///
    /// # Errors
    /// As [`Client::connect`].
    pub async fn connect_with(
        settings: Settings,
        operations: &[ReadOperation],
        evidence: Evidence,
        surroundings: Surroundings,
    ) -> Result<Self, ConnectError> {
        settings.validate()?;
        require_profile(&settings).await?;
        let targets = targets(&settings, operations).await?;
        let network = Arc::new(Network {
            policy: settings.network.clone(),
            proxy: proxy(&settings)?,
            tls: tls::client_config(settings.ca_bundle.as_deref())?,
            resolver: surroundings.resolver,
            evidence: evidence.clone(),
        });
        let services: Vec<_> = targets.keys().copied().collect();
        let clock = surroundings.clock;
        let calls = Arc::new(Calls {
            wire: Wire::new(&network, &services, surroundings.timeouts),
            limiter: Limiter::new(settings.concurrency, settings.max_requests_per_second),
            targets,
            region: settings.region.clone(),
            clock: clock.clone(),
            random: surroundings.random,
            evidence,
            skew_seconds: AtomicI64::new(0),
            has_signed_in: AtomicBool::new(false),
        });
        let base = Base::new(origin(&settings, &network).await, Cache::new(clock.clone()));
        let session = Session::new(base, settings.assume_role, operations, Cache::new(clock), &calls);
        Ok(Self { inner: Arc::new(Inner { calls, session, operations: operations.to_vec() }) })
    }

    /// Gets the credentials now, so that a sign-in that fails does so before any read. A role is assumed here; with plain keys
    /// nothing is sent.
    ///
    /// # Errors
    /// There are no credentials, or STS refused the role.
    pub async fn sign_in(&self) -> Result<SignIn, ApiError> {
        let session = &self.inner.session;
        let first = self.inner.operations.first().copied().unwrap_or(ReadOperation::GetCallerIdentity);
        let operation = if session.has_role() { ReadOperation::AssumeRole } else { first };
        let held = session.held(Need::Lasting, operation).await?;
        let account = held.arn.as_deref().and_then(|arn| arn.split(':').nth(4)).map(str::to_owned);
        Ok(SignIn { arn: held.arn.clone(), account, scope: session.scope() })
    }

    /// Asks STS who the credentials belong to. It needs no permission, and a crawl does not do it: only a preflight.
    ///
    /// # Errors
    /// As any read; the credentials are wrong, mostly.
    pub async fn caller_identity(&self) -> Result<CallerIdentity, ApiError> {
        let body = self.inner.calls.call(&sts::caller_identity_request(), &self.inner.session).await?;
        sts::read_caller_identity(&body).map_err(|error| ApiError {
            operation: ReadOperation::GetCallerIdentity,
            kind: ErrorKind::Malformed,
            code: None,
            message: error.to_string(),
            suggested_action: "look for a proxy on the way that answers in the place of STS".to_owned(),
            source: Some(Box::new(error)),
        })
    }

    /// The record of the run.
    #[must_use]
    pub fn evidence(&self) -> &Evidence {
        &self.inner.calls.evidence
    }

    /// How far the session's rights are cut down; final once signed in.
    #[must_use]
    pub fn session_scope(&self) -> SessionScope {
        self.inner.session.scope()
    }

    /// A read in the protocol of its service. Refuses what is not among the reads of the run; sign-in calls are made by the client
    /// itself only.
    fn admit(&self, request: ReadRequest) -> Result<Outgoing, ApiError> {
        let operation = request.operation;
        if self.inner.operations.contains(&operation) {
            match operation.service() {
                Service::Glue | Service::SecretsManager => return Ok(Outgoing::json(request)),
                Service::DataZone => return Ok(Outgoing::rest(request)),
                Service::Sts => (),
            }
        }
        self.evidence().refused(operation.to_string());
        Err(ApiError {
            operation,
            kind: ErrorKind::Refused,
            code: None,
            message: format!("{operation} is not among the reads of this run; it was refused before signing"),
            suggested_action: "nothing was sent; report this, for no sound build asks for it".to_owned(),
            source: None,
        })
    }
}

impl ReadApi for Client {
    async fn read(&self, request: ReadRequest) -> Result<Bytes, ApiError> {
        let outgoing = self.admit(request)?;
        self.inner.calls.call(&outgoing, &self.inner.session).await
    }
}

/// The profile that credentials are taken from must exist; unless static keys in the environment come first.
async fn require_profile(settings: &Settings) -> Result<(), ConnectError> {
    match (&settings.credentials, &settings.environment.profile) {
        (CredentialSource::Profile(name), _) => profiles::require(name).await,
        (CredentialSource::Chain, Some(name)) if !settings.environment.has_static_keys => profiles::require(name).await,
        (CredentialSource::Chain | CredentialSource::Keys(_), _) => Ok(()),
    }
}

/// Where each service is: the environment's word first, then the profile's, then the partition's table.
async fn targets(settings: &Settings, operations: &[ReadOperation]) -> Result<BTreeMap<AwsService, Target>, ConnectError> {
    let profile = match &settings.credentials {
        CredentialSource::Profile(name) => Some(profiles::ProfileEndpoints::load(&settings.region, Some(name)).await),
        CredentialSource::Chain => Some(profiles::ProfileEndpoints::load(&settings.region, None).await),
        // Given keys come with everything that they need: no file of this machine has a say.
        CredentialSource::Keys(_) => None,
    };
    let mut targets = BTreeMap::new();
    let called = operations.iter().map(|operation| AwsService::from(operation.service()));
    for service in called.chain([AwsService::Sts]) {
        let by_profile = || profile.as_ref()?.endpoint_url_of(service).filter(|_| !settings.environment.ignore_endpoint_urls);
        let target = match settings.environment.endpoint_url_of(service) {
            Some((variable, url)) => Target::from_override(service, variable, url)?,
            None => match by_profile() {
                Some(url) => Target::from_override(service, "endpoint_url of the AWS profile", &url)?,
                None => Target::standard(service, &settings.region, settings.variant),
            },
        };
        targets.insert(service, target);
    }
    Ok(targets)
}

fn proxy(settings: &Settings) -> Result<Option<Proxy>, ConnectError> {
    let environment = &settings.environment;
    let address = environment.https_proxy.as_ref();
    Ok(address.map(|address| Proxy::parse(address, environment.no_proxy.as_deref())).transpose()?)
}

async fn origin(settings: &Settings, network: &Arc<Network>) -> Origin {
    if let CredentialSource::Keys(keys) = &settings.credentials {
        return Origin::keys(keys);
    }
    chain::origin(settings, network).await
}

#[cfg(test)]
mod tests;
