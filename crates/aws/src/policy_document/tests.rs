//! The policies that are printed, as IAM reads them.

use serde_json::{Value, json};

use super::*;

fn place() -> PolicyPlace {
    PolicyPlace {
        partition: "aws".to_owned(),
        region: "eu-west-1".to_owned(),
        account: "111122223333".to_owned(),
        domains: Vec::new(),
    }
}

fn of(service: Service) -> Vec<ReadOperation> {
    Feature::operations_of(Feature::of_service(service))
}

fn actions(policy: &str) -> Vec<String> {
    let policy: Value = serde_json::from_str(policy).unwrap();
    let statements = policy["Statement"].as_array().unwrap();
    statements.iter().flat_map(|one| one["Action"].as_array().unwrap()).map(|action| action.as_str().unwrap().to_owned()).collect()
}

#[test]
fn all_features_together_grant_every_glue_read_and_nothing_else() {
    let mut granted = actions(&permission_policy(&of(Service::Glue), &place()));
    let mut expected: Vec<_> = ReadOperation::of(Service::Glue).map(|operation| operation.to_string()).collect();
    granted.sort_unstable();
    expected.sort_unstable();
    assert_eq!(granted, expected);
    let is_read = |action: &String| ["glue:Get", "glue:List", "glue:BatchGet"].iter().any(|prefix| action.starts_with(prefix));
    assert!(granted.iter().all(is_read));
}

/// The actions of DataZone that the Service Authorization Reference calls Read or List, as far as this program has them.
const DATAZONE_READS: &[&str] = &[
    "BatchGetAttributesMetadata",
    "GetAsset",
    "GetAssetFilter",
    "GetAssetType",
    "GetConnection",
    "GetDataProduct",
    "GetDataSource",
    "GetDataSourceRun",
    "GetDomain",
    "GetDomainUnit",
    "GetEnvironment",
    "GetEnvironmentBlueprint",
    "GetEnvironmentProfile",
    "GetFormType",
    "GetGlossary",
    "GetGlossaryTerm",
    "GetGroupProfile",
    "GetLineageEvent",
    "GetLineageNode",
    "GetListing",
    "GetMetadataGenerationRun",
    "GetProject",
    "GetProjectProfile",
    "GetRule",
    "GetSubscription",
    "GetSubscriptionGrant",
    "GetSubscriptionRequestDetails",
    "GetSubscriptionTarget",
    "GetUserProfile",
    "ListAssetFilters",
    "ListAssetRevisions",
    "ListConnections",
    "ListDataProductRevisions",
    "ListDataSourceRunActivities",
    "ListDataSourceRuns",
    "ListDataSources",
    "ListDomainUnitsForParent",
    "ListDomains",
    "ListEntityOwners",
    "ListEnvironmentBlueprints",
    "ListEnvironmentProfiles",
    "ListEnvironments",
    "ListLineageEvents",
    "ListLineageNodeHistory",
    "ListMetadataGenerationRuns",
    "ListPolicyGrants",
    "ListProjectMemberships",
    "ListProjectProfiles",
    "ListProjects",
    "ListRules",
    "ListSubscriptionGrants",
    "ListSubscriptionRequests",
    "ListSubscriptionTargets",
    "ListSubscriptions",
    "ListTagsForResource",
    "QueryGraph",
    "Search",
    "SearchGroupProfiles",
    "SearchListings",
    "SearchTypes",
    "SearchUserProfiles",
];

#[test]
fn all_features_together_grant_every_datazone_read_and_nothing_else() {
    let mut granted = actions(&permission_policy(&of(Service::DataZone), &place()));
    let mut expected: Vec<_> = ReadOperation::of(Service::DataZone).map(|operation| operation.to_string()).collect();
    granted.sort_unstable();
    expected.sort_unstable();
    assert_eq!(granted, expected);
    for action in granted {
        assert!(action.strip_prefix("datazone:").is_some_and(|name| DATAZONE_READS.contains(&name)), "{action} is no read");
    }
}

#[test]
fn datazone_reads_are_granted_on_the_given_domains_and_listing_them_on_everything() {
    let statements = |domains: &[&str]| -> Vec<(String, Value)> {
        let place = PolicyPlace { domains: domains.iter().map(|id| (*id).to_owned()).collect(), ..place() };
        let policy: Value = serde_json::from_str(&permission_policy(&of(Service::DataZone), &place)).unwrap();
        let statements = policy["Statement"].as_array().unwrap();
        statements.iter().map(|one| (one["Sid"].as_str().unwrap().to_owned(), one["Resource"].clone())).collect()
    };
    let arn = |rest: &str| format!("arn:aws:datazone:eu-west-1:111122223333:domain/{rest}");
    let of_two = json!([arn("dzd_1"), arn("dzd_1/*"), arn("dzd-2"), arn("dzd-2/*")]);
    for (domains, resources) in [(&[][..], json!([arn("*")])), (&["dzd_1", "dzd-2"], of_two)] {
        let statements = statements(domains);
        let names: Vec<_> = statements.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["DataZoneCoreList", "DataZoneCore", "DataZoneMarketplace", "DataZoneLineage", "DataZonePeople"]);
        assert_eq!(statements[0].1, json!(["*"]));
        assert!(statements[1..].iter().all(|(_, of_statement)| *of_statement == resources), "{statements:?}");
    }
}

