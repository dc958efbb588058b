//! Forms that the customer defined: names, types and members; values only of types that the settings name.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

use super::{AssetForms, FormContext, FormTypeName, RawForm};
use crate::privacy::{MaskedPlace, scrub};

/// The most bytes of a value that is kept by choice.
const VALUE_BYTES_MAX: usize = 4_096;

/// The most members of one form that are kept.
const MEMBERS_MAX: usize = 500;

/// A form that the customer defined, as it stands on one asset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CustomForm {
    pub(crate) name: String,
    pub(crate) form_type: Option<FormTypeName>,
    /// The members that have a value, with the value where it is kept by choice.
    pub(crate) members: Vec<(String, Option<String>)>,
}

impl AssetForms {
    pub(super) fn take_custom(&mut self, context: &FormContext<'_>, form: &RawForm<'_>, json: &str) {
        let Ok(members) = serde_json::from_str::<BTreeMap<String, &RawValue>>(json) else {
            let message = format!("the content of the form \"{}\" is no JSON object; the form is kept without members", form.name);
            self.warnings.push(("form-unreadable", message));
            self.custom.push(CustomForm { name: form.name.to_string(), form_type: form.form_type.clone(), members: Vec::new() });
            return;
        };
        self.found_any = true;
        let form_type = form.form_type.clone().or_else(|| context.known_types.get(&*form.name).cloned());
        let keeps_values = form_type.as_ref().is_some_and(|form_type| context.settings.keeps_values_of(&form_type.name));
        let has_value = |(_, value): &(String, &RawValue)| value.get() != "null";
        let members = members.into_iter().filter(has_value).take(MEMBERS_MAX).map(|(name, value)| {
            let value = if keeps_values { kept_value(context, &name, value) } else { None };
            if value.is_none() {
                context.masked.add(MaskedPlace::FormValue, 1);
            }
            (name, value)
        });
        self.custom.push(CustomForm { name: form.name.to_string(), form_type, members: members.collect() });
    }
}

/// A value through the secret scanner: text as it is, anything else as JSON. What a member holds whose name speaks of a secret is one.
fn kept_value(context: &FormContext<'_>, name: &str, value: &RawValue) -> Option<String> {
    let text = serde_json::from_str::<String>(value.get()).unwrap_or_else(|_| value.get().to_owned());
    let names_a_secret = || scrub(&format!("{name}: anything")).1 > 0;
    if text.len() > VALUE_BYTES_MAX || names_a_secret() {
        return None;
    }
    let (text, count) = scrub(&text);
    context.masked.add(MaskedPlace::FreeText, count);
    Some(text.into_owned())
}
