//! What assets were before a run changed them.

use model::RunId;

use crate::Result;
use crate::content::RawContent;
use crate::db::{Bound, Bulk, Connection};
use crate::history::ChangeKind;
use crate::ingest::write::{Action, Row};

const INSERT: Bulk = Bulk {
    table: "history",
    columns: "run, asset, change, name, attributes, columns",
    // A second change in the same run: what was before the run counts, and what the asset became last.
    tail: "ON CONFLICT (run, asset) DO UPDATE SET change = excluded.change WHERE excluded.change <> 1",
    width: 6,
};

struct Entry<'a> {
    run: i64,
    asset: i64,
    change: ChangeKind,
    before: Option<&'a RawContent>,
}

/// Keeps what changed and restored assets were.
pub(crate) async fn write(connection: &mut Connection<'_>, run: RunId, rows: &[&Row<'_>]) -> Result<()> {
    let entries: Vec<Entry<'_>> = rows.iter().filter_map(|row| entry(run, row)).collect();
    insert(connection, &entries).await
}

fn entry<'a>(run: RunId, row: &'a Row<'_>) -> Option<Entry<'a>> {
    let before = &row.before.as_ref()?.stored;
    let change = match row.action {
        Action::Change if before.first_run == run => return None,
        Action::Change => ChangeKind::Updated,
        Action::Restore => ChangeKind::Restored,
        Action::Create | Action::Touch | Action::Keep => return None,
    };
    let same = *before.raw.attributes == *row.new.attributes
        && before.raw.columns.as_deref() == row.new.columns.as_deref()
        && before.raw.name.as_deref() == row.new.name.as_deref();
    Some(Entry { run: run.0, asset: row.id, change, before: (!same).then_some(&before.raw) })
}

/// Keeps that assets were archived.
pub(crate) async fn write_archived(connection: &mut Connection<'_>, run: RunId, assets: &[i64]) -> Result<()> {
    let entry = |asset: &i64| Entry { run: run.0, asset: *asset, change: ChangeKind::Archived, before: None };
    insert(connection, &assets.iter().map(entry).collect::<Vec<_>>()).await
}

async fn insert(connection: &mut Connection<'_>, entries: &[Entry<'_>]) -> Result<()> {
    let bind = |query: Bound, entry: &Entry<'_>| {
        query
            .bind(entry.run)
            .bind(entry.asset)
            .bind(entry.change.code())
            .bind(entry.before.and_then(|before| before.name.clone()))
            .bind(entry.before.map(|before| before.attributes.clone()))
            .bind(entry.before.and_then(|before| before.columns.clone()))
    };
    INSERT.write(connection, entries, bind).await?;
    Ok(())
}
