//! Merging segments: many small ones become a large one, and what is out of date goes.

use std::collections::{HashMap, VecDeque};
use std::hash::BuildHasherDefault;

use super::page::{Entries, PageBuilder, unpack};
use super::segment::{Segment, Subject, insert, next_number, write_pages};
use crate::db::{Connection, query};
use crate::dialect::number_list;
use crate::search_text::{AsIs, KIND_TOKEN_START};
use crate::{Result, StoreError};

/// A level with so many segments becomes one segment of the next level.
pub(super) const SEGMENTS_OF_A_LEVEL: usize = 16;
/// Pages of a segment that are read at once.
const PAGES_READ: i64 = 32;
/// Pages that are collected before they are written.
const PAGES_WRITTEN: usize = 256;
/// Tombstones that are read at once.
const TOMBSTONES_READ: i64 = 10_000;

/// Merges every level that is full, the lowest first. The segments are all there are, the oldest first.
pub(super) async fn merge_full_levels(connection: &mut Connection<'_>, subject: Subject, mut all: Vec<Segment>) -> Result<()> {
    // Levels go down from the oldest segment to the newest, so those of the lowest one are neighbours at the end.
    while let Some(level) = all.last().map(|segment| segment.level) {
        let start = all.iter().position(|segment| segment.level == level).unwrap_or(0);
        if all.len() - start < SEGMENTS_OF_A_LEVEL {
            return Ok(());
        }
        let number = next_number(&all);
        let merged = all.split_off(start);
        let into = Segment { id: number, level: level + 1, ..span(&merged) };
        all.push(merge(connection, subject, &merged, into).await?);
        if all.len() == 1 {
            forget_tombstones(connection, subject).await?;
        }
    }
    Ok(())
}

/// Merges all segments into one.
pub(super) async fn merge_all(connection: &mut Connection<'_>, subject: Subject, all: Vec<Segment>) -> Result<()> {
    let Some(level) = all.iter().map(|segment| segment.level).max() else { return Ok(()) };
    let into = Segment { id: next_number(&all), level: level.max(1), ..span(&all) };
    merge(connection, subject, &all, into).await?;
    forget_tombstones(connection, subject).await
}

/// What segments span together.
fn span(segments: &[Segment]) -> Segment {
    Segment {
        id: 0,
        level: 0,
        newest: segments.iter().map(|segment| segment.newest).max().unwrap_or(0),
        first_asset: segments.iter().map(|segment| segment.first_asset).min().unwrap_or(0),
        assets: 0,
    }
}

/// Merges neighbouring segments into a new one, and removes them; how it is with its assets counted.
async fn merge(connection: &mut Connection<'_>, subject: Subject, segments: &[Segment], into: Segment) -> Result<Segment> {
    let tombstones = Tombstones::read(connection, subject, segments).await?;
    let mut sources: Vec<Source> = segments.iter().map(|segment| Source::of(subject, segment)).collect();
    for source in &mut sources {
        source.advance(connection).await?;
    }
    let (mut builder, mut assets, mut ids) = (PageBuilder::default(), 0, Vec::new());
    while let Some(word) = sources.iter().filter_map(Source::word).min().map(<[u8]>::to_vec) {
        ids.clear();
        for source in &mut sources {
            while source.word() == Some(&word) {
                source.take(&tombstones, &mut ids)?;
                source.advance(connection).await?;
            }
        }
        if !ids.is_sorted() {
            ids.sort_unstable();
        }
        let word = str::from_utf8(&word).map_err(StoreError::corrupt)?;
        if word.starts_with(KIND_TOKEN_START) {
            assets += ids.len();
        }
        builder.push(word, &ids);
        if builder.full() >= PAGES_WRITTEN {
            write_pages(connection, subject, into.id, &builder.take_full()).await?;
        }
    }
    write_pages(connection, subject, into.id, &builder.finish()).await?;
    remove(connection, subject, segments).await?;
    let merged = Segment { assets: i64::try_from(assets).unwrap_or(i64::MAX), ..into };
    insert(connection, subject, &merged).await?;
    Ok(merged)
}

