//! Settings of Azure Key Vault.

use std::path::PathBuf;

use serde::Deserialize;

use super::SecretSource;

/// `kind = "azure-key-vault"`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct AzureKeyVault {
    /// The vault's name: 3 to 24 letters, digits and hyphens.
    pub vault: String,
    /// Which of Azure's clouds it is in.
    #[serde(default)]
    pub cloud: AzureCloud,
    /// The vault's address, where it is another than `https://<vault>.<suffix of the cloud>`.
    pub vault_url: Option<String>,
    /// Where tokens are issued, where it is another place than the cloud's; `AZURE_AUTHORITY_HOST` if left out.
    pub authority_url: Option<String>,
    /// How the runtime signs in.
    pub sign_in: AzureSignIn,
    /// A PEM file of certificates that are trusted besides the system's.
    pub ca_bundle: Option<PathBuf>,
}

/// A cloud of Azure, with its own suffixes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AzureCloud {
    /// The public one.
    #[default]
    Public,
    /// Azure operated by 21Vianet.
    China,
    /// Azure Government.
    UsGovernment,
}

/// `sign-in = { method = "…", … }`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(tag = "method", rename_all = "kebab-case", rename_all_fields = "kebab-case", deny_unknown_fields)]
pub enum AzureSignIn {
    /// A secret of an app registration.
    ClientSecret {
        /// The tenant's id or domain.
        tenant_id: String,
        /// The application's id.
        client_id: String,
        /// Where its secret is.
        client_secret: SecretSource,
    },
    /// The identity of the machine that the runtime is on.
    ManagedIdentity {
        /// The identity's client id; the machine's own identity if left out.
        client_id: Option<String>,
        /// The address of the metadata service, where it is another than `http://169.254.169.254`: an address of this machine.
        metadata_url: Option<String>,
    },
    /// A token that another issuer gives the pod and that Microsoft Entra trusts.
    WorkloadIdentity {
        /// The tenant's id; `AZURE_TENANT_ID` if left out.
        tenant_id: Option<String>,
        /// The application's id; `AZURE_CLIENT_ID` if left out.
        client_id: Option<String>,
        /// The token's file; `AZURE_FEDERATED_TOKEN_FILE` if left out.
        token_file: Option<PathBuf>,
    },
}
