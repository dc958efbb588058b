//! Where each service is: a small table per partition, and the overrides that people set.
//!
//! Source: the endpoint rule sets of the public service models. The global STS host is never produced and never taken.

pub(crate) mod region;

use std::net::IpAddr;

use connector::port::Service;
use http::Uri;
use http::uri::Scheme;

use region::Region;

/// The one STS host that is not regional: it is outside every VPC, so it is never contacted.
pub(crate) const STS_GLOBAL_HOST: &str = "sts.amazonaws.com";

/// A service whose host name is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AwsService {
    /// AWS Security Token Service.
    Sts,
    /// AWS Glue.
    Glue,
    /// Amazon DataZone.
    DataZone,
    /// AWS Secrets Manager.
    SecretsManager,
}

impl AwsService {
    /// Every service.
    pub const ALL: &'static [Self] = &[Self::Sts, Self::Glue, Self::DataZone, Self::SecretsManager];

    /// The name in SigV4 scopes, in reports and in host names.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sts => "sts",
            Self::Glue => "glue",
            Self::DataZone => "datazone",
            Self::SecretsManager => "secretsmanager",
        }
    }

    /// The name for people.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Sts => "AWS STS",
            Self::Glue => "AWS Glue",
            Self::DataZone => "Amazon DataZone",
            Self::SecretsManager => "AWS Secrets Manager",
        }
    }

    /// The variable that overrides its endpoint.
    #[must_use]
    pub const fn endpoint_variable(self) -> &'static str {
        match self {
            Self::Sts => "AWS_ENDPOINT_URL_STS",
            Self::Glue => "AWS_ENDPOINT_URL_GLUE",
            Self::DataZone => "AWS_ENDPOINT_URL_DATAZONE",
            Self::SecretsManager => "AWS_ENDPOINT_URL_SECRETS_MANAGER",
        }
    }

    /// The service identifier of `services` sections in profile files.
    pub(crate) const fn service_id(self) -> &'static str {
        match self {
            Self::Sts => "STS",
            Self::Glue => "Glue",
            Self::DataZone => "DataZone",
            Self::SecretsManager => "Secrets Manager",
        }
    }
}

impl From<Service> for AwsService {
    fn from(service: Service) -> Self {
        match service {
            Service::Sts => Self::Sts,
            Service::Glue => Self::Glue,
            Service::DataZone => Self::DataZone,
            Service::SecretsManager => Self::SecretsManager,
        }
    }
}

/// Which of a service's hosts is wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HostVariant {
    /// The host with FIPS-validated cryptography.
    pub fips: bool,
    /// The host with IPv4 and IPv6 addresses.
    pub dual_stack: bool,
}

/// The host name of a service in a region.
#[must_use]
pub fn host(service: AwsService, region: &Region, variant: HostVariant) -> String {
    let partition = region.partition();
    let plain_suffix = || if variant.dual_stack { partition.dual_stack_suffix } else { partition.dns_suffix };
    let suffix = match service {
        // DataZone has one suffix only, the dual-stack one.
        AwsService::DataZone => partition.dual_stack_suffix,
        // The rule set keeps Secrets Manager's plain host in these partitions.
        AwsService::SecretsManager if matches!(partition.name, "aws" | "aws-us-gov") => partition.dns_suffix,
        AwsService::SecretsManager if partition.name == "aws-cn" && !variant.fips => partition.dns_suffix,
        AwsService::Sts | AwsService::Glue | AwsService::SecretsManager => plain_suffix(),
    };
    // In GovCloud the plain regional STS host is the FIPS one.
    let sts_is_fips_already = service == AwsService::Sts && partition.name == "aws-us-gov" && !variant.dual_stack;
    let fips = if variant.fips && !sts_is_fips_already { "-fips" } else { "" };
    format!("{}{fips}.{region}.{suffix}", service.name())
}

