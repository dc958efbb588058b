//! What is asked of one project at a time: memberships (to say what the role cannot see), its profile, its role and place in Amazon S3.

use std::collections::HashMap;

use futures::StreamExt;
use model::{Asset, Reference};

use super::assets::DomainAssets;
use super::domains::{part_scope, project_scope};
use super::lists::Projects;
use super::pages::{Asked, PAGE_ITEMS_MAX, Page, token};
use super::{Crawl, CrawlError};
use crate::port::{ApiError, AssetSink, Baseline, ErrorKind, ReadApi, ReadOperation};
use crate::privacy::ProvisionedResources;
use crate::smus::map::DomainFacts;
use crate::smus::map::domain::{ProjectDetails, add_details};
use crate::smus::page::{EnvironmentAnswer, EnvironmentsPage, MembershipsPage, ProfilesPage, ProjectAnswer, UserProfileAnswer};
use crate::smus::settings::{Keep, Section};

/// How many projects are asked about at once.
const PROJECTS_AT_ONCE: usize = 8;

/// How many environments of a project are looked into for its role and place: the tooling one comes first and has both.
const ENVIRONMENTS_TRIED_MAX: usize = 3;

/// Whether the role is a member of a project.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Membership {
    /// It is, or nothing says otherwise.
    Member,
    /// Its profile is not in the list of members; what the inventory shows decides.
    Doubtful,
    /// It is not: the service said so.
    NotMember,
}

/// What the members of a project show.
pub(crate) struct Members {
    pub(crate) includes_self: bool,
    pub(crate) has_groups: bool,
}

impl Members {
    /// Reads one page of members.
    pub(crate) fn of(page: &MembershipsPage<'_>, own_profile: Option<&str>) -> Self {
        let details = || page.members.iter().filter_map(|member| member.member_details.as_ref());
        let is_self = |id: &crate::privacy::ProfileId<'_>| own_profile.is_some_and(|own| id.is(own));
        let users = || details().filter_map(|details| details.user.as_ref()?.user_id.as_ref());
        Self {
            includes_self: users().any(is_self),
            has_groups: details().any(|details| details.group.is_some_and(|group| group.0)),
        }
    }

    /// Whether the role is proven not to be a member: its profile is known, and neither it nor any group that it may be in is listed.
    pub(crate) fn excludes_self(&self, own_profile: Option<&str>) -> bool {
        own_profile.is_some() && !self.includes_self && !self.has_groups
    }
}

/// What the details of projects leave for the steps after them.
#[derive(Debug, Default)]
pub(super) struct Details {
    /// Places of terms with the projects that they are assigned to.
    pub(super) assignments: Vec<(u32, Reference)>,
    /// Whether all of these were read.
    pub(super) assignments_complete: bool,
    /// Projects whose lists of members do not have the role.
    doubtful: Vec<String>,
}

/// A project with its details.
struct ProjectRead {
    id: String,
    asset: Asset,
    /// Places of the terms that are assigned to it.
    terms: Vec<u32>,
    /// Whether they were read.
    knows_terms: bool,
    is_doubtful: bool,
}

/// What a project's details are read with.
struct Asking<'a> {
    facts: &'a DomainFacts,
    own_profile: Option<String>,
    /// Names of profiles by id; none where they could not be read.
    profiles: Option<HashMap<String, String>>,
}

