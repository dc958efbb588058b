//! One thing under several names: processes that name a Glue table by its ARN, and assets of SageMaker Unified Studio that are made
//! from one. Catalogs without either are not asked for any of this.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use model::name::decode_part;
use model::{Asset, Columns, GlueTableArn, Kind};

use crate::identity::{arn_of_node, column_node};
use crate::ingest::edges::Side;
use crate::query::lineage::LineageLevel;
use crate::query::lineage::walk::Hop;
use crate::query::names;
use crate::query::resolve::{Accounts, Holders, table_of_column};
use crate::query::twins::Pair;
use crate::{Result, Store, content};

/// What ARNs of Glue tables, and of columns of them, stand for in the catalog.
pub(super) struct Settled {
    level: LineageLevel,
    holders: HashMap<GlueTableArn, Holders>,
    /// The tables, where columns are to be found in them.
    tables: HashMap<String, Asset>,
}

impl Settled {
    /// What a node is called in the graph: by the names of the tables that its ARN leads to, or as it is.
    pub(super) fn names(&self, node: &str, kind: Kind) -> Vec<(String, Kind)> {
        let held = arn_of_node(node, self.level.process())
            .and_then(|(arn, column)| self.holders.get(&arn).map(|holders| (holders, column)));
        let Some((holders, column)) = held else { return vec![(node.to_owned(), kind)] };
        let Some(column) = column else { return holders.iter().map(|(name, kind)| (name.clone(), *kind)).collect() };
        let spelt = holders.keys().flat_map(|table| {
            let columns = self.tables.get(table).map(|asset| same_columns(&asset.columns, column)).unwrap_or_default();
            let columns = if columns.is_empty() { vec![column.to_owned()] } else { columns };
            columns.into_iter().map(move |column| (format!("{table}/{column}"), Kind::Column))
        });
        spelt.collect()
    }
}

/// The paths of the columns of a table or asset whose name is this one, encoded, whatever its case.
fn same_columns(columns: &Columns, path: &str) -> Vec<String> {
    let name = decode_part(path).to_lowercase();
    let same = columns.iter().filter(|column| column.depth == 1 && column.name.to_lowercase() == name);
    same.map(|column| column.path.to_owned()).collect()
}

/// Columns by the table or asset that they lie directly in.
type ByOwner<'n> = BTreeMap<&'n str, Vec<&'n str>>;

fn by_table(nodes: &BTreeSet<String>) -> ByOwner<'_> {
    let mut columns = ByOwner::new();
    for (table, path) in nodes.iter().filter_map(|node| table_of_column(node)).filter(|(_, path)| !path.contains('/')) {
        columns.entry(table).or_default().push(path);
    }
    columns
}

fn by_parent(nodes: &BTreeSet<String>) -> ByOwner<'_> {
    let mut columns = ByOwner::new();
    for (parent, column) in nodes.iter().filter_map(|node| node.rsplit_once('/')) {
        columns.entry(parent).or_default().push(column);
    }
    columns
}

