//! How a command fails: what happened, what to do next, and with which exit status.

use std::fmt;

use connector::CrawlError;
use connector::port::{ApiError, SinkError};

/// The exit statuses that scripts rely on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    /// Everything was done.
    Complete = 0,
    /// The command failed.
    Failed = 1,
    /// The command line is wrong; nothing was tried.
    Usage = 2,
    /// Something could not be read; the rest is there.
    Partial = 3,
}

/// A failure on its way to the user.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) status: Status,
    /// What happened.
    pub(crate) message: String,
    /// What to do next; empty where the message says it.
    pub(crate) remedy: String,
    /// Why, from near to far.
    pub(crate) causes: Vec<String>,
    /// The `category` of reports.
    pub(crate) category: &'static str,
    /// The operation that failed, as reports name it.
    pub(crate) operation: String,
    /// Whether the same command may succeed later.
    pub(crate) is_retryable: bool,
}

/// The result of a command.
pub(crate) type Outcome = Result<Status, Failure>;

impl Failure {
    /// The command line, or something that it names, cannot be used.
    pub(crate) fn usage(message: impl fmt::Display) -> Self {
        Self { status: Status::Usage, category: "input", ..Self::failed(message, "") }
    }

    /// A command that failed without a further cause.
    pub(crate) fn failed(message: impl fmt::Display, remedy: impl Into<String>) -> Self {
        Self {
            status: Status::Failed,
            message: message.to_string(),
            remedy: remedy.into(),
            causes: Vec::new(),
            category: "internal",
            operation: String::new(),
            is_retryable: false,
        }
    }

    /// A command that failed with an error.
    pub(crate) fn from_error(error: &dyn std::error::Error) -> Self {
        Self { causes: causes(error), ..Self::failed(error, "") }
    }

    pub(crate) fn from_api(error: &ApiError) -> Self {
        Self {
            remedy: error.suggested_action.clone(),
            category: error.kind.category(),
            operation: error.operation.to_string(),
            is_retryable: error.kind.is_retryable(),
            ..Self::from_error(error)
        }
    }

    pub(crate) fn from_crawl(error: &CrawlError) -> Self {
        match error {
            CrawlError::Api(error) => Self::from_api(error),
            CrawlError::Sink(error) => Self::from_error(error),
        }
    }
}

impl From<store::StoreError> for Failure {
    fn from(error: store::StoreError) -> Self {
        Self::from_error(&error)
    }
}

impl From<SinkError> for Failure {
    fn from(error: SinkError) -> Self {
        Self::from_error(&error)
    }
}

impl From<ApiError> for Failure {
    fn from(error: ApiError) -> Self {
        Self::from_api(&error)
    }
}

impl From<crate::crawl::ndjson::OutputError> for Failure {
    fn from(error: crate::crawl::ndjson::OutputError) -> Self {
        Self::from_error(&error)
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::from_error(&error)
    }
}

/// What lies behind an error, as far as it says more than the error itself.
fn causes(error: &dyn std::error::Error) -> Vec<String> {
    let mut causes = Vec::new();
    let mut said = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let text = cause.to_string();
        if !said.contains(&text) {
            causes.push(text.clone());
            said.push_str(&text);
        }
        next = cause.source();
    }
    causes
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error: {}", self.message)?;
        for cause in &self.causes {
            write!(f, "\n  because: {cause}")?;
        }
        if !self.remedy.is_empty() {
            write!(f, "\n  what to do: {}", self.remedy)?;
        }
        Ok(())
    }
}
