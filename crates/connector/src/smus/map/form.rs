//! Customer-defined metadata forms as attributes of the asset that has them.

use model::{Asset, Attribute, Value};

use super::{DomainFacts, record};
use crate::smus::form::CustomForm;

/// Sets the names and details of an asset's forms, and where values are kept by choice the `form.member:value` texts that filters
/// use. What the list of types does not have is told, unless the list could not be read.
pub(crate) fn set_forms(facts: &DomainFacts, asset: &mut Asset, forms: &[CustomForm]) -> Vec<(&'static str, String)> {
    let mut unknown = Vec::new();
    let mut details = Vec::new();
    let mut key_values = Vec::new();
    for form in forms {
        let known = form.form_type.as_ref().map_or(form.name.as_str(), |form_type| form_type.name.as_str());
        let in_list = facts.form_types.as_ref().and_then(|types| types.get(known));
        if in_list.is_none() && facts.form_types.is_some() {
            let message = format!(
                "the form \"{}\" is of a type (\"{known}\") that the domain's list of types does not have; it is kept with the names of its members",
                form.name
            );
            unknown.push(("form-type-unknown", message));
        }
        details.push(detail(facts, form));
        let valued = form.members.iter().filter_map(|(name, value)| Some(format!("{}.{name}:{}", form.name, value.as_deref()?)));
        key_values.extend(valued);
    }
    let attributes = &mut asset.attributes;
    attributes.set(Attribute::AssetSmusMetadataFormNames, Value::texts(forms.iter().map(|form| form.name.as_str())));
    attributes.set(Attribute::AssetSmusMetadataFormKeyValueDetails, Value::texts(key_values));
    attributes.set(Attribute::AssetSmusMetadataFormDetails, Value::List(details));
    unknown
}

fn detail(facts: &DomainFacts, form: &CustomForm) -> Value {
    let form_type = form.form_type.as_ref();
    let type_name = form_type.map_or(form.name.as_str(), |form_type| form_type.name.as_str());
    let known = facts.form_types.as_ref().and_then(|types| types.get(type_name));
    let type_name = (form_type.is_some() || known.is_some()).then(|| Value::from(type_name));
    let revision = form_type.and_then(|form_type| form_type.revision.clone()).or_else(|| known?.revision.clone());
    record([
        ("name", Some(Value::from(form.name.as_str()))),
        ("type", type_name),
        ("description", known.and_then(|known| known.description.as_deref()).map(Value::from)),
        ("domainId", Some(Value::from(facts.id.as_str()))),
        ("projectId", known.and_then(|known| known.project.as_deref()).map(Value::from)),
        ("status", known.and_then(|known| known.status.as_deref()).map(Value::from)),
        ("revision", revision.map(Value::from)),
        ("fields", Some(Value::List(fields(facts, form, known.map(|known| known.members.as_slice()).unwrap_or_default())))),
    ])
}

/// The members of the type in its order, then those that only the asset has.
fn fields(facts: &DomainFacts, form: &CustomForm, members: &[crate::smus::smithy::FormMember]) -> Vec<Value> {
    let value_of = |name: &str| form.members.iter().find(|(member, _)| member == name).and_then(|(_, value)| value.as_deref());
    let typed = members.iter().map(|member| {
        record([
            ("name", Some(Value::from(member.name.as_str()))),
            ("type", Some(Value::from(member.member_type.as_str()))),
            ("value", value_of(&member.name).map(Value::from)),
        ])
    });
    let is_typed = |name: &str| facts.form_types.is_some() && members.iter().any(|member| member.name == name);
    let untyped = form.members.iter().filter(|(name, _)| !is_typed(name));
    let untyped = untyped
        .map(|(name, value)| record([("name", Some(Value::from(name.as_str()))), ("value", value.as_deref().map(Value::from))]));
    typed.chain(untyped).collect()
}
