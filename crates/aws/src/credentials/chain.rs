//! The standard AWS chain, by `aws-config`, over this crate's own connections.
//!
//! Whatever the chain sends (sign-in portals, web identity, container and instance credentials) takes the same guarded way,
//! passes a gate of its own, and is in the evidence. With static keys in the environment it sends nothing.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_config::BehaviorVersion;
use aws_config::default_provider::credentials::DefaultCredentialsChain;
use aws_config::imds;
use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_config::retry::RetryConfig;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use aws_types::region::Region as SdkRegion;
use bytes::Bytes;
use http::uri::Authority;
use http::{Method, Request, Response, Uri};
use http_body_util::Full;

use crate::credentials::Origin;
use crate::gate::action;
use crate::network::connect::{Network, Purpose};
use crate::network::fault::{FaultKind, NetworkFault};
use crate::settings::{CredentialSource, Settings};
use crate::wire::{Pool, Timeouts};

/// How long a machine that is no EC2 instance is delayed at most.
const INSTANCE_METADATA_MAX: Duration = Duration::from_secs(2);
const INSTANCE_METADATA_CONNECT_MAX: Duration = Duration::from_secs(1);
const ATTEMPTS_MAX: u32 = 3;

/// The last refusal of the guard or the gate while the chain was looking. `aws-config` takes a source that cannot be reached for
/// one that is not there; the error should still say what was refused.
#[derive(Clone, Debug, Default)]
pub(crate) struct Refusal(Arc<Mutex<Option<NetworkFault>>>);

impl Refusal {
    /// The refusal, forgotten by taking it.
    pub(crate) fn take(&self) -> Option<NetworkFault> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn note(&self, fault: &NetworkFault) {
        if fault.kind == FaultKind::Refused {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(fault.clone());
        }
    }
}

/// The origin of credentials for a source that is no given keys.
pub(crate) async fn origin(settings: &Settings, network: &Arc<Network>) -> Origin {
    let refusal = Refusal::default();
    let (provider, searched) = provider(settings, network, &refusal).await;
    Origin::Provider { provider, searched, refusal }
}

/// The provider, and where it looks.
async fn provider(settings: &Settings, network: &Arc<Network>, refusal: &Refusal) -> (SharedCredentialsProvider, String) {
    let container = settings.environment.container_credentials_url.as_deref();
    let http = ChainHttp {
        network: Arc::clone(network),
        refusal: refusal.clone(),
        container: container.and_then(|url| url.parse::<Uri>().ok()?.into_parts().authority),
    };
    let config = ProviderConfig::without_region()
        .with_region(Some(SdkRegion::new(settings.region.name().to_owned())))
        .with_http_client(http)
        .with_use_fips(Some(settings.variant.fips))
        .with_use_dual_stack(Some(settings.variant.dual_stack))
        .with_behavior_version(Some(BehaviorVersion::latest()))
        .with_retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS_MAX));
    match &settings.credentials {
        CredentialSource::Profile(name) => {
            let provider = ProfileFileCredentialsProvider::builder().configure(&config).profile_name(name).build();
            (SharedCredentialsProvider::new(provider), format!("the AWS profile \"{name}\""))
        }
        CredentialSource::Chain | CredentialSource::Keys(_) => {
            let region = SdkRegion::new(settings.region.name().to_owned());
            let instance = imds::Client::builder()
                .configure(&config)
                .connect_timeout(INSTANCE_METADATA_CONNECT_MAX)
                .read_timeout(INSTANCE_METADATA_CONNECT_MAX)
                .operation_timeout(INSTANCE_METADATA_MAX)
                .build();
            let chain = DefaultCredentialsChain::builder().configure(config).region(region).imds_client(instance).build().await;
            (SharedCredentialsProvider::new(chain), searched(settings))
        }
    }
}

fn searched(settings: &Settings) -> String {
    let profile = settings.environment.profile.as_deref().unwrap_or("default");
    format!(
        "the environment (AWS_ACCESS_KEY_ID), the profile \"{profile}\" of the AWS profile files, a web identity \
         (AWS_WEB_IDENTITY_TOKEN_FILE), the container (AWS_CONTAINER_CREDENTIALS_FULL_URI), the instance (EC2 metadata)"
    )
}

/// Gives `aws-config` connections of this crate.
struct ChainHttp {
    network: Arc<Network>,
    refusal: Refusal,
    /// Where `AWS_CONTAINER_CREDENTIALS_FULL_URI` points.
    container: Option<Authority>,
}

impl fmt::Debug for ChainHttp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ChainHttp")
    }
}

