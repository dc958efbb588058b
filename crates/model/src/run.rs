//! Runs: one crawl from its start to its outcome.

use std::fmt;

/// The number of a run within its catalog, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RunId(pub i64);

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Everything that was asked for was read.
    Complete,
    /// Something could not be read, or a person has to look; the rest is there.
    Partial,
    /// The run could not do its work; what it stored before stays.
    Failed,
    /// Somebody stopped it; what it stored before stays.
    Cancelled,
    /// Its program was killed or lost; what it stored before stays.
    Interrupted,
}

impl Outcome {
    /// The word in reports.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::Partial => "partial",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Interrupted => "interrupted",
        }
    }

    /// The outcome of a word in a report.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        let all = [Self::Complete, Self::Partial, Self::Failed, Self::Cancelled, Self::Interrupted];
        all.into_iter().find(|outcome| outcome.as_str() == word)
    }
}

/// What a run changed in the store, columns included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ChangeCounts {
    /// Assets that were not known before.
    pub created: u64,
    /// Assets whose content differs from before.
    pub updated: u64,
    /// Assets that are as before.
    pub unchanged: u64,
    /// Assets that are gone from the source.
    pub archived: u64,
    /// Archived assets that came back.
    pub restored: u64,
    /// Assets that would have been archived, had the circuit breaker not stopped it.
    pub protected: u64,
}
