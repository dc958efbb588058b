//! Names that a query can use, and what each of them stands for.

use super::{Analysis, Source, TableIndex};
use crate::glue::view_sql::TableName;

/// One column that a query gives back.
#[derive(Debug, Clone, Default)]
pub(super) struct Output {
    /// In lower case; `None` when the query does not name it.
    pub(super) name: Option<String>,
    /// Sorted, each once.
    pub(super) sources: Vec<Source>,
}

/// Columns of a query beyond the ones that are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rest {
    /// There are none.
    Nothing,
    /// All columns of one table, under their own names.
    Table(TableIndex),
    Unknown,
}

impl Rest {
    /// What two unlisted parts are together.
    pub(super) fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Nothing, rest) | (rest, Self::Nothing) => rest,
            (Self::Table(_) | Self::Unknown, Self::Table(_) | Self::Unknown) => Self::Unknown,
        }
    }
}

/// What a query gives back.
#[derive(Debug, Clone)]
pub(super) struct Outputs {
    pub(super) columns: Vec<Output>,
    pub(super) rest: Rest,
    /// How many of `columns`, from the first, stand at the place that they have in the query.
    pub(super) known_places: usize,
}

impl Outputs {
    pub(super) fn known(columns: Vec<Output>) -> Self {
        Self { known_places: columns.len(), columns, rest: Rest::Nothing }
    }

    pub(super) fn unknown() -> Self {
        Self { columns: Vec::new(), rest: Rest::Unknown, known_places: 0 }
    }

    pub(super) fn is_complete(&self) -> bool {
        self.rest == Rest::Nothing
    }

    /// Columns and their sources, as the bound counts them.
    pub(super) fn entries(&self) -> usize {
        self.columns.iter().map(|column| 1 + column.sources.len()).sum()
    }

    pub(super) fn push(&mut self, output: Output) {
        self.columns.push(output);
        if self.is_complete() {
            self.known_places = self.columns.len();
        }
    }
}

/// Listed columns that may be compared with a name for one entry of the bound.
const COMPARED_PER_ENTRY: usize = 256;

/// Something after `FROM`.
#[derive(Debug)]
pub(super) struct Relation {
    /// The alias; it hides the table's own name.
    pub(super) alias: Option<String>,
    /// The table's name as written, for qualifiers where there is no alias.
    pub(super) table: Option<TableName>,
    pub(super) outputs: Outputs,
}

impl Relation {
    fn is_called(&self, qualifier: &[String]) -> bool {
        if let Some(alias) = &self.alias {
            return matches!(qualifier, [name] if name == alias);
        }
        let Some(table) = &self.table else { return false };
        match qualifier {
            [name] => *name == table.name,
            [schema, name] => *name == table.name && table.schema.as_ref() == Some(schema),
            [catalog, schema, name] => {
                *name == table.name && table.schema.as_ref() == Some(schema) && table.catalog.as_ref() == Some(catalog)
            }
            _ => false,
        }
    }
}

/// The names one query sees: its own, then those of the queries around it.
#[derive(Default)]
pub(super) struct Environment<'e> {
    pub(super) parent: Option<&'e Environment<'e>>,
    pub(super) common_tables: Vec<(String, Outputs)>,
    pub(super) relations: Vec<Relation>,
}

impl Environment<'_> {
    pub(super) fn common_table(&self, name: &str) -> Option<&Outputs> {
        let own = self.common_tables.iter().rev().find(|(known, _)| known == name);
        own.map(|(_, outputs)| outputs).or_else(|| self.parent?.common_table(name))
    }

    pub(super) fn relation(&self, qualifier: &[String]) -> Option<&Relation> {
        let own = self.relations.iter().find(|relation| relation.is_called(qualifier));
        own.or_else(|| self.parent?.relation(qualifier))
    }
}

/// What is known about a column name.
enum Found {
    Sources(Vec<Source>),
    /// It may be a column of several relations.
    Ambiguous,
    Nowhere,
}

impl Analysis {
    /// Sources of a dotted name: `column`, `qualifier.column`, and either with fields of a struct behind it. Empty when the
    /// SQL alone does not tell.
    pub(super) fn resolve(&mut self, parts: &[String], environment: &Environment<'_>) -> Vec<Source> {
        for length in (1..parts.len().min(4)).rev() {
            let (qualifier, column) = parts.split_at(length);
            if let (Some(relation), Some(column)) = (environment.relation(qualifier), column.first()) {
                return self.column_of(&relation.outputs, column).unwrap_or_default();
            }
        }
        let Some(column) = parts.first() else { return Vec::new() };
        let mut scope = Some(environment);
        while let Some(current) = scope {
            match self.find(column, &current.relations) {
                Found::Sources(sources) => return sources,
                Found::Ambiguous => return Vec::new(),
                Found::Nowhere => scope = current.parent,
            }
        }
        Vec::new()
    }

    /// A listed column is certain; otherwise the name belongs to the only relation whose columns are not all listed.
    fn find(&mut self, column: &str, relations: &[Relation]) -> Found {
        let compared: usize = relations.iter().map(|relation| relation.outputs.columns.len()).sum();
        if !self.spend(compared / COMPARED_PER_ENTRY) {
            return Found::Ambiguous;
        }
        let listed = relations.iter().filter_map(|relation| listed(&relation.outputs, column));
        let mut certain: Option<Vec<Source>> = None;
        for sources in listed {
            merge(certain.get_or_insert_default(), sources);
        }
        if let Some(sources) = certain {
            return Found::Sources(sources);
        }
        let mut open = relations.iter().filter(|relation| !relation.outputs.is_complete());
        match (open.next(), open.next()) {
            (None, _) => Found::Nowhere,
            (Some(relation), None) => Found::Sources(self.column_of(&relation.outputs, column).unwrap_or_default()),
            (Some(_), Some(_)) => Found::Ambiguous,
        }
    }

    fn column_of(&mut self, outputs: &Outputs, column: &str) -> Option<Vec<Source>> {
        if let Some(sources) = listed(outputs, column) {
            return Some(sources.to_vec());
        }
        let Rest::Table(table) = outputs.rest else { return None };
        Some(vec![self.source(table, column)])
    }
}

fn listed<'o>(outputs: &'o Outputs, column: &str) -> Option<&'o [Source]> {
    let output = outputs.columns.iter().find(|output| output.name.as_deref() == Some(column))?;
    Some(&output.sources)
}

/// Adds sources to a sorted list.
pub(super) fn merge(into: &mut Vec<Source>, more: &[Source]) {
    for source in more {
        if let Err(place) = into.binary_search(source) {
            into.insert(place, *source);
        }
    }
}
