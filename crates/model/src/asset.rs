//! An asset: one thing of a catalog, as a crawl found it.

use crate::attribute::{Attribute, Attributes};
use crate::location::S3Location;
use crate::{Columns, Kind, QualifiedName};

/// One asset. Columns have no assets of their own here: they live packed in their table ([`Columns`]) and become documents
/// of their own only when written out, and so do a table's S3 location and the process that links the two.
#[derive(Clone, Debug, PartialEq)]
pub struct Asset {
    /// What it is.
    pub kind: Kind,
    /// Its identity, together with the kind.
    pub qualified_name: QualifiedName,
    /// Its name as the source spells it.
    pub name: String,
    /// Its properties. Those that follow from the qualified name (`schemaName`, `connectorName`, …) are not held here:
    /// [`crate::document`] derives them.
    pub attributes: Attributes,
    /// The columns of a table or view, nested ones included; empty for every other kind.
    pub columns: Columns,
}

impl Asset {
    /// An asset without properties.
    #[must_use]
    pub fn new(kind: Kind, qualified_name: QualifiedName, name: impl Into<String>) -> Self {
        Self { kind, qualified_name, name: name.into(), attributes: Attributes::default(), columns: Columns::default() }
    }

    /// The S3 location that a table's data is at: the end of the table's `location` lineage. Views and resource links have none.
    #[must_use]
    pub fn data_location(&self) -> Option<S3Location> {
        if self.kind != Kind::Table || self.attributes.get(Attribute::LinkedTableQualifiedName).is_some() {
            return None;
        }
        S3Location::parse(self.attributes.text(Attribute::ExternalLocation)?)
    }
}

/// The identity of an asset that another one names: kind and qualified name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Reference {
    /// What it is, or is taken for: a crawl that meets a name in SQL calls it a table until the catalog says that it is a view.
    pub kind: Kind,
    /// Its qualified name.
    pub qualified_name: QualifiedName,
}

impl Reference {
    /// A reference to the asset of this kind and name.
    #[must_use]
    pub fn new(kind: Kind, qualified_name: QualifiedName) -> Self {
        Self { kind, qualified_name }
    }
}
