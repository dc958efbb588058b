//! Taking assets out: their state and history stay, what they are found by goes.

use std::collections::{HashMap, HashSet};

use model::{Kind, S3Location};

use crate::db::{Connection, Row, query, query_scalar};
use crate::dialect::{number_list, text_list};
use crate::history::ChangeKind;
use crate::ingest::context::Context;
use crate::ingest::tally::{Lines, LocationRole};
use crate::ingest::{edges, history, twins};
use crate::search_text::is_searched;
use crate::word_index::{self, Subject};
use crate::{Result, content};

/// Assets archived by one set of statements.
const ARCHIVED_ROWS: usize = 500;

/// A table that is leaving a location.
pub(crate) struct Removed {
    pub(crate) asset: i64,
    pub(crate) location: S3Location,
    pub(crate) role: LocationRole,
}

/// What became of locations whose table left.
#[derive(Default)]
pub(crate) struct Heirs {
    /// Tables that now stand for the S3 object.
    pub(crate) assets: HashSet<i64>,
    /// S3 objects that no table is over any more.
    pub(crate) objects_gone: u64,
}

/// An active asset that is about to be archived.
struct Leaving {
    id: i64,
    lines: Lines,
    /// Whether the run has found it before it went.
    is_counted: bool,
    first_run: i64,
    /// What the run has done to it before.
    change: Option<ChangeKind>,
}

/// Archives those of the assets that are active; how many lines of the document form that is.
pub(crate) async fn archive(connection: &mut Connection<'_>, context: &mut Context, assets: &[i64]) -> Result<u64> {
    let mut lines = 0;
    for chunk in assets.chunks(ARCHIVED_ROWS) {
        let active = active_of(connection, context, chunk).await?;
        let ids: Vec<i64> = active.iter().map(|leaving| leaving.id).collect();
        let removed = locations_of(connection, &active).await?;
        let text = "UPDATE asset SET archived_run = $1, location = 0
            WHERE (place, part, kind) IN (SELECT place, part, kind FROM content WHERE id IN (SELECT value FROM json_each($2)))";
        query(text).bind(context.run.0).bind(number_list(ids.iter().copied())).execute(&mut *connection).await?;
        let heirs = release_locations(connection, context, &removed).await?;
        let searched = active.iter().filter(|leaving| is_searched(leaving.lines.kind)).map(|leaving| leaving.id);
        word_index::remove(connection, Subject::Assets, &searched.collect::<Vec<_>>()).await?;
        edges::remove(connection, &ids).await?;
        let made = active.iter().filter(|leaving| leaving.lines.kind.is_smus_asset()).map(|leaving| leaving.id);
        twins::remove(connection, &made.collect::<Vec<_>>()).await?;
        history::write_archived(connection, context.run, &ids).await?;
        for leaving in &active {
            lines += 1 + leaving.lines.columns + u64::from(leaving.lines.location != LocationRole::None);
            if leaving.is_counted {
                take_back(context, leaving);
            }
        }
        lines += heirs.objects_gone;
    }
    Ok(lines)
}

async fn active_of(connection: &mut Connection<'_>, context: &Context, ids: &[i64]) -> Result<Vec<Leaving>> {
    let text = "SELECT a.id, a.owner, a.kind, a.columns, a.location, c.first_run, h.change FROM content c
        JOIN asset a ON a.place = c.place AND a.part = c.part AND a.kind = c.kind
        LEFT JOIN history h ON h.asset = c.id AND h.run = $2
        WHERE c.id IN (SELECT value FROM json_each($1)) AND a.archived_run = 0";
    let query = query(text).bind(number_list(ids.iter().copied())).bind(context.run.0);
    let rows = query.fetch_all(connection).await?;
    let progress = context.progress();
    let read = |row: &Row| {
        let (id, owner): (i64, i64) = (row.try_get(0)?, row.try_get(1)?);
        let lines = Lines {
            kind: content::kind(row.try_get(2)?)?,
            columns: row.try_get::<i64, _>(3)?.cast_unsigned(),
            processes: 0,
            column_processes: 0,
            location: LocationRole::from_code(row.try_get(4)?),
        };
        // What was derived from an unchanged asset was counted with it.
        let is_counted = progress.seen.contains(id) || (owner > 0 && progress.seen.contains(owner));
        let change = row.try_get::<Option<i64>, _>(6)?.and_then(ChangeKind::from_code);
        Ok(Leaving { id, lines, is_counted, first_run: row.try_get(5)?, change })
    };
    rows.iter().map(read).collect()
}

