//! The managed metadata forms that are read, each with exactly the members that are kept (names as Amazon DataZone uses them; AWS
//! publishes no model of their contents). Every other managed form is skipped.

use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::privacy::{FreeText, SourceIdentifier, Text, TypeText};

/// `amazon.datazone.GlueTableFormType`, also of views.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct GlueTableForm<'a> {
    #[serde(borrow)]
    pub(crate) database_name: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) table_name: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) catalog_id: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) region: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) table_arn: Option<SourceIdentifier<'a>>,
    #[serde(borrow)]
    pub(crate) table_description: Option<FreeText<'a>>,
    #[serde(borrow)]
    pub(crate) columns: Option<Vec<TableColumn<'a>>>,
}

/// `amazon.datazone.RedshiftTableFormType` and `amazon.datazone.RedshiftViewFormType`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RedshiftForm<'a> {
    #[serde(borrow)]
    pub(crate) database_name: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) schema_name: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) table_name: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) view_name: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) columns: Option<Vec<TableColumn<'a>>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TableColumn<'a> {
    #[serde(borrow)]
    pub(crate) column_name: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) data_type: Option<TypeText<'a>>,
    #[serde(borrow)]
    pub(crate) description: Option<FreeText<'a>>,
}

/// `amazon.datazone.AssetCommonDetailsFormType`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AssetCommonDetailsForm<'a> {
    #[serde(borrow)]
    pub(crate) source_identifier: Option<SourceIdentifier<'a>>,
    #[serde(borrow)]
    pub(crate) summary: Option<FreeText<'a>>,
    #[serde(borrow)]
    pub(crate) read_me: Option<FreeText<'a>>,
}

/// `amazon.datazone.ColumnBusinessMetadataFormType`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ColumnBusinessMetadataForm<'a> {
    #[serde(borrow)]
    pub(crate) columns_business_metadata: Option<Vec<ColumnBusinessMetadata<'a>>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ColumnBusinessMetadata<'a> {
    #[serde(borrow)]
    pub(crate) column_identifier: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) description: Option<FreeText<'a>>,
    pub(crate) glossary_terms: Option<Vec<TermIdentifier>>,
}

/// A term in a form: its id, or in listings an object that has it.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(crate) enum TermIdentifier {
    Id(String),
    Entity {
        #[serde(rename = "amazonmetadata.entityId")]
        id: String,
    },
    Other(IgnoredAny),
}
