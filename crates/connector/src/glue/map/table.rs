//! Tables, views and links of one database.

use model::lineage::{self, ProcessKind};
use model::{Asset, Attribute, Item, Kind, QualifiedName, Reference, SourceHash, Value, Warning};

use super::columns::{ColumnsBuilder, RawColumn};
use super::view::{self, ViewFacts};
use super::{MapContext, delta};
use crate::glue::page::{Column, StorageDescriptor, Table};
use crate::glue::settings::Keep;
use crate::privacy::scrub;

/// Where the tables of a page are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place<'a> {
    /// The catalog's name.
    pub(crate) catalog: &'a str,
    /// The database's name.
    pub(crate) database: &'a str,
    /// The database's qualified name.
    pub(crate) schema: &'a QualifiedName,
}

/// One table to an item: the asset and the lineage that follows from it.
pub(crate) fn map_table(
    context: &MapContext<'_>,
    place: Place<'_>,
    table: &Table<'_>,
    source: Option<SourceHash>,
    warnings: &mut Vec<Warning>,
) -> Item {
    let kind = if is_view(table) { Kind::View } else { Kind::Table };
    let mut asset = Asset::new(kind, place.schema.child(&table.name), &*table.name);
    let scope = format!("{}/{}/{}", place.catalog, place.database, &*table.name);
    let facts = (kind == Kind::View).then(|| view::facts(context, place, table, &scope, warnings)).flatten();
    set_columns(context, table, facts.as_ref(), &mut asset, scope, warnings);
    set_attributes(context, table, &mut asset);
    let mut derived = Vec::new();
    if let Some(target) = link_target(context, table) {
        asset.attributes.set(Attribute::LinkedTableQualifiedName, target.as_str());
        if context.reads_lineage() {
            derived.push(link_process(&asset, target));
        }
    }
    if let Some(facts) = facts {
        asset.attributes.set_some(Attribute::Definition, facts.definition.clone());
        if context.reads_lineage() {
            derived.extend(view::processes(&asset, &facts));
        }
    }
    Item { asset, derived, source }
}

fn is_view(table: &Table<'_>) -> bool {
    let by_type = table.table_type.as_deref().is_some_and(|kind| matches!(kind, "VIRTUAL_VIEW" | "MATERIALIZED_VIEW"));
    table.target_table.is_none()
        && (by_type
            || table.view_definition.is_some()
            || table.is_multi_dialect_view == Some(true)
            || table.is_materialized_view == Some(true))
}

fn set_columns(
    context: &MapContext<'_>,
    table: &Table<'_>,
    view: Option<&ViewFacts>,
    asset: &mut Asset,
    scope: String,
    warnings: &mut Vec<Warning>,
) {
    let listed = table.storage_descriptor.as_ref().and_then(|storage| storage.columns.as_deref()).unwrap_or_default();
    let keys = table.partition_keys.as_deref().unwrap_or_default();
    let raw: Vec<RawColumn<'_>> = listed.iter().filter_map(|column| RawColumn::from_page(column, false, context)).collect();
    let spark = if needs_spark_schema(table, &raw) { delta::spark_schema(&table.parameters) } else { None };
    let declared = view.map(|view| view.columns.as_slice()).filter(|columns| raw.is_empty() && !columns.is_empty());
    let columns = match (declared, &spark) {
        (Some(declared), _) => declared.iter().map(|(name, raw_type)| RawColumn::declared(name, raw_type)).collect(),
        (None, Some(spark)) => spark.iter().map(|column| column.as_raw(context)).collect(),
        (None, None) => raw,
    };
    add_columns(asset, keys, columns, context, scope, warnings);
}

fn add_columns<'a>(
    asset: &mut Asset,
    keys: &'a [Column<'a>],
    mut raw: Vec<RawColumn<'a>>,
    context: &MapContext<'_>,
    scope: String,
    warnings: &mut Vec<Warning>,
) {
    raw.extend(keys.iter().filter_map(|key| RawColumn::from_page(key, true, context)));
    let mut builder = ColumnsBuilder::new(scope, warnings);
    builder.add_all(&raw);
    let (columns, top_level_count) = builder.finish();
    asset.columns = columns;
    asset.attributes.set(Attribute::ColumnCount, i64::from(top_level_count));
    let partition_keys: Vec<_> =
        asset.columns.iter().filter(|column| column.partition_order.is_some()).map(|column| column.name.to_owned()).collect();
    asset.attributes.set(Attribute::IsPartitioned, !partition_keys.is_empty());
    asset.attributes.set(Attribute::PartitionKeys, Value::texts(partition_keys));
}

/// Some writers of Delta tables leave one column `col array<string>` (or none) and keep the schema in Spark's parameters.
fn needs_spark_schema(table: &Table<'_>, columns: &[RawColumn<'_>]) -> bool {
    match columns {
        [] => true,
        [only] => only.name == "col" && only.raw_type.as_deref() == Some("array<string>") && table_format(table) == Some("delta"),
        _ => false,
    }
}

/// Comments that engines write to recognise their own views by: they describe nothing.
const ENGINE_COMMENTS: &[&str] = &["Presto View", "Presto Materialized View"];

