//! The columns of one table, packed: one text buffer and one row of numbers a column.
//!
//! Columns outnumber every other asset twenty to one, so they must cost next to nothing: no allocation a column, no
//! qualified name stored. Names that follow from others (the path, the raw type of a nested field) share their bytes.

use std::ops::Range;

use crate::name::encode_part;

/// All columns of a table in preorder: every column is followed by its nested fields.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Columns {
    text: String,
    entries: Vec<Entry>,
}

#[derive(Clone, Debug, PartialEq)]
struct Entry {
    name: Span,
    /// The encoded path below the table (`items/sku`).
    path: Span,
    data_type: Span,
    raw_type: Span,
    description: Option<Span>,
    order: u32,
    partition_order: Option<u32>,
    depth: u8,
    parent: Option<u32>,
    nested_count: u32,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Span {
    start: u32,
    end: u32,
}

impl Span {
    fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// A column to be added: the texts are copied.
#[derive(Clone, Debug)]
pub struct ColumnDraft<'a> {
    /// The name as the source spells it.
    pub name: &'a str,
    /// The base type (`struct`, `decimal(10,2)`).
    pub data_type: &'a str,
    /// The type as the source spells it.
    pub raw_type: &'a str,
    /// The comment.
    pub description: Option<&'a str>,
    /// The position among its siblings, from 1.
    pub order: u32,
    /// The position among the partition keys, from 1, if it is one.
    pub partition_order: Option<u32>,
    /// The index of the column that it is a field of.
    pub parent: Option<usize>,
    /// How many fields it has itself.
    pub nested_count: u32,
}

/// A column as it is read back.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Column<'a> {
    /// The name as the source spells it.
    pub name: &'a str,
    /// The encoded path below the table (`items/sku`): the rest of its qualified name.
    pub path: &'a str,
    /// The base type (`struct`, `decimal(10,2)`).
    pub data_type: &'a str,
    /// The type as the source spells it.
    pub raw_type: &'a str,
    /// The comment.
    pub description: Option<&'a str>,
    /// The position among its siblings, from 1.
    pub order: u32,
    /// The position among the partition keys, from 1, if it is one.
    pub partition_order: Option<u32>,
    /// 1 for a column of the table, 2 for a field of it, and so on up to 15.
    pub depth: u8,
    /// The index of the column that it is a field of.
    pub parent: Option<usize>,
    /// How many fields it has itself.
    pub nested_count: u32,
}

impl Columns {
    /// Adds a column and returns its index. A parent must have been added before.
    pub fn push(&mut self, draft: &ColumnDraft<'_>) -> usize {
        let index = self.entries.len();
        let parent = draft.parent.filter(|parent| *parent < index);
        let name_and_path = self.push_name(draft.name, parent);
        let raw_type = self.push_text(draft.raw_type);
        let data_type = if draft.raw_type.starts_with(draft.data_type) {
            Span { start: raw_type.start, end: raw_type.start + length(draft.data_type) }
        } else {
            self.push_text(draft.data_type)
        };
        let description = draft.description.filter(|text| !text.is_empty()).map(|text| self.push_text(text));
        self.entries.push(Entry {
            name: name_and_path.0,
            path: name_and_path.1,
            data_type,
            raw_type,
            description,
            order: draft.order,
            partition_order: draft.partition_order,
            depth: parent.map_or(1, |parent| self.entries[parent].depth.saturating_add(1)),
            parent: parent.map(|parent| u32::try_from(parent).unwrap_or(u32::MAX)),
            nested_count: draft.nested_count,
        });
        index
    }

    /// Writes the path; the name shares its tail unless it had to be encoded.
    fn push_name(&mut self, name: &str, parent: Option<usize>) -> (Span, Span) {
        let start = length(&self.text);
        if let Some(parent) = parent {
            self.text.extend_from_within(self.entries[parent].path.range());
            self.text.push('/');
        }
        let name_start = length(&self.text);
        encode_part(name, &mut self.text);
        let path = Span { start, end: length(&self.text) };
        let encoded_name = Span { start: name_start, end: path.end };
        if &self.text[encoded_name.range()] == name { (encoded_name, path) } else { (self.push_text(name), path) }
    }

    fn push_text(&mut self, text: &str) -> Span {
        let start = length(&self.text);
        self.text.push_str(text);
        Span { start, end: length(&self.text) }
    }

    /// All text of all columns: names, types, comments.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// How many columns there are, nested ones included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The column at an index.
    #[must_use]
    pub fn get(&self, index: usize) -> Option<Column<'_>> {
        self.entries.get(index).map(|entry| self.view(entry))
    }

    /// All columns in preorder.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Column<'_>> {
        self.entries.iter().map(|entry| self.view(entry))
    }

    fn view(&self, entry: &Entry) -> Column<'_> {
        Column {
            name: &self.text[entry.name.range()],
            path: &self.text[entry.path.range()],
            data_type: &self.text[entry.data_type.range()],
            raw_type: &self.text[entry.raw_type.range()],
            description: entry.description.map(|span| &self.text[span.range()]),
            order: entry.order,
            partition_order: entry.partition_order,
            depth: entry.depth,
            parent: entry.parent.map(|parent| parent as usize),
            nested_count: entry.nested_count,
        }
    }
}

/// A table's columns stay below 4 GiB of text: a page of a hundred tables is bounded far below that when it is read.
fn length(text: &str) -> u32 {
    u32::try_from(text.len()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draft<'a>(name: &'a str, raw_type: &'a str, data_type: &'a str, parent: Option<usize>) -> ColumnDraft<'a> {
        ColumnDraft { name, data_type, raw_type, description: None, order: 1, partition_order: None, parent, nested_count: 0 }
    }

    #[test]
    fn nested_columns_carry_the_encoded_path_of_their_parents() {
        let mut columns = Columns::default();
        let items = columns.push(&draft("it/ems", "array<struct<sku:string>>", "array", None));
        columns.push(&draft("sku", "string", "string", Some(items)));
        let read: Vec<_> = columns.iter().map(|c| (c.name, c.path, c.data_type, c.depth, c.parent)).collect();
        assert_eq!(read, [("it/ems", "it%2Fems", "array", 1, None), ("sku", "it%2Fems/sku", "string", 2, Some(0))]);
    }

    #[test]
    fn an_empty_comment_is_absent_and_a_type_that_is_spelt_otherwise_is_kept_beside_the_raw_one() {
        let mut columns = Columns::default();
        columns.push(&ColumnDraft { description: Some(""), ..draft("a", "INT", "int", None) });
        let column = columns.get(0).unwrap();
        assert_eq!((column.description, column.data_type, column.raw_type), (None, "int", "INT"));
    }
}
