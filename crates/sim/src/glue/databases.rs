//! Databases, those that other accounts share, and links to either.

use serde_json::{Value, json};

use super::catalogs::list_body;
use super::page::Page;
use super::{Context, GlueError};
use crate::account::{Database, text};

const DATABASES_PAGE_MAX: usize = 100;
pub(super) const SHARE_TYPES: [&str; 3] = ["FOREIGN", "ALL", "FEDERATED"];
/// What a link shows of its target where the caller may see it.
const FOLLOWED_MEMBERS: [&str; 3] = ["Description", "LocationUri", "Parameters"];

pub(crate) fn get_databases(context: &Context<'_>) -> Result<Vec<u8>, GlueError> {
    let (catalog_id, catalog) = context.catalog()?;
    let share = context.input.choice("ResourceShareType", &SHARE_TYPES)?;
    let attributes = context.input.texts("AttributesToGet")?;
    let page = Page::open(context, DATABASES_PAGE_MAX)?;
    let own = catalog.databases.iter().filter(|_| share != Some("FOREIGN")).map(|(name, database)| (format!("0 {name}"), database));
    let shared = context.account.catalogs.iter().filter(|(id, _)| {
        matches!(share, Some("FOREIGN" | "ALL")) && catalog_id == context.account.id && is_other_account(id, &context.account.id)
    });
    let shared =
        shared.flat_map(|(id, catalog)| catalog.databases.iter().map(move |(name, database)| (format!("1 {id} {name}"), database)));
    let visible = own.chain(shared).filter(|(_, database)| {
        database.is_visible() && (share != Some("FEDERATED") || !database.document["FederatedDatabase"].is_null())
    });
    let (taken, token) = page.take(visible);
    let documents: Vec<Value> = taken.into_iter().map(|database| shown(context, database, attributes.as_deref())).collect();
    Ok(list_body("DatabaseList", &json!(documents), token))
}

pub(crate) fn get_database(context: &Context<'_>) -> Result<Vec<u8>, GlueError> {
    let name = context.input.required_name("Name")?;
    let (catalog_id, _) = context.catalog()?;
    let located = context.locate(catalog_id, name)?;
    Ok(json!({"Database": shown(context, located.database, None)}).to_string().into_bytes())
}

fn shown(context: &Context<'_>, database: &Database, attributes: Option<&[&str]>) -> Value {
    let document = &database.document;
    match attributes.filter(|attributes| !attributes.is_empty()) {
        Some(attributes) => projected(document, attributes),
        None => followed(context, document),
    }
}

fn projected(document: &Value, attributes: &[&str]) -> Value {
    let mut shown = json!({"Name": document["Name"]});
    if let (true, Some(target)) = (attributes.contains(&"TARGET_DATABASE"), document.get("TargetDatabase")) {
        shown["TargetDatabase"] = target.clone();
    }
    shown
}

fn followed(context: &Context<'_>, document: &Value) -> Value {
    let mut shown = document.clone();
    let target = &document["TargetDatabase"];
    let catalog = target["CatalogId"].as_str().unwrap_or(&context.account.id);
    if let Ok(located) = context.locate(catalog, text(target, "DatabaseName")) {
        for member in FOLLOWED_MEMBERS {
            if let (None, Some(value)) = (document.get(member), located.database.document.get(member)) {
                shown[member] = value.clone();
            }
        }
    }
    shown
}

fn is_other_account(catalog_id: &str, own: &str) -> bool {
    catalog_id != own && catalog_id.bytes().all(|byte| byte.is_ascii_digit())
}