fn set_attributes(context: &MapContext<'_>, table: &Table<'_>, asset: &mut Asset) {
    let attributes = &mut asset.attributes;
    let description =
        table.description.as_ref().map(|text| text.scrubbed(context.masked).into_owned()).filter(|text| !text.is_empty());
    let comment = table.parameters.get("comment").filter(|comment| !ENGINE_COMMENTS.contains(comment));
    attributes.set_some(Attribute::Description, description.or_else(|| comment.map(|text| scrub(text).0.into_owned())));
    let parameters = &table.parameters;
    attributes.set_some(Attribute::RowCount, parameters.measurement(["recordCount", "numRows"]));
    attributes.set_some(Attribute::SizeBytes, parameters.measurement(["sizeKey", "totalSize"]));
    attributes.set_some(Attribute::TableObjectCount, parameters.measurement(["objectCount", "numFiles"]));
    attributes.set_some(Attribute::SubType, table.table_type.as_deref());
    if asset.kind == Kind::Table && table.target_table.is_none() {
        attributes.set_some(Attribute::TableFormat, table_format(table));
    }
    attributes
        .set_some(Attribute::ExternalLocation, table.storage_descriptor.as_ref().and_then(|storage| storage.location.as_deref()));
    attributes.set_some(Attribute::ExternalLocationFormat, location_format(table));
    set_people(context, table, asset);
    asset.attributes.set_some(Attribute::SourceCreatedAt, table.create_time.map(|time| time.0));
    asset.attributes.set_some(Attribute::SourceUpdatedAt, table.update_time.map(|time| time.0));
    asset.attributes.set(Attribute::Parameters, parameters.to_value(context.masked));
}

fn set_people(context: &MapContext<'_>, table: &Table<'_>, asset: &mut Asset) {
    let (created_by, owner) = (table.created_by.as_ref(), table.owner.as_ref());
    let (created_by, owner) = if context.keeps(Keep::PersonNames) {
        (created_by.map(|person| person.whole().to_owned()), owner.map(|owner| owner.whole(context.masked)))
    } else {
        (
            created_by.and_then(|person| person.person_free(context.masked)),
            owner.and_then(|owner| owner.person_free(context.masked)),
        )
    };
    asset.attributes.set_some(Attribute::SourceCreatedBy, created_by);
    asset.attributes.set_some(Attribute::Owner, owner);
}

/// What kind of table it is, by the signs that writers leave, the surest first.
fn table_format(table: &Table<'_>) -> Option<&'static str> {
    let parameters = &table.parameters;
    let is = |key: &str, word: &str| parameters.get(key).is_some_and(|value| value.eq_ignore_ascii_case(word));
    let storage = table.storage_descriptor.as_ref();
    let input_format = storage.and_then(|storage| storage.input_format.as_deref()).unwrap_or_default();
    if is("table_type", "ICEBERG") {
        Some("iceberg")
    } else if is("spark.sql.sources.provider", "delta") || is("table_type", "delta") || is("classification", "delta") {
        Some("delta")
    } else if is("spark.sql.sources.provider", "hudi")
        || is("table_type", "hudi")
        || parameters.get("hoodie.table.type").is_some()
        || input_format.starts_with("org.apache.hudi.")
    {
        Some("hudi")
    } else {
        storage.map(|_| "hive")
    }
}

/// The format of the data at the location: what the catalog says, else what the reader classes say.
fn location_format(table: &Table<'_>) -> Option<String> {
    if let Some(classification) = table.parameters.get("classification") {
        return Some(scrub(classification).0.into_owned());
    }
    // Writers of Iceberg and Delta tables leave the classes of Hive's defaults, which say nothing of the data.
    let has_own_reader = matches!(table_format(table), Some("iceberg" | "delta"));
    let by_class = table.storage_descriptor.as_ref().filter(|_| !has_own_reader).and_then(format_by_class);
    by_class.map(str::to_owned).or_else(|| table.parameters.get("typeOfData").map(|text| scrub(text).0.into_owned()))
}

fn format_by_class(storage: &StorageDescriptor<'_>) -> Option<&'static str> {
    const SIGNS: &[(&str, &str)] = &[
        ("parquet", "parquet"),
        ("orc", "orc"),
        ("avro", "avro"),
        ("json", "json"),
        ("opencsv", "csv"),
        ("lazysimple", "csv"),
        ("regexserde", "text"),
        ("ion", "ion"),
    ];
    let library = storage.serde_info.as_ref().and_then(|serde| serde.serialization_library.as_deref()).unwrap_or_default();
    let classes = format!("{library} {}", storage.input_format.as_deref().unwrap_or_default()).to_ascii_lowercase();
    SIGNS.iter().find(|(sign, _)| classes.contains(sign)).map(|(_, format)| *format)
}

fn link_target(context: &MapContext<'_>, table: &Table<'_>) -> Option<QualifiedName> {
    let link = table.target_table.as_ref()?;
    let catalog = context.naming.catalog_name(link.catalog_id.as_deref());
    Some(context.naming.table(&catalog, link.database_name.as_deref()?, link.name.as_deref()?))
}

fn link_process(asset: &Asset, target: QualifiedName) -> Asset {
    let output = Reference::new(asset.kind, asset.qualified_name.clone());
    lineage::process(
        ProcessKind::ResourceLink,
        asset.qualified_name.as_str(),
        &asset.name,
        vec![Reference::new(Kind::Table, target)],
        vec![output],
    )
}
