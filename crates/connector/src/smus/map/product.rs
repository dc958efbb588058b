//! Data products.

use model::{Asset, Attribute, Kind, Reference, Value};

use super::domain::{describe, set_times};
use super::{DomainFacts, MapContext};
use crate::smus::page::{DataProductItem, DataProductListingItem, Timestamp};

/// A data product as its listing has it: published. With the places of its terms.
pub(crate) fn map_listed_product(
    context: &MapContext<'_>,
    facts: &DomainFacts,
    listing: &DataProductListingItem<'_>,
) -> Option<(Asset, Vec<u32>)> {
    let id = listing.entity_id.as_deref().filter(|id| !id.is_empty())?;
    let project = listing.owning_project_id.as_deref().unwrap_or_default();
    let mut asset = product(context, facts, (id, project), listing.name.as_deref());
    asset.attributes.set_some(Attribute::Description, describe(context, listing.description.as_ref()));
    asset.attributes.set_some(Attribute::SmusAssetRevision, listing.entity_revision.as_deref());
    asset.attributes.set_some(Attribute::SmusListingId, listing.listing_id.as_deref());
    let names: Vec<&str> = listing.glossary_terms.iter().flatten().filter_map(|term| term.name.as_deref()).collect();
    let (terms, places) = facts.terms.assigned_by_name(&names);
    asset.attributes.set(Attribute::SmusGlossaryTerms, terms);
    set_times(&mut asset, None, listing.created_at);
    Some((asset, places))
}

/// A data product as the inventory has it: a draft, unless a listing is known as well.
pub(crate) fn map_product(context: &MapContext<'_>, facts: &DomainFacts, item: &DataProductItem<'_>) -> Asset {
    let project = item.owning_project_id.as_deref().unwrap_or_default();
    let mut asset = product(context, facts, (&item.id, project), item.name.as_deref());
    asset.attributes.set_some(Attribute::Description, describe(context, item.description.as_ref()));
    let ids: Vec<String> = item.glossary_terms.iter().flatten().map(ToString::to_string).collect();
    asset.attributes.set(Attribute::SmusGlossaryTerms, facts.terms.assigned_by_id(&ids));
    let created = item.first_revision_created_at.and_then(|time| time.0).or_else(|| item.created_at?.0);
    set_times(&mut asset, created.map(|time| Timestamp(Some(time))), item.created_at);
    asset
}

/// Sets the assets that a product is made of.
pub(crate) fn set_members(asset: &mut Asset, members: Vec<Reference>) {
    if !members.is_empty() {
        asset.attributes.set(Attribute::SmusDataProductAssets, Value::References(members));
    }
}

fn product(context: &MapContext<'_>, facts: &DomainFacts, (id, project): (&str, &str), name: Option<&str>) -> Asset {
    let name = name.filter(|name| !name.is_empty()).unwrap_or(id);
    let mut asset = Asset::new(Kind::SmusDataProduct, context.naming.asset(&facts.id, project, id), name);
    facts.set_project(&mut asset, project);
    asset.attributes.set(Attribute::SmusOwningProjectId, project);
    asset
}
