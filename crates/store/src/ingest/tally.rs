//! Counting what a run found and changed, in the units of the report: lines of the document form, columns included.

use std::collections::BTreeMap;

use model::{ChangeCounts, Kind};

/// The lines that one stored asset stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Lines {
    pub(crate) kind: Kind,
    pub(crate) columns: u64,
    pub(crate) processes: u64,
    pub(crate) column_processes: u64,
    pub(crate) location: LocationRole,
}

/// What a table has to do with the S3 object of its location.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LocationRole {
    /// It has no location.
    None,
    /// Another table stands for the object.
    Shares,
    /// It stands for the object.
    Owns,
}

impl LocationRole {
    pub(crate) const fn code(self) -> i64 {
        match self {
            Self::None => 0,
            Self::Shares => 1,
            Self::Owns => 2,
        }
    }

    pub(crate) const fn from_code(code: i64) -> Self {
        match code {
            2 => Self::Owns,
            1 => Self::Shares,
            _ => Self::None,
        }
    }

    /// Lines that the location adds: the process, and the object for the table that stands for it.
    const fn lines(self) -> (u64, u64) {
        match self {
            Self::None => (0, 0),
            Self::Shares => (1, 0),
            Self::Owns => (1, 1),
        }
    }
}

impl Lines {
    /// Lines of the asset itself, its columns and its location, without processes that have rows of their own.
    pub(crate) fn own(&self) -> u64 {
        let (process, object) = self.location.lines();
        1 + self.columns + process + object
    }

    /// All lines, derived processes included.
    pub(crate) fn all(&self) -> u64 {
        self.own() + self.processes + self.column_processes
    }
}

/// What was found and changed so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) found: BTreeMap<Kind, i64>,
    pub(crate) created: i64,
    pub(crate) updated: i64,
    pub(crate) unchanged: i64,
    pub(crate) archived: i64,
    pub(crate) restored: i64,
}

impl Tally {
    /// Adds found lines of the asset itself, its columns and its location.
    pub(crate) fn find_own(&mut self, lines: &Lines) {
        let (process, object) = lines.location.lines();
        self.find(lines.kind, 1);
        self.find(lines.kind.column_kind(), lines.columns.cast_signed());
        self.find(Kind::Process, process.cast_signed());
        self.find(Kind::S3Object, object.cast_signed());
    }

    /// Takes away what [`Tally::find_own`] added.
    pub(crate) fn lose_own(&mut self, lines: &Lines) {
        let (process, object) = lines.location.lines();
        self.find(lines.kind, -1);
        self.find(lines.kind.column_kind(), -lines.columns.cast_signed());
        self.find(Kind::Process, -process.cast_signed());
        self.find(Kind::S3Object, -object.cast_signed());
    }

    /// Replaces found lines of an asset that was counted before.
    pub(crate) fn find_difference(&mut self, old: &Lines, new: &Lines) {
        let (old_process, old_object) = old.location.lines();
        let (process, object) = new.location.lines();
        self.find(new.kind.column_kind(), new.columns.cast_signed() - old.columns.cast_signed());
        self.find(Kind::Process, process.cast_signed() - old_process.cast_signed());
        self.find(Kind::S3Object, object.cast_signed() - old_object.cast_signed());
    }

    /// Adds found lines of an asset with everything that belongs to it.
    pub(crate) fn find_all(&mut self, lines: &Lines) {
        self.find_own(lines);
        self.find(Kind::Process, lines.processes.cast_signed());
        self.find(Kind::ColumnProcess, lines.column_processes.cast_signed());
    }

    /// Adds (or with a negative number takes away) found lines of one kind.
    pub(crate) fn find(&mut self, kind: Kind, lines: i64) {
        if lines != 0 {
            *self.found.entry(kind).or_default() += lines;
        }
    }

    /// Adds another tally.
    pub(crate) fn add(&mut self, other: &Self) {
        for (kind, lines) in &other.found {
            self.find(*kind, *lines);
        }
        self.created += other.created;
        self.updated += other.updated;
        self.unchanged += other.unchanged;
        self.archived += other.archived;
        self.restored += other.restored;
    }

    /// The counts of the report, by kind.
    pub(crate) fn counts(&self) -> BTreeMap<Kind, u64> {
        let found = self.found.iter().map(|(kind, lines)| (*kind, u64::try_from(*lines).unwrap_or(0)));
        found.filter(|(_, lines)| *lines > 0).collect()
    }

    /// The changes of the report.
    pub(crate) fn changes(&self, protected: u64) -> ChangeCounts {
        let count = |lines: i64| u64::try_from(lines).unwrap_or(0);
        ChangeCounts {
            created: count(self.created),
            updated: count(self.updated),
            unchanged: count(self.unchanged),
            archived: count(self.archived),
            restored: count(self.restored),
            protected,
        }
    }
}
