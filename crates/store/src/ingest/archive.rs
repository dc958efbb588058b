//! Taking assets out: their state and history stay, what they are found by goes.

use std::collections::HashSet;

use model::{Kind, S3Location};
use sqlx::{Row as _, SqliteConnection};

use crate::dialect::{number_list, text_list};
use crate::ingest::context::Context;
use crate::ingest::tally::LocationRole;
use crate::ingest::{edges, history};
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

/// Archives those of the assets that are active; how many lines of the document form that is.
pub(crate) async fn archive(connection: &mut SqliteConnection, context: &mut Context, assets: &[i64]) -> Result<u64> {
    let mut lines = 0;
    for chunk in assets.chunks(ARCHIVED_ROWS) {
        let (active, own_lines) = active_of(connection, chunk).await?;
        let ids: Vec<i64> = active.iter().map(|(id, _)| *id).collect();
        let mut removed = Vec::new();
        let located = active.iter().filter(|(_, role)| *role != LocationRole::None);
        let roles: std::collections::HashMap<i64, LocationRole> = located.copied().collect();
        for (id, stored) in content::read(&mut *connection, roles.keys().copied()).await? {
            if let (Some(location), Some(role)) = (stored.asset.data_location(), roles.get(&id)) {
                removed.push(Removed { asset: id, location, role: *role });
            }
        }
        let text = "UPDATE asset SET archived_run = $1, location = 0
            WHERE (place, part, kind) IN (SELECT place, part, kind FROM content WHERE id IN (SELECT value FROM json_each($2)))";
        sqlx::query(text).bind(context.run.0).bind(number_list(ids.iter().copied())).execute(&mut *connection).await?;
        let heirs = release_locations(connection, context, &removed).await?;
        remove_words(connection, &ids).await?;
        edges::remove(connection, &ids).await?;
        history::write_archived(connection, context.run, &ids).await?;
        lines += own_lines + heirs.objects_gone;
    }
    Ok(lines)
}

/// The active ones, each with its role at its location, and their lines without S3 objects.
async fn active_of(connection: &mut SqliteConnection, ids: &[i64]) -> Result<(Vec<(i64, LocationRole)>, u64)> {
    let text = "SELECT a.id, a.location, a.columns FROM content c
        JOIN asset a ON a.place = c.place AND a.part = c.part AND a.kind = c.kind
        WHERE c.id IN (SELECT value FROM json_each($1)) AND a.archived_run = 0";
    let mut lines = 0;
    let mut active = Vec::new();
    for row in sqlx::query(text).bind(number_list(ids.iter().copied())).fetch_all(connection).await? {
        let role = LocationRole::from_code(row.try_get(1)?);
        let columns: i64 = row.try_get(2)?;
        lines += 1 + columns.cast_unsigned() + u64::from(role != LocationRole::None);
        active.push((row.try_get(0)?, role));
    }
    Ok((active, lines))
}

/// Lets go of locations. Where a table that stood for the S3 object leaves, the oldest other table there takes its place.
pub(crate) async fn release_locations(
    connection: &mut SqliteConnection,
    context: &mut Context,
    removed: &[Removed],
) -> Result<Heirs> {
    if removed.is_empty() {
        return Ok(Heirs::default());
    }
    let text =
        "DELETE FROM location WHERE location IN (SELECT value FROM json_each($1)) AND asset IN (SELECT value FROM json_each($2))";
    sqlx::query(text)
        .bind(text_list(removed.iter().map(|removed| removed.location.as_str())))
        .bind(number_list(removed.iter().map(|removed| removed.asset)))
        .execute(&mut *connection)
        .await?;
    let owned: HashSet<&str> =
        removed.iter().filter(|removed| removed.role == LocationRole::Owns).map(|removed| removed.location.as_str()).collect();
    let text =
        "SELECT min(asset) FROM location WHERE location IN (SELECT value FROM json_each($1)) AND connection = $2 GROUP BY location";
    let query = sqlx::query_scalar(text).bind(text_list(owned.iter().copied())).bind(context.connection.0);
    let heirs: Vec<i64> = query.fetch_all(&mut *connection).await?;
    let text = "UPDATE asset SET location = 2
        WHERE (place, part, kind) IN (SELECT place, part, kind FROM content WHERE id IN (SELECT value FROM json_each($1)))";
    if !heirs.is_empty() {
        sqlx::query(text).bind(number_list(heirs.iter().copied())).execute(&mut *connection).await?;
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

/// Removes the words of assets from the search index.
pub(crate) async fn remove_words(connection: &mut SqliteConnection, assets: &[i64]) -> Result<()> {
    if !assets.is_empty() {
        let text = "DELETE FROM asset_words WHERE rowid IN (SELECT value FROM json_each($1))";
        sqlx::query(text).bind(number_list(assets.iter().copied())).execute(connection).await?;
    }
    Ok(())
}
