//! Archiving a connection with all its assets, in a run of its own: they stay, with their history, and a crawl brings them back.

use std::sync::{Arc, Mutex};

use model::document::report::Changes;
use model::{ChangeCounts, RunId};

use crate::connections::ConnectionId;
use crate::control::ConnectionRemoval;
use crate::control::audit::Audit;
use crate::control::pages::{PAGE_ASSETS, stand_still};
use crate::control::removals;
use crate::db::{Hold, query, query_scalar};
use crate::ingest::archive;
use crate::ingest::context::{Context, Progress};
use crate::{Result, Store, StoreError};

/// What archiving a connection has done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ArchivedConnection {
    /// The run that stands for it in histories.
    pub run: RunId,
    /// Lines of the document form that were archived.
    pub archived: u64,
}

impl Store {
    /// Archives a connection: its assets, in pages; its schedules are paused and what is queued is cancelled. Stopped half way, it
    /// can be called again.
    ///
    /// # Errors
    /// [`StoreError::Busy`] while it is crawled, [`StoreError::NotFound`] when there is no such connection.
    pub async fn archive_connection(&self, connection: ConnectionId, audit: &Audit, now_ms: i64) -> Result<ArchivedConnection> {
        let hold = self.hold_connection(connection).await?;
        let run = self.begin_archiving(&hold, connection, audit, now_ms).await?;
        let mut context = Context::new(run, connection, None, Arc::new(Mutex::new(Progress::default())));
        let mut archived = 0;
        for place in self.asset_places(connection).await? {
            loop {
                let (count, lines) = self.archive_page(&hold, &mut context, place).await?;
                archived += lines;
                if count < PAGE_ASSETS {
                    break;
                }
            }
        }
        let changes = Changes::from(ChangeCounts { archived, ..ChangeCounts::default() });
        let changes = serde_json::to_string(&changes).map_err(|error| StoreError::internal("write counts", error))?;
        let text = "UPDATE run SET state = 'ended', outcome = 'complete', finished_ms = $1, changes = $2 WHERE id = $3";
        let mut writer = self.writer_of(&hold).await?;
        let mut transaction = writer.begin().await?;
        let on = &mut transaction.connection();
        query(text).bind(now_ms).bind(changes).bind(run.0).execute(&mut *on).await?;
        removals::end(on, connection).await?;
        transaction.commit().await?;
        Ok(ArchivedConnection { run, archived })
    }

    async fn begin_archiving(&self, hold: &Hold, connection: ConnectionId, audit: &Audit, now_ms: i64) -> Result<RunId> {
        let mut writer = self.writer_of(hold).await?;
        let mut transaction = writer.begin().await?;
        let on = &mut transaction.connection();
        stand_still(on, connection, ConnectionRemoval::Archive, audit, now_ms).await?;
        let text = "INSERT INTO run (connection, started_ms, settings, trigger_kind, requested_by)
            VALUES ($1, $2, $3, 'manual', $4) RETURNING id";
        let settings = serde_json::json!({ "archive": true }).to_string();
        let query = query_scalar(text).bind(connection.0).bind(now_ms).bind(settings).bind(audit.actor.user().map(|user| user.0));
        let run = RunId(query.fetch_one(on).await?);
        transaction.commit().await?;
        Ok(run)
    }

    /// How many assets were archived, and how many lines that is.
    async fn archive_page(&self, hold: &Hold, context: &mut Context, place: i64) -> Result<(i64, u64)> {
        let mut writer = self.writer_of(hold).await?;
        let mut transaction = writer.begin_alone().await?;
        let on = &mut transaction.connection();
        let text = "SELECT id FROM asset WHERE place = $1 AND archived_run = 0 ORDER BY part, kind LIMIT $2";
        let ids: Vec<i64> = query_scalar(text).bind(place).bind(PAGE_ASSETS).fetch_all(&mut *on).await?;
        let lines = archive::archive(on, context, &ids).await?;
        transaction.commit().await?;
        Ok((i64::try_from(ids.len()).unwrap_or(i64::MAX), lines))
    }
}
