//! What complete scopes no longer list: the candidates for archiving, of which each is yet to be proven gone.

use std::collections::{BTreeMap, HashSet};

use model::{KnownAsset, MissingAsset, QualifiedName, ScopeReport};

use crate::db::{List, Row, query, query_scalar};
use crate::dialect::{number_list, text_list};
use crate::ingest::context::lock;
use crate::ingest::prepare::split_name;
use crate::ingest::run::RunWriter;
use crate::{Result, content};

/// Ids that come in one row.
const PAGE_IDS: i64 = 10_000;

/// A container of assets: the beginning that their qualified names have in common.
struct Place {
    id: i64,
    path: String,
}

impl RunWriter {
    /// Active assets that complete scopes no longer list, at most `limit`, and archived ones that active assets lie below. What
    /// lies below a listed asset is not listed, and neither is what was derived from one: it goes with it.
    ///
    /// # Errors
    /// When what was taken cannot be written, or the catalog cannot be read.
    pub async fn missing(&self, scopes: &[ScopeReport], limit: usize) -> Result<Vec<MissingAsset>> {
        self.flush().await?;
        let scopes = self.complete_scopes(scopes).await?;
        let mut missing = Vec::new();
        let mut names: HashSet<String> = HashSet::new();
        let places = self.places().await?;
        let archived = self.archived_containers(&places, &scopes).await?;
        for place in places {
            if missing.len() >= limit {
                break;
            }
            if lies_below(&place.path, &names) {
                continue;
            }
            if let Some((name, known)) = archived.get_key_value(place.path.trim_end_matches('/')) {
                names.insert(name.clone());
                if self.is_inhabited(name).await? {
                    missing.push(MissingAsset { known: *known, qualified_name: QualifiedName::from_encoded(name.as_str()) });
                }
                continue;
            }
            let unseen = self.unseen(&place, &scopes, limit - missing.len()).await?;
            for asset in self.describe(&unseen).await? {
                names.insert(asset.qualified_name.as_str().to_owned());
                missing.push(asset);
            }
        }
        Ok(missing)
    }

    async fn complete_scopes(&self, scopes: &[ScopeReport]) -> Result<List> {
        let names = text_list(scopes.iter().filter(|scope| scope.complete).map(|scope| scope.scope.as_str()));
        let text = "SELECT id FROM scope WHERE connection = $1 AND name IN (SELECT value FROM json_each($2))";
        let query = query_scalar(text).bind(self.connection.0).bind(names);
        Ok(number_list(query.fetch_all(self.store.readers()).await?))
    }

    /// In the order of their paths: a container comes before what lies below it.
    async fn places(&self) -> Result<Vec<Place>> {
        let text = "SELECT id, path FROM place WHERE connection = $1 ORDER BY path";
        let rows = query(text).bind(self.connection.0).fetch_all(self.store.readers()).await?;
        rows.iter().map(|row| Ok(Place { id: row.try_get(0)?, path: row.try_get(1)? })).collect()
    }

    /// Archived assets of complete scopes that have places below them. Their own scopes are never read again, so whatever was
    /// stored there after all (by a run that failed before its end, say) is found by them alone.
    async fn archived_containers(&self, places: &[Place], scopes: &List) -> Result<BTreeMap<String, KnownAsset>> {
        let mut by_parent: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for place in places {
            let (parent, part) = split_name(place.path.trim_end_matches('/'));
            by_parent.entry(parent).or_default().push(part);
        }
        let mut archived = BTreeMap::new();
        for (parent, parts) in by_parent {
            let text = "SELECT a.part, a.id, a.kind FROM place p JOIN asset a ON a.place = p.id
                WHERE p.path = $1 AND p.connection = $2 AND a.part IN (SELECT value FROM json_each($3)) AND a.archived_run > 0
                    AND a.scope IN (SELECT value FROM json_each($4))
                    AND NOT EXISTS (SELECT 1 FROM asset o WHERE o.place = a.place AND o.part = a.part AND o.archived_run = 0)";
            let query = query(text).bind(parent.to_owned()).bind(self.connection.0).bind(text_list(parts));
            for row in query.bind(scopes.clone()).fetch_all(self.store.readers()).await? {
                let known = KnownAsset { id: row.try_get(1)?, kind: content::kind(row.try_get(2)?)? };
                archived.insert(format!("{parent}{}", row.try_get::<&str, _>(0)?), known);
            }
        }
        Ok(archived)
    }

    /// Whether an active asset lies below a name.
    async fn is_inhabited(&self, name: &str) -> Result<bool> {
        let text = "SELECT EXISTS (SELECT 1 FROM place p JOIN asset a ON a.place = p.id
            WHERE p.path >= $1 AND p.path < $2 AND p.connection = $3 AND a.archived_run = 0)";
        let query = query_scalar(text).bind(format!("{name}/")).bind(format!("{name}0")).bind(self.connection.0);
        Ok(query.fetch_one(self.store.readers()).await?)
    }

    async fn unseen(&self, place: &Place, scopes: &List, limit: usize) -> Result<Vec<i64>> {
        let mut unseen = Vec::new();
        let mut after = String::new();
        loop {
            let text = "SELECT string_agg(CAST(id AS TEXT), ','), count(*), max(part) FROM (
                SELECT id, part FROM asset WHERE place = $1 AND part >= $2 AND archived_run = 0 AND owner = 0
                    AND scope IN (SELECT value FROM json_each($3)) ORDER BY part, kind LIMIT $4) AS listed";
            let query = query(text).bind(place.id).bind(after.clone()).bind(scopes.clone()).bind(PAGE_IDS);
            let row = query.fetch_one(self.store.readers()).await?;
            let (ids, count): (Option<String>, i64) = (row.try_get(0)?, row.try_get(1)?);
            {
                let progress = lock(&self.progress);
                let ids = ids.iter().flat_map(|ids| ids.split(',')).filter_map(|id| id.parse().ok());
                unseen.extend(ids.filter(|id| !progress.seen.contains(*id)));
            }
            if count < PAGE_IDS || unseen.len() >= limit {
                break;
            }
            // The last name once more: a table and a view may share it.
            after = row.try_get(2)?;
        }
        unseen.dedup();
        unseen.truncate(limit);
        Ok(unseen)
    }

    async fn describe(&self, ids: &[i64]) -> Result<Vec<MissingAsset>> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let text = "SELECT c.id, c.kind, p.path, c.part FROM content c JOIN place p ON p.id = c.place
            WHERE c.id IN (SELECT value FROM json_each($1)) ORDER BY p.path, c.part, c.kind";
        let rows = query(text).bind(number_list(ids.iter().copied())).fetch_all(self.store.readers()).await?;
        let read = |row: &Row| {
            let (path, part): (&str, &str) = (row.try_get(2)?, row.try_get(3)?);
            let qualified_name = QualifiedName::from_encoded(format!("{path}{part}"));
            let known = KnownAsset { id: row.try_get(0)?, kind: content::kind(row.try_get(1)?)? };
            Ok(MissingAsset { known, qualified_name })
        };
        rows.iter().map(read).collect()
    }
}

/// Whether one of the names contains the place.
pub(crate) fn lies_below(path: &str, names: &HashSet<String>) -> bool {
    !names.is_empty() && path.match_indices('/').any(|(at, _)| names.contains(&path[..at]))
}
