//! The assets of a connection, place by place: what changes all of them does so in many short transactions.

use model::{Outcome, RunId};

use crate::connections::ConnectionId;
use crate::control::audit::Audit;
use crate::control::fence::{close_job, end_run};
use crate::control::{ConnectionRemoval, JobId, removals};
use crate::db::{Connection, query, query_scalar};
use crate::ingest::begin;
use crate::{Result, Store};

/// Assets of one transaction.
pub(crate) const PAGE_ASSETS: i64 = 2000;

impl Store {
    /// The numbers of the places of a connection.
    pub(crate) async fn asset_places(&self, connection: ConnectionId) -> Result<Vec<i64>> {
        let text = "SELECT id FROM place WHERE connection = $1 ORDER BY id";
        Ok(query_scalar(text).bind(connection.0).fetch_all(self.readers()).await?)
    }
}

/// Has a connection stand still: its schedules are paused, and what is queued is cancelled. Who calls this holds the connection.
pub(crate) async fn stand_still(
    on: &mut Connection<'_>,
    connection: ConnectionId,
    removal: ConnectionRemoval,
    audit: &Audit,
    now_ms: i64,
) -> Result<()> {
    removals::begin(on, connection, removal, audit, now_ms).await?;
    begin::refuse_leased(on, connection).await?;
    begin::mark_interrupted(on, connection, now_ms).await?;
    let text = "UPDATE workflow SET paused_ms = $1, version = version + 1 WHERE connection = $2 AND paused_ms IS NULL";
    query(text).bind(now_ms).bind(connection.0).execute(&mut *on).await?;
    let text = "SELECT id, run FROM job WHERE connection = $1 AND state = 'queued' ORDER BY id FOR UPDATE";
    for row in query(text).bind(connection.0).fetch_all(&mut *on).await? {
        close_job(on, JobId(row.try_get(0)?), now_ms).await?;
        end_run(on, RunId(row.try_get(1)?), Outcome::Cancelled, None, now_ms).await?;
    }
    Ok(())
}
