//! Glossaries and terms.

use model::{Asset, Attribute, Kind, Reference, Value};

use super::domain::{describe, set_times};
use super::{DomainFacts, MapContext};
use crate::privacy::Text;
use crate::smus::page::{GlossaryItem, GlossaryTermItem};

/// A glossary.
pub(crate) fn map_glossary(context: &MapContext<'_>, facts: &DomainFacts, item: &GlossaryItem<'_>) -> Asset {
    let id = &*item.id;
    let name = item.name.as_deref().filter(|name| !name.is_empty()).unwrap_or(id);
    let mut asset = Asset::new(Kind::Glossary, context.naming.glossary(&facts.id, id), name);
    facts.set_domain(&mut asset);
    asset.attributes.set_some(Attribute::SmusOwningProjectId, item.owning_project_id.as_deref());
    asset.attributes.set_some(Attribute::Description, describe(context, item.description.as_ref()));
    asset.attributes.set_some(Attribute::GlossaryStatus, item.status.as_deref());
    asset.attributes.set(Attribute::UsageRestrictions, texts(item.usage_restrictions.as_deref()));
    set_times(&mut asset, item.created_at, item.updated_at);
    asset
}

/// A term without its relations and assignments, which need every term and every asset; with the ids of the terms that it is a kind
/// of, and of those that it classifies.
pub(crate) fn map_term(
    context: &MapContext<'_>,
    facts: &DomainFacts,
    item: &GlossaryTermItem<'_>,
) -> (Asset, Vec<String>, Vec<String>) {
    let id = &*item.id;
    let glossary = item.glossary_id.as_deref().unwrap_or_default();
    let name = item.name.as_deref().filter(|name| !name.is_empty()).unwrap_or(id);
    let mut asset = Asset::new(Kind::GlossaryTerm, context.naming.term(&facts.id, glossary, id), name);
    facts.set_domain(&mut asset);
    asset.attributes.set(Attribute::Anchor, context.naming.glossary(&facts.id, glossary).as_str());
    asset.attributes.set_some(Attribute::ShortDescription, describe(context, item.short_description.as_ref()));
    asset.attributes.set_some(Attribute::LongDescription, describe(context, item.long_description.as_ref()));
    asset.attributes.set_some(Attribute::TermStatus, item.status.as_deref());
    asset.attributes.set(Attribute::UsageRestrictions, texts(item.usage_restrictions.as_deref()));
    set_times(&mut asset, item.created_at, item.updated_at);
    let relations = item.term_relations.as_ref();
    let ids = |list: Option<&Vec<Text<'_>>>| list.into_iter().flatten().map(ToString::to_string).collect();
    let is_a = ids(relations.and_then(|relations| relations.is_a.as_ref()));
    let classifies = ids(relations.and_then(|relations| relations.classifies.as_ref()));
    (asset, is_a, classifies)
}

/// Adds what a term is a kind of, what it classifies, and what it is assigned to.
pub(crate) fn relate(facts: &DomainFacts, asset: &mut Asset, (is_a, classifies): (&[String], &[String]), assigned: Vec<Reference>) {
    let references = |ids: &[String]| Value::References(ids.iter().filter_map(|id| facts.terms.reference(id)).collect());
    for (attribute, ids) in [(Attribute::IsA, is_a), (Attribute::Classifies, classifies)] {
        if !ids.is_empty() {
            asset.attributes.set(attribute, references(ids));
        }
    }
    if !assigned.is_empty() {
        asset.attributes.set(Attribute::AssignedEntities, Value::References(assigned));
    }
}

fn texts(list: Option<&[Text<'_>]>) -> Value {
    Value::texts(list.unwrap_or_default().iter().map(ToString::to_string))
}
