//! What grows with time is cut back: old runs, their events, and jobs that are done. The histories of assets stay whole.

use crate::db::{Connection, query, query_scalar};
use crate::dialect::number_list;
use crate::{Result, Store};

impl Store {
    /// Removes runs that ended before a time, at most `limit`; how many. The last run of a connection stays, and so does its last
    /// one that was complete or partial. A run that changed assets is emptied and no longer listed: histories tell its time.
    ///
    /// # Errors
    /// When the catalog cannot be written.
    pub async fn prune_runs(&self, before_ms: i64, limit: usize) -> Result<usize> {
        let mut writer = self.writer().await?;
        let mut transaction = writer.begin().await?;
        let on = &mut transaction.connection();
        let text = "SELECT r.id FROM run r WHERE r.state = 'ended' AND r.pruned = 0 AND r.finished_ms < $1
                AND r.id < (SELECT max(l.id) FROM run l WHERE l.connection = r.connection AND l.state = 'ended')
                AND r.id <> coalesce((SELECT max(g.id) FROM run g WHERE g.connection = r.connection
                    AND g.outcome IN ('complete', 'partial')), 0)
            ORDER BY r.finished_ms, r.id LIMIT $2";
        let query = query_scalar(text).bind(before_ms).bind(i64::try_from(limit).unwrap_or(i64::MAX));
        let runs: Vec<i64> = query.fetch_all(&mut *on).await?;
        for text in [
            "DELETE FROM run_event WHERE run IN (SELECT value FROM json_each($1))",
            "DELETE FROM job WHERE run IN (SELECT value FROM json_each($1))",
            // What an interrupted run of an older program created is not known.
            "DELETE FROM run WHERE id IN (SELECT value FROM json_each($1)) AND first_created IS NULL AND outcome <> 'interrupted'
                AND NOT EXISTS (SELECT 1 FROM history h WHERE h.run = run.id)",
            "UPDATE run SET pruned = 1, settings = '{}', report = NULL, scopes = NULL, seen = NULL, preflight = NULL, failure = NULL
                WHERE id IN (SELECT value FROM json_each($1))",
        ] {
            run(on, text, &runs).await?;
        }
        transaction.commit().await?;
        Ok(runs.len())
    }

    /// Removes the events of runs that ended before a time, of at most `limit` runs; of how many.
    ///
    /// # Errors
    /// When the catalog cannot be written.
    pub async fn prune_events(&self, before_ms: i64, limit: usize) -> Result<usize> {
        let mut writer = self.writer().await?;
        let mut transaction = writer.begin().await?;
        let on = &mut transaction.connection();
        let text = "SELECT r.id FROM run r WHERE r.state = 'ended' AND r.pruned = 0 AND r.finished_ms < $1
            AND EXISTS (SELECT 1 FROM run_event e WHERE e.run = r.id) ORDER BY r.finished_ms, r.id LIMIT $2";
        let query = query_scalar(text).bind(before_ms).bind(i64::try_from(limit).unwrap_or(i64::MAX));
        let runs: Vec<i64> = query.fetch_all(&mut *on).await?;
        run(on, "DELETE FROM run_event WHERE run IN (SELECT value FROM json_each($1))", &runs).await?;
        transaction.commit().await?;
        Ok(runs.len())
    }

    /// Removes jobs that were done before a time, at most `limit`; how many.
    ///
    /// # Errors
    /// When the catalog cannot be written.
    pub async fn prune_jobs(&self, before_ms: i64, limit: usize) -> Result<usize> {
        let mut writer = self.writer().await?;
        let mut transaction = writer.begin().await?;
        let on = &mut transaction.connection();
        let text = "SELECT id FROM job WHERE state = 'done' AND finished_ms < $1 ORDER BY finished_ms, id LIMIT $2";
        let query = query_scalar(text).bind(before_ms).bind(i64::try_from(limit).unwrap_or(i64::MAX));
        let jobs: Vec<i64> = query.fetch_all(&mut *on).await?;
        run(on, "DELETE FROM job WHERE id IN (SELECT value FROM json_each($1))", &jobs).await?;
        transaction.commit().await?;
        Ok(jobs.len())
    }
}

async fn run(connection: &mut Connection<'_>, text: &'static str, ids: &[i64]) -> Result<()> {
    query(text).bind(number_list(ids.iter().copied())).execute(connection).await?;
    Ok(())
}
