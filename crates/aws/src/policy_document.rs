//! IAM policies, generated from the operations that exist in the program: least privilege, printed ready to paste.
//!
//! Resource types are those of the Service Authorization Reference for AWS Glue. A new operation does not compile until it is
//! given its feature and its resources here.

use connector::port::{ReadOperation, Service};
use serde::Serialize;

/// The version of the policy language.
const LANGUAGE_VERSION: &str = "2012-10-17";

/// A group of reads that is granted together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Feature {
    /// Catalogs, databases, tables.
    Catalog,
    /// Jobs.
    Jobs,
    /// Workflows and triggers.
    Workflows,
    /// Crawlers.
    Crawlers,
    /// Glue connections.
    Connections,
}

impl Feature {
    /// Every feature.
    pub const ALL: &'static [Self] = &[Self::Catalog, Self::Jobs, Self::Workflows, Self::Crawlers, Self::Connections];

    /// The feature that needs an operation; sign-in needs none.
    #[must_use]
    pub const fn of(operation: ReadOperation) -> Option<Self> {
        #[expect(clippy::wildcard_enum_match_arm, reason = "DataZone comes next")]
        match operation {
            ReadOperation::AssumeRole | ReadOperation::GetCallerIdentity => None,
            ReadOperation::GetCatalogs
            | ReadOperation::GetCatalog
            | ReadOperation::GetDatabases
            | ReadOperation::GetDatabase
            | ReadOperation::GetTables
            | ReadOperation::GetTable => Some(Self::Catalog),
            ReadOperation::GetJobs => Some(Self::Jobs),
            ReadOperation::ListWorkflows | ReadOperation::BatchGetWorkflows | ReadOperation::GetTriggers => Some(Self::Workflows),
            ReadOperation::GetCrawlers => Some(Self::Crawlers),
            ReadOperation::GetConnections => Some(Self::Connections),
            _ => None,
        }
    }

    /// The operations of a feature.
    pub fn operations(self) -> impl Iterator<Item = ReadOperation> {
        ReadOperation::ALL.iter().copied().filter(move |operation| Self::of(*operation) == Some(self))
    }

    /// The operations of several features.
    #[must_use]
    pub fn operations_of(features: &[Self]) -> Vec<ReadOperation> {
        features.iter().flat_map(|feature| feature.operations()).collect()
    }
}

/// The resource types that an action is checked against; none means that it takes `*` only.
#[expect(clippy::wildcard_enum_match_arm, reason = "DataZone comes next")]
const fn resource_types(operation: ReadOperation) -> &'static [&'static str] {
    match operation {
        ReadOperation::GetCatalogs
        | ReadOperation::GetCatalog
        | ReadOperation::GetDatabases
        | ReadOperation::GetDatabase
        | ReadOperation::GetTables
        | ReadOperation::GetTable => &["catalog", "catalog/*", "database/*", "table/*"],
        ReadOperation::BatchGetWorkflows => &["workflow/*"],
        ReadOperation::GetConnections => &["catalog", "connection/*"],
        ReadOperation::AssumeRole
        | ReadOperation::GetCallerIdentity
        | ReadOperation::GetJobs
        | ReadOperation::ListWorkflows
        | ReadOperation::GetTriggers
        | ReadOperation::GetCrawlers => &[],
        _ => &["domain/*"],
    }
}

/// Where a policy applies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyPlace {
    /// `aws`, `aws-cn`.
    pub partition: String,
    /// The region; `*` for all.
    pub region: String,
    /// The account's twelve digits.
    pub account: String,
}

