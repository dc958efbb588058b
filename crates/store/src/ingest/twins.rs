//! What assets of SageMaker Unified Studio are made from, as rows: kept for active assets only, in the transaction that writes them.

use std::sync::Arc;

use crate::Result;
use crate::db::{Bulk, Connection, query};
use crate::dialect::number_list;
use crate::ingest::write::{Action, Row};

const INSERT: Bulk = Bulk { table: "twin", columns: "source, asset", tail: "ON CONFLICT (source, asset) DO NOTHING", width: 2 };

/// Brings the sources of rows whose content is written up to date.
pub(crate) async fn write(connection: &mut Connection<'_>, rows: &[&Row<'_>]) -> Result<()> {
    let made: Vec<&&Row<'_>> = rows.iter().filter(|row| row.new.kind.is_smus_asset()).collect();
    let changed: Vec<i64> = made.iter().filter(|row| row.action == Action::Change).map(|row| row.id).collect();
    remove(connection, &changed).await?;
    let sources: Vec<(Arc<str>, i64)> = made.iter().filter_map(|row| Some((row.new.source.clone()?, row.id))).collect();
    INSERT.write(connection, &sources, |query, (source, asset)| query.bind(Arc::clone(source)).bind(*asset)).await?;
    Ok(())
}

/// Removes the sources of these assets.
pub(crate) async fn remove(connection: &mut Connection<'_>, assets: &[i64]) -> Result<()> {
    if !assets.is_empty() {
        let text = "DELETE FROM twin WHERE asset IN (SELECT value FROM json_each($1))";
        query(text).bind(number_list(assets.iter().copied())).execute(connection).await?;
    }
    Ok(())
}
