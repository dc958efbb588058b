//! The plain listings: documents of one kind, by id, as summaries.

use serde_json::{Map, Value};

use super::page::Page;
use super::{Context, DataZoneError, Reply};
use crate::account::Thing;

/// The usual maximum of `maxResults`.
pub(crate) const ITEMS_MAX: usize = 50;
/// The maximum of `ListDomains` and `ListDomainUnitsForParent`.
pub(crate) const ITEMS_MAX_OF_DOMAINS: usize = 25;

/// One page of the documents of a kind that are `wanted`, each made into a `summary`.
pub(crate) fn list(
    context: &Context<'_>,
    thing: Thing,
    items_max: usize,
    wanted: impl Fn(&Value) -> bool,
    summary: impl Fn(&Value) -> Map<String, Value>,
) -> Result<Reply, DataZoneError> {
    let domain = context.domain()?;
    let mut page = Page::open(context, items_max)?;
    let after = page.after().map(str::to_owned);
    let found = domain.after(thing, after.as_deref()).map(|found| (found.key().into_owned(), found.document()));
    let (documents, token) = page.take(found.filter(|(_, document)| wanted(document)));
    let items: Vec<Vec<u8>> = documents.iter().map(|document| bytes(Value::Object(summary(document)))).collect();
    Ok(page.reply("items", &items, token.as_deref()))
}

/// One page of values that the caller has at hand, by their position.
pub(crate) fn list_values(
    context: &Context<'_>,
    member: &str,
    items_max: usize,
    values: impl IntoIterator<Item = Value>,
) -> Result<Reply, DataZoneError> {
    let mut page = Page::open(context, items_max)?;
    let after: Option<usize> = page.after().and_then(|after| after.parse().ok());
    let numbered = values.into_iter().enumerate().skip_while(|(number, _)| after.is_some_and(|after| *number <= after));
    let (values, token) = page.take(numbered.map(|(number, value)| (number.to_string(), value)));
    let items: Vec<Vec<u8>> = values.into_iter().map(bytes).collect();
    Ok(page.reply(member, &items, token.as_deref()))
}

/// Whether a document's member is what the request's member of the same or another name asks for, where it asks for anything.
pub(crate) fn matches(context: &Context<'_>, document: &Value, asked: &str, member: &str) -> bool {
    context.input.peek(asked).is_none_or(|wanted| document.get(member).and_then(Value::as_str) == Some(wanted))
}

pub(crate) fn bytes(value: impl Into<Value>) -> Vec<u8> {
    value.into().to_string().into_bytes()
}
