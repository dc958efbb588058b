//! From view text to a syntax tree, with bounds on everything that the text could make large.

use sqlparser::ast::{Query, Statement};
use sqlparser::dialect::{
    DatabricksDialect, Dialect, DuckDbDialect, GenericDialect, HiveDialect, PostgreSqlDialect, SparkSqlDialect,
};
use sqlparser::parser::{Parser, ParserError};

use super::mask::neutralise;
use super::{SqlDialect, VIEW_TEXT_CHARACTERS_MAX, ViewSqlError, ViewText, complexity};

/// The parser's own levels; one bracket takes one or two.
const PARSER_LEVELS_MAX: usize = 100;

/// A view's query, and the column names of a `CREATE VIEW` around it.
pub(super) struct ParsedView {
    pub(super) query: Box<Query>,
    pub(super) columns: Vec<String>,
}

pub(super) fn parse(text: &ViewText) -> Result<ParsedView, ViewSqlError> {
    if text.sql.len() > VIEW_TEXT_CHARACTERS_MAX && text.sql.chars().count() > VIEW_TEXT_CHARACTERS_MAX {
        return Err(ViewSqlError::TooLong);
    }
    let sql = neutralise(&text.sql, text.dialect).ok_or(ViewSqlError::Unparsed)?;
    complexity::check(&sql, text.dialect)?;
    for dialect in dialects(text.dialect) {
        match statements(*dialect, &sql) {
            Ok(statements) => return view(statements),
            Err(ParserError::RecursionLimitExceeded) => return Err(ViewSqlError::TooComplex),
            // The message quotes the text around the error, so it goes no further.
            Err(ParserError::TokenizerError(_) | ParserError::ParserError(_)) => {}
        }
    }
    Err(ViewSqlError::Unparsed)
}

/// The parser has no dialect for Trino: the permissive ones cover it between them.
fn dialects(dialect: SqlDialect) -> &'static [&'static dyn Dialect] {
    match dialect {
        SqlDialect::Trino => &[&GenericDialect {}, &DuckDbDialect {}, &PostgreSqlDialect {}],
        SqlDialect::Hive => &[&SparkSqlDialect, &DatabricksDialect, &HiveDialect {}, &GenericDialect {}],
    }
}

fn statements(dialect: &dyn Dialect, sql: &str) -> Result<Vec<Statement>, ParserError> {
    Parser::new(dialect).with_recursion_limit(PARSER_LEVELS_MAX).try_with_sql(sql)?.parse_statements()
}

fn view(statements: Vec<Statement>) -> Result<ParsedView, ViewSqlError> {
    let mut statements = statements.into_iter();
    let (Some(statement), None) = (statements.next(), statements.next()) else {
        return Err(ViewSqlError::NotAQuery);
    };
    if let Statement::CreateView(create) = statement {
        let columns = create.columns.into_iter().map(|column| column.name.value).collect();
        return Ok(ParsedView { query: create.query, columns });
    }
    let Statement::Query(query) = statement else { return Err(ViewSqlError::NotAQuery) };
    Ok(ParsedView { query, columns: Vec::new() })
}
