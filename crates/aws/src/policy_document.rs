//! IAM policies, generated from the operations that exist in the program: least privilege, printed ready to paste.
//!
//! Resource types are those of the Service Authorization Reference for AWS Glue and for Amazon DataZone; where the latter names none,
//! the domain's ARN, as AWS's managed policies and its denials do. A new operation does not compile until it is given its feature and
//! its resources here.

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
    /// Domains of SageMaker Unified Studio, their units, projects, environments and assets.
    SmusDomains,
    /// Listings and subscriptions.
    SmusMarketplace,
    /// Lineage events and graphs.
    SmusLineage,
    /// User profiles.
    SmusPeople,
}

impl Feature {
    /// The features of a service, in the order of its policy.
    #[must_use]
    pub const fn of_service(service: Service) -> &'static [Self] {
        match service {
            // Sign-in needs none; secrets are granted to a runtime by name ([`secrets_policy`]), never to the role of a crawl.
            Service::Sts | Service::SecretsManager => &[],
            Service::Glue => &[Self::Catalog, Self::Jobs, Self::Workflows, Self::Crawlers, Self::Connections],
            Service::DataZone => &[Self::SmusDomains, Self::SmusMarketplace, Self::SmusLineage, Self::SmusPeople],
        }
    }

    /// The feature that needs an operation; sign-in needs none, and no crawl reads secrets.
    #[must_use]
    pub const fn of(operation: ReadOperation) -> Option<Self> {
        match operation {
            ReadOperation::AssumeRole | ReadOperation::GetCallerIdentity | ReadOperation::GetSecretValue => None,
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
            ReadOperation::ListDomains
            | ReadOperation::GetDomain
            | ReadOperation::ListDomainUnitsForParent
            | ReadOperation::GetDomainUnit
            | ReadOperation::ListProjects
            | ReadOperation::GetProject
            | ReadOperation::ListProjectProfiles
            | ReadOperation::ListProjectMemberships
            | ReadOperation::ListEnvironments
            | ReadOperation::GetEnvironment
            | ReadOperation::Search
            | ReadOperation::SearchTypes
            | ReadOperation::GetAsset
            | ReadOperation::GetDataProduct => Some(Self::SmusDomains),
            ReadOperation::SearchListings
            | ReadOperation::GetListing
            | ReadOperation::ListAssetFilters
            | ReadOperation::ListSubscriptions
            | ReadOperation::GetSubscription
            | ReadOperation::ListSubscriptionRequests => Some(Self::SmusMarketplace),
            ReadOperation::QueryGraph
            | ReadOperation::GetLineageNode
            | ReadOperation::ListLineageEvents
            | ReadOperation::GetLineageEvent => Some(Self::SmusLineage),
            ReadOperation::GetUserProfile => Some(Self::SmusPeople),
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

    /// How the statements of the feature begin their name.
    const fn statement_name(self) -> &'static str {
        match self {
            Self::Catalog => "GlueCatalog",
            Self::Jobs => "GlueJobs",
            Self::Workflows => "GlueWorkflows",
            Self::Crawlers => "GlueCrawlers",
            Self::Connections => "GlueConnections",
            Self::SmusDomains => "DataZoneCore",
            Self::SmusMarketplace => "DataZoneMarketplace",
            Self::SmusLineage => "DataZoneLineage",
            Self::SmusPeople => "DataZonePeople",
        }
    }
}

/// The resources that an action is checked against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scope {
    /// It takes `*` only.
    Everything,
    /// Glue resources of these types.
    Glue(&'static [&'static str]),
    /// The domains of the place.
    Domains,
}

