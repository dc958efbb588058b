//! The packed form of a table's columns: a JSON array of arrays, as the store keeps it.
//!
//! `[name, data type, raw type, description, order, partition order, parent, nested count]`, trailing nulls cut.

use std::borrow::Cow;

use serde::de::{Error, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::{ReadError, write_integer, write_string};
use crate::columns::{Column, ColumnDraft, Columns};

/// Appends the packed form. The same columns always give the same bytes.
pub fn pack_columns(columns: &Columns, out: &mut Vec<u8>) {
    out.push(b'[');
    for (index, column) in columns.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        pack(&column, out);
    }
    out.push(b']');
}

fn pack(column: &Column<'_>, out: &mut Vec<u8>) {
    out.push(b'[');
    write_string(column.name, out);
    out.push(b',');
    // A simple type is its own raw type: one word says both.
    if column.data_type == column.raw_type {
        out.extend_from_slice(b"0");
    } else {
        write_string(column.data_type, out);
    }
    out.push(b',');
    write_string(column.raw_type, out);
    out.push(b',');
    match column.description {
        Some(text) => write_string(text, out),
        None => out.push(b'0'),
    }
    let parent = column.parent.map_or(0, |parent| parent + 1);
    let numbers = [column.order, column.partition_order.unwrap_or(0), u32::try_from(parent).unwrap_or(0), column.nested_count];
    let written = numbers.iter().rposition(|number| *number != 0).map_or(0, |last| last + 1);
    for number in &numbers[..written] {
        out.push(b',');
        write_integer(i64::from(*number), out);
    }
    out.push(b']');
}

/// Reads the packed form back.
///
/// # Errors
/// When the text is not what [`pack_columns`] wrote.
pub fn unpack_columns(packed: &str) -> Result<Columns, ReadError> {
    serde_json::from_str::<Unpacked>(packed).map(|unpacked| unpacked.0).map_err(ReadError::from)
}

struct Unpacked(Columns);

impl<'de> Deserialize<'de> for Unpacked {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(ColumnsVisitor)
    }
}

struct ColumnsVisitor;

impl<'de> Visitor<'de> for ColumnsVisitor {
    type Value = Unpacked;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("packed columns")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut rows: A) -> Result<Unpacked, A::Error> {
        let mut columns = Columns::default();
        while let Some(row) = rows.next_element::<Row<'de>>()? {
            columns.push(&row.draft());
        }
        Ok(Unpacked(columns))
    }
}

/// The texts are those of the packed form, unless they have an escape in them.
#[derive(Default)]
struct Row<'t> {
    name: Cow<'t, str>,
    data_type: Option<Cow<'t, str>>,
    raw_type: Cow<'t, str>,
    description: Option<Cow<'t, str>>,
    numbers: [u32; 4],
}

impl Row<'_> {
    fn draft(&self) -> ColumnDraft<'_> {
        let [order, partition_order, parent, nested_count] = self.numbers;
        ColumnDraft {
            name: &self.name,
            data_type: self.data_type.as_deref().unwrap_or(&self.raw_type),
            raw_type: &self.raw_type,
            description: self.description.as_deref(),
            order,
            partition_order: (partition_order > 0).then_some(partition_order),
            parent: (parent > 0).then(|| parent as usize - 1),
            nested_count,
        }
    }
}

/// A text, or the number that stands for none.
struct TextOrNothing<'t>(Option<Cow<'t, str>>);

impl<'de> Deserialize<'de> for TextOrNothing<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextVisitor)
    }
}

struct TextVisitor;

impl<'de> Visitor<'de> for TextVisitor {
    type Value = TextOrNothing<'de>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a text or a number")
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(TextOrNothing(Some(Cow::Borrowed(text))))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(TextOrNothing(Some(Cow::Owned(text.to_owned()))))
    }

    fn visit_u64<E: Error>(self, _nothing: u64) -> Result<Self::Value, E> {
        Ok(TextOrNothing(None))
    }
}

impl<'de> Deserialize<'de> for Row<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(RowVisitor)
    }
}

struct RowVisitor;

impl<'de> Visitor<'de> for RowVisitor {
    type Value = Row<'de>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("one packed column")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let missing = || A::Error::custom("a packed column ends early");
        let mut text = || Ok(seq.next_element::<TextOrNothing<'de>>()?.ok_or_else(missing)?.0);
        let mut row = Row { name: text()?.ok_or_else(missing)?, ..Row::default() };
        row.data_type = text()?;
        row.raw_type = text()?.ok_or_else(missing)?;
        row.description = text()?;
        for number in &mut row.numbers {
            let Some(read) = seq.next_element()? else { break };
            *number = read;
        }
        Ok(row)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_come_back_as_they_were() {
        let mut columns = Columns::default();
        let draft = ColumnDraft {
            name: "it\"ems",
            data_type: "array",
            raw_type: "array<struct<sku:string>>",
            description: Some("what was bought"),
            order: 1,
            partition_order: None,
            parent: None,
            nested_count: 1,
        };
        let parent = columns.push(&draft);
        columns.push(&ColumnDraft {
            name: "sku",
            data_type: "string",
            raw_type: "string",
            description: None,
            parent: Some(parent),
            nested_count: 0,
            ..draft
        });
        columns.push(&ColumnDraft {
            name: "day",
            data_type: "date",
            raw_type: "date",
            description: None,
            order: 2,
            partition_order: Some(1),
            nested_count: 0,
            ..draft
        });
        let mut packed = Vec::new();
        pack_columns(&columns, &mut packed);
        let packed = String::from_utf8(packed).unwrap();
        assert_eq!(unpack_columns(&packed).unwrap(), columns, "{packed}");
    }

    #[test]
    fn text_that_is_no_packed_form_is_an_error() {
        assert!(unpack_columns("[[\"a\"]]").is_err());
        assert!(unpack_columns("{}").is_err());
    }
}
