//! Twins: an asset of SageMaker Unified Studio and the Glue table that it is made from, whichever was crawled first.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use model::document::AssetStatus;
use model::{GlueTableArn, Kind, QualifiedName, Reference};

use crate::db::{Row, query, query_scalar};
use crate::dialect::{number_list, text_list};
use crate::identity;
use crate::ingest::edges::Side;
use crate::query::StoredAsset;
use crate::query::resolve::{Accounts, Holders, last_part};
use crate::{Result, Store, content};

/// What has the same data as an asset on the other side: for an asset of SageMaker Unified Studio the Glue table that it is made
/// from, for a Glue table or view the assets that are made from it. Several where several connections hold the table, or several
/// projects use it: none is preferred.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Twins {
    /// The active assets, by qualified name.
    pub assets: Vec<Twin>,
    /// Whether there are more than are listed.
    pub truncated: bool,
}

/// An asset with the same data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Twin {
    /// What it is, and its qualified name.
    pub reference: Reference,
    /// Its name.
    pub name: String,
    /// Its status: twins are active.
    pub status: AssetStatus,
}

/// Twins of one asset that are listed.
const TWINS_MAX: usize = 100;
/// Pairs of tables and assets that one step of lineage looks at.
const PAIRS_MAX: i64 = 20_000;

/// An asset of SageMaker Unified Studio with a table that it is made from.
pub(crate) struct Pair {
    pub(crate) table: String,
    pub(crate) table_kind: Kind,
    pub(crate) asset: String,
    pub(crate) asset_kind: Kind,
}

impl Pair {
    /// The names of the node that is at `side`, and of the one at the other end.
    pub(crate) fn ends(&self, side: Side) -> (&String, &String) {
        match side {
            Side::Input => (&self.table, &self.asset),
            Side::Output => (&self.asset, &self.table),
        }
    }
}

impl Twin {
    fn new(kind: Kind, qualified_name: &str, name: String) -> Self {
        let reference = Reference::new(kind, QualifiedName::from_encoded(qualified_name));
        Self { reference, name, status: AssetStatus::Active }
    }
}

impl Store {
    /// The twins of an asset; none of what is archived. A resource link leads to the table that it stands for where the catalog has
    /// that table: there, and not at the link, are the assets that are made from the link.
    ///
    /// # Errors
    /// When the catalog cannot be read.
    pub async fn twins(&self, of: &StoredAsset) -> Result<Twins> {
        let asset = &of.asset;
        if of.status != AssetStatus::Active || !self.has_twins().await? {
            return Ok(Twins::default());
        }
        let mut assets = if let Some(source) = identity::source_of(asset) {
            let holders = self.holders(&self.accounts().await?, [source]).await?;
            let tables = holders.into_values().flatten();
            tables.map(|(name, kind)| Twin::new(kind, &name, last_part(&name))).take(TWINS_MAX + 1).collect()
        } else if matches!(asset.kind, Kind::Table | Kind::View) {
            self.made_from_table(asset.qualified_name.as_str()).await?
        } else {
            Vec::new()
        };
        let truncated = assets.len() > TWINS_MAX;
        assets.truncate(TWINS_MAX);
        Ok(Twins { assets, truncated })
    }

    /// Whether any asset is made from a Glue table: most catalogs have none, and are not asked for more.
    async fn has_twins(&self) -> Result<bool> {
        Ok(query_scalar("SELECT EXISTS (SELECT 1 FROM twin)").fetch_one(self.readers()).await?)
    }

    /// Whether any asset is made from a Glue table, or lineage names any by its ARN.
    pub(crate) async fn knows_arns(&self) -> Result<bool> {
        // `;` is the character after the colon.
        let text = "SELECT EXISTS (SELECT 1 FROM twin) OR EXISTS (SELECT 1 FROM edge WHERE node >= 'arn:' AND node < 'arn;')";
        Ok(query_scalar(text).fetch_one(self.readers()).await?)
    }

