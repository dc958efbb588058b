//! What happens in a run, as people watch it: a numbered list of which the newest part is kept.

use model::RunId;

use crate::control::Lease;
use crate::control::fence::Fence;
use crate::db::{Bound, Bulk, Connection, Row, query, query_scalar};
use crate::{Result, Store, StoreError};

/// Events of one run that are kept.
const EVENTS_MAX: i64 = 2000;

/// Something that happened in a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewEvent {
    /// What kind of thing.
    pub kind: String,
    /// What there is to say of it, JSON.
    pub data: String,
}

/// A stored event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunEvent {
    /// Its number within the run, from 1; none is given twice.
    pub sequence: i64,
    /// When it happened, milliseconds since 1970 UTC.
    pub at_ms: i64,
    /// What kind of thing.
    pub kind: String,
    /// What there is to say of it, JSON.
    pub data: String,
}

const INSERT: Bulk = Bulk { table: "run_event", columns: "run, sequence, at_ms, kind, data", tail: "", width: 5 };

impl Store {
    /// Adds events to a run; the number of the last one. The newest 2,000 of a run are kept.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is no such run.
    pub async fn append_events(&self, run: RunId, events: &[NewEvent], now_ms: i64) -> Result<i64> {
        let mut writer = self.writer().await?;
        let mut transaction = writer.begin().await?;
        let last = append(&mut transaction.connection(), run, events, now_ms).await?;
        transaction.commit().await?;
        Ok(last)
    }

    /// As [`Store::append_events`], to the run of a lease, by whoever has it.
    ///
    /// # Errors
    /// [`StoreError::Fenced`] when somebody else has the job.
    pub async fn append_events_of(&self, lease: &Lease, events: &[NewEvent], now_ms: i64) -> Result<i64> {
        let mut writer = self.writer().await?;
        let mut transaction = writer.begin().await?;
        let on = &mut transaction.connection();
        Fence::of(lease).check(on).await?;
        let last = append(on, lease.run, events, now_ms).await?;
        transaction.commit().await?;
        Ok(last)
    }

    /// The events of a run after the one of a number, oldest first.
    ///
    /// # Errors
    /// When the catalog cannot be read.
    pub async fn events(&self, run: RunId, after: i64, limit: usize) -> Result<Vec<RunEvent>> {
        let text = "SELECT sequence, at_ms, kind, data FROM run_event WHERE run = $1 AND sequence > $2 ORDER BY sequence LIMIT $3";
        let query = query(text).bind(run.0).bind(after).bind(i64::try_from(limit).unwrap_or(i64::MAX));
        query.fetch_all(self.readers()).await?.iter().map(read).collect()
    }
}

/// Adds events to a run, within a transaction; the number of the last one.
pub(crate) async fn append(connection: &mut Connection<'_>, run: RunId, events: &[NewEvent], now_ms: i64) -> Result<i64> {
    // More than are kept at once: the first ones would be gone anyway, but they count.
    let count = i64::try_from(events.len()).unwrap_or(i64::MAX);
    let text = "UPDATE run SET last_event = last_event + $1 WHERE id = $2 RETURNING last_event";
    let last: Option<i64> = query_scalar(text).bind(count).bind(run.0).fetch_optional(&mut *connection).await?;
    let Some(last) = last else {
        return Err(StoreError::NotFound { message: format!("there is no run {run} in this catalog") });
    };
    let numbered: Vec<(i64, &NewEvent)> = (last - count + 1..).zip(events).filter(|(at, _)| *at > last - EVENTS_MAX).collect();
    let bind = |query: Bound, (sequence, event): &(i64, &NewEvent)| {
        query.bind(run.0).bind(*sequence).bind(now_ms).bind(event.kind.clone()).bind(event.data.clone())
    };
    INSERT.write(connection, &numbered, bind).await?;
    if last > EVENTS_MAX {
        let text = "DELETE FROM run_event WHERE run = $1 AND sequence <= $2";
        query(text).bind(run.0).bind(last - EVENTS_MAX).execute(connection).await?;
    }
    Ok(last)
}

fn read(row: &Row) -> Result<RunEvent> {
    Ok(RunEvent { sequence: row.try_get(0)?, at_ms: row.try_get(1)?, kind: row.try_get(2)?, data: row.try_get(3)? })
}