/// An override that cannot be used.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum EndpointError {
    /// Not a URL of scheme, host and perhaps a port.
    #[error("{source_name} is \"{given}\", which is no endpoint; give https://host or https://host:port, without a path")]
    Form {
        /// The variable or profile setting.
        source_name: String,
        /// What was given, without user information.
        given: String,
    },
    /// Plain HTTP to somewhere else than this machine.
    #[error("{source_name} is \"{given}\": plain HTTP is allowed to this machine only (127.0.0.1, ::1, localhost); use https://")]
    Plain {
        /// The variable or profile setting.
        source_name: String,
        /// What was given.
        given: String,
    },
    /// The global STS host.
    #[error(
        "{source_name} names {STS_GLOBAL_HOST}, the global STS host, which is never contacted; leave it out to use the regional one"
    )]
    GlobalSts {
        /// The variable or profile setting.
        source_name: String,
    },
}

/// Where the requests of one service go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) service: AwsService,
    pub(crate) scheme: Scheme,
    /// `host` or `host:port`, as in the `Host` header.
    pub(crate) authority: String,
}

impl Target {
    /// The service's own host.
    pub(crate) fn standard(service: AwsService, region: &Region, variant: HostVariant) -> Self {
        Self { service, scheme: Scheme::HTTPS, authority: host(service, region, variant) }
    }

    /// An override from `source_name`.
    pub(crate) fn from_override(service: AwsService, source_name: &str, url: &str) -> Result<Self, EndpointError> {
        let form = || EndpointError::Form { source_name: source_name.to_owned(), given: without_user(url) };
        let uri: Uri = url.trim().parse().map_err(|_| form())?;
        let (Some(scheme), Some(authority)) = (uri.scheme(), uri.authority()) else { return Err(form()) };
        let known_scheme = *scheme == Scheme::HTTPS || *scheme == Scheme::HTTP;
        if !known_scheme
            || authority.as_str().contains('@')
            || uri.path() != "/"
            || uri.query().is_some()
            || authority.host().is_empty()
        {
            return Err(form());
        }
        let host = authority.host().to_ascii_lowercase();
        if host.trim_end_matches('.') == STS_GLOBAL_HOST {
            return Err(EndpointError::GlobalSts { source_name: source_name.to_owned() });
        }
        if *scheme == Scheme::HTTP && !names_this_machine(&host) {
            return Err(EndpointError::Plain { source_name: source_name.to_owned(), given: without_user(url) });
        }
        Ok(Self { service, scheme: scheme.clone(), authority: authority.as_str().to_ascii_lowercase() })
    }
}

/// The address in a host part, without the brackets of IPv6.
pub(crate) fn literal_address(host: &str) -> Option<IpAddr> {
    host.trim_start_matches('[').trim_end_matches(']').parse().ok()
}

/// Whether a host part means this machine without asking a name server.
pub(crate) fn names_this_machine(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost") || literal_address(host).is_some_and(|address| address.to_canonical().is_loopback())
}

