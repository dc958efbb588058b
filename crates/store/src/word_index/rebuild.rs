//! Building the index anew from what the catalog holds: for catalogs that were made before there was one.

use super::build::WordPages;
use super::segment::Subject;
use super::write::add;
use crate::control::enrichment_words;
use crate::db::{Connection, query, query_scalar};
use crate::search_text::{Collector, SearchText};
use crate::{Result, content};

/// Assets that are read and added at once.
const ASSETS_AT_ONCE: i64 = 1000;

/// Fills an empty index.
pub(crate) async fn rebuild(connection: &mut Connection<'_>) -> Result<()> {
    let text = "SELECT c.id, p.path, c.part, c.kind, c.first_run, c.changed_run, c.name, c.attributes, c.columns
        FROM content c JOIN place p ON p.id = c.place JOIN asset a ON a.place = c.place AND a.part = c.part AND a.kind = c.kind
        WHERE c.id > $1 AND a.archived_run = 0 ORDER BY c.id LIMIT $2";
    let (mut last, mut collector) = (0, Collector::default());
    loop {
        let rows = query(text).bind(last).bind(ASSETS_AT_ONCE).fetch_all(&mut *connection).await?;
        let Some(row) = rows.last() else { break };
        last = row.try_get(0)?;
        let mut words: Vec<(i64, SearchText)> = Vec::with_capacity(rows.len());
        for row in &rows {
            let stored = content::decode(row)?;
            words.push((stored.id, SearchText::of(&stored.asset, &mut collector)));
        }
        let searched = words.iter().filter(|(_, words)| !words.text.is_empty());
        let searched: Vec<(i64, &str)> = searched.map(|(id, words)| (*id, &*words.text)).collect();
        add(connection, Subject::Assets, WordPages::of(&searched)).await?;
    }
    let enriched = "SELECT DISTINCT asset FROM enrichment ORDER BY asset";
    for asset in query_scalar::<i64>(enriched).fetch_all(&mut *connection).await? {
        enrichment_words::refresh(connection, asset).await?;
    }
    Ok(())
}
