//! `runs`: the runs of a catalog.

use serde_json::json;

use crate::arguments::RunsArguments;
use crate::catalog::{Catalog, Run};
use crate::clock::readable;
use crate::failure::{Outcome, Status};
use crate::output::{Page, grouped, print_json};

pub(crate) async fn run(arguments: &RunsArguments) -> Outcome {
    let runs = Catalog::open(&arguments.from).await?.runs(arguments.limit as usize).await?;
    if arguments.from.json {
        print_json(&runs.iter().map(as_json).collect())?;
        return Ok(Status::Complete);
    }
    let mut page = Page::default();
    page.table(&["run", "started", "state", "created", "updated", "archived", "unchanged"], runs.iter().map(row).collect());
    page.print()?;
    Ok(Status::Complete)
}

fn row(run: &Run) -> Vec<String> {
    let counts = [run.changes.created, run.changes.updated, run.changes.archived, run.changes.unchanged].map(grouped);
    let mut row = vec![run.id.to_string(), readable(run.started_ms), run.state.clone()];
    row.extend(counts);
    row
}

fn as_json(run: &Run) -> serde_json::Value {
    json!({"run": run.id.0, "startedAt": run.started_ms, "finishedAt": run.finished_ms, "state": run.state, "changes": run.changes})
}
