//! Single assets, listings, filters and data products.

use serde_json::{Map, Value, json};

use super::listing::{ITEMS_MAX, list, matches};
use super::{Context, DataZoneError, Reply, picked, shown};
use crate::account::{Thing, text};

const OF_FILTER: [&str; 10] = [
    "id",
    "domainId",
    "assetId",
    "name",
    "description",
    "status",
    "effectiveColumnNames",
    "effectiveRowFilter",
    "createdAt",
    "errorMessage",
];

pub(crate) fn get_asset(context: &Context<'_>) -> Result<Reply, DataZoneError> {
    let domain = context.domain()?;
    let asset = context.named(Thing::Asset, "identifier", "Asset")?;
    context.require_member(domain, text(&asset, "owningProjectId"))?;
    check_revision(context, &asset, "revision", "Asset")?;
    let mut answer = shown(&asset);
    if let Some(listing) = domain.listing_of(text(&asset, "id")) {
        let status = listing.get("$status").cloned().unwrap_or_else(|| json!("ACTIVE"));
        answer.insert("listing".to_owned(), json!({"listingId": listing["listingId"], "listingStatus": status}));
    }
    Ok(Value::Object(answer).into())
}

// Only the newest revision is kept, as only that is asked for without a revision.
fn check_revision(context: &Context<'_>, document: &Value, member: &str, noun: &str) -> Result<(), DataZoneError> {
    match context.input.peek(member) {
        Some(asked) if asked != text(document, member) => {
            Err(DataZoneError::not_found(&format!("Revision {asked} of {noun}"), text(document, "id")))
        }
        _ => Ok(()),
    }
}

pub(crate) fn get_listing(context: &Context<'_>) -> Result<Reply, DataZoneError> {
    let listing = context.named(Thing::Listing, "identifier", "Listing")?;
    check_revision(context, &listing, "listingRevision", "listing")?;
    let mut answer = picked(&listing, &["listingRevision", "createdAt", "description", "name"]);
    let status = listing.get("$status").cloned().unwrap_or_else(|| json!("ACTIVE"));
    answer.insert("id".to_owned(), listing["listingId"].clone());
    answer.insert("domainId".to_owned(), json!(text(&context.domain()?.document, "id")));
    answer.insert("status".to_owned(), status);
    answer.insert("item".to_owned(), listed_item(&listing));
    Ok(Value::Object(answer).into())
}

fn listed_item(listing: &Value) -> Value {
    let mut item = Map::new();
    let mut put = |name: &str, from: &str| item.extend(listing.get(from).map(|value| (name.to_owned(), value.clone())));
    for member in ["forms", "glossaryTerms", "owningProjectId", "createdAt", "latestTimeSeriesDataPointForms"] {
        put(member, member);
    }
    if listing.get("$product").is_some() {
        put("dataProductId", "entityId");
        put("dataProductRevision", "entityRevision");
        put("items", "items");
        return json!({"dataProductListing": item});
    }
    put("assetId", "entityId");
    put("assetRevision", "entityRevision");
    put("assetType", "entityType");
    json!({"assetListing": item})
}

pub(crate) fn list_asset_filters(context: &Context<'_>) -> Result<Reply, DataZoneError> {
    let asset = context.named(Thing::Asset, "assetIdentifier", "Asset")?;
    context.require_member(context.domain()?, text(&asset, "owningProjectId"))?;
    let wanted = |filter: &Value| text(filter, "assetId") == text(&asset, "id") && matches(context, filter, "status", "status");
    list(context, Thing::AssetFilter, ITEMS_MAX, wanted, |filter| picked(filter, &OF_FILTER))
}

pub(crate) fn get_data_product(context: &Context<'_>) -> Result<Reply, DataZoneError> {
    let product = context.named(Thing::DataProduct, "identifier", "Data product")?;
    context.require_member(context.domain()?, text(&product, "owningProjectId"))?;
    check_revision(context, &product, "revision", "data product")?;
    Ok(Value::Object(shown(&product)).into())
}
