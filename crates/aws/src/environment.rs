//! Everything that is taken from the environment, read in one place.
//!
//! The base credential chain (`AWS_ACCESS_KEY_ID`, profile files, container and instance roles) is read by `aws-config`, which
//! offers no way to hand it variables; it is the one exception.

use std::fmt;
use std::path::PathBuf;

use model::Secret;

use crate::endpoint::AwsService;

/// The variables that AWS's own tools read, as far as they matter here.
#[derive(Clone, Default)]
pub struct Environment {
    /// `AWS_REGION`, else `AWS_DEFAULT_REGION`.
    pub region: Option<String>,
    /// `AWS_PROFILE`.
    pub profile: Option<String>,
    /// `AWS_CA_BUNDLE`: a PEM file.
    pub ca_bundle: Option<PathBuf>,
    /// `AWS_USE_FIPS_ENDPOINT`.
    pub fips: bool,
    /// `AWS_USE_DUALSTACK_ENDPOINT`.
    pub dual_stack: bool,
    /// `AWS_IGNORE_CONFIGURED_ENDPOINT_URLS`: endpoint addresses of the environment and of profiles do not count.
    pub ignore_endpoint_urls: bool,
    /// `AWS_ENDPOINT_URL`: for every service without an address of its own.
    pub endpoint_url: Option<String>,
    /// `AWS_ENDPOINT_URL_GLUE` and its like.
    pub service_endpoint_urls: Vec<(AwsService, String)>,
    /// `HTTPS_PROXY`, `https_proxy`, else `ALL_PROXY`, `all_proxy`; it may carry a password.
    pub https_proxy: Option<Secret>,
    /// `NO_PROXY`, `no_proxy`.
    pub no_proxy: Option<String>,
    /// Whether `AWS_ACCESS_KEY_ID` is set: then the chain asks nobody else.
    pub has_static_keys: bool,
    /// `AWS_CONTAINER_CREDENTIALS_FULL_URI`.
    pub container_credentials_url: Option<String>,
}

impl Environment {
    /// Reads the environment of the process.
    #[must_use]
    pub fn read() -> Self {
        Self::from_lookup(|name| std::env::var(name).ok())
    }

    /// As [`Environment::read`], from any source of variables. An empty value counts as absent.
    #[must_use]
    pub fn from_lookup(lookup: impl Fn(&str) -> Option<String>) -> Self {
        let get = |name: &str| lookup(name).filter(|value| !value.trim().is_empty());
        let first = |names: &[&str]| names.iter().find_map(|name| get(name));
        let flag = |name: &str| get(name).is_some_and(|value| value.trim().eq_ignore_ascii_case("true"));
        Self {
            region: first(&["AWS_REGION", "AWS_DEFAULT_REGION"]),
            profile: get("AWS_PROFILE"),
            ca_bundle: get("AWS_CA_BUNDLE").map(PathBuf::from),
            fips: flag("AWS_USE_FIPS_ENDPOINT"),
            dual_stack: flag("AWS_USE_DUALSTACK_ENDPOINT"),
            ignore_endpoint_urls: flag("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"),
            endpoint_url: get("AWS_ENDPOINT_URL"),
            service_endpoint_urls: AwsService::ALL
                .iter()
                .filter_map(|service| get(service.endpoint_variable()).map(|url| (*service, url)))
                .collect(),
            https_proxy: first(&["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"]).map(Secret::new),
            no_proxy: first(&["NO_PROXY", "no_proxy"]),
            has_static_keys: get("AWS_ACCESS_KEY_ID").is_some(),
            container_credentials_url: get("AWS_CONTAINER_CREDENTIALS_FULL_URI"),
        }
    }

    /// The endpoint address that the environment gives for a service, and the variable that gave it.
    #[must_use]
    pub fn endpoint_url_of(&self, service: AwsService) -> Option<(&'static str, &str)> {
        if self.ignore_endpoint_urls {
            return None;
        }
        let own = self.service_endpoint_urls.iter().find(|(of, _)| *of == service);
        own.map(|(_, url)| (service.endpoint_variable(), url.as_str()))
            .or_else(|| self.endpoint_url.as_deref().map(|url| ("AWS_ENDPOINT_URL", url)))
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Environment").field("region", &self.region).field("profile", &self.profile).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(variables: &'static [(&'static str, &'static str)]) -> Environment {
        Environment::from_lookup(|name| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned()))
    }

    #[test]
    fn a_services_own_endpoint_wins_over_the_one_for_all() {
        let read = environment(&[("AWS_ENDPOINT_URL", "http://all"), ("AWS_ENDPOINT_URL_GLUE", "http://glue")]);
        assert_eq!(read.endpoint_url_of(AwsService::Glue), Some(("AWS_ENDPOINT_URL_GLUE", "http://glue")));
        assert_eq!(read.endpoint_url_of(AwsService::Sts), Some(("AWS_ENDPOINT_URL", "http://all")));
    }

    #[test]
    fn endpoints_are_ignored_when_the_environment_says_so() {
        let read = environment(&[("AWS_ENDPOINT_URL", "http://all"), ("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "True")]);
        assert_eq!(read.endpoint_url_of(AwsService::Glue), None);
    }

    #[test]
    fn empty_variables_count_as_absent_and_secrets_do_not_print() {
        let read = environment(&[("AWS_REGION", ""), ("AWS_DEFAULT_REGION", "eu-west-1"), ("HTTPS_PROXY", "http://u:hunter2@p:1")]);
        assert_eq!(read.region.as_deref(), Some("eu-west-1"));
        assert!(!format!("{read:?}").contains("hunter2"));
    }
}
