//! The closed list of operations: what is not here cannot be sent, by construction.

use std::fmt;

/// An AWS service that is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Service {
    /// AWS Security Token Service: sign-in.
    Sts,
    /// AWS Glue Data Catalog.
    Glue,
    /// Amazon DataZone, which Amazon SageMaker Unified Studio is built on.
    DataZone,
    /// AWS Secrets Manager. No crawl calls it: a runtime reads the credentials of its crawls from it.
    SecretsManager,
}

impl Service {
    /// The name in IAM actions, in SigV4 scopes and in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sts => "sts",
            Self::Glue => "glue",
            Self::DataZone => "datazone",
            Self::SecretsManager => "secretsmanager",
        }
    }
}

/// The HTTP methods of reads in the REST protocol. A `Post` here carries a search in its body and changes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RestMethod {
    /// `GET`
    Get,
    /// `POST`
    Post,
}

/// Where an operation of the REST protocol is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RestRoute {
    /// The method.
    pub method: RestMethod,
    /// The path; `{}` stands for a segment that the request gives.
    pub template: &'static str,
}

impl RestRoute {
    /// Whether a path, as it goes over the wire and without its query, is one of this route.
    #[must_use]
    pub fn matches(&self, path: &str) -> bool {
        let mut given = path.split('/');
        let same =
            |part: &str| given.next().is_some_and(|segment| if part == "{}" { !segment.is_empty() } else { segment == part });
        self.template.split('/').all(same) && given.next().is_none()
    }
}

macro_rules! operations {
    ($($variant:ident = $service:ident $name:literal $($method:ident $template:literal)?),+ $(,)?) => {
        /// A read operation. These variants are the only operations that exist in the program; IAM policies, session policies
        /// and the egress list are generated from them.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum ReadOperation { $(#[doc = concat!("`", $name, "`")] $variant),+ }

        impl ReadOperation {
            /// Every operation.
            pub const ALL: &'static [ReadOperation] = &[$(ReadOperation::$variant),+];

            /// The name in the service's API.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }

            /// The service that it belongs to.
            #[must_use]
            pub const fn service(self) -> Service {
                match self { $(Self::$variant => Service::$service),+ }
            }

            /// Method and path, for the operations of the REST protocol.
            #[must_use]
            pub const fn route(self) -> Option<RestRoute> {
                match self { $(Self::$variant => route!($($method $template)?)),+ }
            }
        }
    };
}

macro_rules! route {
    () => {
        None
    };
    ($method:ident $template:literal) => {
        Some(RestRoute { method: RestMethod::$method, template: $template })
    };
}

operations! {
    AssumeRole = Sts "AssumeRole",
    GetCallerIdentity = Sts "GetCallerIdentity",
    GetCatalogs = Glue "GetCatalogs",
    GetCatalog = Glue "GetCatalog",
    GetDatabases = Glue "GetDatabases",
    GetDatabase = Glue "GetDatabase",
    GetTables = Glue "GetTables",
    GetTable = Glue "GetTable",
    GetJobs = Glue "GetJobs",
    ListWorkflows = Glue "ListWorkflows",
    BatchGetWorkflows = Glue "BatchGetWorkflows",
    GetTriggers = Glue "GetTriggers",
    GetCrawlers = Glue "GetCrawlers",
    GetConnections = Glue "GetConnections",
    ListDomains = DataZone "ListDomains" Get "/v2/domains",
    GetDomain = DataZone "GetDomain" Get "/v2/domains/{}",
    ListDomainUnitsForParent = DataZone "ListDomainUnitsForParent" Get "/v2/domains/{}/domain-units",
    GetDomainUnit = DataZone "GetDomainUnit" Get "/v2/domains/{}/domain-units/{}",
    ListProjects = DataZone "ListProjects" Get "/v2/domains/{}/projects",
    GetProject = DataZone "GetProject" Get "/v2/domains/{}/projects/{}",
    ListProjectProfiles = DataZone "ListProjectProfiles" Get "/v2/domains/{}/project-profiles",
    ListProjectMemberships = DataZone "ListProjectMemberships" Get "/v2/domains/{}/projects/{}/memberships",
    ListEnvironments = DataZone "ListEnvironments" Get "/v2/domains/{}/environments",
    GetEnvironment = DataZone "GetEnvironment" Get "/v2/domains/{}/environments/{}",
    Search = DataZone "Search" Post "/v2/domains/{}/search",
    SearchListings = DataZone "SearchListings" Post "/v2/domains/{}/listings/search",
    SearchTypes = DataZone "SearchTypes" Post "/v2/domains/{}/types-search",
    GetAsset = DataZone "GetAsset" Get "/v2/domains/{}/assets/{}",
    GetListing = DataZone "GetListing" Get "/v2/domains/{}/listings/{}",
    ListAssetFilters = DataZone "ListAssetFilters" Get "/v2/domains/{}/assets/{}/filters",
    GetDataProduct = DataZone "GetDataProduct" Get "/v2/domains/{}/data-products/{}",
    ListSubscriptions = DataZone "ListSubscriptions" Get "/v2/domains/{}/subscriptions",
    GetSubscription = DataZone "GetSubscription" Get "/v2/domains/{}/subscriptions/{}",
    ListSubscriptionRequests = DataZone "ListSubscriptionRequests" Get "/v2/domains/{}/subscription-requests",
    QueryGraph = DataZone "QueryGraph" Post "/v2/domains/{}/graph/query",
    GetLineageNode = DataZone "GetLineageNode" Get "/v2/domains/{}/lineage/nodes/{}",
    ListLineageEvents = DataZone "ListLineageEvents" Get "/v2/domains/{}/lineage/events",
    GetLineageEvent = DataZone "GetLineageEvent" Get "/v2/domains/{}/lineage/events/{}",
    GetUserProfile = DataZone "GetUserProfile" Get "/v2/domains/{}/user-profiles/{}",
    GetSecretValue = SecretsManager "GetSecretValue",
}

impl ReadOperation {
    /// The operations of one service.
    pub fn of(service: Service) -> impl Iterator<Item = ReadOperation> {
        Self::ALL.iter().copied().filter(move |operation| operation.service() == service)
    }
}

impl fmt::Display for ReadOperation {
    /// `glue:GetTables`: the IAM action, which is also the form in reports.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.service().name(), self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_datazone_operation_has_a_route_of_its_own_and_nothing_else_has_one() {
        for operation in ReadOperation::ALL.iter().copied() {
            let route = operation.route();
            assert_eq!(route.is_some(), operation.service() == Service::DataZone, "{operation}");
            let Some(route) = route else { continue };
            let path = route.template.replace("{}", "a%2Fb");
            let matching: Vec<_> = ReadOperation::of(Service::DataZone)
                .filter(|other| other.route().is_some_and(|other| other.method == route.method && other.matches(&path)))
                .collect();
            assert_eq!(matching, [operation], "{path}");
        }
    }

    #[test]
    fn a_path_with_empty_missing_or_further_segments_is_of_no_route() {
        let route = RestRoute { method: RestMethod::Get, template: "/v2/domains/{}/projects" };
        assert!(route.matches("/v2/domains/dzd_1/projects"));
        for path in [
            "/v2/domains//projects",
            "/v2/domains/dzd_1",
            "/v2/domains/dzd_1/projects/",
            "/v2/domains/dzd_1/projects/x",
            "v2/domains/d/projects",
        ] {
            assert!(!route.matches(path), "{path}");
        }
    }
}
