//! Domains, their units, projects, profiles, environments and the profiles of users.

use serde_json::{Map, Value, json};

use super::listing::{ITEMS_MAX, ITEMS_MAX_OF_DOMAINS, list, list_values, matches};
use super::{Context, DataZoneError, Reply, picked, shown};
use crate::account::{Thing, text};

const SUMMARY_OF_DOMAIN: [&str; 9] =
    ["id", "name", "description", "arn", "managedAccountId", "status", "portalUrl", "createdAt", "lastUpdatedAt"];
const SUMMARY_OF_PROJECT: [&str; 10] = [
    "domainId",
    "id",
    "name",
    "description",
    "projectStatus",
    "failureReasons",
    "createdBy",
    "createdAt",
    "domainUnitId",
    "projectCategory",
];
const SUMMARY_OF_PROFILE: [&str; 9] =
    ["domainId", "id", "name", "description", "status", "createdBy", "createdAt", "lastUpdatedAt", "domainUnitId"];
const SUMMARY_OF_ENVIRONMENT: [&str; 14] = [
    "projectId",
    "id",
    "domainId",
    "createdBy",
    "createdAt",
    "updatedAt",
    "name",
    "description",
    "environmentProfileId",
    "awsAccountId",
    "awsAccountRegion",
    "provider",
    "status",
    "environmentConfigurationName",
];

/// The list does not depend on what may be seen of a domain.
pub(crate) fn list_domains(context: &Context<'_>) -> Result<Reply, DataZoneError> {
    let domains = context.account.datazone.domains.values().map(|domain| &domain.document);
    let wanted = domains.filter(|document| matches(context, document, "status", "status"));
    let summaries = wanted.map(|document| {
        let mut summary = picked(document, &SUMMARY_OF_DOMAIN);
        summary.extend(picked(document, &["domainVersion"]));
        let account = || Value::from(context.account.id.clone());
        summary.entry("managedAccountId").or_insert_with(account);
        Value::Object(summary)
    });
    list_values(context, "items", ITEMS_MAX_OF_DOMAINS, summaries)
}

pub(crate) fn get_domain(context: &Context<'_>) -> Result<Reply, DataZoneError> {
    let mut domain = shown(&context.domain()?.document);
    domain.remove("managedAccountId");
    Ok(Value::Object(domain).into())
}

pub(crate) fn list_domain_units(context: &Context<'_>) -> Result<Reply, DataZoneError> {
    let parent = context.input.text("parentDomainUnitIdentifier");
    if context.domain()?.get(Thing::DomainUnit, parent).is_none() {
        return Err(DataZoneError::not_found("Domain unit", parent));
    }
    let wanted = |unit: &Value| text(unit, "parentDomainUnitId") == parent;
    list(context, Thing::DomainUnit, ITEMS_MAX_OF_DOMAINS, wanted, |unit| picked(unit, &["id", "name"]))
}

pub(crate) fn get_domain_unit(context: &Context<'_>) -> Result<Reply, DataZoneError> {
    get_shown(context, Thing::DomainUnit, "Domain unit")
}

pub(crate) fn list_projects(context: &Context<'_>) -> Result<Reply, DataZoneError> {
    let member = context.input.peek("userIdentifier");
    let wanted = |project: &Value| {
        matches(context, project, "name", "name")
            && matches(context, project, "projectCategory", "projectCategory")
            && member.is_none_or(|id| users_of(project).any(|user| user == id))
    };
    list(context, Thing::Project, ITEMS_MAX, wanted, |project| {
        let mut summary = picked(project, &SUMMARY_OF_PROJECT);
        if let Some(updated) = project.get("lastUpdatedAt") {
            summary.insert("updatedAt".to_owned(), updated.clone());
        }
        summary
    })
}

fn users_of(project: &Value) -> impl Iterator<Item = &str> {
    let members = project.get("$members").and_then(Value::as_array).into_iter().flatten();
    members.filter_map(|member| member.pointer("/memberDetails/user/userId")?.as_str())
}

pub(crate) fn get_project(context: &Context<'_>) -> Result<Reply, DataZoneError> {
    get_shown(context, Thing::Project, "Project")
}

pub(crate) fn list_project_profiles(context: &Context<'_>) -> Result<Reply, DataZoneError> {
    let wanted = |profile: &Value| matches(context, profile, "name", "name");
    list(context, Thing::ProjectProfile, ITEMS_MAX, wanted, |profile| picked(profile, &SUMMARY_OF_PROFILE))
}

pub(crate) fn list_project_memberships(context: &Context<'_>) -> Result<Reply, DataZoneError> {
    let project = context.named(Thing::Project, "projectIdentifier", "Project")?;
    context.require_member(context.domain()?, text(&project, "id"))?;
    let members = project.get("$members").and_then(Value::as_array).cloned().unwrap_or_default();
    list_values(context, "members", ITEMS_MAX, members)
}

pub(crate) fn list_environments(context: &Context<'_>) -> Result<Reply, DataZoneError> {
    let project = context.named(Thing::Project, "projectIdentifier", "Project")?;
    context.require_member(context.domain()?, text(&project, "id"))?;
    let wanted = |environment: &Value| {
        ["status", "provider", "name", "awsAccountId", "awsAccountRegion"]
            .iter()
            .all(|member| matches(context, environment, member, member))
            && text(environment, "projectId") == text(&project, "id")
    };
    list(context, Thing::Environment, ITEMS_MAX, wanted, |environment| picked(environment, &SUMMARY_OF_ENVIRONMENT))
}

pub(crate) fn get_environment(context: &Context<'_>) -> Result<Reply, DataZoneError> {
    let environment = context.named(Thing::Environment, "identifier", "Environment")?;
    context.require_member(context.domain()?, text(&environment, "projectId"))?;
    Ok(Value::Object(shown(&environment)).into())
}

/// A profile by its id or by the ARN of its role or user.
pub(crate) fn get_user_profile(context: &Context<'_>) -> Result<Reply, DataZoneError> {
    let domain = context.domain()?;
    let asked = context.input.text("userIdentifier");
    let is_asked = |user: &&Value| text(user, "id") == asked || user.pointer("/details/iam/arn").is_some_and(|arn| arn == asked);
    let user = domain.all(Thing::User).filter(|user| matches(context, user, "type", "type")).find(is_asked);
    let profile: Map<String, Value> = user.map(shown).ok_or_else(|| DataZoneError::not_found("User profile", asked))?;
    let mut profile = Value::Object(profile);
    profile["domainId"] = json!(text(&domain.document, "id"));
    Ok(profile.into())
}

fn get_shown(context: &Context<'_>, thing: Thing, noun: &str) -> Result<Reply, DataZoneError> {
    let document = context.named(thing, "identifier", noun)?;
    Ok(Value::Object(shown(&document)).into())
}