fn without_user(url: &str) -> String {
    match url.rsplit_once('@') {
        Some((_, rest)) => format!("***@{rest}"),
        None => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each row is the answer of the public endpoint rule set.
    #[test]
    fn hosts_are_those_of_the_public_rule_sets() {
        use AwsService::{DataZone, Glue, SecretsManager, Sts};
        for (service, region, fips, dual_stack, expected) in [
            (Glue, "eu-west-1", false, false, "glue.eu-west-1.amazonaws.com"),
            (Glue, "eu-west-1", false, true, "glue.eu-west-1.api.aws"),
            (Glue, "us-east-1", true, false, "glue-fips.us-east-1.amazonaws.com"),
            (Glue, "us-east-1", true, true, "glue-fips.us-east-1.api.aws"),
            (Glue, "us-gov-west-1", true, false, "glue-fips.us-gov-west-1.amazonaws.com"),
            (Glue, "cn-north-1", false, false, "glue.cn-north-1.amazonaws.com.cn"),
            (Glue, "cn-north-1", false, true, "glue.cn-north-1.api.amazonwebservices.com.cn"),
            (Glue, "us-iso-east-1", false, false, "glue.us-iso-east-1.c2s.ic.gov"),
            (Glue, "us-isob-east-1", false, false, "glue.us-isob-east-1.sc2s.sgov.gov"),
            (Glue, "eusc-de-east-1", false, false, "glue.eusc-de-east-1.amazonaws.eu"),
            (Sts, "eu-west-1", false, false, "sts.eu-west-1.amazonaws.com"),
            (Sts, "us-east-1", false, false, "sts.us-east-1.amazonaws.com"),
            (Sts, "us-east-1", true, false, "sts-fips.us-east-1.amazonaws.com"),
            (Sts, "us-gov-west-1", true, false, "sts.us-gov-west-1.amazonaws.com"),
            (Sts, "us-gov-west-1", true, true, "sts-fips.us-gov-west-1.api.aws"),
            (Sts, "cn-northwest-1", false, false, "sts.cn-northwest-1.amazonaws.com.cn"),
            (DataZone, "eu-west-1", false, false, "datazone.eu-west-1.api.aws"),
            (DataZone, "us-east-1", true, false, "datazone-fips.us-east-1.api.aws"),
            (DataZone, "eusc-de-east-1", false, false, "datazone.eusc-de-east-1.api.amazonwebservices.eu"),
            (SecretsManager, "eu-west-1", false, true, "secretsmanager.eu-west-1.amazonaws.com"),
            (SecretsManager, "us-east-1", true, true, "secretsmanager-fips.us-east-1.amazonaws.com"),
            (SecretsManager, "cn-north-1", false, true, "secretsmanager.cn-north-1.amazonaws.com.cn"),
            (SecretsManager, "cn-north-1", true, true, "secretsmanager-fips.cn-north-1.api.amazonwebservices.com.cn"),
        ] {
            let region = Region::parse(region).unwrap();
            assert_eq!(host(service, &region, HostVariant { fips, dual_stack }), expected);
        }
    }

    #[test]
    fn no_partition_region_or_variant_yields_the_global_sts_host() {
        for region in ["us-east-1", "eu-west-1", "cn-north-1", "us-gov-west-1", "us-iso-east-1"] {
            for (fips, dual_stack) in [(false, false), (false, true), (true, false), (true, true)] {
                let name = host(AwsService::Sts, &Region::parse(region).unwrap(), HostVariant { fips, dual_stack });
                assert!(name != STS_GLOBAL_HOST && name.contains(region), "{name}");
            }
        }
    }

    #[test]
    fn overrides_are_taken_with_https_anywhere_and_plain_http_to_this_machine_only() {
        let parse = |url| Target::from_override(AwsService::Glue, "AWS_ENDPOINT_URL_GLUE", url);
        for (url, authority) in [
            ("https://vpce-1.glue.eu-west-1.vpce.amazonaws.com", "vpce-1.glue.eu-west-1.vpce.amazonaws.com"),
            ("http://127.0.0.1:4566/", "127.0.0.1:4566"),
            ("http://[::1]:4566", "[::1]:4566"),
            ("http://LOCALHOST:1", "localhost:1"),
        ] {
            assert_eq!(parse(url).unwrap().authority, authority);
        }
        for url in ["http://10.0.0.1", "http://example.com", "http://127.0.0.1.example.com", "http://[::ffff:10.0.0.1]"] {
            assert!(matches!(parse(url), Err(EndpointError::Plain { .. })), "{url}");
        }
        for url in ["", "glue", "ftp://localhost", "https://h/path", "https://h/?q", "https://user:hunter2@h"] {
            let error = parse(url).unwrap_err();
            assert!(matches!(error, EndpointError::Form { .. }) && !error.to_string().contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn the_global_sts_host_is_refused_as_override() {
        for url in ["https://sts.amazonaws.com", "https://STS.amazonaws.com./"] {
            let refused = Target::from_override(AwsService::Sts, "AWS_ENDPOINT_URL_STS", url);
            assert!(matches!(refused, Err(EndpointError::GlobalSts { .. })), "{url}");
        }
    }
}
