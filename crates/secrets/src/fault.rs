//! A failure before it is known whose it is: stores make these, and whoever called a store says where.

use crate::error::{Absent, Place, SecretError};

/// What kind of failure, as the variants of [`SecretError`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum FaultKind {
    Missing(Absent),
    Denied,
    Unreachable,
    Malformed,
    Misconfigured,
}

/// A failure of a store. Neither text ever holds anything that a store's entry holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) kind: FaultKind,
    pub(crate) reason: String,
    pub(crate) remedy: String,
}

impl Fault {
    fn new(kind: FaultKind, reason: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { kind, reason: reason.into(), remedy: remedy.into() }
    }

    pub(crate) fn missing(reason: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::new(FaultKind::Missing(Absent::Entry), reason, remedy)
    }

    pub(crate) fn missing_key(key: &str) -> Self {
        let kind = FaultKind::Missing(Absent::Key(key.to_owned()));
        Self::new(kind, "the entry has other keys", "add the key to the entry, or correct the name of the key in the workflow")
    }

    pub(crate) fn denied(reason: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::new(FaultKind::Denied, reason, remedy)
    }

    pub(crate) fn unreachable(reason: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::new(FaultKind::Unreachable, reason, remedy)
    }

    pub(crate) fn malformed(reason: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::new(FaultKind::Malformed, reason, remedy)
    }

    pub(crate) fn misconfigured(reason: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::new(FaultKind::Misconfigured, reason, remedy)
    }

    /// The failure with its place.
    pub(crate) fn at(self, place: Place) -> SecretError {
        let Self { kind, reason, remedy } = self;
        match kind {
            FaultKind::Missing(what) => SecretError::Missing { place, what, reason, remedy },
            FaultKind::Denied => SecretError::Denied { place, reason, remedy },
            FaultKind::Unreachable => SecretError::Unreachable { place, reason, remedy },
            FaultKind::Malformed => SecretError::Malformed { place, reason, remedy },
            FaultKind::Misconfigured => SecretError::Misconfigured { place, reason, remedy },
        }
    }
}
