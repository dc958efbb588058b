//! What happened to assets: the history of one, and the difference between two runs.

mod between;
mod differences;
mod timeline;

pub use between::{Changed, Diff, DiffCursor};
pub use differences::Difference;
pub use timeline::HistoryEvent;

/// What happened to an asset in a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ChangeKind {
    /// It was found for the first time.
    Created,
    /// Its content changed.
    Updated,
    /// It was proven to be gone.
    Archived,
    /// It came back.
    Restored,
}

impl ChangeKind {
    /// The stored number. A creation is not stored.
    pub(crate) const fn code(self) -> i64 {
        match self {
            Self::Created => 0,
            Self::Updated => 1,
            Self::Archived => 2,
            Self::Restored => 3,
        }
    }

    /// The change of a stored number.
    pub(crate) const fn from_code(code: i64) -> Option<Self> {
        match code {
            0 => Some(Self::Created),
            1 => Some(Self::Updated),
            2 => Some(Self::Archived),
            3 => Some(Self::Restored),
            _ => None,
        }
    }
}
