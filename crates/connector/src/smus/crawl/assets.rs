//! The assets of a domain: the inventory and the listings are searched side by side and joined by the asset's id.
//!
//! A published asset is what its listing says; the inventory adds the ids of terms and how the source names the asset. Whichever comes
//! first waits for the other in bounded memory; a listing of a project that the role is no member of has no inventory and waits until
//! the inventory is read.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use futures::StreamExt;
use futures::channel::mpsc::{Receiver, channel};
use futures::future::{Either, select};
use model::{Asset, Kind, Scope};
use serde_json::value::RawValue;

use super::domains::{part_scope, project_scope};
use super::known::KnownAssets;
use super::lists::Projects;
use super::pages::{Asked, Page, token};
use super::space::{Found, Space, SpaceEnd};
use super::{Crawl, CrawlError};
use crate::port::{AssetSink, Baseline, ReadApi, ReadOperation};
use crate::smus::form::{AssetForms, FormTypeName};
use crate::smus::hash;
use crate::smus::map::asset::{InventoryFacts, MappedAsset, inventory_facts, map_listing, map_unpublished};
use crate::smus::map::{DomainFacts, warning};
use crate::smus::page::{AssetAnswer, AssetListingItem, DataProductListingItem, SearchListingsPage, SearchPage};
use crate::smus::settings::{Keep, Section};

/// How many pages a search may be ahead of what is made of them.
const PAGES_AHEAD: usize = 4;

/// How many bytes of listings may wait for their inventory.
const WAITING_BYTES_MAX: usize = 32 * 1024 * 1024;

/// How many assets of one domain are asked for one by one because the forms of their listings cannot be read.
const FALLBACKS_MAX: usize = 500;

/// How many published data products of one domain are held until all assets are known.
const PRODUCTS_MAX: usize = 100_000;

/// What the inventory gives of one asset.
struct InventoryItem {
    id: u64,
    project: String,
    facts: InventoryFacts,
    form_types: Vec<(String, FormTypeName)>,
}

/// A listing as it came, to be mapped when its inventory is known.
struct RawListing {
    id: u64,
    json: Box<str>,
    is_product: bool,
}

/// A published data product that waits for its assets.
#[derive(Debug)]
pub(super) struct ListedProduct {
    pub(super) id: u64,
    pub(super) asset: Asset,
    pub(super) project: String,
    pub(super) listings: Vec<String>,
}

/// What the assets of a domain leave for the steps after them.
#[derive(Debug)]
pub(super) struct DomainAssets {
    pub(super) known: KnownAssets,
    pub(super) products: Vec<ListedProduct>,
    /// Whether every listing was read.
    pub(super) listings_complete: bool,
    /// Whether the inventory that the role can see was read to its end, or not asked for at all.
    pub(super) inventory_complete: bool,
    /// The projects of which the inventory shows anything.
    pub(super) projects_with_inventory: HashSet<String>,
    /// The types of customer-defined forms by the names of forms.
    pub(super) form_types: BTreeMap<String, FormTypeName>,
}

impl DomainAssets {
    pub(super) fn assign_all(&mut self, assignments: Vec<(u32, model::Reference)>) {
        self.known.assign_all(assignments);
    }
}

/// The joining of inventory and listings.
struct Joining<'j> {
    facts: &'j DomainFacts,
    projects: &'j Projects,
    known: KnownAssets,
    products: Vec<ListedProduct>,
    inventory: HashMap<u64, Inventory>,
    owners: Owners,
    form_types: BTreeMap<String, FormTypeName>,
    waiting: Vec<RawListing>,
    waiting_bytes: usize,
    inventory_is_done: bool,
    inventory_complete: bool,
    fallbacks: usize,
}

/// What the inventory knows of an asset, and by the place in the list of owners which project has it.
struct Inventory {
    owner: u32,
    facts: InventoryFacts,
}

/// The projects that the inventory shows anything of, each once.
#[derive(Default)]
struct Owners {
    list: Vec<String>,
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

    fn name(&self, place: u32) -> &str {
        self.list.get(place as usize).map_or("", String::as_str)
    }
}

