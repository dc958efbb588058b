//! A running crawl's hold on the catalog: takes batches, answers what is known, and keeps other crawls of its connection out.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex as StdMutex};

use model::{AssetBatch, ChangeCounts, Kind, KnownAsset, QualifiedName, RunId, S3Location, SourceHash};
use tokio::sync::Mutex;

use crate::connections::ConnectionId;
use crate::content;
use crate::control::Fence;
use crate::db::{self, Hold, Row, query};
use crate::dialect::{number_list, text_list};
use crate::ingest::context::{Context, Progress, lock};
use crate::ingest::prepare::{PreparedBatch, PreparedItem, prepare, split_name};
use crate::ingest::tally::{Lines, LocationRole};
use crate::ingest::write::write_group;
use crate::{Result, Store, StoreError};

/// Rows that are collected for one transaction. Measured: 100 cost half as much processor time again; 4,000 bring nothing more.
const GROUP_ROWS: usize = 1000;
/// Bytes that are collected for one transaction, where rows are large.
const GROUP_BYTES: usize = 8 * 1024 * 1024;

/// One run of one connection. It may be used from several tasks at once. Dropped without [`RunWriter::finish`] or
/// [`RunWriter::fail`], it leaves a run that the next one marks as interrupted, or whose lease somebody else takes over.
pub struct RunWriter {
    pub(crate) store: Store,
    pub(crate) run: RunId,
    pub(crate) connection: ConnectionId,
    pub(crate) is_empty: bool,
    pub(crate) buffer: Mutex<Buffer>,
    pub(crate) state: Mutex<State>,
    pub(crate) progress: Arc<StdMutex<Progress>>,
    /// Held for as long as the run lives; the system lets go of it however the program ends.
    pub(crate) hold: Hold,
    /// Shown with every write, where the run is worked on under a lease.
    pub(crate) fence: Option<Fence>,
}

impl std::fmt::Debug for RunWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RunWriter").field("run", &self.run).field("connection", &self.connection).finish_non_exhaustive()
    }
}

/// Batches that wait for their transaction.
#[derive(Default)]
pub(crate) struct Buffer {
    batches: Vec<PreparedBatch>,
    rows: usize,
    bytes: usize,
}

impl Buffer {
    fn push(&mut self, batch: PreparedBatch) {
        self.rows += batch.items.iter().map(PreparedItem::rows).sum::<usize>();
        self.bytes += batch.items.iter().map(PreparedItem::bytes).sum::<usize>();
        self.batches.push(batch);
    }

    fn is_full(&self) -> bool {
        self.rows >= GROUP_ROWS || self.bytes >= GROUP_BYTES
    }
}

/// What the writing of a run needs, one group at a time.
pub(crate) struct State {
    pub(crate) context: Context,
    /// A transaction failed or was abandoned: what is counted and what is stored may differ.
    pub(crate) broken: bool,
    /// Somebody else has the run.
    pub(crate) fenced: bool,
    pub(crate) ended: bool,
    pub(crate) rows_written: u64,
}

impl RunWriter {
    /// The number of the run.
    #[must_use]
    pub fn run(&self) -> RunId {
        self.run
    }

