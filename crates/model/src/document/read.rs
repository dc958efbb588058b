//! JSON to assets, columns and attributes.

use serde::Deserialize;
use serde::de::Error;
use serde_json::Value as Json;

use super::AssetStatus;
use crate::attribute::{Attribute, Attributes, Value};
use crate::{Asset, ColumnDraft, Columns, Kind, QualifiedName, Reference};

/// A document that is not in the form that is written here.
#[derive(Debug, thiserror::Error)]
#[error("a document cannot be read")]
pub struct ReadError(#[from] serde_json::Error);

/// Reads attributes that [`super::write_attributes`] wrote. Names that this version does not know are left out.
///
/// # Errors
/// When the text is no JSON object.
pub fn read_attributes(text: &str) -> Result<Attributes, ReadError> {
    Ok(attributes_of(serde_json::from_str(text)?))
}

/// Reads a document that [`super::write_asset`] wrote, but for its columns, which are documents of their own.
///
/// # Errors
/// When it is none, or of a type that this version does not know.
pub fn read_asset(document: Json) -> Result<(Asset, AssetStatus), ReadError> {
    let document = Document::deserialize(document)?;
    let kind = Kind::from_type_name(&document.type_name);
    let kind = kind.ok_or_else(|| serde_json::Error::custom(format!("there is no type {}", document.type_name)))?;
    let text = |name: &str| {
        let text = document.attributes.get(name).and_then(Json::as_str).map(str::to_owned);
        text.ok_or_else(|| serde_json::Error::custom(format!("the {} has no {name}", document.type_name)))
    };
    let mut asset = Asset::new(kind, QualifiedName::from_encoded(text("qualifiedName")?), text("name")?);
    let mut attributes = document.attributes;
    if matches!(kind, Kind::Schema | Kind::Table | Kind::View) {
        // What follows from the qualified name here is a property of its own elsewhere.
        attributes.remove(Attribute::DatabaseName.name());
    }
    asset.attributes = attributes_of(attributes);
    let is_active = document.status == AssetStatus::Active.as_str();
    Ok((asset, if is_active { AssetStatus::Active } else { AssetStatus::Archived }))
}

/// Reads the documents that [`super::write_columns`] wrote for one asset, in their order.
///
/// # Errors
/// When one is no document of a column.
pub fn read_columns(documents: impl IntoIterator<Item = Json>) -> Result<Columns, ReadError> {
    let mut columns = Columns::default();
    let mut above: Vec<usize> = Vec::new();
    for document in documents {
        let column = ColumnDocument::deserialize(document)?.attributes;
        above.truncate(column.depth.saturating_sub(1));
        let raw_type = if column.smus_data_type.is_empty() { &column.raw_type } else { &column.smus_data_type };
        let index = columns.push(&ColumnDraft {
            name: &column.name,
            data_type: if column.smus_data_type.is_empty() { &column.data_type } else { raw_type },
            raw_type,
            description: column.description.as_deref(),
            order: column.order,
            partition_order: column.partition_order,
            parent: above.last().copied(),
            nested_count: column.nested_count,
        });
        above.push(index);
    }
    Ok(columns)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    type_name: String,
    status: String,
    attributes: serde_json::Map<String, Json>,
}

#[derive(Deserialize)]
struct ColumnDocument {
    attributes: ColumnAttributes,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ColumnAttributes {
    name: String,
    #[serde(default)]
    description: Option<String>,
    #[serde(default)]
    data_type: String,
    #[serde(default, rename = "rawDataTypeDefinition")]
    raw_type: String,
    #[serde(default)]
    smus_data_type: String,
    order: u32,
    #[serde(default)]
    partition_order: Option<u32>,
    #[serde(default = "top_level", rename = "columnDepthLevel")]
    depth: usize,
    #[serde(default, rename = "nestedColumnCount")]
    nested_count: u32,
}

const fn top_level() -> usize {
    1
}

fn attributes_of(object: serde_json::Map<String, Json>) -> Attributes {
    let mut attributes = Attributes::default();
    for (name, value) in object {
        if let Some(attribute) = Attribute::from_name(&name) {
            let value = if attribute.holds_references() { references(&value).map(Value::References) } else { value_of(value) };
            attributes.set_some(attribute, value);
        }
    }
    attributes
}

fn value_of(json: Json) -> Option<Value> {
    Some(match json {
        Json::Null => return None,
        Json::Bool(truth) => Value::Boolean(truth),
        Json::Number(number) => number.as_i64().map_or_else(|| Value::Number(number.as_f64().unwrap_or_default()), Value::Integer),
        Json::String(text) => Value::Text(text),
        Json::Array(items) => Value::List(items.into_iter().filter_map(value_of).collect()),
        Json::Object(entries) => Value::Map(entries.into_iter().filter_map(|(key, value)| Some((key, value_of(value)?))).collect()),
    })
}

fn references(json: &Json) -> Option<Vec<Reference>> {
    let reference = |item: &Json| {
        let kind = Kind::from_type_name(item.get("typeName")?.as_str()?)?;
        Some(Reference::new(kind, QualifiedName::from_encoded(item.get("qualifiedName")?.as_str()?)))
    };
    Some(json.as_array()?.iter().filter_map(reference).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::{write_asset, write_attributes, write_columns};

    fn draft<'a>(name: &'a str, data_type: &'a str, raw_type: &'a str, parent: Option<usize>) -> ColumnDraft<'a> {
        ColumnDraft { name, data_type, raw_type, description: None, order: 1, partition_order: None, parent, nested_count: 0 }
    }

    fn comes_back(asset: &Asset, status: AssetStatus) {
        let (mut document, mut lines) = (Vec::new(), Vec::new());
        write_asset(asset, status, &mut document);
        write_columns(asset, status, &mut lines);
        let (mut read, read_status) = read_asset(serde_json::from_slice(&document).unwrap()).unwrap();
        let lines = String::from_utf8(lines).unwrap();
        read.columns = read_columns(lines.lines().map(|line| serde_json::from_str(line).unwrap())).unwrap();
        let columns = |asset: &Asset| asset.columns.iter().map(|column| format!("{column:?}")).collect::<Vec<_>>();
        assert_eq!((read_status, columns(&read)), (status, columns(asset)));
        assert_eq!((&read.kind, &read.qualified_name, &read.name), (&asset.kind, &asset.qualified_name, &asset.name));
        assert_eq!(read.attributes, asset.attributes);
    }

    #[test]
    fn assets_and_nested_columns_come_back_as_they_were_written() {
        let mut table = Asset::new(Kind::Table, QualifiedName::from_encoded("default/glue/1/c/d/a%2Fb"), "a/b");
        table.attributes.set(Attribute::RowCount, 7);
        let items = table.columns.push(&ColumnDraft { nested_count: 2, ..draft("items", "struct", "struct<a:int,b/c:int>", None) });
        table.columns.push(&draft("a", "int", "int", Some(items)));
        let deep = table.columns.push(&ColumnDraft {
            order: 2,
            nested_count: 1,
            ..draft("b/c", "array", "array<struct<d:int>>", Some(items))
        });
        table.columns.push(&draft("d", "int", "int", Some(deep)));
        let day = ColumnDraft {
            description: Some("the \"day\""),
            order: 2,
            partition_order: Some(1),
            ..draft("day", "date", "date", None)
        };
        table.columns.push(&day);
        comes_back(&table, AssetStatus::Active);
        comes_back(&table, AssetStatus::Archived);
        let mut crawler = Asset::new(Kind::GlueCrawler, QualifiedName::from_encoded("default/glue/1/crawlers/x"), "x");
        crawler.attributes.set(Attribute::DatabaseName, "sales");
        comes_back(&crawler, AssetStatus::Active);
        let mut published = Asset::new(Kind::SmusPublishedAsset, QualifiedName::from_encoded("default/aws-smus/1/d/p/a"), "A");
        published.columns.push(&draft("id", "bigint", "bigint", None));
        comes_back(&published, AssetStatus::Active);
    }

    #[test]
    fn what_is_no_document_says_what_is_missing() {
        let told = |json: Json| read_asset(json).unwrap_err().0.to_string();
        assert!(told(serde_json::json!({"typeName": "Nothing", "status": "ACTIVE", "attributes": {}})).contains("Nothing"));
        let nameless = serde_json::json!({"typeName": "Table", "status": "ACTIVE", "attributes": {"qualifiedName": "x"}});
        assert!(told(nameless).contains("name"));
    }

    #[test]
    fn attributes_come_back_as_they_were_written() {
        let mut attributes = Attributes::default();
        attributes.set(Attribute::Description, "line\n\"two\"");
        attributes.set(Attribute::RowCount, -3);
        attributes.set(Attribute::MaxCapacity, Value::Number(0.0625));
        attributes.set(Attribute::Visual, true);
        attributes.set(Attribute::PartitionKeys, Value::texts(["a", "b"]));
        attributes.set(Attribute::Parameters, Value::Map(vec![("classification".into(), "parquet".into())]));
        attributes.set(
            Attribute::Inputs,
            Value::References(vec![Reference::new(Kind::Table, QualifiedName::from_encoded("default/glue/1/c/d/t"))]),
        );
        let mut text = Vec::new();
        write_attributes(&attributes, &mut text);
        let text = String::from_utf8(text).unwrap();
        assert_eq!(read_attributes(&text).unwrap(), attributes, "{text}");
    }
}
