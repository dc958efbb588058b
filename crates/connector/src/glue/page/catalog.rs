//! `GetCatalogs`, `GetCatalog`, `GetDatabases`, `GetDatabase` (AWS Glue API reference).

use serde::Deserialize;

use super::{Present, Timestamp};
use crate::privacy::{FreeText, Location, Parameters, Sign, Text};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct CatalogsPage<'a> {
    #[serde(borrow, default)]
    pub(crate) catalog_list: Vec<Catalog<'a>>,
    #[serde(borrow)]
    pub(crate) next_token: Option<Text<'a>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct CatalogAnswer<'a> {
    #[serde(borrow)]
    #[expect(dead_code, reason = "parsing proves that the answer is one; what is kept of it is parsed when it is delivered")]
    pub(crate) catalog: Option<Catalog<'a>>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Catalog<'a> {
    #[serde(borrow)]
    pub(crate) catalog_id: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) name: Text<'a>,
    #[serde(borrow)]
    pub(crate) resource_arn: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) description: Option<FreeText<'a>>,
    pub(crate) create_time: Option<Timestamp>,
    pub(crate) update_time: Option<Timestamp>,
    pub(crate) target_redshift_catalog: Option<Present>,
    #[serde(borrow)]
    pub(crate) federated_catalog: Option<Federated<'a>>,
    #[serde(borrow)]
    pub(crate) catalog_properties: Option<CatalogProperties<'a>>,
}

impl Catalog<'_> {
    /// Whether the catalog is one that Amazon Redshift manages.
    pub(crate) fn is_redshift(&self) -> bool {
        let access = self.catalog_properties.as_ref().and_then(|properties| properties.data_lake_access_properties.as_ref());
        access.and_then(|access| access.catalog_type.as_deref()).is_some_and(|kind| kind.eq_ignore_ascii_case("aws:redshift"))
    }
}

/// Of a catalog's properties only the sign of what manages it.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct CatalogProperties<'a> {
    #[serde(borrow)]
    data_lake_access_properties: Option<DataLakeAccess<'a>>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DataLakeAccess<'a> {
    #[serde(borrow)]
    catalog_type: Option<Sign<'a>>,
}

/// Where a catalog or database comes from.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Federated<'a> {
    #[serde(borrow)]
    pub(crate) connection_name: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) connection_type: Option<Text<'a>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct DatabasesPage<'a> {
    #[serde(borrow, default)]
    pub(crate) database_list: Vec<Database<'a>>,
    #[serde(borrow)]
    pub(crate) next_token: Option<Text<'a>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct DatabaseAnswer {
    #[expect(dead_code, reason = "only whether the answer is one matters: it proves that the database is there")]
    pub(crate) database: Option<Present>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Database<'a> {
    #[serde(borrow)]
    pub(crate) name: Text<'a>,
    #[serde(borrow)]
    pub(crate) catalog_id: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) description: Option<FreeText<'a>>,
    pub(crate) location_uri: Option<Location>,
    pub(crate) create_time: Option<Timestamp>,
    #[serde(borrow, default)]
    pub(crate) parameters: Parameters<'a>,
    #[serde(borrow)]
    pub(crate) target_database: Option<DatabaseLink<'a>>,
}

/// What a database link stands for.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct DatabaseLink<'a> {
    #[serde(borrow)]
    pub(crate) catalog_id: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) database_name: Option<Text<'a>>,
}
