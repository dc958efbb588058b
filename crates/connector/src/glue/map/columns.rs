//! The columns of a table: top-level ones, nested fields to level 15, partition keys.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use model::{ColumnDraft, Columns, Warning};

use super::{MapContext, warning};
use crate::glue::hive_type::{self, Field};
use crate::glue::page::Column;

/// The most columns, nested ones included, that one table keeps: a bound far above what writers can make.
const COLUMNS_MAX: usize = 200_000;

/// A column before its type is understood.
pub(super) struct RawColumn<'a> {
    pub(super) name: &'a str,
    pub(super) raw_type: Option<Cow<'a, str>>,
    pub(super) comment: Option<Cow<'a, str>>,
    pub(super) is_partition_key: bool,
}

/// How many fields a field (by its index) or the column itself (`None`) keeps once repeated names are left out.
type ChildCounts = HashMap<Option<u32>, u32>;

fn count_kept_children(fields: &[Field<'_>]) -> ChildCounts {
    let mut seen = HashSet::new();
    let mut kept = ChildCounts::new();
    for field in fields.iter().filter(|field| seen.insert((field.parent, &field.name))) {
        *kept.entry(field.parent).or_default() += 1;
    }
    kept
}

impl<'a> RawColumn<'a> {
    /// A column of the catalog; `None` for one that Iceberg has dropped and Glue still lists.
    pub(super) fn from_page(column: &'a Column<'a>, is_partition_key: bool, context: &MapContext<'_>) -> Option<Self> {
        if column.parameters.get("iceberg.field.current").is_some_and(|current| current.eq_ignore_ascii_case("false")) {
            return None;
        }
        column.parameters.count_dropped(context.masked);
        Some(Self {
            name: &column.name,
            raw_type: column.column_type.as_ref().map(|text| text.scrubbed(context.masked)),
            comment: column.comment.as_ref().map(|comment| comment.scrubbed(context.masked)),
            is_partition_key,
        })
    }

    /// A column that a view's text declares.
    pub(super) fn declared(name: &'a str, raw_type: &'a str) -> Self {
        Self { name, raw_type: Some(raw_type.into()), comment: None, is_partition_key: false }
    }
}

/// Names seen so far. Most tables have a few dozen columns, for which comparing is cheaper than hashing.
#[derive(Default)]
struct Names<'a> {
    few: Vec<&'a str>,
    many: HashSet<&'a str>,
}

/// How many names are compared one by one.
const NAMES_COMPARED_MAX: usize = 48;

impl<'a> Names<'a> {
    /// Adds a name; `false` if it was there.
    fn insert(&mut self, name: &'a str) -> bool {
        if self.few.len() < NAMES_COMPARED_MAX {
            let is_new = !self.few.contains(&name);
            if is_new {
                self.few.push(name);
            }
            return is_new;
        }
        if self.many.is_empty() {
            self.many.extend(&self.few);
        }
        self.many.insert(name)
    }
}

/// Builds the columns of one table.
pub(super) struct ColumnsBuilder<'s> {
    columns: Columns,
    warnings: &'s mut Vec<Warning>,
    scope: String,
    top_level_count: u32,
    partition_count: u32,
    is_full: bool,
}

impl<'s> ColumnsBuilder<'s> {
    pub(super) fn new(scope: String, warnings: &'s mut Vec<Warning>) -> Self {
        Self { columns: Columns::default(), warnings, scope, top_level_count: 0, partition_count: 0, is_full: false }
    }

    /// Adds columns in order. A name that was there before (a partition key repeated among the columns) is kept once, as
    /// the partition key.
    pub(super) fn add_all(&mut self, raw: &[RawColumn<'_>]) {
        let partition_keys: Vec<&str> = raw.iter().filter(|column| column.is_partition_key).map(|column| column.name).collect();
        let mut seen = Names::default();
        let mut fields = Vec::new();
        for column in raw {
            if !column.is_partition_key && partition_keys.contains(&column.name) {
                continue;
            }
            if !seen.insert(column.name) {
                self.warn("column-duplicate", format!("the column \"{}\" is listed twice; the first one is kept", column.name));
                continue;
            }
            self.add(column, &mut fields);
        }
    }

    fn add<'a>(&mut self, column: &'a RawColumn<'_>, fields: &mut Vec<Field<'a>>) {
        if self.columns.len() >= COLUMNS_MAX {
            self.note_full();
            return;
        }
        let raw_type = column.raw_type.as_deref().unwrap_or_default();
        let parsed = hive_type::parse(raw_type, fields);
        self.top_level_count += 1;
        if column.is_partition_key {
            self.partition_count += 1;
        }
        let kept_children = parsed.duplicate_field.then(|| count_kept_children(fields));
        let index = self.columns.push(&ColumnDraft {
            name: column.name,
            data_type: &parsed.data_type,
            raw_type,
            description: column.comment.as_deref(),
            order: self.top_level_count,
            partition_order: column.is_partition_key.then_some(self.partition_count),
            parent: None,
            nested_count: kept_children.as_ref().map_or(parsed.children, |kept| kept.get(&None).copied().unwrap_or(0)),
        });
        if let Some(error) = &parsed.error {
            self.warn("column-type-unparsed", format!("the column \"{}\": {error}", column.name));
        }
        if parsed.depth_cut {
            self.warn(
                "column-type-too-deep",
                format!(
                    "the column \"{}\" nests deeper than 15 levels; what lies deeper stays in the type text of its level-15 field",
                    column.name
                ),
            );
        }
        self.add_fields(index, fields, column.name, kept_children.as_ref());
    }

    fn add_fields(&mut self, column: usize, fields: &[Field<'_>], name: &str, kept_children: Option<&ChildCounts>) {
        let mut indexes = Vec::with_capacity(fields.len());
        let mut seen = HashSet::new();
        let has_duplicates = kept_children.is_some();
        for (at, field) in (0_u32..).zip(fields) {
            let parent = field.parent.map_or(Some(column), |parent| indexes.get(parent as usize).copied().flatten());
            let is_new = !has_duplicates || seen.insert((field.parent, &field.name));
            let (Some(parent), true) = (parent, is_new && self.columns.len() < COLUMNS_MAX) else {
                indexes.push(None);
                continue;
            };
            indexes.push(Some(self.columns.push(&ColumnDraft {
                name: &field.name,
                data_type: &field.type_name,
                raw_type: field.raw_type,
                description: None,
                order: field.order,
                partition_order: None,
                parent: Some(parent),
                nested_count: kept_children.map_or(field.children, |kept| kept.get(&Some(at)).copied().unwrap_or(0)),
            })));
        }
        if has_duplicates && indexes.contains(&None) {
            self.warn(
                "column-duplicate",
                format!("the column \"{name}\" has nested fields of the same name; the first one is kept"),
            );
        }
        if self.columns.len() >= COLUMNS_MAX {
            self.note_full();
        }
    }

    fn note_full(&mut self) {
        if !self.is_full {
            self.is_full = true;
            self.warn("columns-too-many", format!("the table has more than {COLUMNS_MAX} columns; the rest is left out"));
        }
    }

    fn warn(&mut self, code: &'static str, message: String) {
        self.warnings.push(warning(self.scope.clone(), code, message));
    }

    /// The columns, and how many are top-level.
    pub(super) fn finish(self) -> (Columns, u32) {
        (self.columns, self.top_level_count)
    }
}
