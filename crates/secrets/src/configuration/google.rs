//! Settings of Google Cloud Secret Manager.

use std::path::PathBuf;

use serde::Deserialize;

/// `kind = "google-secret-manager"`. Without a credentials file the runtime signs in with the service account of its machine, which the
/// metadata server knows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct GoogleSecretManager {
    /// The project that names of secrets belong to; `GOOGLE_CLOUD_PROJECT` if left out.
    pub project: Option<String>,
    /// The location of regional secrets; none for those that are replicated.
    pub location: Option<String>,
    /// A key of a service account, or the configuration of a workload identity federation whose token is in a file;
    /// `GOOGLE_APPLICATION_CREDENTIALS` if left out.
    pub credentials_file: Option<PathBuf>,
    /// The address of Secret Manager, where it is another than Google's.
    pub endpoint_url: Option<String>,
    /// The address of the metadata server, where it is another than `http://metadata.google.internal`: an address of this machine.
    pub metadata_url: Option<String>,
    /// A PEM file of certificates that are trusted besides the system's.
    pub ca_bundle: Option<PathBuf>,
}