impl<A: ReadApi, S: AssetSink, B: Baseline> Crawl<'_, A, S, B> {
    /// Reads the details of every wanted project and delivers the projects.
    pub(super) async fn crawl_project_details(&self, facts: &DomainFacts, projects: &Projects) -> Result<Details, CrawlError> {
        let scope = part_scope(facts, "projects");
        let (profiles, own_profile) = futures::join!(self.list_profiles(facts), self.own_profile(facts));
        let asking = Asking { facts, own_profile: own_profile?, profiles: profiles? };
        let wanted: Vec<_> = projects.wanted.iter().collect();
        let reading = (0..wanted.len()).map(|at| self.read_project(&asking, wanted[at].0, wanted[at].1.clone()));
        let mut reading = futures::stream::iter(reading).buffer_unordered(PROJECTS_AT_ONCE);
        let mut details = Details { assignments_complete: projects.is_complete, ..Details::default() };
        while let Some(read) = reading.next().await {
            let ProjectRead { id, asset, terms, knows_terms, is_doubtful } = read?;
            details.assignments_complete &= knows_terms;
            let own = Reference::new(asset.kind, asset.qualified_name.clone());
            details.assignments.extend(terms.into_iter().map(|place| (place, own.clone())));
            details.doubtful.extend(is_doubtful.then_some(id));
            self.deliver_assets(&scope, vec![asset]).await?;
        }
        if projects.is_complete {
            self.findings().complete(&scope);
        }
        Ok(details)
    }

    /// Says of which projects the role is no member after all: those whose members do not include it and whose inventory shows nothing.
    pub(super) fn settle_doubts(&self, facts: &DomainFacts, details: &Details, assets: &DomainAssets) -> Result<(), CrawlError> {
        let shows_nothing = |project: &&String| !assets.projects_with_inventory.contains(*project);
        for project in details.doubtful.iter().filter(shows_nothing).filter(|_| assets.inventory_complete) {
            self.fail_membership(facts, project, None)?;
        }
        Ok(())
    }

    /// The names of project profiles by id. The first version of domains has none.
    async fn list_profiles(&self, facts: &DomainFacts) -> Result<Option<HashMap<String, String>>, CrawlError> {
        if !facts.is_second_version {
            return Ok(Some(HashMap::new()));
        }
        let asked = Asked::get(ReadOperation::ListProjectProfiles, &[&facts.id]).paged(PAGE_ITEMS_MAX);
        let listed = self
            .read_list(&asked, |body| {
                let page: ProfilesPage<'_> = serde_json::from_slice(body)?;
                let named =
                    page.items.iter().filter_map(|profile| Some((profile.id.to_string(), profile.name.as_deref()?.to_owned())));
                Ok(Page { made: named.collect(), next_token: token(page.next_token.as_ref()), items: page.items.len() })
            })
            .await;
        match listed {
            Ok(profiles) => Ok(Some(profiles.into_iter().collect())),
            Err(error) => {
                self.fail_part(facts, "project-profiles", error)?;
                Ok(None)
            }
        }
    }

    /// The id of the role's own profile in a domain; none where it cannot be known.
    async fn own_profile(&self, facts: &DomainFacts) -> Result<Option<String>, CrawlError> {
        let Some(arn) = self.settings.profile_arn() else { return Ok(None) };
        let asked = own_profile_request(&facts.id, &arn);
        match self.read_once(&asked, |body| own_profile_id(body, self.ports.masked)).await {
            Ok(id) => Ok(id),
            Err(error) if Self::is_fatal(&error) => Err(error.into()),
            Err(error) => {
                tracing::debug!(%error, domain = facts.id, "the role's own profile is not known");
                Ok(None)
            }
        }
    }

    async fn read_project(&self, asking: &Asking<'_>, id: &str, mut asset: Asset) -> Result<ProjectRead, CrawlError> {
        let facts = asking.facts;
        let mut is_known = asking.profiles.is_some();
        let mut details = ProjectDetails::default();
        let membership = self.tell_membership(asking, id).await?;
        let about = Asked::get(ReadOperation::GetProject, &[&facts.id, id]);
        let answer = self.read_once(&about, |body| {
            let answer: ProjectAnswer<'_> = serde_json::from_slice(body)?;
            let terms = answer.glossary_terms.iter().flatten().map(ToString::to_string).collect::<Vec<_>>();
            Ok((answer.project_profile_id.as_deref().and_then(|id| asking.profiles.as_ref()?.get(id)).cloned(), terms))
        });
        let answer = answer.await;
        let knows_terms = answer.is_ok();
        match answer {
            Ok((profile_name, terms)) => (details.profile_name, details.terms) = (profile_name, terms),
            Err(error) => {
                is_known = false;
                self.note_unread(facts, id, membership, error)?;
            }
        }
        if self.reads(Section::Environments) && membership != Membership::NotMember {
            match self.read_resources(facts, id).await {
                Ok(resources) => details.resources = resources,
                Err(error) => {
                    is_known = false;
                    self.note_unread(facts, id, membership, error)?;
                }
            }
        } else {
            is_known = false;
        }
        add_details(facts, (id, &mut asset), &details);
        self.keep_known(&mut asset, &facts.unread).await?;
        let is_doubtful = membership == Membership::Doubtful;
        let asset = if is_known { asset } else { self.with_what_was_known(asset).await? };
        let terms = details.terms.iter().filter_map(|id| facts.terms.place(id)).collect();
        Ok(ProjectRead { id: id.to_owned(), asset, terms, knows_terms, is_doubtful })
    }

    /// Records a failure, unless it only repeats that the role is no member or the project went away.
    fn note_unread(&self, facts: &DomainFacts, project: &str, membership: Membership, error: ApiError) -> Result<(), CrawlError> {
        let is_repetition = membership != Membership::Member && error.kind == ErrorKind::Denied;
        if !is_repetition && error.kind != ErrorKind::NotFound {
            self.fail_part(facts, &format!("{project}/details"), error)?;
        }
        Ok(())
    }

    /// Whether the role is a member of a project; that it is not is a failure.
    async fn tell_membership(&self, asking: &Asking<'_>, project: &str) -> Result<Membership, CrawlError> {
        let listed = self.list_members(asking, project).await;
        match listed {
            Ok(members) if members.excludes_self(asking.own_profile.as_deref()) => Ok(Membership::Doubtful),
            Ok(_) => Ok(Membership::Member),
            Err(error) if error.kind == ErrorKind::Denied => {
                self.fail_membership(asking.facts, project, Some(error))?;
                Ok(Membership::NotMember)
            }
            Err(error) if error.kind == ErrorKind::NotFound => Ok(Membership::Member),
            Err(error) => {
                self.fail_part(asking.facts, &format!("{project}/memberships"), error)?;
                Ok(Membership::Member)
            }
        }
    }

    async fn list_members(&self, asking: &Asking<'_>, project: &str) -> Result<Members, ApiError> {
        let own = asking.own_profile.as_deref();
        let asked = Asked::get(ReadOperation::ListProjectMemberships, &[&asking.facts.id, project]).paged(PAGE_ITEMS_MAX);
        let pages = self
            .read_list(&asked, |body| {
                let page: MembershipsPage<'_> = serde_json::from_slice(body)?;
                Ok(Page {
                    made: vec![Members::of(&page, own)],
                    next_token: token(page.next_token.as_ref()),
                    items: page.members.len(),
                })
            })
            .await?;
        Ok(Members {
            includes_self: pages.iter().any(|page| page.includes_self),
            has_groups: pages.iter().any(|page| page.has_groups),
        })
    }

    /// Says that the role is no member of a project: the run is partial, and what is not seen of the project is kept as it was.
    pub(super) fn fail_membership(&self, facts: &DomainFacts, project: &str, said: Option<ApiError>) -> Result<(), CrawlError> {
        let name = facts.projects.get(project).map_or(project, |facts| facts.name.as_str());
        self.findings().fail(&project_scope(facts, project), not_member(name, project, said))?;
        let unpublished = self.settings.keeps(&Keep::UnpublishedAssets).then_some((Section::Assets, "inventory"));
        let parts = [(Section::DataProducts, "data-products"), (Section::Subscriptions, "subscriptions")];
        for (_, part) in unpublished.into_iter().chain(parts).filter(|(section, _)| self.reads(*section)) {
            self.findings().incomplete(&part_scope(facts, &format!("{project}/{part}")));
        }
        Ok(())
    }

    /// The role and place of a project, from its environments: the one with the tools first.
    async fn read_resources(&self, facts: &DomainFacts, project: &str) -> Result<ProvisionedResources, ApiError> {
        let asked =
            Asked::get(ReadOperation::ListEnvironments, &[&facts.id]).with("projectIdentifier", project).paged(PAGE_ITEMS_MAX);
        let mut environments = self
            .read_list(&asked, |body| {
                let page: EnvironmentsPage<'_> = serde_json::from_slice(body)?;
                let made = page.items.iter().filter_map(|environment| {
                    let names = [environment.environment_configuration_name.as_deref(), environment.name.as_deref()];
                    let has_tools = names.into_iter().flatten().any(|name| name.to_ascii_lowercase().contains("tooling"));
                    Some((!has_tools, environment.id.as_deref()?.to_owned()))
                });
                Ok(Page { made: made.collect(), next_token: token(page.next_token.as_ref()), items: page.items.len() })
            })
            .await?;
        environments.sort();
        let mut found = ProvisionedResources::default();
        for (_, id) in environments.iter().take(ENVIRONMENTS_TRIED_MAX) {
            let asked = Asked::get(ReadOperation::GetEnvironment, &[&facts.id, id]);
            let read = self.read_once(&asked, |body| {
                Ok(serde_json::from_slice::<EnvironmentAnswer>(body)?.provisioned_resources.unwrap_or_default())
            });
            match read.await {
                Ok(resources) => {
                    found.role = found.role.or(resources.role);
                    found.s3_path = found.s3_path.or(resources.s3_path);
                }
                // Dropped since it was listed.
                Err(error) if error.kind == ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
            if found.role.is_some() && found.s3_path.is_some() {
                break;
            }
        }
        Ok(found)
    }
}

