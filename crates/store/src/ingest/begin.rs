//! The beginning of a run's writing: by a command line, which keeps other programs out by holding a lock, or under a lease, whose
//! fence goes with every write.

use std::sync::{Arc, Mutex as StdMutex};

use model::RunId;
use tokio::sync::Mutex;

use crate::connections::{Connection, ConnectionId};
use crate::control::{Fence, Lease, removals};
use crate::db::{self, Hold, query, query_scalar};
use crate::ingest::context::{Context, Progress};
use crate::ingest::run::{Buffer, RunWriter, State};
use crate::{Result, Store, StoreError};

/// What is known of a run when its writing begins.
#[derive(Clone, Copy)]
struct Begun {
    run: RunId,
    is_empty: bool,
    /// The first and the last asset that earlier attempts of the same run have created.
    created: Option<(i64, i64)>,
}

/// Whether a connection has no assets.
const NO_ASSETS: &str = "SELECT NOT EXISTS (SELECT 1 FROM place p JOIN asset a ON a.place = p.id WHERE p.connection = $1)";

impl Store {
    /// Whether a connection has no assets yet.
    ///
    /// # Errors
    /// When the catalog cannot be read.
    pub async fn has_no_assets(&self, connection: ConnectionId) -> Result<bool> {
        Ok(query_scalar(NO_ASSETS).bind(connection.0).fetch_one(self.readers()).await?)
    }

    /// Starts a run of a connection. `settings` is a JSON text that says how it was asked for.
    ///
    /// # Errors
    /// [`StoreError::Busy`] when another crawl of the connection is running, in whatever process.
    pub async fn begin_run(&self, connection: &Connection, settings: &str, now_ms: i64) -> Result<RunWriter> {
        let hold = self.hold_connection(connection.id).await?;
        let mut writer = self.writer_of(&hold).await?;
        let mut transaction = writer.begin().await?;
        let on = &mut transaction.connection();
        refuse_leased(on, connection.id).await?;
        mark_interrupted(on, connection.id, now_ms).await?;
        let text = "INSERT INTO run (connection, started_ms, settings) VALUES ($1, $2, $3) RETURNING id";
        let query = query_scalar(text).bind(connection.id.0).bind(now_ms).bind(settings.to_owned());
        let run = RunId(query.fetch_one(&mut *on).await?);
        let is_empty = open(on, connection.id).await?;
        transaction.commit().await?;
        drop(writer);
        Ok(self.run_writer(connection.id, Begun { run, is_empty, created: None }, hold, None))
    }

    /// Starts, or starts again, the crawl of a run that is worked on under a lease. Other programs are kept out by the lease from
    /// now on: what is written after it was lost is refused as [`StoreError::Fenced`].
    ///
    /// # Errors
    /// [`StoreError::Busy`] when a command line crawls the connection, [`StoreError::Fenced`] when the lease is lost.
    pub async fn begin_run_of(&self, connection: &Connection, lease: &Lease, now_ms: i64) -> Result<RunWriter> {
        let hold = self.hold_connection(connection.id).await?;
        let fence = Fence::of(lease);
        let mut writer = self.writer_of(&hold).await?;
        let mut transaction = writer.begin().await?;
        let on = &mut transaction.connection();
        fence.check(on).await?;
        mark_interrupted(on, connection.id, now_ms).await?;
        let text = "SELECT first_created, last_created FROM run WHERE id = $1";
        let row = query(text).bind(lease.run.0).fetch_one(&mut *on).await?;
        let (first, last): (Option<i64>, Option<i64>) = (row.try_get(0)?, row.try_get(1)?);
        let is_empty = open(on, connection.id).await?;
        transaction.commit().await?;
        drop(writer);
        let hold = hold.let_go(connection.id.0).await?;
        let begun = Begun { run: lease.run, is_empty, created: first.zip(last) };
        Ok(self.run_writer(connection.id, begun, hold, Some(fence)))
    }

    fn run_writer(&self, connection: ConnectionId, begun: Begun, hold: Hold, fence: Option<Fence>) -> RunWriter {
        let progress = Arc::new(StdMutex::new(Progress::of(begun.created)));
        let context = Context::new(begun.run, connection, begun.created, Arc::clone(&progress));
        RunWriter {
            store: self.clone(),
            run: begun.run,
            connection,
            is_empty: begun.is_empty,
            buffer: Mutex::new(Buffer::default()),
            state: Mutex::new(State { context, broken: false, fenced: false, ended: false, rows_written: 0 }),
            progress,
            hold,
            fence,
        }
    }

    /// Takes hold of a connection, or says who has it.
    pub(crate) async fn hold_connection(&self, connection: ConnectionId) -> Result<Hold> {
        if let Some(hold) = self.hold(connection.0).await? {
            return Ok(hold);
        }
        let text = "SELECT id, started_ms FROM run WHERE connection = $1 AND state = 'running' ORDER BY id DESC LIMIT 1";
        let running = query(text).bind(connection.0).fetch_optional(self.readers()).await?;
        let run = running.as_ref().map(|row| row.try_get(0)).transpose()?.map(RunId);
        Err(StoreError::Busy { run, since_ms: running.as_ref().map(|row| row.try_get(1)).transpose()? })
    }
}

/// Refuses while somebody works on the connection under a lease.
pub(crate) async fn refuse_leased(on: &mut db::Connection<'_>, connection: ConnectionId) -> Result<()> {
    let text = "SELECT r.id, r.started_ms FROM job j JOIN run r ON r.id = j.run WHERE j.connection = $1 AND j.state = 'leased'";
    match query(text).bind(connection.0).fetch_optional(on).await? {
        Some(row) => Err(StoreError::Busy { run: Some(RunId(row.try_get(0)?)), since_ms: Some(row.try_get(1)?) }),
        None => Ok(()),
    }
}

/// Who holds the connection knows that no command line crawls it any more. Runs with a job are looked after by their leases.
pub(crate) async fn mark_interrupted(on: &mut db::Connection<'_>, connection: ConnectionId, now_ms: i64) -> Result<()> {
    let text = "UPDATE run SET state = 'ended', outcome = 'interrupted', finished_ms = $1 WHERE connection = $2
        AND state = 'running' AND NOT EXISTS (SELECT 1 FROM job j WHERE j.run = run.id)";
    query(text).bind(now_ms).bind(connection.0).execute(on).await?;
    Ok(())
}

/// Brings an archived connection back; whether it has no assets.
async fn open(on: &mut db::Connection<'_>, connection: ConnectionId) -> Result<bool> {
    removals::refuse_purging(on, connection).await?;
    let text = "UPDATE connection SET archived_ms = NULL, removal = NULL WHERE id = $1 AND archived_ms IS NOT NULL";
    query(text).bind(connection.0).execute(&mut *on).await?;
    Ok(query_scalar(NO_ASSETS).bind(connection.0).fetch_one(on).await?)
}
