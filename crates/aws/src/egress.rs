//! Which hosts and ports have to be open for firewall rules, per mode: generated from the same table that requests use.

use connector::port::{ReadOperation, Service};

use crate::endpoint::region::Region;
use crate::endpoint::{AwsService, HostVariant, host};

/// HTTPS: the only port.
const PORT: u16 = 443;

/// Which way a crawl reaches AWS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EgressMode {
    /// The control plane calls the public endpoints.
    Direct,
    /// The same through interface endpoints.
    Private,
    /// A runtime calls AWS, and the control plane at this host; the control plane calls nobody.
    Runtime {
        /// The control plane's host.
        control_plane: String,
    },
}

/// One opening.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EgressRule {
    /// `glue`, `datazone`, `sts`, `secretsmanager`, `control-plane`.
    pub service: &'static str,
    /// The host name.
    pub host: String,
    /// The TCP port.
    pub port: u16,
    /// What it is for.
    pub why: String,
}

/// Every opening that the reads of a run need. STS is among them only if they include its calls.
#[must_use]
pub fn egress(mode: &EgressMode, region: &Region, variant: HostVariant, operations: &[ReadOperation]) -> Vec<EgressRule> {
    let from = match mode {
        EgressMode::Direct | EgressMode::Private => "the control plane",
        EgressMode::Runtime { .. } => "the runtime",
    };
    let mut rules = Vec::new();
    if let EgressMode::Runtime { control_plane } = mode {
        let why = "from the runtime: takes jobs and uploads metadata".to_owned();
        rules.push(EgressRule { service: "control-plane", host: control_plane.clone(), port: PORT, why });
    }
    for service in [Service::Sts, Service::SecretsManager, Service::Glue, Service::DataZone] {
        if !operations.iter().any(|operation| operation.service() == service) {
            continue;
        }
        let purpose = match service {
            Service::Sts => "signs in to the role",
            Service::Glue => "reads the catalog",
            Service::DataZone => "reads domains, projects and assets",
            Service::SecretsManager => "reads the credentials of crawls",
        };
        let aws = AwsService::from(service);
        let way = match mode {
            EgressMode::Private => {
                format!("; must resolve to the private addresses of the interface endpoint com.amazonaws.{region}.{}", aws.name())
            }
            EgressMode::Direct | EgressMode::Runtime { .. } => String::new(),
        };
        let why = format!("from {from}: {purpose}{way}");
        rules.push(EgressRule { service: aws.name(), host: host(aws, region, variant), port: PORT, why });
    }
    rules
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hosts(mode: &EgressMode, operations: &[ReadOperation]) -> Vec<String> {
        let region = Region::parse("eu-west-1").unwrap();
        egress(mode, &region, HostVariant::default(), operations)
            .into_iter()
            .map(|rule| format!("{}:{}", rule.host, rule.port))
            .collect()
    }

    #[test]
    fn sts_is_needed_only_where_a_role_is_assumed() {
        let keys = [ReadOperation::GetTables];
        let role = [ReadOperation::AssumeRole, ReadOperation::GetTables];
        assert_eq!(hosts(&EgressMode::Direct, &keys), ["glue.eu-west-1.amazonaws.com:443"]);
        assert_eq!(hosts(&EgressMode::Private, &role), ["sts.eu-west-1.amazonaws.com:443", "glue.eu-west-1.amazonaws.com:443"]);
    }

    #[test]
    fn a_runtime_reaches_the_control_plane_too() {
        let runtime = EgressMode::Runtime { control_plane: "isinglass.example".to_owned() };
        assert_eq!(hosts(&runtime, &[ReadOperation::GetJobs]), ["isinglass.example:443", "glue.eu-west-1.amazonaws.com:443"]);
    }

    #[test]
    fn each_service_opens_its_own_host_and_says_what_for() {
        let region = Region::parse("eu-west-1").unwrap();
        let of = |services: &[Service]| {
            let operations: Vec<_> = services.iter().copied().flat_map(ReadOperation::of).collect();
            let rules = egress(&EgressMode::Private, &region, HostVariant::default(), &operations);
            rules.into_iter().map(|rule| (rule.service, rule.host, rule.why)).collect::<Vec<_>>()
        };
        let smus = of(&[Service::Sts, Service::DataZone]);
        let hosts: Vec<_> = smus.iter().map(|(service, host, _)| (*service, host.as_str())).collect();
        assert_eq!(hosts, [("sts", "sts.eu-west-1.amazonaws.com"), ("datazone", "datazone.eu-west-1.api.aws")]);
        assert!(smus[1].2.contains("domains, projects and assets") && smus[1].2.contains("com.amazonaws.eu-west-1.datazone"));
        let glue: Vec<_> = of(&[Service::Sts, Service::Glue]).into_iter().map(|(service, ..)| service).collect();
        assert_eq!(glue, ["sts", "glue"]);
    }
}
