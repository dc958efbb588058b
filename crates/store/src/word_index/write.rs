//! Adding the words of assets, and taking them out.

use super::build::WordPages;
use super::merge;
use super::segment::{Segment, Subject, insert, next_number, segments, write_pages};
use crate::Result;
use crate::db::{Bulk, Connection, query};

/// Tombstones are kept until everything is merged; how often an asset was taken out says how much there is to be gained by that.
const TOMBSTONES: Bulk = Bulk {
    table: "word_tombstone",
    columns: "subject, asset, since, times",
    tail: "ON CONFLICT (subject, asset) DO UPDATE SET since = excluded.since, times = word_tombstone.times + 1",
    width: 4,
};

/// Adds the words of assets. Those that are in the index have to be removed before.
pub(crate) async fn add(connection: &mut Connection<'_>, subject: Subject, words: WordPages) -> Result<()> {
    let WordPages { pages, first_asset, assets } = words;
    if assets == 0 {
        return Ok(());
    }
    let mut all = segments_to_write(connection, subject).await?;
    let id = next_number(&all);
    let segment = Segment { id, level: 0, newest: id, first_asset, assets };
    write_pages(connection, subject, id, &pages).await?;
    insert(connection, subject, &segment).await?;
    all.push(segment);
    merge::merge_full_levels(connection, subject, all).await
}

/// Takes the words of assets out, those that are not in the index aside.
pub(crate) async fn remove(connection: &mut Connection<'_>, subject: Subject, assets: &[i64]) -> Result<()> {
    if assets.is_empty() {
        return Ok(());
    }
    let all = segments_to_write(connection, subject).await?;
    if all.is_empty() {
        return Ok(());
    }
    let since = next_number(&all);
    let mut distinct = assets.to_vec();
    distinct.sort_unstable();
    distinct.dedup();
    let bind = |bound: crate::db::Bound, asset: &i64| bound.bind(subject.code()).bind(*asset).bind(since).bind(1_i64);
    TOMBSTONES.write(connection, &distinct, bind).await?;
    Ok(())
}

/// Merges everything when much of it is out of date.
pub(crate) async fn tidy(connection: &mut Connection<'_>, subject: Subject) -> Result<()> {
    let text = "SELECT CAST(coalesce(sum(times), 0) AS BIGINT) FROM word_tombstone WHERE subject = $1";
    let row = query(text).bind(subject.code()).fetch_one(&mut *connection).await?;
    let outdated: i64 = row.try_get(0)?;
    let all = segments_to_write(connection, subject).await?;
    let assets: i64 = all.iter().map(|segment| segment.assets).sum();
    if outdated > assets / OUTDATED_SHARE {
        merge::merge_all(connection, subject, all).await?;
    }
    Ok(())
}

/// All segments, the oldest first, which nobody else changes until the transaction ends.
async fn segments_to_write(connection: &mut Connection<'_>, subject: Subject) -> Result<Vec<Segment>> {
    match subject {
        // Whoever writes assets is alone.
        Subject::Assets => {}
        Subject::Enrichment => connection.lock_enrichment_words().await?,
    }
    segments(connection, subject).await
}

/// Everything is merged when more than one asset in so many is out of date.
const OUTDATED_SHARE: i64 = 3;