async fn remove(connection: &mut Connection<'_>, subject: Subject, segments: &[Segment]) -> Result<()> {
    let each = [
        "DELETE FROM word_page WHERE subject = $1 AND segment IN (SELECT value FROM json_each($2))",
        "DELETE FROM word_segment WHERE subject = $1 AND id IN (SELECT value FROM json_each($2))",
    ];
    for text in each {
        let ids = number_list(segments.iter().map(|segment| segment.id));
        query(text).bind(subject.code()).bind(ids).execute(&mut *connection).await?;
    }
    Ok(())
}

/// When there is one segment only, nothing is out of date any more.
async fn forget_tombstones(connection: &mut Connection<'_>, subject: Subject) -> Result<()> {
    query("DELETE FROM word_tombstone WHERE subject = $1").bind(subject.code()).execute(connection).await?;
    Ok(())
}

/// From which write on the words of an asset count.
struct Tombstones(HashMap<i64, i64, BuildHasherDefault<AsIs>>);

impl Tombstones {
    /// Those that something in the segments is out of date by.
    async fn read(connection: &mut Connection<'_>, subject: Subject, segments: &[Segment]) -> Result<Self> {
        let oldest = segments.iter().map(|segment| segment.newest).min().unwrap_or(0);
        let text =
            "SELECT asset, since FROM word_tombstone WHERE subject = $1 AND asset > $2 AND since > $3 ORDER BY asset LIMIT $4";
        let (mut all, mut last) = (HashMap::default(), i64::MIN);
        loop {
            let query = query(text).bind(subject.code()).bind(last).bind(oldest).bind(TOMBSTONES_READ);
            let rows = query.fetch_all(&mut *connection).await?;
            for row in &rows {
                last = row.try_get(0)?;
                all.insert(last, row.try_get(1)?);
            }
            if i64::try_from(rows.len()).unwrap_or(i64::MAX) < TOMBSTONES_READ {
                return Ok(Self(all));
            }
        }
    }

    fn is_outdated(&self, asset: i64, newest: i64) -> bool {
        self.0.get(&asset).is_some_and(|since| *since > newest)
    }
}

/// A segment that is being read from its beginning.
struct Source {
    subject: Subject,
    segment: i64,
    newest: i64,
    key: String,
    pages: VecDeque<Vec<u8>>,
    entries: Entries,
    is_over: bool,
}

impl Source {
    fn of(subject: Subject, segment: &Segment) -> Self {
        Self {
            subject,
            segment: segment.id,
            newest: segment.newest,
            key: String::new(),
            pages: VecDeque::new(),
            entries: Entries::default(),
            is_over: false,
        }
    }

    /// The word that is next.
    fn word(&self) -> Option<&[u8]> {
        (!self.is_over).then(|| self.entries.word())
    }

    /// Goes to the next entry.
    async fn advance(&mut self, connection: &mut Connection<'_>) -> Result<()> {
        while !self.is_over && !self.entries.advance()? {
            if self.pages.is_empty() {
                self.read(connection).await?;
            }
            match self.pages.pop_front() {
                Some(page) => self.entries = Entries::of(page),
                None => self.is_over = true,
            }
        }
        Ok(())
    }

    async fn read(&mut self, connection: &mut Connection<'_>) -> Result<()> {
        let text = "SELECT key, entries FROM word_page WHERE subject = $1 AND segment = $2 AND key > $3 ORDER BY key LIMIT $4";
        let query = query(text).bind(self.subject.code()).bind(self.segment).bind(self.key.clone()).bind(PAGES_READ);
        for row in query.fetch_all(connection).await? {
            self.key = row.try_get(0)?;
            self.pages.push_back(row.try_get(1)?);
        }
        Ok(())
    }

    /// Adds the ids of the entry that are up to date.
    fn take(&self, tombstones: &Tombstones, ids: &mut Vec<i64>) -> Result<()> {
        let start = ids.len();
        unpack(self.entries.packed(), ids)?;
        if !tombstones.0.is_empty() {
            let mut kept = start;
            for at in start..ids.len() {
                if !tombstones.is_outdated(ids[at], self.newest) {
                    ids[kept] = ids[at];
                    kept += 1;
                }
            }
            ids.truncate(kept);
        }
        Ok(())
    }
}
