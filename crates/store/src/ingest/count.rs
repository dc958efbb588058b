//! Counting what a group has written: every row once a run, in lines of the document form.

use crate::ingest::column_changes;
use crate::ingest::context::Context;
use crate::ingest::tally::{Lines, LocationRole, Tally};
use crate::ingest::write::{Action, Row, claims};

/// Counts every row once a run, however often it is delivered.
pub(crate) fn count(context: &mut Context, rows: &[Row<'_>]) {
    let mut tally = Tally::default();
    for row in rows {
        let (fresh, is_created_before) = {
            let mut progress = context.progress();
            (progress.seen.mark(row.id), progress.is_created_before(row.id))
        };
        if row.action == Action::Create {
            context.note_created(row.id);
        }
        let count = if fresh && is_created_before {
            count_created
        } else if fresh {
            count_found
        } else {
            count_again
        };
        count(row, &mut tally);
    }
    context.tally.add(&tally);
}

/// A row that was delivered before in this run, and now with other content: only the difference counts.
fn count_again(row: &Row<'_>, tally: &mut Tally) {
    let Some(before) = row.before.as_ref().filter(|_| row.action == Action::Change) else { return };
    let lines = row.lines();
    let location = row.existing.as_ref().map_or(LocationRole::None, |existing| existing.location);
    let old = Lines { columns: before.stored.asset.columns.len() as u64, location, ..lines };
    tally.find_difference(&old, &lines);
    tally.created += lines.own().cast_signed() - old.own().cast_signed();
}

/// A row that an earlier attempt of the run has created: for the run as a whole it is new, whatever has become of it since.
fn count_created(row: &Row<'_>, tally: &mut Tally) {
    let lines = row.lines();
    tally.find_own(&lines);
    tally.created += lines.own().cast_signed();
}

fn count_found(row: &Row<'_>, tally: &mut Tally) {
    let lines = row.lines();
    let all = lines.own().cast_signed();
    tally.find_own(&lines);
    match row.action {
        Action::Create => tally.created += all,
        Action::Restore => tally.restored += all,
        Action::Touch | Action::Keep => tally.unchanged += all,
        Action::Change => count_change(row, tally),
    }
}

fn count_change(row: &Row<'_>, tally: &mut Tally) {
    tally.updated += 1;
    let Some(before) = &row.before else { return };
    let columns = row.new.columns.as_deref().and_then(|packed| model::document::unpack_columns(packed).ok()).unwrap_or_default();
    let changes = column_changes::compare(&before.stored.asset.columns, &columns);
    tally.created += changes.created;
    tally.updated += changes.updated;
    tally.unchanged += changes.unchanged;
    tally.archived += changes.removed;
    match (&before.location, &row.new.location) {
        (None, None) => {}
        (None, Some(_)) => tally.created += 1,
        (Some(_), None) => tally.archived += 1,
        (Some(old), Some(new)) if old == new => tally.unchanged += 1,
        (Some(_), Some(_)) => tally.updated += 1,
    }
    match (row.location, claims(row)) {
        (LocationRole::Owns, true) => tally.created += 1,
        (LocationRole::Owns, false) => tally.unchanged += 1,
        (LocationRole::None | LocationRole::Shares, _) => {}
    }
}

impl Row<'_> {
    fn lines(&self) -> Lines {
        Lines {
            kind: self.new.kind,
            columns: self.new.column_count.cast_unsigned(),
            processes: self.processes.cast_unsigned(),
            column_processes: self.column_processes.cast_unsigned(),
            location: self.location,
        }
    }
}
