//! `policy`: IAM policies, ready to paste.

use aws::{Feature, PolicyPlace, Region, TrustParty};
use connector::glue::Section;
use connector::port::{ReadOperation, Service};

use crate::arguments::{PolicyArguments, SmusPolicyArguments};
use crate::crawl::settings::sections;
use crate::failure::{Failure, Outcome, Status};
use crate::output::print;

/// What can be left out of a crawl of SageMaker Unified Studio, and the reads that each kind needs. What no kind needs is always read.
const SMUS_KINDS: &[(&str, &[ReadOperation])] = &[
    ("domain-units", &[ReadOperation::ListDomainUnitsForParent, ReadOperation::GetDomainUnit]),
    ("environments", &[ReadOperation::ListEnvironments, ReadOperation::GetEnvironment]),
    (
        "subscriptions",
        &[
            ReadOperation::ListSubscriptions,
            ReadOperation::GetSubscription,
            ReadOperation::ListSubscriptionRequests,
            ReadOperation::ListAssetFilters,
        ],
    ),
    ("data-products", &[ReadOperation::Search, ReadOperation::SearchListings, ReadOperation::GetDataProduct]),
    ("glossaries", &[ReadOperation::Search]),
    ("metadata-forms", &[ReadOperation::SearchTypes]),
    (
        "lineage",
        &[
            ReadOperation::QueryGraph,
            ReadOperation::GetLineageNode,
            ReadOperation::ListLineageEvents,
            ReadOperation::GetLineageEvent,
        ],
    ),
    ("assets", &[ReadOperation::Search, ReadOperation::SearchListings, ReadOperation::GetAsset, ReadOperation::ListAssetFilters]),
];

/// `policy glue`.
pub(crate) fn glue(arguments: &PolicyArguments) -> Outcome {
    let operations = Feature::operations_of(&glue_features(&arguments.skip)?);
    show(arguments, Service::Glue, &operations, &[])
}

/// `policy smus`.
pub(crate) fn smus(arguments: &SmusPolicyArguments) -> Outcome {
    let operations = smus_operations(&arguments.policy.skip)?;
    show(&arguments.policy, Service::DataZone, &operations, &arguments.domain)
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
    let skipped = sections(skip)?;
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

/// The reads of a crawl without the skipped kinds: those that a kind that is left needs, or that none needs in particular.
fn smus_operations(skip: &[String]) -> Result<Vec<ReadOperation>, Failure> {
    if let Some(word) = skip.iter().find(|word| !SMUS_KINDS.iter().any(|(kind, _)| kind == word)) {
        let known: Vec<_> = SMUS_KINDS.iter().map(|(kind, _)| *kind).collect();
        return Err(Failure::usage(format!("--skip does not know \"{word}\"; it takes {}", known.join(", "))));
    }
    let wanted = |operation: &ReadOperation| {
        let mut kinds = SMUS_KINDS.iter().filter(|(_, needed)| needed.contains(operation)).peekable();
        kinds.peek().is_none() || kinds.any(|(kind, _)| !skip.iter().any(|word| word == kind))
    };
    Ok(ReadOperation::of(Service::DataZone).filter(wanted).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn skipping(words: &[&str]) -> Result<Vec<ReadOperation>, Failure> {
        smus_operations(&words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn without_a_skipped_kind_every_read_of_its_service_is_granted() {
        let names = |operations: Vec<ReadOperation>| operations.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(names(skipping(&[]).unwrap()), names(ReadOperation::of(Service::DataZone).collect()));
        let glue = Feature::operations_of(&glue_features(&[]).unwrap());
        assert_eq!(names(glue), names(ReadOperation::of(Service::Glue).collect()));
    }

    #[test]
    fn a_read_is_left_out_only_if_no_kind_that_is_left_needs_it() {
        let without_assets = skipping(&["assets", "lineage"]).unwrap();
        assert!(!without_assets.contains(&ReadOperation::GetAsset) && !without_assets.contains(&ReadOperation::QueryGraph));
        assert!(without_assets.contains(&ReadOperation::Search) && without_assets.contains(&ReadOperation::ListAssetFilters));
        let without_searches = skipping(&["assets", "data-products", "glossaries", "subscriptions"]).unwrap();
        for operation in [ReadOperation::Search, ReadOperation::SearchListings, ReadOperation::ListAssetFilters] {
            assert!(!without_searches.contains(&operation), "{operation}");
        }
        assert!(without_searches.contains(&ReadOperation::ListProjects));
    }

    #[test]
    fn an_unknown_kind_is_a_usage_error_that_lists_the_known_ones() {
        let text = skipping(&["jobs"]).unwrap_err().to_string();
        assert!(text.contains("\"jobs\"") && text.contains("domain-units, environments, subscriptions"), "{text}");
    }
}
