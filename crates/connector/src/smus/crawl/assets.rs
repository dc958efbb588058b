//! The assets of a domain: the inventory and the listings are searched side by side and joined by the asset's id.
//!
//! A published asset is what its listing says; the inventory adds the ids of terms and how the source names the asset. Whichever comes
//! first waits for the other in bounded memory; a listing of a project that the role is no member of has no inventory and waits until
//! the inventory is read.

mod inventory;
mod joining;

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};

use futures::StreamExt;
use futures::channel::mpsc::{Receiver, channel};
use futures::future::{Either, select};
use model::{Asset, Attribute, Kind, Scope};

use super::domains::{part_scope, project_scope};
use super::known::KnownAssets;
use super::lists::Projects;
use super::pages::Asked;
use super::space::{Space, SpaceEnd};
use super::{Crawl, CrawlError};
use crate::port::{AssetSink, Baseline, ReadApi, ReadOperation};
use crate::smus::form::{AssetForms, FormTypeName};
use crate::smus::map::asset::{MappedAsset, map_listing};
use crate::smus::map::product::map_listed_product;
use crate::smus::map::{DomainFacts, warning};
use crate::smus::page::{AssetAnswer, AssetListingItem, DataProductListingItem};
use crate::smus::settings::{Keep, Section};
use joining::{InventoryItem, Joining, RawListing, parse_listings};

/// How many pages a search may be ahead of what is made of them.
const PAGES_AHEAD: usize = 4;

/// How many listings are mapped and delivered at once: those that waited are many.
const LISTINGS_A_BATCH: usize = 100;

/// How many assets of one domain are asked for one by one because the forms of their listings cannot be read.
const FALLBACKS_MAX: usize = 500;

/// How many published data products of one domain are held until all assets are known.
const PRODUCTS_MAX: usize = 100_000;

/// A published data product that waits for its assets.
#[derive(Debug)]
pub(super) struct ListedProduct {
    pub(super) id: u64,
    pub(super) asset: Asset,
    pub(super) project: String,
    pub(super) listings: Vec<String>,
    /// Places of its terms.
    pub(super) terms: Vec<u32>,
}

