//! Settings of the stores that need no network: environment variables and files.

use std::path::PathBuf;

use serde::Deserialize;

/// `kind = "environment"`. An entry is a variable; with several keys, one that holds a JSON object.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct EnvironmentVariables {
    /// What stands before every name, so that a workflow can reach these variables only.
    pub prefix: String,
}

/// `kind = "files"`. An entry is a file; with several keys, a file that holds a JSON object or a directory with a file for each key.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Files {
    /// The directory. Nothing outside of it is read.
    pub directory: PathBuf,
}
