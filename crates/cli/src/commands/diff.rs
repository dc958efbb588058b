//! `diff`: what changed between two runs.

use model::RunId;
use serde_json::json;
use store::{Changed, RunRef, Store};

use crate::arguments::DiffArguments;
use crate::catalog::{self, short};
use crate::changes;
use crate::failure::{Failure, Outcome, Status};
use crate::output::{Page, dim, print_json};

/// Changed assets that are listed.
const CHANGED_MAX: usize = 10_000;

pub(crate) async fn run(arguments: &DiffArguments) -> Outcome {
    let store = catalog::open(&arguments.from).await?;
    let from = run_id(&store, &arguments.from_run).await?;
    let to = run_id(&store, &arguments.to_run).await?;
    let diff = store.diff(from, to, CHANGED_MAX).await?;
    if arguments.from.json {
        print_json(&json!({"changed": diff.changed.iter().map(as_json).collect::<Vec<_>>(), "truncated": diff.truncated}))?;
        return Ok(Status::Complete);
    }
    let mut page = Page::default();
    if diff.changed.is_empty() {
        page.line(format!("nothing changed between run {from} and run {to}"));
    }
    for changed in &diff.changed {
        page.line(format!(
            "{:9} {} {}",
            changes::word(changed.change),
            short(&changed.qualified_name),
            dim(changed.kind.type_name())
        ));
        for difference in &changed.differences {
            page.line(format!("          {}", changes::line(difference)));
        }
    }
    if diff.truncated {
        page.line(dim(&format!("… the first {CHANGED_MAX} are shown")));
    }
    page.print()?;
    Ok(Status::Complete)
}

async fn run_id(store: &Store, text: &str) -> Result<RunId, Failure> {
    match catalog::run_ref(text)? {
        RunRef::Id(id) => Ok(store.run(RunRef::Id(id)).await?.id),
        RunRef::Latest => Ok(store.run(RunRef::Latest).await?.id),
    }
}

fn as_json(changed: &Changed) -> serde_json::Value {
    let differences: Vec<_> = changed.differences.iter().map(changes::as_json).collect();
    json!({"change": changes::word(changed.change), "typeName": changed.kind.type_name(), "qualifiedName": changed.qualified_name.as_str(),
        "differences": differences})
}