    async fn made_from_table(&self, table: &str) -> Result<Vec<Twin>> {
        let accounts = self.accounts().await?;
        let sources = self.sources_leading_to(&accounts, [table]).await?;
        let text =
            "SELECT p.path || c.part, c.kind, c.name FROM twin t JOIN content c ON c.id = t.asset JOIN place p ON p.id = c.place
            WHERE t.source IN (SELECT value FROM json_each($1)) ORDER BY p.path || c.part, c.kind LIMIT $2";
        let query = query(text).bind(text_list(sources.keys().map(String::as_str)));
        let rows = query.bind(i64::try_from(TWINS_MAX + 1).unwrap_or(i64::MAX)).fetch_all(self.readers()).await?;
        let read = |row: &Row| {
            let (name, given): (&str, Option<String>) = (row.try_get(0)?, row.try_get(2)?);
            Ok(Twin::new(content::kind(row.try_get(1)?)?, name, given.unwrap_or_else(|| last_part(name))))
        };
        rows.iter().map(read).collect()
    }

    /// The stored sources that lead to these tables, each with those of the tables that it leads to.
    async fn sources_leading_to<'t>(
        &self,
        accounts: &Accounts,
        tables: impl IntoIterator<Item = &'t str>,
    ) -> Result<BTreeMap<String, Holders>> {
        let towards = self.arns_towards(accounts, tables).await?;
        let wanted: BTreeSet<&str> = towards.values().flatten().copied().collect();
        let spelt: HashMap<String, &GlueTableArn> = towards.keys().map(|arn| (arn.to_string(), arn)).collect();
        let text = "SELECT DISTINCT source FROM twin WHERE source IN (SELECT value FROM json_each($1))";
        let query = query_scalar(text).bind(text_list(spelt.keys().map(String::as_str)));
        let stored: Vec<String> = query.fetch_all(self.readers()).await?;
        let arns = stored.iter().filter_map(|source| spelt.get(source)).map(|arn| (*arn).clone());
        let holders = self.holders(accounts, arns).await?;
        let leading = holders.into_iter().map(|(arn, mut holders)| {
            holders.retain(|name, _| wanted.contains(name.as_str()));
            (arn.to_string(), holders)
        });
        Ok(leading.filter(|(_, holders)| !holders.is_empty()).collect())
    }

    /// The assets that are made from any of these tables.
    pub(crate) async fn made_from<'t>(&self, accounts: &Accounts, tables: impl IntoIterator<Item = &'t str>) -> Result<Vec<Pair>> {
        let sources = self.sources_leading_to(accounts, tables).await?;
        if sources.is_empty() {
            return Ok(Vec::new());
        }
        let text =
            "SELECT t.source, p.path || c.part, c.kind FROM twin t JOIN content c ON c.id = t.asset JOIN place p ON p.id = c.place
            WHERE t.source IN (SELECT value FROM json_each($1)) ORDER BY t.source, t.asset LIMIT $2";
        let query = query(text).bind(text_list(sources.keys().map(String::as_str))).bind(PAIRS_MAX);
        pairs(&query.fetch_all(self.readers()).await?, &sources)
    }

    /// The tables that any of these assets are made from.
    pub(crate) async fn sources_of(&self, accounts: &Accounts, assets: impl IntoIterator<Item = i64>) -> Result<Vec<Pair>> {
        let text =
            "SELECT t.source, p.path || c.part, c.kind FROM twin t JOIN content c ON c.id = t.asset JOIN place p ON p.id = c.place
            WHERE t.asset IN (SELECT value FROM json_each($1)) ORDER BY t.source, t.asset LIMIT $2";
        let rows = query(text).bind(number_list(assets)).bind(PAIRS_MAX).fetch_all(self.readers()).await?;
        let mut arns = BTreeSet::new();
        for row in &rows {
            arns.extend(GlueTableArn::parse(row.try_get(0)?));
        }
        let holders = self.holders(accounts, arns).await?;
        pairs(&rows, &holders.into_iter().map(|(arn, holders)| (arn.to_string(), holders)).collect())
    }
}

/// Pairs of rows of source, asset and kind with the tables of each source.
fn pairs(rows: &[Row], tables: &BTreeMap<String, Holders>) -> Result<Vec<Pair>> {
    let mut pairs = Vec::new();
    for row in rows {
        let (source, asset): (&str, &str) = (row.try_get(0)?, row.try_get(1)?);
        let asset_kind = content::kind(row.try_get(2)?)?;
        let holders = tables.get(source).into_iter().flatten();
        pairs.extend(holders.map(|(table, kind)| Pair {
            table: table.clone(),
            table_kind: *kind,
            asset: asset.to_owned(),
            asset_kind,
        }));
    }
    Ok(pairs)
}
