//! Catalogs and databases.

use model::lineage::{self, ProcessKind};
use model::{Asset, Attribute, Kind, Reference};

use super::MapContext;
use crate::glue::naming::account_of;
use crate::glue::page::{Catalog, Database};

/// What a crawl counted below a catalog or database; absent where it could not count to the end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct TableCounts {
    pub(crate) tables: i64,
    pub(crate) views: i64,
}

/// The `Database` asset of a Glue catalog. `catalog` is what the service says of it, where it says anything.
pub(crate) fn map_catalog(context: &MapContext<'_>, name: &str, catalog: Option<&Catalog<'_>>, schema_count: Option<i64>) -> Asset {
    let mut asset = Asset::new(Kind::Database, context.naming.catalog(name), name);
    asset.attributes.set_some(Attribute::SchemaCount, schema_count);
    let owner = catalog.and_then(|catalog| account_of(catalog.catalog_id.as_deref()?)).or(context.naming.account());
    asset.attributes.set_some(Attribute::AwsAccountId, owner);
    let Some(catalog) = catalog else { return asset };
    let description = catalog.description.as_ref().map(|text| text.scrubbed(context.masked).into_owned());
    asset.attributes.set_some(Attribute::Description, description);
    asset.attributes.set_some(Attribute::AwsArn, catalog.resource_arn.as_deref());
    asset.attributes.set(Attribute::CatalogType, catalog_type(name, catalog));
    asset.attributes.set_some(Attribute::SourceCreatedAt, catalog.create_time.map(|time| time.0));
    asset.attributes.set_some(Attribute::SourceUpdatedAt, catalog.update_time.map(|time| time.0));
    asset
}

/// What kind of catalog: those of AWS's own services say so by the name of a connection that is not one (`aws:s3tables`), other
/// federated ones by their connection's type, the rest by what they have.
fn catalog_type(name: &str, catalog: &Catalog<'_>) -> String {
    if name == "s3tablescatalog" || name.starts_with("s3tablescatalog/") {
        return "s3tables".to_owned();
    }
    if let Some(federated) = &catalog.federated_catalog {
        let of_service = federated.connection_name.as_deref().and_then(|name| name.strip_prefix("aws:"));
        let connection_type = of_service.or(federated.connection_type.as_deref()).filter(|kind| !kind.is_empty());
        return connection_type.unwrap_or("federated").to_lowercase();
    }
    let is_redshift = catalog.target_redshift_catalog.is_some_and(|present| present.0) || catalog.is_redshift();
    if is_redshift { "redshift" } else { "glue" }.to_owned()
}

/// The `Schema` asset of a Glue database, and the process of a database link.
pub(crate) fn map_database(
    context: &MapContext<'_>,
    catalog: &str,
    database: &Database<'_>,
    counts: Option<TableCounts>,
) -> (Asset, Option<Asset>) {
    let mut asset = Asset::new(Kind::Schema, context.naming.schema(catalog, &database.name), &*database.name);
    let attributes = &mut asset.attributes;
    let description = database.description.as_ref().map(|text| text.scrubbed(context.masked).into_owned());
    attributes.set_some(Attribute::Description, description);
    attributes.set_some(Attribute::TableCount, counts.map(|counts| counts.tables));
    attributes.set_some(Attribute::ViewsCount, counts.map(|counts| counts.views));
    attributes.set_some(Attribute::SchemaExternalLocation, database.location_uri.as_deref());
    attributes.set_some(Attribute::SourceCreatedAt, database.create_time.map(|time| time.0));
    attributes.set(Attribute::Parameters, database.parameters.to_value(context.masked));
    let target = link_target(context, database);
    attributes.set_some(Attribute::LinkedSchemaQualifiedName, target.as_ref().map(|target| target.qualified_name.as_str()));
    let process = target.filter(|_| context.reads_lineage()).map(|target| {
        let output = Reference::new(Kind::Schema, asset.qualified_name.clone());
        lineage::process(ProcessKind::ResourceLink, asset.qualified_name.as_str(), &asset.name, vec![target], vec![output])
    });
    (asset, process)
}

fn link_target(context: &MapContext<'_>, database: &Database<'_>) -> Option<Reference> {
    let link = database.target_database.as_ref()?;
    let catalog = context.naming.catalog_name(link.catalog_id.as_deref());
    Some(Reference::new(Kind::Schema, context.naming.schema(&catalog, link.database_name.as_deref()?)))
}
