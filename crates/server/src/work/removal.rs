//! Deleting a connection takes many transactions: it goes on in the background, and after a crash with the next sweep.

use store::{Actor, Audit, AuditVia, ConnectionId, ConnectionRemoval, StoreError};

use crate::http::Problem;
use crate::state::{App, AppState};

/// Removals that one sweep goes on with.
const SWEPT_MAX: usize = 10;

/// Begins, or goes on; what can be refused is refused before this returns.
pub(crate) async fn begin(app: &App, connection: ConnectionId, removal: ConnectionRemoval, audit: &Audit) -> Result<(), Problem> {
    let filter = |stage| store::RunFilter { connection: Some(connection), stage: Some(stage), workflow: None };
    for stage in [store::RunStage::Queued, store::RunStage::Running] {
        if let Some(run) = app.store.runs_page(&filter(stage), None, 1).await?.first() {
            let (id, name) = (run.id.0, format!("run {}", run.id));
            return Err(StoreError::Exists { noun: "run", id, name }.into());
        }
    }
    let (task, audit) = (app.clone(), audit.clone());
    app.shutdown.tasks().spawn(async move {
        if let Err(error) = remove(&task, connection, removal, &audit).await {
            tracing::warn!(%error, connection = connection.0, "a connection is not removed yet: the next sweep goes on");
        }
    });
    Ok(())
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
    match removal {
        ConnectionRemoval::Archive => app.store.archive_connection(connection, audit, now_ms).await.map(|_| ()),
        ConnectionRemoval::Purge => app.store.purge_connection(connection, audit, now_ms).await.map(|_| ()),
    }
}
