//! Domains: which there are, and the crawl of each.

use std::collections::BTreeSet;

use futures::StreamExt;
use model::{Asset, Attribute, QualifiedName, Scope};

use super::pages::{Asked, PAGE_DOMAINS_MAX, Page, token};
use super::{Crawl, CrawlError};
use crate::port::{ApiError, AssetSink, Baseline, Disposition, ErrorKind, ReadApi, ReadOperation};
use crate::smus::map::domain::map_domain;
use crate::smus::map::{DomainFacts, warning};
use crate::smus::page::{Domain, DomainAnswer, DomainsPage};
use crate::smus::settings::Section;

/// The scope of the list of domains.
pub(super) const DOMAINS_SCOPE: &str = "domains";

/// How many domains are crawled at once: their rate limits are shared, so more would only cost memory.
const DOMAINS_AT_ONCE: usize = 2;

/// A domain that is crawled.
#[derive(Debug)]
pub(super) struct FoundDomain {
    pub(super) id: String,
    /// The domain as the list has it.
    pub(super) asset: Asset,
    /// Its root unit, where the domain has been asked for by name already.
    root: Option<RootUnit>,
}

/// The id of a domain's root unit; domains of the first version may have none.
type RootUnit = Option<String>;

/// Whether there is anything to read in a domain of this status.
fn is_readable(status: Option<&str>) -> bool {
    matches!(status, None | Some("AVAILABLE" | "DELETION_FAILED"))
}

