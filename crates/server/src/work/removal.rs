//! Deleting a connection takes many transactions: it goes on in the background, and after a crash with the next sweep.

use std::time::Duration;

use store::{Actor, Audit, AuditVia, ConnectionId, ConnectionRemoval, RunFilter, RunStage, RunSummary, StoreError};

use crate::http::Problem;
use crate::state::{App, AppState};

/// Removals that one sweep goes on with.
const SWEPT_MAX: usize = 10;
/// Open runs of one connection that are looked at: those of command lines end with their successor, so there are few.
const RUNS_LOOKED_AT: usize = 20;

/// How long a beginning is waited for: a refusal comes at once, and little work is done by then.
const BEGINNING: Duration = Duration::from_secs(2);

/// Begins, or goes on; what is refused is refused before this returns.
pub(crate) async fn begin(app: &App, connection: ConnectionId, removal: ConnectionRemoval, audit: &Audit) -> Result<(), Problem> {
    if let Some(run) = open_run(app, connection).await? {
        let (id, name) = (run.id.0, format!("run {}", run.id));
        return Err(StoreError::Exists { noun: "run", id, name }.into());
    }
    let (task, audit) = (app.clone(), audit.clone());
    let mut work = app.shutdown.tasks().spawn(async move {
        let removed = remove(&task, connection, removal, &audit).await;
        if let Err(error) = &removed {
            tracing::warn!(%error, connection = connection.0, "a connection is not removed yet: if it was begun, the next sweep goes on");
        }
        removed
    });
    match tokio::time::timeout(BEGINNING, &mut work).await {
        Ok(Ok(Err(StoreError::Busy { .. }))) if is_begun(app, connection, removal).await? => Ok(()),
        Ok(Ok(removed)) => Ok(removed?),
        Ok(Err(broken)) => Err(Problem::internal(&broken)),
        Err(_still_at_it) => Ok(()),
    }
}

/// A run that waits or is worked on. One of a command line may have been killed: whether it goes on shows when the connection is taken
/// hold of.
async fn open_run(app: &App, connection: ConnectionId) -> Result<Option<RunSummary>, StoreError> {
    for stage in [RunStage::Queued, RunStage::Running] {
        let filter = RunFilter { connection: Some(connection), stage: Some(stage), workflow: None };
        let runs = app.store.runs_page(&filter, None, RUNS_LOOKED_AT).await?;
        if let Some(run) = runs.into_iter().find(|run| run.workflow.is_some()) {
            return Ok(Some(run));
        }
    }
    Ok(None)
}

/// Whether somebody else is at the same already.
async fn is_begun(app: &App, connection: ConnectionId, removal: ConnectionRemoval) -> Result<bool, StoreError> {
    Ok(app.store.managed_connection(connection).await?.removal == Some(removal))
}

/// Goes on with what was interrupted; how many.
pub(super) async fn resume(app: &AppState) -> Result<usize, StoreError> {
    let audit =
        Audit { actor: Actor::System { name: "sweep".to_owned() }, via: AuditVia::Internal, address: None, request_id: None };
    let mut done = 0;
    for (connection, removal) in app.store.unfinished_removals(SWEPT_MAX).await? {
        match remove(app, connection, removal, &audit).await {
            Ok(()) => done += 1,
            Err(StoreError::Busy { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(done)
}

async fn remove(app: &AppState, connection: ConnectionId, removal: ConnectionRemoval, audit: &Audit) -> Result<(), StoreError> {
    let now_ms = app.clock.now_ms();
    let work = async {
        match removal {
            ConnectionRemoval::Archive => app.store.archive_connection(connection, audit, now_ms).await.map(|_| ()),
            ConnectionRemoval::Purge => app.store.purge_connection(connection, audit, now_ms).await.map(|_| ()),
        }
    };
    tokio::select! {
        removed = work => removed,
        // What is done stays done, and the rest is written down.
        () = app.shutdown.soft().cancelled() => Ok(()),
    }
}