async fn locations_of(connection: &mut Connection<'_>, leaving: &[Leaving]) -> Result<Vec<Removed>> {
    let located = leaving.iter().filter(|leaving| leaving.lines.location != LocationRole::None);
    let roles: HashMap<i64, LocationRole> = located.map(|leaving| (leaving.id, leaving.lines.location)).collect();
    let mut removed = Vec::new();
    for (id, stored) in content::read(connection, roles.keys().copied()).await? {
        if let (Some(location), Some(role)) = (stored.asset.data_location(), roles.get(&id)) {
            removed.push(Removed { asset: id, location, role: *role });
        }
    }
    Ok(removed)
}

/// Takes an asset that the run has counted out of its counts: it is archived by the same run.
fn take_back(context: &mut Context, leaving: &Leaving) {
    let lines = leaving.lines.own().cast_signed();
    let is_new = leaving.first_run == context.run.0;
    let tally = &mut context.tally;
    tally.lose_own(&leaving.lines);
    match leaving.change {
        _ if is_new => {
            tally.created -= lines;
            tally.archived -= lines;
        }
        Some(ChangeKind::Restored) => {
            tally.restored -= lines;
            tally.archived -= lines;
        }
        // Which of its columns were changed is not known any more.
        Some(ChangeKind::Updated) => {
            tally.updated -= 1;
            tally.unchanged -= lines - 1;
        }
        Some(ChangeKind::Created | ChangeKind::Archived) | None => tally.unchanged -= lines,
    }
}

/// Lets go of locations. Where a table that stood for the S3 object leaves, the oldest other table there takes its place.
pub(crate) async fn release_locations(
    connection: &mut Connection<'_>,
    context: &mut Context,
    removed: &[Removed],
) -> Result<Heirs> {
    if removed.is_empty() {
        return Ok(Heirs::default());
    }
    let text =
        "DELETE FROM location WHERE location IN (SELECT value FROM json_each($1)) AND asset IN (SELECT value FROM json_each($2))";
    query(text)
        .bind(text_list(removed.iter().map(|removed| removed.location.as_str())))
        .bind(number_list(removed.iter().map(|removed| removed.asset)))
        .execute(&mut *connection)
        .await?;
    let owned: HashSet<&str> =
        removed.iter().filter(|removed| removed.role == LocationRole::Owns).map(|removed| removed.location.as_str()).collect();
    let text =
        "SELECT min(asset) FROM location WHERE location IN (SELECT value FROM json_each($1)) AND connection = $2 GROUP BY location";
    let oldest = query_scalar(text).bind(text_list(owned.iter().copied())).bind(context.connection.0);
    let heirs: Vec<i64> = oldest.fetch_all(&mut *connection).await?;
    let text = "UPDATE asset SET location = 2
        WHERE (place, part, kind) IN (SELECT place, part, kind FROM content WHERE id IN (SELECT value FROM json_each($1)))";
    if !heirs.is_empty() {
        query(text).bind(number_list(heirs.iter().copied())).execute(&mut *connection).await?;
    }
    count_heirs(context, &heirs);
    Ok(Heirs { objects_gone: (owned.len() - heirs.len().min(owned.len())) as u64, assets: heirs.into_iter().collect() })
}

/// A table that was counted before it came to stand for an S3 object: the object is counted now.
fn count_heirs(context: &mut Context, heirs: &[i64]) {
    let mut counted = 0;
    let mut progress = context.progress();
    for heir in heirs {
        progress.take_expected(*heir);
        counted += i64::from(progress.seen.contains(*heir));
    }
    drop(progress);
    context.tally.find(Kind::S3Object, counted);
    context.tally.unchanged += counted;
}