/// Asks for the profile of a role or user by its ARN.
pub(crate) fn own_profile_request(domain: &str, arn: &str) -> Asked {
    Asked::get(ReadOperation::GetUserProfile, &[domain, arn]).with("type", "IAM")
}

/// The opaque id of a profile.
pub(crate) fn own_profile_id(body: &bytes::Bytes, masked: &crate::MaskedCounts) -> Result<Option<String>, serde_json::Error> {
    let answer: UserProfileAnswer<'_> = serde_json::from_slice(body)?;
    Ok(answer.id.and_then(|id| id.opaque(masked)))
}

/// The failure that says that the role is no member of a project.
fn not_member(name: &str, id: &str, said: Option<ApiError>) -> ApiError {
    let because = said.as_ref().map_or_else(
        || "its list of members does not have the role, and the inventory shows nothing of it".to_owned(),
        |error| error.message.clone(),
    );
    ApiError {
        operation: said.as_ref().map_or(ReadOperation::ListProjectMemberships, |error| error.operation),
        kind: ErrorKind::Denied,
        code: said.and_then(|error| error.code),
        message: format!(
            "the role is no member of the project \"{name}\" ({id}): only what it publishes can be read, not its unpublished assets, \
             subscriptions and environments ({because})"
        ),
        suggested_action: format!(
            "Add the role to the project \"{name}\" as a member (contributor, or viewer where that is offered), or leave the project out \
             with --exclude-project."
        ),
        source: None,
    }
}
