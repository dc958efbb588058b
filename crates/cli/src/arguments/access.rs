//! What an operator asks for before the first crawl: policies to attach and firewall rules to open.

use clap::{Args, ValueEnum};
use crawl::SpecError;

#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("form").multiple(false))]
pub(crate) struct PolicyArguments {
    /// The trust policy of the role that is assumed
    #[arg(long, group = "form")]
    pub(crate) trust: bool,
    /// The policy of a VPC endpoint
    #[arg(long, group = "form")]
    pub(crate) endpoint: bool,
    /// The session policy that every assumed session carries
    #[arg(long, group = "form")]
    pub(crate) session: bool,
    /// Region in the resource names
    #[arg(long, value_name = "REGION", default_value = "us-east-1")]
    pub(crate) region: String,
    /// Account in the resource names
    #[arg(long, value_name = "ACCOUNT", default_value = "111122223333")]
    pub(crate) account: String,
    /// Who may assume the role, for --trust
    #[arg(long, value_name = "ARN", default_value = "arn:aws:iam::999988887777:role/isinglass")]
    pub(crate) principal: String,
    /// External id, for --trust
    #[arg(long, value_name = "ID")]
    pub(crate) external_id: Option<String>,
    /// Kinds that will not be crawled: their actions are left out
    #[arg(long, value_name = "KIND,KIND", value_delimiter = ',')]
    pub(crate) skip: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct SmusPolicyArguments {
    #[command(flatten)]
    pub(crate) policy: PolicyArguments,
    /// Domain that may be read, by id (repeatable; default: all of the account)
    #[arg(long, value_name = "ID", value_parser = parse_domain)]
    pub(crate) domain: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct SecretsPolicyArguments {
    /// Secrets that the runtime may read, by name or ARN
    #[arg(value_name = "SECRET", required = true)]
    pub(crate) secrets: Vec<String>,
    /// The policy of a VPC endpoint
    #[arg(long)]
    pub(crate) endpoint: bool,
    /// Region in the resource names
    #[arg(long, value_name = "REGION", default_value = "us-east-1")]
    pub(crate) region: String,
    /// Account in the resource names
    #[arg(long, value_name = "ACCOUNT", default_value = "111122223333")]
    pub(crate) account: String,
}

#[derive(Debug, Args)]
pub(crate) struct EgressArguments {
    /// Only what a crawl of this source calls
    #[arg(value_enum, value_name = "SOURCE")]
    pub(crate) source: Option<EgressSource>,
    /// How AWS is reached
    #[arg(long, value_enum, default_value_t = EgressMode::Direct)]
    pub(crate) mode: EgressMode,
    /// AWS region; else AWS_REGION
    #[arg(long, value_name = "REGION")]
    pub(crate) region: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// What is crawled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum EgressSource {
    /// The AWS Glue Data Catalog.
    Glue,
    /// Amazon SageMaker Unified Studio.
    Smus,
}

/// How AWS is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum EgressMode {
    /// Over the internet.
    Direct,
    /// Over VPC endpoints.
    Private,
    /// By a runtime in your network.
    Runtime,
}

/// An id with a wildcard would widen a policy without a word.
pub(super) fn parse_domain(text: &str) -> Result<String, String> {
    if crawl::spec::is_domain_id(text) {
        return Ok(text.to_owned());
    }
    Err(SpecError::Domain { id: text.to_owned() }.to_string())
}
