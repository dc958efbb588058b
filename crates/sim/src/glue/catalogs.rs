//! Catalogs: the account's own, S3 table buckets and federated ones below it.

use serde_json::{Value, json};

use super::page::Page;
use super::{Context, GlueError};

const CATALOGS_PAGE_MAX: usize = 1_000;

pub(crate) fn get_catalogs(context: &Context<'_>) -> Result<Vec<u8>, GlueError> {
    let input = context.input;
    let root = context.account.id.as_str();
    let parent = input.optional_text("ParentCatalogId")?.unwrap_or(root);
    let recursive = input.flag("Recursive")?;
    let include_root = input.flag("IncludeRoot")?;
    let with_databases = input.flag("HasDatabases")?;
    if include_root && parent != root {
        return Err(GlueError::invalid_input("IncludeRoot is only allowed for the root catalog."));
    }
    if !context.account.catalogs.contains_key(parent) {
        return Err(GlueError::not_found(format!("Catalog {parent} not found.")));
    }
    let listed = |id: &str| (id == root && include_root) || parent_of(id) == Some(parent) || (recursive && is_below(id, parent));
    let page = Page::open(context, CATALOGS_PAGE_MAX)?;
    let catalogs =
        context.account.catalogs.iter().filter(|(id, catalog)| listed(id) && (!with_databases || !catalog.databases.is_empty()));
    let (taken, token) = page.take(catalogs.map(|(id, catalog)| (id.clone(), &catalog.document)));
    Ok(list_body("CatalogList", &json!(taken), token))
}

pub(crate) fn get_catalog(context: &Context<'_>) -> Result<Vec<u8>, GlueError> {
    context.input.required_text("CatalogId")?;
    let (_, catalog) = context.catalog()?;
    Ok(json!({"Catalog": catalog.document}).to_string().into_bytes())
}

/// `{"<member>": items, "NextToken": token}`, without a token on the last page.
pub(super) fn list_body(member: &str, items: &Value, token: Option<String>) -> Vec<u8> {
    let mut body = json!({member: items});
    if let Some(token) = token {
        body["NextToken"] = Value::from(token);
    }
    body.to_string().into_bytes()
}

// `1:a/b` is below `1:a`, which is below `1`.
fn parent_of(id: &str) -> Option<&str> {
    id.rsplit_once('/').or_else(|| id.split_once(':')).map(|(parent, _)| parent)
}

fn is_below(id: &str, ancestor: &str) -> bool {
    id.strip_prefix(ancestor).is_some_and(|rest| rest.starts_with([':', '/']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn catalog_ids_nest_by_colon_and_slash() {
        assert_eq!(parent_of("1:s3tablescatalog/bucket"), Some("1:s3tablescatalog"));
        assert_eq!(parent_of("1:s3tablescatalog"), Some("1"));
        assert_eq!(parent_of("1"), None);
        assert!(is_below("1:a/b", "1") && is_below("1:a/b", "1:a") && !is_below("1:ab", "1:a") && !is_below("1", "1"));
    }
}
