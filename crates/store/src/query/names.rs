//! Finding stored assets by their qualified names.

use std::collections::{BTreeMap, HashMap, HashSet};

use model::document::AssetStatus;
use model::name::decode_part;
use model::{Kind, QualifiedName};

use crate::db::{Readers, query, query_scalar};
use crate::dialect::{number_list, text_list};
use crate::ingest::prepare::split_name;
use crate::{Result, Store, content};

/// A stored asset that goes by a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Named {
    pub(crate) id: i64,
    pub(crate) kind: Kind,
    pub(crate) archived: bool,
}

/// What is known of an asset that another one names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedAsset {
    /// What it is.
    pub kind: Kind,
    /// Its name.
    pub name: String,
    /// Whether it is in the source.
    pub status: AssetStatus,
}

impl Store {
    /// For each of these qualified names what goes by it; names that the catalog does not have are left out, those of columns too.
    ///
    /// # Errors
    /// When the catalog cannot be read.
    pub async fn named(&self, names: &[QualifiedName]) -> Result<BTreeMap<QualifiedName, NamedAsset>> {
        let found = find(self.readers(), names.iter().map(QualifiedName::as_str)).await?;
        let given = given_names(self.readers(), found.values().map(|named| named.id)).await?;
        let describe = |(qualified_name, named): (String, Named)| {
            let name = given.get(&named.id).cloned().unwrap_or_else(|| decode_part(split_name(&qualified_name).1));
            let status = if named.archived { AssetStatus::Archived } else { AssetStatus::Active };
            (QualifiedName::from_encoded(qualified_name), NamedAsset { kind: named.kind, name, status })
        };
        Ok(found.into_iter().map(describe).collect())
    }
}

/// For each qualified name that is stored the asset that goes by it. Where several do (a table that became a view), the active
/// one, and of several active ones the one of the lower kind.
pub(crate) async fn find<'a>(pool: &Readers, names: impl IntoIterator<Item = &'a str>) -> Result<HashMap<String, Named>> {
    let mut by_place: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for name in names {
        let (place, part) = split_name(name);
        by_place.entry(place).or_default().push(part);
    }
    if by_place.len() > 1 {
        keep_places(pool, &mut by_place).await?;
    }
    let mut found: HashMap<String, Named> = HashMap::new();
    for (place, parts) in by_place {
        let text = "SELECT a.part, a.id, a.kind, a.archived_run FROM place p JOIN asset a ON a.place = p.id
            WHERE p.path = $1 AND a.part IN (SELECT value FROM json_each($2))";
        let rows = query(text).bind(place.to_owned()).bind(text_list(parts)).fetch_all(pool).await?;
        for row in rows {
            let part: &str = row.try_get(0)?;
            let named =
                Named { id: row.try_get(1)?, kind: content::kind(row.try_get(2)?)?, archived: row.try_get::<i64, _>(3)? != 0 };
            let entry = found.entry(format!("{place}{part}")).or_insert(named);
            if (named.archived, named.kind) < (entry.archived, entry.kind) {
                *entry = named;
            }
        }
    }
    Ok(found)
}

/// Leaves out the places that there are none of: names are often asked for that might exist.
async fn keep_places(pool: &Readers, by_place: &mut BTreeMap<&str, Vec<&str>>) -> Result<()> {
    let text = "SELECT DISTINCT path FROM place WHERE path IN (SELECT value FROM json_each($1))";
    let existing: Vec<String> = query_scalar(text).bind(text_list(by_place.keys().copied())).fetch_all(pool).await?;
    let existing: HashSet<&str> = existing.iter().map(String::as_str).collect();
    by_place.retain(|place, _| existing.contains(place));
    Ok(())
}

/// A name that is not what the last part of a qualified name says, by the id of its asset.
pub(crate) async fn given_names(pool: &Readers, ids: impl IntoIterator<Item = i64>) -> Result<HashMap<i64, String>> {
    let text = "SELECT id, name FROM content WHERE id IN (SELECT value FROM json_each($1)) AND name IS NOT NULL";
    let rows = query(text).bind(number_list(ids)).fetch_all(pool).await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
}
