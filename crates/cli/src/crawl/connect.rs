//! The command line and the environment to what the AWS client needs to know.

use aws::{AssumeRole, CredentialSource, Environment, NetworkMode, NetworkPolicy, Region, Settings};

use crate::arguments::{ConnectArguments, Network};
use crate::failure::Failure;

/// How to reach AWS and as whom. Everything that can be wrong without a call is a usage error.
pub(crate) async fn settings(arguments: &ConnectArguments, connection: &str) -> Result<Settings, Failure> {
    let environment = Environment::read();
    let region = region(arguments.region.as_deref(), arguments.profile.as_deref(), &environment).await?;
    let mut settings = Settings::new(region, environment);
    let mode = match arguments.network {
        Network::Public => NetworkMode::Public,
        Network::Private => NetworkMode::Private,
    };
    settings.network = NetworkPolicy { mode, private_cidrs: arguments.private_cidr.clone() };
    if arguments.ca_bundle.is_some() {
        settings.ca_bundle.clone_from(&arguments.ca_bundle);
    }
    if let Some(profile) = &arguments.profile {
        settings.credentials = CredentialSource::Profile(profile.clone());
    }
    settings.assume_role = assume_role(arguments, connection)?;
    settings.max_requests_per_second = arguments.max_rps;
    settings.concurrency = arguments.concurrency;
    Ok(settings)
}

/// The region of the flag, of the environment, or of the profile.
pub(crate) async fn region(flag: Option<&str>, profile: Option<&str>, environment: &Environment) -> Result<Region, Failure> {
    let named = match flag {
        Some(flag) => Some(flag.to_owned()),
        None => aws::default_region(environment, profile).await,
    };
    let Some(named) = named else {
        return Err(Failure::usage("no region is given: add --region (for example --region eu-west-1), or set AWS_REGION"));
    };
    Region::parse(&named).map_err(Failure::usage)
}

fn assume_role(arguments: &ConnectArguments, connection: &str) -> Result<Option<AssumeRole>, Failure> {
    let Some(role_arn) = &arguments.role_arn else { return Ok(None) };
    let session_name = arguments.session_name.clone().unwrap_or_else(|| aws::default_session_name(connection));
    let external_id = arguments.external_id.as_deref().unwrap_or_default();
    AssumeRole::new(role_arn, external_id, &session_name).map(Some).map_err(Failure::usage)
}