impl<A: ReadApi, S: AssetSink, B: Baseline> Crawl<'_, A, S, B> {
    /// Reads and delivers the assets of a domain.
    pub(super) async fn crawl_assets(&self, facts: &DomainFacts, projects: &Projects) -> Result<DomainAssets, CrawlError> {
        let mut joining = Joining::new(facts, projects, KnownAssets::new(&self.naming, &facts.id));
        let mut listings_complete = false;
        if self.reads(Section::Assets) || self.reads(Section::DataProducts) {
            self.ports.progress.scopes_found(1);
            listings_complete = self.join_assets(&mut joining).await?;
            self.ports.progress.scope_done();
        }
        if self.settings.keeps(&Keep::UnpublishedAssets) && self.reads(Section::Assets) && listings_complete {
            self.crawl_unpublished(&mut joining).await?;
        }
        let Joining { mut known, products, owners, form_types, inventory_complete, .. } = joining;
        known.sort();
        self.deliver_unlisted_projects(facts, projects, &known).await?;
        let projects_with_inventory = owners.list.into_iter().collect();
        Ok(DomainAssets { known, products, listings_complete, inventory_complete, projects_with_inventory, form_types })
    }

    async fn join_assets(&self, joining: &mut Joining<'_>) -> Result<bool, CrawlError> {
        let facts = joining.facts;
        let (inventory_out, inventory_in) = channel(PAGES_AHEAD);
        let (listings_out, listings_in) = channel(PAGES_AHEAD);
        let projects: Vec<&str> = joining.projects.wanted.keys().map(String::as_str).collect();
        let (inventory_space, listings_space) = (Space::inventory(&facts.id, "ASSET"), Space::listings(&facts.id));
        let parse_inventory = |body: &bytes::Bytes| self.parse_inventory(facts, body);
        let inventory = async {
            if self.reads(Section::Assets) {
                self.read_space(&inventory_space, &projects, &parse_inventory, inventory_out).await
            } else {
                drop(inventory_out);
                Ok(SpaceEnd::default())
            }
        };
        let listings = self.read_space(&listings_space, &projects, &parse_listings, listings_out);
        let joined = self.join_pages(joining, inventory_in, listings_in);
        let (inventory, listings, joined) = futures::join!(inventory, listings, joined);
        joined?;
        let inventory = inventory?;
        self.tell_difference(facts, "inventory", &inventory);
        joining.inventory_complete = inventory.failure.is_none();
        if let Some(error) = inventory.failure {
            self.fail_part(facts, "inventory", error)?;
        }
        let listings = listings?;
        self.tell_difference(facts, "listings", &listings);
        let is_whole = listings.is_whole();
        if let Some(error) = listings.failure {
            self.fail_part(facts, "listings", error)?;
        } else if is_whole && self.reads(Section::Assets) {
            self.complete_projects(joining);
        }
        Ok(is_whole)
    }

    /// What was published is known for every project, whether the role is a member or not.
    fn complete_projects(&self, joining: &Joining<'_>) {
        let wanted = joining.projects.wanted.keys();
        let all: BTreeSet<&String> = wanted.chain(joining.known.projects()).collect();
        let mut findings = self.findings();
        for project in all {
            findings.complete(&project_scope(joining.facts, project));
        }
    }

    pub(super) fn tell_difference(&self, facts: &DomainFacts, part: &str, end: &SpaceEnd) {
        let Some((found, total)) = end.differs else { return };
        let message = format!(
            "the service states {total} items, but {found} came, also when they were read again; nothing that is missing is archived"
        );
        self.findings().warn(vec![warning(format!("{}/{part}", facts.id), "search-total-differs", message)]);
    }

    fn parse_inventory(&self, facts: &DomainFacts, body: &bytes::Bytes) -> Result<Page<Found<InventoryItem>>, serde_json::Error> {
        let page: SearchPage<'_> = serde_json::from_slice(body)?;
        let items = page.items.iter().filter_map(|item| item.asset_item.as_ref()).map(|item| {
            let outputs = item.additional_attributes.as_ref();
            let outputs = outputs
                .into_iter()
                .flat_map(|outputs| outputs.forms_output.iter().flatten().chain(outputs.read_only_forms_output.iter().flatten()));
            let form_types = outputs.clone().filter_map(|form| {
                let form_type = FormTypeName {
                    name: form.type_name.as_deref()?.to_owned(),
                    revision: form.type_revision.as_deref().map(str::to_owned),
                };
                Some((form.form_name.as_deref()?.to_owned(), form_type))
            });
            let form_types: Vec<_> = form_types.filter(|(_, form_type)| !form_type.name.starts_with("amazon.datazone.")).collect();
            // The source alone is of use here: what is masked on the way is counted where it is kept.
            let (nothing, unmasked) = (BTreeMap::new(), crate::MaskedCounts::default());
            let context = crate::smus::form::FormContext { settings: self.settings, masked: &unmasked, known_types: &nothing };
            let forms = AssetForms::of_outputs(&context, outputs);
            let id = hash(&item.identifier);
            let project = item.owning_project_id.as_deref().unwrap_or_default().to_owned();
            (id, InventoryItem { id, project, facts: inventory_facts(&self.context(), facts, item, &forms), form_types })
        });
        let found = Found { items: items.collect(), total: page.total_match_count };
        Ok(Page { made: found, next_token: token(page.next_token.as_ref()), items: page.items.len() })
    }

    /// Takes pages of both searches until both have ended.
    async fn join_pages(
        &self,
        joining: &mut Joining<'_>,
        mut inventory: Receiver<Vec<InventoryItem>>,
        mut listings: Receiver<Vec<RawListing>>,
    ) -> Result<(), CrawlError> {
        let mut listings_are_done = false;
        while !(joining.inventory_is_done && listings_are_done) {
            let has_room = joining.inventory_is_done || joining.waiting_bytes < WAITING_BYTES_MAX;
            let (inventory_page, listing_page) = match (joining.inventory_is_done, listings_are_done || !has_room) {
                (false, false) => match select(inventory.next(), listings.next()).await {
                    Either::Left((page, _)) => (Some(page), None),
                    Either::Right((page, _)) => (None, Some(page)),
                },
                (false, true) => (Some(inventory.next().await), None),
                (true, _) => (None, Some(listings.next().await)),
            };
            match inventory_page {
                Some(Some(items)) => joining.take_inventory(items),
                Some(None) => {
                    joining.inventory_is_done = true;
                    joining.waiting_bytes = 0;
                    let waiting = std::mem::take(&mut joining.waiting);
                    self.deliver_listings(joining, waiting).await?;
                }
                None => {}
            }
            match listing_page {
                Some(Some(items)) => {
                    let ready = joining.sort_out(items);
                    self.deliver_listings(joining, ready).await?;
                }
                Some(None) => listings_are_done = true,
                None => {}
            }
        }
        Ok(())
    }

    async fn deliver_listings(&self, joining: &mut Joining<'_>, listings: Vec<RawListing>) -> Result<(), CrawlError> {
        let mut assets = Vec::new();
        for listing in listings {
            if listing.is_product {
                self.hold_product(joining, &listing);
            } else if let Some(asset) = self.make_asset(joining, &listing).await? {
                assets.push(asset);
            }
        }
        self.deliver_by_scope(assets).await
    }

    fn hold_product(&self, joining: &mut Joining<'_>, listing: &RawListing) {
        if !self.reads(Section::DataProducts) || joining.products.len() >= PRODUCTS_MAX {
            return;
        }
        let Ok(item) = serde_json::from_str::<DataProductListingItem<'_>>(&listing.json) else { return };
        let project = item.owning_project_id.as_deref().unwrap_or_default().to_owned();
        if joining.projects.is_left_out(&project) {
            return;
        }
        let members = item.items.iter().flatten().filter_map(|member| member.listing_id.as_deref());
        let listings = members.map(str::to_owned).collect();
        if let Some(asset) = crate::smus::map::product::map_listed_product(&self.context(), joining.facts, &item) {
            joining.products.push(ListedProduct { id: listing.id, asset, project, listings });
        }
    }

    async fn make_asset(&self, joining: &mut Joining<'_>, listing: &RawListing) -> Result<Option<(Scope, Asset)>, CrawlError> {
        let Ok(item) = serde_json::from_str::<AssetListingItem<'_>>(&listing.json) else { return Ok(None) };
        let inventory = joining.inventory.remove(&listing.id);
        let project = match (item.owning_project_id.as_deref().filter(|project| !project.is_empty()), &inventory) {
            (Some(project), _) => project.to_owned(),
            (None, Some(inventory)) => joining.owners.name(inventory.owner).to_owned(),
            (None, None) => String::new(),
        };
        let project = project.as_str();
        if !self.reads(Section::Assets) || joining.projects.is_left_out(project) {
            return Ok(None);
        }
        let text = item.additional_attributes.as_ref().and_then(|attributes| attributes.forms.as_ref());
        let context = self.context();
        let mut forms = AssetForms::of_listing(&context.forms(&joining.form_types), text.map_or("{}", |text| text.json()));
        if !forms.found_any && inventory.is_some() {
            forms = self.forms_by_name(joining, &item, forms).await?;
        }
        let Some(mapped) =
            map_listing(&context, joining.facts, (&item, project), inventory.as_ref().map(|inventory| &inventory.facts), forms)
        else {
            return Ok(None);
        };
        let id = item.entity_id.as_deref().unwrap_or_default();
        joining.known.add(Kind::SmusPublishedAsset, (project, id), item.listing_id.as_deref(), mapped.source());
        Ok(Some((project_scope(joining.facts, project), self.note(&mut joining.known, mapped))))
    }

    /// Tells what was odd of an asset and remembers its terms; gives the asset itself.
    fn note(&self, known: &mut KnownAssets, mapped: MappedAsset) -> Asset {
        known.assign_all(mapped.assignments);
        if !mapped.warnings.is_empty() {
            self.findings().warn(mapped.warnings);
        }
        mapped.asset
    }

    /// The forms of the published revision, where those of the listing cannot be read.
    async fn forms_by_name(
        &self,
        joining: &mut Joining<'_>,
        item: &AssetListingItem<'_>,
        unread: AssetForms,
    ) -> Result<AssetForms, CrawlError> {
        let Some(id) = item.entity_id.as_deref().filter(|_| joining.fallbacks < FALLBACKS_MAX) else { return Ok(unread) };
        joining.fallbacks += 1;
        let mut asked = Asked::get(ReadOperation::GetAsset, &[&joining.facts.id, id]);
        if let Some(revision) = item.entity_revision.as_deref() {
            asked = asked.with("revision", revision);
        }
        let context = self.context();
        let read = self.read_once(&asked, |body| {
            let answer: AssetAnswer<'_> = serde_json::from_slice(body)?;
            let outputs = answer.forms_output.iter().flatten().chain(answer.read_only_forms_output.iter().flatten());
            Ok(AssetForms::of_outputs(&context.forms(&joining.form_types), outputs))
        });
        match read.await {
            Ok(mut forms) => {
                forms.warnings.extend(unread.warnings);
                Ok(forms)
            }
            Err(error) if Self::is_fatal(&error) => Err(error.into()),
            // The asset itself is there; only its forms are not.
            Err(_) => Ok(unread),
        }
    }

    /// Reads the inventory once more for the assets that no listing has.
    async fn crawl_unpublished(&self, joining: &mut Joining<'_>) -> Result<(), CrawlError> {
        let facts = joining.facts;
        let (out, mut pages) = channel::<Vec<Option<(String, String, MappedAsset)>>>(PAGES_AHEAD);
        let (unpublished, types) = (&joining.inventory, &joining.form_types);
        let context = self.context();
        let parse = |body: &bytes::Bytes| {
            let page: SearchPage<'_> = serde_json::from_slice(body)?;
            let items = page.items.iter().filter_map(|item| item.asset_item.as_ref()).map(|item| {
                let id = hash(&item.identifier);
                let project = item.owning_project_id.as_deref().unwrap_or_default();
                let is_wanted = unpublished.contains_key(&id) && !joining.projects.is_left_out(project);
                let mapped = is_wanted.then(|| {
                    let outputs = item.additional_attributes.as_ref();
                    let outputs = outputs.into_iter().flat_map(|outputs| {
                        outputs.forms_output.iter().flatten().chain(outputs.read_only_forms_output.iter().flatten())
                    });
                    let forms = AssetForms::of_outputs(&context.forms(types), outputs);
                    (project.to_owned(), item.identifier.to_string(), map_unpublished(&context, facts, item, forms))
                });
                (id, mapped)
            });
            let found = Found { items: items.collect(), total: page.total_match_count };
            Ok(Page { made: found, next_token: token(page.next_token.as_ref()), items: page.items.len() })
        };
        let projects: Vec<&str> = joining.projects.wanted.keys().map(String::as_str).collect();
        let space = Space::inventory(&facts.id, "ASSET");
        let known = &mut joining.known;
        let taking = async {
            while let Some(items) = pages.next().await {
                let assets = items.into_iter().flatten().map(|(project, id, mapped)| {
                    known.add(Kind::SmusInventoryAsset, (&project, &id), None, mapped.source());
                    (part_scope(facts, &format!("{project}/inventory")), self.note(known, mapped))
                });
                let assets: Vec<_> = assets.collect();
                self.deliver_by_scope(assets).await?;
            }
            Ok::<_, CrawlError>(())
        };
        let (end, taken) = futures::join!(self.read_space(&space, &projects, &parse, out), taking);
        taken?;
        let end = end?;
        if end.is_whole() {
            for project in joining.projects.wanted.keys() {
                self.findings().complete(&part_scope(facts, &format!("{project}/inventory")));
            }
        }
        end.failure.map_or(Ok(()), |error| self.fail_part(facts, "inventory", error))
    }

    /// Projects that own published assets and that the list of projects does not have: the role is no member of them.
    async fn deliver_unlisted_projects(
        &self,
        facts: &DomainFacts,
        projects: &Projects,
        known: &KnownAssets,
    ) -> Result<(), CrawlError> {
        let is_unlisted = |project: &&String| !project.is_empty() && !facts.projects.contains_key(*project);
        for project in known.projects().iter().filter(is_unlisted) {
            let asset = self.with_what_was_known(self.unlisted_project(facts, project)).await?;
            self.deliver_assets(&part_scope(facts, "projects"), vec![asset]).await?;
            if projects.is_complete {
                self.fail_membership(facts, project, None)?;
            }
        }
        Ok(())
    }
}

