//! Lineage as rows: which process reads or writes an asset.

use crate::Result;
use crate::db::{Bound, Bulk, Connection, query};
use crate::dialect::number_list;

/// Which end of a process an asset is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    /// The process reads it.
    Input,
    /// The process writes it.
    Output,
}

impl Side {
    /// The stored number.
    pub(crate) const fn code(self) -> i64 {
        match self {
            Self::Input => 0,
            Self::Output => 1,
        }
    }
}

/// One end of a process.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Edge {
    /// The qualified name of the asset there. Its kind may be a guess, so it is not part of the edge.
    pub(crate) node: String,
    pub(crate) side: Side,
}

impl Edge {
    pub(crate) fn input(node: String) -> Self {
        Self { node, side: Side::Input }
    }

    pub(crate) fn output(node: String) -> Self {
        Self { node, side: Side::Output }
    }
}

/// An edge with the process that it belongs to.
pub(crate) struct EdgeRow<'a> {
    pub(crate) edge: &'a Edge,
    pub(crate) process: i64,
    pub(crate) kind: i64,
}

const INSERT: Bulk =
    Bulk { table: "edge", columns: "node, side, process, kind", tail: "ON CONFLICT (node, side, process) DO NOTHING", width: 4 };

/// Removes the edges of these processes.
pub(crate) async fn remove(connection: &mut Connection<'_>, processes: &[i64]) -> Result<()> {
    if !processes.is_empty() {
        query("DELETE FROM edge WHERE process IN (SELECT value FROM json_each($1))")
            .bind(number_list(processes.iter().copied()))
            .execute(connection)
            .await?;
    }
    Ok(())
}

/// Adds edges.
pub(crate) async fn insert(connection: &mut Connection<'_>, rows: &[EdgeRow<'_>]) -> Result<()> {
    let bind = |query: Bound, row: &EdgeRow<'_>| {
        query.bind(row.edge.node.clone()).bind(row.edge.side.code()).bind(row.process).bind(row.kind)
    };
    INSERT.write(connection, rows, bind).await?;
    Ok(())
}
