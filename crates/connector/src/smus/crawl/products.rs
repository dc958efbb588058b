//! Data products: published ones as their listings say, drafts as the inventory does.

use std::collections::{HashMap, HashSet};

use futures::StreamExt;
use futures::channel::mpsc::channel;
use model::{Asset, Attribute, Reference};

use super::assets::{DomainAssets, ListedProduct};
use super::domains::part_scope;
use super::lists::Projects;
use super::pages::{Asked, Page, token};
use super::space::{Found, Space};
use super::{Crawl, CrawlError};
use crate::port::{ApiError, AssetSink, Baseline, ErrorKind, ReadApi, ReadOperation};
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
        let parse = |body: &bytes::Bytes| {
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
        };
        let (out, pages) = channel::<Vec<FoundProduct>>(PAGES_AHEAD);
        let delivering = async {
            // Its end is the end of the receiver: a search that goes on would wait for it for ever.
            let mut pages = pages;
            let mut found = HashSet::new();
            while let Some(page) = pages.next().await {
                let wanted = page.into_iter().filter(|product| !projects.is_left_out(&product.project)).collect::<Vec<_>>();
                found.extend(wanted.iter().map(|product| hash(&product.id)));
                self.deliver_products(facts, assets, &listed, wanted).await?;
            }
            // What only its listing shows belongs to a project that the role is no member of.
            let others = listed.values().filter(|product| !found.contains(&product.id)).map(|product| {
                let mut asset = product.asset.clone();
                set_members(&mut asset, members_by_listing(assets, product));
                (part_scope(facts, &format!("{}/data-products", product.project)), asset)
            });
            let others: Vec<_> = others.collect();
            self.deliver_by_scope(others).await
        };
        let space = Space::inventory(&facts.id, "DATA_PRODUCT");
        let (end, delivered) = futures::join!(self.read_space(&space, &[], &parse, out), delivering);
        delivered?;
        let end = end?;
        let is_whole = end.is_whole() && assets.listings_complete;
        self.tell_difference(facts, "data-products", &end);
        if let Some(error) = end.failure {
            self.fail_part(facts, "data-products", error)?;
        } else if is_whole {
            for project in projects.wanted.keys() {
                self.findings().complete(&part_scope(facts, &format!("{project}/data-products")));
            }
        }
        Ok(())
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
            match listed.get(&hash(&product.id)) {
                Some(listing) => Ok((
                    published(product.asset, &listing.asset, members_by_listing(known, listing)),
                    product.terms,
                    product.project,
                )),
                None => {
                    let members = self.members_by_name(facts, known, &product.id).await?;
                    let mut asset = product.asset;
                    set_members(&mut asset, members);
                    Ok((asset, product.terms, product.project))
                }
            }
        });
        let mut completing = futures::stream::iter(completing).buffered(PRODUCTS_AT_ONCE);
        let mut delivered = Vec::new();
        let mut assignments = Vec::new();
        while let Some(completed) = completing.next().await {
            let (asset, terms, project): (Asset, Vec<u32>, String) = completed.map_err(|error: ApiError| CrawlError::Api(error))?;
            let own = Reference::new(asset.kind, asset.qualified_name.clone());
            assignments.extend(terms.into_iter().map(|place| (place, own.clone())));
            delivered.push((part_scope(facts, &format!("{project}/data-products")), asset));
        }
        drop(completing);
        assets.assign_all(assignments);
        self.deliver_by_scope(delivered).await
    }

    /// The assets of a product that has no listing; what cannot be read of it is left out.
    async fn members_by_name(&self, facts: &DomainFacts, assets: &DomainAssets, id: &str) -> Result<Vec<Reference>, ApiError> {
        let asked = Asked::get(ReadOperation::GetDataProduct, &[&facts.id, id]);
        let read = self.read_once(&asked, |body| {
            let answer: DataProductAnswer<'_> = serde_json::from_slice(body)?;
            let ids = answer.items.iter().flatten().filter_map(|member| member.identifier.as_deref());
            Ok(ids.filter_map(|id| assets.known.of_id(id)).collect())
        });
        match read.await {
            Ok(members) => Ok(members),
            Err(error) if matches!(error.kind, ErrorKind::NotFound | ErrorKind::Denied) => Ok(Vec::new()),
            Err(error) => {
                self.findings().fail(&part_scope(facts, "data-products"), error)?;
                Ok(Vec::new())
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
