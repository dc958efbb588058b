//! What is of no use any more: expired sessions and tokens at once, old runs, events and audit entries after the time that the operator set.

use store::{Actor, Audit, AuditVia, StoreError};

use crate::state::AppState;

const DAY_MS: i64 = 24 * 60 * 60 * 1000;
/// Revoked and expired tokens stay listed for this long.
const TOKENS_DAYS: i64 = 30;
/// Ended jobs are kept for this long.
const JOBS_DAYS: i64 = 7;
/// Alerts that arrived or were given up are kept for this long.
const ALERTS_DAYS: i64 = 7;
/// Rows that one pruning takes; what is left goes with the next.
const ROWS_MAX: usize = 10_000;

pub(super) async fn sweep(app: &AppState, now_ms: i64) -> Result<String, StoreError> {
    let store = &app.store;
    let sessions = store.prune_sessions(now_ms).await?;
    let tokens = store.prune_tokens(now_ms - TOKENS_DAYS * DAY_MS).await?;
    let requests = store.prune_requests(now_ms).await?;
    let jobs = store.prune_jobs(now_ms - JOBS_DAYS * DAY_MS, ROWS_MAX).await?;
    let links = store.prune_setup_links(now_ms).await?;
    let alerts = store.prune_alerts(now_ms - ALERTS_DAYS * DAY_MS).await?;
    let inboxes = store.prune_inboxes().await?;
    let removals = crate::work::removal::resume(app).await?;
    if removals > 0 {
        tracing::info!(removals, "interrupted removals of connections went on");
    }
    Ok(format!(
        "{sessions} sessions, {tokens} tokens, {requests} answers, {jobs} jobs, {links} links, {alerts} alerts, {inboxes} inboxes"
    ))
}

pub(super) async fn retention(app: &AppState, now_ms: i64) -> Result<String, StoreError> {
    let (store, kept) = (&app.store, &app.config.retention);
    let before = |days: u32| now_ms - i64::from(days) * DAY_MS;
    let runs = store.prune_runs(before(kept.runs_days.get()), ROWS_MAX).await?;
    let events = store.prune_events(before(kept.events_days.get()), ROWS_MAX).await?;
    let audit =
        Audit { actor: Actor::System { name: "retention".to_owned() }, via: AuditVia::Internal, address: None, request_id: None };
    let entries = store.prune_audit(before(kept.audit_days.get()), &audit, now_ms).await?;
    Ok(format!("{runs} runs, {events} events, {entries} entries of the audit log"))
}
