//! Finding stored assets by their qualified names.

use std::collections::{BTreeMap, HashMap};

use model::Kind;
use sqlx::{Row as _, SqlitePool};

use crate::dialect::text_list;
use crate::ingest::prepare::split_name;
use crate::{Result, content};

/// A stored asset that goes by a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Named {
    pub(crate) id: i64,
    pub(crate) kind: Kind,
    pub(crate) archived: bool,
}

/// For each qualified name that is stored the asset that goes by it. Where several do (a table that became a view), the active
/// one, and of several active ones the one of the lower kind.
pub(crate) async fn find<'a>(pool: &SqlitePool, names: impl IntoIterator<Item = &'a str>) -> Result<HashMap<String, Named>> {
    let mut by_place: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for name in names {
        let (place, part) = split_name(name);
        by_place.entry(place).or_default().push(part);
    }
    let mut found: HashMap<String, Named> = HashMap::new();
    for (place, parts) in by_place {
        let text = "SELECT a.part, a.id, a.kind, a.archived_run FROM place p JOIN asset a ON a.place = p.id
            WHERE p.path = $1 AND a.part IN (SELECT value FROM json_each($2))";
        let rows = sqlx::query(text).bind(place.to_owned()).bind(text_list(parts)).fetch_all(pool).await?;
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
