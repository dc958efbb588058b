//! Jobs, workflows, triggers, crawlers, connections and functions: four forms of read, the same for each kind.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::catalogs::list_body;
use super::expression::Expression;
use super::page::Page;
use super::{Context, GlueError};
use crate::account::{Collection, ExpressionMatch, text};

const CONNECTIONS_PAGE_MAX: usize = 1_000;
const FUNCTIONS_PAGE_MAX: usize = 100;
const HIDDEN_PROPERTIES: [&str; 2] = ["PASSWORD", "ENCRYPTED_PASSWORD"];

/// How one kind of object is read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Kind {
    pub(super) collection: Collection,
    pub(super) noun: &'static str,
    /// Output member of one object.
    pub(super) one: &'static str,
    /// Output member of whole objects.
    pub(super) many: &'static str,
    /// Output member of names, and input member of a batch.
    pub(super) names: &'static str,
    /// Output member of a batch for names that are not there.
    pub(super) missing: &'static str,
    /// Input member of one name.
    pub(super) name: &'static str,
    pub(super) page_max: usize,
    pub(super) batch_max: usize,
}

type Documents = BTreeMap<String, Value>;
static NONE: Documents = BTreeMap::new();

fn documents<'c>(context: &Context<'c>, collection: Collection) -> &'c Documents {
    context.account.resources.get(&collection).unwrap_or(&NONE)
}

pub(super) fn list_documents(context: &Context<'_>, kind: Kind) -> Result<Vec<u8>, GlueError> {
    let page = Page::open(context, kind.page_max)?;
    let chosen = chosen(context, kind)?;
    let (taken, token) = page.take(chosen.into_iter().map(|(name, document)| (name.clone(), document)));
    let shown: Result<Vec<Value>, GlueError> = taken.into_iter().map(|document| shown(context, kind, document)).collect();
    Ok(list_body(kind.many, &json!(shown?), token))
}

pub(super) fn list_names(context: &Context<'_>, kind: Kind) -> Result<Vec<u8>, GlueError> {
    let page = Page::open(context, kind.page_max)?;
    let chosen = chosen(context, kind)?;
    let (taken, token) = page.take(chosen.into_iter().map(|(name, _)| (name.clone(), name)));
    let member = if kind.collection == Collection::Workflow { kind.many } else { kind.names };
    Ok(list_body(member, &json!(taken), token))
}

pub(super) fn get_one(context: &Context<'_>, kind: Kind) -> Result<Vec<u8>, GlueError> {
    let name = context.input.required_name(kind.name)?;
    let found = documents(context, kind.collection).get(name);
    let document = found.ok_or_else(|| GlueError::not_found(format!("{} {name} not found.", kind.noun)))?;
    Ok(json!({kind.one: shown(context, kind, document)?}).to_string().into_bytes())
}

pub(super) fn batch(context: &Context<'_>, kind: Kind) -> Result<Vec<u8>, GlueError> {
    let names = context.input.texts(kind.names)?.ok_or_else(|| GlueError::validation("null", kind.names, "not be null"))?;
    if names.is_empty() && kind.collection == Collection::Workflow {
        return Err(GlueError::validation("'[]'", kind.names, "have length greater than or equal to 1"));
    }
    if names.len() > kind.batch_max {
        let constraint = format!("have length less than or equal to {}", kind.batch_max);
        return Err(GlueError::validation(&format!("'[{} names]'", names.len()), kind.names, &constraint));
    }
    let documents = documents(context, kind.collection);
    let (there, missing): (Vec<&str>, Vec<&str>) = names.into_iter().partition(|name| documents.contains_key(*name));
    let shown: Result<Vec<Value>, GlueError> = there.iter().map(|name| shown(context, kind, &documents[*name])).collect();
    Ok(json!({kind.many: shown?, kind.missing: missing}).to_string().into_bytes())
}

fn chosen<'c>(context: &Context<'c>, kind: Kind) -> Result<Vec<(&'c String, &'c Value)>, GlueError> {
    let dependent_job =
        if kind.collection == Collection::Trigger { context.input.optional_text("DependentJobName")? } else { None };
    let tags = context.input.object("Tags")?;
    let chosen = documents(context, kind.collection).iter().filter(|(name, document)| {
        dependent_job.is_none_or(|job| starts_job(document, job)) && tags.is_none_or(|tags| has_tags(context, kind, name, tags))
    });
    Ok(chosen.collect())
}

