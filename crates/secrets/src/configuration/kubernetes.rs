//! Settings of secrets in Kubernetes.

use std::path::PathBuf;

use serde::Deserialize;

/// Where Kubernetes puts what a pod needs to call its API.
const SERVICE_ACCOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

/// `kind = "kubernetes"`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Kubernetes {
    /// The namespace of the secrets; the pod's own if left out.
    pub namespace: Option<String>,
    /// A directory with a mounted secret in each of its directories. With it the API is not called.
    pub mounted: Option<PathBuf>,
    /// The address of the API, where it is another than `KUBERNETES_SERVICE_HOST` and `KUBERNETES_SERVICE_PORT` say.
    pub api_url: Option<String>,
    /// The directory with `token`, `ca.crt` and `namespace` of the service account.
    pub service_account: PathBuf,
}

impl Default for Kubernetes {
    fn default() -> Self {
        Self { namespace: None, mounted: None, api_url: None, service_account: SERVICE_ACCOUNT.into() }
    }
}

/// The service account's token.
pub(super) fn token_file() -> PathBuf {
    PathBuf::from(SERVICE_ACCOUNT).join("token")
}
