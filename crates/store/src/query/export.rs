//! Everything, page by page, in one stable order.

use model::Kind;

use crate::connections::ConnectionId;
use crate::db::query;
use crate::dialect::number_list;
use crate::query::asset::{self, StoredAsset};
use crate::{Result, Store};

/// What is exported.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExportFilter {
    /// Only this connection.
    pub connection: Option<ConnectionId>,
    /// Only these kinds; none means all.
    pub kinds: Vec<Kind>,
    /// What lies at or below this qualified name only.
    pub below: Option<String>,
    /// Archived assets too.
    pub archived: Archived,
}

/// Whether archived assets are among the exported ones.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Archived {
    /// They are not.
    #[default]
    LeftOut,
    /// They are.
    Included,
}

/// Where an export goes on. Stable: what is stored meanwhile moves nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExportCursor {
    path: String,
    place: i64,
    part: String,
    kind: i64,
}

/// One page of an export.
#[derive(Clone, Debug, PartialEq)]
pub struct ExportPage {
    /// The assets: containers before what they contain, each container's content by name, both bytewise.
    pub assets: Vec<StoredAsset>,
    /// Where the next page goes on, if there is one.
    pub next: Option<ExportCursor>,
}

/// Assets of one page at most.
const PAGE_ASSETS_MAX: usize = 1000;

impl Store {
    /// The page after `after`, of at most `limit` assets (at most 1,000).
    ///
    /// # Errors
    /// When the catalog cannot be read.
    pub async fn export(&self, filter: &ExportFilter, after: &ExportCursor, limit: usize) -> Result<ExportPage> {
        let limit = limit.clamp(1, PAGE_ASSETS_MAX);
        let mut assets = Vec::new();
        let mut cursor = Some(after.clone());
        while let Some(at) = cursor.take_if(|_| assets.len() < limit) {
            cursor = match self.export_place(filter, &at, limit - assets.len(), &mut assets).await? {
                Some(last) => Some(last),
                None => self.next_place(filter, &at).await?,
            };
        }
        self.settle_kinds(&mut assets).await?;
        Ok(ExportPage { assets, next: cursor })
    }

    /// Reads on in the cursor's place; the last asset read, or nothing at the end of the place.
    async fn export_place(
        &self,
        filter: &ExportFilter,
        cursor: &ExportCursor,
        limit: usize,
        assets: &mut Vec<StoredAsset>,
    ) -> Result<Option<ExportCursor>> {
        if cursor.place == 0 {
            return Ok(None);
        }
        let text = format!(
            "{} WHERE p.id = $1 AND (a.part, a.kind) > ($2, $3) AND ($4 = 1 OR a.archived_run = 0)
                AND ($8 = 1 OR a.kind IN (SELECT value FROM json_each($5)))
                AND ($6 IS NULL OR p.path || a.part = $6 OR substr(p.path, 1, length($6) + 1) = $6 || '/')
            ORDER BY a.part, a.kind LIMIT $7",
            asset::SELECT
        );
        let query = query(text)
            .bind(cursor.place)
            .bind(cursor.part.clone())
            .bind(cursor.kind)
            .bind(filter.archived == Archived::Included)
            .bind(number_list(filter.kinds.iter().map(|kind| kind.code())))
            .bind(filter.below.clone())
            .bind(i64::try_from(limit).unwrap_or(i64::MAX))
            .bind(filter.kinds.is_empty());
        let rows = query.fetch_all(self.readers()).await?;
        let full = rows.len() == limit;
        for row in &rows {
            assets.push(asset::read(row)?);
        }
        let Some(last) = rows.last().filter(|_| full) else { return Ok(None) };
        Ok(Some(ExportCursor { part: last.try_get(2)?, kind: last.try_get(3)?, ..cursor.clone() }))
    }

    async fn next_place(&self, filter: &ExportFilter, cursor: &ExportCursor) -> Result<Option<ExportCursor>> {
        // What lies at or below a name is in the place of the name itself or in one that begins with it.
        let text = "SELECT id, path FROM place WHERE (path, id) > ($1, $2) AND ($3 IS NULL OR connection = $3)
            AND ($4 IS NULL OR path = $5 OR substr(path, 1, length($4) + 1) = $4 || '/') ORDER BY path, id LIMIT 1";
        let own_place = filter.below.as_deref().map(|name| crate::ingest::prepare::split_name(name).0.to_owned());
        let row = query(text)
            .bind(cursor.path.clone())
            .bind(cursor.place)
            .bind(filter.connection.map(|connection| connection.0))
            .bind(filter.below.clone())
            .bind(own_place)
            .fetch_optional(self.readers())
            .await?;
        row.map(|row| Ok(ExportCursor { place: row.try_get(0)?, path: row.try_get(1)?, ..ExportCursor::default() })).transpose()
    }
}
