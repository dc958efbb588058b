//! The index as it is at one moment, whatever is written and merged meanwhile.

use super::condition::Condition;
use super::lookup::{self, Words};
use super::matches::Matches;
use super::segment::{Segment, Subject, segments};
use crate::db::{Snapshot, query_scalar};
use crate::{Result, Store};

/// The index at one moment. One connection is kept for it.
pub(crate) struct WordIndex {
    pub(super) snapshot: Snapshot,
    pub(super) subject: Subject,
    /// By their lowest asset.
    pub(super) segments: Vec<Segment>,
    pub(super) has_tombstones: bool,
}

impl WordIndex {
    /// Looks at the index as it is now.
    pub(crate) async fn open(store: &Store, subject: Subject) -> Result<Self> {
        let mut snapshot = store.readers().snapshot().await?;
        let mut segments = segments(&mut snapshot.connection(), subject).await?;
        segments.sort_by_key(|segment| (segment.first_asset, segment.id));
        let text = "SELECT asset FROM word_tombstone WHERE subject = $1 LIMIT 1";
        let tombstone = query_scalar::<i64>(text).bind(subject.code()).fetch_optional(&mut snapshot.connection()).await?;
        Ok(Self { snapshot, subject, segments, has_tombstones: tombstone.is_some() })
    }

    /// The assets that meet a condition, from the lowest id up.
    pub(crate) fn matches(&mut self, condition: &Condition) -> Matches<'_> {
        let segments = self.segments.clone();
        Matches::new(self, segments, condition, None)
    }

    /// As [`WordIndex::matches`], only those among some assets in ascending order.
    pub(crate) fn matches_among(&mut self, condition: &Condition, ids: Vec<i64>) -> Matches<'_> {
        let segments = self.segments.clone();
        Matches::new(self, segments, condition, Some(ids))
    }

    /// As [`WordIndex::matches`], for a condition that needs a word which only these segments have.
    pub(crate) fn matches_within(&mut self, segments: Vec<Segment>, condition: &Condition) -> Matches<'_> {
        Matches::new(self, segments, condition, None)
    }

    /// For each word the segments that have it.
    pub(crate) async fn having(&mut self, words: &[String]) -> Result<Vec<Vec<Segment>>> {
        let looked_up = Words::of(words);
        let mut having = vec![Vec::new(); words.len()];
        let ids = self.segments.iter().map(|segment| segment.id);
        let mut pages = lookup::pages(&mut self.snapshot.connection(), self.subject, ids, &looked_up).await?;
        for segment in &self.segments {
            for beginning in pages.remove(&segment.id).unwrap_or_default().beginnings(&looked_up)? {
                having[beginning.number].push(segment.clone());
            }
        }
        Ok(having)
    }

    /// From now on looks only where one of these words is.
    pub(crate) async fn narrow(&mut self, words: &[String]) -> Result<()> {
        let mut segments: Vec<Segment> = self.having(words).await?.into_iter().flatten().collect();
        segments.sort_by_key(|segment| (segment.first_asset, segment.id));
        segments.dedup();
        self.segments = segments;
        Ok(())
    }
}
