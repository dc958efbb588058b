//! Domains, domain units and projects.

use model::{Asset, Attribute, Kind};

use super::{DomainFacts, MapContext};
use crate::privacy::{FreeText, ProvisionedResources};
use crate::smus::page::{Domain, DomainUnitAnswer, Project, Timestamp};

/// A domain as the list has it.
pub(crate) fn map_domain(context: &MapContext<'_>, domain: &Domain<'_>) -> Asset {
    let id = &*domain.id;
    let name = domain.name.as_deref().filter(|name| !name.is_empty()).unwrap_or(id);
    let mut asset = Asset::new(Kind::SmusDomain, context.naming.domain(id), name);
    asset.attributes.set(Attribute::SmusDomainName, name);
    asset.attributes.set(Attribute::SmusDomainId, id);
    asset.attributes.set_some(Attribute::Description, describe(context, domain.description.as_ref()));
    asset.attributes.set_some(Attribute::AwsArn, domain.arn.as_deref());
    asset.attributes.set(Attribute::AwsRegion, context.region);
    let account = domain.managed_account_id.as_deref().filter(|account| !account.is_empty());
    asset.attributes.set_some(Attribute::AwsAccountId, account.or_else(|| account_of(domain.arn.as_deref()?)));
    asset.attributes.set_some(Attribute::SmusDomainStatus, domain.status.as_deref());
    asset.attributes.set_some(Attribute::SmusPortalUrl, domain.portal_url.as_deref());
    // The service leaves the version out of domains that are older than the second one.
    asset.attributes.set(Attribute::SmusDomainVersion, domain.domain_version.as_deref().unwrap_or("V1"));
    set_times(&mut asset, domain.created_at, domain.last_updated_at);
    asset
}

/// The account of an ARN.
pub(crate) fn account_of(arn: &str) -> Option<&str> {
    arn.split(':').nth(4).filter(|account| !account.is_empty())
}

/// A domain unit; `parent` is none for the root.
pub(crate) fn map_unit(
    context: &MapContext<'_>,
    facts: &DomainFacts,
    id: &str,
    parent: Option<&str>,
    (name, answer): (&str, Option<&DomainUnitAnswer<'_>>),
) -> Asset {
    let mut asset = Asset::new(Kind::SmusDomainUnit, context.naming.unit(&facts.id, id), name);
    facts.set_domain(&mut asset);
    asset.attributes.set(Attribute::SmusDomainUnitId, id);
    asset.attributes.set(Attribute::SmusDomainUnitName, name);
    asset.attributes.set_some(Attribute::SmusParentDomainUnitId, parent);
    if let Some(answer) = answer {
        asset.attributes.set_some(Attribute::Description, describe(context, answer.description.as_ref()));
        set_times(&mut asset, answer.created_at, answer.last_updated_at);
    }
    asset
}

/// What is known of a project besides its entry in the list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ProjectDetails {
    pub(crate) profile_name: Option<String>,
    pub(crate) terms: Vec<String>,
    pub(crate) resources: ProvisionedResources,
}

/// A project.
pub(crate) fn map_project(context: &MapContext<'_>, facts: &DomainFacts, project: &Project<'_>) -> Asset {
    let id = &*project.id;
    let name = project.name.as_deref().filter(|name| !name.is_empty()).unwrap_or(id);
    let mut asset = Asset::new(Kind::SmusProject, context.naming.project(&facts.id, id), name);
    facts.set_domain(&mut asset);
    asset.attributes.set(Attribute::SmusProjectId, id);
    asset.attributes.set(Attribute::SmusProjectName, name);
    asset.attributes.set(Attribute::SmusOwningProjectId, id);
    asset.attributes.set_some(Attribute::Description, describe(context, project.description.as_ref()));
    // The service leaves the status out of projects that need none.
    asset.attributes.set(Attribute::SmusProjectStatus, project.project_status.as_deref().unwrap_or("ACTIVE"));
    asset.attributes.set_some(Attribute::SmusProjectCategory, project.project_category.as_deref());
    set_times(&mut asset, project.created_at, project.updated_at);
    asset
}

/// Adds what was asked for one project at a time, and what was not known yet when projects were listed: its unit.
pub(crate) fn add_details(facts: &DomainFacts, (id, asset): (&str, &mut Asset), details: &ProjectDetails) {
    facts.set_project(asset, id);
    asset.attributes.set_some(Attribute::SmusProjectProfileName, details.profile_name.as_deref());
    asset.attributes.set_some(Attribute::SmusProjectRoleArn, details.resources.role.as_deref());
    asset.attributes.set_some(Attribute::SmusProjectS3Location, details.resources.s3_path.as_deref());
    asset.attributes.set(Attribute::SmusGlossaryTerms, facts.terms.assigned_by_id(&details.terms));
}

pub(super) fn describe(context: &MapContext<'_>, text: Option<&FreeText<'_>>) -> Option<String> {
    text.map(|text| text.scrubbed(context.masked).into_owned())
}

pub(super) fn set_times(asset: &mut Asset, created: Option<Timestamp>, updated: Option<Timestamp>) {
    asset.attributes.set_some(Attribute::SourceCreatedAt, created.and_then(|time| time.0));
    asset.attributes.set_some(Attribute::SourceUpdatedAt, updated.and_then(|time| time.0));
}
