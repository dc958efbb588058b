//! Stored assets, read back into the nouns of the model.

use std::collections::HashMap;

use model::document::{read_attributes, unpack_columns};
use model::name::decode_part;
use model::{Asset, Kind, QualifiedName, RunId};

use crate::db::{On, Row, query};
use crate::dialect::number_list;
use crate::{Result, StoreError};

/// A stored asset.
#[derive(Clone, Debug)]
pub(crate) struct Stored {
    pub(crate) id: i64,
    pub(crate) asset: Asset,
    pub(crate) first_run: RunId,
    pub(crate) changed_run: RunId,
    pub(crate) raw: RawContent,
}

/// Name, attributes and columns as they are stored.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct RawContent {
    pub(crate) name: Option<String>,
    pub(crate) attributes: String,
    pub(crate) columns: Option<String>,
}

/// Reads the assets with these ids.
pub(crate) async fn read<'e, 'c: 'e>(
    on: impl Into<On<'e, 'c>>,
    ids: impl IntoIterator<Item = i64>,
) -> Result<HashMap<i64, Stored>> {
    let text = "SELECT c.id, p.path, c.part, c.kind, c.first_run, c.changed_run, c.name, c.attributes, c.columns
        FROM content c JOIN place p ON p.id = c.place WHERE c.id IN (SELECT value FROM json_each($1))";
    let rows = query(text).bind(number_list(ids)).fetch_all(on).await?;
    rows.iter().map(|row| decode(row).map(|stored| (stored.id, stored))).collect()
}

/// Decodes a row that begins with `c.id, p.path, c.part, c.kind, c.first_run, c.changed_run, c.name, c.attributes, c.columns`.
pub(crate) fn decode(row: &Row) -> Result<Stored> {
    let raw = RawContent { name: row.try_get(6)?, attributes: row.try_get(7)?, columns: row.try_get(8)? };
    let path: &str = row.try_get(1)?;
    let part: &str = row.try_get(2)?;
    let name = QualifiedName::from_encoded(format!("{path}{part}"));
    let asset = raw.asset(kind(row.try_get(3)?)?, name)?;
    Ok(Stored { id: row.try_get(0)?, asset, first_run: RunId(row.try_get(4)?), changed_run: RunId(row.try_get(5)?), raw })
}

impl RawContent {
    /// The asset that this is the content of.
    pub(crate) fn asset(&self, kind: Kind, qualified_name: QualifiedName) -> Result<Asset> {
        let last = qualified_name.as_str().rsplit('/').next().unwrap_or_default();
        let name = self.name.clone().unwrap_or_else(|| decode_part(last));
        let mut asset = Asset::new(kind, qualified_name, name);
        asset.attributes = read_attributes(&self.attributes)?;
        if let Some(columns) = &self.columns {
            asset.columns = unpack_columns(columns)?;
        }
        Ok(asset)
    }
}

/// The kind of a stored number.
pub(crate) fn kind(code: i64) -> Result<Kind> {
    Kind::from_code(code).ok_or_else(|| StoreError::corrupt(format!("there is no kind of asset with the number {code}")))
}