impl HttpClient for ChainHttp {
    fn http_connector(&self, settings: &HttpConnectorSettings, _components: &RuntimeComponents) -> SharedHttpConnector {
        let mut timeouts = Timeouts::default();
        timeouts.connect = settings.connect_timeout().unwrap_or(timeouts.connect);
        timeouts.first_byte = settings.read_timeout().map_or(timeouts.first_byte, |read| read + timeouts.connect);
        SharedHttpConnector::new(ChainConnector {
            network: Arc::clone(&self.network),
            refusal: self.refusal.clone(),
            container: self.container.clone(),
            timeouts,
        })
    }
}

struct ChainConnector {
    network: Arc<Network>,
    refusal: Refusal,
    container: Option<Authority>,
    timeouts: Timeouts,
}

impl fmt::Debug for ChainConnector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ChainConnector")
    }
}

impl HttpConnector for ChainConnector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let admitted = self.admit(request);
        // Sign-in happens once an hour: there is nothing to gain from keeping these connections.
        let (network, refusal, timeouts) = (Arc::clone(&self.network), self.refusal.clone(), self.timeouts);
        HttpConnectorFuture::new(async move {
            let (call, request) = admitted?;
            let result = Pool::new(&network, call.service, Purpose::CredentialSource, timeouts).exchange(request).await;
            if result.as_ref().err().is_none_or(|fault| !fault.kind.is_before_sending()) {
                network.evidence.sent_for_credentials(call.operation);
            }
            let answer = result.map_err(|fault| {
                refusal.note(&fault);
                connector_error(fault)
            })?;
            let mut response = Response::new(SdkBody::from(answer.body));
            *response.status_mut() = answer.status;
            *response.headers_mut() = answer.headers;
            HttpResponse::try_from(response).map_err(|error| ConnectorError::other(error.into(), None))
        })
    }
}

impl ChainConnector {
    fn admit(&self, request: HttpRequest) -> Result<(ChainCall, Request<Full<Bytes>>), ConnectorError> {
        let request = request.try_into_http1x().map_err(|error| ConnectorError::user(error.into()))?;
        let (head, body) = request.into_parts();
        let Some(body) = body.bytes().map(Bytes::copy_from_slice) else {
            return Err(ConnectorError::user("a request of the credential chain has no plain body".into()));
        };
        match recognise(&head.method, &head.uri, &body, self.container.as_ref()) {
            Some(call) => Ok((call, Request::from_parts(head, Full::new(body)))),
            None => {
                let what = format!("credentials:{} {}", head.method, head.uri.host().unwrap_or_default());
                self.network.evidence.refused(what.clone());
                let message = format!("{what} is no call of the AWS credential chain; it was refused");
                let action = "take the credentials from a profile, the environment or a role of this machine";
                let fault = NetworkFault::new(FaultKind::Refused, message, action);
                self.refusal.note(&fault);
                Err(connector_error(fault))
            }
        }
    }
}

/// A call of the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct ChainCall {
    service: &'static str,
    /// As in reports.
    operation: &'static str,
}

/// The calls that the chain may make; all of them fetch credentials.
fn recognise(method: &Method, uri: &Uri, body: &[u8], container: Option<&Authority>) -> Option<ChainCall> {
    let is_container = |authority: &Authority| {
        container == Some(authority) || ["169.254.170.2", "169.254.170.23", "[fd00:ec2::23]"].contains(&authority.host())
    };
    let (service, operation) = match (method, uri.path()) {
        (&Method::POST, "/") => match action(body)? {
            "AssumeRole" => ("sts", "sts:AssumeRole"),
            "AssumeRoleWithWebIdentity" => ("sts", "sts:AssumeRoleWithWebIdentity"),
            _ => return None,
        },
        (&Method::GET, "/federation/credentials") => ("sso", "sso:GetRoleCredentials"),
        (&Method::POST, "/token") => ("sso-oidc", "sso-oidc:CreateToken"),
        (&Method::PUT, "/latest/api/token") => ("imds", "imds:GetToken"),
        (&Method::GET, path) if path.starts_with("/latest/meta-data/iam/security-credentials") => ("imds", "imds:GetCredentials"),
        (&Method::GET, _) if uri.authority().is_some_and(is_container) => ("container", "container:GetCredentials"),
        _ => return None,
    };
    Some(ChainCall { service, operation })
}

fn connector_error(fault: NetworkFault) -> ConnectorError {
    match fault.kind {
        FaultKind::Refused | FaultKind::TooLarge => ConnectorError::user(fault.into()),
        FaultKind::ConnectTimeout | FaultKind::Timeout => ConnectorError::timeout(fault.into()),
        FaultKind::Resolve | FaultKind::Connect | FaultKind::Proxy | FaultKind::Tls | FaultKind::Closed | FaultKind::CutOff => {
            ConnectorError::io(fault.into())
        }
    }
}

#[cfg(test)]
mod tests;
