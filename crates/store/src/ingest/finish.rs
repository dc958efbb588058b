//! The end of a run: what is proven to be gone is archived, unless it is suspiciously much.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use model::document::report::{Changes, Report};
use model::{ChangeCounts, Kind, KnownAsset, Outcome, RunId, ScopeReport};

use crate::db::{Connection, Row, Writer, query, query_scalar};
use crate::dialect::number_list;
use crate::ingest::archive;
use crate::ingest::context::lock;
use crate::ingest::missing::lies_below;
use crate::ingest::run::{RunWriter, State};
use crate::word_index::{self, Subject};
use crate::{Result, Store, StoreError, content};

/// How a run ended, as the crawl sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunEnd {
    /// Whether everything was read.
    pub outcome: Outcome,
    /// How far each scope was read.
    pub scopes: Vec<ScopeReport>,
    /// Assets whose absence is proven. One that the run has seen stays. What lies below the others goes with them, seen or not:
    /// it was read before its container went. A container below that was seen stays, with what lies below it.
    pub gone: Vec<KnownAsset>,
    /// How much may be archived.
    pub removal: RemovalPolicy,
    /// The time, milliseconds since 1970 UTC.
    pub now_ms: i64,
}

/// How much a run may archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RemovalPolicy {
    /// Nothing at all when it would be more than this share of the connection's active assets, or when the run has seen nothing.
    Guarded {
        /// In percent of the stored assets, columns not counted.
        max_share_percent: u8,
    },
    /// Whatever is gone: a person has confirmed it.
    Confirmed,
}

impl Default for RemovalPolicy {
    fn default() -> Self {
        Self::Guarded { max_share_percent: 20 }
    }
}

/// What a run has done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FinishedRun {
    /// The run.
    pub run: RunId,
    /// The outcome: partial where the guard kept assets that would have been archived.
    pub outcome: Outcome,
    /// Lines of the document form found, by kind.
    pub counts: BTreeMap<Kind, u64>,
    /// What changed, in the same lines.
    pub changes: ChangeCounts,
    /// Rows written into the database, those inside its search index included.
    pub rows_written: u64,
}

/// A run that wrote more rows has the database look at them before questions are asked.
const ROWS_WITHOUT_STATISTICS: u64 = 10_000;

/// Names of incomplete scopes that are kept with a run.
const SCOPES_KEPT_MAX: usize = 1000;

impl RunWriter {
    /// Ends the run: writes what was taken, archives what is gone, and stores counts and outcome.
    ///
    /// # Errors
    /// When something could not be written; the run is not ended then and can only [`RunWriter::fail`].
    pub async fn finish(&self, end: RunEnd) -> Result<FinishedRun> {
        self.finish_with_report(end, |_| None).await
    }

    /// As [`RunWriter::finish`], and keeps the report that `report` makes of it, all at once: whoever sees that the run has ended sees
    /// its report.
    ///
    /// # Errors
    /// As [`RunWriter::finish`].
    pub async fn finish_with_report(
        &self,
        end: RunEnd,
        report: impl FnOnce(&FinishedRun) -> Option<Report>,
    ) -> Result<FinishedRun> {
        self.flush().await?;
        let mut state = self.state.lock().await;
        self.refuse_what_is_over(&state)?;
        state.broken = true;
        let mut writer = self.store.writer_of(&self.hold).await?;
        let before = writer.rows_written().await?;
        let mut transaction = writer.begin_alone().await?;
        let on = &mut transaction.connection();
        on.make_durable().await?;
        self.show_fence(on, &mut state).await?;
        let protected = self.remove(on, &mut state, &end).await?;
        state.publish();
        let outcome = if protected > 0 && end.outcome == Outcome::Complete { Outcome::Partial } else { end.outcome };
        let changes = lock(&self.progress).tally.changes(protected);
        self.end(on, &state, &end, outcome, changes).await?;
        let counts = lock(&self.progress).tally.counts();
        let mut finished = FinishedRun { run: self.run, outcome, counts, changes, rows_written: 0 };
        if let Some(report) = report(&finished) {
            keep_report(on, self.run, &report).await?;
        }
        transaction.commit().await?;
        state.rows_written += writer.rows_written().await? - before;
        state.broken = false;
        state.ended = true;
        finished.rows_written = state.rows_written;
        if state.rows_written > ROWS_WITHOUT_STATISTICS
            && let Err(error) = tidy(&mut writer).await
        {
            tracing::warn!(%error, "the catalog was not tidied after a large crawl: questions may be slower until the next one");
        }
        Ok(finished)
    }

    /// Ends the run as failed. What it stored before stays, and nothing is archived. Under a lease this ends its job as well: a run
    /// that shall be tried again is not ended but dropped, and handed back by [`Store::retry`].
    ///
    /// # Errors
    /// When the run has ended already, or its end could not be written: the next run marks this one as interrupted then.
    pub async fn fail(&self, now_ms: i64) -> Result<FinishedRun> {
        self.stop_with_report(Outcome::Failed, now_ms, |_| None).await
    }

