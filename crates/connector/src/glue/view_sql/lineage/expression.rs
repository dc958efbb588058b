//! The columns that an expression uses.

use std::collections::HashSet;
use std::ops::ControlFlow;

use sqlparser::ast::{
    AccessExpr, BinaryOperator, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, Ident, Query, TableFactor,
    Visit as _, Visitor,
};

use super::scope::{Environment, merge};
use super::{Analysis, Source};
use crate::glue::view_sql::tables::fold;

/// Words that look like columns and are values of the session.
const SESSION_VALUES: [&str; 11] = [
    "current_date",
    "current_time",
    "current_timestamp",
    "current_user",
    "current_role",
    "current_catalog",
    "current_schema",
    "current_path",
    "localtime",
    "localtimestamp",
    "session_user",
];
/// Functions of Spark and Redshift whose first argument is a bare unit such as `MONTH`.
const UNIT_FUNCTIONS: [&str; 9] =
    ["date_add", "date_diff", "date_part", "date_trunc", "dateadd", "datediff", "timestampadd", "timestampdiff", "timestamp_trunc"];
const UNITS: [&str; 12] =
    ["microsecond", "millisecond", "second", "minute", "hour", "day", "dayofyear", "week", "month", "quarter", "year", "epoch"];

impl Analysis {
    /// Sources of all columns in an expression, subqueries included: of those, the columns that they give back.
    pub(super) fn expression(&mut self, expression: &Expr, environment: &Environment<'_>) -> Vec<Source> {
        let mut uses = Uses::new(self, environment);
        let ControlFlow::Continue(()) = expression.visit(&mut uses);
        uses.sources
    }

    /// Sources of the arguments of a row generator.
    pub(super) fn factor_sources(&mut self, factor: &TableFactor, environment: &Environment<'_>) -> Vec<Source> {
        let mut uses = Uses::new(self, environment);
        let ControlFlow::Continue(()) = factor.visit(&mut uses);
        uses.sources
    }
}

struct Uses<'u, 'e> {
    analysis: &'u mut Analysis,
    environment: &'u Environment<'e>,
    sources: Vec<Source>,
    /// Subqueries around the current node; they are read as queries, not as expressions.
    subqueries: usize,
    /// Parameters of the lambda functions around the current node.
    parameters: Vec<String>,
    /// Identifiers that are no columns of their own: struct fields, units of time.
    ignored: HashSet<*const Expr>,
}

impl<'u, 'e> Uses<'u, 'e> {
    fn new(analysis: &'u mut Analysis, environment: &'u Environment<'e>) -> Self {
        Self { analysis, environment, sources: Vec::new(), subqueries: 0, parameters: Vec::new(), ignored: HashSet::new() }
    }

    fn add(&mut self, idents: &[&Ident]) {
        let parts: Vec<String> = idents.iter().map(|ident| fold(&ident.value)).collect();
        let Some(first) = parts.first() else { return };
        let session_value = parts.len() == 1 && SESSION_VALUES.contains(&first.as_str());
        if session_value || self.parameters.contains(first) {
            return;
        }
        let sources = self.analysis.resolve(&parts, self.environment);
        if self.analysis.spend(sources.len()) {
            merge(&mut self.sources, &sources);
        }
    }

    /// `a.b[1].c`: the dotted names up to the first subscript are one name, those behind it are struct fields.
    fn add_field_access(&mut self, root: &Expr, chain: &[AccessExpr]) {
        let mut idents: Vec<&Ident> = if let Expr::Identifier(ident) = root {
            vec![ident]
        } else if let Expr::CompoundIdentifier(idents) = root {
            idents.iter().collect()
        } else {
            Vec::new()
        };
        let plain_root = !idents.is_empty();
        if plain_root {
            self.ignored.insert(std::ptr::from_ref(root));
        }
        let mut subscripted = false;
        for access in chain {
            match access {
                AccessExpr::Dot(field) => {
                    self.ignored.insert(std::ptr::from_ref(field));
                    if let (Expr::Identifier(ident), false, true) = (field, subscripted, plain_root) {
                        idents.push(ident);
                    }
                }
                AccessExpr::Subscript(_) => subscripted = true,
            }
        }
        self.add(&idents);
    }

    fn ignore_unit(&mut self, function: &Function) {
        let name = function.name.0.last().and_then(|part| part.as_ident()).map(|ident| fold(&ident.value));
        if !name.is_some_and(|name| UNIT_FUNCTIONS.contains(&name.as_str())) {
            return;
        }
        let FunctionArguments::List(list) = &function.args else { return };
        if let Some(FunctionArg::Unnamed(FunctionArgExpr::Expr(argument))) = list.args.first()
            && let Expr::Identifier(unit) = argument
            && UNITS.contains(&fold(&unit.value).as_str())
        {
            self.ignored.insert(std::ptr::from_ref(argument));
        }
    }
}

impl Visitor for Uses<'_, '_> {
    type Break = std::convert::Infallible;

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<Self::Break> {
        if self.subqueries == 0 {
            let outputs = self.analysis.query(query, self.environment);
            for column in &outputs.columns {
                merge(&mut self.sources, &column.sources);
            }
        }
        self.subqueries += 1;
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _query: &Query) -> ControlFlow<Self::Break> {
        self.subqueries -= 1;
        ControlFlow::Continue(())
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "other expressions name no column themselves")]
    fn pre_visit_expr(&mut self, expression: &Expr) -> ControlFlow<Self::Break> {
        if self.subqueries > 0 || self.ignored.contains(&std::ptr::from_ref(expression)) {
            return ControlFlow::Continue(());
        }
        match expression {
            Expr::Identifier(ident) => self.add(&[ident]),
            Expr::CompoundIdentifier(idents) => self.add(&idents.iter().collect::<Vec<_>>()),
            Expr::CompoundFieldAccess { root, access_chain } => self.add_field_access(root, access_chain),
            Expr::Function(function) => self.ignore_unit(function),
            _ => self.parameters.extend(lambda_parameters(expression)),
        }
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expression: &Expr) -> ControlFlow<Self::Break> {
        if self.subqueries == 0 {
            let outer = self.parameters.len().saturating_sub(lambda_parameters(expression).len());
            self.parameters.truncate(outer);
        }
        ControlFlow::Continue(())
    }
}

/// Parameters of a lambda function. The parser's general dialect reads Trino's `x -> …` as an operator of JSON, which Trino
/// does not have.
fn lambda_parameters(expression: &Expr) -> Vec<String> {
    let name = |expression: &Expr| if let Expr::Identifier(ident) = expression { Some(fold(&ident.value)) } else { None };
    if let Expr::Lambda(lambda) = expression {
        return lambda.params.iter().map(|parameter| fold(&parameter.name.value)).collect();
    }
    let Expr::BinaryOp { left, op: BinaryOperator::Arrow, .. } = expression else { return Vec::new() };
    if let Expr::Tuple(parameters) = &**left {
        return parameters.iter().filter_map(name).collect();
    }
    let parameter = if let Expr::Nested(inner) = &**left { inner } else { left };
    name(parameter).into_iter().collect()
}