impl<'j> Joining<'j> {
    fn new(facts: &'j DomainFacts, projects: &'j Projects, known: KnownAssets) -> Self {
        Self {
            facts,
            projects,
            known,
            products: Vec::new(),
            inventory: HashMap::new(),
            owners: Owners::default(),
            form_types: BTreeMap::new(),
            waiting: Vec::new(),
            waiting_bytes: 0,
            inventory_is_done: false,
            inventory_complete: true,
            fallbacks: 0,
        }
    }

    fn take_inventory(&mut self, items: Vec<InventoryItem>) {
        for item in items {
            for (name, form_type) in item.form_types {
                self.form_types.entry(name).or_insert(form_type);
            }
            if !self.projects.is_left_out(&item.project) {
                let owner = self.owners.place(item.project);
                self.inventory.insert(item.id, Inventory { owner, facts: item.facts });
            }
        }
    }

    /// The listings that can be mapped now; the others wait.
    fn sort_out(&mut self, listings: Vec<RawListing>) -> Vec<RawListing> {
        let mut ready = Vec::new();
        for listing in listings {
            if self.inventory_is_done || listing.is_product || self.inventory.contains_key(&listing.id) {
                ready.push(listing);
            } else {
                self.waiting_bytes += listing.json.len();
                self.waiting.push(listing);
            }
        }
        ready
    }
}