/// What the assets of a domain leave for the steps after them.
#[derive(Debug)]
pub(super) struct DomainAssets {
    pub(super) known: KnownAssets,
    pub(super) products: Vec<ListedProduct>,
    /// Whether every listing was read.
    pub(super) listings_complete: bool,
    /// Whether the data products of the inventory were read, as far as they have been looked at.
    pub(super) products_complete: bool,
    /// Whether everything that terms are assigned to was read.
    pub(super) assignments_complete: bool,
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
        let Joining { mut known, products, products_left_out, owners, form_types, inventory_complete, .. } = joining;
        known.sort();
        self.deliver_unlisted_projects(facts, projects, &known).await?;
        let projects_with_inventory = owners.list.into_iter().collect();
        if products_left_out > 0 {
            let message = format!("the domain publishes more than {PRODUCTS_MAX} data products; {products_left_out} are left out");
            self.findings().warn(vec![warning(format!("{}/data-products", facts.id), "data-products-left-out", message)]);
        }
        let listings_complete = listings_complete && products_left_out == 0;
        Ok(DomainAssets {
            known,
            products,
            listings_complete,
            products_complete: true,
            assignments_complete: listings_complete && inventory_complete && self.reads(Section::Assets),
            inventory_complete,
            projects_with_inventory,
            form_types,
        })
    }

    async fn join_assets(&self, joining: &mut Joining<'_>) -> Result<bool, CrawlError> {
        let facts = joining.facts;
        let (inventory_out, inventory_in) = channel(PAGES_AHEAD);
        let (listings_out, listings_in) = channel(PAGES_AHEAD);
        let projects: Vec<&str> = joining.projects.wanted.keys().map(String::as_str).collect();
        let (inventory_space, listings_space) = (Space::inventory(&facts.id, "ASSET"), Space::listings(&facts.id));
        let parse_inventory = |body: &bytes::Bytes| self.parse_inventory(facts, body);
        let is_whole = AtomicBool::new(true);
        let inventory = async {
            if !self.reads(Section::Assets) {
                drop(inventory_out);
                return Ok(SpaceEnd::default());
            }
            let end = self.read_space(&inventory_space, &projects, &parse_inventory, inventory_out).await;
            is_whole.store(end.as_ref().is_ok_and(SpaceEnd::is_whole), Ordering::Relaxed);
            end
        };
        let listings = self.read_space(&listings_space, &projects, &parse_listings, listings_out);
        let joined = self.join_pages(joining, (inventory_in, &is_whole), listings_in);
        let (inventory, listings, joined) = futures::join!(inventory, listings, joined);
        joined?;
        let inventory = inventory?;
        self.tell_difference(facts, "inventory", &inventory);
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

    /// Takes pages of both searches until both have ended.
    async fn join_pages(
        &self,
        joining: &mut Joining<'_>,
        (mut inventory, is_whole): (Receiver<Vec<InventoryItem>>, &AtomicBool),
        mut listings: Receiver<Vec<RawListing>>,
    ) -> Result<(), CrawlError> {
        let mut listings_are_done = false;
        while !(joining.inventory_is_done && listings_are_done) {
            let waits_for_inventory = listings_are_done || !joining.has_room();
            let (inventory_page, listing_page) = match (joining.inventory_is_done, waits_for_inventory) {
                (false, false) => match select(inventory.next(), listings.next()).await {
                    Either::Left((page, _)) => (Some(page), None),
                    Either::Right((page, _)) => (None, Some(page)),
                },
                (false, true) => (Some(inventory.next().await), None),
                (true, _) => (None, Some(listings.next().await)),
            };
            if let Some(page) = inventory_page {
                let ready = match page {
                    Some(items) => joining.take_inventory(items),
                    None => {
                        joining.inventory_complete = is_whole.load(Ordering::Relaxed);
                        joining.end_inventory()
                    }
                };
                self.deliver_listings(joining, ready).await?;
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
        let mut listings = listings.into_iter().peekable();
        while listings.peek().is_some() {
            let mut assets = Vec::new();
            for listing in listings.by_ref().take(LISTINGS_A_BATCH) {
                if listing.is_product {
                    self.hold_product(joining, &listing);
                } else if let Some(asset) = self.make_asset(joining, &listing).await? {
                    assets.push(asset);
                }
            }
            self.deliver_by_scope(assets).await?;
        }
        Ok(())
    }

    fn hold_product(&self, joining: &mut Joining<'_>, listing: &RawListing) {
        if !self.reads(Section::DataProducts) {
            return;
        }
        if joining.products.len() >= PRODUCTS_MAX {
            joining.products_left_out += 1;
            return;
        }
        let Ok(item) = serde_json::from_str::<DataProductListingItem<'_>>(&listing.json) else {
            return self.tell_unreadable(joining.facts);
        };
        let project = item.owning_project_id.as_deref().unwrap_or_default().to_owned();
        if joining.projects.is_left_out(&project) {
            return;
        }
        let members = item.items.iter().flatten().filter_map(|member| member.listing_id.as_deref());
        let listings = members.map(str::to_owned).collect();
        if let Some((asset, terms)) = map_listed_product(&self.context(), joining.facts, &item) {
            joining.known.note_project(&project);
            joining.products.push(ListedProduct { id: listing.id, asset, project, listings, terms });
        }
    }

    fn tell_unreadable(&self, facts: &DomainFacts) {
        let message = "a listing is not in the documented form; it is left out, and what is known of it is kept".to_owned();
        self.findings().warn(vec![warning(format!("{}/listings", facts.id), "listing-unreadable", message)]);
    }

    async fn make_asset(&self, joining: &mut Joining<'_>, listing: &RawListing) -> Result<Option<(Scope, Asset)>, CrawlError> {
        let Ok(item) = serde_json::from_str::<AssetListingItem<'_>>(&listing.json) else {
            self.tell_unreadable(joining.facts);
            return Ok(None);
        };
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
        if !forms.found_any && !forms.warnings.is_empty() && inventory.is_some() {
            forms = self.forms_by_name(joining, &item, forms).await?;
        }
        let Some(mapped) =
            map_listing(&context, joining.facts, (&item, project), inventory.as_ref().map(|inventory| &inventory.facts), forms)
        else {
            return Ok(None);
        };
        let id = item.entity_id.as_deref().unwrap_or_default();
        self.note_published(&mapped.asset.qualified_name);
        let is_unread = inventory.is_none() && !joining.inventory_complete;
        joining.known.add(Kind::SmusPublishedAsset, (project, id), item.listing_id.as_deref(), mapped.source());
        let mut asset = self.note(&mut joining.known, mapped);
        self.keep_known(&mut asset, &joining.facts.unread).await?;
        if is_unread {
            self.keep_known(&mut asset, &[Attribute::SmusGlossaryTerms]).await?;
            asset = self.with_what_was_known(asset).await?;
        }
        Ok(Some((project_scope(joining.facts, project), asset)))
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
