//! The difference between two runs of one connection: what each asset was after the first, against what it was after the second.

use std::collections::{BTreeMap, BTreeSet};

use model::{Kind, QualifiedName, RunId};

use crate::content::{self, RawContent, Stored};
use crate::db::{query, query_scalar};
use crate::dialect::number_list;
use crate::history::ChangeKind;
use crate::history::differences::{self, Difference};
use crate::history::timeline::{Entry, read_entry};
use crate::query::RunRef;
use crate::{Result, Store, StoreError};

/// What changed between two runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Diff {
    /// The assets, by qualified name.
    pub changed: Vec<Changed>,
    /// Whether there are more than were asked for.
    pub truncated: bool,
    /// Where the next page goes on, if there are more.
    pub next: Option<DiffCursor>,
}

/// How far a comparison has come: the store's number of the last asset that was looked at. Assets are looked at in that order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DiffCursor(pub i64);

/// An asset that changed between two runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changed {
    /// How.
    pub change: ChangeKind,
    /// What it is.
    pub kind: Kind,
    /// Its qualified name.
    pub qualified_name: QualifiedName,
    /// What is different, columns included; of a created, archived or restored asset only what changed besides.
    pub differences: Vec<Difference>,
}

/// Assets whose changes are read at once.
const READ_ROWS: usize = 200;

impl Store {
    /// What changed from the end of one run to the end of another of the same connection, at most `limit` assets. The order of
    /// the two does not matter: it is always told from the earlier to the later.
    ///
    /// # Errors
    /// When there is no such run, or the runs are of different connections.
    pub async fn diff(&self, one: RunId, other: RunId, limit: usize) -> Result<Diff> {
        self.diff_page(one, other, DiffCursor::default(), limit).await
    }

    /// As [`Store::diff`], of the assets after those that were looked at. Only the whole of all pages is ordered by what it is sorted by.
    ///
    /// # Errors
    /// As [`Store::diff`].
    pub async fn diff_page(&self, one: RunId, other: RunId, after: DiffCursor, limit: usize) -> Result<Diff> {
        let (from, to) = (self.run(RunRef::Id(one.min(other))).await?, self.run(RunRef::Id(one.max(other))).await?);
        if from.connection != to.connection {
            let message = format!("the runs {one} and {other} are of different connections: compare runs of one connection");
            return Err(StoreError::Conflict { message });
        }
        let asked = i64::try_from(limit).unwrap_or(i64::MAX).saturating_add(1);
        let mut ids = self.touched_between(from.connection.0, (from.id, to.id), after, asked).await?;
        let truncated = ids.len() > limit;
        while ids.len() > limit {
            ids.pop_last();
        }
        let next = ids.last().copied().filter(|_| truncated).map(DiffCursor);
        let ids: Vec<i64> = ids.into_iter().collect();
        let mut changed = Vec::new();
        for chunk in ids.chunks(READ_ROWS) {
            changed.extend(self.compare_between(chunk, from.id, to.id).await?);
        }
        changed.sort_by(|a, b| (&a.qualified_name, a.kind).cmp(&(&b.qualified_name, b.kind)));
        Ok(Diff { changed, truncated, next })
    }

    /// Assets that runs after the first up to the second changed or created.
    async fn touched_between(
        &self,
        connection: i64,
        (from, to): (RunId, RunId),
        after: DiffCursor,
        limit: i64,
    ) -> Result<BTreeSet<i64>> {
        let text = "SELECT DISTINCT h.asset FROM run r JOIN history h ON h.run = r.id
            WHERE r.connection = $1 AND r.id > $2 AND r.id <= $3 AND h.asset > $5 ORDER BY h.asset LIMIT $4";
        let query = query_scalar(text).bind(connection).bind(from.0).bind(to.0).bind(limit).bind(after.0);
        let mut ids: BTreeSet<i64> = query.fetch_all(self.readers()).await?.into_iter().collect();
        // Ids are given in the order of creation, so a run's new assets lie between its first and its last.
        let text =
            "SELECT c.id FROM run r JOIN content c ON c.id >= r.first_created AND c.id <= r.last_created AND c.first_run = r.id
            WHERE r.connection = $1 AND r.id > $2 AND r.id <= $3 AND c.id > $5 ORDER BY c.id LIMIT $4";
        let query = query_scalar(text).bind(connection).bind(from.0).bind(to.0).bind(limit).bind(after.0);
        let created: Vec<i64> = query.fetch_all(self.readers()).await?;
        ids.extend(created);
        Ok(ids)
    }

    async fn compare_between(&self, ids: &[i64], from: RunId, to: RunId) -> Result<Vec<Changed>> {
        let stored = content::read(self.readers(), ids.iter().copied()).await?;
        let text = "SELECT h.asset, h.run, CAST(0 AS BIGINT), h.change, h.name, h.attributes, h.columns FROM history h
            WHERE h.asset IN (SELECT value FROM json_each($1)) AND h.run > $2 ORDER BY h.asset, h.run";
        let rows = query(text).bind(number_list(ids.iter().copied())).bind(from.0).fetch_all(self.readers()).await?;
        let mut entries: BTreeMap<i64, Vec<Entry>> = BTreeMap::new();
        for row in &rows {
            entries.entry(row.try_get(0)?).or_default().push(read_entry(row, 1)?);
        }
        let mut changed = Vec::new();
        for (id, stored) in &stored {
            let entries = entries.get(id).map_or(&[][..], Vec::as_slice);
            changed.extend(compare(stored, entries, from, to)?);
        }
        Ok(changed)
    }
}

/// `entries` are the changes after `from`, in order.
fn compare(stored: &Stored, entries: &[Entry], from: RunId, to: RunId) -> Result<Option<Changed>> {
    let (within, later): (Vec<&Entry>, Vec<&Entry>) = entries.iter().partition(|entry| entry.run <= to);
    let existed = stored.first_run <= from;
    let was_active = existed && within.first().is_none_or(|entry| entry.change != ChangeKind::Restored);
    let is_active = within.last().is_none_or(|entry| entry.change != ChangeKind::Archived);
    let change = match (was_active, is_active) {
        (false, false) => return Ok(None),
        (true, false) => ChangeKind::Archived,
        (false, true) if existed => ChangeKind::Restored,
        (false, true) => ChangeKind::Created,
        (true, true) => ChangeKind::Updated,
    };
    let content_at = |entries: &[&Entry], after: &RawContent| -> RawContent {
        entries.iter().find_map(|entry| entry.before.clone()).unwrap_or_else(|| after.clone())
    };
    let end = content_at(&later, &stored.raw);
    let start = if existed { content_at(&within, &end) } else { end.clone() };
    let asset = |raw: &RawContent| raw.asset(stored.asset.kind, stored.asset.qualified_name.clone());
    let differences = differences::compare(&asset(&start)?, &asset(&end)?);
    if change == ChangeKind::Updated && differences.is_empty() {
        return Ok(None);
    }
    Ok(Some(Changed { change, kind: stored.asset.kind, qualified_name: stored.asset.qualified_name.clone(), differences }))
}
