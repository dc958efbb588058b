//! Data products: published ones as their listings say, drafts as the inventory does.

use std::collections::{HashMap, HashSet};

use futures::channel::mpsc::channel;
use futures::{StreamExt, TryStreamExt};
use model::{Asset, Attribute, Reference};

use super::assets::{DomainAssets, ListedProduct};
use super::domains::part_scope;
use super::lists::Projects;
use super::pages::{Asked, Page, token};
use super::space::{Found, Space};
use super::{Crawl, CrawlError};
use crate::port::{AssetSink, Baseline, ErrorKind, ReadApi, ReadOperation};
use crate::smus::hash;
use crate::smus::map::DomainFacts;
use crate::smus::map::product::{map_product, set_members};
use crate::smus::page::{DataProductAnswer, SearchPage};
use crate::smus::settings::Section;

/// How many pages a search may be ahead of what is made of them.
const PAGES_AHEAD: usize = 4;

/// How many data products are asked for at once.
const PRODUCTS_AT_ONCE: usize = 4;

/// A data product of the inventory.
struct FoundProduct {
    id: String,
    project: String,
    asset: Asset,
    /// Places of its terms.
    terms: Vec<u32>,
}

/// A data product with its assets.
struct Completed {
    asset: Asset,
    terms: Vec<u32>,
    project: String,
    /// Whether its assets were read.
    is_known: bool,
}

