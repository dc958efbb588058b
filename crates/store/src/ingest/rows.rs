//! Carrying out what has to happen to the rows of a group: each sort of row in a statement of many.

use std::sync::Arc;

use crate::Result;
use crate::db::{Bound, Bulk, Connection};
use crate::ingest::context::Context;
use crate::ingest::edges::{self, EdgeRow};
use crate::ingest::write::{Action, Row, claims};
use crate::ingest::{history, twins};
use crate::word_index::{self, Subject, WordPages};

const ASSETS: Bulk = Bulk {
    table: "asset",
    columns: "place, part, kind, id, scope, owner, archived_run, source_hash, content_hash, columns, processes, column_processes, location",
    tail: "ON CONFLICT (place, part, kind) DO UPDATE SET scope = excluded.scope, owner = excluded.owner, archived_run = 0,
        source_hash = excluded.source_hash, content_hash = excluded.content_hash, columns = excluded.columns,
        processes = excluded.processes, column_processes = excluded.column_processes, location = excluded.location",
    width: 13,
};

const CONTENTS: Bulk = Bulk {
    table: "content",
    columns: "id, place, part, kind, first_run, changed_run, name, attributes, columns",
    tail: "ON CONFLICT (id) DO UPDATE SET changed_run = excluded.changed_run, name = excluded.name,
        attributes = excluded.attributes, columns = excluded.columns",
    width: 9,
};

const LOCATIONS: Bulk =
    Bulk { table: "location", columns: "location, asset, connection", tail: "ON CONFLICT (location, asset) DO NOTHING", width: 3 };

/// Writes rows, and what is found and followed by them.
pub(crate) async fn write_rows(connection: &mut Connection<'_>, context: &mut Context, rows: &[Row<'_>]) -> Result<()> {
    let run = context.run.0;
    let (new, other): (Vec<&Row<'_>>, Vec<&Row<'_>>) =
        rows.iter().filter(|row| row.action != Action::Keep).partition(|row| row.action == Action::Create);
    ASSETS.write_new(connection, &new, bind_state).await?;
    ASSETS.write(connection, &other, bind_state).await?;
    let mut contents: Vec<&Row<'_>> = rows.iter().filter(|row| row.action.writes_content()).collect();
    if contents.is_empty() {
        return Ok(());
    }
    // The search index wants ascending ids.
    contents.sort_unstable_by_key(|row| row.id);
    let (new, other): (Vec<&Row<'_>>, Vec<&Row<'_>>) = contents.iter().partition(|row| row.action == Action::Create);
    // While the database takes the new contents, their words are put in order here.
    let writing = CONTENTS.write_new(connection, &new, |query, row| bind_content(query, row, run));
    let (written, pages) = tokio::join!(writing, async { words_of(&contents) });
    written?;
    CONTENTS.write(connection, &other, |query, row| bind_content(query, row, run)).await?;
    write_locations(connection, context, &new, &other).await?;
    write_words(connection, context, &contents, pages).await?;
    write_edges(connection, &contents).await?;
    twins::write(connection, &contents).await?;
    history::write(connection, context.run, &contents).await
}

fn bind_state(query: Bound, row: &&Row<'_>) -> Bound {
    query
        .bind(row.place)
        .bind(Arc::clone(&row.new.part))
        .bind(row.new.kind.code())
        .bind(row.id)
        .bind(row.scope)
        .bind(row.owner_id)
        .bind(0_i64)
        .bind(row.new.source_hash)
        .bind(row.new.content_hash)
        .bind(row.new.column_count)
        .bind(row.processes)
        .bind(row.column_processes)
        .bind(row.location.code())
}

fn bind_content(query: Bound, row: &&Row<'_>, run: i64) -> Bound {
    query
        .bind(row.id)
        .bind(row.place)
        .bind(Arc::clone(&row.new.part))
        .bind(row.new.kind.code())
        .bind(run)
        .bind(run)
        .bind(row.new.name.clone())
        .bind(Arc::clone(&row.new.attributes))
        .bind(row.new.columns.clone())
}

async fn write_locations(connection: &mut Connection<'_>, context: &Context, new: &[&Row<'_>], other: &[&Row<'_>]) -> Result<()> {
    let number = context.connection.0;
    let bind = |query: Bound, row: &(&str, i64)| query.bind(row.0.to_owned()).bind(row.1).bind(number);
    LOCATIONS.write_new(connection, &claimed(new), bind).await?;
    LOCATIONS.write(connection, &claimed(other), bind).await?;
    Ok(())
}

/// The locations that are new to their assets, which new assets' always are.
fn claimed<'r>(rows: &[&'r Row<'_>]) -> Vec<(&'r str, i64)> {
    let claiming = rows.iter().filter(|row| claims(row));
    claiming.filter_map(|row| Some((row.new.location.as_ref()?.as_str(), row.id))).collect()
}

/// The rows that are searched for.
fn searched<'r>(rows: &'r [&Row<'_>]) -> impl Iterator<Item = &'r Row<'r>> {
    rows.iter().copied().filter(|row| !row.new.search.text.is_empty())
}

fn words_of(rows: &[&Row<'_>]) -> WordPages {
    let words: Vec<(i64, &str)> = searched(rows).map(|row| (row.id, &*row.new.search.text)).collect();
    WordPages::of(&words)
}

async fn write_words(connection: &mut Connection<'_>, context: &mut Context, rows: &[&Row<'_>], pages: WordPages) -> Result<()> {
    let stale: Vec<i64> = searched(rows).filter(|row| row.action == Action::Change).map(|row| row.id).collect();
    word_index::remove(connection, Subject::Assets, &stale).await?;
    word_index::add(connection, Subject::Assets, pages).await?;
    context.learn(connection, searched(rows).flat_map(|row| row.new.search.vocabulary())).await
}

async fn write_edges(connection: &mut Connection<'_>, rows: &[&Row<'_>]) -> Result<()> {
    let processes: Vec<&&Row<'_>> = rows.iter().filter(|row| !row.new.edges.is_empty()).collect();
    let changed: Vec<i64> = processes.iter().filter(|row| row.action == Action::Change).map(|row| row.id).collect();
    edges::remove(connection, &changed).await?;
    let all = processes
        .iter()
        .flat_map(|row| row.new.edges.iter().map(|edge| EdgeRow { edge, process: row.id, kind: row.new.kind.code() }));
    edges::insert(connection, &all.collect::<Vec<_>>()).await
}
