//! Comparing the columns of a table with what they were.

use std::collections::HashMap;

use model::{Column, Columns};

/// How many columns differ, and how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct ColumnChanges {
    pub(crate) created: i64,
    pub(crate) updated: i64,
    pub(crate) unchanged: i64,
    pub(crate) removed: i64,
}

/// Compares columns by path.
pub(crate) fn compare(before: &Columns, after: &Columns) -> ColumnChanges {
    let mut old: HashMap<&str, Column<'_>> = before.iter().map(|column| (column.path, column)).collect();
    let mut changes = ColumnChanges::default();
    for column in after.iter() {
        match old.remove(column.path) {
            None => changes.created += 1,
            Some(was) if same(&was, &column) => changes.unchanged += 1,
            Some(_) => changes.updated += 1,
        }
    }
    changes.removed = i64::try_from(old.len()).unwrap_or(i64::MAX);
    changes
}

/// Whether the documents of two columns with one path are the same.
pub(crate) fn same(before: &Column<'_>, after: &Column<'_>) -> bool {
    // The parent's position may move while the parent stays the same: its path is part of the column's own.
    Column { parent: None, ..*before } == Column { parent: None, ..*after }
}
