//! Domains, units, projects, glossaries and terms.

use model::{Kind, QualifiedName, Reference};

use super::{DOMAIN, check, facts, page, terms};
use crate::smus::map::domain::{ProjectDetails, add_details, map_domain, map_project, map_unit};
use crate::smus::map::glossary::{map_glossary, map_term, relate};
use crate::smus::page::{
    Domain, DomainAnswer, DomainUnitAnswer, DomainsPage, EnvironmentAnswer, ProjectAnswer, ProjectsPage, SearchPage,
};

#[test]
fn domains_of_both_versions() {
    check("domains", |context, written| {
        page::<DomainsPage<'static>>("domains").items.iter().for_each(|domain| written.asset(&map_domain(context, domain)));
    });
}

#[test]
fn a_domain_asked_for_by_name_takes_its_account_from_its_arn() {
    check("domain", |context, written| {
        let answer: DomainAnswer<'static> = page("domain");
        let domain = Domain {
            id: answer.id,
            name: answer.name,
            description: answer.description,
            arn: answer.arn,
            managed_account_id: None,
            status: answer.status,
            portal_url: answer.portal_url,
            created_at: answer.created_at,
            last_updated_at: answer.last_updated_at,
            domain_version: answer.domain_version,
        };
        written.asset(&map_domain(context, &domain));
    });
}

#[test]
fn domain_units_with_and_without_an_answer_of_their_own() {
    check("domain_units", |context, written| {
        let facts = facts(context);
        let answer: DomainUnitAnswer<'static> = page("domain_unit");
        let name = answer.name.as_deref().unwrap();
        written.asset(&map_unit(context, &facts, "unit1", Some("root1"), (name, Some(&answer))));
        written.asset(&map_unit(context, &facts, "root1", None, ("root1", None)));
    });
}

#[test]
fn projects_with_the_unit_profile_terms_role_and_place_that_are_known_and_no_other_resource() {
    check("projects", |context, written| {
        let facts = facts(context);
        let answer: ProjectAnswer<'static> = page("project");
        let details = ProjectDetails {
            profile_name: answer.project_profile_id.as_deref().map(|id| format!("Name of {id}")),
            terms: answer.glossary_terms.iter().flatten().map(ToString::to_string).collect(),
            resources: page::<EnvironmentAnswer>("environment").provisioned_resources.unwrap(),
        };
        for project in &page::<ProjectsPage<'static>>("projects").items {
            let mut asset = map_project(context, &facts, project);
            let none = ProjectDetails::default();
            let details = if &*project.id == "prj_sales" { &details } else { &none };
            add_details(&facts, (&project.id, &mut asset), details);
            written.asset(&asset);
        }
    });
}

#[test]
fn glossaries_with_their_restrictions() {
    check("glossaries", |context, written| {
        let facts = facts(context);
        let items = page::<SearchPage<'static>>("glossaries").items;
        let glossaries = items.iter().filter_map(|item| item.glossary_item.as_ref());
        glossaries.for_each(|item| written.asset(&map_glossary(context, &facts, item)));
    });
}

#[test]
fn terms_with_their_glossary_relations_and_what_they_are_assigned_to() {
    check("glossary_terms", |context, written| {
        let facts = facts(context);
        let orders = context.naming.asset(DOMAIN, "prj_sales", "ast_orders");
        let column = Reference::new(Kind::SmusAssetSchema, QualifiedName::from_encoded(format!("{orders}/price")));
        for item in terms() {
            let (mut asset, is_a, classifies) = map_term(context, &facts, &item);
            let assigned = match &*item.id {
                "term_rev" => vec![Reference::new(Kind::SmusPublishedAsset, orders.clone()), column.clone()],
                _ => Vec::new(),
            };
            relate(&facts, &mut asset, (&is_a, &classifies), assigned);
            written.asset(&asset);
        }
    });
}
