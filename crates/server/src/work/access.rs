//! From a stored connection to access: the credential is opened just in time, and lives for as long as the crawl does.

use std::num::NonZeroUsize;

use aws::{NetworkMode, NetworkPolicy, Region};
use crawl::{Access, Connector, Credentials, Failure, FailureKind, Role};
use model::Secret;
use store::{CredentialId, ManagedConnection};

use crate::config::Network;
use crate::credential::{AuthType, PublicPart};
use crate::sealing::{Sealed, SealingContext};
use crate::state::AppState;

/// Requests of one run in flight at most.
const CONCURRENCY: NonZeroUsize = NonZeroUsize::MIN.saturating_add(15);

/// How a connection is reached.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) access: Access,
    pub(crate) connector: Connector,
}

/// Opens the credential of a connection.
///
/// # Errors
/// The catalog cannot be read, the secret does not open, or something in it cannot be used. No message holds a secret.
pub(crate) async fn open(app: &AppState, connection: &ManagedConnection) -> Result<Opened, Failure> {
    let connector = Connector::parse(&connection.connection.connector)
        .ok_or_else(|| Failure::new(FailureKind::Input, "the connection has no connector of this program", ""))?;
    let (way, public) = match connection.credential {
        None => (AuthType::Ambient, PublicPart::default()),
        Some(id) => read(app, id).await?,
    };
    if public.secrets.is_some() {
        return Err(unusable("the credential names entries in the secret store of a runtime, and the connection runs here"));
    }
    let region = region(connection, &public, app.aws_environment.region.as_deref())?;
    let mut access = Access::new(region, app.aws_environment.clone());
    access.network = network(app);
    access.ca_bundle.clone_from(&app.config.crawl.ca_bundle);
    access.max_requests_per_second = app.config.crawl.max_rps.or(access.max_requests_per_second);
    access.concurrency = CONCURRENCY;
    access.endpoint_url = endpoint(app, &public)?;
    match way {
        AuthType::Ambient => {}
        AuthType::Iam => access.credentials = keys(app, connection.credential, &public).await?,
        AuthType::Role => {
            let role_arn = public.extra.aws_role_arn.clone().unwrap_or_default();
            access.assume_role = Some(Role { role_arn, external_id: public.extra.aws_external_id.clone(), session_name: None });
        }
    }
    access.validate()?;
    Ok(Opened { access, connector })
}

pub(super) async fn read(app: &AppState, id: CredentialId) -> Result<(AuthType, PublicPart), Failure> {
    let stored = app.store.credential(id).await.map_err(|error| internal(&error))?;
    let stored = stored.ok_or_else(|| unusable("the credential of the connection is gone: give the connection another one"))?;
    let way = AuthType::parse(&stored.auth_type).ok_or_else(|| unusable("the credential signs in in a way that is not known"))?;
    let public = serde_json::from_str(&stored.public_part).map_err(|error| internal(&error))?;
    Ok((way, public))
}

async fn keys(app: &AppState, id: Option<CredentialId>, public: &PublicPart) -> Result<Credentials, Failure> {
    let id = id.ok_or_else(|| unusable("the connection has no credential"))?;
    let stored = app.store.credential_secret(id).await.map_err(|error| internal(&error))?;
    let stored = stored.ok_or_else(|| unusable("the credential has no secret: store it again"))?;
    let sealed = Sealed::from_bytes(&stored.sealed.bytes).map_err(|error| internal(&error))?;
    let name = id.to_string();
    let version = u32::try_from(stored.secret_version).map_err(|error| internal(&error))?;
    let opened = app.keys.open(&sealed, SealingContext { credential_id: &name, version }).map_err(|error| internal(&error))?;
    let text = std::str::from_utf8(opened.expose()).map_err(|_not_text| unusable("the secret of the credential is no text"))?;
    Ok(Credentials::Keys {
        access_key_id: public.username.clone().unwrap_or_default(),
        secret_access_key: Secret::new(text.to_owned()),
        session_token: None,
    })
}

fn region(connection: &ManagedConnection, public: &PublicPart, from_environment: Option<&str>) -> Result<Region, Failure> {
    let named = connection.connection.region.as_deref().or(public.extra.region.as_deref()).or(from_environment);
    let named = named.ok_or_else(|| unusable("neither the connection nor its credential names a region"))?;
    Region::parse(named).map_err(|error| Failure::new(FailureKind::Input, error.to_string(), "Give the connection an AWS region."))
}

fn network(app: &AppState) -> NetworkPolicy {
    let mode = match app.config.crawl.network {
        Network::Public => NetworkMode::Public,
        Network::Private => NetworkMode::Private,
    };
    NetworkPolicy { mode, private_cidrs: app.config.crawl.private_cidrs.iter().map(|cidr| cidr.0).collect() }
}

/// The list is asked again: the operator may have shortened it.
fn endpoint(app: &AppState, public: &PublicPart) -> Result<Option<String>, Failure> {
    match &public.extra.endpoint_url {
        Some(url) if !app.config.crawl.allowed_endpoint_urls.contains(url) => {
            Err(unusable("the endpoint of the credential is no longer among `crawl.allowed_endpoint_urls`"))
        }
        url => Ok(url.clone()),
    }
}

pub(super) fn unusable(message: &str) -> Failure {
    Failure::new(FailureKind::Input, message, "Edit the connection or its credential.")
}

pub(super) fn internal(error: &dyn std::error::Error) -> Failure {
    Failure::from_error(FailureKind::Internal, error)
}