    /// Whether the connection had no assets when the run began: there is nothing to compare with.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.is_empty
    }

    /// Takes a batch. It is written with others in one transaction, at the latest by [`RunWriter::flush`] or
    /// [`RunWriter::finish`]; waiting here is the backpressure. Applying a batch twice changes nothing.
    ///
    /// # Errors
    /// When this or an earlier batch could not be written: the run takes no more then.
    pub async fn apply(&self, batch: AssetBatch) -> Result<()> {
        self.apply_unchanged(&batch.unchanged).await?;
        if batch.items.is_empty() {
            return Ok(());
        }
        let prepared = prepare(&batch);
        drop(batch);
        let group = {
            let mut buffer = self.buffer.lock().await;
            buffer.push(prepared);
            if !buffer.is_full() {
                return Ok(());
            }
            std::mem::take(&mut *buffer)
        };
        self.write(&group.batches).await
    }

    /// Writes what was taken so far: after this, a kill of the program does not lose it and readers see it.
    ///
    /// # Errors
    /// When it could not be written.
    pub async fn flush(&self) -> Result<()> {
        let group = std::mem::take(&mut *self.buffer.lock().await);
        self.write(&group.batches).await
    }

    async fn write(&self, group: &[PreparedBatch]) -> Result<()> {
        let mut state = self.state.lock().await;
        if state.ended && group.is_empty() {
            return Ok(());
        }
        self.refuse_what_is_over(&state)?;
        if group.is_empty() {
            return Ok(());
        }
        // Set back at the end: a failure, or a caller that gives up in the middle, leaves it.
        state.broken = true;
        let mut writer = self.store.writer_of(&self.hold).await?;
        let before = writer.rows_written().await?;
        let mut transaction = writer.begin_alone().await?;
        let on = &mut transaction.connection();
        self.show_fence(on, &mut state).await?;
        write_group(on, &mut state.context, group).await?;
        self.keep_created(on, &mut state.context).await?;
        transaction.commit().await?;
        state.rows_written += writer.rows_written().await? - before;
        state.publish();
        state.broken = false;
        Ok(())
    }

    /// Refuses what can no longer be written.
    pub(crate) fn refuse_what_is_over(&self, state: &State) -> Result<()> {
        match state {
            State { fenced: true, .. } => Err(StoreError::Fenced { run: self.run }),
            State { ended: true, .. } => Err(StoreError::RunEnded { run: self.run }),
            State { broken: true, .. } => Err(StoreError::RunBroken { run: self.run }),
            State { .. } => Ok(()),
        }
    }

    /// Refuses a write of a run that somebody else has taken over, within the transaction of the write.
    pub(crate) async fn show_fence(&self, connection: &mut db::Connection<'_>, state: &mut State) -> Result<()> {
        let Some(fence) = &self.fence else { return Ok(()) };
        let shown = fence.check(connection).await;
        state.fenced = matches!(shown, Err(StoreError::Fenced { .. }));
        shown
    }

    /// Says with the run which assets it has created so far: a later attempt, and who compares runs, asks for them.
    async fn keep_created(&self, connection: &mut db::Connection<'_>, context: &mut Context) -> Result<()> {
        if context.created == context.created_kept {
            return Ok(());
        }
        let text = "UPDATE run SET first_created = $1, last_created = $2 WHERE id = $3";
        query(text)
            .bind(context.created.map(|(first, _)| first))
            .bind(context.created.map(|(_, last)| last))
            .bind(self.run.0)
            .execute(connection)
            .await?;
        context.created_kept = context.created;
        Ok(())
    }

    async fn apply_unchanged(&self, unchanged: &[KnownAsset]) -> Result<()> {
        let mut unknown = Vec::new();
        {
            let mut progress = lock(&self.progress);
            for KnownAsset { id, .. } in unchanged {
                if !progress.seen.mark(*id) {
                    continue;
                }
                match progress.take_expected(*id) {
                    Some(lines) => progress.find_unchanged(*id, &lines),
                    None => unknown.push(*id),
                }
            }
        }
        if unknown.is_empty() {
            return Ok(());
        }
        let text = "SELECT c.id, a.kind, a.columns, a.processes, a.column_processes, a.location FROM content c
            JOIN asset a ON a.place = c.place AND a.part = c.part AND a.kind = c.kind
            WHERE c.id IN (SELECT value FROM json_each($1)) AND a.archived_run = 0";
        let rows = query(text).bind(number_list(unknown)).fetch_all(self.store.readers()).await?;
        for row in rows {
            let lines = read_lines(&row, 1)?;
            lock(&self.progress).find_unchanged(row.try_get(0)?, &lines);
        }
        Ok(())
    }

    /// For each name the stored active table or view, if it was made from bytes of the same hash.
    ///
    /// # Errors
    /// When the catalog cannot be read.
    pub async fn unchanged(&self, slices: Vec<(QualifiedName, SourceHash)>) -> Result<Vec<Option<KnownAsset>>> {
        let found = self.store.same_slices(self.connection, &slices).await?;
        let expect = |(known, lines): (KnownAsset, Lines)| {
            lock(&self.progress).expect(known.id, lines);
            known
        };
        Ok(found.into_iter().map(|found| found.map(expect)).collect())
    }

    /// The tables of the connection whose data is at one of these locations, those taken in this run included.
    ///
    /// # Errors
    /// When what was taken cannot be written, or the catalog cannot be read.
    pub async fn tables_at(&self, locations: &[S3Location]) -> Result<Vec<(S3Location, QualifiedName)>> {
        self.flush().await?;
        let text = "SELECT l.location, p.path, c.part FROM location l
            JOIN content c ON c.id = l.asset JOIN place p ON p.id = c.place
            WHERE l.location IN (SELECT value FROM json_each($1)) AND l.connection = $2 ORDER BY l.location, p.path, c.part";
        let query = query(text).bind(text_list(locations.iter().map(S3Location::as_str))).bind(self.connection.0);
        let rows = query.fetch_all(self.store.readers()).await?;
        let read = |row: &Row| -> Result<(S3Location, QualifiedName)> {
            let (path, part): (&str, &str) = (row.try_get(1)?, row.try_get(2)?);
            let location = S3Location::from_canonical(row.try_get::<String, _>(0)?);
            Ok((location, QualifiedName::from_encoded(format!("{path}{part}"))))
        };
        rows.iter().map(read).collect()
    }

    /// Lines of the document form found so far, by kind; of what was flushed.
    #[must_use]
    pub fn counts(&self) -> BTreeMap<Kind, u64> {
        lock(&self.progress).tally.counts()
    }

    /// What changed so far; of what was flushed.
    #[must_use]
    pub fn changes(&self) -> ChangeCounts {
        lock(&self.progress).tally.changes(0)
    }
}

