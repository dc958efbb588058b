//! What is told of a run that has ended, and to whom.

use model::RunId;
use model::document::report::Report;
use store::{NewAlert, RunRef, RunState, RunSummary, StoreError, Workflow};

use crate::api::alerts;
use crate::state::AppState;
use crate::webhook::{self, Message, Named, RunEnded};
use crate::work::failure::RunFailure;

/// The alerts of a run; none where nobody is to be told of such an outcome, or the workflow is gone.
pub(super) async fn alerts_of(app: &AppState, run: RunId) -> Result<Vec<NewAlert>, StoreError> {
    let run = app.store.run(RunRef::Id(run)).await?;
    let (Some(workflow), RunState::Ended(outcome)) = (run.workflow, run.state) else { return Ok(Vec::new()) };
    let workflow = match app.store.workflow(workflow).await {
        Ok(workflow) => workflow,
        Err(StoreError::NotFound { .. }) => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut asked = alerts::read(&workflow.spec.alerts);
    asked.retain(|alert| alert.on.iter().any(|word| word == outcome.as_str()));
    if asked.is_empty() {
        return Ok(Vec::new());
    }
    let told = told(app, &run, &workflow, outcome.as_str()).await?;
    let Ok(message) = Message::run_ended(&told, run.finished_ms.unwrap_or(run.started_ms)) else { return Ok(Vec::new()) };
    let body = String::from_utf8_lossy(message.body()).into_owned();
    let alert = |kept: &alerts::Kept| {
        let secret = serde_json::to_string(kept).ok()?;
        // Receivers of one host may compare ids: each alert has its own.
        let message_id = format!("{}_{}", message.id(), kept.id);
        Some(NewAlert { url: kept.url.clone(), secret, message_id, body: body.clone() })
    };
    Ok(asked.iter().filter_map(alert).collect())
}

async fn told(app: &AppState, run: &RunSummary, workflow: &Workflow, outcome: &str) -> Result<RunEnded, StoreError> {
    let connection = app.store.managed_connection(run.connection).await?;
    let report = app.store.report(RunRef::Id(run.id)).await?.unwrap_or_else(Report::default);
    let changes = run.changes;
    Ok(RunEnded {
        run_id: run.id.to_string(),
        workflow: Named { id: workflow.id.to_string(), name: workflow.spec.name.clone() },
        connection: Named { id: run.connection.0.to_string(), name: connection.connection.name },
        outcome: outcome.to_owned(),
        attempt: u32::try_from(run.attempt).unwrap_or(u32::MAX),
        counts: report.counts,
        changes: webhook::Changes {
            created: changes.created,
            updated: changes.updated,
            archived: changes.archived,
            restored: changes.restored,
        },
        failure: run.failure.as_deref().and_then(RunFailure::from_json).map(|failure| webhook::Failure {
            category: failure.category,
            retryable: failure.retryable,
            suggested_action: failure.suggested_action,
        }),
        link: format!("{}/runs/{}", base(app), run.id),
    })
}

/// How a browser reaches the service, as far as it is known.
fn base(app: &AppState) -> String {
    if let Some(url) = &app.config.public_url {
        return url.trim_end_matches('/').to_owned();
    }
    let scheme = if app.config.tls.files().is_some() { "https" } else { "http" };
    format!("{scheme}://{}", app.config.listen)
}
