//! `keys status`: which keys there are, and what is under them.

use std::collections::BTreeMap;

use serde_json::json;
use server::sealing::MasterKey;

use super::place::Opened;
use crate::arguments::KeysStatusArguments;
use crate::failure::{Failure, Outcome, Status};
use crate::output::{Page, grouped, print_json};

/// A key as it is shown.
struct Line {
    id: String,
    state: &'static str,
    secrets: u64,
}

pub(super) async fn run(arguments: &KeysStatusArguments) -> Outcome {
    let opened = Opened::open(&arguments.of).await?;
    let lines = lines(&opened, &opened.counts().await?);
    opened.store.close().await;
    if arguments.json {
        let keys: Vec<_> = lines.iter().map(|line| json!({"id": line.id, "state": line.state, "secrets": line.secrets})).collect();
        print_json(&json!({"keys": keys}))?;
    } else {
        let rows = lines.iter().map(|line| vec![line.id.clone(), line.state.to_owned(), grouped(line.secrets)]).collect();
        let mut page = Page::default();
        page.table(&["KEY", "STATE", "SECRETS"], rows);
        page.print()?;
    }
    if lines.iter().any(|line| line.state == "missing") {
        return Err(Failure::failed(
            "secrets are under keys that are missing: they cannot be used",
            "Put the missing keys into the key file as further lines, or enter the credentials again.",
        ));
    }
    Ok(Status::Complete)
}

/// The keys in their order, then those that secrets are under and that are not there.
fn lines(opened: &Opened, counts: &BTreeMap<String, u64>) -> Vec<Line> {
    let secrets_of = |id: &str| counts.get(id).copied().unwrap_or(0);
    let known: Vec<String> = opened.keys.all().map(MasterKey::id).map(|id| id.to_string()).collect();
    let mut lines: Vec<Line> = known
        .iter()
        .enumerate()
        .map(|(position, id)| Line {
            id: id.clone(),
            state: if position == 0 { "current" } else { "older" },
            secrets: secrets_of(id),
        })
        .collect();
    let missing = counts.iter().filter(|(id, _)| !known.contains(*id));
    lines.extend(missing.map(|(id, secrets)| Line { id: id.clone(), state: "missing", secrets: *secrets }));
    lines
}
