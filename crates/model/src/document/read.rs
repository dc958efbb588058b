//! JSON to attributes.

use serde_json::Value as Json;

use crate::attribute::{Attribute, Attributes, Value};
use crate::{Kind, QualifiedName, Reference};

/// A document that is not in the form that is written here.
#[derive(Debug, thiserror::Error)]
#[error("a stored document cannot be read")]
pub struct ReadError(#[from] serde_json::Error);

/// Reads attributes that [`super::write_attributes`] wrote. Names that this version does not know are left out.
///
/// # Errors
/// When the text is no JSON object.
pub fn read_attributes(text: &str) -> Result<Attributes, ReadError> {
    let object: serde_json::Map<String, Json> = serde_json::from_str(text)?;
    let mut attributes = Attributes::default();
    for (name, value) in object {
        if let Some(attribute) = Attribute::from_name(&name) {
            let value = if attribute.holds_references() { references(&value).map(Value::References) } else { value_of(value) };
            attributes.set_some(attribute, value);
        }
    }
    Ok(attributes)
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
    use crate::document::write_attributes;

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
