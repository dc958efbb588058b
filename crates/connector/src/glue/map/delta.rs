//! The schema that Spark keeps in a table's parameters: for Delta tables whose columns Glue does not have.

use std::collections::HashSet;

use serde_json::Value as Json;

use super::MapContext;
use super::columns::RawColumn;
use crate::privacy::{MaskedPlace, Parameters, scrub};

/// The most parts of a split schema that are put together.
const PARTS_MAX: usize = 1000;

/// The deepest nesting that is turned into a type text; below it, the type reads `unknown`.
const DEPTH_MAX: usize = 64;

/// The most partition columns that are looked for.
const PARTITION_COLUMNS_MAX: usize = 1000;

/// A column of Spark's schema, its type as Hive writes it.
#[derive(Debug)]
pub(super) struct SparkColumn {
    name: String,
    raw_type: String,
    comment: Option<String>,
    is_partition_key: bool,
}

impl SparkColumn {
    pub(super) fn as_raw(&self, context: &MapContext<'_>) -> RawColumn<'_> {
        let comment = self.comment.as_deref().map(|comment| {
            let (comment, count) = scrub(comment);
            context.masked.add(MaskedPlace::FreeText, count);
            comment
        });
        RawColumn { name: &self.name, raw_type: Some((&*self.raw_type).into()), comment, is_partition_key: self.is_partition_key }
    }
}

/// The columns of `spark.sql.sources.schema` or its numbered parts; `None` where there is no such schema or it cannot be read.
pub(super) fn spark_schema(parameters: &Parameters<'_>) -> Option<Vec<SparkColumn>> {
    let text = schema_text(parameters)?;
    let schema: Json = serde_json::from_str(&text).ok()?;
    let fields = schema.get("fields")?.as_array()?;
    let partition_columns: HashSet<&str> =
        (0..PARTITION_COLUMNS_MAX).map_while(|at| parameters.get(&format!("spark.sql.sources.schema.partCol.{at}"))).collect();
    let column = |field: &Json| {
        let name = field.get("name")?.as_str()?;
        // Of a field's metadata only the comment: there are defaults beside it.
        let comment = field.get("metadata").and_then(|metadata| metadata.get("comment")).and_then(Json::as_str);
        Some(SparkColumn {
            name: name.to_owned(),
            raw_type: hive_type(field.get("type")?, 0),
            comment: comment.map(str::to_owned),
            is_partition_key: partition_columns.contains(name),
        })
    };
    Some(fields.iter().filter_map(column).collect())
}

fn schema_text(parameters: &Parameters<'_>) -> Option<String> {
    if let Some(whole) = parameters.get("spark.sql.sources.schema") {
        return Some(whole.to_owned());
    }
    let parts: usize = parameters.get("spark.sql.sources.schema.numParts")?.parse().ok()?;
    (0..parts.min(PARTS_MAX)).map(|part| parameters.get(&format!("spark.sql.sources.schema.part.{part}"))).collect()
}

/// Spark's JSON form of a type (Spark SQL `DataType.json`) as Hive writes it.
fn hive_type(spark: &Json, depth: usize) -> String {
    if depth > DEPTH_MAX {
        return "unknown".to_owned();
    }
    if let Some(name) = spark.as_str() {
        return match name {
            "integer" => "int".to_owned(),
            "long" => "bigint".to_owned(),
            "short" => "smallint".to_owned(),
            "byte" => "tinyint".to_owned(),
            other => other.to_owned(),
        };
    }
    let inner = |member: &str| spark.get(member).map_or_else(|| "unknown".to_owned(), |inner| hive_type(inner, depth + 1));
    match spark.get("type").and_then(Json::as_str) {
        Some("array") => format!("array<{}>", inner("elementType")),
        Some("map") => format!("map<{},{}>", inner("keyType"), inner("valueType")),
        Some("struct") => {
            let fields = spark.get("fields").and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default();
            let field = |field: &Json| {
                Some(format!("{}:{}", quoted(field.get("name")?.as_str()?), hive_type(field.get("type")?, depth + 1)))
            };
            format!("struct<{}>", fields.iter().filter_map(field).collect::<Vec<_>>().join(","))
        }
        _ => "unknown".to_owned(),
    }
}

/// A field name in back-ticks where Hive's grammar would take a character of it for its own.
fn quoted(name: &str) -> String {
    if name.contains([':', ',', '<', '>', '`', ' ']) { format!("`{}`", name.replace('`', "``")) } else { name.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schema_in_parts_is_put_together_and_types_read_as_hive_writes_them() {
        let schema = r#"{"type":"struct","fields":[{"name":"id","type":"long","nullable":true,"metadata":{"CURRENT_DEFAULT":"CANARY"}},
            {"name":"tags","type":{"type":"map","keyType":"string","valueType":{"type":"array","elementType":"integer"}}},
            {"name":"who","type":{"type":"struct","fields":[{"name":"first name","type":"string"}]}}]}"#;
        let (one, two) = schema.split_at(100);
        let json = serde_json::json!({"spark.sql.sources.schema.numParts": "2", "spark.sql.sources.schema.part.0": one,
            "spark.sql.sources.schema.part.1": two})
        .to_string();
        let parameters: Parameters<'_> = serde_json::from_str(&json).unwrap();
        let columns = spark_schema(&parameters).unwrap();
        let texts: Vec<_> = columns.iter().map(|column| format!("{} {}", column.name, column.raw_type)).collect();
        assert_eq!(texts, ["id bigint", "tags map<string,array<int>>", "who struct<`first name`:string>"]);
    }
}
