//! Segments as rows.

use super::page::Page;
use crate::Result;
use crate::db::{Bulk, Connection, On, query};

/// Whose words an index has. Each has segments, numbers and tombstones of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Subject {
    /// The words of active assets, as their sources tell them.
    Assets,
    /// The words of what people say of assets.
    Enrichment,
}

impl Subject {
    /// The stored number.
    pub(super) const fn code(self) -> i64 {
        match self {
            Self::Assets => 0,
            Self::Enrichment => 1,
        }
    }
}

/// A segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Segment {
    /// Its number. Each new segment has a higher one than all before.
    pub(super) id: i64,
    /// How often its words were merged.
    pub(super) level: i64,
    /// The number of the last write that is in it. What a tombstone says counts from this write on is up to date here.
    pub(super) newest: i64,
    /// The lowest id of its assets.
    pub(super) first_asset: i64,
    /// How many assets it has.
    pub(super) assets: i64,
}

/// All segments, the oldest first.
pub(super) async fn segments<'e, 'c: 'e>(on: impl Into<On<'e, 'c>>, subject: Subject) -> Result<Vec<Segment>> {
    let text = "SELECT id, level, newest, first_asset, assets FROM word_segment WHERE subject = $1 ORDER BY newest";
    let rows = query(text).bind(subject.code()).fetch_all(on).await?;
    let mut segments = Vec::with_capacity(rows.len());
    for row in rows {
        segments.push(Segment {
            id: row.try_get(0)?,
            level: row.try_get(1)?,
            newest: row.try_get(2)?,
            first_asset: row.try_get(3)?,
            assets: row.try_get(4)?,
        });
    }
    Ok(segments)
}

/// The number of the next write.
pub(super) fn next_number(segments: &[Segment]) -> i64 {
    segments.iter().map(|segment| segment.id).max().unwrap_or(0) + 1
}

pub(super) async fn insert(connection: &mut Connection<'_>, subject: Subject, segment: &Segment) -> Result<()> {
    let text = "INSERT INTO word_segment (subject, id, level, newest, first_asset, assets) VALUES ($1, $2, $3, $4, $5, $6)";
    query(text)
        .bind(subject.code())
        .bind(segment.id)
        .bind(segment.level)
        .bind(segment.newest)
        .bind(segment.first_asset)
        .bind(segment.assets)
        .execute(connection)
        .await?;
    Ok(())
}

const PAGES: Bulk = Bulk { table: "word_page", columns: "subject, segment, key, entries", tail: "", width: 4 };

pub(super) async fn write_pages(connection: &mut Connection<'_>, subject: Subject, segment: i64, pages: &[Page]) -> Result<()> {
    PAGES
        .write_new(connection, pages, |bound, page| {
            bound.bind(subject.code()).bind(segment).bind(page.key.clone()).bind(page.entries.clone())
        })
        .await?;
    Ok(())
}