    /// Ends the run as cancelled, as [`RunWriter::fail`] does.
    ///
    /// # Errors
    /// As [`RunWriter::fail`].
    pub async fn cancel(&self, now_ms: i64) -> Result<FinishedRun> {
        self.stop_with_report(Outcome::Cancelled, now_ms, |_| None).await
    }

    /// Ends the run as [`RunWriter::fail`] does, with another outcome, and keeps its report, all at once.
    ///
    /// # Errors
    /// As [`RunWriter::fail`].
    pub async fn stop_with_report(
        &self,
        outcome: Outcome,
        now_ms: i64,
        report: impl FnOnce(&FinishedRun) -> Option<Report>,
    ) -> Result<FinishedRun> {
        // What cannot be written any more is lost with the run that failed.
        let flushed = self.flush().await;
        if let Err(error) = &flushed {
            tracing::debug!(%error, run = %self.run, "the last batches of a failed run are not stored");
        }
        let mut state = self.state.lock().await;
        if state.ended {
            return Err(StoreError::RunEnded { run: self.run });
        }
        let mut writer = self.store.writer_of(&self.hold).await?;
        let mut transaction = writer.begin().await?;
        let on = &mut transaction.connection();
        self.show_fence(on, &mut state).await?;
        let (counts, changes) = {
            let progress = lock(&self.progress);
            (progress.tally.counts(), progress.tally.changes(0))
        };
        let end = RunEnd { outcome, scopes: Vec::new(), gone: Vec::new(), removal: RemovalPolicy::default(), now_ms };
        self.end(on, &state, &end, outcome, changes).await?;
        let finished = FinishedRun { run: self.run, outcome, counts, changes, rows_written: state.rows_written };
        if let Some(report) = report(&finished) {
            keep_report(on, self.run, &report).await?;
        }
        transaction.commit().await?;
        state.ended = true;
        Ok(finished)
    }

    /// Archives what is gone; how many lines the guard kept instead.
    async fn remove(&self, connection: &mut Connection<'_>, state: &mut State, end: &RunEnd) -> Result<u64> {
        let (gone, kept) = self.expand(connection, &end.gone).await?;
        if gone.is_empty() {
            return Ok(0);
        }
        if let RemovalPolicy::Guarded { max_share_percent } = end.removal {
            let text = "SELECT count(*) FROM place p JOIN asset a ON a.place = p.id WHERE p.connection = $1 AND a.archived_run = 0";
            let active: i64 = query_scalar(text).bind(self.connection.0).fetch_one(&mut *connection).await?;
            let share_exceeded = gone.len() as u128 * 100 > u128::from(max_share_percent) * u128::from(active.cast_unsigned());
            if share_exceeded || lock(&self.progress).seen.is_empty() {
                return Ok(kept);
            }
        }
        let gone: Vec<i64> = gone.into_iter().collect();
        let archived = archive::archive(connection, &mut state.context, &gone).await?;
        state.context.tally.archived += archived.cast_signed();
        Ok(0)
    }

    /// The ids of what goes: the proven ones, what lies below them and what was derived from either; and how many lines that is.
    async fn expand(&self, connection: &mut Connection<'_>, gone: &[KnownAsset]) -> Result<(BTreeSet<i64>, u64)> {
        let mut found = Expansion::default();
        for chunk in gone.chunks(EXPANDED_ROWS) {
            let ids = number_list(chunk.iter().map(|known| known.id));
            let text = "SELECT a.id, a.columns, a.location, a.archived_run, p.path, a.part FROM content c
                JOIN asset a ON a.place = c.place AND a.part = c.part AND a.kind = c.kind JOIN place p ON p.id = a.place
                WHERE c.id IN (SELECT value FROM json_each($1)) AND p.connection = $2";
            let rows = query(text).bind(ids).bind(self.connection.0).fetch_all(&mut *connection).await?;
            for row in rows {
                // One that an earlier run archived is named again for what came to lie below it since.
                let is_active = row.try_get::<i64, _>(3)? == 0;
                if self.has_seen(row.try_get(0)?) || (is_active && !found.take(&row)?) {
                    continue;
                }
                let (path, part): (&str, &str) = (row.try_get(4)?, row.try_get(5)?);
                self.take_below(connection, &format!("{path}{part}"), &mut found).await?;
            }
        }
        let owners: Vec<i64> = found.ids.iter().copied().collect();
        for chunk in owners.chunks(EXPANDED_ROWS) {
            let text = "SELECT id, columns, location FROM asset
                WHERE owner > 0 AND owner IN (SELECT value FROM json_each($1)) AND archived_run = 0";
            let query = query(text).bind(number_list(chunk.iter().copied()));
            for row in query.fetch_all(&mut *connection).await? {
                found.take(&row)?;
            }
        }
        Ok((found.ids, found.lines))
    }