impl State {
    /// Makes what a transaction counted part of the run's counts.
    pub(crate) fn publish(&mut self) {
        let tally = std::mem::take(&mut self.context.tally);
        self.context.progress().tally.add(&tally);
    }
}

impl Store {
    /// As [`RunWriter::unchanged`], for who asks on behalf of a run that is written elsewhere.
    ///
    /// # Errors
    /// When the catalog cannot be read.
    pub async fn unchanged(
        &self,
        connection: ConnectionId,
        slices: &[(QualifiedName, SourceHash)],
    ) -> Result<Vec<Option<KnownAsset>>> {
        let found = self.same_slices(connection, slices).await?;
        Ok(found.into_iter().map(|found| found.map(|(known, _lines)| known)).collect())
    }

    /// For each name the stored active table or view and its lines, if it was made from bytes of the same hash.
    async fn same_slices(
        &self,
        connection: ConnectionId,
        slices: &[(QualifiedName, SourceHash)],
    ) -> Result<Vec<Option<(KnownAsset, Lines)>>> {
        let mut by_place: BTreeMap<&str, BTreeMap<&str, (usize, i64)>> = BTreeMap::new();
        for (index, (name, hash)) in slices.iter().enumerate() {
            let (place, part) = split_name(name.as_str());
            by_place.entry(place).or_default().insert(part, (index, hash.0.cast_signed()));
        }
        let mut answers: Vec<Option<(KnownAsset, Lines)>> = slices.iter().map(|_| None).collect();
        for (place, parts) in by_place {
            let text = "SELECT a.part, a.id, a.source_hash, a.kind, a.columns, a.processes, a.column_processes, a.location
                FROM place p JOIN asset a ON a.place = p.id
                WHERE p.path = $1 AND p.connection = $2 AND a.part IN (SELECT value FROM json_each($3))
                    AND a.kind IN (4, 5) AND a.archived_run = 0 AND a.source_hash IS NOT NULL";
            let query = query(text).bind(place.to_owned()).bind(connection.0).bind(text_list(parts.keys().copied()));
            for row in query.fetch_all(self.readers()).await? {
                let (Some((index, hash)), id) = (parts.get(row.try_get::<&str, _>(0)?), row.try_get::<i64, _>(1)?) else {
                    continue;
                };
                if row.try_get::<i64, _>(2)? == *hash {
                    let lines = read_lines(&row, 3)?;
                    answers[*index] = Some((KnownAsset { id, kind: lines.kind }, lines));
                }
            }
        }
        Ok(answers)
    }
}

/// Reads kind, columns, processes, column processes and location from a column on.
fn read_lines(row: &Row, from: usize) -> Result<Lines> {
    Ok(Lines {
        kind: content::kind(row.try_get(from)?)?,
        columns: row.try_get::<i64, _>(from + 1)?.cast_unsigned(),
        processes: row.try_get::<i64, _>(from + 2)?.cast_unsigned(),
        column_processes: row.try_get::<i64, _>(from + 3)?.cast_unsigned(),
        location: LocationRole::from_code(row.try_get(from + 4)?),
    })
}
