//! One `SELECT`: what stands after `FROM`, and what comes out of the select list.

use sqlparser::ast::{
    Expr, Ident, Join, JoinConstraint, JoinOperator, LateralView, ObjectName, Select, SelectItem, SelectItemQualifiedWildcardKind,
    TableAlias, TableFactor, TableWithJoins, WildcardAdditionalOptions,
};

use super::scope::{Environment, Output, Outputs, Relation, Rest};
use super::{Analysis, Source, renamed};
use crate::glue::view_sql::tables::{fold, table_name};

/// Whether `*` lists the columns of a join one after the other.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Joined {
    SideBySide,
    /// `USING` and `NATURAL` list shared columns once, so places are not known.
    Merged,
}

impl Analysis {
    pub(super) fn select(&mut self, select: &Select, outer: &Environment<'_>) -> Outputs {
        let mut environment = Environment { parent: Some(outer), ..Environment::default() };
        for table in &select.from {
            self.table_with_joins(table, &mut environment);
        }
        for view in &select.lateral_views {
            let relation = self.lateral_view(view, &environment);
            environment.relations.push(relation);
        }
        let merged = select.from.iter().flat_map(|table| &table.joins).any(merges_columns);
        let joined = if merged { Joined::Merged } else { Joined::SideBySide };
        let mut outputs = Outputs::known(Vec::new());
        for item in &select.projection {
            self.select_item(item, joined, &environment, &mut outputs);
        }
        if select.exclude.is_some() || select.value_table_mode.is_some() || select.projection.is_empty() {
            return Outputs::unknown();
        }
        outputs
    }

    fn select_item(&mut self, item: &SelectItem, joined: Joined, environment: &Environment<'_>, outputs: &mut Outputs) {
        match item {
            SelectItem::UnnamedExpr(expression) => {
                let name = implicit_name(expression);
                self.push_expression(expression, name, environment, outputs);
            }
            SelectItem::ExprWithAlias { expr, alias } => {
                self.push_expression(expr, Some(fold(&alias.value)), environment, outputs);
            }
            SelectItem::ExprWithAliases { expr, aliases } => {
                let sources = self.expression(expr, environment);
                for alias in aliases {
                    self.push_output(Some(fold(&alias.value)), &sources, outputs);
                }
            }
            SelectItem::Wildcard(options) => {
                self.star(environment.relations.iter(), options, outputs);
                if joined == Joined::Merged {
                    outputs.rest = Rest::Unknown;
                }
            }
            SelectItem::QualifiedWildcard(kind, options) => {
                self.qualified_star(kind, options, environment, outputs);
            }
        }
    }

    fn push_expression(&mut self, expression: &Expr, name: Option<String>, environment: &Environment<'_>, outputs: &mut Outputs) {
        let sources = self.expression(expression, environment);
        self.push_output(name, &sources, outputs);
    }

    fn push_output(&mut self, name: Option<String>, sources: &[Source], outputs: &mut Outputs) {
        let sources = if self.spend(1 + sources.len()) { sources.to_vec() } else { Vec::new() };
        outputs.push(Output { name, sources });
    }

    fn qualified_star(
        &mut self,
        kind: &SelectItemQualifiedWildcardKind,
        options: &WildcardAdditionalOptions,
        environment: &Environment<'_>,
        outputs: &mut Outputs,
    ) {
        let relation = match kind {
            SelectItemQualifiedWildcardKind::ObjectName(name) => {
                let parts: Option<Vec<String>> =
                    name.0.iter().map(|part| part.as_ident().map(|ident| fold(&ident.value))).collect();
                parts.and_then(|parts| environment.relation(&parts))
            }
            SelectItemQualifiedWildcardKind::Expr(_) => None,
        };
        match relation {
            Some(relation) => self.star(std::iter::once(relation), options, outputs),
            None => outputs.rest = Rest::Unknown,
        }
    }

