//! The secrets that sign the alerts of workflows: they lie inside the alerts of each. A delivery that waits has a copy, which is counted
//! and not wrapped anew: within two hours it has arrived or is given up, and until then its key has to stay.

use std::collections::BTreeMap;

use store::{Store, StoreError, Workflow, WorkflowId};

use super::{Left, PAGE, Pass, Rotation};
use crate::api::workflows::alerts::Kept;
use crate::sealing::SealingError;

/// Counts them by key.
pub(super) async fn count(store: &Store, counts: &mut BTreeMap<String, u64>) -> Result<(), StoreError> {
    let mut after = None;
    while let Some(page) = page(store, &mut after).await? {
        for alert in page.iter().filter_map(|workflow| parsed(workflow).ok()).flatten() {
            count_one(&alert, counts);
        }
    }
    let mut last = Some(0);
    while let Some(after) = last {
        let (secrets, next) = store.waiting_alert_secrets(after, PAGE).await?;
        for alert in secrets.iter().filter_map(|secret| serde_json::from_str::<Kept>(secret).ok()) {
            count_one(&alert, counts);
        }
        last = next;
    }
    Ok(())
}

/// What has no key is damaged: no key is needed for it.
fn count_one(alert: &Kept, counts: &mut BTreeMap<String, u64>) {
    if let Ok(key) = alert.key_id() {
        *counts.entry(key.to_string()).or_default() += 1;
    }
}

/// Wraps them anew.
pub(super) async fn rewrap(rotation: &Rotation<'_>, pass: &mut Pass) -> Result<(), StoreError> {
    let mut after = None;
    while let Some(page) = page(rotation.store, &mut after).await? {
        for workflow in &page {
            rewrap_of(rotation, workflow, pass).await?;
        }
    }
    Ok(())
}

async fn rewrap_of(rotation: &Rotation<'_>, workflow: &Workflow, pass: &mut Pass) -> Result<(), StoreError> {
    let left = |of: String, reason| Left { of: format!("{of} of workflow {}", workflow.id.0), reason };
    let mut alerts = match parsed(workflow) {
        Ok(alerts) => alerts,
        Err(reason) => {
            pass.left.push(left("the alerts".to_owned(), reason));
            return Ok(());
        }
    };
    let mut wrapped = 0;
    for alert in &mut alerts {
        match alert.rewrap(rotation.keys, rotation.random) {
            Ok(true) => wrapped += 1,
            Ok(false) => {}
            Err(reason) => pass.left.push(left(format!("alert {}", alert.id), reason)),
        }
    }
    if wrapped == 0 {
        return Ok(());
    }
    let text = serde_json::to_string(&alerts).map_err(|error| StoreError::Invalid { message: error.to_string() })?;
    let was_put = rotation.store.rewrap_alerts(workflow.id, &workflow.spec.alerts, &text, rotation.audit, rotation.now_ms).await?;
    if was_put {
        pass.wrapped += wrapped
    } else {
        pass.changed += wrapped
    }
    Ok(())
}

/// The workflows after those of the page before; none at the end.
async fn page(store: &Store, after: &mut Option<WorkflowId>) -> Result<Option<Vec<Workflow>>, StoreError> {
    let page = store.workflows(None, *after, PAGE).await?;
    *after = page.last().map(|workflow| workflow.id).or(*after);
    Ok(Some(page).filter(|page| !page.is_empty()))
}

fn parsed(workflow: &Workflow) -> Result<Vec<Kept>, SealingError> {
    serde_json::from_str(&workflow.spec.alerts)
        .map_err(|_unreadable| SealingError::Format { reason: "the alerts are no JSON of ours" })
}
