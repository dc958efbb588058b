//! `Search`, `SearchListings` and `SearchTypes`. The inventory leaves out what belongs to other people's projects without a word.

use std::collections::BTreeSet;

use serde_json::Value;

use super::filter::Filter;
use super::items::{asset_item, listing_item, plain_item, product_item};
use super::listing::{ITEMS_MAX, bytes};
use super::page::Page;
use super::{Context, DataZoneError, Reply};
use crate::account::{FoundThing as Found, Thing};

const MANAGED_PREFIX: &str = "amazon.datazone.";

/// What a search looks for.
struct Query<'q> {
    thing: Thing,
    filter: Filter,
    /// Only things of this project.
    project: Option<&'q str>,
    /// Only things of these projects.
    visible: Option<BTreeSet<&'q str>>,
    /// Only managed types, or only others.
    managed: Option<bool>,
    text: Option<String>,
}

impl<'q> Query<'q> {
    fn new(context: &Context<'q>, thing: Thing) -> Result<Self, DataZoneError> {
        Ok(Self {
            thing,
            filter: Filter::parse(context.input.get("filters"))?,
            project: context.input.peek("owningProjectIdentifier"),
            visible: None,
            managed: None,
            text: context.input.peek("searchText").filter(|text| !text.is_empty()).map(str::to_lowercase),
        })
    }

    fn wants(&self, found: &Found<'_>) -> bool {
        let owner = found.text("owningProjectId");
        let is_managed = |found: &Found<'_>| found.text("name").starts_with(MANAGED_PREFIX);
        self.project.is_none_or(|project| project == owner)
            && self.visible.as_ref().is_none_or(|visible| visible.contains(&*owner))
            && self.managed.is_none_or(|managed| managed == is_managed(found))
            && self.text.as_ref().is_none_or(|text| found.text("name").to_lowercase().contains(text))
            && !found.is_unpublished()
            && self.filter.matches(found)
    }

    fn answer(&self, context: &Context<'q>, item: impl Fn(&Found<'_>) -> Vec<u8>) -> Result<Reply, DataZoneError> {
        let domain = context.domain()?;
        let mut page = Page::open(context, ITEMS_MAX)?;
        if page.total.is_none() {
            // Later pages know it from their token: to count is the expensive part of a search.
            page.total = u64::try_from(domain.after(self.thing, None).filter(|found| self.wants(found)).count()).ok();
        }
        if let Some(sort) = context.input.get("sort") {
            return self.answer_sorted(context, page, sort, item);
        }
        let after = page.after().map(str::to_owned);
        let found = domain.after(self.thing, after.as_deref()).filter(|found| self.wants(found));
        let (found, token) = page.take(found.map(|found| (found.key().into_owned(), found)));
        let items: Vec<Vec<u8>> = found.iter().map(item).collect();
        Ok(page.reply("items", &items, token.as_deref()))
    }

    fn answer_sorted(
        &self,
        context: &Context<'q>,
        mut page: Page<'q>,
        sort: &Value,
        item: impl Fn(&Found<'_>) -> Vec<u8>,
    ) -> Result<Reply, DataZoneError> {
        let attribute = sort["attribute"].as_str().unwrap_or_default();
        let domain = context.domain()?;
        let mut found: Vec<Found<'_>> = domain.after(self.thing, None).filter(|found| self.wants(found)).collect();
        match attribute {
            "creationTime" => found.sort_by_key(Found::created_ms),
            "name" => found.sort_by_key(|found| found.text("name").into_owned()),
            _ => return Err(DataZoneError::validation(format!("Attribute '{attribute}' cannot be sorted by"))),
        }
        if sort["order"] == "DESCENDING" {
            found.reverse();
        }
        let after: Option<usize> = page.after().and_then(|after| after.parse().ok());
        let numbered = found.iter().enumerate().skip(after.map_or(0, |after| after + 1));
        let (found, token) = page.take(numbered.map(|(number, found)| (number.to_string(), found)));
        let items: Vec<Vec<u8>> = found.into_iter().map(item).collect();
        Ok(page.reply("items", &items, token.as_deref()))
    }
}

pub(crate) fn search(context: &Context<'_>) -> Result<Reply, DataZoneError> {
    let domain = context.domain()?;
    let with_forms = context.input.lists("additionalAttributes", "FORMS");
    let own = || Some(context.own_projects(domain));
    match context.input.text("searchScope") {
        "ASSET" => {
            let query = Query { visible: own(), ..Query::new(context, Thing::Asset)? };
            query.answer(context, |found| written(found, with_forms, asset_item))
        }
        "DATA_PRODUCT" => {
            let query = Query { visible: own(), ..Query::new(context, Thing::DataProduct)? };
            query.answer(context, |found| bytes(product_item(&found.document())))
        }
        "GLOSSARY" => {
            Query::new(context, Thing::Glossary)?.answer(context, |found| bytes(plain_item("glossaryItem", &found.document())))
        }
        _ => Query::new(context, Thing::GlossaryTerm)?
            .answer(context, |found| bytes(plain_item("glossaryTermItem", &found.document()))),
    }
}

pub(crate) fn search_listings(context: &Context<'_>) -> Result<Reply, DataZoneError> {
    let with_forms = context.input.lists("additionalAttributes", "FORMS");
    Query::new(context, Thing::Listing)?.answer(context, |found| written(found, with_forms, listing_item))
}

pub(crate) fn search_types(context: &Context<'_>) -> Result<Reply, DataZoneError> {
    let (thing, member) = match context.input.text("searchScope") {
        "ASSET_TYPE" => (Thing::AssetType, "assetTypeItem"),
        "FORM_TYPE" => (Thing::FormType, "formTypeItem"),
        _ => (Thing::LineageNodeType, "lineageNodeTypeItem"),
    };
    let managed = context.input.get("managed").and_then(Value::as_bool);
    let query = Query { managed, ..Query::new(context, thing)? };
    query.answer(context, |found| bytes(plain_item(member, &found.document())))
}

// Generated things are written faster than their documents could be made.
fn written(found: &Found<'_>, with_forms: bool, item: impl Fn(&Value, bool) -> Value) -> Vec<u8> {
    found.written(with_forms).unwrap_or_else(|| bytes(item(&found.document(), with_forms)))
}
