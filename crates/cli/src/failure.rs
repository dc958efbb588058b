//! How a command fails: what happened, what to do next, and with which exit status.

use std::fmt;

use connector::port::SinkError;
use crawl::FailureKind;

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
    /// What happened, why, and what to do next.
    pub(crate) told: crawl::Failure,
}

/// The result of a command.
pub(crate) type Outcome = Result<Status, Failure>;

impl Failure {
    /// The command line, or something that it names, cannot be used.
    pub(crate) fn usage(message: impl fmt::Display) -> Self {
        crawl::Failure::new(FailureKind::Input, message.to_string(), "").into()
    }

    /// As [`Failure::usage`], with what lies behind an error.
    pub(crate) fn usage_error(error: &dyn std::error::Error) -> Self {
        crawl::Failure::from_error(FailureKind::Input, error).into()
    }

    /// A command that failed without a further cause.
    pub(crate) fn failed(message: impl fmt::Display, remedy: impl Into<String>) -> Self {
        crawl::Failure::new(FailureKind::Internal, message.to_string(), remedy).into()
    }

    /// A command that failed with an error.
    pub(crate) fn from_error(error: &dyn std::error::Error) -> Self {
        crawl::Failure::from_error(FailureKind::Internal, error).into()
    }
}

impl From<crawl::Failure> for Failure {
    fn from(mut told: crawl::Failure) -> Self {
        let status = match told.kind {
            FailureKind::Input => Status::Usage,
            FailureKind::OtherAccount => {
                "Give the other account a connection of its own: --connection NAME.".clone_into(&mut told.remedy);
                Status::Failed
            }
            FailureKind::Api(_) | FailureKind::Internal => Status::Failed,
        };
        Self { status, told }
    }
}

impl From<store::StoreError> for Failure {
    fn from(error: store::StoreError) -> Self {
        Self::from_error(&error)
    }
}

impl From<SinkError> for Failure {
    fn from(error: SinkError) -> Self {
        crawl::Failure::from(error).into()
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

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error: {}", self.told.message)?;
        for cause in &self.told.causes {
            write!(f, "\n  because: {cause}")?;
        }
        if !self.told.remedy.is_empty() {
            write!(f, "\n  what to do: {}", self.told.remedy)?;
        }
        Ok(())
    }
}