impl Scope {
    const fn of(operation: ReadOperation) -> Self {
        match operation {
            ReadOperation::GetCatalogs
            | ReadOperation::GetCatalog
            | ReadOperation::GetDatabases
            | ReadOperation::GetDatabase
            | ReadOperation::GetTables
            | ReadOperation::GetTable => Self::Glue(&["catalog", "catalog/*", "database/*", "table/*"]),
            ReadOperation::BatchGetWorkflows => Self::Glue(&["workflow/*"]),
            ReadOperation::GetConnections => Self::Glue(&["catalog", "connection/*"]),
            ReadOperation::AssumeRole
            | ReadOperation::GetCallerIdentity
            | ReadOperation::GetSecretValue
            | ReadOperation::GetJobs
            | ReadOperation::ListWorkflows
            | ReadOperation::GetTriggers
            | ReadOperation::GetCrawlers
            | ReadOperation::ListDomains => Self::Everything,
            ReadOperation::GetDomain
            | ReadOperation::ListDomainUnitsForParent
            | ReadOperation::GetDomainUnit
            | ReadOperation::ListProjects
            | ReadOperation::GetProject
            | ReadOperation::ListProjectProfiles
            | ReadOperation::ListProjectMemberships
            | ReadOperation::ListEnvironments
            | ReadOperation::GetEnvironment
            | ReadOperation::Search
            | ReadOperation::SearchListings
            | ReadOperation::SearchTypes
            | ReadOperation::GetAsset
            | ReadOperation::GetListing
            | ReadOperation::ListAssetFilters
            | ReadOperation::GetDataProduct
            | ReadOperation::ListSubscriptions
            | ReadOperation::GetSubscription
            | ReadOperation::ListSubscriptionRequests
            | ReadOperation::QueryGraph
            | ReadOperation::GetLineageNode
            | ReadOperation::ListLineageEvents
            | ReadOperation::GetLineageEvent
            | ReadOperation::GetUserProfile => Self::Domains,
        }
    }

    /// The resources of a statement.
    fn resources(self, place: &PolicyPlace) -> Vec<String> {
        let PolicyPlace { partition, region, account, domains } = place;
        let arn = |service: Service, rest: &str| format!("arn:{partition}:{}:{region}:{account}:{rest}", service.name());
        match self {
            Self::Everything => vec!["*".to_owned()],
            Self::Glue(types) => types.iter().map(|kind| arn(Service::Glue, kind)).collect(),
            Self::Domains if domains.is_empty() => vec![arn(Service::DataZone, "domain/*")],
            Self::Domains => {
                let of = |id: &String| [format!("domain/{id}"), format!("domain/{id}/*")];
                domains.iter().flat_map(of).map(|rest| arn(Service::DataZone, &rest)).collect()
            }
        }
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
    /// The domains of SageMaker Unified Studio that may be read, by id; every one of the account if empty.
    pub domains: Vec<String>,
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

/// What the role may do: a statement for each feature and kind of resource among these operations. Indented JSON.
#[must_use]
pub fn permission_policy(operations: &[ReadOperation], place: &PolicyPlace) -> String {
    let mut groups: Vec<((Feature, Scope), Vec<String>)> = Vec::new();
    for operation in ReadOperation::ALL.iter().copied().filter(|operation| operations.contains(operation)) {
        let Some(feature) = Feature::of(operation) else { continue };
        let key = (feature, Scope::of(operation));
        match groups.iter_mut().find(|(known, _)| *known == key) {
            Some((_, actions)) => actions.push(operation.to_string()),
            None => groups.push((key, vec![operation.to_string()])),
        }
    }
    let statement = |((feature, scope), actions): ((Feature, Scope), Vec<String>)| {
        let list = if scope == Scope::Everything { "List" } else { "" };
        let sid = format!("{}{list}", feature.statement_name());
        Statement { sid: Some(sid), ..Statement::allow(actions, scope.resources(place)) }
    };
    pretty(groups.into_iter().map(statement).collect())
}

/// What the identity of a runtime may do whose credentials are in AWS Secrets Manager: read these secrets and no others. A secret is
/// given by its ARN or by its name; AWS ends the ARN of a secret with a hyphen and six characters, which the name does not tell.
/// Indented JSON.
#[must_use]
pub fn secrets_policy(place: &PolicyPlace, secrets: &[String]) -> String {
    let PolicyPlace { partition, region, account, .. } = place;
    let arn = |secret: &String| {
        let by_name = || format!("arn:{partition}:secretsmanager:{region}:{account}:secret:{secret}-??????");
        if secret.starts_with("arn:") { secret.clone() } else { by_name() }
    };
    let actions = vec![ReadOperation::GetSecretValue.to_string()];
    let statement = Statement::allow(actions, secrets.iter().map(arn).collect());
    pretty(vec![Statement { sid: Some("RuntimeSecrets".to_owned()), ..statement }])
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
        Service::Glue | Service::DataZone | Service::SecretsManager => {
            Some(serde_json::json!({ "StringEquals": { "aws:PrincipalAccount": [account] } }))
        }
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

/// Strings and lists of strings cannot fail to serialise; an empty text would be the visible sign if they did.
fn pretty(statement: Vec<Statement>) -> String {
    serde_json::to_string_pretty(&Policy { version: LANGUAGE_VERSION, statement }).unwrap_or_default()
}

#[cfg(test)]
mod tests;
