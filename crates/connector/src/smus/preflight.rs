//! The checks before a crawl of SageMaker Unified Studio: a line each, with what to do where one does not pass.

use serde_json::json;

use super::crawl::{Asked, Members, own_profile_id, own_profile_request};
use super::page::{DomainAnswer, DomainsPage, MembershipsPage, ProjectsPage, SearchListingsPage, SearchPage};
use super::settings::{Section, Settings};
use crate::MaskedCounts;
use crate::check::{Check, CheckSink};
use crate::port::{ApiError, ErrorKind, ReadApi, ReadOperation};

/// How many projects of a domain are checked for membership.
const PROJECTS_CHECKED_MAX: usize = 50;

/// How many names one message lists.
const NAMES_SHOWN_MAX: usize = 10;

const NO_DOMAIN_REMEDY: &str = "Check the region (domains are listed for one region only) and the account; a domain of another account has to be \
    shared with this one.";
const MEMBER_REMEDY: &str = "Add the role to these projects as a member (contributor, or viewer where that is offered), or leave them out with \
    --exclude-project.";
const NO_PROJECT_REMEDY: &str = "The policy allows the call, but the role is a member of no project: add it to the projects that shall be read \
    (project page, Members, IAM role).";

/// A domain that is checked.
struct CheckedDomain {
    id: String,
    name: String,
}

/// A project with its name.
struct CheckedProject {
    id: String,
    name: String,
}

/// Runs every check that the settings ask for, one after the other. Sign-in has been checked by whoever made `api`.
pub async fn preflight<A: ReadApi>(api: &A, settings: &Settings, done: CheckSink<'_>) {
    let (check, domains) = check_domains(api, settings).await;
    done(check);
    for domain in &domains {
        check_domain(api, settings, domain, done).await;
    }
}

async fn check_domains<A: ReadApi>(api: &A, settings: &Settings) -> (Check, Vec<CheckedDomain>) {
    if !settings.domains.is_empty() {
        let named = settings.domains.iter().map(|id| CheckedDomain { id: id.clone(), name: id.clone() }).collect::<Vec<_>>();
        return (Check::passed("domains", format!("{} asked for by id", named.len())), named);
    }
    match api.read(Asked::get(ReadOperation::ListDomains, &[]).paged(25).first_request()).await {
        Err(error) => (Check::failed("domains", &error), Vec::new()),
        Ok(body) => {
            let page = serde_json::from_slice::<DomainsPage<'_>>(&body).map(|page| {
                let domain = |domain: &super::page::Domain<'_>| CheckedDomain {
                    id: domain.id.to_string(),
                    name: domain.name.as_deref().unwrap_or(&domain.id).to_owned(),
                };
                page.items.iter().map(domain).collect::<Vec<_>>()
            });
            let domains = page.unwrap_or_default();
            let check = if domains.is_empty() {
                Check::warning(
                    "domains",
                    "the call is allowed, but it shows no domain: a crawl would find nothing",
                    NO_DOMAIN_REMEDY,
                )
            } else {
                let names: Vec<_> = domains.iter().map(|domain| domain.name.as_str()).collect();
                Check::passed("domains", format!("{} on the first page: {}", domains.len(), shown(&names)))
            };
            (check, domains)
        }
    }
}

async fn check_domain<A: ReadApi>(api: &A, settings: &Settings, domain: &CheckedDomain, done: CheckSink<'_>) {
    let answer = api.read(Asked::get(ReadOperation::GetDomain, &[&domain.id]).first_request()).await;
    let opened = answer.map(|body| {
        let named =
            serde_json::from_slice::<DomainAnswer<'_>>(&body).ok().and_then(|answer| answer.name.map(|name| name.to_string()));
        named.unwrap_or_else(|| domain.name.clone())
    });
    let name = match opened {
        Ok(name) => name,
        Err(error) => return done(failed("domain", &format!("domain \"{}\" ({})", domain.name, domain.id), &error)),
    };
    let domain = CheckedDomain { id: domain.id.clone(), name };
    let (check, projects) = check_projects(api, settings, &domain).await;
    done(check);
    if !projects.is_empty() {
        done(check_membership(api, settings, &domain, &projects).await);
    }
    if settings.reads(Section::Assets) {
        done(check_listings(api, &domain).await);
    }
    if settings.reads(Section::Glossaries) {
        done(check_glossaries(api, &domain).await);
    }
    if settings.reads(Section::Subscriptions) {
        let asked = Asked::get(ReadOperation::ListSubscriptions, &[&domain.id]).with("status", "APPROVED").paged(1);
        done(check_call(api, "subscriptions", &domain, asked).await);
    }
    if settings.reads(Section::Lineage) {
        let asked = Asked::get(ReadOperation::ListLineageEvents, &[&domain.id]).paged(1);
        done(check_call(api, "lineage", &domain, asked).await);
    }
}

async fn check_projects<A: ReadApi>(api: &A, settings: &Settings, domain: &CheckedDomain) -> (Check, Vec<CheckedProject>) {
    let answer = api.read(Asked::get(ReadOperation::ListProjects, &[&domain.id]).paged(50).first_request()).await;
    let body = match answer {
        Ok(body) => body,
        Err(error) => return (failed("projects", &format!("projects of \"{}\"", domain.name), &error), Vec::new()),
    };
    let all = serde_json::from_slice::<ProjectsPage<'_>>(&body).map(|page| {
        let project = |project: &super::page::Project<'_>| CheckedProject {
            id: project.id.to_string(),
            name: project.name.as_deref().unwrap_or(&project.id).to_owned(),
        };
        page.items.iter().map(project).collect::<Vec<_>>()
    });
    let mut projects = all.unwrap_or_default();
    let count = projects.len();
    projects.retain(|project| settings.projects.wants(&project.id, &project.name));
    let check = match (count, projects.len()) {
        (0, _) => Check::warning("projects", format!("\"{}\" shows no project", domain.name), NO_PROJECT_REMEDY),
        (_, 0) => Check::warning(
            "projects",
            format!("none of the {count} projects of \"{}\" is let through by the filters", domain.name),
            "Check how --include-project and --exclude-project are spelt.",
        ),
        (_, wanted) => Check::passed("projects", format!("{wanted} of \"{}\" on the first page", domain.name)),
    };
    (check, projects)
}

