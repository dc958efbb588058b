//! Alerts: when a run has ended for good, the receivers that its workflow names are told, outside the run. Which are to be told is
//! written down together with the fact that it was looked at, so a restart loses no alert and a second replica repeats none.

mod message;

use std::time::Duration;

use futures::future::join_all;
use serde_json::json;
use store::{AlertDelivery, AlertEnd, StoreError};

use super::events::tell_after;
use super::pause::milliseconds;
use crate::api::alerts::{Kept, open};
use crate::state::AppState;
use crate::webhook::{Message, WebhookSecret, retry_pause_ms};

/// A run's report is kept just after its end; one without is told of after this time.
const WITHOUT_REPORT: Duration = Duration::from_secs(10);
/// How long a delivery belongs to who has taken it: longer than a request may take.
const CLAIM: Duration = Duration::from_secs(60);
/// Runs that are looked at in one activation.
const RUNS_MAX: usize = 100;
/// Deliveries that are under way at the same time.
const AT_ONCE: usize = 4;
/// Rounds of deliveries in one activation; what is left goes with the next.
const ROUNDS_MAX: usize = 25;

/// Looks for runs that have ended, and delivers what is due.
pub(super) async fn activate(app: &AppState, now_ms: i64) -> Result<String, StoreError> {
    let ended = app.store.unalerted_runs(now_ms - milliseconds(WITHOUT_REPORT), RUNS_MAX).await?;
    for run in &ended {
        let alerts = message::alerts_of(app, *run).await?;
        app.store.add_alerts(*run, &alerts, now_ms).await?;
    }
    let mut sent = 0;
    for _ in 0..ROUNDS_MAX {
        let taken = take(app).await?;
        if taken.is_empty() || app.shutdown.soft().is_cancelled() {
            break;
        }
        sent += taken.len();
        for done in join_all(taken.iter().map(|delivery| deliver(app, delivery))).await {
            done?;
        }
    }
    Ok(if ended.len() + sent == 0 { String::new() } else { format!("{} runs had ended, {sent} alerts sent", ended.len()) })
}

async fn take(app: &AppState) -> Result<Vec<AlertDelivery>, StoreError> {
    let mut taken = Vec::with_capacity(AT_ONCE);
    while taken.len() < AT_ONCE {
        match app.store.claim_alert(milliseconds(CLAIM), app.clock.now_ms()).await? {
            Some(delivery) => taken.push(delivery),
            None => break,
        }
    }
    Ok(taken)
}

/// Sends once, and keeps what came of it, with the run as well. The URL may be a secret: only its host is told.
async fn deliver(app: &AppState, delivery: &AlertDelivery) -> Result<(), StoreError> {
    let host = host(&delivery.alert.url);
    let failure = match secret(app, delivery) {
        Some(secret) => send(app, delivery, &secret).await.err(),
        None => Some(("the secret of this alert does not open: write the alert again".to_owned(), true)),
    };
    let now_ms = app.clock.now_ms();
    let pause_ms = retry_pause_ms(delivery.attempt);
    let (end, kind) = match (&failure, pause_ms) {
        (None, _) => (AlertEnd::Delivered, "alert-delivered"),
        (Some((_, false)), Some(pause_ms)) => (AlertEnd::Again { next_ms: now_ms.saturating_add(pause_ms) }, "alert-delayed"),
        (Some(_), _) => (AlertEnd::GivenUp, "alert-failed"),
    };
    if !app.store.finish_alert(delivery, end, now_ms).await? {
        return Ok(());
    }
    let mut data = json!({ "host": host, "attempt": delivery.attempt });
    if let (Some((message, _)), Some(data)) = (&failure, data.as_object_mut()) {
        tracing::warn!(run = %delivery.run, attempt = delivery.attempt, message, "an alert did not arrive");
        data.insert("message".to_owned(), json!(message));
    }
    tell_after(app, delivery.run, kind, &data).await;
    Ok(())
}

/// What is wrong, and whether it stays so.
async fn send(app: &AppState, delivery: &AlertDelivery, secret: &WebhookSecret) -> Result<(), (String, bool)> {
    let message = Message::from_parts(delivery.alert.message_id.clone(), delivery.alert.body.clone().into_bytes());
    let sent = app.webhooks.deliver(&delivery.alert.url, secret, &message, app.clock.now_ms()).await;
    sent.map_err(|error| (error.to_string(), error.is_final()))
}

fn secret(app: &AppState, delivery: &AlertDelivery) -> Option<WebhookSecret> {
    let kept: Kept = serde_json::from_str(&delivery.alert.secret).ok()?;
    open(app, &kept)
}

fn host(url: &str) -> String {
    url.parse::<http::Uri>().ok().and_then(|url| url.host().map(str::to_owned)).unwrap_or_default()
}