#[test]
fn the_policy_of_one_service_has_no_action_of_the_other() {
    let mixed: Vec<_> = of(Service::Glue).into_iter().filter(|operation| operation.service() != Service::Glue).collect();
    assert!(mixed.is_empty() && of(Service::Sts).is_empty());
    assert!(of(Service::DataZone).iter().all(|operation| operation.service() == Service::DataZone));
    let policy = permission_policy(&[ReadOperation::AssumeRole, ReadOperation::GetJobs], &place());
    assert_eq!(actions(&policy), ["glue:GetJobs"]);
}

#[test]
fn catalog_reads_are_granted_on_all_four_kinds_of_resource() {
    let policy: Value = serde_json::from_str(&permission_policy(&Feature::operations_of(&[Feature::Catalog]), &place())).unwrap();
    let arn = |rest: &str| format!("arn:aws:glue:eu-west-1:111122223333:{rest}");
    assert_eq!(policy["Version"], "2012-10-17");
    assert_eq!(policy["Statement"][0]["Resource"], json!([arn("catalog"), arn("catalog/*"), arn("database/*"), arn("table/*")]));
    assert_eq!(policy["Statement"].as_array().unwrap().len(), 1);
}

#[test]
fn actions_without_resources_are_granted_on_everything_in_a_statement_of_their_own() {
    let policy: Value = serde_json::from_str(&permission_policy(&Feature::operations_of(&[Feature::Workflows]), &place())).unwrap();
    assert_eq!(
        policy["Statement"][0],
        json!({
            "Sid": "GlueWorkflowsList", "Effect": "Allow", "Action": ["glue:ListWorkflows", "glue:GetTriggers"], "Resource": ["*"]
        })
    );
    assert_eq!(policy["Statement"][1]["Resource"], json!(["arn:aws:glue:eu-west-1:111122223333:workflow/*"]));
}

#[test]
fn the_session_policy_fits_and_holds_the_runs_reads_only() {
    for operations in [ReadOperation::ALL, &of(Service::Glue), &of(Service::DataZone)] {
        let policy = session_policy(operations);
        assert!(policy.chars().count() <= 2048 && !policy.contains([' ', '\n']), "{policy}");
        assert!(!policy.contains("sts:"));
    }
    let domains = session_policy(&of(Service::DataZone));
    assert!(domains.contains("datazone:Search") && !domains.contains("glue:"), "{domains}");
    let narrow = session_policy(&[ReadOperation::GetTables, ReadOperation::GetTables]);
    let expected = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["glue:GetTables"],"Resource":["*"]}]}"#;
    assert_eq!(narrow, expected);
}

#[test]
fn no_policy_of_a_crawl_grants_the_reading_of_secrets() {
    let crawls: Vec<_> = [Service::Sts, Service::Glue, Service::DataZone].iter().flat_map(|service| of(*service)).collect();
    assert!(!crawls.is_empty() && !crawls.contains(&ReadOperation::GetSecretValue));
    assert!(!permission_policy(ReadOperation::ALL, &place()).contains("secretsmanager"));
    assert!(!session_policy(&crawls).contains("secretsmanager"));
    assert!(of(Service::SecretsManager).is_empty());
}

#[test]
fn a_runtime_is_granted_the_secrets_that_are_named_and_nothing_else() {
    let arn = "arn:aws:secretsmanager:eu-west-1:444455556666:secret:shared-AbCdEf";
    let policy: Value = serde_json::from_str(&secrets_policy(&place(), &["team/aws".to_owned(), arn.to_owned()])).unwrap();
    assert_eq!(
        policy["Statement"],
        json!([{
            "Sid": "RuntimeSecrets", "Effect": "Allow", "Action": ["secretsmanager:GetSecretValue"],
            "Resource": ["arn:aws:secretsmanager:eu-west-1:111122223333:secret:team/aws-??????", arn]
        }])
    );
}

#[test]
fn the_session_of_a_secret_reader_may_read_secrets_only() {
    let policy = session_policy(&[ReadOperation::AssumeRole, ReadOperation::GetSecretValue]);
    assert!(policy.contains(r#""Action":["secretsmanager:GetSecretValue"]"#), "{policy}");
    assert_eq!(actions(&endpoint_policy(Service::SecretsManager, "1")), ["secretsmanager:GetSecretValue"]);
}

#[test]
fn trust_asks_for_the_external_id_only_if_there_is_one() {
    let party = |id: Option<&str>| TrustParty { principal: "arn:aws:iam::1:role/c".to_owned(), external_id: id.map(str::to_owned) };
    let with: Value = serde_json::from_str(&trust_policy(&party(Some("ext-1")))).unwrap();
    assert_eq!(with["Statement"][0]["Condition"], json!({"StringEquals": {"sts:ExternalId": "ext-1"}}));
    for without in [party(None), party(Some(""))] {
        let policy: Value = serde_json::from_str(&trust_policy(&without)).unwrap();
        assert!(policy["Statement"][0].get("Condition").is_none() && policy["Statement"][0].get("Resource").is_none());
    }
}

#[test]
fn endpoint_policies_allow_the_reads_of_their_service() {
    let glue: Value = serde_json::from_str(&endpoint_policy(Service::Glue, "111122223333")).unwrap();
    assert_eq!(glue["Statement"][0]["Condition"]["StringEquals"]["aws:PrincipalAccount"], json!(["111122223333"]));
    let datazone = endpoint_policy(Service::DataZone, "111122223333");
    assert_eq!(actions(&datazone).len(), of(Service::DataZone).len());
    assert!(datazone.contains("aws:PrincipalAccount") && actions(&datazone).iter().all(|action| action.starts_with("datazone:")));
    assert_eq!(actions(&endpoint_policy(Service::Sts, "1")), ["sts:AssumeRole", "sts:GetCallerIdentity"]);
}
