//! The command line and the environment to how AWS is reached and as whom.

use aws::{Environment, NetworkMode, NetworkPolicy, Region};
use crawl::{Access, Credentials, Role};

use crate::arguments::{ConnectArguments, Network};
use crate::failure::Failure;

/// How to reach AWS and as whom. Everything that can be wrong without a call is a usage error.
pub(crate) async fn access(arguments: &ConnectArguments) -> Result<Access, Failure> {
    let environment = Environment::read();
    let region = region(arguments.region.as_deref(), arguments.profile.as_deref(), &environment).await?;
    let mode = match arguments.network {
        Network::Public => NetworkMode::Public,
        Network::Private => NetworkMode::Private,
    };
    Ok(Access {
        credentials: arguments.profile.clone().map_or(Credentials::Ambient, Credentials::Profile),
        assume_role: arguments.role_arn.clone().map(|role_arn| Role {
            role_arn,
            external_id: arguments.external_id.clone(),
            session_name: arguments.session_name.clone(),
        }),
        network: NetworkPolicy { mode, private_cidrs: arguments.private_cidr.clone() },
        ca_bundle: arguments.ca_bundle.clone(),
        max_requests_per_second: arguments.max_rps,
        concurrency: arguments.concurrency,
        ..Access::new(region, environment)
    })
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
