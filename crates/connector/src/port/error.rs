//! Failures, typed once: what went wrong, and one pure function for what follows from it.

use super::ReadOperation;

/// What kind of failure a read ended with, after all retries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// The service asks to slow down, and did so longer than the retries last.
    Throttled,
    /// The caller may not: by IAM, by Lake Formation or by membership.
    Denied,
    /// It is not there, or not any more.
    NotFound,
    /// The credentials are wrong, expired or not to be had.
    Credentials,
    /// The service or the network did not answer, or answered with a server fault.
    Unavailable,
    /// The answer is no answer: cut off or not in the form of the protocol.
    Malformed,
    /// The service calls the request invalid: a bad or expired page token, a parameter it does not take.
    Invalid,
    /// A rule of our own refused before anything was sent: the network guard or the read-only gate.
    Refused,
}

/// What a crawl does about a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disposition {
    /// This part of the source is left out, what is known of it is kept, and the run is partial.
    SkipScope,
    /// The thing is gone; the crawl goes on without it.
    Gone,
    /// Nothing else can work either: the run fails.
    FailRun,
}

impl ErrorKind {
    /// What follows from a failure of this kind.
    #[must_use]
    pub const fn disposition(self) -> Disposition {
        match self {
            Self::NotFound => Disposition::Gone,
            Self::Throttled | Self::Denied | Self::Unavailable | Self::Malformed | Self::Invalid => Disposition::SkipScope,
            Self::Credentials | Self::Refused => Disposition::FailRun,
        }
    }

    /// Whether the same request may succeed later without a change.
    #[must_use]
    pub const fn is_retryable(self) -> bool {
        match self {
            Self::Throttled | Self::Unavailable | Self::Malformed => true,
            Self::Denied | Self::NotFound | Self::Credentials | Self::Invalid | Self::Refused => false,
        }
    }

    /// The `category` of reports.
    #[must_use]
    pub const fn category(self) -> &'static str {
        match self {
            Self::Throttled => "throttling",
            Self::Denied => "permission",
            Self::NotFound => "not-found",
            Self::Credentials => "credentials",
            Self::Unavailable => "network",
            Self::Malformed => "malformed",
            Self::Invalid => "input",
            Self::Refused => "refused",
        }
    }
}

/// A read that failed for good.
#[derive(Debug, thiserror::Error)]
#[error("{operation}: {message}")]
pub struct ApiError {
    /// The operation.
    pub operation: ReadOperation,
    /// What kind of failure.
    pub kind: ErrorKind,
    /// The service's error code (`AccessDeniedException`), if it answered with one.
    pub code: Option<String>,
    /// What happened, for people; never a credential or a body.
    pub message: String,
    /// What to do next, for people.
    pub suggested_action: String,
    /// The cause.
    #[source]
    pub source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_its_disposition_retryability_and_category() {
        use Disposition::{FailRun, Gone, SkipScope};
        for (kind, disposition, retryable, category) in [
            (ErrorKind::Throttled, SkipScope, true, "throttling"),
            (ErrorKind::Denied, SkipScope, false, "permission"),
            (ErrorKind::NotFound, Gone, false, "not-found"),
            (ErrorKind::Credentials, FailRun, false, "credentials"),
            (ErrorKind::Unavailable, SkipScope, true, "network"),
            (ErrorKind::Malformed, SkipScope, true, "malformed"),
            (ErrorKind::Invalid, SkipScope, false, "input"),
            (ErrorKind::Refused, FailRun, false, "refused"),
        ] {
            assert_eq!((kind.disposition(), kind.is_retryable(), kind.category()), (disposition, retryable, category), "{kind:?}");
        }
    }
}
