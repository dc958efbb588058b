//! Leases whose holder has died: the work is taken up again. How much waits and is worked on is counted along.

use store::{Fate, StoreError};

use crate::metrics::QueueLabels;
use crate::state::AppState;
use crate::work::attempt::count;

/// The first pause before work that was lost is taken up again, milliseconds.
const RETRY_DELAY_MS: i64 = 1_000;

pub(super) async fn activate(app: &AppState, now_ms: i64) -> Result<String, StoreError> {
    let expired = app.store.expire(RETRY_DELAY_MS, now_ms).await?;
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
