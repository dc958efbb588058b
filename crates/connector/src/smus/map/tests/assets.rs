//! Published and unpublished assets and data products.

use std::collections::HashMap;

use model::{Kind, Reference};

use super::{DOMAIN, check, check_with, facts, keeping, known_types, page};
use crate::MaskedCounts;
use crate::smus::form::{AssetForms, FormContext};
use crate::smus::map::asset::{InventoryFacts, MappedAsset, inventory_facts, map_listing, map_unpublished};
use crate::smus::map::product::{map_listed_product, map_product, set_members};
use crate::smus::map::{DomainFacts, MapContext};
use crate::smus::page::{AssetItem, AssetListingItem, DataProductListingItem, SearchListingsPage, SearchPage};
use crate::smus::settings::Keep;

fn items(name: &str) -> impl Iterator<Item = AssetItem<'static>> {
    page::<SearchPage<'static>>(name).items.into_iter().filter_map(|item| item.asset_item)
}

fn listings() -> impl Iterator<Item = AssetListingItem<'static>> {
    page::<SearchListingsPage<'static>>("listings").items.into_iter().filter_map(|item| item.asset_listing)
}

/// What the inventory says of each asset, by id.
fn inventory(context: &MapContext<'_>, facts: &DomainFacts) -> HashMap<String, InventoryFacts> {
    let (masked, types) = (MaskedCounts::default(), known_types());
    let forms = FormContext { masked: &masked, ..context.forms(&types) };
    let context = MapContext { masked: &masked, ..*context };
    let said = |item: &AssetItem<'_>| inventory_facts(&context, facts, item, &AssetForms::of_outputs(&forms, item.forms()));
    items("inventory").map(|item| (item.identifier.to_string(), said(&item))).collect()
}

fn map_one(
    context: &MapContext<'_>,
    facts: &DomainFacts,
    listing: &AssetListingItem<'_>,
    inventory: Option<&InventoryFacts>,
) -> Option<MappedAsset> {
    let text = listing.additional_attributes.as_ref().and_then(|attributes| attributes.forms.as_ref());
    let forms = AssetForms::of_listing(&context.forms(&known_types()), text.map_or("{}", |text| text.json()));
    map_listing(context, facts, (listing, listing.owning_project_id.as_deref().unwrap_or_default()), inventory, forms)
}

#[test]
fn published_assets_with_what_the_inventory_adds() {
    check("listings", |context, written| {
        let facts = facts(context);
        let inventory = inventory(context, &facts);
        for listing in listings() {
            let said = listing.entity_id.as_deref().and_then(|id| inventory.get(id));
            map_one(context, &facts, &listing, said).iter().for_each(|mapped| written.mapped(mapped));
        }
    });
}

#[test]
fn published_assets_of_projects_without_membership_have_terms_by_name_and_no_number_of_subscriptions() {
    check("listings_of_others", |context, written| {
        let facts = facts(context);
        for listing in listings().take(3) {
            map_one(context, &facts, &listing, None).iter().for_each(|mapped| written.mapped(mapped));
        }
    });
}

#[test]
fn forms_are_no_warning_where_the_list_of_form_types_could_not_be_read() {
    check("listings_without_form_types", |context, written| {
        let facts = DomainFacts { form_types: None, subscriptions: None, ..facts(context) };
        let inventory = inventory(context, &facts);
        let listing = listings().next().unwrap();
        written.mapped(&map_one(context, &facts, &listing, inventory.get("ast_orders")).unwrap());
    });
}

#[test]
fn unpublished_assets_of_the_inventory() {
    check("inventory", |context, written| {
        let facts = facts(context);
        for item in items("inventory") {
            let forms = AssetForms::of_outputs(&context.forms(&known_types()), item.forms());
            written.mapped(&map_unpublished(context, &facts, &item, forms));
        }
    });
}

#[test]
fn values_of_forms_are_kept_only_for_those_who_ask_for_the_type() {
    let settings = keeping([Keep::FormValues("DataOwner".to_owned())]);
    check_with(&settings, "inventory_opt_in", |context, written| {
        let facts = facts(context);
        for item in items("inventory_opt_in") {
            let forms = AssetForms::of_outputs(&context.forms(&known_types()), item.forms());
            written.mapped(&map_unpublished(context, &facts, &item, forms));
        }
    });
}

#[test]
fn published_data_products_with_their_assets() {
    check("data_product_listings", |context, written| {
        let facts = facts(context);
        let listings = page::<SearchListingsPage<'static>>("data_product_listings").items;
        let listings: Vec<DataProductListingItem<'_>> = listings.into_iter().filter_map(|item| item.data_product_listing).collect();
        for mut product in listings.iter().filter_map(|listing| map_listed_product(context, &facts, listing)) {
            let orders = context.naming.asset(DOMAIN, "prj_sales", "ast_orders");
            set_members(&mut product, vec![Reference::new(Kind::SmusPublishedAsset, orders)]);
            written.asset(&product);
        }
    });
}

#[test]
fn data_products_of_the_inventory() {
    check("data_products", |context, written| {
        let facts = facts(context);
        let items = page::<SearchPage<'static>>("data_products").items;
        for item in items.iter().filter_map(|item| item.data_product_item.as_ref()) {
            let mut product = map_product(context, &facts, item);
            set_members(&mut product, Vec::new());
            written.asset(&product);
        }
    });
}