    /// Containers come before what they contain, so those that stay are known when their content is looked at.
    async fn take_below(&self, connection: &mut Connection<'_>, name: &str, found: &mut Expansion) -> Result<()> {
        let mut staying: HashSet<String> = HashSet::new();
        // Every path below a name begins with the name and a slash; `0` is the character after the slash.
        let text = "SELECT id, path FROM place WHERE path >= $1 AND path < $2 AND connection = $3 ORDER BY path";
        let below = query(text).bind(format!("{name}/")).bind(format!("{name}0")).bind(self.connection.0);
        for place in below.fetch_all(&mut *connection).await? {
            let (id, path): (i64, &str) = (place.try_get(0)?, place.try_get(1)?);
            if lies_below(path, &staying) {
                continue;
            }
            let text = "SELECT id, columns, location, kind, part FROM asset WHERE place = $1 AND archived_run = 0";
            for row in query(text).bind(id).fetch_all(&mut *connection).await? {
                if is_container(content::kind(row.try_get(3)?)?) && self.has_seen(row.try_get(0)?) {
                    staying.insert(format!("{path}{}", row.try_get::<&str, _>(4)?));
                } else {
                    found.take(&row)?;
                }
            }
        }
        Ok(())
    }

    fn has_seen(&self, id: i64) -> bool {
        lock(&self.progress).seen.contains(id)
    }

    async fn end(
        &self,
        connection: &mut Connection<'_>,
        state: &State,
        end: &RunEnd,
        outcome: Outcome,
        changes: ChangeCounts,
    ) -> Result<()> {
        let incomplete = end.scopes.iter().filter(|scope| !scope.complete).map(|scope| scope.scope.as_str());
        let scopes = serde_json::json!({
            "complete": end.scopes.iter().filter(|scope| scope.complete).count(),
            "incomplete": incomplete.take(SCOPES_KEPT_MAX).collect::<Vec<_>>(),
        });
        let changes =
            serde_json::to_string(&Changes::from(changes)).map_err(|error| StoreError::internal("write counts", error))?;
        let seen = lock(&self.progress).seen.to_bytes();
        if let Some(fence) = &self.fence {
            fence.close(connection, end.now_ms).await?;
        }
        let text = "UPDATE run SET state = 'ended', finished_ms = $1, outcome = $2, changes = $3, scopes = $4, first_created = $5,
            last_created = $6, seen = $7 WHERE id = $8";
        query(text)
            .bind(end.now_ms)
            .bind(outcome.as_str())
            .bind(changes)
            .bind(scopes.to_string())
            .bind(state.context.created.map(|(first, _)| first))
            .bind(state.context.created.map(|(_, last)| last))
            .bind(seen)
            .bind(self.run.0)
            .execute(&mut *connection)
            .await?;
        let text = "UPDATE run SET seen = NULL WHERE connection = $1 AND id < $2 AND seen IS NOT NULL";
        query(text).bind(self.connection.0).bind(self.run.0).execute(connection).await?;
        Ok(())
    }
}

/// After much was written: what is out of date in the search index goes, and the database looks at what is new.
async fn tidy(writer: &mut Writer<'_>) -> Result<()> {
    let mut transaction = writer.begin_alone().await?;
    word_index::tidy(&mut transaction.connection(), Subject::Assets).await?;
    transaction.commit().await?;
    writer.connection().tidy().await
}

/// Assets expanded by one statement.
const EXPANDED_ROWS: usize = 500;

#[derive(Default)]
struct Expansion {
    ids: BTreeSet<i64>,
    lines: u64,
}

impl Expansion {
    /// Adds the asset of a row that begins with `id, columns, location`; whether it was not in it before.
    fn take(&mut self, row: &Row) -> Result<bool> {
        if !self.ids.insert(row.try_get(0)?) {
            return Ok(false);
        }
        // The location's process, and the object for the table that stands for it: just what the stored number says.
        let (columns, location): (i64, i64) = (row.try_get(1)?, row.try_get(2)?);
        self.lines += 1 + columns.cast_unsigned() + location.cast_unsigned();
        Ok(true)
    }
}

/// Whether other assets have their qualified names below assets of this kind.
const fn is_container(kind: Kind) -> bool {
    matches!(kind, Kind::Connection | Kind::Database | Kind::Schema | Kind::SmusDomain | Kind::SmusProject | Kind::Glossary)
}

impl Store {
    /// Keeps the report of a run.
    ///
    /// # Errors
    /// When there is no such run, or it cannot be written.
    pub async fn save_report(&self, run: RunId, report: &Report) -> Result<()> {
        let mut writer = self.writer().await?;
        if keep_report(&mut writer.connection(), run, report).await? == 0 {
            return Err(StoreError::NotFound { message: format!("there is no run {run} in this catalog") });
        }
        Ok(())
    }
}

/// Keeps a report; how many runs it is of.
async fn keep_report(connection: &mut Connection<'_>, run: RunId, report: &Report) -> Result<u64> {
    let text = serde_json::to_string(report).map_err(|error| StoreError::internal("write a report", error))?;
    let query = query("UPDATE run SET report = $1 WHERE id = $2").bind(text).bind(run.0);
    Ok(query.execute(connection).await?)
}
