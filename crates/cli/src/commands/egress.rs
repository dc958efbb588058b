//! `egress`: hosts and ports for firewall rules.

use aws::{Environment, HostVariant};
use connector::port::{ReadOperation, Service};
use serde_json::json;

use crate::arguments::{EgressArguments, EgressMode, EgressSource};
use crate::crawl::connect;
use crate::failure::{Outcome, Status};
use crate::output::{Page, print_json};

/// What stands for the host of a control plane that is not known here.
const CONTROL_PLANE: &str = "<your control plane>";

pub(crate) async fn run(arguments: &EgressArguments) -> Outcome {
    let environment = Environment::read();
    let region = connect::region(arguments.region.as_deref(), None, &environment).await?;
    let mode = match arguments.mode {
        EgressMode::Direct => aws::EgressMode::Direct,
        EgressMode::Private => aws::EgressMode::Private,
        EgressMode::Runtime => aws::EgressMode::Runtime { control_plane: CONTROL_PLANE.to_owned() },
    };
    let variant = HostVariant { fips: environment.fips, dual_stack: environment.dual_stack };
    let rules = aws::egress(&mode, &region, variant, &operations(arguments.source));
    if arguments.json {
        let rules =
            rules.iter().map(|rule| json!({"service": rule.service, "host": rule.host, "port": rule.port, "why": rule.why}));
        print_json(&rules.collect())?;
    } else {
        let row = |rule: &aws::EgressRule| vec![rule.host.clone(), rule.port.to_string(), rule.why.clone()];
        let mut page = Page::default();
        page.table(&["host", "port", "why"], rules.iter().map(row).collect());
        page.print()?;
    }
    Ok(Status::Complete)
}

/// Every read that a crawl of the source may make, sign-in included.
fn operations(source: Option<EgressSource>) -> Vec<ReadOperation> {
    let services: &[Service] = match source {
        Some(EgressSource::Glue) => &[Service::Sts, Service::Glue],
        Some(EgressSource::Smus) => &[Service::Sts, Service::DataZone],
        None => &[Service::Sts, Service::Glue, Service::DataZone],
    };
    services.iter().copied().flat_map(ReadOperation::of).collect()
}
