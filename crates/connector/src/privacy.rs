//! What may be kept of values that can hold a secret or business data: every such field has a type of this module, whose only
//! way in masks (reference: the field table in `docs/what-we-read.md`).

mod arguments;
mod connection_properties;
mod identity;
mod location;
mod parameters;
mod scanner;
mod studio;
mod text;
mod type_text;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

pub(crate) use arguments::Arguments;
pub(crate) use connection_properties::ConnectionProperties;
pub(crate) use identity::{Owner, Person, Role};
pub(crate) use location::{Location, clean_location};
pub(crate) use parameters::Parameters;
pub(crate) use scanner::scrub;
pub(crate) use studio::{FormContent, ProfileId, ProfileName, ProvisionedResources, Reason, SmithyModel, SourceIdentifier};
pub(crate) use text::{FreeText, Sign, Text, ViewSql};
pub(crate) use type_text::TypeText;

/// The lists that decide, for the page that says what is read.
#[cfg(test)]
pub(crate) mod lists {
    use super::{arguments, connection_properties, parameters, studio};

    pub(crate) const GLUE: &[(&str, &[&str])] = &[
        ("Parameters that are kept", parameters::KEPT_KEYS),
        ("Parameters that are kept where they are whole numbers, as measurements of the table", parameters::MEASUREMENT_KEYS),
        ("Parameters that are read for columns and not kept: all that begin with", &[parameters::SPARK_SCHEMA_KEY]),
        ("Arguments whose value is kept", arguments::SAFE_FLAGS),
        ("Arguments whose value is kept: all that begin with", arguments::SAFE_FLAG_PREFIXES),
        ("Arguments whose value is kept and cleaned as locations are", arguments::PATH_FLAGS),
        ("Connection properties that are kept", connection_properties::KEPT_KEYS),
    ];

    pub(crate) const DATAZONE: &[(&str, &[&str])] = &[
        ("Resources of environments that are kept as a project's role", studio::ROLE_RESOURCES),
        ("Resources of environments that are kept, cleaned as locations are, as a project's place", studio::S3_RESOURCES),
    ];
}

/// Where something was masked; the keys of the report's `masked`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MaskedPlace {
    /// A job's, trigger's or workflow's argument.
    Argument,
    /// A connection's property.
    ConnectionProperty,
    /// A parameter of a table, database or catalog.
    Parameter,
    /// A description or comment in which the scanner found a secret.
    FreeText,
    /// A view's text, whose literals are replaced.
    ViewText,
    /// The name of a person.
    PersonName,
    /// A value of a metadata form that the customer defined.
    FormValue,
    /// A reason that somebody gave with a request or a decision.
    RequestReason,
}

const PLACES: [(MaskedPlace, &str); 8] = [
    (MaskedPlace::Argument, "job-argument"),
    (MaskedPlace::ConnectionProperty, "connection-property"),
    (MaskedPlace::Parameter, "table-parameter"),
    (MaskedPlace::FreeText, "free-text"),
    (MaskedPlace::ViewText, "view-text"),
    (MaskedPlace::PersonName, "person-name"),
    (MaskedPlace::FormValue, "form-value"),
    (MaskedPlace::RequestReason, "request-reason"),
];

/// How much was masked in a run, by place.
#[derive(Debug, Default)]
pub struct MaskedCounts([AtomicU64; PLACES.len()]);

impl MaskedCounts {
    pub(crate) fn add(&self, place: MaskedPlace, count: u64) {
        if count > 0 {
            self.0[place as usize].fetch_add(count, Ordering::Relaxed);
        }
    }

    /// The counts that are not zero, by the names that reports use.
    #[must_use]
    pub fn to_map(&self) -> BTreeMap<String, u64> {
        let count = |place: MaskedPlace| self.0[place as usize].load(Ordering::Relaxed);
        PLACES.iter().map(|(place, name)| ((*name).to_owned(), count(*place))).filter(|(_, count)| *count > 0).collect()
    }
}
