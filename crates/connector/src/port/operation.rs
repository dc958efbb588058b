//! The closed list of operations: what is not here cannot be sent, by construction.

use std::fmt;

/// An AWS service that is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Service {
    /// AWS Security Token Service: sign-in.
    Sts,
    /// AWS Glue Data Catalog.
    Glue,
}

impl Service {
    /// The name in IAM actions, in SigV4 scopes and in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sts => "sts",
            Self::Glue => "glue",
        }
    }
}

macro_rules! operations {
    ($($variant:ident = $service:ident $name:literal),+ $(,)?) => {
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
        }
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
