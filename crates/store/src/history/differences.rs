//! What is different between two versions of one asset.

use std::collections::BTreeMap;

use model::attribute::Attribute;
use model::document::write_attributes;
use model::{Asset, Attributes, Column};

use crate::ingest::same_column;

/// One difference between two versions of an asset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Difference {
    /// An attribute, by its name in documents; the values are JSON, absent where there is none.
    Attribute {
        /// The name.
        name: String,
        /// The value before.
        before: Option<String>,
        /// The value after.
        after: Option<String>,
    },
    /// A column that was not there before.
    ColumnAdded {
        /// The path below the table.
        path: String,
        /// The type as the source spells it.
        raw_type: String,
    },
    /// A column that is no longer there.
    ColumnRemoved {
        /// The path below the table.
        path: String,
        /// The type as the source spelt it.
        raw_type: String,
    },
    /// A property of a column.
    ColumnChanged {
        /// The path below the table.
        path: String,
        /// Which property: `rawDataTypeDefinition`, `description`, `order`, `partitionOrder`, `nestedColumnCount`.
        what: &'static str,
        /// Its value before.
        before: Option<String>,
        /// Its value after.
        after: Option<String>,
    },
}

/// Everything that differs, attributes first, then columns in their new order, then removed ones.
pub(crate) fn compare(before: &Asset, after: &Asset) -> Vec<Difference> {
    let mut differences = Vec::new();
    if before.name != after.name {
        let json = |name: &str| Some(serde_json::Value::from(name).to_string());
        differences.push(Difference::Attribute { name: "name".to_owned(), before: json(&before.name), after: json(&after.name) });
    }
    compare_attributes(&before.attributes, &after.attributes, &mut differences);
    compare_columns(before, after, &mut differences);
    differences
}

fn compare_attributes(before: &Attributes, after: &Attributes, differences: &mut Vec<Difference>) {
    let mut names: Vec<Attribute> = before.iter().chain(after.iter()).map(|(attribute, _)| attribute).collect();
    names.sort_unstable();
    names.dedup();
    for attribute in names {
        if before.get(attribute) != after.get(attribute) {
            let name = attribute.name().to_owned();
            differences.push(Difference::Attribute { name, before: json(before, attribute), after: json(after, attribute) });
        }
    }
}

/// The JSON of one attribute's value.
fn json(attributes: &Attributes, attribute: Attribute) -> Option<String> {
    let mut one = Attributes::default();
    one.set(attribute, attributes.get(attribute)?.clone());
    let mut object = Vec::new();
    write_attributes(&one, &mut object);
    let object = String::from_utf8(object).ok()?;
    // `{"name":` before the value and `}` after it.
    Some(object[attribute.name().len() + 4..object.len() - 1].to_owned())
}

fn compare_columns(before: &Asset, after: &Asset, differences: &mut Vec<Difference>) {
    let mut old: BTreeMap<&str, Column<'_>> = before.columns.iter().map(|column| (column.path, column)).collect();
    for column in after.columns.iter() {
        match old.remove(column.path) {
            None => {
                differences.push(Difference::ColumnAdded { path: column.path.to_owned(), raw_type: column.raw_type.to_owned() })
            }
            Some(was) if same_column(&was, &column) => {}
            Some(was) => compare_column(&was, &column, differences),
        }
    }
    let removed = before.columns.iter().filter(|column| old.contains_key(column.path));
    differences.extend(
        removed.map(|column| Difference::ColumnRemoved { path: column.path.to_owned(), raw_type: column.raw_type.to_owned() }),
    );
}

fn compare_column(before: &Column<'_>, after: &Column<'_>, differences: &mut Vec<Difference>) {
    let text = |text: &str| Some(text.to_owned());
    let number = |number: u32| Some(number.to_string());
    let properties = [
        ("rawDataTypeDefinition", text(before.raw_type), text(after.raw_type)),
        ("description", before.description.and_then(text), after.description.and_then(text)),
        ("order", number(before.order), number(after.order)),
        ("partitionOrder", before.partition_order.and_then(number), after.partition_order.and_then(number)),
        ("nestedColumnCount", number(before.nested_count), number(after.nested_count)),
    ];
    for (what, before, after_value) in properties {
        if before != after_value {
            differences.push(Difference::ColumnChanged { path: after.path.to_owned(), what, before, after: after_value });
        }
    }
}
