//! One asset, and what lies in it.

use model::document::AssetStatus;
use model::lineage::{ProcessKind, location_object, location_process, process_name};
use model::name::connection_of;
use model::{Asset, Column, KnownAsset, QualifiedName, RunId, S3Location};

use crate::content;
use crate::db::{Row, query, query_scalar};
use crate::query::names;
use crate::{Result, Store};

/// An asset of the catalog.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredAsset {
    /// The store's number; absent for what follows from a table: its S3 object and the process between the two.
    pub known: Option<KnownAsset>,
    /// The asset, columns included.
    pub asset: Asset,
    /// Whether it is in the source.
    pub status: AssetStatus,
    /// The run that found it first.
    pub first_run: RunId,
    /// The run that changed its content last.
    pub changed_run: RunId,
    /// The run that archived it.
    pub archived_run: Option<RunId>,
    /// When the first run started, milliseconds since 1970 UTC.
    pub first_seen_ms: i64,
    /// When the run that changed it last started, milliseconds since 1970 UTC.
    pub last_changed_ms: i64,
    /// Whether exports write the S3 object of its location with it: exactly one active table a location does.
    pub stands_for_location: bool,
}

/// What a qualified name stands for.
#[derive(Clone, Debug, PartialEq)]
pub enum Subject {
    /// An asset.
    Asset(Box<StoredAsset>),
    /// A column of a table or view.
    Column {
        /// The table or view.
        table: Box<StoredAsset>,
        /// The position among its columns.
        index: usize,
    },
}

impl Subject {
    /// The qualified name.
    #[must_use]
    pub fn qualified_name(&self) -> QualifiedName {
        match self {
            Self::Asset(stored) => stored.asset.qualified_name.clone(),
            Self::Column { table, .. } => {
                let path = self.column().map_or("", |column| column.path);
                QualifiedName::from_encoded(format!("{}/{path}", table.asset.qualified_name))
            }
        }
    }

    /// The column, if it is one.
    #[must_use]
    pub fn column(&self) -> Option<Column<'_>> {
        match self {
            Self::Asset(_) => None,
            Self::Column { table, index } => table.asset.columns.get(*index),
        }
    }

    /// The asset, or the table of the column.
    #[must_use]
    pub fn stored(&self) -> &StoredAsset {
        match self {
            Self::Asset(stored) | Self::Column { table: stored, .. } => stored,
        }
    }
}

/// The statement for whole assets: goes on with a condition over `place p`, `asset a` and `content c`.
pub(crate) const SELECT: &str = "SELECT c.id, p.path, c.part, c.kind, c.first_run, c.changed_run, c.name, c.attributes, c.columns,
    a.archived_run, a.location, coalesce(f.started_ms, 0), coalesce(l.started_ms, 0)
    FROM place p JOIN asset a ON a.place = p.id JOIN content c ON c.id = a.id
    LEFT JOIN run f ON f.id = c.first_run LEFT JOIN run l ON l.id = c.changed_run ";

pub(crate) fn read(row: &Row) -> Result<StoredAsset> {
    let stored = content::decode(row)?;
    let archived: i64 = row.try_get(9)?;
    Ok(StoredAsset {
        known: Some(KnownAsset { id: stored.id, kind: stored.asset.kind }),
        asset: stored.asset,
        status: if archived == 0 { AssetStatus::Active } else { AssetStatus::Archived },
        first_run: stored.first_run,
        changed_run: stored.changed_run,
        archived_run: (archived != 0).then_some(RunId(archived)),
        stands_for_location: row.try_get::<i64, _>(10)? == 2,
        first_seen_ms: row.try_get(11)?,
        last_changed_ms: row.try_get(12)?,
    })
}

/// Names of containers that one column can lie in: the depth of nested columns is bounded.
const COLUMN_DEPTH_MAX: usize = 16;
/// Tables whose location process is looked for at once.
const SCANNED_NAMES: i64 = 10_000;

impl Store {
    /// What the catalog has under a qualified name: a stored asset, a column, or what follows from a table.
    ///
    /// # Errors
    /// When the catalog cannot be read.
    pub async fn asset(&self, name: &QualifiedName) -> Result<Option<Subject>> {
        if let Some(stored) = self.stored_asset(name.as_str()).await? {
            return Ok(Some(Subject::Asset(Box::new(stored))));
        }
        if name.as_str().starts_with("s3://") {
            return Ok(self.object_asset(name).await?.map(|stored| Subject::Asset(Box::new(stored))));
        }
        if let Some(column) = self.column(name.as_str()).await? {
            return Ok(Some(column));
        }
        Ok(self.location_process(name).await?.map(|stored| Subject::Asset(Box::new(stored))))
    }

