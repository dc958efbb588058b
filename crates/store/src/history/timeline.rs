//! The history of one asset, put together from what its changes kept.

use model::{Kind, QualifiedName, RunId};

use crate::content::RawContent;
use crate::db::{Row, query};
use crate::history::ChangeKind;
use crate::history::differences::{self, Difference};
use crate::query::{StoredAsset, Subject};
use crate::{Result, Store, StoreError};

/// Something that happened to an asset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryEvent {
    /// In which run.
    pub run: RunId,
    /// When that run started, milliseconds since 1970 UTC.
    pub at_ms: i64,
    /// What happened.
    pub change: ChangeKind,
    /// What became different.
    pub differences: Vec<Difference>,
}

/// A stored change.
pub(crate) struct Entry {
    pub(crate) run: RunId,
    pub(crate) at_ms: i64,
    pub(crate) change: ChangeKind,
    /// What the asset was before, where its content changed.
    pub(crate) before: Option<RawContent>,
}

/// Changes of one asset that are read; older ones are left out.
const EVENTS_MAX: i64 = 1000;

impl Store {
    /// What happened to an asset, latest first. For a column: what happened to its table and concerns the column.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is no such asset.
    pub async fn history(&self, name: &QualifiedName) -> Result<Vec<HistoryEvent>> {
        let Some(subject) = self.asset(name).await? else {
            return Err(StoreError::NotFound {
                message: format!("there is no asset `{name}` in this catalog: search for it by name"),
            });
        };
        let stored = subject.stored();
        let Some(known) = stored.known else { return Ok(Vec::new()) };
        let entries = self.changes_of(known.id).await?;
        let mut events = timeline(stored, known.kind, &entries)?;
        if let Subject::Column { .. } = subject {
            let path = subject.column().map(|column| column.path.to_owned()).unwrap_or_default();
            keep_column(&mut events, &path);
        }
        Ok(events)
    }

    /// Latest first.
    async fn changes_of(&self, asset: i64) -> Result<Vec<Entry>> {
        let text = "SELECT h.run, coalesce(r.started_ms, 0), h.change, h.name, h.attributes, h.columns
            FROM history h LEFT JOIN run r ON r.id = h.run WHERE h.asset = $1 ORDER BY h.run DESC LIMIT $2";
        let rows = query(text).bind(asset).bind(EVENTS_MAX).fetch_all(self.readers()).await?;
        rows.iter().map(|row| read_entry(row, 0)).collect()
    }
}

/// Reads run, time, change, name, attributes and columns from a column on.
pub(crate) fn read_entry(row: &Row, from: usize) -> Result<Entry> {
    let code: i64 = row.try_get(from + 2)?;
    let change =
        ChangeKind::from_code(code).ok_or_else(|| StoreError::corrupt(format!("there is no change with the number {code}")))?;
    let attributes: Option<String> = row.try_get(from + 4)?;
    let (name, columns) = (row.try_get(from + 3)?, row.try_get(from + 5)?);
    let before = attributes.map(|attributes| RawContent { name, attributes, columns });
    Ok(Entry { run: RunId(row.try_get(from)?), at_ms: row.try_get(from + 1)?, change, before })
}

fn timeline(stored: &StoredAsset, kind: Kind, entries: &[Entry]) -> Result<Vec<HistoryEvent>> {
    let mut events = Vec::with_capacity(entries.len() + 1);
    let mut after = stored.asset.clone();
    for entry in entries {
        let mut found = Vec::new();
        if let Some(before) = &entry.before {
            let before = before.asset(kind, stored.asset.qualified_name.clone())?;
            found = differences::compare(&before, &after);
            after = before;
        }
        events.push(HistoryEvent { run: entry.run, at_ms: entry.at_ms, change: entry.change, differences: found });
    }
    let created =
        HistoryEvent { run: stored.first_run, at_ms: stored.first_seen_ms, change: ChangeKind::Created, differences: Vec::new() };
    events.push(created);
    Ok(events)
}

fn keep_column(events: &mut Vec<HistoryEvent>, column: &str) {
    for event in events.iter_mut() {
        event.differences.retain(|difference| match difference {
            Difference::Attribute { .. } => false,
            Difference::ColumnAdded { path, .. }
            | Difference::ColumnRemoved { path, .. }
            | Difference::ColumnChanged { path, .. } => path == column,
        });
    }
    events.retain(|event| event.change != ChangeKind::Updated || !event.differences.is_empty());
}
