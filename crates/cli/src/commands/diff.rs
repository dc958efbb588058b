//! `diff`: what changed between two runs.

use serde_json::json;
use store::Changed;

use crate::arguments::DiffArguments;
use crate::catalog::{Catalog, run_ref, short};
use crate::changes;
use crate::failure::{Outcome, Status};
use crate::output::{Page, dim, print_json};

/// Changed assets that are listed.
const CHANGED_MAX: usize = 10_000;

pub(crate) async fn run(arguments: &DiffArguments) -> Outcome {
    let (from, to) = (run_ref(&arguments.from_run)?, run_ref(&arguments.to_run)?);
    let catalog = Catalog::open(&arguments.from).await?;
    let (from, to) = (catalog.run(from).await?.id, catalog.run(to).await?.id);
    let diff = catalog.diff(from, to, CHANGED_MAX).await?;
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

fn as_json(changed: &Changed) -> serde_json::Value {
    let differences: Vec<_> = changed.differences.iter().map(changes::as_json).collect();
    json!({"change": changes::word(changed.change), "typeName": changed.kind.type_name(), "qualifiedName": changed.qualified_name.as_str(),
        "differences": differences})
}