    pub(crate) async fn stored_asset(&self, name: &str) -> Result<Option<StoredAsset>> {
        let found = names::find(self.readers(), [name]).await?;
        match found.get(name) {
            Some(named) => self.asset_by_id(named.id).await,
            None => Ok(None),
        }
    }

    async fn asset_by_id(&self, id: i64) -> Result<Option<StoredAsset>> {
        let text = format!("{SELECT} WHERE (a.place, a.part, a.kind) = (SELECT place, part, kind FROM content WHERE id = $1)");
        let row = query(text).bind(id).fetch_optional(self.readers()).await?;
        let Some(row) = row else { return Ok(None) };
        let mut stored = read(&row)?;
        self.settle_kinds(std::slice::from_mut(&mut stored)).await?;
        Ok(Some(stored))
    }

    async fn object_asset(&self, name: &QualifiedName) -> Result<Option<StoredAsset>> {
        let Some(location) = S3Location::parse(name.as_str()) else { return Ok(None) };
        let text = "SELECT asset FROM location WHERE location = $1 UNION ALL SELECT process FROM edge WHERE node = $1 LIMIT 1";
        let id: Option<i64> = query_scalar(text).bind(location.as_str().to_owned()).fetch_optional(self.readers()).await?;
        let Some(id) = id else { return Ok(None) };
        let origin = self.asset_by_id(id).await?;
        Ok(origin.map(|origin| StoredAsset {
            known: None,
            asset: location_object(&location),
            stands_for_location: false,
            ..origin
        }))
    }

    async fn column(&self, name: &str) -> Result<Option<Subject>> {
        let mut table_name = name;
        for _ in 0..COLUMN_DEPTH_MAX {
            let Some((parent, _)) = table_name.rsplit_once('/') else { break };
            table_name = parent;
            let Some(table) = self.stored_asset(table_name).await? else { continue };
            let path = &name[table_name.len() + 1..];
            let index = table.asset.columns.iter().position(|column| column.path == path);
            return Ok(index.map(|index| Subject::Column { table: Box::new(table), index }));
        }
        Ok(None)
    }

    /// A location process is named after its table by a hash, so the tables of the connection are tried one after the other.
    async fn location_process(&self, name: &QualifiedName) -> Result<Option<StoredAsset>> {
        let Some(connection) = connection_of(name.as_str()) else { return Ok(None) };
        if !name.as_str()[connection.len()..].starts_with("/lineage/") {
            return Ok(None);
        }
        let text = "SELECT id, path FROM place WHERE path >= $1 AND path < $2 ORDER BY path";
        let places = query(text).bind(format!("{connection}/")).bind(format!("{connection}0"));
        for place in places.fetch_all(self.readers()).await? {
            let (id, path): (i64, &str) = (place.try_get(0)?, place.try_get(1)?);
            if let Some(table) = self.table_of_process(name, id, path).await? {
                let Some(location) = table.asset.data_location() else { return Ok(None) };
                let asset = location_process(&table.asset, &location);
                return Ok(Some(StoredAsset { known: None, asset, stands_for_location: false, ..table }));
            }
        }
        Ok(None)
    }

    async fn table_of_process(&self, name: &QualifiedName, place: i64, path: &str) -> Result<Option<StoredAsset>> {
        let mut after = String::new();
        loop {
            // Encoded names hold no control characters, so one of them can stand between them.
            let text = "SELECT string_agg(part, $4), count(*), max(part) FROM (SELECT part FROM asset
                WHERE place = $1 AND part > $2 AND kind = 4 AND location > 0 ORDER BY part LIMIT $3) AS names";
            let query = query(text).bind(place).bind(after.clone()).bind(SCANNED_NAMES).bind("\n");
            let row = query.fetch_one(self.readers()).await?;
            let parts: Option<&str> = row.try_get(0)?;
            let mut tables = parts.unwrap_or_default().lines().map(|part| format!("{path}{part}"));
            if let Some(table) = tables.find(|table| process_name(ProcessKind::Location, table) == *name) {
                return self.stored_asset(&table).await;
            }
            if row.try_get::<i64, _>(1)? < SCANNED_NAMES {
                return Ok(None);
            }
            after = row.try_get(2)?;
        }
    }
}
