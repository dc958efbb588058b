//! Glossaries and terms. Terms are held until the assets are read, for they say what they are assigned to.

use futures::StreamExt;
use futures::channel::mpsc::channel;
use model::{Asset, Attribute, Reference, Value};

use super::assets::DomainAssets;
use super::domains::part_scope;
use super::pages::{Page, token};
use super::space::{Found, Space, SpaceEnd};
use super::{Crawl, CrawlError};
use crate::port::{AssetSink, Baseline, ReadApi};
use crate::smus::hash;
use crate::smus::map::glossary::{map_glossary, map_term, relate};
use crate::smus::map::{DomainFacts, warning};
use crate::smus::page::SearchPage;
use crate::smus::settings::Section;

/// How many pages a search may be ahead of what is made of them.
const PAGES_AHEAD: usize = 4;

/// The most terms of one domain that are held (the service allows 10,000).
const TERMS_MAX: usize = 100_000;

/// A term that waits for its assignments.
#[derive(Debug)]
struct HeldTerm {
    id: String,
    asset: Asset,
    is_a: Vec<String>,
    classifies: Vec<String>,
}

/// The terms of a domain, and whether all of them were read.
#[derive(Debug, Default)]
pub(super) struct HeldTerms {
    terms: Vec<HeldTerm>,
    is_read: bool,
    is_complete: bool,
}

impl HeldTerms {
    /// Whether every term is known, or none was asked for.
    pub(super) fn is_whole(&self) -> bool {
        self.is_complete || !self.is_read
    }
}

