//! What can go wrong, told apart by who acts: an entry that is not there, a denial, an outage, an entry of the wrong form, a
//! configuration that cannot work. No variant has a place for a value.

use std::fmt;

use crate::name::StoreName;

/// Which store, and which entry of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The store.
    pub store: StoreName,
    /// The path, name or ARN as the reference gives it; none where the store as a whole is meant.
    pub entry: Option<String>,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.entry {
            Some(entry) => write!(f, "secret store {}, entry {entry:?}", self.store),
            None => write!(f, "secret store {}", self.store),
        }
    }
}

/// What is not there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Absent {
    /// The entry.
    Entry,
    /// This key of an entry that is there.
    Key(String),
}

impl fmt::Display for Absent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Entry => f.write_str("the entry"),
            Self::Key(key) => write!(f, "the key {key:?} of the entry"),
        }
    }
}

/// Why a value could not be had. The message says what, where and what to do next.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// The store answers, and does not have it.
    #[error("{place}: {what} does not exist ({reason}); {remedy}")]
    Missing {
        /// Where.
        place: Place,
        /// What is not there.
        what: Absent,
        /// How that is known.
        reason: String,
        /// What to do next.
        remedy: String,
    },
    /// The store answers, and does not give it to this identity.
    #[error("{place}: access denied ({reason}); {remedy}")]
    Denied {
        /// Where.
        place: Place,
        /// What the store said.
        reason: String,
        /// What to do next.
        remedy: String,
    },
    /// The store does not answer, or not now.
    #[error("{place}: not reachable ({reason}); {remedy}")]
    Unreachable {
        /// Where.
        place: Place,
        /// What happened.
        reason: String,
        /// What to do next.
        remedy: String,
    },
    /// What the store gave is not of the form that is asked for.
    #[error("{place}: {reason}; {remedy}")]
    Malformed {
        /// Where.
        place: Place,
        /// What is wrong, without what it holds.
        reason: String,
        /// What to do next.
        remedy: String,
    },
    /// The configuration or the reference cannot work.
    #[error("{place}: {reason}; {remedy}")]
    Misconfigured {
        /// Where.
        place: Place,
        /// What is wrong.
        reason: String,
        /// What to do next.
        remedy: String,
    },
}

impl SecretError {
    /// Where it happened.
    #[must_use]
    pub const fn place(&self) -> &Place {
        match self {
            Self::Missing { place, .. }
            | Self::Denied { place, .. }
            | Self::Unreachable { place, .. }
            | Self::Malformed { place, .. }
            | Self::Misconfigured { place, .. } => place,
        }
    }

    /// What to do next, for people.
    #[must_use]
    pub fn remedy(&self) -> &str {
        match self {
            Self::Missing { remedy, .. }
            | Self::Denied { remedy, .. }
            | Self::Unreachable { remedy, .. }
            | Self::Malformed { remedy, .. }
            | Self::Misconfigured { remedy, .. } => remedy,
        }
    }

    /// One word for reports and logs: `missing`, `denied`, `unreachable`, `malformed`, `misconfigured`.
    #[must_use]
    pub const fn category(&self) -> &'static str {
        match self {
            Self::Missing { .. } => "missing",
            Self::Denied { .. } => "denied",
            Self::Unreachable { .. } => "unreachable",
            Self::Malformed { .. } => "malformed",
            Self::Misconfigured { .. } => "misconfigured",
        }
    }
}