/// The items of a page of listings as they came.
#[derive(serde::Deserialize)]
struct RawListings<'a> {
    #[serde(borrow, default)]
    items: Vec<RawListingItem<'a>>,
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawListingItem<'a> {
    #[serde(borrow)]
    asset_listing: Option<&'a RawValue>,
    #[serde(borrow)]
    data_product_listing: Option<&'a RawValue>,
}

fn parse_listings(body: &bytes::Bytes) -> Result<Page<Found<RawListing>>, serde_json::Error> {
    let page: SearchListingsPage<'_> = serde_json::from_slice(body)?;
    let raw: RawListings<'_> = serde_json::from_slice(body)?;
    let items = page.items.iter().zip(raw.items).filter_map(|(item, raw)| {
        let asset = item.asset_listing.as_ref().and_then(|listing| listing.entity_id.as_deref());
        let product = item.data_product_listing.as_ref().and_then(|listing| listing.entity_id.as_deref());
        let (id, json, is_product) = match (asset, product) {
            (Some(id), _) => (id, raw.asset_listing?, false),
            (None, Some(id)) => (id, raw.data_product_listing?, true),
            (None, None) => return None,
        };
        Some((hash(id), RawListing { id: hash(id), json: json.get().into(), is_product }))
    });
    let found = Found { items: items.collect(), total: page.total_match_count };
    Ok(Page { made: found, next_token: token(page.next_token.as_ref()), items: page.items.len() })
}
