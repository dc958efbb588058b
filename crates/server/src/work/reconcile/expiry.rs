//! Leases whose holder has died: the work is taken up again.

use store::{Fate, StoreError};

use crate::state::AppState;

/// The first pause before work that was lost is taken up again, milliseconds.
const RETRY_DELAY_MS: i64 = 1_000;

pub(super) async fn activate(app: &AppState, now_ms: i64) -> Result<String, StoreError> {
    let expired = app.store.expire(RETRY_DELAY_MS, now_ms).await?;
    for lost in &expired {
        match lost.fate {
            Fate::Requeued { .. } => {
                tracing::warn!(run = %lost.run, attempt = lost.attempt, "a worker was lost: the run is taken up again")
            }
            Fate::Ended(outcome) => {
                tracing::error!(run = %lost.run, outcome = outcome.as_str(), "a worker was lost, and there were attempts enough");
            }
        }
    }
    if !expired.is_empty() {
        app.nudge.wake();
    }
    Ok(if expired.is_empty() { String::new() } else { format!("{} leases had ended", expired.len()) })
}
