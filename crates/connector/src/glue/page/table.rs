//! `GetTables`, `GetTable` (AWS Glue API reference, `Table`).

use serde::Deserialize;

use super::{Present, Timestamp};
use crate::privacy::{FreeText, Location, Owner, Parameters, Person, Sign, Text, TypeText, ViewSql};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct TablesPage<'a> {
    #[serde(borrow, default)]
    pub(crate) table_list: Vec<Table<'a>>,
    #[serde(borrow)]
    pub(crate) next_token: Option<Text<'a>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct TableAnswer {
    #[expect(dead_code, reason = "only whether the answer is one matters: it proves that the table is there")]
    pub(crate) table: Option<Present>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Table<'a> {
    #[serde(borrow)]
    pub(crate) name: Text<'a>,
    #[serde(borrow)]
    pub(crate) description: Option<FreeText<'a>>,
    #[serde(borrow)]
    pub(crate) owner: Option<Owner<'a>>,
    pub(crate) create_time: Option<Timestamp>,
    pub(crate) update_time: Option<Timestamp>,
    #[serde(borrow)]
    pub(crate) storage_descriptor: Option<StorageDescriptor<'a>>,
    #[serde(borrow)]
    pub(crate) partition_keys: Option<Vec<Column<'a>>>,
    #[serde(borrow)]
    pub(crate) view_original_text: Option<ViewSql<'a>>,
    #[serde(borrow)]
    pub(crate) view_expanded_text: Option<ViewSql<'a>>,
    #[serde(borrow)]
    pub(crate) table_type: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(crate) parameters: Parameters<'a>,
    #[serde(borrow)]
    pub(crate) created_by: Option<Person<'a>>,
    #[serde(borrow)]
    pub(crate) target_table: Option<TableLink<'a>>,
    #[serde(borrow)]
    pub(crate) view_definition: Option<ViewDefinition<'a>>,
    pub(crate) is_multi_dialect_view: Option<bool>,
    pub(crate) is_materialized_view: Option<bool>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct StorageDescriptor<'a> {
    #[serde(borrow)]
    pub(crate) columns: Option<Vec<Column<'a>>>,
    pub(crate) location: Option<Location>,
    #[serde(borrow)]
    pub(crate) input_format: Option<Sign<'a>>,
    #[serde(borrow)]
    pub(crate) serde_info: Option<SerdeInfo<'a>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct SerdeInfo<'a> {
    #[serde(borrow)]
    pub(crate) serialization_library: Option<Sign<'a>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Column<'a> {
    #[serde(borrow)]
    pub(crate) name: Text<'a>,
    #[serde(borrow, rename = "Type")]
    pub(crate) column_type: Option<TypeText<'a>>,
    #[serde(borrow)]
    pub(crate) comment: Option<FreeText<'a>>,
    #[serde(borrow, default)]
    pub(crate) parameters: Parameters<'a>,
}

/// What a table link stands for.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct TableLink<'a> {
    #[serde(borrow)]
    pub(crate) catalog_id: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) database_name: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) name: Option<Text<'a>>,
}

/// A view of the Glue Data Catalog with several dialects.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ViewDefinition<'a> {
    #[serde(borrow)]
    pub(crate) representations: Option<Vec<ViewRepresentation<'a>>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ViewRepresentation<'a> {
    #[serde(borrow)]
    pub(crate) dialect: Option<Sign<'a>>,
    #[serde(borrow)]
    pub(crate) view_original_text: Option<ViewSql<'a>>,
    #[serde(borrow)]
    pub(crate) view_expanded_text: Option<ViewSql<'a>>,
}
