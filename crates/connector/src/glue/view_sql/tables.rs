//! Every table that a query names, wherever it stands: joins, subqueries in `WHERE`, set operations, common table
//! expressions. What is kept out are the names that the query itself defines.

use std::collections::HashSet;
use std::ops::ControlFlow;

use sqlparser::ast::{ObjectName, Query, TableFactor, Visit as _, Visitor};

use super::TableName;

/// All tables of a query, each once, in order of appearance.
pub(super) fn tables(query: &Query) -> Vec<TableName> {
    let mut collector = Collector { frames: Vec::new(), seen: HashSet::new(), tables: Vec::new() };
    let ControlFlow::Continue(()) = query.visit(&mut collector);
    collector.tables
}

/// A table's name in lower case; `None` when a part of it is computed.
pub(super) fn table_name(name: &ObjectName) -> Option<TableName> {
    let mut parts: Vec<String> =
        name.0.iter().map(|part| part.as_ident().map(|ident| fold(&ident.value))).collect::<Option<_>>()?;
    let name = parts.pop().filter(|name| !name.is_empty())?;
    if parts.len() > 2 {
        let schema = parts.split_off(1).join(".");
        parts.push(schema);
    }
    let schema = parts.pop();
    Some(TableName { catalog: parts.pop(), schema, name })
}

pub(super) fn fold(name: &str) -> String {
    name.to_lowercase()
}

/// The common table expressions of one query while it is visited.
struct Frame {
    /// Names that can be used by now.
    visible: Vec<String>,
    /// Names that become usable once their query was visited, last one first.
    pending: Vec<(*const Query, String)>,
}

struct Collector {
    frames: Vec<Frame>,
    seen: HashSet<TableName>,
    tables: Vec<TableName>,
}

impl Collector {
    fn add(&mut self, name: &ObjectName) {
        let Some(table) = table_name(name) else { return };
        let defined_here = table.schema.is_none() && self.frames.iter().any(|frame| frame.visible.contains(&table.name));
        if !defined_here && self.seen.insert(table.clone()) {
            self.tables.push(table);
        }
    }
}

impl Visitor for Collector {
    type Break = std::convert::Infallible;

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<Self::Break> {
        let mut frame = Frame { visible: Vec::new(), pending: Vec::new() };
        for cte in query.with.iter().flat_map(|with| with.cte_tables.iter().rev()) {
            frame.pending.push((std::ptr::from_ref(&*cte.query), fold(&cte.alias.name.value)));
        }
        if query.with.as_ref().is_some_and(|with| with.recursive) {
            frame.visible = frame.pending.iter().map(|(_, name)| name.clone()).collect();
        }
        self.frames.push(frame);
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, query: &Query) -> ControlFlow<Self::Break> {
        self.frames.pop();
        if let Some(frame) = self.frames.last_mut()
            && let Some((_, name)) = frame.pending.pop_if(|(pending, _)| std::ptr::eq(*pending, query))
        {
            frame.visible.push(name);
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<Self::Break> {
        if let TableFactor::Table { name, args: None, .. } = factor {
            self.add(name);
        }
        ControlFlow::Continue(())
    }
}