    /// Adds all columns of some relations.
    fn star<'r>(
        &mut self,
        relations: impl Iterator<Item = &'r Relation>,
        options: &WildcardAdditionalOptions,
        outputs: &mut Outputs,
    ) {
        let plain = options.opt_ilike.is_none()
            && options.opt_exclude.is_none()
            && options.opt_except.is_none()
            && options.opt_replace.is_none()
            && options.opt_rename.is_none();
        if !plain {
            outputs.rest = Rest::Unknown;
            return;
        }
        for relation in relations {
            for column in &relation.outputs.columns {
                if !self.spend(1 + column.sources.len()) {
                    outputs.rest = Rest::Unknown;
                    return;
                }
                outputs.push(column.clone());
            }
            outputs.rest = outputs.rest.and(relation.outputs.rest);
        }
    }

    fn table_with_joins(&mut self, table: &TableWithJoins, environment: &mut Environment<'_>) {
        self.table_factor(&table.relation, environment);
        for join in &table.joins {
            self.table_factor(&join.relation, environment);
        }
    }

    fn table_factor(&mut self, factor: &TableFactor, environment: &mut Environment<'_>) {
        if let TableFactor::NestedJoin { table_with_joins, .. } = factor {
            return self.table_with_joins(table_with_joins, environment);
        }
        let relation = self.relation(factor, environment);
        environment.relations.push(relation);
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "table factors not named here have columns that the SQL does not tell")]
    fn relation(&mut self, factor: &TableFactor, environment: &Environment<'_>) -> Relation {
        match factor {
            TableFactor::Table { name, alias, args: None, .. } => self.named_table(name, alias.as_ref(), environment),
            TableFactor::Table { alias, args: Some(_), with_ordinality, .. }
            | TableFactor::Function { alias, with_ordinality, .. }
            | TableFactor::UNNEST { alias, with_ordinality, .. } => {
                let sources = self.factor_sources(factor, environment);
                self.generated(alias.as_ref(), &sources, Ordinality::from(*with_ordinality))
            }
            TableFactor::TableFunction { expr, alias } => {
                let sources = self.expression(expr, environment);
                self.generated(alias.as_ref(), &sources, Ordinality::Absent)
            }
            TableFactor::Derived { lateral, subquery, alias, .. } => {
                let scope = if *lateral { Some(environment) } else { environment.parent };
                let outputs = scope.map_or_else(Outputs::unknown, |scope| self.query(subquery, scope));
                aliased(alias.as_ref(), outputs)
            }
            TableFactor::Pivot { alias, .. } | TableFactor::Unpivot { alias, .. } | TableFactor::MatchRecognize { alias, .. } => {
                aliased(alias.as_ref(), Outputs::unknown())
            }
            _ => aliased(None, Outputs::unknown()),
        }
    }

    fn named_table(&mut self, name: &ObjectName, alias: Option<&TableAlias>, environment: &Environment<'_>) -> Relation {
        let Some(table) = table_name(name) else { return aliased(alias, Outputs::unknown()) };
        let common = if table.schema.is_none() { environment.common_table(&table.name) } else { None };
        let outputs = match common {
            Some(outputs) if self.spend(outputs.entries()) => outputs.clone(),
            Some(_) => Outputs::unknown(),
            None => {
                let rest = Rest::Table(self.table(table.clone()));
                Outputs { columns: Vec::new(), rest, known_places: 0 }
            }
        };
        Relation { table: Some(table), ..aliased(alias, outputs) }
    }

    /// `LATERAL VIEW explode(items) t AS item`: what comes out is made from what goes in.
    fn lateral_view(&mut self, view: &LateralView, environment: &Environment<'_>) -> Relation {
        let sources = self.expression(&view.lateral_view, environment);
        let alias = table_name(&view.lateral_view_name).map(|table| table.name);
        let names: Vec<String> = view.lateral_col_alias.iter().map(|ident| fold(&ident.value)).collect();
        Relation { alias, table: None, outputs: self.generated_columns(names, &sources, Ordinality::Absent) }
    }

    /// The relation of `UNNEST(…)` or a table function. Column names are known when the alias lists them.
    fn generated(&mut self, alias: Option<&TableAlias>, sources: &[Source], ordinality: Ordinality) -> Relation {
        let columns = alias.map(|alias| alias.columns.as_slice()).unwrap_or_default();
        let names = columns.iter().map(|column| fold(&column.name.value)).collect();
        let outputs = self.generated_columns(names, sources, ordinality);
        Relation { alias: alias.map(|alias| fold(&alias.name.value)), table: None, outputs }
    }

    fn generated_columns(&mut self, names: Vec<String>, sources: &[Source], ordinality: Ordinality) -> Outputs {
        let Some(last) = names.len().checked_sub(1) else { return Outputs::unknown() };
        let mut outputs = Outputs::known(Vec::new());
        for (place, name) in names.into_iter().enumerate() {
            let counts_rows = ordinality == Ordinality::Present && place == last;
            self.push_output(Some(name), if counts_rows { &[] } else { sources }, &mut outputs);
        }
        outputs
    }
}

/// Whether a row generator counts its rows in a last column.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ordinality {
    Present,
    Absent,
}

impl From<bool> for Ordinality {
    fn from(present: bool) -> Self {
        if present { Self::Present } else { Self::Absent }
    }
}

fn aliased(alias: Option<&TableAlias>, outputs: Outputs) -> Relation {
    let Some(alias) = alias else { return Relation { alias: None, table: None, outputs } };
    Relation { alias: Some(fold(&alias.name.value)), table: None, outputs: renamed(outputs, alias) }
}

/// The name of a column that has no alias: its own, without qualifier.
fn implicit_name(expression: &Expr) -> Option<String> {
    let ident: &Ident = if let Expr::Identifier(ident) = expression {
        ident
    } else if let Expr::CompoundIdentifier(idents) = expression {
        idents.last()?
    } else {
        return None;
    };
    Some(fold(&ident.value))
}

#[expect(clippy::wildcard_enum_match_arm, reason = "the other joins have no constraint")]
fn merges_columns(join: &Join) -> bool {
    let constraint = match &join.join_operator {
        JoinOperator::Join(constraint)
        | JoinOperator::Inner(constraint)
        | JoinOperator::Left(constraint)
        | JoinOperator::LeftOuter(constraint)
        | JoinOperator::Right(constraint)
        | JoinOperator::RightOuter(constraint)
        | JoinOperator::FullOuter(constraint)
        | JoinOperator::CrossJoin(constraint) => constraint,
        _ => return false,
    };
    matches!(constraint, JoinConstraint::Using(_) | JoinConstraint::Natural)
}
