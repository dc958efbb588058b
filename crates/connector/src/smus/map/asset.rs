//! Assets: published ones from their listings, unpublished ones from the inventory.

use model::{Asset, Attribute, Kind, Reference, Value, Warning};

use super::domain::{describe, set_times};
use super::form::set_forms;
use super::{DomainFacts, MapContext, warning};
use crate::smus::form::{AssetForms, external_identifier};
use crate::smus::page::{AssetItem, AssetListingItem, Timestamp};

/// What the inventory knows of an asset that its listing does not say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct InventoryFacts {
    /// The external identifier without its project, where the forms name no source.
    pub(crate) external: Option<Box<str>>,
    /// Ids of terms, by their place in the domain's list of terms.
    pub(crate) terms: Box<[u32]>,
    pub(crate) created_at: Option<i64>,
}

/// An asset with what else its page said.
#[derive(Debug)]
pub(crate) struct MappedAsset {
    pub(crate) asset: Asset,
    /// Places of terms in the domain's list with what they are assigned to: the asset or one of its columns.
    pub(crate) assignments: Vec<(u32, Reference)>,
    pub(crate) warnings: Vec<Warning>,
}

/// What the inventory says of an asset.
pub(crate) fn inventory_facts(
    context: &MapContext<'_>,
    facts: &DomainFacts,
    item: &AssetItem<'_>,
    forms: &AssetForms,
) -> InventoryFacts {
    let project = item.owning_project_id.as_deref().unwrap_or_default();
    let external = match forms.source.table_arn.as_ref().or(forms.source.source_identifier.as_ref()) {
        Some(_) => None,
        None => item.external_identifier.as_ref().and_then(|external| external_identifier(external, project, context.masked)),
    };
    let ids = item.glossary_terms.iter().flatten().chain(item.governed_glossary_terms.iter().flatten());
    let created = item.first_revision_created_at.or(item.created_at).and_then(|time| time.0);
    InventoryFacts {
        external: external.map(String::into_boxed_str),
        terms: ids.filter_map(|id| facts.terms.place(id)).collect(),
        created_at: created,
    }
}

