//! The payload of `GetLineageEvent`: an OpenLineage run event (OpenLineage specification, core and the facets `columnLineage` and
//! `symlinks`). No other facet has a field here: SQL, environment, error messages, statistics and documentation are never parsed.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::privacy::{SourceIdentifier, Text};

#[derive(Debug, Deserialize)]
pub(crate) struct OpenLineageEvent<'a> {
    #[serde(borrow)]
    pub(crate) inputs: Option<Vec<OpenLineageDataset<'a>>>,
    #[serde(borrow)]
    pub(crate) outputs: Option<Vec<OpenLineageDataset<'a>>>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct OpenLineageDataset<'a> {
    #[serde(borrow)]
    pub(crate) namespace: Option<SourceIdentifier<'a>>,
    #[serde(borrow)]
    pub(crate) name: Option<SourceIdentifier<'a>>,
    #[serde(borrow)]
    pub(crate) facets: Option<DatasetFacets<'a>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DatasetFacets<'a> {
    #[serde(borrow)]
    pub(crate) column_lineage: Option<ColumnLineage<'a>>,
    #[serde(borrow)]
    pub(crate) symlinks: Option<Symlinks<'a>>,
}

/// For each column of an output the columns that it is made from.
#[derive(Debug, Deserialize)]
pub(crate) struct ColumnLineage<'a> {
    #[serde(borrow, default)]
    pub(crate) fields: BTreeMap<String, ColumnInputs<'a>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ColumnInputs<'a> {
    #[serde(borrow)]
    pub(crate) input_fields: Option<Vec<InputField<'a>>>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct InputField<'a> {
    #[serde(borrow)]
    pub(crate) namespace: Option<SourceIdentifier<'a>>,
    #[serde(borrow)]
    pub(crate) name: Option<SourceIdentifier<'a>>,
    #[serde(borrow)]
    pub(crate) field: Option<Text<'a>>,
}

/// Other names of the same dataset.
#[derive(Debug, Deserialize)]
pub(crate) struct Symlinks<'a> {
    #[serde(borrow)]
    pub(crate) identifiers: Option<Vec<Symlink<'a>>>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Symlink<'a> {
    #[serde(borrow)]
    pub(crate) namespace: Option<SourceIdentifier<'a>>,
    #[serde(borrow)]
    pub(crate) name: Option<SourceIdentifier<'a>>,
}
