//! The assets that meet a condition, over all segments.

use std::collections::HashMap;
use std::sync::Arc;

use super::condition::Condition;
use super::cursor::{Cursor, Node, Search, Stop};
use super::lookup::{self, Pages, Words};
use super::page::{Damaged, key_after, key_within};
use super::segment::Segment;
use super::snapshot::WordIndex;
use crate::db::{Connection, query};
use crate::dialect::number_list;
use crate::{Result, StoreError};

/// Pages of a word that are read when the first one does not do: first a few, then more.
const PAGES_READ_FIRST: i64 = 2;
const PAGES_READ_MAX: i64 = 128;

/// The assets that meet a condition, from the lowest id up.
pub(crate) struct Matches<'i> {
    index: &'i mut WordIndex,
    node: Node,
    words: Arc<[String]>,
    looked_up: Words,
    /// Where it is looked, by the lowest asset.
    segments: Vec<Segment>,
    /// Segments that may have an asset below the last one that was found, opened in the order of their lowest asset.
    open: Vec<Open>,
    opened: usize,
    /// Pages of segments that are not opened yet: the words of all but the first one are looked up at once.
    ahead: HashMap<i64, Pages>,
}

/// A segment that is being searched.
struct Open {
    segment: i64,
    newest: i64,
    search: Search,
    /// The asset that is next in it.
    head: Option<i64>,
}

impl<'i> Matches<'i> {
    /// In some segments, which are all that have what the condition needs.
    pub(super) fn new(index: &'i mut WordIndex, segments: Vec<Segment>, condition: &Condition, among: Option<Vec<i64>>) -> Self {
        let mut words = Vec::new();
        let mut node = Node::of(condition, &mut words);
        if let Some(ids) = among {
            node = Node::All(vec![Node::Among(Arc::from(ids)), node]);
        }
        let looked_up = Words::of(&words);
        Self { index, node, words: Arc::from(words), looked_up, segments, open: Vec::new(), opened: 0, ahead: HashMap::new() }
    }

    /// The next `max` assets; fewer only where there are no more.
    pub(crate) async fn take(&mut self, max: usize) -> Result<Vec<i64>> {
        let mut taken = Vec::new();
        while taken.len() < max {
            let mut found = Vec::new();
            while taken.len() + found.len() < max
                && let Some(one) = self.next().await?
            {
                found.push(one);
            }
            if found.is_empty() {
                break;
            }
            taken.extend(self.without_outdated(found).await?);
        }
        Ok(taken)
    }

    /// The connection that the index is read through, for questions that belong to it.
    pub(crate) fn connection(&mut self) -> Connection<'_> {
        self.index.snapshot.connection()
    }

    /// The next asset that meets the condition in a segment, and the last write of the segment.
    async fn next(&mut self) -> Result<Option<(i64, i64)>> {
        loop {
            let first = self.open.iter_mut().filter(|open| open.head.is_some()).min_by_key(|open| open.head);
            let head = first.as_ref().and_then(|open| open.head);
            let next = self.segments.get(self.opened);
            if next.is_some_and(|segment| head.is_none_or(|head| segment.first_asset <= head)) {
                self.open_next().await?;
                continue;
            }
            let (Some(open), Some(id)) = (first, head) else { return Ok(None) };
            let newest = open.newest;
            let connection = &mut self.index.snapshot.connection();
            open.advance(&self.node, &self.words, connection, self.index.subject.code()).await?;
            return Ok(Some((id, newest)));
        }
    }

    async fn open_next(&mut self) -> Result<()> {
        // Common words are found in the first segment; rare ones have to be looked for in all.
        let upcoming = match self.opened {
            0 => &self.segments[..1],
            1 => &self.segments[1..],
            _ => &[],
        };
        let connection = &mut self.index.snapshot.connection();
        if !upcoming.is_empty() && !self.looked_up.is_empty() {
            let ids = upcoming.iter().map(|segment| segment.id);
            self.ahead.extend(lookup::pages(connection, self.index.subject, ids, &self.looked_up).await?);
        }
        let Segment { id, newest, .. } = self.segments[self.opened];
        self.opened += 1;
        let mut open = Open { segment: id, newest, search: Search::new(self.words.len()), head: None };
        for beginning in self.ahead.remove(&id).unwrap_or_default().beginnings(&self.looked_up)? {
            open.search.cursors[beginning.number].begin(beginning.packed, beginning.may_go_on);
        }
        open.advance(&self.node, &self.words, connection, self.index.subject.code()).await?;
        if open.head.is_some() {
            self.open.push(open);
        }
        Ok(())
    }

    /// Leaves out what later writes have changed.
    async fn without_outdated(&mut self, found: Vec<(i64, i64)>) -> Result<Vec<i64>> {
        let mut since: HashMap<i64, i64> = HashMap::new();
        if self.index.has_tombstones {
            let text = "SELECT asset, since FROM word_tombstone
                WHERE subject = $1 AND asset IN (SELECT value FROM json_each($2))";
            let ids = number_list(found.iter().map(|(id, _)| *id));
            let query = query(text).bind(self.index.subject.code()).bind(ids);
            for row in query.fetch_all(&mut self.index.snapshot.connection()).await? {
                since.insert(row.try_get(0)?, row.try_get(1)?);
            }
        }
        let is_current = |(id, newest): &(i64, i64)| since.get(id).is_none_or(|since| since <= newest);
        Ok(found.into_iter().filter(is_current).map(|(id, _)| id).collect())
    }
}

impl Open {
    /// Goes to the next asset, and reads for that what is missing.
    async fn advance(&mut self, node: &Node, words: &[String], on: &mut Connection<'_>, subject: i64) -> Result<()> {
        loop {
            match self.search.next(node) {
                Ok(head) => {
                    self.head = head;
                    return Ok(());
                }
                Err(Stop::Damaged) => return Err(Damaged.into()),
                Err(Stop::Missing { word, from }) => {
                    let cursor = &mut self.search.cursors[word];
                    read_on(cursor, &words[word], from, self.segment, on, subject).await?;
                }
            }
        }
    }
}

/// Reads more of the list of a word, from where it has an id on.
async fn read_on(
    cursor: &mut Cursor,
    word: &str,
    from: i64,
    segment: i64,
    connection: &mut Connection<'_>,
    subject: i64,
) -> Result<()> {
    // Two at least: the first one may be one that was read before, whose ids all come before the one that is looked for.
    let count = (cursor.pages_read * 4).clamp(PAGES_READ_FIRST, PAGES_READ_MAX);
    let text = "SELECT entries FROM word_page WHERE subject = $1 AND segment = $2 AND key > $3 AND key < $4
        AND key >= coalesce((SELECT key FROM word_page WHERE subject = $1 AND segment = $2 AND key > $3 AND key <= $5
            ORDER BY key DESC LIMIT 1), $3) ORDER BY key LIMIT $6";
    let rows = query(text)
        .bind(subject)
        .bind(segment)
        .bind(word.to_owned())
        .bind(key_after(word))
        .bind(key_within(word, from))
        .bind(count)
        .fetch_all(connection)
        .await?;
    let pages: Vec<Vec<u8>> = rows.iter().map(|row| row.try_get(0)).collect::<Result<_, sqlx::Error>>()?;
    let has_more = i64::try_from(pages.len()).is_ok_and(|read| read == count);
    cursor.pages_read = count;
    Ok(cursor.extend(pages, has_more)?)
}

impl From<Damaged> for StoreError {
    fn from(damaged: Damaged) -> Self {
        Self::corrupt(damaged)
    }
}
