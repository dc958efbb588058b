//! Settings of HashiCorp Vault and OpenBao.

use std::path::PathBuf;

use serde::Deserialize;

use super::SecretSource;

/// `kind = "vault"`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Vault {
    /// `https://host:port`; `VAULT_ADDR` if left out.
    pub address: Option<String>,
    /// The namespace of Vault Enterprise or OpenBao; `VAULT_NAMESPACE` if left out.
    pub namespace: Option<String>,
    /// Where the key-value engine is mounted; paths of references are below it.
    #[serde(default = "secret_mount")]
    pub mount: String,
    /// The version of that engine; Vault is asked if it is left out.
    pub kv_version: Option<KvVersion>,
    /// How the runtime signs in.
    #[serde(default)]
    pub sign_in: VaultSignIn,
    /// A PEM file of certificates that are trusted besides the system's.
    pub ca_bundle: Option<PathBuf>,
}

/// The version of a key-value engine: 1, or 2 with versions of entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "u8")]
pub enum KvVersion {
    /// Entries at `<mount>/<path>`.
    One,
    /// Entries at `<mount>/data/<path>`.
    Two,
}

impl TryFrom<u8> for KvVersion {
    type Error = &'static str;

    fn try_from(number: u8) -> Result<Self, Self::Error> {
        match number {
            1 => Ok(Self::One),
            2 => Ok(Self::Two),
            _ => Err("kv-version is 1 or 2"),
        }
    }
}

/// `sign-in = { method = "…", … }`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(tag = "method", rename_all = "kebab-case", rename_all_fields = "kebab-case", deny_unknown_fields)]
pub enum VaultSignIn {
    /// A token that somebody made, or that an agent keeps fresh in a file.
    Token {
        /// Where it is.
        token: SecretSource,
    },
    /// The AppRole method.
    #[serde(rename = "approle")]
    AppRole {
        /// Where the method is mounted.
        #[serde(default = "approle_mount")]
        mount: String,
        /// The role's id.
        role_id: String,
        /// Where the role's secret id is; none for roles without one.
        secret_id: Option<SecretSource>,
    },
    /// The Kubernetes method: the pod's service account.
    Kubernetes {
        /// Where the method is mounted.
        #[serde(default = "kubernetes_mount")]
        mount: String,
        /// The role of Vault.
        role: String,
        /// The service account's token.
        #[serde(default = "super::kubernetes::token_file")]
        token_file: PathBuf,
    },
}

impl Default for VaultSignIn {
    /// The token in `VAULT_TOKEN`, as Vault's own programs.
    fn default() -> Self {
        Self::Token { token: SecretSource::Env("VAULT_TOKEN".to_owned()) }
    }
}

fn secret_mount() -> String {
    "secret".to_owned()
}

fn approle_mount() -> String {
    "approle".to_owned()
}

fn kubernetes_mount() -> String {
    "kubernetes".to_owned()
}
