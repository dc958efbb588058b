//! `search`: names, descriptions, columns.

use model::Kind;
use serde_json::json;
use store::{Hit, Matched, SearchQuery};

use crate::arguments::SearchArguments;
use crate::catalog::{self, Catalog};
use crate::failure::{Failure, Outcome, Status};
use crate::output::{Page, print_json};

/// Characters of a description that are shown beside a hit.
const DESCRIPTION_CHARACTERS_MAX: usize = 60;

pub(crate) async fn run(arguments: &SearchArguments) -> Outcome {
    let kinds = arguments.types.iter().map(|name| kind(name)).collect::<Result<Vec<_>, _>>()?;
    let catalog = Catalog::open(&arguments.from).await?;
    let query = SearchQuery { text: arguments.query.join(" "), kinds, limit: arguments.limit as usize, ..SearchQuery::default() };
    let hits = catalog.search(&query).await?;
    if arguments.from.json {
        print_json(&hits.iter().map(as_json).collect())?;
    } else if hits.is_empty() {
        Page::with_line(format!("nothing matches \"{}\"", query.text)).print()?;
    } else {
        let mut page = Page::default();
        page.table(&["type", "name", "found in", "description"], hits.iter().map(row).collect());
        page.print()?;
    }
    Ok(Status::Complete)
}

fn kind(name: &str) -> Result<Kind, Failure> {
    let known = Kind::ALL.iter().copied().find(|kind| kind.type_name().eq_ignore_ascii_case(name));
    known.ok_or_else(|| {
        let names: Vec<_> = Kind::ALL.iter().map(|kind| kind.type_name()).collect();
        Failure::usage(format!("there is no type \"{name}\"; there are {}", names.join(", ")))
    })
}

fn matched(hit: &Hit) -> String {
    match &hit.matched {
        Matched::Name => "name".to_owned(),
        Matched::Column(path) => format!("column {path}"),
        Matched::Description => "description".to_owned(),
        Matched::Enrichment => "what people added".to_owned(),
        Matched::Words => "words".to_owned(),
    }
}

fn row(hit: &Hit) -> Vec<String> {
    let description = hit.description.as_deref().unwrap_or_default().lines().next().unwrap_or_default();
    let shown: String = description.chars().take(DESCRIPTION_CHARACTERS_MAX).collect();
    vec![hit.kind.to_string(), catalog::title(&hit.name, &hit.qualified_name), matched(hit), shown]
}

fn as_json(hit: &Hit) -> serde_json::Value {
    json!({"typeName": hit.kind.type_name(), "qualifiedName": hit.qualified_name.as_str(), "name": hit.name,
        "description": hit.description, "matched": matched(hit)})
}
