//! Leases whose holder has died: the work is taken up again. How much waits and is worked on is counted along.

use store::{Fate, StoreError};

use crate::metrics::QueueLabels;
use crate::state::AppState;
use crate::work::attempt::count;

/// The first pause before work that was lost is taken up again, milliseconds.
const RETRY_DELAY_MS: i64 = 1_000;

/// How long after its start a process takes no run from a runtime that was not heard of: while nobody listened it could not be, and it needs
/// a moment to come back (its pauses grow to a minute).
const LISTENING_MS: i64 = 90_000;

/// `since_ms` is when this process began to listen.
pub(super) async fn activate(app: &AppState, since_ms: i64, now_ms: i64) -> Result<String, StoreError> {
    let expired = if now_ms.saturating_sub(since_ms) < LISTENING_MS {
        app.store.expire_direct(RETRY_DELAY_MS, now_ms).await?
    } else {
        app.store.expire(RETRY_DELAY_MS, now_ms).await?
    };
    for lost in &expired {
        match lost.fate {
            Fate::Requeued { .. } => {
                tracing::warn!(run = %lost.run, attempt = lost.attempt, "a worker was lost: the run is taken up again");
            }
            Fate::Ended(outcome) => {
                tracing::error!(run = %lost.run, outcome = outcome.as_str(), "a worker was lost, and the run has ended");
                count(app, outcome);
            }
        }
    }
    if !expired.is_empty() {
        app.nudge.wake();
    }
    measure(app).await?;
    Ok(if expired.is_empty() { String::new() } else { format!("{} leases had ended", expired.len()) })
}

async fn measure(app: &AppState) -> Result<(), StoreError> {
    let lengths = app.store.queue_lengths().await?;
    app.metrics.queue_length.clear();
    app.metrics.leases.clear();
    for length in lengths {
        let labels = QueueLabels { queue: length.queue };
        app.metrics.queue_length.get_or_create(&labels).set(length.queued);
        app.metrics.leases.get_or_create(&labels).set(length.leased);
    }
    Ok(())
}
