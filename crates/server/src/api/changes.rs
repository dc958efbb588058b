//! How assets changed, as the API shows it.

use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};
use store::{ChangeKind, Difference};
use utoipa::ToSchema;

/// Differences of one asset that are shown.
const DIFFERENCES_MAX: usize = 500;

/// What happened to an asset.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Change {
    /// It was found for the first time.
    Created,
    /// Its content changed.
    Updated,
    /// It was gone.
    Archived,
    /// It came back.
    Restored,
}

/// One thing that is different.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Changed {
    /// Of what.
    kind: Subject,
    /// The name of the attribute, or the path of the column below its table.
    #[schema(example = "items/sku")]
    name: String,
    /// Of a changed column, its property.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, example = "rawDataTypeDefinition")]
    property: Option<&'static str>,
    /// What it was; of a removed column, its type. Absent where there was nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, value_type = Option<Value>)]
    before: Option<Box<RawValue>>,
    /// What it is; of an added column, its type. Absent where there is nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false, value_type = Option<Value>)]
    after: Option<Box<RawValue>>,
}

/// What is different.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
enum Subject {
    Attribute,
    ColumnAdded,
    ColumnRemoved,
    ColumnChanged,
}

/// Some differences, and whether there are more.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Differences {
    /// What is different: attributes first, then columns.
    differences: Vec<Changed>,
    /// Whether there are more than are shown.
    differences_truncated: bool,
}

impl From<ChangeKind> for Change {
    fn from(change: ChangeKind) -> Self {
        match change {
            ChangeKind::Created => Self::Created,
            ChangeKind::Updated => Self::Updated,
            ChangeKind::Archived => Self::Archived,
            ChangeKind::Restored => Self::Restored,
        }
    }
}

impl From<Vec<Difference>> for Differences {
    fn from(found: Vec<Difference>) -> Self {
        let differences_truncated = found.len() > DIFFERENCES_MAX;
        Self { differences: found.into_iter().take(DIFFERENCES_MAX).map(Changed::from).collect(), differences_truncated }
    }
}

impl From<Difference> for Changed {
    fn from(difference: Difference) -> Self {
        let plain = |kind, name| Self { kind, name, property: None, before: None, after: None };
        match difference {
            Difference::Attribute { name, before, after } => {
                Self { before: before.and_then(stored), after: after.and_then(stored), ..plain(Subject::Attribute, name) }
            }
            Difference::ColumnAdded { path, raw_type } => Self { after: text(&raw_type), ..plain(Subject::ColumnAdded, path) },
            Difference::ColumnRemoved { path, raw_type } => Self { before: text(&raw_type), ..plain(Subject::ColumnRemoved, path) },
            Difference::ColumnChanged { path, what, before, after } => Self {
                property: Some(what),
                before: before.as_deref().and_then(text),
                after: after.as_deref().and_then(text),
                ..plain(Subject::ColumnChanged, path)
            },
        }
    }
}

/// A stored value, byte for byte: the order of what is nested is not ours to change.
fn stored(json: String) -> Option<Box<RawValue>> {
    RawValue::from_string(json).ok()
}

fn text(text: &str) -> Option<Box<RawValue>> {
    to_raw_value(text).ok()
}
