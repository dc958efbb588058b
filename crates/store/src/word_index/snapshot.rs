//! The index as it is at one moment, whatever is written and merged meanwhile.

use super::condition::Condition;
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
        Matches::new(self, condition, None)
    }

    /// As [`WordIndex::matches`], only those among some assets in ascending order.
    pub(crate) fn matches_among(&mut self, condition: &Condition, ids: Vec<i64>) -> Matches<'_> {
        Matches::new(self, condition, Some(ids))
    }

    /// How many assets meet a condition, counted up to `max`.
    pub(crate) async fn count(&mut self, condition: &Condition, max: usize) -> Result<usize> {
        Ok(self.matches(condition).take(max).await?.len())
    }
}