impl<A: ReadApi, S: AssetSink, B: Baseline> Crawl<'_, A, S, B> {
    /// Delivers the data products of a domain.
    pub(super) async fn crawl_products(
        &self,
        facts: &DomainFacts,
        projects: &Projects,
        assets: &mut DomainAssets,
    ) -> Result<(), CrawlError> {
        if !self.reads(Section::DataProducts) {
            return Ok(());
        }
        let listed: HashMap<u64, ListedProduct> =
            std::mem::take(&mut assets.products).into_iter().map(|product| (product.id, product)).collect();
        let (out, pages) = channel::<Vec<FoundProduct>>(PAGES_AHEAD);
        let space = Space::inventory(&facts.id, "DATA_PRODUCT");
        let parse = |body: &bytes::Bytes| self.parse_products(facts, body);
        let delivering = async {
            // Its end is the end of the receiver: a search that goes on would wait for it for ever.
            let mut pages = pages;
            let mut found = HashSet::new();
            while let Some(page) = pages.next().await {
                let wanted = page.into_iter().filter(|product| !projects.is_left_out(&product.project)).collect::<Vec<_>>();
                found.extend(wanted.iter().map(|product| hash(&product.id)));
                self.deliver_products(facts, assets, &listed, wanted).await?;
            }
            Ok::<_, CrawlError>(found)
        };
        let (end, found) = futures::join!(self.read_space(&space, &[], &parse, out), delivering);
        let (found, end) = (found?, end?);
        assets.products_complete = end.is_whole();
        assets.assignments_complete &= end.is_whole();
        self.deliver_others(facts, assets, listed.values().filter(|product| !found.contains(&product.id))).await?;
        self.tell_difference(facts, "data-products", &end);
        let is_whole = end.is_whole() && assets.listings_complete;
        if let Some(error) = end.failure {
            self.fail_part(facts, "data-products", error)?;
        } else if is_whole {
            for project in projects.wanted.keys() {
                self.findings().complete(&part_scope(facts, &format!("{project}/data-products")));
            }
        }
        Ok(())
    }

    fn parse_products(&self, facts: &DomainFacts, body: &bytes::Bytes) -> Result<Page<Found<FoundProduct>>, serde_json::Error> {
        let page: SearchPage<'_> = serde_json::from_slice(body)?;
        let items = page.items.iter().filter_map(|item| item.data_product_item.as_ref()).map(|item| {
            let product = FoundProduct {
                id: item.id.to_string(),
                project: item.owning_project_id.as_deref().unwrap_or_default().to_owned(),
                asset: map_product(&self.context(), facts, item),
                terms: item.glossary_terms.iter().flatten().filter_map(|id| facts.terms.place(id)).collect(),
            };
            (hash(&item.id), product)
        });
        let found = Found { items: items.collect(), total: page.total_match_count };
        Ok(Page { made: found, next_token: token(page.next_token.as_ref()), items: page.items.len() })
    }

    /// What only its listing shows belongs to a project that the role is no member of.
    async fn deliver_others(
        &self,
        facts: &DomainFacts,
        assets: &mut DomainAssets,
        listed: impl Iterator<Item = &ListedProduct>,
    ) -> Result<(), CrawlError> {
        let completed = listed.map(|product| {
            let mut asset = product.asset.clone();
            set_members(&mut asset, members_by_listing(assets, product));
            Completed { asset, terms: product.terms.clone(), project: product.project.clone(), is_known: true }
        });
        let completed = completed.collect();
        self.deliver_completed(facts, assets, completed).await
    }

    async fn deliver_products(
        &self,
        facts: &DomainFacts,
        assets: &mut DomainAssets,
        listed: &HashMap<u64, ListedProduct>,
        found: Vec<FoundProduct>,
    ) -> Result<(), CrawlError> {
        let known = &*assets;
        let completing = found.into_iter().map(|product| async move {
            let FoundProduct { id, project, mut asset, terms } = product;
            let mut is_known = true;
            match listed.get(&hash(&id)) {
                Some(listing) => asset = published(asset, &listing.asset, members_by_listing(known, listing)),
                None => match self.members_by_name(facts, known, &id).await? {
                    Some(members) => set_members(&mut asset, members),
                    None => is_known = false,
                },
            }
            Ok::<_, CrawlError>(Completed { asset, terms, project, is_known })
        });
        let completed = futures::stream::iter(completing).buffered(PRODUCTS_AT_ONCE).try_collect().await?;
        self.deliver_completed(facts, assets, completed).await
    }

    async fn deliver_completed(
        &self,
        facts: &DomainFacts,
        assets: &mut DomainAssets,
        completed: Vec<Completed>,
    ) -> Result<(), CrawlError> {
        let mut delivered = Vec::new();
        for Completed { mut asset, terms, project, is_known } in completed {
            let own = Reference::new(asset.kind, asset.qualified_name.clone());
            assets.assign_all(terms.into_iter().map(|place| (place, own.clone())).collect());
            self.keep_known(&mut asset, &facts.unread).await?;
            if !is_known || !self.reads(Section::Assets) {
                self.keep_known(&mut asset, &[Attribute::SmusDataProductAssets]).await?;
            }
            if !assets.listings_complete || !assets.products_complete {
                asset = self.with_what_was_known(asset).await?;
            }
            delivered.push((part_scope(facts, &format!("{project}/data-products")), asset));
        }
        self.deliver_by_scope(delivered).await
    }

    /// The assets of a product that has no listing; none where they cannot be read.
    async fn members_by_name(
        &self,
        facts: &DomainFacts,
        assets: &DomainAssets,
        id: &str,
    ) -> Result<Option<Vec<Reference>>, CrawlError> {
        let asked = Asked::get(ReadOperation::GetDataProduct, &[&facts.id, id]);
        let read = self.read_once(&asked, |body| {
            let answer: DataProductAnswer<'_> = serde_json::from_slice(body)?;
            let ids = answer.items.iter().flatten().filter_map(|member| member.identifier.as_deref());
            Ok(ids.filter_map(|id| assets.known.of_id(id)).collect())
        });
        match read.await {
            Ok(members) => Ok(Some(members)),
            Err(error) if matches!(error.kind, ErrorKind::NotFound | ErrorKind::Denied) => Ok(None),
            Err(error) => {
                self.fail_part(facts, "data-products", error)?;
                Ok(None)
            }
        }
    }
}

/// What the inventory says of a product, with what makes it published.
fn published(mut asset: Asset, listing: &Asset, members: Vec<Reference>) -> Asset {
    for attribute in [Attribute::Description, Attribute::SmusAssetRevision, Attribute::SmusListingId, Attribute::SourceUpdatedAt] {
        if let Some(value) = listing.attributes.get(attribute) {
            asset.attributes.set(attribute, value.clone());
        }
    }
    set_members(&mut asset, members);
    asset
}

fn members_by_listing(assets: &DomainAssets, product: &ListedProduct) -> Vec<Reference> {
    product.listings.iter().filter_map(|listing| assets.known.of_listing(listing)).collect()
}