impl<A: ReadApi, S: AssetSink, B: Baseline> Crawl<'_, A, S, B> {
    /// Delivers the glossaries of a domain and reads its terms.
    pub(super) async fn crawl_glossaries(&self, facts: &mut DomainFacts) -> Result<HeldTerms, CrawlError> {
        if !self.reads(Section::Glossaries) {
            return Ok(HeldTerms::default());
        }
        self.ports.progress.scopes_found(1);
        let (glossaries, terms) = futures::join!(self.read_glossaries(facts), self.read_terms(facts));
        glossaries?;
        let held = terms?;
        for term in &held.terms {
            facts.terms.add(&term.id, &term.asset.name, term.asset.qualified_name.clone());
        }
        self.ports.progress.scope_done();
        Ok(held)
    }

    async fn read_glossaries(&self, facts: &DomainFacts) -> Result<(), CrawlError> {
        let scope = part_scope(facts, "glossaries");
        let parse = |body: &bytes::Bytes| {
            let page: SearchPage<'_> = serde_json::from_slice(body)?;
            let items = page.items.iter().filter_map(|item| item.glossary_item.as_ref());
            let items = items.map(|item| (hash(&item.id), map_glossary(&self.context(), facts, item))).collect();
            let found = Found { items, total: page.total_match_count };
            Ok(Page { made: found, next_token: token(page.next_token.as_ref()), items: page.items.len() })
        };
        let (out, pages) = channel(PAGES_AHEAD);
        let delivering = async {
            // Its end is the end of the receiver: a search that goes on would wait for it for ever.
            let mut pages = pages;
            while let Some(assets) = pages.next().await {
                self.deliver_assets(&scope, assets).await?;
            }
            Ok::<_, CrawlError>(())
        };
        let space = Space::inventory(&facts.id, "GLOSSARY");
        let (end, delivered) = futures::join!(self.read_space(&space, &[], &parse, out), delivering);
        delivered?;
        self.end_search(facts, "glossaries", end?).map(|_| ())
    }

    async fn read_terms(&self, facts: &DomainFacts) -> Result<HeldTerms, CrawlError> {
        let parse = |body: &bytes::Bytes| {
            let page: SearchPage<'_> = serde_json::from_slice(body)?;
            let items = page.items.iter().filter_map(|item| item.glossary_term_item.as_ref()).map(|item| {
                let (asset, is_a, classifies) = map_term(&self.context(), facts, item);
                (hash(&item.id), HeldTerm { id: item.id.to_string(), asset, is_a, classifies })
            });
            let found = Found { items: items.collect(), total: page.total_match_count };
            Ok(Page { made: found, next_token: token(page.next_token.as_ref()), items: page.items.len() })
        };
        let (out, mut pages) = channel(PAGES_AHEAD);
        let collecting = async {
            let mut terms = Vec::new();
            while let Some(page) = pages.next().await {
                terms.extend(page);
                terms.truncate(TERMS_MAX);
            }
            terms
        };
        let space = Space::inventory(&facts.id, "GLOSSARY_TERM");
        let (end, terms) = futures::join!(self.read_space(&space, &[], &parse, out), collecting);
        let end = end?;
        let is_complete = end.is_whole() && terms.len() < TERMS_MAX;
        self.tell_difference(facts, "terms", &end);
        if let Some(error) = end.failure {
            self.fail_part(facts, "terms", error)?;
        }
        Ok(HeldTerms { terms, is_read: true, is_complete })
    }

    /// Ends a searched part of a domain: complete, failed, or told to differ. Gives whether it is complete.
    pub(super) fn end_search(&self, facts: &DomainFacts, part: &str, end: SpaceEnd) -> Result<bool, CrawlError> {
        self.tell_difference(facts, part, &end);
        let is_whole = end.is_whole();
        match end.failure {
            Some(error) => self.fail_part(facts, part, error)?,
            None if is_whole => self.findings().complete(&part_scope(facts, part)),
            None => self.findings().incomplete(&part_scope(facts, part)),
        }
        Ok(is_whole)
    }

    /// Where not everything was read that terms may be assigned to, what a term was assigned to before counts as well.
    async fn with_known_assigned(
        &self,
        term: &Asset,
        mut assigned: Vec<Reference>,
        assets: &DomainAssets,
    ) -> Result<Vec<Reference>, CrawlError> {
        if assets.assignments_complete {
            return Ok(assigned);
        }
        let stored = self.ports.baseline.stored(&term.qualified_name).await?;
        let known = stored.as_ref().and_then(|stored| stored.attributes.get(Attribute::AssignedEntities));
        if let Some(Value::References(known)) = known {
            assigned.extend(known.iter().cloned());
            assigned.sort_by(|one, other| one.qualified_name.cmp(&other.qualified_name));
            assigned.dedup();
        }
        Ok(assigned)
    }

    /// Delivers the terms, with what each is assigned to.
    pub(super) async fn deliver_terms(
        &self,
        facts: &DomainFacts,
        held: HeldTerms,
        assets: &mut DomainAssets,
    ) -> Result<(), CrawlError> {
        let scope = part_scope(facts, "terms");
        let mut batch = Vec::new();
        for mut term in held.terms {
            let assigned = facts.terms.place(&term.id).map(|place| assets.known.assignments.take(place)).unwrap_or_default();
            let assigned = self.with_known_assigned(&term.asset, assigned, assets).await?;
            relate(facts, &mut term.asset, (&term.is_a, &term.classifies), assigned);
            batch.push(term.asset);
            if batch.len() >= TERMS_A_BATCH {
                self.deliver_assets(&scope, std::mem::take(&mut batch)).await?;
            }
        }
        self.deliver_assets(&scope, batch).await?;
        let left_out = assets.known.assignments.left_out();
        if left_out > 0 {
            let message = format!(
                "{left_out} assignments of terms are left out of the terms' own lists, which are bounded; the assets name all of their terms"
            );
            self.findings().warn(vec![warning(scope.as_str(), "assignments-left-out", message)]);
        }
        match (held.is_read, held.is_complete) {
            (true, true) => self.findings().complete(&scope),
            (true, false) => self.findings().incomplete(&scope),
            (false, _) => {}
        }
        Ok(())
    }
}

/// How many terms are delivered at once.
const TERMS_A_BATCH: usize = 100;