/// Which projects the role is no member of: said by the service, or by a list of members that does not have the role.
async fn check_membership<A: ReadApi>(api: &A, settings: &Settings, domain: &CheckedDomain, projects: &[CheckedProject]) -> Check {
    let own = own_profile(api, settings, domain).await;
    let mut outside = Vec::new();
    for project in projects.iter().take(PROJECTS_CHECKED_MAX) {
        let asked = Asked::get(ReadOperation::ListProjectMemberships, &[&domain.id, &project.id]).paged(50);
        match api.read(asked.first_request()).await {
            Err(error) if error.kind == ErrorKind::Denied => outside.push(project.name.as_str()),
            Err(error) => return failed("membership", &format!("members of \"{}\"", project.name), &error),
            Ok(body) => {
                let page = serde_json::from_slice::<MembershipsPage<'_>>(&body);
                let is_doubtful = page.is_ok_and(|page| {
                    page.next_token.is_none() && Members::of(&page, own.as_deref()).excludes_self(own.as_deref())
                });
                if is_doubtful && settings.reads(Section::Assets) && !shows_inventory(api, domain, project).await {
                    outside.push(project.name.as_str());
                }
            }
        }
    }
    if outside.is_empty() {
        let how = if own.is_some() { "the role is a member of" } else { "nothing says that the role is no member of" };
        return Check::passed(
            "membership",
            format!("{how} {} projects of \"{}\"", projects.len().min(PROJECTS_CHECKED_MAX), domain.name),
        );
    }
    let message = format!(
        "the role is no member of {} of {} projects of \"{}\": {}; only what these publish would be read, and the run would be partial",
        outside.len(),
        projects.len(),
        domain.name,
        shown(&outside)
    );
    Check::warning("membership", message, MEMBER_REMEDY)
}

/// Whether the inventory shows anything of a project: then the role is a member by some way that the list of members does not tell.
async fn shows_inventory<A: ReadApi>(api: &A, domain: &CheckedDomain, project: &CheckedProject) -> bool {
    let body = json!({"searchScope": "ASSET", "owningProjectIdentifier": project.id, "maxResults": 1});
    let answer = api.read(Asked::search(ReadOperation::Search, &domain.id, body).first_request()).await;
    answer.is_ok_and(|body| serde_json::from_slice::<SearchPage<'_>>(&body).is_ok_and(|page| !page.items.is_empty()))
}

async fn own_profile<A: ReadApi>(api: &A, settings: &Settings, domain: &CheckedDomain) -> Option<String> {
    let arn = settings.profile_arn()?;
    let body = api.read(own_profile_request(&domain.id, &arn).first_request()).await.ok()?;
    own_profile_id(&body, &MaskedCounts::default()).ok().flatten()
}

async fn check_listings<A: ReadApi>(api: &A, domain: &CheckedDomain) -> Check {
    let asked = Asked::search(ReadOperation::SearchListings, &domain.id, json!({"maxResults": 1}));
    match api.read(asked.first_request()).await {
        Err(error) => failed("assets", &format!("published assets of \"{}\"", domain.name), &error),
        Ok(body) => {
            let total = serde_json::from_slice::<SearchListingsPage<'_>>(&body).ok().and_then(|page| page.total_match_count);
            let count = total.map_or_else(|| "published assets can be listed".to_owned(), |total| format!("{total} published"));
            Check::passed("assets", format!("{count} in \"{}\"", domain.name))
        }
    }
}

async fn check_glossaries<A: ReadApi>(api: &A, domain: &CheckedDomain) -> Check {
    let asked = Asked::search(ReadOperation::Search, &domain.id, json!({"searchScope": "GLOSSARY", "maxResults": 1}));
    match api.read(asked.first_request()).await {
        Err(error) => failed("glossaries", &format!("glossaries of \"{}\"", domain.name), &error),
        Ok(body) => {
            let total = serde_json::from_slice::<SearchPage<'_>>(&body).ok().and_then(|page| page.total_match_count);
            let count = total.map_or_else(|| "can be listed".to_owned(), |total| total.to_string());
            Check::passed("glossaries", format!("{count} in \"{}\"", domain.name))
        }
    }
}

async fn check_call<A: ReadApi>(api: &A, name: &'static str, domain: &CheckedDomain, asked: Asked) -> Check {
    match api.read(asked.first_request()).await {
        Ok(_) => Check::passed(name, format!("can be listed in \"{}\"", domain.name)),
        Err(error) => failed(name, &format!("{name} of \"{}\"", domain.name), &error),
    }
}

/// A failed check that names what it is about.
fn failed(name: &'static str, what: &str, error: &ApiError) -> Check {
    let check = Check::failed(name, error);
    Check { message: format!("{what}: {}", check.message), ..check }
}

fn shown(names: &[&str]) -> String {
    let mut text = names.iter().take(NAMES_SHOWN_MAX).map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(", ");
    if names.len() > NAMES_SHOWN_MAX {
        text.push_str(&format!(" and {} more", names.len() - NAMES_SHOWN_MAX));
    }
    text
}
