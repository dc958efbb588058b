//! `policy`: IAM policies, ready to paste.

use aws::{Feature, PolicyPlace, Region, TrustParty};
use connector::glue::Section;
use connector::port::{ReadOperation, Service};
use connector::smus;
use crawl::spec::{glue_sections, smus_sections};

use crate::arguments::{PolicyArguments, SecretsPolicyArguments, SmusPolicyArguments};
use crate::crawl::settings::usage;
use crate::failure::{Failure, Outcome, Status};
use crate::output::print;

/// `policy glue`.
pub(crate) fn run_glue(arguments: &PolicyArguments) -> Outcome {
    let operations = Feature::operations_of(&glue_features(&arguments.skip)?);
    show(arguments, Service::Glue, &operations, &[])
}

/// `policy smus`.
pub(crate) fn run_smus(arguments: &SmusPolicyArguments) -> Outcome {
    let operations = smus::operations(&smus_sections(&arguments.policy.skip).map_err(|error| usage(&error))?);
    show(&arguments.policy, Service::DataZone, &operations, &arguments.domain)
}

/// `policy secrets`.
pub(crate) fn run_secrets(arguments: &SecretsPolicyArguments) -> Outcome {
    let mut text = secrets_text(arguments)?;
    text.push('\n');
    print(text.as_bytes())?;
    Ok(Status::Complete)
}

fn secrets_text(arguments: &SecretsPolicyArguments) -> Result<String, Failure> {
    if arguments.endpoint {
        return Ok(aws::endpoint_policy(Service::SecretsManager, &arguments.account));
    }
    let region = Region::parse(&arguments.region).map_err(Failure::usage)?;
    let place = PolicyPlace {
        partition: region.partition().name.to_owned(),
        region: region.name().to_owned(),
        account: arguments.account.clone(),
        domains: Vec::new(),
    };
    Ok(aws::secrets_policy(&place, &arguments.secrets))
}

fn show(arguments: &PolicyArguments, service: Service, operations: &[ReadOperation], domains: &[String]) -> Outcome {
    let region = Region::parse(&arguments.region).map_err(Failure::usage)?;
    let mut text = if arguments.trust {
        aws::trust_policy(&TrustParty { principal: arguments.principal.clone(), external_id: arguments.external_id.clone() })
    } else if arguments.endpoint {
        aws::endpoint_policy(service, &arguments.account)
    } else if arguments.session {
        aws::session_policy(operations)
    } else {
        let place = PolicyPlace {
            partition: region.partition().name.to_owned(),
            region: region.name().to_owned(),
            account: arguments.account.clone(),
            domains: domains.to_vec(),
        };
        aws::permission_policy(operations, &place)
    };
    text.push('\n');
    print(text.as_bytes())?;
    Ok(Status::Complete)
}

fn glue_features(skip: &[String]) -> Result<Vec<Feature>, Failure> {
    let skipped = glue_sections(skip).map_err(|error| usage(&error))?;
    let wanted = |feature: &Feature| match feature {
        Feature::Catalog => true,
        Feature::Jobs => !skipped.contains(&Section::Jobs),
        Feature::Workflows => !(skipped.contains(&Section::Workflows) && skipped.contains(&Section::Triggers)),
        Feature::Crawlers => !skipped.contains(&Section::Crawlers),
        Feature::Connections => !skipped.contains(&Section::Connections),
        Feature::SmusDomains | Feature::SmusMarketplace | Feature::SmusLineage | Feature::SmusPeople => false,
    };
    Ok(Feature::of_service(Service::Glue).iter().copied().filter(wanted).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_skipped_kind_every_read_of_its_service_is_granted() {
        let names = |operations: Vec<ReadOperation>| operations.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(names(smus::operations(&smus_sections(&[]).unwrap())), names(ReadOperation::of(Service::DataZone).collect()));
        let glue = Feature::operations_of(&glue_features(&[]).unwrap());
        assert_eq!(names(glue), names(ReadOperation::of(Service::Glue).collect()));
    }

    #[test]
    fn a_runtime_is_granted_the_named_secrets_in_the_partition_of_the_region() {
        let arguments = |endpoint| SecretsPolicyArguments {
            secrets: vec!["team/aws".to_owned()],
            endpoint,
            region: "cn-north-1".to_owned(),
            account: "111122223333".to_owned(),
        };
        let text = secrets_text(&arguments(false)).unwrap();
        assert!(text.contains("\"arn:aws-cn:secretsmanager:cn-north-1:111122223333:secret:team/aws-??????\""), "{text}");
        assert!(secrets_text(&arguments(true)).unwrap().contains("secretsmanager:GetSecretValue"));
    }

    #[test]
    fn an_unknown_kind_is_a_usage_error_that_lists_the_known_ones() {
        let text = usage(&smus_sections(&["jobs".to_owned()]).unwrap_err()).to_string();
        assert!(text.contains("\"jobs\"") && text.contains("domain-units, environments, assets"), "{text}");
    }
}
