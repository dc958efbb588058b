//! Pages to assets: pure functions, tested from recorded-shape pages.

pub(crate) mod asset;
pub(crate) mod domain;
pub(crate) mod form;
pub(crate) mod glossary;
pub(crate) mod lineage;
pub(crate) mod product;
pub(crate) mod subscription;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap};

use model::{Asset, Attribute, Value, Warning};

use super::form::{FormContext, FormTypeName};
use super::naming::Naming;
use super::settings::Settings;
use super::smithy::FormMember;
use super::terms::Terms;
use crate::MaskedCounts;

/// What mapping needs to know besides the page.
#[derive(Clone, Copy)]
pub(crate) struct MapContext<'a> {
    pub(crate) naming: &'a Naming,
    pub(crate) settings: &'a Settings,
    pub(crate) masked: &'a MaskedCounts,
    pub(crate) region: &'a str,
}

impl MapContext<'_> {
    /// What reading forms needs, with the types that are known by now.
    pub(crate) fn forms<'b>(&'b self, known_types: &'b BTreeMap<String, FormTypeName>) -> FormContext<'b> {
        FormContext { settings: self.settings, masked: self.masked, known_types }
    }
}

/// A form type as the domain's list of types has it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct FormType {
    pub(crate) revision: Option<String>,
    pub(crate) status: Option<String>,
    pub(crate) project: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) members: Vec<FormMember>,
}

/// A project as far as others need it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ProjectFacts {
    pub(crate) name: String,
    pub(crate) unit: Option<String>,
}

/// What is known of a domain before its assets are read.
#[derive(Debug, Default)]
pub(crate) struct DomainFacts {
    pub(crate) id: String,
    pub(crate) name: String,
    /// Whether it is a domain of SageMaker Unified Studio rather than of the first Amazon DataZone.
    pub(crate) is_second_version: bool,
    /// Names of domain units by id.
    pub(crate) units: HashMap<String, String>,
    /// Projects by id.
    pub(crate) projects: HashMap<String, ProjectFacts>,
    /// Customer-defined form types by name; none where the list could not be read.
    pub(crate) form_types: Option<HashMap<String, FormType>>,
    pub(crate) terms: Terms,
    /// How many approved subscriptions there are by the hash of the listing's id; none where they could not be read.
    pub(crate) subscriptions: Option<HashMap<u64, i64>>,
    /// What assets take from lists (of terms, units, projects, subscriptions) that could not be read.
    pub(crate) unread: Vec<Attribute>,
}

impl DomainFacts {
    /// Sets what every asset of a domain carries.
    fn set_domain(&self, asset: &mut Asset) {
        asset.attributes.set(Attribute::SmusDomainName, self.name.as_str());
        asset.attributes.set(Attribute::SmusDomainId, self.id.as_str());
    }

    /// Sets what everything in a project carries.
    fn set_project(&self, asset: &mut Asset, project: &str) {
        self.set_domain(asset);
        asset.attributes.set(Attribute::SmusProjectId, project);
        if let Some(facts) = self.projects.get(project) {
            asset.attributes.set(Attribute::SmusProjectName, facts.name.as_str());
            if let Some(unit) = &facts.unit {
                asset.attributes.set(Attribute::SmusDomainUnitId, unit.as_str());
                asset.attributes.set_some(Attribute::SmusDomainUnitName, self.units.get(unit).map(String::as_str));
            }
        }
    }
}

pub(crate) fn warning(scope: impl Into<String>, code: &'static str, message: impl Into<String>) -> Warning {
    Warning { scope: scope.into(), code, message: message.into() }
}

/// A map of what is known: members without a value, and empty ones, are left out.
fn record<const N: usize>(members: [(&str, Option<Value>); N]) -> Value {
    let known = members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    Value::Map(known.filter(|(_, value)| !value.is_empty()).collect())
}
