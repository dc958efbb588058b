//! How a crawl fails: what happened, what to do next, and whose matter it is.

use connector::CrawlError;
use connector::port::{ApiError, ErrorKind, ReadOperation, SinkError};
use serde::{Deserialize, Serialize};

/// A crawl, a preflight or a sign-in that failed.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// What kind of failure: category, blame and whether to try again follow from it.
    pub kind: FailureKind,
    /// What happened, for people; never a credential.
    pub message: String,
    /// What to do next, for people; empty where the message says it.
    pub remedy: String,
    /// Why, from near to far: what lies behind the message, as far as it says more.
    pub causes: Vec<String>,
    /// The read that failed, where one did.
    pub operation: Option<ReadOperation>,
    /// What a sink or a baseline gave as its cause, for whoever wrote the sink.
    #[source]
    pub source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// What kind of failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureKind {
    /// What was asked for cannot be used; nothing was sent.
    Input,
    /// A read failed for good.
    Api(ErrorKind),
    /// The credentials lead to another account than the connection is of.
    OtherAccount,
    /// The program, or the place where results are kept.
    Internal,
}

/// Whose matter a failure is. A scheduler tries again what is plumbing, and nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Blame {
    /// What lies between us and the source, or our own: throttling, the network, an answer that was cut off, the store.
    Plumbing,
    /// The source says no: credentials, permissions, a thing that is not there, a request that it does not take.
    Source,
    /// What was asked for or configured: settings, the account of a connection, a rule of our own.
    Operator,
}

impl Blame {
    /// Whose matter a failed read is.
    #[must_use]
    pub const fn of(kind: ErrorKind) -> Self {
        match kind {
            ErrorKind::Throttled | ErrorKind::Unavailable | ErrorKind::Malformed => Self::Plumbing,
            ErrorKind::Denied | ErrorKind::NotFound | ErrorKind::Credentials | ErrorKind::Invalid => Self::Source,
            ErrorKind::Refused => Self::Operator,
        }
    }
}

impl FailureKind {
    /// The `category` of reports.
    #[must_use]
    pub const fn category(self) -> &'static str {
        match self {
            Self::Input => "input",
            Self::Api(kind) => kind.category(),
            Self::OtherAccount | Self::Internal => "internal",
        }
    }

    /// Whether the source may answer the same request later, as reports say it. For what a scheduler does, see [`FailureKind::blame`].
    #[must_use]
    pub const fn is_retryable(self) -> bool {
        match self {
            Self::Api(kind) => kind.is_retryable(),
            Self::Input | Self::OtherAccount | Self::Internal => false,
        }
    }

    /// Whose matter it is.
    #[must_use]
    pub const fn blame(self) -> Blame {
        match self {
            Self::Api(kind) => Blame::of(kind),
            Self::Input | Self::OtherAccount => Blame::Operator,
            Self::Internal => Blame::Plumbing,
        }
    }
}

impl Failure {
    /// A failure without a further cause.
    #[must_use]
    pub fn new(kind: FailureKind, message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { kind, message: message.into(), remedy: remedy.into(), causes: Vec::new(), operation: None, source: None }
    }

    /// A failure with an error and what lies behind it.
    #[must_use]
    pub fn from_error(kind: FailureKind, error: &dyn std::error::Error) -> Self {
        Self { causes: causes(error), ..Self::new(kind, error.to_string(), "") }
    }

    /// A read that failed for good.
    #[must_use]
    pub fn from_api(error: &ApiError) -> Self {
        Self {
            remedy: error.suggested_action.clone(),
            operation: Some(error.operation),
            ..Self::from_error(FailureKind::Api(error.kind), error)
        }
    }

    /// The `category` of reports.
    #[must_use]
    pub const fn category(&self) -> &'static str {
        self.kind.category()
    }

    /// See [`FailureKind::is_retryable`].
    #[must_use]
    pub const fn is_retryable(&self) -> bool {
        self.kind.is_retryable()
    }

    /// Whose matter it is.
    #[must_use]
    pub const fn blame(&self) -> Blame {
        self.kind.blame()
    }
}

impl From<ApiError> for Failure {
    fn from(error: ApiError) -> Self {
        Self::from_api(&error)
    }
}

impl From<SinkError> for Failure {
    fn from(error: SinkError) -> Self {
        let failure = Self::from_error(FailureKind::Internal, &error);
        Self { source: error.source, ..failure }
    }
}

impl From<CrawlError> for Failure {
    fn from(error: CrawlError) -> Self {
        match error {
            CrawlError::Api(error) => error.into(),
            CrawlError::Sink(error) => error.into(),
        }
    }
}

impl From<aws::ConnectError> for Failure {
    fn from(error: aws::ConnectError) -> Self {
        Self::from_error(FailureKind::Input, &error)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_failure_has_its_blame() {
        for (kind, blame) in [
            (FailureKind::Api(ErrorKind::Throttled), Blame::Plumbing),
            (FailureKind::Api(ErrorKind::Unavailable), Blame::Plumbing),
            (FailureKind::Api(ErrorKind::Malformed), Blame::Plumbing),
            (FailureKind::Api(ErrorKind::Denied), Blame::Source),
            (FailureKind::Api(ErrorKind::NotFound), Blame::Source),
            (FailureKind::Api(ErrorKind::Credentials), Blame::Source),
            (FailureKind::Api(ErrorKind::Invalid), Blame::Source),
            (FailureKind::Api(ErrorKind::Refused), Blame::Operator),
            (FailureKind::Input, Blame::Operator),
            (FailureKind::OtherAccount, Blame::Operator),
            (FailureKind::Internal, Blame::Plumbing),
        ] {
            assert_eq!(kind.blame(), blame, "{kind:?}");
        }
    }

    #[test]
    fn the_cause_of_a_failed_sink_is_told_once_and_can_be_recognised() {
        let cause = std::io::Error::from(std::io::ErrorKind::StorageFull);
        let told = cause.to_string();
        let error = SinkError { message: format!("the catalog cannot be written: {told}"), source: Some(Box::new(cause)) };
        let failure = Failure::from(CrawlError::Sink(error));
        assert_eq!((failure.category(), failure.causes.len()), ("internal", 0));
        let source = failure.source.unwrap().downcast::<std::io::Error>().unwrap();
        assert_eq!(source.kind(), std::io::ErrorKind::StorageFull);
    }
}
