//! What a view reads: its tables, and for each output column the columns that its value comes from, as far as the SQL alone
//! tells. A catalog is not asked, so an unqualified name in a join of two tables, or `*` over them, stays unknown.

mod expression;
mod scope;
mod select;

use std::collections::HashMap;

use sqlparser::ast::{Cte, Query, SetExpr, SetOperator, TableAlias};

use self::scope::{Environment, Output, Outputs, Rest};
use super::tables::{fold, tables};
use super::{ColumnLineage, TableName, ViewLineage, ViewSqlError, ViewText, parse};

/// Columns and column sources handled for one view. Nested `*` can double them at each level; once the bound is reached,
/// what is left stays unknown.
const LINEAGE_ENTRIES_MAX: usize = 200_000;

/// Derives the lineage of a view from its SQL.
///
/// Sources of an output column are all columns its expression uses (functions, casts, `CASE`, window specifications, scalar
/// subqueries), followed through subqueries and common table expressions to tables; columns in `WHERE`, `JOIN` and
/// `GROUP BY` are none. An output is named by its declared column where the positions match, else by alias or column name.
pub(crate) fn lineage(text: &ViewText) -> Result<ViewLineage, ViewSqlError> {
    let view = parse::parse(text)?;
    let mut analysis = Analysis::default();
    let outputs = analysis.query(&view.query, &Environment::default());
    let declared: Vec<String> = if view.columns.is_empty() {
        text.columns.iter().map(|(name, _)| fold(name)).collect()
    } else {
        view.columns.iter().map(|name| fold(name)).collect()
    };
    Ok(ViewLineage { tables: tables(&view.query), columns: analysis.columns(outputs, &declared) })
}

/// A column of a table, as an index into [`Analysis::sources`].
type Source = u32;
/// A table, as an index into [`Analysis::tables`].
type TableIndex = usize;

/// What is known while one view is read.
#[derive(Default)]
struct Analysis {
    tables: Vec<TableName>,
    table_indexes: HashMap<TableName, TableIndex>,
    sources: Vec<(TableIndex, String)>,
    source_indexes: HashMap<(TableIndex, String), Source>,
    entries: usize,
}

impl Analysis {
    /// Takes from the bound; `false` once it is used up.
    fn spend(&mut self, entries: usize) -> bool {
        self.entries = self.entries.saturating_add(entries);
        self.entries <= LINEAGE_ENTRIES_MAX
    }

    fn table(&mut self, name: TableName) -> TableIndex {
        let tables = &mut self.tables;
        *self.table_indexes.entry(name).or_insert_with_key(|name| {
            tables.push(name.clone());
            tables.len() - 1
        })
    }

    fn source(&mut self, table: TableIndex, column: &str) -> Source {
        let sources = &mut self.sources;
        *self.source_indexes.entry((table, column.to_owned())).or_insert_with_key(|key| {
            sources.push(key.clone());
            u32::try_from(sources.len() - 1).unwrap_or(u32::MAX)
        })
    }

    /// Outputs of a query: its common table expressions first, each seeing the ones before it.
    fn query(&mut self, query: &Query, outer: &Environment<'_>) -> Outputs {
        let mut environment = Environment { parent: Some(outer), ..Environment::default() };
        if let Some(with) = &query.with {
            for cte in &with.cte_tables {
                self.common_table(cte, &mut environment, Recursion::from(with.recursive));
            }
        }
        let outputs = self.set_expression(&query.body, &environment);
        if query.pipe_operators.is_empty() { outputs } else { Outputs::unknown() }
    }

    fn common_table(&mut self, cte: &Cte, environment: &mut Environment<'_>, recursion: Recursion) {
        let name = fold(&cte.alias.name.value);
        if recursion == Recursion::Allowed {
            // The name stands for itself while its own query is read: known as a name, with no sources yet.
            environment.common_tables.push((name.clone(), Outputs::unknown()));
        }
        let outputs = self.query(&cte.query, environment);
        if recursion == Recursion::Allowed {
            environment.common_tables.pop();
        }
        environment.common_tables.push((name, renamed(outputs, &cte.alias)));
    }