impl Store {
    /// What the ARNs among these nodes stand for.
    pub(super) async fn settled<'n>(
        &self,
        accounts: &Accounts,
        nodes: impl IntoIterator<Item = &'n str>,
        level: LineageLevel,
    ) -> Result<Settled> {
        let arns: BTreeSet<GlueTableArn> =
            nodes.into_iter().filter_map(|node| arn_of_node(node, level.process())).map(|(arn, _)| arn).collect();
        let holders = if arns.is_empty() { HashMap::new() } else { self.holders(accounts, arns).await? };
        let tables = match level {
            LineageLevel::Columns => self.assets_named(holders.values().flat_map(|holders| holders.keys())).await?,
            LineageLevel::Assets => HashMap::new(),
        };
        Ok(Settled { level, holders, tables })
    }

    /// The ARNs under which processes may name these nodes.
    pub(super) async fn also_known_as(
        &self,
        accounts: &Accounts,
        nodes: &BTreeSet<String>,
        level: LineageLevel,
    ) -> Result<BTreeSet<String>> {
        if level == LineageLevel::Assets {
            let arns = self.arns_towards(accounts, nodes.iter().map(String::as_str)).await?;
            return Ok(arns.keys().map(ToString::to_string).collect());
        }
        let columns = by_table(nodes);
        let mut names = BTreeSet::new();
        for (arn, tables) in self.arns_towards(accounts, columns.keys().copied()).await? {
            let columns = tables.iter().filter_map(|table| columns.get(table)).flatten();
            names.extend(columns.map(|column| column_node(&arn, column)));
        }
        Ok(names)
    }

    /// Gives the ends of hops the names that they have in the graph. A hop that starts at an ARN starts at those of the nodes that the
    /// ARN leads to.
    pub(super) async fn settle(
        &self,
        accounts: &Accounts,
        hops: Vec<Hop>,
        nodes: &BTreeSet<String>,
        level: LineageLevel,
    ) -> Result<Vec<Hop>> {
        let settled = self.settled(accounts, hops.iter().flat_map(|hop| [hop.near.as_str(), hop.far.as_str()]), level).await?;
        let mut all = Vec::with_capacity(hops.len());
        for hop in hops {
            let nears = settled.names(&hop.near, hop.far_kind).into_iter().map(|(near, _)| near);
            for near in nears.filter(|near| nodes.contains(near)) {
                let fars = settled.names(&hop.far, hop.far_kind).into_iter();
                all.extend(fars.map(|(far, far_kind)| Hop { near: near.clone(), far, far_kind, ..hop.clone() }));
            }
        }
        Ok(all)
    }

    /// Hops between tables and the assets of SageMaker Unified Studio that are made from them.
    pub(super) async fn twin_hops(
        &self,
        accounts: &Accounts,
        nodes: &BTreeSet<String>,
        side: Side,
        level: LineageLevel,
    ) -> Result<Vec<Hop>> {
        match (level, side) {
            (LineageLevel::Assets, Side::Input) => {
                let pairs = self.made_from(accounts, nodes.iter().map(String::as_str)).await?;
                Ok(pairs.iter().map(|pair| Hop::twin(pair, side)).collect())
            }
            (LineageLevel::Assets, Side::Output) => {
                let pairs = self.tables_behind(accounts, nodes.iter().map(String::as_str)).await?;
                Ok(pairs.iter().map(|pair| Hop::twin(pair, side)).collect())
            }
            (LineageLevel::Columns, Side::Input) => {
                let columns = by_table(nodes);
                let pairs = self.made_from(accounts, columns.keys().copied()).await?;
                self.column_hops(&pairs, &columns, side).await
            }
            (LineageLevel::Columns, Side::Output) => {
                let columns = by_parent(nodes);
                let pairs = self.tables_behind(accounts, columns.keys().copied()).await?;
                self.column_hops(&pairs, &columns, side).await
            }
        }
    }

    /// The tables behind those of the names that are assets of SageMaker Unified Studio.
    async fn tables_behind<'n>(&self, accounts: &Accounts, names: impl Iterator<Item = &'n str>) -> Result<Vec<Pair>> {
        let names = names.filter(|name| name.starts_with("default/") && accounts.arn_of(name).is_none());
        let known = names::find(self.readers(), names).await?;
        let made: Vec<i64> =
            known.values().filter(|named| named.kind.is_smus_asset() && !named.archived).map(|named| named.id).collect();
        if made.is_empty() { Ok(Vec::new()) } else { self.sources_of(accounts, made).await }
    }

    /// Hops between columns of the same name.
    async fn column_hops(&self, pairs: &[Pair], near: &ByOwner<'_>, side: Side) -> Result<Vec<Hop>> {
        let far = self.assets_named(pairs.iter().map(|pair| pair.ends(side).1)).await?;
        let mut hops = Vec::new();
        for pair in pairs {
            let (near_name, far_name) = pair.ends(side);
            let (Some(columns), Some(far)) = (near.get(near_name.as_str()), far.get(far_name)) else { continue };
            for column in columns {
                hops.extend(same_columns(&far.columns, column).iter().map(|same| Hop::twin_columns(pair, side, column, same)));
            }
        }
        Ok(hops)
    }

    /// The columns of a table, view or asset directly below it: each may have lineage by another name.
    pub(super) async fn columns_of(&self, name: &str) -> Result<Vec<String>> {
        let asset = self.assets_named([&name.to_owned()]).await?.remove(name);
        let columns = asset.iter().flat_map(|asset| asset.columns.iter()).filter(|column| column.depth == 1);
        Ok(columns.map(|column| format!("{name}/{}", column.path)).collect())
    }

    async fn assets_named<'n>(&self, names: impl IntoIterator<Item = &'n String>) -> Result<HashMap<String, Asset>> {
        let known = names::find(self.readers(), names.into_iter().map(String::as_str).collect::<BTreeSet<_>>()).await?;
        let stored = content::read(self.readers(), known.values().map(|named| named.id)).await?;
        let assets = stored.into_values().map(|stored| (stored.asset.qualified_name.as_str().to_owned(), stored.asset));
        Ok(assets.collect())
    }
}
