//! Assets of SageMaker Unified Studio as tests make them, and the accounts that they and Glue are in.

use model::attribute::{Attribute, Value};
use model::{Asset, Kind, QualifiedName};
use store::{Connection, ConnectionSpec, Store, Twins};

use crate::fresh::push_column;

pub(crate) const REGION: &str = "eu-west-1";
pub(crate) const ACCOUNT: &str = "111122223333";
pub(crate) const OTHER: &str = "444455556666";

/// The ARN of a table of [`ACCOUNT`].
pub(crate) fn arn(path: &str) -> String {
    arn_in(ACCOUNT, path)
}

pub(crate) fn arn_in(account: &str, path: &str) -> String {
    format!("arn:aws:glue:{REGION}:{account}:table/{path}")
}

pub(crate) async fn glue(store: &Store, number: u64, account: Option<&str>) -> Connection {
    connect(store, "glue", number, REGION, account).await
}

pub(crate) async fn studio(store: &Store, number: u64) -> Connection {
    connect(store, "aws-smus", number, REGION, Some(ACCOUNT)).await
}

pub(crate) async fn connect(
    store: &Store,
    connector: &'static str,
    number: u64,
    region: &str,
    account: Option<&str>,
) -> Connection {
    let name = format!("{connector} {number}");
    let (region, account) = (Some(region.to_owned()), account.map(str::to_owned));
    store.connection(&ConnectionSpec { name, connector, number: Some(number), region, account }, 1_000_000).await.unwrap()
}

/// The qualified name at a path below `default/aws-smus/1`.
pub(crate) fn in_studio(path: &str) -> QualifiedName {
    QualifiedName::from_encoded(format!("default/aws-smus/1/{path}"))
}

pub(crate) fn studio_asset(kind: Kind, path: &str, name: &str) -> Asset {
    Asset::new(kind, in_studio(path), name)
}

/// A published asset that is made from something.
pub(crate) fn published(path: &str, source: &str, columns: &[&str]) -> Asset {
    made_from(studio_asset(Kind::SmusPublishedAsset, path, &format!("Asset {path}")), source, columns)
}

pub(crate) fn made_from(mut asset: Asset, source: &str, columns: &[&str]) -> Asset {
    asset.attributes.set(Attribute::SmusAssetSourceIdentifier, source);
    for column in columns {
        push_column(&mut asset, column, "string");
    }
    asset
}

/// A table at a path below `default/glue/<number>`.
pub(crate) fn table_in(number: u64, path: &str, columns: &[&str]) -> Asset {
    let qualified_name = QualifiedName::from_encoded(format!("default/glue/{number}/{path}"));
    let mut table = Asset::new(Kind::Table, qualified_name, model::name::decode_part(path.rsplit('/').next().unwrap()));
    columns.iter().for_each(|column| push_column(&mut table, column, "string"));
    table
}

/// A resource link to a table, with the lineage that a crawl derives from it.
pub(crate) fn link(path: &str, target: &str) -> model::Item {
    let mut link = table_in(1, path, &[]);
    link.attributes.set(Attribute::LinkedTableQualifiedName, format!("default/glue/1/{target}"));
    linked(link, Kind::Table, target)
}

/// A resource link to a database.
pub(crate) fn schema_link(path: &str, target: &str) -> model::Item {
    let mut link = Asset::new(Kind::Schema, crate::fresh::name(path), path.rsplit('/').next().unwrap());
    link.attributes.set(Attribute::LinkedSchemaQualifiedName, format!("default/glue/1/{target}"));
    linked(link, Kind::Schema, target)
}

fn linked(link: Asset, kind: Kind, target: &str) -> model::Item {
    let input = model::Reference::new(kind, crate::fresh::name(target));
    let output = model::Reference::new(kind, link.qualified_name.clone());
    let subject = link.qualified_name.clone();
    let process =
        model::lineage::process(model::lineage::ProcessKind::ResourceLink, subject.as_str(), &link.name, vec![input], vec![output]);
    model::Item { asset: link, derived: vec![process], source: None }
}

/// The names of the twins of an asset, from the connection on.
pub(crate) async fn twins(store: &Store, name: &QualifiedName) -> Vec<String> {
    let found = all_twins(store, name).await;
    found.assets.iter().map(|twin| twin.reference.qualified_name.as_str()["default/".len()..].to_owned()).collect()
}

pub(crate) async fn all_twins(store: &Store, name: &QualifiedName) -> Twins {
    let subject = store.asset(name).await.unwrap().unwrap_or_else(|| panic!("{name} is not there"));
    store.twins(subject.stored()).await.unwrap()
}

/// References as the value of an attribute.
pub(crate) fn references(references: &[(Kind, &str)]) -> Value {
    let reference = |(kind, name): &(Kind, &str)| model::Reference::new(*kind, QualifiedName::from_encoded(*name));
    Value::References(references.iter().map(reference).collect())
}
