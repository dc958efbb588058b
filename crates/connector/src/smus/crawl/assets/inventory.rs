//! The inventory: what it adds to published assets, and the assets that are not published.

use std::collections::BTreeMap;

use futures::StreamExt;
use futures::channel::mpsc::channel;
use model::Kind;

use super::PAGES_AHEAD;
use super::joining::{InventoryItem, Joining};
use crate::MaskedCounts;
use crate::port::{AssetSink, Baseline, ReadApi};
use crate::run::CrawlError;
use crate::smus::crawl::Crawl;
use crate::smus::crawl::domains::part_scope;
use crate::smus::crawl::pages::{Page, token};
use crate::smus::crawl::space::{Found, Space};
use crate::smus::form::{AssetForms, FormContext, FormTypeName};
use crate::smus::hash;
use crate::smus::map::DomainFacts;
use crate::smus::map::asset::{MappedAsset, inventory_facts, map_unpublished};
use crate::smus::page::SearchPage;

impl<A: ReadApi, S: AssetSink, B: Baseline> Crawl<'_, A, S, B> {
    pub(super) fn parse_inventory(
        &self,
        facts: &DomainFacts,
        body: &bytes::Bytes,
    ) -> Result<Page<Found<InventoryItem>>, serde_json::Error> {
        let page: SearchPage<'_> = serde_json::from_slice(body)?;
        let items = page.items.iter().filter_map(|item| item.asset_item.as_ref()).map(|item| {
            let form_types = item.forms().filter_map(|form| {
                let form_type = FormTypeName {
                    name: form.type_name.as_deref()?.to_owned(),
                    revision: form.type_revision.as_deref().map(str::to_owned),
                };
                Some((form.form_name.as_deref()?.to_owned(), form_type))
            });
            let form_types: Vec<_> = form_types.filter(|(_, form_type)| !form_type.name.starts_with("amazon.datazone.")).collect();
            // The source alone is of use here: what is masked on the way is counted where it is kept.
            let (nothing, unmasked) = (BTreeMap::new(), MaskedCounts::default());
            let context = FormContext { settings: self.settings, masked: &unmasked, known_types: &nothing };
            let forms = AssetForms::of_outputs(&context, item.forms());
            let id = hash(&item.identifier);
            let project = item.owning_project_id.as_deref().unwrap_or_default().to_owned();
            (id, InventoryItem { id, project, facts: inventory_facts(&self.context(), facts, item, &forms), form_types })
        });
        let found = Found { items: items.collect(), total: page.total_match_count };
        Ok(Page { made: found, next_token: token(page.next_token.as_ref()), items: page.items.len() })
    }

    /// Reads the inventory once more for the assets that no listing has.
    pub(super) async fn crawl_unpublished(&self, joining: &mut Joining<'_>) -> Result<(), CrawlError> {
        let facts = joining.facts;
        let (out, pages) = channel::<Vec<Option<(String, String, MappedAsset)>>>(PAGES_AHEAD);
        let (listed, types) = (&joining.listed, &joining.form_types);
        let context = self.context();
        let parse = |body: &bytes::Bytes| {
            let page: SearchPage<'_> = serde_json::from_slice(body)?;
            let items = page.items.iter().filter_map(|item| item.asset_item.as_ref()).map(|item| {
                let id = hash(&item.identifier);
                let project = item.owning_project_id.as_deref().unwrap_or_default();
                let is_wanted = !listed.contains(&id) && !joining.projects.is_left_out(project);
                let mapped = is_wanted.then(|| {
                    let forms = AssetForms::of_outputs(&context.forms(types), item.forms());
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
            // Its end is the end of the receiver: a search that goes on would wait for it for ever.
            let mut pages = pages;
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
        self.tell_difference(facts, "inventory", &end);
        // Only what was seen in the first reading, too, is known to have no listing.
        if end.is_whole() && joining.inventory_complete {
            for project in joining.projects.wanted.keys() {
                self.findings().complete(&part_scope(facts, &format!("{project}/inventory")));
            }
        }
        end.failure.map_or(Ok(()), |error| self.fail_part(facts, "inventory", error))
    }
}
