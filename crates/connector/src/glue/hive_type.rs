//! Column types as Glue stores them: one string, in the grammar of Hive's `TypeInfoUtils` with what Spark,
//! Trino, Iceberg and hand-written API calls add to it. [`parse`] turns the string into the base type of the
//! column and the flat, preorder list of its nested fields.
//!
//! The parser runs for every column of every table. Primitive types, nearly all of the input, take one pass
//! over the bytes and no allocation. Everything else is a loop over an explicit stack, so no depth of nesting
//! can exhaust the thread's stack, neither while parsing nor while dropping the result.

mod machine;
mod scan;
mod siblings;

#[cfg(test)]
mod tests;

use std::borrow::Cow;

/// Bytes of a type string that are looked at. Glue's own limit is 131,072 characters of at most 4 bytes.
pub(crate) const TYPE_BYTES_MAX: usize = 4 * 131_072;
/// Types (primitive or not) inside one type string.
pub(crate) const TYPE_NODES_MAX: u32 = 100_000;
/// The deepest column level; the column itself is level 1.
pub(crate) const COLUMN_LEVEL_MAX: u8 = 15;

/// What one type string says about its column. The nested fields are in the buffer given to [`parse`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Parsed<'a> {
    /// Lower-case base type: `bigint`, `decimal(10,2)`, `struct`, `array`, `map`, `row`, `uniontype`.
    /// After an error it is the leading word of the text, empty only for [`TypeErrorKind::Absent`].
    pub(crate) data_type: Cow<'a, str>,
    /// Number of fields at level 2.
    pub(crate) children: u32,
    /// Fields below level 15 exist and were left out.
    pub(crate) depth_cut: bool,
    /// At least one field has the name of an earlier sibling, ignoring case.
    pub(crate) duplicate_field: bool,
    /// Why nothing but `data_type` is known.
    pub(crate) error: Option<TypeError>,
}

/// One nested field, in preorder: a field comes before its own fields, siblings in the order of the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Field<'a> {
    /// The name without quotes, spelled as in the text.
    pub(crate) name: Cow<'a, str>,
    /// The type's text, without outer spaces and without `not null` or `comment`.
    pub(crate) raw_type: &'a str,
    /// Lower-case base type, as [`Parsed::data_type`].
    pub(crate) type_name: Cow<'a, str>,
    /// Index of the field that this one is a child of; `None` for a child of the column.
    pub(crate) parent: Option<u32>,
    /// Column level: 2 for a child of the column, at most [`COLUMN_LEVEL_MAX`].
    pub(crate) depth: u8,
    /// Place among its siblings, from 1.
    pub(crate) order: u32,
    /// Number of its own children.
    pub(crate) children: u32,
    /// An earlier sibling has the same name, ignoring case.
    pub(crate) duplicate: bool,
}

/// A type string that is not understood. The column stays, with its raw type and without nested fields.
/// The message holds no text of the type, so it can go into a warning as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("column type not parsed at byte {position}: {kind}; the raw type is kept as text")]
pub(crate) struct TypeError {
    /// Byte offset into the string given to [`parse`].
    pub(crate) position: usize,
    pub(crate) kind: TypeErrorKind,
}

/// Why a type string is not understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TypeErrorKind {
    #[error("there is no type (empty or `null`)")]
    Absent,
    #[error("the text ends in the middle of a type")]
    UnexpectedEnd,
    #[error("a quote is not closed")]
    UnclosedQuote,
    #[error("a closing bracket has no opening one")]
    ExtraClosing,
    #[error("text follows the end of the type")]
    TrailingText,
    #[error("a type name is expected here")]
    TypeExpected,
    #[error("a field name is expected here")]
    NameExpected,
    #[error("a `:` between field name and type is expected here")]
    ColonExpected,
    #[error("a comma or the closing bracket is expected here")]
    CommaOrCloseExpected,
    #[error("a map has exactly two types")]
    MapArity,
    #[error("the text is longer than {TYPE_BYTES_MAX} bytes")]
    TooLong,
    #[error("there are more than {TYPE_NODES_MAX} types in one column")]
    TooManyNodes,
}

/// Parses one column type. `fields` is cleared and then filled with the nested fields that count as columns
/// of their own: the fields of a struct (or Trino `row`), reached directly or through arrays and map values.
/// Map keys and union members have none. The buffer can be reused from column to column.
///
/// Source of the grammar: Hive's `TypeInfoUtils`; linear in the length of `raw`.
pub(crate) fn parse<'a>(raw: &'a str, fields: &mut Vec<Field<'a>>) -> Parsed<'a> {
    fields.clear();
    if scan::is_plain_primitive(raw.as_bytes()) {
        return leaf(Cow::Borrowed(raw), None);
    }
    parse_general(raw, fields)
}

fn parse_general<'a>(raw: &'a str, fields: &mut Vec<Field<'a>>) -> Parsed<'a> {
    let start = raw.len() - raw.trim_start().len();
    let text = raw.trim();
    let fault = |position, kind| Some(TypeError { position, kind });
    if text.is_empty() || text.eq_ignore_ascii_case("null") {
        return leaf(Cow::Borrowed(""), fault(start, TypeErrorKind::Absent));
    }
    if text.len() > TYPE_BYTES_MAX {
        let base = scan::leading_word(text);
        return leaf(base, fault(TYPE_BYTES_MAX, TypeErrorKind::TooLong));
    }
    match machine::Machine::new(text, fields).run() {
        Ok(parsed) => parsed,
        Err(error) => {
            fields.clear();
            let base = scan::leading_word(text);
            leaf(base, fault(start + error.position, error.kind))
        }
    }
}

fn leaf(data_type: Cow<'_, str>, error: Option<TypeError>) -> Parsed<'_> {
    Parsed { data_type, children: 0, depth_cut: false, duplicate_field: false, error }
}