fn starts_job(trigger: &Value, job: &str) -> bool {
    trigger["Actions"].as_array().is_some_and(|actions| actions.iter().any(|action| action["JobName"] == job))
}

fn has_tags(context: &Context<'_>, kind: Kind, name: &str, wanted: &Map<String, Value>) -> bool {
    let noun = kind.noun.to_ascii_lowercase();
    let arn = format!("arn:aws:glue:{}:{}:{noun}/{name}", context.account.region, context.account.id);
    let Some(tags) = context.account.tags.get(&arn) else { return false };
    wanted.iter().all(|(key, value)| tags.get(key).map(String::as_str) == value.as_str())
}

fn shown(context: &Context<'_>, kind: Kind, document: &Value) -> Result<Value, GlueError> {
    let mut document = document.clone();
    if kind.collection == Collection::Workflow && !context.input.flag("IncludeGraph")? {
        remove(&mut document, "Graph");
    }
    Ok(document)
}

fn remove(document: &mut Value, member: &str) {
    if let Some(members) = document.as_object_mut() {
        members.remove(member);
    }
}

pub(super) fn get_connections(context: &Context<'_>) -> Result<Vec<u8>, GlueError> {
    let hide = context.input.flag("HidePassword")?;
    context.catalog()?;
    let filter = context.input.object("Filter")?;
    let wanted_type = filter.and_then(|filter| filter.get("ConnectionType")).and_then(Value::as_str);
    let page = Page::open(context, CONNECTIONS_PAGE_MAX)?;
    let chosen = documents(context, Collection::Connection)
        .iter()
        .filter(|(_, document)| wanted_type.is_none_or(|wanted| text(document, "ConnectionType") == wanted));
    let (taken, token) = page.take(chosen.map(|(name, document)| (name.clone(), connection(document, hide))));
    Ok(list_body("ConnectionList", &json!(taken), token))
}

pub(super) fn get_connection(context: &Context<'_>) -> Result<Vec<u8>, GlueError> {
    let name = context.input.required_name("Name")?;
    let hide = context.input.flag("HidePassword")?;
    context.catalog()?;
    let found = documents(context, Collection::Connection).get(name);
    let document = found.ok_or_else(|| GlueError::not_found(format!("Cannot find the connection: {name}")))?;
    Ok(json!({"Connection": connection(document, hide)}).to_string().into_bytes())
}

// As AWS does, this strips passwords only: a URL with credentials in it stays as it is.
fn connection(document: &Value, hide: bool) -> Value {
    let mut document = document.clone();
    if let (true, Some(properties)) = (hide, document["ConnectionProperties"].as_object_mut()) {
        properties.retain(|name, _| !HIDDEN_PROPERTIES.contains(&name.as_str()));
    }
    document
}

pub(super) fn get_functions(context: &Context<'_>) -> Result<Vec<u8>, GlueError> {
    let pattern = context.input.required_text("Pattern")?;
    let (catalog_id, _) = context.catalog()?;
    let database = context.input.optional_text("DatabaseName")?;
    let expression = Expression::compile(pattern, ExpressionMatch::Glob)?;
    let page = Page::open(context, FUNCTIONS_PAGE_MAX)?;
    let chosen = documents(context, Collection::Function).iter().filter(|(name, document)| {
        catalog_id == context.account.id
            && database.is_none_or(|database| text(document, "DatabaseName") == database)
            && expression.matches(name)
    });
    let (taken, token) = page.take(chosen.map(|(name, document)| (name.clone(), document)));
    Ok(list_body("UserDefinedFunctions", &json!(taken), token))
}

pub(super) fn get_tags(context: &Context<'_>) -> Result<Vec<u8>, GlueError> {
    let arn = context.input.required_text("ResourceArn")?;
    let tags = context.account.tags.get(arn).cloned().unwrap_or_default();
    Ok(json!({"Tags": tags}).to_string().into_bytes())
}
