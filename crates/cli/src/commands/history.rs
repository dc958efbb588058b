//! `history`: how an asset changed from run to run.

use serde_json::json;
use store::HistoryEvent;

use crate::arguments::NameArguments;
use crate::catalog::{Catalog, short};
use crate::changes;
use crate::clock::readable;
use crate::failure::{Outcome, Status};
use crate::output::{Page, bold, dim, print_json};

pub(crate) async fn run(arguments: &NameArguments) -> Outcome {
    let catalog = Catalog::open(&arguments.from).await?;
    let name = catalog.find(&arguments.name).await?.qualified_name();
    let events = catalog.history(&name).await?;
    if arguments.from.json {
        print_json(&events.iter().map(as_json).collect())?;
        return Ok(Status::Complete);
    }
    let mut page = Page::default();
    page.line(bold(short(&name)));
    for event in &events {
        page.line(format!("  run {:<4} {}  {}", event.run.to_string(), dim(&readable(event.at_ms)), changes::word(event.change)));
        for difference in &event.differences {
            page.line(format!("      {}", changes::line(difference)));
        }
    }
    page.print()?;
    Ok(Status::Complete)
}

fn as_json(event: &HistoryEvent) -> serde_json::Value {
    let differences: Vec<_> = event.differences.iter().map(changes::as_json).collect();
    json!({"run": event.run.0, "at": event.at_ms, "change": changes::word(event.change), "differences": differences})
}
