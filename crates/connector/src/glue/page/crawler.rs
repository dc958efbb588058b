//! `GetCrawlers` (AWS Glue API reference, `Crawler`).

use serde::Deserialize;

use super::Timestamp;
use crate::privacy::{FreeText, Location, Role, Text};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct CrawlersPage<'a> {
    #[serde(borrow, default)]
    pub(crate) crawlers: Vec<Crawler<'a>>,
    #[serde(borrow)]
    pub(crate) next_token: Option<Text<'a>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Crawler<'a> {
    #[serde(borrow)]
    pub(crate) name: Text<'a>,
    #[serde(borrow)]
    pub(crate) role: Option<Role<'a>>,
    #[serde(borrow)]
    pub(crate) targets: Option<CrawlerTargets<'a>>,
    #[serde(borrow)]
    pub(crate) database_name: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) description: Option<FreeText<'a>>,
    #[serde(borrow)]
    pub(crate) schedule: Option<CrawlerSchedule<'a>>,
    pub(crate) creation_time: Option<Timestamp>,
    pub(crate) last_updated: Option<Timestamp>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct CrawlerSchedule<'a> {
    #[serde(borrow)]
    pub(crate) schedule_expression: Option<Text<'a>>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct CrawlerTargets<'a> {
    #[serde(borrow, rename = "S3Targets")]
    pub(crate) s3: Option<Vec<PathTarget<'a>>>,
    #[serde(borrow, rename = "JdbcTargets")]
    pub(crate) jdbc: Option<Vec<PathTarget<'a>>>,
    #[serde(borrow, rename = "MongoDBTargets")]
    pub(crate) mongodb: Option<Vec<PathTarget<'a>>>,
    #[serde(rename = "DynamoDBTargets")]
    pub(crate) dynamodb: Option<Vec<DynamoDbTarget>>,
    #[serde(borrow, rename = "CatalogTargets")]
    pub(crate) catalog: Option<Vec<CatalogTarget<'a>>>,
    #[serde(rename = "DeltaTargets")]
    pub(crate) delta: Option<Vec<DeltaTarget>>,
    #[serde(rename = "IcebergTargets")]
    pub(crate) iceberg: Option<Vec<PathsTarget>>,
    #[serde(rename = "HudiTargets")]
    pub(crate) hudi: Option<Vec<PathsTarget>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct PathTarget<'a> {
    pub(crate) path: Option<Location>,
    #[serde(borrow)]
    pub(crate) connection_name: Option<Text<'a>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct DynamoDbTarget {
    pub(crate) path: Option<Location>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct CatalogTarget<'a> {
    #[serde(borrow)]
    pub(crate) database_name: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) tables: Option<Vec<Text<'a>>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct DeltaTarget {
    pub(crate) delta_tables: Option<Vec<Location>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct PathsTarget {
    pub(crate) paths: Option<Vec<Location>>,
}
