//! What waits while inventory and listings are joined: which half of an asset is there already.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde::Deserialize;
use serde_json::value::RawValue;

use super::ListedProduct;
use crate::privacy::Text;
use crate::smus::crawl::known::KnownAssets;
use crate::smus::crawl::lists::Projects;
use crate::smus::crawl::pages::{Page, token};
use crate::smus::crawl::space::Found;
use crate::smus::form::FormTypeName;
use crate::smus::hash;
use crate::smus::map::DomainFacts;
use crate::smus::map::asset::InventoryFacts;
use crate::smus::page::SearchListingsPage;

/// How many bytes of listings may wait for their inventory.
const WAITING_BYTES_MAX: usize = 32 * 1024 * 1024;

/// What the inventory gives of one asset.
pub(super) struct InventoryItem {
    pub(super) id: u64,
    pub(super) project: String,
    pub(super) facts: InventoryFacts,
    pub(super) form_types: Vec<(String, FormTypeName)>,
}

/// A listing as it came, to be mapped when its inventory is known.
pub(super) struct RawListing {
    pub(super) id: u64,
    pub(super) json: Box<str>,
    pub(super) is_product: bool,
}

/// The joining of inventory and listings.
pub(super) struct Joining<'j> {
    pub(super) facts: &'j DomainFacts,
    pub(super) projects: &'j Projects,
    pub(super) known: KnownAssets,
    pub(super) products: Vec<ListedProduct>,
    pub(super) products_left_out: usize,
    /// Assets that have a listing: the first one counts.
    pub(super) listed: HashSet<u64>,
    pub(super) inventory: HashMap<u64, Inventory>,
    pub(super) owners: Owners,
    pub(super) form_types: BTreeMap<String, FormTypeName>,
    /// Listings whose inventory has not come yet, by asset.
    waiting: HashMap<u64, RawListing>,
    waiting_bytes: usize,
    pub(super) inventory_is_done: bool,
    pub(super) inventory_complete: bool,
    pub(super) fallbacks: usize,
}

/// What the inventory knows of an asset, and by the place in the list of owners which project has it.
pub(super) struct Inventory {
    pub(super) owner: u32,
    pub(super) facts: InventoryFacts,
}

/// The projects that the inventory shows anything of, each once.
#[derive(Default)]
pub(super) struct Owners {
    pub(super) list: Vec<String>,
    places: HashMap<String, u32>,
}

impl Owners {
    fn place(&mut self, project: String) -> u32 {
        let next = u32::try_from(self.list.len()).unwrap_or(u32::MAX);
        *self.places.entry(project).or_insert_with_key(|project| {
            self.list.push(project.clone());
            next
        })
    }

    pub(super) fn name(&self, place: u32) -> &str {
        self.list.get(place as usize).map_or("", String::as_str)
    }
}

impl<'j> Joining<'j> {
    pub(super) fn new(facts: &'j DomainFacts, projects: &'j Projects, known: KnownAssets) -> Self {
        Self {
            facts,
            projects,
            known,
            products: Vec::new(),
            products_left_out: 0,
            listed: HashSet::new(),
            inventory: HashMap::new(),
            owners: Owners::default(),
            form_types: BTreeMap::new(),
            waiting: HashMap::new(),
            waiting_bytes: 0,
            inventory_is_done: false,
            inventory_complete: true,
            fallbacks: 0,
        }
    }

    /// Takes a page of the inventory; gives the listings that have waited for it.
    pub(super) fn take_inventory(&mut self, items: Vec<InventoryItem>) -> Vec<RawListing> {
        let mut ready = Vec::new();
        for item in items {
            for (name, form_type) in item.form_types {
                self.form_types.entry(name).or_insert(form_type);
            }
            if let Some(listing) = self.waiting.remove(&item.id) {
                self.waiting_bytes -= listing.json.len();
                ready.push(listing);
            }
            if !self.projects.is_left_out(&item.project) {
                let owner = self.owners.place(item.project);
                self.inventory.insert(item.id, Inventory { owner, facts: item.facts });
            }
        }
        ready
    }

    /// Takes the end of the inventory; gives the listings of assets that it does not have.
    pub(super) fn end_inventory(&mut self) -> Vec<RawListing> {
        self.inventory_is_done = true;
        self.waiting_bytes = 0;
        std::mem::take(&mut self.waiting).into_values().collect()
    }

    /// Whether more listings may wait.
    pub(super) fn has_room(&self) -> bool {
        self.inventory_is_done || self.waiting_bytes < WAITING_BYTES_MAX
    }

    /// The listings that can be mapped now; the others wait.
    pub(super) fn sort_out(&mut self, listings: Vec<RawListing>) -> Vec<RawListing> {
        let mut ready = Vec::new();
        for listing in listings {
            if !listing.is_product && !self.listed.insert(listing.id) {
                continue;
            }
            if self.inventory_is_done || listing.is_product || self.inventory.contains_key(&listing.id) {
                ready.push(listing);
            } else {
                self.waiting_bytes += listing.json.len();
                self.waiting.insert(listing.id, listing);
            }
        }
        ready
    }
}

/// What tells listings, and what they are of, apart.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ListingIdentity<'a> {
    #[serde(borrow)]
    listing_id: Option<Text<'a>>,
    #[serde(borrow)]
    entity_id: Option<Text<'a>>,
}

pub(super) fn parse_listings(body: &bytes::Bytes) -> Result<Page<Found<RawListing>>, serde_json::Error> {
    // Each listing is parsed when it is mapped, so that one odd listing costs no other.
    let page: SearchListingsPage<'_, &RawValue, &RawValue> = serde_json::from_slice(body)?;
    let items = page.items.iter().filter_map(|item| {
        let (json, is_product) = match (item.asset_listing, item.data_product_listing) {
            (Some(asset), _) => (asset.get(), false),
            (None, product) => (product?.get(), true),
        };
        let identity: ListingIdentity<'_> = serde_json::from_str(json).unwrap_or_default();
        let entity = identity.entity_id.as_deref();
        // What has no id of its own still counts: the service counts it as well.
        let key = identity.listing_id.as_deref().or(entity).unwrap_or(json);
        Some((hash(key), RawListing { id: hash(entity.unwrap_or(key)), json: json.into(), is_product }))
    });
    let found = Found { items: items.collect(), total: page.total_match_count };
    Ok(Page { made: found, next_token: token(page.next_token.as_ref()), items: page.items.len() })
}
