//! `policy glue`: IAM policies, ready to paste.

use aws::{Feature, PolicyPlace, Region, TrustParty};
use connector::glue::Section;
use connector::port::Service;

use crate::arguments::PolicyArguments;
use crate::crawl::settings::sections;
use crate::failure::{Failure, Outcome, Status};
use crate::output::print;

pub(crate) fn run(arguments: &PolicyArguments) -> Outcome {
    let region = Region::parse(&arguments.region).map_err(Failure::usage)?;
    let features = features(&arguments.skip)?;
    let mut text = if arguments.trust {
        aws::trust_policy(&TrustParty { principal: arguments.principal.clone(), external_id: arguments.external_id.clone() })
    } else if arguments.endpoint {
        aws::endpoint_policy(Service::Glue, &arguments.account)
    } else if arguments.session {
        aws::session_policy(&Feature::operations_of(&features))
    } else {
        let place = PolicyPlace {
            partition: region.partition().name.to_owned(),
            region: region.name().to_owned(),
            account: arguments.account.clone(),
        };
        aws::permission_policy(&features, &place)
    };
    text.push('\n');
    print(text.as_bytes())?;
    Ok(Status::Complete)
}

fn features(skip: &[String]) -> Result<Vec<Feature>, Failure> {
    let skipped = sections(skip)?;
    let wanted = |feature: &Feature| match feature {
        Feature::Catalog => true,
        Feature::Jobs => !skipped.contains(&Section::Jobs),
        Feature::Workflows => !(skipped.contains(&Section::Workflows) && skipped.contains(&Section::Triggers)),
        Feature::Crawlers => !skipped.contains(&Section::Crawlers),
        Feature::Connections => !skipped.contains(&Section::Connections),
    };
    Ok(Feature::ALL.iter().copied().filter(wanted).collect())
}
