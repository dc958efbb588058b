//! The metadata forms of an asset: managed ones give columns, source and summary; of those that the customer defined the names of
//! members are kept, and values only where the settings ask for the type.
//!
//! Contents are JSON in text, in listings JSON in JSON, with values that are sometimes text and sometimes objects. Nothing here
//! fails: what cannot be understood is a warning, and the asset is kept without it.

mod custom;
mod managed;
mod source;

use std::borrow::Cow;
use std::collections::BTreeMap;

use model::Columns;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::page::FormOutput;
use super::settings::Settings;
use crate::MaskedCounts;

pub(crate) use custom::CustomForm;
pub(crate) use source::{SourceHints, external_identifier};

/// How deep JSON may stand in JSON.
const NESTING_MAX: usize = 4;

/// What reading forms needs to know besides them.
#[derive(Clone, Copy)]
pub(crate) struct FormContext<'a> {
    pub(crate) settings: &'a Settings,
    pub(crate) masked: &'a MaskedCounts,
    /// The types of customer-defined forms by the names of forms, as assets with types showed them.
    pub(crate) known_types: &'a BTreeMap<String, FormTypeName>,
}

/// The type of a form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FormTypeName {
    pub(crate) name: String,
    pub(crate) revision: Option<String>,
}

/// One form as it came, whichever way.
#[derive(Clone, Debug)]
pub(crate) struct RawForm<'a> {
    pub(crate) name: Cow<'a, str>,
    pub(crate) form_type: Option<FormTypeName>,
    /// The content as JSON, once or several times in text.
    pub(crate) content: Cow<'a, str>,
}

/// What the forms of one asset say.
#[derive(Debug, Default)]
pub(crate) struct AssetForms {
    pub(crate) columns: Columns,
    /// Ids of terms by the path of the column that they are assigned to.
    pub(crate) column_terms: Vec<(String, Vec<String>)>,
    pub(crate) source: SourceHints,
    pub(crate) technical_name: Option<String>,
    pub(crate) table_description: Option<String>,
    pub(crate) summary: Option<String>,
    pub(crate) read_me: Option<String>,
    pub(crate) custom: Vec<CustomForm>,
    /// What could not be understood: a stable word, and the same for people.
    pub(crate) warnings: Vec<(&'static str, String)>,
    /// Whether there was any form that could be read.
    pub(crate) found_any: bool,
}

impl AssetForms {
    /// Reads the forms of an inventory asset.
    pub(crate) fn of_outputs<'a>(context: &FormContext<'_>, outputs: impl Iterator<Item = &'a FormOutput<'a>>) -> Self {
        Self::read(context, outputs.filter_map(raw_output).collect())
    }

    /// Reads the forms of a listing: one JSON text of all of them.
    pub(crate) fn of_listing(context: &FormContext<'_>, forms: &str) -> Self {
        match listed_forms(forms) {
            Some(raw) => Self::read(context, raw),
            None => Self {
                warnings: vec![(
                    "form-unreadable",
                    "the forms of the listing are no JSON object; the asset is kept without them".to_owned(),
                )],
                ..Self::default()
            },
        }
    }

    fn read(context: &FormContext<'_>, raw: Vec<RawForm<'_>>) -> Self {
        let mut forms = Self::default();
        let mut business = None;
        for form in raw {
            let Some(json) = unwrapped(&form.content) else {
                let message = format!("the content of the form \"{}\" is no JSON; the asset is kept without it", form.name);
                forms.warnings.push(("form-unreadable", message));
                continue;
            };
            match managed::ManagedForm::of(&form) {
                Some(managed::ManagedForm::ColumnBusinessMetadata) => business = Some(json.into_owned()),
                Some(kind) => forms.take_managed(context, kind, &form.name, &json),
                None => forms.take_custom(context, &form, &json),
            }
        }
        // Business metadata is about columns that another form lists.
        if let Some(json) = business {
            forms.take_column_metadata(context, &json);
        }
        forms
    }
}

fn raw_output<'a>(output: &'a FormOutput<'a>) -> Option<RawForm<'a>> {
    let name = output.form_name.as_deref().or(output.type_name.as_deref())?;
    let form_type = output
        .type_name
        .as_deref()
        .map(|name| FormTypeName { name: name.to_owned(), revision: output.type_revision.as_deref().map(str::to_owned) });
    Some(RawForm {
        name: Cow::Borrowed(name),
        form_type,
        content: Cow::Borrowed(output.content.as_ref().map_or("{}", |content| content.json())),
    })
}

/// JSON without the layers of text around it; none where a layer is no JSON.
fn unwrapped(json: &str) -> Option<Cow<'_, str>> {
    let mut current = Cow::Borrowed(json.trim());
    for _ in 0..NESTING_MAX {
        if current.starts_with('"') {
            current = Cow::Owned(serde_json::from_str::<String>(&current).ok()?.trim().to_owned());
        } else {
            return serde_json::from_str::<&RawValue>(&current).is_ok().then_some(current);
        }
    }
    None
}

/// A form of a listing that says its own name and type.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct TypedForm<'a> {
    form_name: Option<String>,
    type_name: Option<String>,
    type_identifier: Option<String>,
    type_revision: Option<String>,
    #[serde(borrow)]
    content: Option<&'a RawValue>,
}

impl TypedForm<'_> {
    /// Whether it says its type, and not only happens to have a member that is called so.
    fn is_typed(&self) -> bool {
        (self.type_name.is_some() || self.type_identifier.is_some()) && (self.content.is_some() || self.form_name.is_some())
    }

    /// The form by its own name, else by the key that it stands under, else by its type; none without any.
    fn into_raw(self, key: Option<&str>) -> Option<RawForm<'static>> {
        let form_type = self.type_name.or(self.type_identifier);
        let name = self.form_name.or_else(|| key.map(str::to_owned)).or_else(|| form_type.clone())?;
        let revision = self.type_revision;
        Some(RawForm {
            name: Cow::Owned(name),
            form_type: form_type.map(|name| FormTypeName { name, revision }),
            content: Cow::Owned(self.content.map_or("{}", RawValue::get).to_owned()),
        })
    }
}

/// The forms of a listing: an object of contents by form name, or a list of forms that say their names and types.
fn listed_forms(forms: &str) -> Option<Vec<RawForm<'static>>> {
    let json = unwrapped(forms)?;
    if json.starts_with('[') {
        let list: Vec<&RawValue> = serde_json::from_str(&json).ok()?;
        return Some(list.into_iter().enumerate().map(|(index, form)| form_of_list(index, form)).collect());
    }
    let object: BTreeMap<String, &RawValue> = serde_json::from_str(&json).ok()?;
    let form = |(name, value): (String, &RawValue)| {
        let typed = serde_json::from_str::<TypedForm<'_>>(value.get()).ok().filter(TypedForm::is_typed);
        typed.and_then(|typed| typed.into_raw(Some(&name))).unwrap_or_else(|| RawForm {
            name: Cow::Owned(name),
            form_type: None,
            content: Cow::Owned(value.get().to_owned()),
        })
    };
    Some(object.into_iter().map(form).collect())
}

/// A form of a list. One without name and type has no content either: it is told of, and left out.
fn form_of_list(index: usize, form: &RawValue) -> RawForm<'static> {
    let typed = serde_json::from_str::<TypedForm<'_>>(form.get()).ok();
    typed.and_then(|typed| typed.into_raw(None)).unwrap_or_else(|| RawForm {
        name: Cow::Owned(format!("number {}", index + 1)),
        form_type: None,
        content: Cow::Borrowed(""),
    })
}

#[cfg(test)]
mod tests;
