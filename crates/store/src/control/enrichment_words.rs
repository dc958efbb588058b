//! Finding assets by what people say of them: an index of its own, which no crawl has to keep up to date.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::db::{Bulk, Condition, Connection, Row, Value, query, query_scalar};
use crate::dialect::{self, number_list};
use crate::ingest::context::NEW_WORDS;
use crate::search_text::{Collector, SearchText};
use crate::{Result, Store, StoreError, content};

/// Assets that are found by what people say of them.
const CANDIDATES_MAX: usize = 100;

const WORDS: Bulk = Bulk { table: "enrichment_words", columns: "rowid, words", tail: "", width: 2 };

impl Store {
    /// The active assets of which people said what meets the conditions, in their order, up to a bound; with all that is said.
    pub(crate) async fn matching_enrichment(&self, conditions: &[Condition]) -> Result<BTreeMap<i64, String>> {
        let limit = i64::try_from(CANDIDATES_MAX).unwrap_or(i64::MAX);
        let mut ids: BTreeSet<i64> = BTreeSet::new();
        for condition in conditions {
            let query = query_scalar(dialect::MATCHING_ENRICHMENT).bind(condition.clone()).bind(limit);
            let found: Vec<i64> = query.fetch_all(self.readers()).await?;
            let wanted = CANDIDATES_MAX - ids.len();
            let fresh: Vec<i64> = found.into_iter().filter(|id| !ids.contains(id)).take(wanted).collect();
            ids.extend(fresh);
        }
        if ids.is_empty() {
            return Ok(BTreeMap::new());
        }
        let text = "SELECT asset, description, owners, tags FROM enrichment
            WHERE asset IN (SELECT value FROM json_each($1)) ORDER BY asset, path";
        let mut said: BTreeMap<i64, String> = BTreeMap::new();
        for row in query(text).bind(number_list(ids)).fetch_all(self.readers()).await? {
            let all = said.entry(row.try_get(0)?).or_default();
            for text in texts(&row)? {
                all.push_str(&text);
                all.push('\n');
            }
        }
        Ok(said)
    }
}

/// Brings the words of an asset up to date with what is said of it.
pub(crate) async fn refresh(connection: &mut Connection<'_>, asset: i64) -> Result<()> {
    remove(connection, &[asset]).await?;
    let text = "SELECT e.asset, e.description, e.owners, e.tags, c.kind FROM enrichment e JOIN content c ON c.id = e.asset
        WHERE e.asset = $1 ORDER BY e.path";
    let rows = query(text).bind(asset).fetch_all(&mut *connection).await?;
    let Some(first) = rows.first() else { return Ok(()) };
    let kind = content::kind(first.try_get(4)?)?;
    let mut said = Vec::new();
    for row in &rows {
        said.extend(texts(row)?);
    }
    let words = SearchText::of_enrichment(kind, said.iter().map(String::as_str), &mut Collector::default());
    if words.text.is_empty() {
        return Ok(());
    }
    WORDS.write_new(connection, &[asset], |query, asset| query.bind(*asset).bind(Value::Words(Arc::clone(&words.text)))).await?;
    let vocabulary: Vec<&str> = words.vocabulary().collect();
    NEW_WORDS.write(connection, &vocabulary, |query, word| query.bind((*word).to_owned())).await?;
    Ok(())
}

/// Removes the words of assets.
pub(crate) async fn remove(connection: &mut Connection<'_>, assets: &[i64]) -> Result<()> {
    let text = "DELETE FROM enrichment_words WHERE rowid IN (SELECT value FROM json_each($1))";
    query(text).bind(number_list(assets.iter().copied())).execute(connection).await?;
    Ok(())
}

/// Description, owners and tags of a row that has them after its first column.
fn texts(row: &Row) -> Result<Vec<String>> {
    let mut all: Vec<String> = row.try_get::<Option<String>, _>(1)?.into_iter().collect();
    for list in [row.try_get::<&str, _>(2)?, row.try_get(3)?] {
        all.extend(serde_json::from_str::<Vec<String>>(list).map_err(StoreError::corrupt)?);
    }
    Ok(all)
}
