//! The checks before a crawl: a line each, with what to do where one does not pass.

use serde::{Deserialize, Serialize};

use crate::port::{ApiError, ErrorKind, ReadOperation};

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum CheckState {
    /// As it should be.
    Passed,
    /// The crawl can run, but will see less than it may be meant to.
    Warning,
    /// The crawl cannot read this.
    Failed,
}

/// The read that a check failed at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CheckError {
    /// Which read.
    pub operation: ReadOperation,
    /// What kind of failure.
    pub kind: ErrorKind,
}

/// One check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// What was checked, in a word or two.
    pub name: &'static str,
    /// How it ended.
    pub state: CheckState,
    /// What was found.
    pub message: String,
    /// What to do; empty where nothing need be done.
    pub remedy: String,
    /// The read that failed, where one did.
    pub error: Option<CheckError>,
}

/// Takes each check as soon as it is done: to show it, and to say how long it took.
pub type CheckSink<'s> = &'s mut (dyn FnMut(Check) + Send);

impl Check {
    /// A check that passed.
    #[must_use]
    pub fn passed(name: &'static str, message: impl Into<String>) -> Self {
        Self { name, state: CheckState::Passed, message: message.into(), remedy: String::new(), error: None }
    }

    #[must_use]
    pub(crate) fn warning(name: &'static str, message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { name, state: CheckState::Warning, message: message.into(), remedy: remedy.into(), error: None }
    }

    /// A check that failed with an error of the API.
    #[must_use]
    pub fn failed(name: &'static str, error: &ApiError) -> Self {
        Self {
            name,
            state: CheckState::Failed,
            message: error.to_string(),
            remedy: error.suggested_action.clone(),
            error: Some(CheckError { operation: error.operation, kind: error.kind }),
        }
    }
}
