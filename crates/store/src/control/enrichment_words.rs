//! Finding assets by what people say of them: an index of its own, which no crawl has to keep up to date.

use std::collections::BTreeMap;

use crate::db::{Connection, Row, query, query_scalar};
use crate::dialect::number_list;
use crate::ingest::context::NEW_WORDS;
use crate::search_text::{Collector, SearchText};
use crate::word_index::{self, Condition, Subject, WordIndex, WordPages};
use crate::{Result, Store, StoreError, content};

/// Assets that are found by what people say of them.
const CANDIDATES_MAX: usize = 100;

impl Store {
    /// The active assets of which people said what meets one of the conditions, up to a bound; with all that is said.
    pub(crate) async fn matching_enrichment(&self, conditions: &[Condition]) -> Result<BTreeMap<i64, String>> {
        if conditions.is_empty() {
            return Ok(BTreeMap::new());
        }
        let ids = self.enriched_and_active(&Condition::Any(conditions.to_vec())).await?;
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

    async fn enriched_and_active(&self, condition: &Condition) -> Result<Vec<i64>> {
        let text = "SELECT c.id FROM content c JOIN asset a ON a.place = c.place AND a.part = c.part AND a.kind = c.kind
            WHERE c.id IN (SELECT value FROM json_each($1)) AND a.archived_run = 0 ORDER BY c.id";
        let mut index = WordIndex::open(self, Subject::Enrichment).await?;
        let mut matches = index.matches(condition);
        let mut ids: Vec<i64> = Vec::new();
        while ids.len() < CANDIDATES_MAX {
            let found = matches.take(CANDIDATES_MAX).await?;
            if found.is_empty() {
                break;
            }
            let active = query_scalar::<i64>(text).bind(number_list(found));
            ids.extend(active.fetch_all(&mut matches.connection()).await?);
        }
        ids.truncate(CANDIDATES_MAX);
        Ok(ids)
    }
}

/// Brings the words of an asset up to date with what is said of it.
pub(crate) async fn refresh(connection: &mut Connection<'_>, asset: i64) -> Result<()> {
    word_index::remove(connection, Subject::Enrichment, &[asset]).await?;
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
    word_index::add(connection, Subject::Enrichment, WordPages::of(&[(asset, &*words.text)])).await?;
    let vocabulary: Vec<&str> = words.vocabulary().collect();
    NEW_WORDS.write(connection, &vocabulary, |query, word| query.bind((*word).to_owned())).await?;
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