    fn set_expression(&mut self, body: &SetExpr, environment: &Environment<'_>) -> Outputs {
        let mut first = body;
        let mut others = Vec::new();
        // A long row of unions leans left; walking it in a loop keeps the stack flat.
        while let SetExpr::SetOperation { left, op, right, .. } = first {
            if !matches!(op, SetOperator::Except | SetOperator::Minus) {
                others.push(&**right);
            }
            first = left;
        }
        let mut outputs = self.set_operand(first, environment);
        for other in others.into_iter().rev() {
            let other = self.set_operand(other, environment);
            outputs = self.united(outputs, other);
        }
        outputs
    }

    fn set_operand(&mut self, body: &SetExpr, environment: &Environment<'_>) -> Outputs {
        if let SetExpr::Select(select) = body {
            return self.select(select, environment);
        }
        if let SetExpr::Query(query) = body {
            return self.query(query, environment);
        }
        if let SetExpr::SetOperation { .. } = body {
            return self.set_expression(body, environment);
        }
        if let SetExpr::Values(values) = body {
            let width = values.rows.first().map_or(0, |row| row.content.len());
            return Outputs::known(vec![Output::default(); width]);
        }
        Outputs::unknown()
    }

    /// Column by column; names come from the first operand.
    fn united(&mut self, mut outputs: Outputs, other: Outputs) -> Outputs {
        let aligned = outputs.is_complete() && other.is_complete() && outputs.columns.len() == other.columns.len();
        if !aligned {
            return Outputs::unknown();
        }
        for (column, more) in outputs.columns.iter_mut().zip(other.columns) {
            if self.spend(more.sources.len()) {
                scope::merge(&mut column.sources, &more.sources);
            }
        }
        outputs
    }

    /// The view's columns with their sources, named.
    fn columns(&mut self, mut outputs: Outputs, declared: &[String]) -> Vec<ColumnLineage> {
        let matching = outputs.is_complete() && outputs.columns.len() == declared.len();
        for (place, output) in outputs.columns.iter_mut().enumerate() {
            let positional = matching || (output.name.is_none() && place < outputs.known_places);
            if let (true, Some(name)) = (positional, declared.get(place)) {
                output.name = Some(name.clone());
            }
        }
        self.add_passed_through(&mut outputs, declared);
        let named = outputs.columns.into_iter().filter(|output| !output.sources.is_empty());
        named.filter_map(|output| Some(ColumnLineage { output: output.name?, inputs: self.inputs(&output.sources) })).collect()
    }

    /// `SELECT *` over one table passes every column through under its own name, so declared columns that no expression
    /// makes come from there.
    fn add_passed_through(&mut self, outputs: &mut Outputs, declared: &[String]) {
        let Rest::Table(table) = outputs.rest else { return };
        for name in declared {
            if !outputs.columns.iter().any(|output| output.name.as_ref() == Some(name)) {
                let sources = vec![self.source(table, name)];
                outputs.columns.push(Output { name: Some(name.clone()), sources });
            }
        }
    }

    fn inputs(&self, sources: &[Source]) -> Vec<(TableName, String)> {
        let source = |source: &Source| {
            let (table, column) = self.sources.get(*source as usize)?;
            Some((self.tables.get(*table)?.clone(), column.clone()))
        };
        let mut inputs: Vec<_> = sources.iter().filter_map(source).collect();
        inputs.sort();
        inputs
    }
}

/// Whether a common table expression may name itself.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Recursion {
    Allowed,
    Refused,
}

impl From<bool> for Recursion {
    fn from(recursive: bool) -> Self {
        if recursive { Self::Allowed } else { Self::Refused }
    }
}

/// Outputs under the column names of an alias such as `t (a, b)`.
fn renamed(mut outputs: Outputs, alias: &TableAlias) -> Outputs {
    if alias.columns.is_empty() {
        return outputs;
    }
    if !outputs.is_complete() {
        return Outputs::unknown();
    }
    for (output, column) in outputs.columns.iter_mut().zip(&alias.columns) {
        output.name = Some(fold(&column.name.value));
    }
    outputs
}
