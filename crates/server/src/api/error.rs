//! What the store refuses, as a problem.

use store::StoreError;

use crate::http::{Code, Existing, Problem};

/// Seconds after which a busy store is worth another try.
const RETRY_AFTER_SECONDS: u32 = 5;

impl From<StoreError> for Problem {
    #[expect(clippy::wildcard_enum_match_arm, reason = "whatever is not the caller's to put right is a fault of the service")]
    fn from(error: StoreError) -> Self {
        let text = error.to_string();
        match error {
            StoreError::Exists { noun, id, name } => Self::new(Code::NameTaken, text).with_existing(existing(noun, id, name)),
            StoreError::Stale { .. } => Self::new(Code::PreconditionFailed, text),
            StoreError::NotFound { .. } => Self::new(Code::NotFound, text),
            StoreError::Invalid { .. } => Self::new(Code::InvalidField, text),
            StoreError::Conflict { .. } | StoreError::Busy { .. } => Self::new(Code::Conflict, text),
            StoreError::Locked { .. } | StoreError::Unreachable { .. } | StoreError::DiskFull { .. } => {
                tracing::warn!(error = %Causes(&error), "the catalog cannot be used");
                Self::new(Code::Unavailable, text).with_retry_after(RETRY_AFTER_SECONDS)
            }
            other => Self::internal(&other),
        }
    }
}

/// The thing with its address; nouns of the store are the paths of the API in the singular.
fn existing(noun: &str, id: i64, name: String) -> Existing {
    Existing { id: id.to_string(), name, href: format!("/api/v1/{noun}s/{id}") }
}

/// An error with what caused it.
struct Causes<'e>(&'e dyn std::error::Error);

impl std::fmt::Display for Causes<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0)?;
        let mut cause = self.0.source();
        while let Some(inner) = cause {
            write!(f, ": {inner}")?;
            cause = inner.source();
        }
        Ok(())
    }
}
