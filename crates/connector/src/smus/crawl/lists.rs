//! The small lists of a domain: units, projects, form types.

use std::collections::{BTreeMap, HashMap};

use futures::StreamExt;
use model::{Asset, Attribute, Kind};

use super::domains::part_scope;
use super::pages::{Asked, PAGE_DOMAINS_MAX, PAGE_ITEMS_MAX, Page, token};
use super::{Crawl, CrawlError};
use crate::port::{ApiError, AssetSink, Baseline, ReadApi, ReadOperation};
use crate::smus::map::domain::{map_project, map_unit};
use crate::smus::map::{DomainFacts, FormType, ProjectFacts};
use crate::smus::page::{DomainUnitAnswer, DomainUnitsPage, ProjectsPage, TypesPage};
use crate::smus::settings::{ProjectFilter, Section};
use crate::smus::smithy;

/// The most domain units of one domain (the service allows 500).
const UNITS_MAX: usize = 5_000;

/// How many units are asked for at once.
const UNITS_AT_ONCE: usize = 4;

/// The projects of a domain.
#[derive(Debug, Default)]
pub(super) struct Projects {
    /// Those that the settings ask for, by id, as the list has them.
    pub(super) wanted: BTreeMap<String, Asset>,
    /// Every project that the list has.
    all: HashMap<String, ProjectFacts>,
    filter: ProjectFilter,
    /// Whether the list was read to its end.
    pub(super) is_complete: bool,
}

impl Projects {
    pub(super) fn facts(&self) -> HashMap<String, ProjectFacts> {
        self.all.clone()
    }

    /// Whether a project is not asked for. One that the list does not have has no name that is known: its id alone decides, and where the
    /// list could not be read it may be one that is excluded by its name.
    pub(super) fn is_left_out(&self, id: &str) -> bool {
        if self.all.contains_key(id) || id.is_empty() {
            return !id.is_empty() && !self.wanted.contains_key(id);
        }
        !self.filter.wants(id, id) || !(self.is_complete || self.filter.exclude.is_empty())
    }
}

/// The units of a domain.
#[derive(Debug, Default)]
pub(super) struct Units {
    /// Their names by id.
    pub(super) names: HashMap<String, String>,
    /// Whether all of them are known, or none was asked for.
    pub(super) is_complete: bool,
}

/// A unit that is to be asked for.
struct Unit {
    id: String,
    name: Option<String>,
    parent: Option<String>,
}

