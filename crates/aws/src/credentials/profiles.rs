//! The AWS profile files: which profiles there are, and what they say about region and endpoints.

use aws_config::BehaviorVersion;
use aws_config::profile::ProfileSet;
use aws_types::SdkConfig;
use aws_types::os_shim_internal::{Env, Fs};
use aws_types::region::Region as SdkRegion;
use aws_types::service_config::ServiceConfigKey;

use crate::endpoint::AwsService;
use crate::endpoint::region::Region;
use crate::environment::Environment;
use crate::settings::ConnectError;

/// The region of the environment, else of a profile (by default the environment's, else `default`).
pub async fn default_region(environment: &Environment, profile: Option<&str>) -> Option<String> {
    if environment.region.is_some() {
        return environment.region.clone();
    }
    let profiles = load(profile).await.ok()?;
    profiles.get("region").map(str::to_owned)
}

/// Fails unless a profile exists.
pub(crate) async fn require(name: &str) -> Result<(), ConnectError> {
    let profiles = load(Some(name)).await?;
    if profiles.get_profile(name).is_some() {
        return Ok(());
    }
    let mut known: Vec<_> = profiles.profiles().map(str::to_owned).collect();
    known.sort_unstable();
    Err(ConnectError::UnknownProfile { name: name.to_owned(), known })
}

/// Endpoint addresses that a profile gives: `endpoint_url`, and `services` sections.
pub(crate) struct ProfileEndpoints(SdkConfig);

impl ProfileEndpoints {
    pub(crate) async fn load(region: &Region, profile: Option<&str>) -> Self {
        let mut loader =
            aws_config::defaults(BehaviorVersion::latest()).region(SdkRegion::new(region.name().to_owned())).no_credentials();
        if let Some(profile) = profile {
            loader = loader.profile_name(profile);
        }
        Self(loader.load().await)
    }

    pub(crate) fn endpoint_url_of(&self, service: AwsService) -> Option<String> {
        let key = ServiceConfigKey::builder().service_id(service.service_id()).env("AWS_ENDPOINT_URL").profile("endpoint_url");
        self.0.service_config()?.load_config(key.build().ok()?)
    }
}

async fn load(profile: Option<&str>) -> Result<ProfileSet, ConnectError> {
    let name = profile.map(|name| name.to_owned().into());
    aws_config::profile::load(&Fs::real(), &Env::real(), &Default::default(), name)
        .await
        .map_err(|error| ConnectError::ProfileFiles(Box::new(error)))
}
