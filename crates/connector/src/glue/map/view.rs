//! Views: their text, columns and lineage.

use std::collections::HashMap;

use model::lineage::{self, ProcessKind};
use model::{Asset, Kind, QualifiedName, Reference, Warning};

use super::table::Place;
use super::{MapContext, warning};
use crate::glue::page::{Table, ViewRepresentation};
use crate::glue::settings::Keep;
use crate::glue::view_sql::{self, SqlDialect, TableName, ViewLineage, ViewSqlError, ViewText};
use crate::privacy::MaskedPlace;

/// What a view's text says.
pub(super) struct ViewFacts {
    /// The text as it is kept.
    pub(super) definition: Option<String>,
    /// Whether the text is kept whole, with its literals: then its process carries it too.
    keeps_sql: bool,
    /// Columns that the text itself declares.
    pub(super) columns: Vec<(String, String)>,
    /// Table-level inputs.
    inputs: Vec<Reference>,
    /// Column-level lineage: output column, input columns.
    column_inputs: Vec<(String, Vec<QualifiedName>)>,
}

/// Reads a view's text; `None` where there is none.
pub(super) fn facts(
    context: &MapContext<'_>,
    place: Place<'_>,
    table: &Table<'_>,
    scope: &str,
    warnings: &mut Vec<Warning>,
) -> Option<ViewFacts> {
    let mut text = match text_of(table)? {
        Ok(text) => text,
        Err(error) => {
            warnings.push(warning(scope, "view-text-unreadable", error.to_string()));
            return None;
        }
    };
    let definition = if context.keeps(Keep::ViewSql) {
        text.sql.clone()
    } else {
        let masked = view_sql::mask_literals(&text.sql, text.dialect);
        context.masked.add(MaskedPlace::ViewText, u64::from(masked != text.sql));
        masked
    };
    let keeps_sql = context.keeps(Keep::ViewSql);
    let mut facts = ViewFacts {
        definition: Some(definition),
        keeps_sql,
        columns: text.columns.clone(),
        inputs: Vec::new(),
        column_inputs: Vec::new(),
    };
    if text.columns.is_empty() {
        // What the catalog lists tells which columns a `*` stands for.
        let listed = table.storage_descriptor.as_ref().and_then(|storage| storage.columns.as_deref()).unwrap_or_default();
        text.columns = listed.iter().map(|column| (column.name.to_string(), String::new())).collect();
    }
    if context.reads_lineage() {
        match view_sql::lineage(&text) {
            Ok(found) => resolve(context, place, &text, &found, &mut facts),
            Err(error) => warnings.push(warning(scope, "view-sql-unparsed", error.to_string())),
        }
    }
    Some(facts)
}

fn text_of(table: &Table<'_>) -> Option<Result<ViewText, ViewSqlError>> {
    if let Some(text) = view_sql::definition(table.view_original_text.as_deref(), table.view_expanded_text.as_deref()).transpose() {
        return Some(text);
    }
    // A Data Catalog view of several dialects keeps its text in the representations.
    let representations = table.view_definition.as_ref()?.representations.as_ref()?;
    representations.iter().find_map(|representation| {
        let text = view_sql::definition(representation.view_original_text.as_deref(), representation.view_expanded_text.as_deref())
            .transpose()?;
        Some(text.map(|text| ViewText { dialect: dialect_of(representation, text.dialect), ..text }))
    })
}

/// The dialect that a representation says it is in: how it quotes decides what is a literal.
fn dialect_of(representation: &ViewRepresentation<'_>, otherwise: SqlDialect) -> SqlDialect {
    match representation.dialect.as_deref() {
        Some("ATHENA" | "REDSHIFT") => SqlDialect::Trino,
        Some("SPARK") => SqlDialect::Hive,
        _ => otherwise,
    }
}

/// Names in the text to qualified names: what is not written is the view's own catalog and database.
fn resolve(context: &MapContext<'_>, place: Place<'_>, text: &ViewText, found: &ViewLineage, facts: &mut ViewFacts) {
    let mut names = HashMap::new();
    let mut qualified = |name: &TableName| -> QualifiedName {
        let resolve = |name: &TableName| {
            let schema = name.schema.as_deref().or(text.default_schema.as_deref()).unwrap_or(place.database);
            let catalog = name.catalog.as_deref().or(text.default_catalog.as_deref()).filter(|catalog| !is_own_alias(catalog));
            context.naming.table(catalog.unwrap_or(place.catalog), schema, &name.name)
        };
        names.entry(name.clone()).or_insert_with(|| resolve(name)).clone()
    };
    facts.inputs = found.tables.iter().map(|name| Reference::new(Kind::Table, qualified(name))).collect();
    for column in &found.columns {
        let inputs: Vec<_> = column.inputs.iter().map(|(table, input)| qualified(table).child(input)).collect();
        if !inputs.is_empty() {
            facts.column_inputs.push((column.output.clone(), inputs));
        }
    }
}

/// Names by which engines call the account's own catalog.
fn is_own_alias(catalog: &str) -> bool {
    ["awsdatacatalog", "spark_catalog", "hive", "glue_catalog"].iter().any(|alias| catalog.eq_ignore_ascii_case(alias))
}

/// The processes of a view: one from its tables, one for each column whose inputs are known.
pub(super) fn processes(view: &Asset, facts: &ViewFacts) -> Vec<Asset> {
    if facts.inputs.is_empty() {
        return Vec::new();
    }
    let output = Reference::new(Kind::View, view.qualified_name.clone());
    let mut processes =
        vec![lineage::process(ProcessKind::View, view.qualified_name.as_str(), &view.name, facts.inputs.clone(), vec![output])];
    if let Some(definition) = facts.sql_to_keep() {
        processes[0].attributes.set(model::Attribute::Sql, definition);
    }
    // SQL folds names; the catalog has them as they are spelt.
    let top_level = view.columns.iter().filter(|column| column.depth == 1);
    let spelling: HashMap<String, &str> = top_level.map(|column| (column.name.to_lowercase(), column.name)).collect();
    for (output, inputs) in &facts.column_inputs {
        let output = spelling.get(output).copied().unwrap_or(output);
        processes.push(lineage::column_process(ProcessKind::View, &view.name, inputs.clone(), view.qualified_name.child(output)));
    }
    processes
}

impl ViewFacts {
    fn sql_to_keep(&self) -> Option<&str> {
        self.keeps_sql.then_some(self.definition.as_deref()).flatten()
    }
}