impl<A: ReadApi, S: AssetSink, B: Baseline> Crawl<'_, A, S, B> {
    /// Reads the tree of units from its root down.
    pub(super) async fn crawl_units(&self, facts: &DomainFacts, root: Option<&str>) -> Result<Units, CrawlError> {
        let mut names = HashMap::new();
        let (true, Some(root)) = (self.reads(Section::DomainUnits), root) else {
            // Domains of the first version may have none.
            return Ok(Units { names, is_complete: !self.reads(Section::DomainUnits) || !facts.is_second_version });
        };
        let scope = part_scope(facts, "units");
        self.ports.progress.scopes_found(1);
        let mut level = vec![Unit { id: root.to_owned(), name: None, parent: None }];
        let mut is_complete = true;
        while !level.is_empty() && names.len() < UNITS_MAX {
            let mut next = Vec::new();
            let reading = (0..level.len()).map(|at| self.read_unit(facts, &level[at]));
            let mut reading = futures::stream::iter(reading).buffered(UNITS_AT_ONCE);
            while let Some((asset, children, failure)) = reading.next().await {
                let (id, mut asset) = asset;
                if failure.is_some() {
                    asset = self.with_what_was_known(asset).await?;
                    asset.attributes.set(Attribute::SmusDomainUnitName, asset.name.as_str());
                }
                names.insert(id, asset.name.clone());
                self.deliver_assets(&scope, vec![asset]).await?;
                next.extend(children);
                if let Some(error) = failure {
                    is_complete = false;
                    self.findings().fail(&scope, error)?;
                }
            }
            drop(reading);
            // A unit that is its own ancestor would be read for ever.
            next.retain(|unit| !names.contains_key(&unit.id));
            level = next;
        }
        let is_complete = level.is_empty() && is_complete;
        if is_complete {
            self.findings().complete(&scope);
        } else {
            self.findings().incomplete(&scope);
        }
        self.ports.progress.scope_done();
        Ok(Units { names, is_complete })
    }

    async fn read_unit(&self, facts: &DomainFacts, unit: &Unit) -> ((String, Asset), Vec<Unit>, Option<ApiError>) {
        let about = Asked::get(ReadOperation::GetDomainUnit, &[&facts.id, &unit.id]);
        let listed_name = unit.name.as_deref().unwrap_or(&unit.id);
        let context = self.context();
        let make = |answer: Option<&DomainUnitAnswer<'_>>| {
            let name = answer.and_then(|answer| answer.name.as_deref()).filter(|name| !name.is_empty()).unwrap_or(listed_name);
            map_unit(&context, facts, &unit.id, unit.parent.as_deref(), (name, answer))
        };
        let described = self.read_once(&about, |body| Ok(make(Some(&serde_json::from_slice(body)?)))).await;
        let below = Asked::get(ReadOperation::ListDomainUnitsForParent, &[&facts.id])
            .with("parentDomainUnitIdentifier", &*unit.id)
            .paged(PAGE_DOMAINS_MAX);
        let children = self
            .read_list(&below, |body| {
                let page: DomainUnitsPage<'_> = serde_json::from_slice(body)?;
                let child = |child: &crate::smus::page::DomainUnitSummary<'_>| Unit {
                    id: child.id.to_string(),
                    name: child.name.as_deref().map(str::to_owned),
                    parent: Some(unit.id.clone()),
                };
                let made = page.items.iter().map(child).collect();
                Ok(Page { made, next_token: token(page.next_token.as_ref()), items: page.items.len() })
            })
            .await;
        let (asset, failure) = match described {
            Ok(asset) => (asset, None),
            Err(error) => (make(None), Some(error)),
        };
        match children {
            Ok(children) => ((unit.id.clone(), asset), children, failure),
            Err(error) => ((unit.id.clone(), asset), Vec::new(), Some(error)),
        }
    }

    /// Lists the projects of a domain. They are delivered with their details.
    pub(super) async fn list_projects(&self, facts: &DomainFacts) -> Result<Projects, CrawlError> {
        self.ports.progress.scopes_found(1);
        let asked = Asked::get(ReadOperation::ListProjects, &[&facts.id]).paged(PAGE_ITEMS_MAX);
        let listed = self
            .read_list(&asked, |body| {
                let page: ProjectsPage<'_> = serde_json::from_slice(body)?;
                let made = page.items.iter().map(|project| {
                    let unit = project.domain_unit_id.as_deref().map(str::to_owned);
                    (project.id.to_string(), unit, map_project(&self.context(), facts, project))
                });
                Ok(Page { made: made.collect(), next_token: token(page.next_token.as_ref()), items: page.items.len() })
            })
            .await;
        self.ports.progress.scope_done();
        let listed = match listed {
            Ok(listed) => listed,
            Err(error) => {
                self.fail_part(facts, "projects", error)?;
                return Ok(Projects { filter: self.settings.projects.clone(), ..Projects::default() });
            }
        };
        let filter = self.settings.projects.clone();
        let mut projects = Projects { is_complete: true, filter, ..Projects::default() };
        for (id, unit, asset) in listed {
            projects.all.insert(id.clone(), ProjectFacts { name: asset.name.clone(), unit });
            if self.settings.projects.wants(&id, &asset.name) {
                projects.wanted.insert(id, asset);
            }
        }
        if projects.wanted.is_empty() && !self.settings.projects.is_empty() {
            let message = "no project that the role can see is let through by --include-project and --exclude-project; check how they are spelt";
            self.findings().warn(vec![crate::smus::map::warning(
                format!("{}/projects", facts.id),
                "filter-matches-nothing",
                message,
            )]);
        }
        Ok(projects)
    }

    /// Lists the form types that the customer defined; none where that failed.
    pub(super) async fn list_form_types(&self, facts: &DomainFacts) -> Result<Option<HashMap<String, FormType>>, CrawlError> {
        if !self.reads(Section::MetadataForms) {
            return Ok(None);
        }
        let body = serde_json::json!({"searchScope": "FORM_TYPE", "managed": false, "maxResults": PAGE_ITEMS_MAX});
        let asked = Asked::search(ReadOperation::SearchTypes, &facts.id, body);
        let listed = self
            .read_list(&asked, |body| {
                let page: TypesPage<'_> = serde_json::from_slice(body)?;
                let items = page.items.len();
                let made = page.items.iter().filter_map(|item| item.form_type_item.as_ref()).map(|item| {
                    let description = item.description.as_ref().map(|text| text.scrubbed(self.ports.masked).into_owned());
                    let model = item.model.as_ref().and_then(|model| model.smithy.as_ref()).map_or("", |model| model.text());
                    let form_type = FormType {
                        revision: item.revision.as_deref().map(str::to_owned),
                        status: item.status.as_deref().map(str::to_owned),
                        project: item.owning_project_id.as_deref().map(str::to_owned),
                        description: description.filter(|text| !text.is_empty()),
                        members: smithy::members(model, &item.name),
                    };
                    (item.name.to_string(), form_type)
                });
                Ok(Page { made: made.collect(), next_token: token(page.next_token.as_ref()), items })
            })
            .await;
        match listed {
            Ok(types) => Ok(Some(types.into_iter().collect())),
            Err(error) => {
                self.fail_part(facts, "form-types", error)?;
                Ok(None)
            }
        }
    }

    /// A project that assets belong to and that the list does not have: known by its id alone.
    pub(super) fn unlisted_project(&self, facts: &DomainFacts, id: &str) -> Asset {
        let mut asset = Asset::new(Kind::SmusProject, self.naming.project(&facts.id, id), id);
        asset.attributes.set(Attribute::SmusDomainName, facts.name.as_str());
        asset.attributes.set(Attribute::SmusDomainId, facts.id.as_str());
        asset.attributes.set(Attribute::SmusProjectId, id);
        asset
    }
}
