//! The secret stores of a runtime's configuration file: one table for each, named by whoever runs it.
//!
//! ```toml
//! [secret-stores.prod]
//! kind = "vault"
//! address = "https://vault.example:8200"
//! sign-in = { method = "approle", role-id = "…", secret-id = { file = "/run/secrets/vault" } }
//! ```
//!
//! No setting takes a secret itself: what a store needs to sign in is in a variable or a file ([`SecretSource`]). A setting that nothing reads
//! is refused.

pub(crate) mod aws;
pub(crate) mod azure;
pub(crate) mod google;
pub(crate) mod kubernetes;
pub(crate) mod local;
pub(crate) mod vault;

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;

use crate::name::StoreName;

/// The table `secret-stores`: every store by its name. Without any, nothing can be resolved, which a check says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Configuration {
    /// The stores.
    pub stores: BTreeMap<StoreName, StoreConfiguration>,
}

/// One store.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum StoreConfiguration {
    /// AWS Secrets Manager.
    AwsSecretsManager(aws::AwsSecretsManager),
    /// HashiCorp Vault or OpenBao.
    Vault(vault::Vault),
    /// Azure Key Vault.
    AzureKeyVault(azure::AzureKeyVault),
    /// Google Cloud Secret Manager.
    GoogleSecretManager(google::GoogleSecretManager),
    /// Secrets of a Kubernetes namespace.
    Kubernetes(kubernetes::Kubernetes),
    /// Environment variables of the runtime.
    Environment(local::EnvironmentVariables),
    /// Files of a directory.
    Files(local::Files),
}

impl StoreConfiguration {
    /// The word of the setting `kind`.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::AwsSecretsManager(_) => "aws-secrets-manager",
            Self::Vault(_) => "vault",
            Self::AzureKeyVault(_) => "azure-key-vault",
            Self::GoogleSecretManager(_) => "google-secret-manager",
            Self::Kubernetes(_) => "kubernetes",
            Self::Environment(_) => "environment",
            Self::Files(_) => "files",
        }
    }
}

/// Where a secret is that a store is signed in to with. It is read anew for every use, so that it can be rotated in place.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum SecretSource {
    /// `{ env = "NAME" }`: an environment variable of the runtime.
    Env(String),
    /// `{ file = "/run/secrets/name" }`: a file, whose last line break does not count.
    File(PathBuf),
}

#[cfg(test)]
mod tests;