/// Who may assume the role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustParty {
    /// The ARN of the user or role that signs in.
    pub principal: String,
    /// What it must give; none if empty.
    pub external_id: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Policy {
    version: &'static str,
    statement: Vec<Statement>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Statement {
    #[serde(skip_serializing_if = "Option::is_none")]
    sid: Option<String>,
    effect: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    principal: Option<serde_json::Value>,
    action: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    resource: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    condition: Option<serde_json::Value>,
}

impl Statement {
    fn allow(actions: Vec<String>, resource: Vec<String>) -> Self {
        Self { sid: None, effect: "Allow", principal: None, action: actions, resource, condition: None }
    }
}

/// What the role may do: a statement for each feature and kind of resource. Indented JSON.
#[must_use]
pub fn permission_policy(features: &[Feature], place: &PolicyPlace) -> String {
    let mut statements: Vec<Statement> = Vec::new();
    for feature in features {
        let mut groups: Vec<(&[&str], Vec<String>)> = Vec::new();
        for operation in feature.operations() {
            let types = resource_types(operation);
            match groups.iter_mut().find(|(known, _)| *known == types) {
                Some((_, actions)) => actions.push(operation.to_string()),
                None => groups.push((types, vec![operation.to_string()])),
            }
        }
        for (types, actions) in groups {
            let sid = format!("Glue{feature:?}{}", if types.is_empty() { "List" } else { "" });
            statements.push(Statement { sid: Some(sid), ..Statement::allow(actions, resources(types, place)) });
        }
    }
    pretty(statements)
}

/// The trust policy of the role. Indented JSON.
#[must_use]
pub fn trust_policy(party: &TrustParty) -> String {
    let condition = party.external_id.as_ref().filter(|id| !id.is_empty());
    let statement = Statement {
        sid: Some("IsinglassOnly".to_owned()),
        principal: Some(serde_json::json!({ "AWS": party.principal })),
        condition: condition.map(|id| serde_json::json!({ "StringEquals": { "sts:ExternalId": id } })),
        ..Statement::allow(vec![ReadOperation::AssumeRole.to_string()], Vec::new())
    };
    pretty(vec![statement])
}

/// The policy of the interface endpoint of a service: only the reads, only for principals of one account. Indented JSON.
#[must_use]
pub fn endpoint_policy(service: Service, account: &str) -> String {
    let mut actions: Vec<_> = ReadOperation::of(service).map(|operation| operation.to_string()).collect();
    let condition = match service {
        // Who signs in is of the caller's account, not of the role's.
        Service::Sts => None,
        Service::Glue | Service::DataZone => Some(serde_json::json!({ "StringEquals": { "aws:PrincipalAccount": [account] } })),
    };
    actions.sort_unstable();
    let statement = Statement {
        sid: Some("ReadOnly".to_owned()),
        principal: Some(serde_json::json!("*")),
        condition,
        ..Statement::allow(actions, vec!["*".to_owned()])
    };
    pretty(vec![statement])
}

/// The inline policy of a session: the read actions of a run on every resource, since the role's own policy sets those. One line
/// without white space, for STS takes 2,048 characters.
#[must_use]
pub fn session_policy(operations: &[ReadOperation]) -> String {
    let mut actions: Vec<_> =
        operations.iter().filter(|operation| operation.service() != Service::Sts).map(ToString::to_string).collect();
    actions.sort_unstable();
    actions.dedup();
    if actions.is_empty() {
        actions.push(ReadOperation::GetCallerIdentity.to_string());
    }
    let policy = Policy { version: LANGUAGE_VERSION, statement: vec![Statement::allow(actions, vec!["*".to_owned()])] };
    serde_json::to_string(&policy).unwrap_or_default()
}

fn resources(types: &[&str], place: &PolicyPlace) -> Vec<String> {
    if types.is_empty() {
        return vec!["*".to_owned()];
    }
    let PolicyPlace { partition, region, account } = place;
    types.iter().map(|kind| format!("arn:{partition}:glue:{region}:{account}:{kind}")).collect()
}

/// Strings and lists of strings cannot fail to serialise; an empty text would be the visible sign if they did.
fn pretty(statement: Vec<Statement>) -> String {
    serde_json::to_string_pretty(&Policy { version: LANGUAGE_VERSION, statement }).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn place() -> PolicyPlace {
        PolicyPlace { partition: "aws".to_owned(), region: "eu-west-1".to_owned(), account: "111122223333".to_owned() }
    }

    fn actions(policy: &str) -> Vec<String> {
        let policy: Value = serde_json::from_str(policy).unwrap();
        let statements = policy["Statement"].as_array().unwrap();
        statements
            .iter()
            .flat_map(|one| one["Action"].as_array().unwrap())
            .map(|action| action.as_str().unwrap().to_owned())
            .collect()
    }

    #[test]
    fn all_features_together_grant_every_glue_read_and_nothing_else() {
        let mut granted = actions(&permission_policy(Feature::ALL, &place()));
        let mut expected: Vec<_> = ReadOperation::of(Service::Glue).map(|operation| operation.to_string()).collect();
        granted.sort_unstable();
        expected.sort_unstable();
        assert_eq!(granted, expected);
        let is_read = |action: &String| ["glue:Get", "glue:List", "glue:BatchGet"].iter().any(|prefix| action.starts_with(prefix));
        assert!(granted.iter().all(is_read));
    }

    #[test]
    fn catalog_reads_are_granted_on_all_four_kinds_of_resource() {
        let policy: Value = serde_json::from_str(&permission_policy(&[Feature::Catalog], &place())).unwrap();
        let arn = |rest: &str| format!("arn:aws:glue:eu-west-1:111122223333:{rest}");
        assert_eq!(policy["Version"], "2012-10-17");
        assert_eq!(
            policy["Statement"][0]["Resource"],
            json!([arn("catalog"), arn("catalog/*"), arn("database/*"), arn("table/*")])
        );
        assert_eq!(policy["Statement"].as_array().unwrap().len(), 1);
    }

    #[test]
    fn actions_without_resources_are_granted_on_everything_in_a_statement_of_their_own() {
        let policy: Value = serde_json::from_str(&permission_policy(&[Feature::Workflows], &place())).unwrap();
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
        let policy = session_policy(ReadOperation::ALL);
        assert!(policy.chars().count() <= 2048 && !policy.contains([' ', '\n']), "{policy}");
        assert!(!policy.contains("sts:"));
        let narrow = session_policy(&[ReadOperation::GetTables, ReadOperation::GetTables]);
        let expected = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["glue:GetTables"],"Resource":["*"]}]}"#;
        assert_eq!(narrow, expected);
    }

    #[test]
    fn trust_asks_for_the_external_id_only_if_there_is_one() {
        let party =
            |id: Option<&str>| TrustParty { principal: "arn:aws:iam::1:role/c".to_owned(), external_id: id.map(str::to_owned) };
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
        assert_eq!(actions(&endpoint_policy(Service::Sts, "1")), ["sts:AssumeRole", "sts:GetCallerIdentity"]);
    }
}