/// A published asset of a project. `forms` are those of the published revision; without `inventory` the role is no member of the project.
pub(crate) fn map_listing(
    context: &MapContext<'_>,
    facts: &DomainFacts,
    (listing, project): (&AssetListingItem<'_>, &str),
    inventory: Option<&InventoryFacts>,
    forms: AssetForms,
) -> Option<MappedAsset> {
    let id = listing.entity_id.as_deref().filter(|id| !id.is_empty())?;
    let name = listing.name.as_deref().filter(|name| !name.is_empty()).unwrap_or(id);
    let mut asset = Asset::new(Kind::SmusPublishedAsset, context.naming.asset(&facts.id, project, id), name);
    set_owner(facts, &mut asset, project);
    let attributes = &mut asset.attributes;
    attributes.set_some(Attribute::Description, describe(context, listing.description.as_ref()).filter(|text| !text.is_empty()));
    attributes.set_some(Attribute::SmusAssetType, listing.entity_type.as_deref().map(bare_type));
    attributes.set_some(Attribute::SmusAssetRevision, listing.entity_revision.as_deref());
    attributes.set_some(Attribute::SmusListingId, listing.listing_id.as_deref());
    let created = inventory.and_then(|inventory| inventory.created_at).map(|time| Timestamp(Some(time)));
    set_times(&mut asset, created, listing.created_at);
    if let (Some(counts), Some(_), Some(listing_id)) = (&facts.subscriptions, inventory, listing.listing_id.as_deref()) {
        let count = counts.get(&crate::smus::hash(listing_id)).copied().unwrap_or(0);
        asset.attributes.set(Attribute::SmusPublishedAssetSubscriptionsCount, count);
    }
    let external = inventory.and_then(|inventory| inventory.external.as_deref());
    let mut mapped = finish(context, facts, asset, external, forms);
    let named = listing.glossary_terms.iter().flatten().chain(listing.governed_glossary_terms.iter().flatten());
    let names: Vec<&str> = named.filter_map(|term| term.name.as_deref()).collect();
    mapped.assign(facts, inventory.map(|inventory| &*inventory.terms), &names);
    Some(mapped)
}

/// An asset of the inventory that is not published.
pub(crate) fn map_unpublished(
    context: &MapContext<'_>,
    facts: &DomainFacts,
    item: &AssetItem<'_>,
    forms: AssetForms,
) -> MappedAsset {
    let id = &*item.identifier;
    let project = item.owning_project_id.as_deref().unwrap_or_default();
    let inventory = inventory_facts(context, facts, item, &forms);
    let name = item.name.as_deref().filter(|name| !name.is_empty()).unwrap_or(id);
    let mut asset = Asset::new(Kind::SmusInventoryAsset, context.naming.asset(&facts.id, project, id), name);
    set_owner(facts, &mut asset, project);
    asset.attributes.set_some(Attribute::Description, describe(context, item.description.as_ref()).filter(|text| !text.is_empty()));
    asset.attributes.set_some(Attribute::SmusAssetType, item.type_identifier.as_deref().map(bare_type));
    set_times(&mut asset, inventory.created_at.map(|time| Timestamp(Some(time))), item.created_at);
    let mut mapped = finish(context, facts, asset, inventory.external.as_deref(), forms);
    mapped.assign(facts, Some(&inventory.terms), &[]);
    mapped
}

fn set_owner(facts: &DomainFacts, asset: &mut Asset, project: &str) {
    facts.set_project(asset, project);
    asset.attributes.set(Attribute::SmusOwningProjectId, project);
}

/// `amazon.datazone.GlueTableAssetType` is `GlueTableAssetType`: lists leave the prefix out or not.
pub(crate) fn bare_type(name: &str) -> &str {
    name.strip_prefix("amazon.datazone.").unwrap_or(name)
}

/// What forms give, to any asset.
pub(super) fn finish(
    context: &MapContext<'_>,
    facts: &DomainFacts,
    mut asset: Asset,
    external: Option<&str>,
    forms: AssetForms,
) -> MappedAsset {
    let attributes = &mut asset.attributes;
    if attributes.get(Attribute::Description).is_none() {
        attributes.set_some(Attribute::Description, forms.table_description);
    }
    attributes.set_some(Attribute::SmusAssetSummary, forms.summary);
    attributes.set_some(Attribute::SmusAssetReadMe, forms.read_me);
    attributes.set_some(Attribute::SmusAssetTechnicalName, forms.technical_name);
    attributes.set_some(Attribute::SmusAssetSourceIdentifier, forms.source.identifier(external, context.region));
    if !forms.columns.is_empty() {
        attributes.set(Attribute::ColumnCount, i64::try_from(forms.columns.len()).unwrap_or(i64::MAX));
    }
    let unknown = set_forms(facts, &mut asset, &forms.custom);
    asset.columns = forms.columns;
    let scope = asset.qualified_name.as_str().strip_prefix(context.naming.connection().as_str()).unwrap_or_default();
    let scope = scope.trim_start_matches('/').to_owned();
    let warnings = forms.warnings.into_iter().chain(unknown).map(|(code, message)| warning(scope.clone(), code, message)).collect();
    let mut assignments = Vec::new();
    for (path, ids) in forms.column_terms {
        let column = model::QualifiedName::from_encoded(format!("{}/{path}", asset.qualified_name));
        let places = ids.iter().filter_map(|id| facts.terms.place(id));
        assignments.extend(places.map(|place| (place, Reference::new(Kind::SmusAssetSchema, column.clone()))));
    }
    MappedAsset { asset, assignments, warnings }
}

impl MappedAsset {
    /// Assigns terms to the asset: by id where the inventory has them, else by the names that the listing gives.
    fn assign(&mut self, facts: &DomainFacts, places: Option<&[u32]>, names: &[&str]) {
        let own = Reference::new(self.asset.kind, self.asset.qualified_name.clone());
        let places = places.filter(|places| !places.is_empty() || names.is_empty());
        let (value, places) = match places {
            Some(places) => (facts.terms.assigned(places), places.to_vec()),
            None => facts.terms.assigned_by_name(names),
        };
        self.asset.attributes.set(Attribute::SmusGlossaryTerms, value);
        self.assignments.extend(places.into_iter().map(|place| (place, own.clone())));
    }

    /// The first form type names that assets with types show, for listings that leave them out.
    pub(crate) fn source(&self) -> Option<&str> {
        self.asset.attributes.get(Attribute::SmusAssetSourceIdentifier).and_then(Value::as_text)
    }
}
