//! Tables: the listing that a crawl spends its time in.

use std::sync::Arc;

use serde_json::{Value, json};

use super::catalogs::list_body;
use super::databases::SHARE_TYPES;
use super::expression::Expression;
use super::page::{More, Page};
use super::{Context, GlueError, Located};
use crate::account::{ExpressionRule, Found, text};

const TABLES_PAGE_MAX: usize = 100;
/// What a hundred tables of twenty columns take, so that the usual page is one allocation.
const PAGE_BYTES_TYPICAL: usize = 384 * 1024;

pub(crate) fn get_tables(context: &Context<'_>) -> Result<Vec<u8>, GlueError> {
    let input = context.input;
    let name = input.required_name("DatabaseName")?;
    input.choice("ResourceShareType", &SHARE_TYPES)?;
    let attributes = attributes(context)?;
    let expression = expression(context)?;
    let page = Page::open(context, TABLES_PAGE_MAX)?;
    let located = context.follow_database(name)?;
    let (tables, last, more) = select(context, &page, located, expression.as_deref());

    let mut body = Vec::with_capacity(if tables.len() > 20 { PAGE_BYTES_TYPICAL } else { 16 * 1024 });
    body.extend_from_slice(b"{\"TableList\":[");
    for (at, table) in tables.iter().enumerate() {
        if at > 0 {
            body.push(b',');
        }
        write_table(context, table, attributes, &mut body)?;
    }
    body.push(b']');
    if let Some(token) = page.next_token(last, more) {
        body.extend_from_slice(b",\"NextToken\":\"");
        body.extend_from_slice(token.as_bytes());
        body.push(b'"');
    }
    body.push(b'}');
    Ok(body)
}

/// The tables of this page, the name of the last one looked at, and whether more follow.
fn select<'c>(
    context: &Context<'c>,
    page: &Page<'_>,
    located: Located<'c>,
    expression: Option<&Expression>,
) -> (Vec<Found<'c>>, Option<String>, More) {
    let page_first = context.account.settings.expression_rule == ExpressionRule::PageThenFilter;
    let range = expression.filter(|_| !page_first).and_then(Expression::range);
    let matches = |found: &Found<'_>| expression.is_none_or(|expression| expression.matches(&found.name()));
    let mut visible = located
        .database
        .tables
        .after(start(page.after(), range.map(|range| range.start.as_str())).as_deref())
        .filter(Found::is_visible)
        .take_while(|found| range.is_none_or(|range| *found.name() < *range.end));
    let mut taken = Vec::with_capacity(page.items_max);
    let mut examined = None;
    let mut counted = 0;
    while counted < page.items_max {
        let Some(found) = visible.next() else { return (taken, None, More::No) };
        let hit = matches(&found);
        counted += usize::from(hit || page_first);
        examined = Some(found);
        if hit {
            taken.push(found);
        }
    }
    let more = visible.any(|found| page_first || matches(&found));
    (taken, examined.map(|found| found.name().into_owned()), if more { More::Yes } else { More::No })
}

// A listing resumes after a name, so to begin at `first` it resumes after something that sorts closely before that.
fn start(after: Option<&str>, first: Option<&str>) -> Option<String> {
    let before_first = first.and_then(|first| {
        let last = first.chars().next_back()?;
        let smaller = char::from_u32(u32::from(last).checked_sub(1)?)?;
        Some(format!("{}{smaller}{}", &first[..first.len() - last.len_utf8()], char::MAX))
    });
    after.map(str::to_owned).max(before_first)
}

pub(crate) fn get_table(context: &Context<'_>) -> Result<Vec<u8>, GlueError> {
    let database = context.input.required_name("DatabaseName")?;
    let name = context.input.required_name("Name")?;
    let located = context.follow_database(database)?;
    let found = located.database.tables.get(name).ok_or_else(|| GlueError::not_found(format!("Table {name} not found.")))?;
    if !found.is_visible() {
        return Err(GlueError::lake_formation(name));
    }
    let mut body = b"{\"Table\":".to_vec();
    write_table(context, &found, Attributes::All, &mut body)?;
    body.push(b'}');
    Ok(body)
}

/// Only the current version is simulated.
pub(crate) fn get_table_versions(context: &Context<'_>) -> Result<Vec<u8>, GlueError> {
    let database = context.input.required_name("DatabaseName")?;
    let name = context.input.required_name("TableName")?;
    let page = Page::open(context, TABLES_PAGE_MAX)?;
    let located = context.follow_database(database)?;
    let found = located.database.tables.get(name).ok_or_else(|| GlueError::not_found(format!("Table {name} not found.")))?;
    if !found.is_visible() {
        return Err(GlueError::lake_formation(name));
    }
    let document = found.document();
    let version = document["VersionId"].as_str().unwrap_or("0").to_owned();
    let (taken, token) = page.take(std::iter::once((version.clone(), json!({"Table": document, "VersionId": version}))));
    Ok(list_body("TableVersions", &json!(taken), token))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Attributes {
    All,
    Name,
    NameAndType,
}

fn attributes(context: &Context<'_>) -> Result<Attributes, GlueError> {
    let Some(mut attributes) = context.input.texts("AttributesToGet")? else { return Ok(Attributes::All) };
    attributes.sort_unstable();
    match attributes.as_slice() {
        ["NAME"] => Ok(Attributes::Name),
        ["NAME", "TABLE_TYPE"] => Ok(Attributes::NameAndType),
        _ => Err(GlueError::invalid_input("AttributesToGet must be [NAME] or [NAME, TABLE_TYPE].")),
    }
}

fn expression(context: &Context<'_>) -> Result<Option<Arc<Expression>>, GlueError> {
    let Some(text) = context.input.optional_text("Expression")? else { return Ok(None) };
    let settings = &context.account.settings;
    if settings.expression_rule == ExpressionRule::Refuse {
        return Err(GlueError::invalid_input("Expression is not supported for this catalog."));
    }
    context.glue.expressions.get(text, settings.expression_match).map(Some)
}

fn write_table(context: &Context<'_>, found: &Found<'_>, attributes: Attributes, body: &mut Vec<u8>) -> Result<(), GlueError> {
    let written = match (attributes, found) {
        (Attributes::All, Found::Generated(bulk, index)) => {
            bulk.render_into(*index, body);
            Ok(())
        }
        (Attributes::All, Found::Listed(_, entry)) if entry.document["TargetTable"].is_null() => {
            serde_json::to_writer(body, &entry.document)
        }
        (Attributes::All, Found::Listed(_, entry)) => serde_json::to_writer(body, &followed(context, &entry.document)),
        (Attributes::Name, _) => serde_json::to_writer(body, &json!({"Name": found.name()})),
        (Attributes::NameAndType, _) => {
            serde_json::to_writer(body, &json!({"Name": found.name(), "TableType": found.table_type()}))
        }
    };
    written.map_err(|_| GlueError::internal())
}

// A link shows its target's structure under its own name, or itself alone where the target is gone or hidden.
fn followed(context: &Context<'_>, link: &Value) -> Value {
    let target = &link["TargetTable"];
    let catalog = target["CatalogId"].as_str().unwrap_or(&context.account.id);
    let located = context.locate(catalog, text(target, "DatabaseName")).ok();
    let found = located.and_then(|located| located.database.tables.get(text(target, "Name")));
    let Some(found) = found.filter(Found::is_visible) else { return link.clone() };
    let mut document = found.document();
    if let (Some(members), Some(own)) = (document.as_object_mut(), link.as_object()) {
        members.extend(own.iter().map(|(name, value)| (name.clone(), value.clone())));
    }
    document
}
