//! Questions to a source that a person waits for: does sign-in work, what may be read, which databases are there.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::finish::Failure;

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TaskAction {
    /// Whether the credentials work, and whose they are.
    TestSignIn,
    /// What the credentials may read.
    Preflight,
    /// The databases of the Glue Data Catalog.
    ListDatabases,
}

impl TaskAction {
    /// As it is stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TestSignIn => "test-sign-in",
            Self::Preflight => "preflight",
            Self::ListDatabases => "list-databases",
        }
    }
}

/// `POST /runtime/v1/tasks/{id}`
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TaskResult {
    /// What came of it.
    pub outcome: TaskOutcome,
}

/// What came of a task.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum TaskOutcome {
    /// Whether the credentials work.
    #[serde(rename_all = "camelCase")]
    SignIn {
        /// The check: `name`, `state`, `message`, `remedy`, `durationMs`, `error`.
        check: Value,
        /// Who it is.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        arn: Option<String>,
        /// Of which account.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        account: Option<String>,
    },
    /// What was checked.
    Checks {
        /// Each check, as above.
        checks: Vec<Value>,
    },
    /// Which databases there are.
    #[serde(rename_all = "camelCase")]
    Databases {
        /// By catalog.
        catalogs: Vec<CatalogDatabases>,
        /// Whether these are all.
        is_whole: bool,
    },
    /// It could not be asked.
    Failed {
        /// Why.
        failure: Failure,
    },
}

/// The databases of one catalog.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CatalogDatabases {
    /// The catalog.
    pub catalog: String,
    /// The databases.
    pub databases: Vec<String>,
}
