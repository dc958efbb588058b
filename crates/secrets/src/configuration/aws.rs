//! Settings of AWS Secrets Manager.

use std::path::PathBuf;

use serde::Deserialize;

/// `kind = "aws-secrets-manager"`. Credentials come from the standard AWS chain of the machine that the runtime is on; endpoint overrides
/// (`AWS_ENDPOINT_URL_SECRETS_MANAGER`) and the proxy from the environment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct AwsSecretsManager {
    /// The region of the secrets; `AWS_REGION` if left out.
    pub region: Option<String>,
    /// A profile of the AWS profile files that signs in.
    pub profile: Option<String>,
    /// A role that is assumed to read secrets; its session may do nothing else.
    pub role_arn: Option<String>,
    /// The external id that the role asks for.
    pub external_id: Option<String>,
    /// Which addresses may be dialled.
    pub network: AwsNetwork,
    /// Ranges that count as private besides RFC 1918 and ULA, as `10.1.0.0/16`.
    pub private_cidrs: Vec<String>,
    /// A PEM file of certificates that are trusted besides the system's.
    pub ca_bundle: Option<PathBuf>,
}

/// How far connections to AWS may go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AwsNetwork {
    /// Any address.
    #[default]
    Public,
    /// Private addresses only: those of an interface endpoint.
    Private,
}
