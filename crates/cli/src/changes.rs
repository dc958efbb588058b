//! Changes of assets as people and scripts read them.

use serde_json::{Value, json};
use store::{ChangeKind, Difference};

/// The word for a change.
pub(crate) const fn word(change: ChangeKind) -> &'static str {
    match change {
        ChangeKind::Created => "created",
        ChangeKind::Updated => "updated",
        ChangeKind::Archived => "archived",
        ChangeKind::Restored => "restored",
    }
}

/// A difference in one line.
pub(crate) fn line(difference: &Difference) -> String {
    let known = |value: &Option<String>| value.clone().unwrap_or_else(|| "nothing".to_owned());
    match difference {
        Difference::Attribute { name, before, after } => format!("{name}: {} → {}", known(before), known(after)),
        Difference::ColumnAdded { path, raw_type } => format!("+ column {path} {raw_type}"),
        Difference::ColumnRemoved { path, raw_type } => format!("- column {path} {raw_type}"),
        Difference::ColumnChanged { path, what, before, after } => {
            format!("~ column {path} {what}: {} → {}", known(before), known(after))
        }
    }
}

/// A difference as JSON.
pub(crate) fn as_json(difference: &Difference) -> Value {
    match difference {
        Difference::Attribute { name, before, after } => json!({"attribute": name, "before": before, "after": after}),
        Difference::ColumnAdded { path, raw_type } => json!({"columnAdded": path, "rawDataTypeDefinition": raw_type}),
        Difference::ColumnRemoved { path, raw_type } => json!({"columnRemoved": path, "rawDataTypeDefinition": raw_type}),
        Difference::ColumnChanged { path, what, before, after } => {
            json!({"columnChanged": path, "what": what, "before": before, "after": after})
        }
    }
}
