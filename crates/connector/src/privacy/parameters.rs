//! Parameters of tables, databases and catalogs: a map that anyone writes anything into. Known keys are kept, all else is dropped.

use std::fmt;

use model::Value;
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};

use super::{MaskedCounts, MaskedPlace, Text, clean_location, scrub};

/// The keys whose values are structure (reference: AWS Glue `Table.Parameters`; the list is the policy of this project).
pub(super) const KEPT_KEYS: &[&str] = &[
    "classification",
    "table_type",
    "EXTERNAL",
    "comment",
    "typeOfData",
    "compressionType",
    "delimiter",
    "skip.header.line.count",
    "has_encrypted_data",
    "metadata_location",
    "spark.sql.sources.provider",
    "hoodie.table.type",
    "presto_view",
    "CrawlerSchemaDeserializerVersion",
    "CrawlerSchemaSerializerVersion",
    "UPDATED_BY_CRAWLER",
    "iceberg.field.current",
    "iceberg.field.id",
    "iceberg.field.optional",
    "delta.minReaderVersion",
    "delta.minWriterVersion",
];

/// Measurements: whole numbers that the catalog keeps about a table.
pub(super) const MEASUREMENT_KEYS: &[&str] = &["recordCount", "numRows", "objectCount", "numFiles", "sizeKey", "totalSize"];

/// Where Spark keeps a table's schema: read to derive columns, never kept as text.
pub(super) const SPARK_SCHEMA_KEY: &str = "spark.sql.sources.schema";

/// Longest value that is kept of one parameter, in bytes: what is longer is no setting.
const VALUE_BYTES_MAX: usize = 1024;

/// The parameters that may be looked at. Values of any other key are skipped by the parser and never held.
#[derive(Clone, Debug, Default)]
pub(crate) struct Parameters<'a> {
    kept: Vec<(Text<'a>, Text<'a>)>,
    dropped: u64,
}

struct ParametersVisitor;

impl<'de> Visitor<'de> for ParametersVisitor {
    type Value = Parameters<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map of parameters")
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Parameters::default())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut parameters = Parameters::default();
        while let Some(key) = map.next_key::<Text<'de>>()? {
            if is_read(&key) {
                if let Some(value) = map.next_value::<Option<Text<'de>>>()? {
                    parameters.kept.push((key, value));
                }
            } else {
                map.next_value::<IgnoredAny>()?;
                parameters.dropped += 1;
            }
        }
        Ok(parameters)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Parameters<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_newtype_struct("Parameters", ParametersVisitor)
    }
}

fn is_read(key: &str) -> bool {
    KEPT_KEYS.contains(&key) || MEASUREMENT_KEYS.contains(&key) || key.starts_with(SPARK_SCHEMA_KEY)
}

impl Parameters<'_> {
    /// The value of one of the keys that are read.
    pub(crate) fn get(&self, key: &str) -> Option<&str> {
        self.kept.iter().find(|entry| &*entry.0 == key).map(|entry| &*entry.1).filter(|value| !value.is_empty())
    }

    /// A measurement, if it is a whole number that is not negative (crawlers write -1 for unknown).
    pub(crate) fn measurement(&self, keys: [&str; 2]) -> Option<i64> {
        keys.iter().find_map(|key| self.get(key)?.parse::<i64>().ok()).filter(|number| *number >= 0)
    }

    /// Counts what was dropped, where nothing of the map is kept.
    pub(crate) fn count_dropped(&self, masked: &MaskedCounts) {
        masked.add(MaskedPlace::Parameter, self.dropped);
    }

    /// What is kept in the asset: known keys, in the order of the source, values through the scanner.
    pub(crate) fn to_value(&self, masked: &MaskedCounts) -> Value {
        self.count_dropped(masked);
        let kept = self.kept.iter().filter(|(key, value)| KEPT_KEYS.contains(&&**key) && !value.is_empty());
        Value::Map(kept.filter_map(|(key, value)| Some((key.to_string(), keep_value(key, value, masked)?))).collect())
    }
}

fn keep_value(key: &str, value: &str, masked: &MaskedCounts) -> Option<Value> {
    if value.len() > VALUE_BYTES_MAX {
        masked.add(MaskedPlace::Parameter, 1);
        return None;
    }
    if key == "metadata_location" {
        return Some(Value::Text(clean_location(value)));
    }
    let (value, count) = scrub(value);
    masked.add(MaskedPlace::Parameter, count);
    Some(Value::Text(value.into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_unknown_keys_are_dropped_and_counted() {
        let json = r#"{"classification":"parquet","aws.secret.key":"CANARY","sample_row":"CANARY","recordCount":"12","comment":"pw: password=CANARY"}"#;
        let parameters: Parameters<'_> = serde_json::from_str(json).unwrap();
        let masked = MaskedCounts::default();
        let Value::Map(kept) = parameters.to_value(&masked) else { panic!("a map") };
        assert_eq!(kept.iter().map(|(key, _)| key.as_str()).collect::<Vec<_>>(), ["classification", "comment"]);
        assert!(!format!("{parameters:?} {kept:?}").contains("\"CANARY\""));
        assert!(!format!("{kept:?}").contains("CANARY"));
        assert_eq!(parameters.measurement(["recordCount", "numRows"]), Some(12));
        assert_eq!(masked.to_map()["table-parameter"], 3);
    }

    #[test]
    fn a_measurement_that_is_no_number_is_no_measurement() {
        let parameters: Parameters<'_> = serde_json::from_str(r#"{"recordCount":"CANARY","numRows":"-1","sizeKey":null}"#).unwrap();
        assert_eq!(parameters.measurement(["recordCount", "numRows"]), None);
        assert_eq!(parameters.measurement(["sizeKey", "totalSize"]), None);
    }
}