impl<A: ReadApi, S: AssetSink, B: Baseline> Crawl<'_, A, S, B> {
    /// The domains that the settings ask for, or all. Without any nothing else can be read.
    pub(super) async fn find_domains(&self) -> Result<Vec<FoundDomain>, CrawlError> {
        let scope = Scope::new(DOMAINS_SCOPE);
        self.ports.progress.scopes_found(1);
        if !self.settings.domains.is_empty() {
            return self.ask_for_domains().await;
        }
        let asked = Asked::get(ReadOperation::ListDomains, &[]).paged(PAGE_DOMAINS_MAX);
        let listed = self
            .read_list(&asked, |body| {
                let page: DomainsPage<'_> = serde_json::from_slice(body)?;
                let made = page.items.iter().filter(|domain| domain.status.as_deref() != Some("DELETED"));
                let made = made.map(|domain| FoundDomain {
                    id: domain.id.to_string(),
                    asset: map_domain(&self.context(), domain),
                    root: None,
                });
                Ok(Page { made: made.collect(), next_token: token(page.next_token.as_ref()), items: page.items.len() })
            })
            .await;
        self.ports.progress.scope_done();
        match listed {
            Ok(domains) => {
                self.findings().complete(&scope);
                if domains.is_empty() {
                    let message = format!("the role can see no domain in {}; domains are listed for one region only", self.region);
                    self.findings().warn(vec![warning(DOMAINS_SCOPE, "no-domains", message)]);
                }
                Ok(domains)
            }
            Err(error) => {
                self.findings().fail(&scope, error)?;
                Ok(Vec::new())
            }
        }
    }

    /// Domains that are named: each is asked for, so that a wrong id shows.
    async fn ask_for_domains(&self) -> Result<Vec<FoundDomain>, CrawlError> {
        let mut domains = Vec::new();
        for id in self.settings.domains.iter().collect::<BTreeSet<_>>() {
            let asked = Asked::get(ReadOperation::GetDomain, &[id]);
            let answer = self.read_once(&asked, |body| {
                let answer: DomainAnswer<'_> = serde_json::from_slice(body)?;
                Ok((self.map_answer(&answer), root_unit(&answer)))
            });
            match answer.await {
                Ok((asset, root)) => domains.push(FoundDomain { id: id.clone(), asset, root: Some(root) }),
                Err(error) => self.findings().fail(&Scope::new(id), name_domain(error, id))?,
            }
        }
        self.ports.progress.scope_done();
        Ok(domains)
    }

    fn map_answer(&self, answer: &DomainAnswer<'_>) -> Asset {
        let domain = Domain {
            id: answer.id.clone(),
            name: answer.name.clone(),
            description: answer.description.clone(),
            arn: answer.arn.clone(),
            managed_account_id: None,
            status: answer.status.clone(),
            portal_url: answer.portal_url.clone(),
            created_at: answer.created_at,
            last_updated_at: answer.last_updated_at,
            domain_version: answer.domain_version.clone(),
        };
        map_domain(&self.context(), &domain)
    }

    pub(super) async fn crawl_domains(&self, domains: &[FoundDomain]) -> Result<(), CrawlError> {
        let crawls = (0..domains.len()).map(|at| self.crawl_domain(&domains[at]));
        let mut crawls = futures::stream::iter(crawls).buffer_unordered(DOMAINS_AT_ONCE);
        while let Some(done) = crawls.next().await {
            done?;
        }
        Ok(())
    }

    async fn crawl_domain(&self, domain: &FoundDomain) -> Result<(), CrawlError> {
        self.deliver_assets(&Scope::new(DOMAINS_SCOPE), vec![domain.asset.clone()]).await?;
        if !is_readable(domain.asset.attributes.text(Attribute::SmusDomainStatus)) {
            return Ok(());
        }
        if let Some(root) = &domain.root {
            return self.crawl_inside(domain, root.as_deref()).await;
        }
        let asked = Asked::get(ReadOperation::GetDomain, &[&domain.id]);
        match self.read_once(&asked, |body| Ok(root_unit(&serde_json::from_slice(body)?))).await {
            Ok(root) => self.crawl_inside(domain, root.as_deref()).await,
            // Deleted since it was listed.
            Err(error) if error.kind == ErrorKind::NotFound => {
                let message = format!("the domain was listed, but is not there any more ({error}); nothing in it is read");
                self.findings().warn(vec![warning(domain.id.as_str(), "domain-vanished", message)]);
                Ok(())
            }
            // Whoever may not see the domain may not see anything in it: one failure says so, not twenty.
            Err(error) if error.kind == ErrorKind::Denied => {
                Ok(self.findings().fail(&Scope::new(&*domain.id), name_domain(error, &domain.asset.name))?)
            }
            Err(error) => {
                self.findings().fail(&Scope::new(&*domain.id), error)?;
                self.crawl_inside(domain, None).await
            }
        }
    }

    async fn crawl_inside(&self, domain: &FoundDomain, root: Option<&str>) -> Result<(), CrawlError> {
        let mut facts = DomainFacts {
            id: domain.id.clone(),
            name: domain.asset.name.clone(),
            is_second_version: domain.asset.attributes.text(Attribute::SmusDomainVersion) == Some("V2"),
            ..DomainFacts::default()
        };
        let (units, projects, types) =
            futures::join!(self.crawl_units(&facts, root), self.list_projects(&facts), self.list_form_types(&facts));
        let units = units?;
        facts.units = units.names;
        let projects = projects?;
        facts.projects = projects.facts();
        facts.form_types = types?;
        let glossaries = self.crawl_glossaries(&mut facts).await?;
        let subscriptions = self.read_subscriptions(&facts).await?;
        facts.subscriptions = subscriptions.counts();
        facts.unread = unread([
            (units.is_complete, &[Attribute::SmusDomainUnitName]),
            (projects.is_complete, &[Attribute::SmusProjectName, Attribute::SmusDomainUnitId, Attribute::SmusDomainUnitName]),
            (glossaries.is_whole(), &[Attribute::SmusGlossaryTerms]),
            (subscriptions.is_whole(), &[Attribute::SmusPublishedAssetSubscriptionsCount]),
        ]);
        let (assets, details) = futures::join!(self.crawl_assets(&facts, &projects), self.crawl_project_details(&facts, &projects));
        let mut assets = assets?;
        let details = details?;
        self.settle_doubts(&facts, &details, &assets)?;
        assets.assignments_complete &= details.assignments_complete;
        assets.assign_all(details.assignments);
        self.crawl_subscriptions(&facts, &projects, subscriptions, &mut assets).await?;
        self.crawl_products(&facts, &projects, &mut assets).await?;
        self.deliver_terms(&facts, glossaries, &mut assets).await?;
        if self.reads(Section::Lineage) {
            self.crawl_lineage(&facts, &mut assets).await?;
        }
        Ok(())
    }

    /// A failure of one part of a domain.
    pub(super) fn fail_part(&self, facts: &DomainFacts, part: &str, error: ApiError) -> Result<(), CrawlError> {
        self.findings().fail(&part_scope(facts, part), error)?;
        Ok(())
    }

    /// Whether a failure ends the run; what else follows from it is the caller's business.
    pub(super) fn is_fatal(error: &ApiError) -> bool {
        error.kind.disposition() == Disposition::FailRun
    }

    /// The path of an asset below the connection, as reports name things.
    pub(super) fn path_of(&self, name: &QualifiedName) -> String {
        let below = name.as_str().strip_prefix(self.naming.connection().as_str()).unwrap_or(name.as_str());
        below.trim_start_matches('/').to_owned()
    }
}

/// The scope of a part of a domain: `<domain id>/projects`.
pub(super) fn part_scope(facts: &DomainFacts, part: &str) -> Scope {
    Scope::new(format!("{}/{part}", facts.id))
}

/// The scope of what one project publishes.
pub(super) fn project_scope(facts: &DomainFacts, project: &str) -> Scope {
    part_scope(facts, project)
}

/// What assets take from lists, by whether each list was read: of those that were not.
fn unread<const N: usize>(taken: [(bool, &[Attribute]); N]) -> Vec<Attribute> {
    taken.into_iter().filter(|(is_read, _)| !is_read).flat_map(|(_, attributes)| attributes).copied().collect()
}

fn root_unit(answer: &DomainAnswer<'_>) -> RootUnit {
    answer.root_domain_unit_id.as_deref().map(str::to_owned)
}

fn name_domain(mut error: ApiError, domain: &str) -> ApiError {
    error.message = format!("the domain \"{domain}\" cannot be read: {}", error.message);
    error
}
