//! View definitions: where the SQL text is, what of it may be shown, and what it reads from.
//!
//! View text holds literals and comments, and either can hold business data or secrets. So nothing here prints the text:
//! [`mask_literals`] is the only way to text that may be kept without being asked for, errors carry no part of the text,
//! and the SQL parser only ever sees a copy whose literals are already gone.

mod complexity;
mod envelope;
mod lineage;
mod mask;
mod parse;
mod scanner;
mod tables;

#[cfg(test)]
mod tests;

use std::fmt;

pub(crate) use envelope::definition;
pub(crate) use lineage::lineage;
pub(crate) use mask::mask_literals;

/// Characters of a view's text that are analysed; Glue's own limit for `ViewOriginalText` and `ViewExpandedText`.
pub(crate) const VIEW_TEXT_CHARACTERS_MAX: usize = 409_600;

/// Who wrote the SQL, as far as quoting is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SqlDialect {
    /// Athena, Trino, Presto: `"…"` is an identifier, a backslash is an ordinary character.
    Trino,
    /// Hive, Spark and whatever is not known: `"…"` is a string, a backslash escapes.
    Hive,
}

/// The SQL of a view with what its catalog entry says about it. `Debug` leaves the SQL out.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct ViewText {
    pub(crate) sql: String,
    pub(crate) dialect: SqlDialect,
    /// What a table name without a catalog means.
    pub(crate) default_catalog: Option<String>,
    /// What a table name without a schema means.
    pub(crate) default_schema: Option<String>,
    /// Declared columns, name and type, in order; empty when they are not known. A caller that knows the view's columns from
    /// the catalog puts them here for better column lineage.
    pub(crate) columns: Vec<(String, String)>,
}

impl fmt::Debug for ViewText {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("ViewText")
            .field("sql_bytes", &self.sql.len())
            .field("dialect", &self.dialect)
            .field("default_catalog", &self.default_catalog)
            .field("default_schema", &self.default_schema)
            .field("columns", &self.columns)
            .finish()
    }
}

/// A table as the SQL names it, in lower case. A part that is not written is `None`, and means the view's default.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct TableName {
    pub(crate) catalog: Option<String>,
    pub(crate) schema: Option<String>,
    pub(crate) name: String,
}

/// What a view reads.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct ViewLineage {
    /// Every table and view named anywhere in the SQL, once, in order of appearance. Names of common table expressions,
    /// aliases and table functions are not among them.
    pub(crate) tables: Vec<TableName>,
    /// Output columns whose sources are known from the SQL alone, in order. Not listed: constants, and columns that only a
    /// catalog could resolve (`*` over several tables, unqualified names in a join).
    pub(crate) columns: Vec<ColumnLineage>,
}

/// One output column, in lower case, and the columns its value is computed from, sorted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ColumnLineage {
    pub(crate) output: String,
    pub(crate) inputs: Vec<(TableName, String)>,
}

/// Why a view's text is not understood. The view stays; only what would be derived from its text is missing. No variant
/// carries a part of the text or the parser's message, since either may quote what must not be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ViewSqlError {
    #[error("the Presto view envelope is not base64; the view has no definition and no lineage")]
    EnvelopeBase64,
    #[error("the Presto view envelope holds no JSON object with `originalSql`; the view has no definition and no lineage")]
    EnvelopeJson,
    #[error("the view text is longer than {VIEW_TEXT_CHARACTERS_MAX} characters; the view has no lineage")]
    TooLong,
    #[error("the view SQL is nested too deeply or chains too many operators; the view has no lineage")]
    TooComplex,
    #[error("the view SQL is not in a dialect that is understood; the view has no lineage")]
    Unparsed,
    #[error("the view text is SQL, but no query; the view has no lineage")]
    NotAQuery,
}
