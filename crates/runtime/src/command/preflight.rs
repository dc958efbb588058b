//! `preflight`: what a runtime needs, checked one after the other, a line each.

use std::net::IpAddr;
use std::sync::Mutex;

use aws::{EgressMode, HostVariant, NetworkMode, Region, Resolve, SystemResolver};
use connector::port::{ReadOperation, Service};
use model::Secret;
use secrets::CheckOutcome;

use super::run::{control_plane, credentials};
use super::{Data, Failure, Status, executor, start_logging, variable};
use crate::clock;
use crate::configuration::{Configuration, Overrides};
use crate::control_plane::Exchange;
use crate::data_folder::DataFolder;
use crate::identity::{IdentityFiles, assertion};
use crate::session::Outcome;

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    data: Data,
    #[command(flatten)]
    overrides: Overrides,
    /// The region whose hosts are looked up; else what the environment says.
    #[arg(long, value_name = "R")]
    region: Option<String>,
}

/// How a check ended.
enum Check {
    Passed(String),
    Failed(String),
    Skipped(String),
}

pub(super) fn run(arguments: &Arguments) -> Result<Status, Failure> {
    let folder = DataFolder::at(&arguments.data.data);
    let path = folder.configuration(arguments.data.config.as_deref());
    let configuration = Configuration::load(path.as_deref(), &variable, &arguments.overrides)?;
    start_logging(&Configuration { log: "error".to_owned(), ..configuration.clone() })?;
    let checks = executor()?.block_on(check_all(&folder, &configuration, arguments.region.as_deref()));
    let mut status = Status::Done;
    for (name, check) in checks {
        let (word, text) = match check {
            Check::Passed(text) => ("ok", text),
            Check::Skipped(text) => ("skipped", text),
            Check::Failed(text) => {
                status = Status::Failed;
                ("failed", text)
            }
        };
        super::print(&format!("{word:<8} {name}: {text}"));
    }
    Ok(status)
}

async fn check_all(folder: &DataFolder, configuration: &Configuration, region: Option<&str>) -> Vec<(String, Check)> {
    let mut checks = check_control_plane(folder, configuration).await;
    checks.extend(check_secret_stores(configuration).await);
    checks.extend(check_hosts(configuration, region).await);
    checks
}

async fn check_control_plane(folder: &DataFolder, configuration: &Configuration) -> Vec<(String, Check)> {
    let (reached, signed_in) = ("control plane".to_owned(), "sign-in".to_owned());
    let files = IdentityFiles::of(folder.path());
    let prepared = files.load().and_then(|identity| Ok((assertion(&files.key()?, &identity, clock::wall_ms() / 1000)?, identity)));
    let (assertion, identity) = match prepared {
        Ok(prepared) => prepared,
        Err(error) => return vec![(reached, Check::Failed(error.to_string()))],
    };
    let plane = match control_plane(&identity.server, configuration) {
        Ok(plane) => plane,
        Err(error) => return vec![(reached, Check::Failed(error.to_string()))],
    };
    let token: Mutex<Option<Secret>> = Mutex::new(None);
    let answers = Check::Passed(format!("{} answers", plane.url()));
    match (Exchange::Token { assertion }).perform(&plane, &token).await {
        Outcome::Answered(_) => vec![(reached, answers), (signed_in, Check::Passed(format!("signed in as `{}`", identity.name)))],
        Outcome::TokenRefused { detail, server_seconds } => {
            let detail = match server_seconds.map(|server| server - clock::wall_ms() / 1000) {
                Some(seconds) if seconds.abs() > wire::assertion::CLOCK_SKEW_SECONDS => {
                    format!("{detail}; this machine's clock is {seconds} s behind the control plane's: set it right")
                }
                _ => detail,
            };
            vec![(reached, answers), (signed_in, Check::Failed(detail))]
        }
        Outcome::Refused { detail, .. } => vec![(reached, answers), (signed_in, Check::Failed(detail))],
        Outcome::Unreachable { detail, .. } | Outcome::Unreadable { detail } => {
            vec![(reached, Check::Failed(detail)), (signed_in, Check::Skipped("the control plane does not answer".to_owned()))]
        }
    }
}

/// Every secret store answers and knows this runtime. Whether a certain entry may be read, only reading it shows.
async fn check_secret_stores(configuration: &Configuration) -> Vec<(String, Check)> {
    let name = |name: &str| format!("secret store {name}");
    let credentials = match credentials(configuration).await {
        Ok(credentials) => credentials,
        Err(error) => return vec![(name("(configuration)"), Check::Failed(error.to_string()))],
    };
    let mut checks = Vec::new();
    for store in credentials.stores() {
        let check = match secrets::check(store).await {
            CheckOutcome::Ready { warnings } if warnings.is_empty() => Check::Passed(format!("{} answers", store.kind())),
            CheckOutcome::Ready { warnings } => Check::Passed(format!("{} answers; {}", store.kind(), warnings.join("; "))),
            CheckOutcome::Denied(error) | CheckOutcome::Unreachable(error) | CheckOutcome::Misconfigured(error) => {
                Check::Failed(error.to_string())
            }
            CheckOutcome::NothingConfigured => Check::Skipped("nothing is configured".to_owned()),
        };
        checks.push((name(store.name().as_str()), check));
    }
    if checks.is_empty() {
        let skipped = "none is configured: only what this runtime runs as can be used to sign in".to_owned();
        checks.push((name("(none)"), Check::Skipped(skipped)));
    }
    checks
}

/// The hosts of AWS have addresses, and the network policy permits every one.
async fn check_hosts(configuration: &Configuration, region: Option<&str>) -> Vec<(String, Check)> {
    let environment = aws::Environment::read();
    let name = |host: &str| format!("AWS host {host}");
    let Some(region) = region.or(environment.region.as_deref()) else {
        return vec![(name("(none)"), Check::Skipped("no region is known: give --region, or set AWS_REGION".to_owned()))];
    };
    let region = match Region::parse(region) {
        Ok(region) => region,
        Err(error) => return vec![(name("(none)"), Check::Failed(error.to_string()))],
    };
    let operations: Vec<ReadOperation> =
        [Service::Sts, Service::Glue, Service::DataZone].into_iter().flat_map(ReadOperation::of).collect();
    let variant = HostVariant { fips: environment.fips, dual_stack: environment.dual_stack };
    let mode = match configuration.network.mode {
        NetworkMode::Public => EgressMode::Direct,
        NetworkMode::Private => EgressMode::Private,
    };
    let mut checks = Vec::new();
    for rule in aws::egress(&mode, &region, variant, &operations) {
        let check = match SystemResolver.resolve(&rule.host).await {
            Ok(addresses) => judge(configuration, &addresses),
            Err(error) => Check::Failed(format!("its name has no address ({error}): check the name servers")),
        };
        checks.push((name(&rule.host), check));
    }
    checks
}

fn judge(configuration: &Configuration, addresses: &[IpAddr]) -> Check {
    let shown = addresses.iter().map(IpAddr::to_string).collect::<Vec<_>>().join(", ");
    match addresses.iter().find(|address| !configuration.network.permits(**address)) {
        None if addresses.is_empty() => Check::Failed("its name has no address: check the name servers".to_owned()),
        None => Check::Passed(shown),
        Some(outside) => Check::Failed(format!(
            "{outside} is not among the addresses that may be dialled: make an interface endpoint with private DNS, or list it in private-cidrs"
        )),
    }
}
