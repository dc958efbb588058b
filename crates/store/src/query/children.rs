//! What lies in an asset or folder, page by page.

use model::QualifiedName;

use crate::db::{Row, query, query_scalar};
use crate::dialect::text_list;
use crate::query::asset::{SELECT, StoredAsset, read};
use crate::query::names;
use crate::{Result, Store};

/// What lies directly in an asset or folder, one page.
#[derive(Clone, Debug, PartialEq)]
pub struct Children {
    /// The assets, by name.
    pub assets: Vec<StoredAsset>,
    /// Names of folders that are no assets (`jobs`, `workflows`), encoded; on the first page only.
    pub folders: Vec<String>,
    /// Where the next page goes on, if there is one.
    pub next: Option<QualifiedName>,
}

/// The folders that connectors put assets in: the assets of a folder are listed one by one by the source, but the folder itself is none.
const FOLDERS: [&str; 8] = ["connections", "crawlers", "glossaries", "jobs", "subscriptions", "triggers", "units", "workflows"];

impl Store {
    /// The active assets that lie directly in an asset or folder, by name (bytewise), at most `limit`, after the given one.
    /// Processes are left out.
    ///
    /// # Errors
    /// When the catalog cannot be read.
    pub async fn children(&self, name: &QualifiedName, limit: usize, after: Option<&QualifiedName>) -> Result<Children> {
        let text = format!(
            "{SELECT} WHERE p.path = $1 AND a.part > $2 AND a.archived_run = 0 AND a.kind NOT IN (12, 13)
            ORDER BY a.part, a.kind LIMIT $3"
        );
        let after_part = after.map_or("", |after| after.as_str().rsplit('/').next().unwrap_or_default());
        let asked = i64::try_from(limit).unwrap_or(i64::MAX).saturating_add(1);
        let query = query(text).bind(format!("{name}/")).bind(after_part.to_owned()).bind(asked);
        let rows = query.fetch_all(self.readers()).await?;
        let mut assets = rows.iter().take(limit).map(read).collect::<Result<Vec<_>>>()?;
        let more = rows.len() > limit;
        let next = if more { self.end_page(&mut assets, &rows[limit])? } else { None };
        let folders = if after.is_none() { self.folders(name).await? } else { Vec::new() };
        Ok(Children { assets, folders, next })
    }

    /// Two kinds of one name stay on one page: the page goes on after the name.
    fn end_page(&self, assets: &mut Vec<StoredAsset>, first_of_next: &Row) -> Result<Option<QualifiedName>> {
        let next = read(first_of_next)?;
        if assets.last().is_some_and(|last| last.asset.qualified_name == next.asset.qualified_name) {
            assets.push(next);
        }
        Ok(assets.last().map(|last| last.asset.qualified_name.clone()))
    }

    /// Folders directly below an asset that are no assets themselves and have some in them, by name.
    async fn folders(&self, name: &QualifiedName) -> Result<Vec<String>> {
        let possible: Vec<String> = FOLDERS.iter().map(|folder| format!("{name}/{folder}/")).collect();
        // 12 and 13 are processes.
        let text = "SELECT p.path FROM place p WHERE p.path IN (SELECT value FROM json_each($1))
            AND EXISTS (SELECT 1 FROM asset a WHERE a.place = p.id AND a.archived_run = 0 AND a.kind NOT IN (12, 13)) ORDER BY p.path";
        let query = query_scalar(text).bind(text_list(possible.iter().map(String::as_str)));
        let paths: Vec<String> = query.fetch_all(self.readers()).await?;
        let paths = paths.iter().map(|path| path.trim_end_matches('/'));
        let as_assets = names::find(self.readers(), paths.clone()).await?;
        let folders = paths.filter(|path| !as_assets.contains_key(*path)).filter_map(|path| path.rsplit('/').next());
        Ok(folders.map(str::to_owned).collect())
    }
}
