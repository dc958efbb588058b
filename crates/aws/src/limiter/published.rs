//! What AWS says it allows, per operation: one table.
//!
//! Source: "Amazon DataZone API rate limits" on the page "Quotas for Amazon DataZone" of the user guide
//! (<https://docs.aws.amazon.com/datazone/latest/userguide/datazone-limits.html>): requests a second, per account and region. Glue
//! publishes no rates.

use connector::port::ReadOperation;

/// What is known of an operation's rate before the first request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Allowance {
    /// Nothing, and the service is known to be generous: no limit until it throttles.
    Unknown,
    /// Nothing, and the service's other rates are low: this many a second to begin with.
    Assumed(u32),
    /// This many requests a second.
    Published(u32),
}

/// Below every published rate, so that an operation without one begins without being throttled.
const ASSUMED: Allowance = Allowance::Assumed(5);

impl Allowance {
    /// The allowance of an operation.
    pub(super) const fn of(operation: ReadOperation) -> Self {
        match operation {
            ReadOperation::Search | ReadOperation::SearchTypes => Self::Published(20),
            ReadOperation::SearchListings => Self::Published(16),
            ReadOperation::ListProjects
            | ReadOperation::ListProjectMemberships
            | ReadOperation::ListEnvironments
            | ReadOperation::GetEnvironment
            | ReadOperation::ListSubscriptions
            | ReadOperation::GetSubscription
            | ReadOperation::ListSubscriptionRequests => Self::Published(8),
            ReadOperation::ListDomains
            | ReadOperation::GetDomain
            | ReadOperation::ListDomainUnitsForParent
            | ReadOperation::GetDomainUnit
            | ReadOperation::GetProject
            | ReadOperation::ListProjectProfiles
            | ReadOperation::GetAsset
            | ReadOperation::GetListing
            | ReadOperation::ListAssetFilters
            | ReadOperation::GetDataProduct
            | ReadOperation::QueryGraph
            | ReadOperation::GetLineageNode
            | ReadOperation::ListLineageEvents
            | ReadOperation::GetLineageEvent
            | ReadOperation::GetUserProfile => ASSUMED,
            ReadOperation::AssumeRole
            | ReadOperation::GetCallerIdentity
            | ReadOperation::GetCatalogs
            | ReadOperation::GetCatalog
            | ReadOperation::GetDatabases
            | ReadOperation::GetDatabase
            | ReadOperation::GetTables
            | ReadOperation::GetTable
            | ReadOperation::GetJobs
            | ReadOperation::ListWorkflows
            | ReadOperation::BatchGetWorkflows
            | ReadOperation::GetTriggers
            | ReadOperation::GetCrawlers
            | ReadOperation::GetConnections
            | ReadOperation::GetSecretValue => Self::Unknown,
        }
    }
}
