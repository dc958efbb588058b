//! Lineage as assets: processes with inputs and outputs, and the ones that follow from an asset by itself.

use crate::attribute::{Attribute, Value};
use crate::name::connection_of;
use crate::{Asset, Kind, QualifiedName, Reference, S3Location};

/// What kind of thing a process is; the `processKind` of documents.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ProcessKind {
    /// A Glue job that reads and writes.
    GlueJob,
    /// A view over tables.
    View,
    /// A table over the S3 location that its data is at.
    Location,
    /// Lineage that Amazon DataZone reports.
    DataZone,
    /// A resource link to the table or database that it stands for.
    ResourceLink,
}

impl ProcessKind {
    /// The word in documents.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::GlueJob => "glue-job",
            Self::View => "view",
            Self::Location => "location",
            Self::DataZone => "datazone",
            Self::ResourceLink => "resource-link",
        }
    }
}

/// The name of the process of this kind that `subject` (a qualified name, or one with a column) gives rise to:
/// `<connection>/lineage/<stable id>`, the same in every run.
#[must_use]
pub fn process_name(kind: ProcessKind, subject: &str) -> QualifiedName {
    let connection = connection_of(subject).unwrap_or("default");
    let id = xxhash_rust::xxh3::xxh3_128(format!("{}:{subject}", kind.as_str()).as_bytes());
    QualifiedName::from_encoded(format!("{connection}/lineage/{id:032x}"))
}

/// A process from inputs to outputs. `subject` is the qualified name of what it belongs to: the job, the view, the table.
#[must_use]
pub fn process(kind: ProcessKind, subject: &str, name: &str, inputs: Vec<Reference>, outputs: Vec<Reference>) -> Asset {
    flow(Kind::Process, kind, subject, name, inputs, outputs)
}

/// A process between columns: the inputs that one output column is made from. `subject` is that column's qualified name.
#[must_use]
pub fn column_process(kind: ProcessKind, name: &str, inputs: Vec<QualifiedName>, output: QualifiedName) -> Asset {
    let inputs = inputs.into_iter().map(|name| Reference::new(Kind::Column, name)).collect();
    let subject = output.as_str().to_owned();
    flow(Kind::ColumnProcess, kind, &subject, name, inputs, vec![Reference::new(Kind::Column, output)])
}

/// A process between columns of whatever kinds: `subject` is what it is named after.
#[must_use]
pub fn column_process_of(kind: ProcessKind, subject: &str, name: &str, inputs: Vec<Reference>, output: Reference) -> Asset {
    flow(Kind::ColumnProcess, kind, subject, name, inputs, vec![output])
}

fn flow(asset_kind: Kind, kind: ProcessKind, subject: &str, name: &str, inputs: Vec<Reference>, outputs: Vec<Reference>) -> Asset {
    let mut asset = Asset::new(asset_kind, process_name(kind, subject), name);
    asset.attributes.set(Attribute::Inputs, Value::References(inputs));
    asset.attributes.set(Attribute::Outputs, Value::References(outputs));
    asset.attributes.set(Attribute::ProcessKind, kind.as_str());
    asset
}

/// The S3 object asset of a location.
#[must_use]
pub fn location_object(location: &S3Location) -> Asset {
    let name = QualifiedName::from_encoded(location.as_str());
    let mut asset = Asset::new(Kind::S3Object, name, location.as_str().rsplit('/').next().unwrap_or_default());
    asset.attributes.set(Attribute::Bucket, location.bucket());
    asset.attributes.set_some(Attribute::Prefix, location.prefix());
    asset
}

/// The process from a location to the table that lies over it.
#[must_use]
pub fn location_process(table: &Asset, location: &S3Location) -> Asset {
    let input = Reference::new(Kind::S3Object, QualifiedName::from_encoded(location.as_str()));
    let output = Reference::new(table.kind, table.qualified_name.clone());
    process(ProcessKind::Location, table.qualified_name.as_str(), &table.name, vec![input], vec![output])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_name_is_stable_and_stands_below_its_connection() {
        let name = process_name(ProcessKind::View, "default/glue/7/c/d/v");
        assert_eq!(name, process_name(ProcessKind::View, "default/glue/7/c/d/v"));
        assert_ne!(name, process_name(ProcessKind::Location, "default/glue/7/c/d/v"));
        assert!(name.as_str().starts_with("default/glue/7/lineage/"));
    }
}
