//! Why work failed, in the forms of the protocol and of reports.

use crawl::{Failure, FailureKind};
use model::document::report::Report;
use wire::Blame;

use super::credentials::SecretFailure;

/// The `category` of a failure of a secret store.
const SECRET_STORE: &str = "secret-store";

/// Why work failed.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// The crawl, or what it was asked for.
    Crawl(Failure),
    /// A credential could not be had.
    Secret(SecretFailure),
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Self {
        Self::Crawl(failure)
    }
}

impl From<SecretFailure> for Trouble {
    fn from(failure: SecretFailure) -> Self {
        Self::Secret(failure)
    }
}

impl Trouble {
    /// What was asked for cannot be done.
    pub(crate) fn input(message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::Crawl(Failure::new(FailureKind::Input, message, remedy))
    }

    /// As it crosses.
    pub(crate) fn told(&self) -> wire::Failure {
        match self {
            Self::Crawl(failure) => told(failure),
            Self::Secret(failure) => wire::Failure {
                category: SECRET_STORE.to_owned(),
                blame: failure.blame,
                message: failure.message.clone(),
                suggested_action: failure.remedy.clone(),
                operation: None,
                causes: Vec::new(),
            },
        }
    }

    /// As a failure of a crawl, for its report.
    pub(crate) fn as_crawl(&self) -> Failure {
        match self {
            Self::Crawl(failure) => {
                let Failure { kind, message, remedy, causes, operation, .. } = failure;
                Failure { causes: causes.clone(), operation: *operation, ..Failure::new(*kind, message.clone(), remedy.clone()) }
            }
            Self::Secret(failure) => Failure::new(FailureKind::Input, failure.message.clone(), failure.remedy.clone()),
        }
    }

    /// Says in a report what kind of failure it was.
    pub(crate) fn name_in(&self, report: &mut Report) {
        if let (Self::Secret(failure), Some(error)) = (self, report.errors.first_mut()) {
            SECRET_STORE.clone_into(&mut error.category);
            error.retryable = failure.blame == Blame::Plumbing;
        }
    }
}

fn told(failure: &Failure) -> wire::Failure {
    let blame = match failure.blame() {
        crawl::Blame::Plumbing => Blame::Plumbing,
        crawl::Blame::Source => Blame::Source,
        crawl::Blame::Operator => Blame::Operator,
    };
    wire::Failure {
        category: failure.category().to_owned(),
        blame,
        message: failure.message.clone(),
        suggested_action: failure.remedy.clone(),
        operation: failure.operation.map(|operation| operation.to_string()),
        causes: failure.causes.clone(),
    }
}
