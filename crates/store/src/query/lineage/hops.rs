//! From the nodes of one step to their neighbours: through stored processes, and between tables and the S3 locations of their data.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use model::attribute::{Attribute, Value};
use model::{Asset, Kind, Reference, S3Location};

use crate::content;
use crate::db::{query, query_scalar};
use crate::dialect::text_list;
use crate::ingest::edges::Side;
use crate::query::lineage::walk::Hop;
use crate::query::lineage::{LineageLevel, ROWS_MAX};
use crate::query::names;
use crate::query::resolve::Accounts;
use crate::{Result, Store};

impl Store {
    /// Hops through stored processes.
    pub(super) async fn stored_hops(
        &self,
        nodes: &BTreeSet<String>,
        side: Side,
        level: LineageLevel,
        accounts: Option<&Accounts>,
    ) -> Result<Vec<Hop>> {
        let mut names: BTreeSet<&str> = nodes.iter().map(String::as_str).collect();
        let aliases = match accounts {
            Some(accounts) => self.also_known_as(accounts, nodes, level).await?,
            None => BTreeSet::new(),
        };
        names.extend(aliases.iter().map(String::as_str));
        let hops = self.hops_of(&names, side, level).await?;
        match accounts {
            Some(accounts) => self.settle(accounts, hops, nodes, level).await,
            None => Ok(hops),
        }
    }

    async fn hops_of(&self, names: &BTreeSet<&str>, side: Side, level: LineageLevel) -> Result<Vec<Hop>> {
        let text = "SELECT node, process FROM edge WHERE node IN (SELECT value FROM json_each($1)) AND side = $2 AND kind = $3
            ORDER BY node, process LIMIT $4";
        let query = query(text).bind(text_list(names.iter().copied())).bind(side.code()).bind(level.process().code());
        let rows = query.bind(ROWS_MAX).fetch_all(self.readers()).await?;
        let mut by_process: BTreeMap<i64, Vec<String>> = BTreeMap::new();
        for row in &rows {
            by_process.entry(row.try_get(1)?).or_default().push(row.try_get(0)?);
        }
        let processes = content::read(self.readers(), by_process.keys().copied()).await?;
        let mut hops = Vec::new();
        for (id, near) in by_process {
            let Some(process) = processes.get(&id) else { continue };
            for near in near {
                hops.extend(far_ends(&process.asset, side).map(|far| Hop::through(&process.asset, &near, far)));
            }
        }
        Ok(hops)
    }

    /// From S3 objects to the tables that lie over them: at the same location, or else at the longest one above it.
    pub(super) async fn tables_over(&self, nodes: &BTreeSet<String>) -> Result<Vec<Hop>> {
        let objects: Vec<S3Location> = nodes.iter().filter_map(|node| s3(node)).collect();
        let tables = self.tables_at_any(objects.iter().flat_map(S3Location::ancestors)).await?;
        let mut hops = Vec::new();
        for object in &objects {
            let over = object.ancestors().find_map(|location| tables.get(location));
            hops.extend(over.into_iter().flatten().map(|table| Hop::location(object.as_str(), table, table)));
        }
        Ok(hops)
    }

    /// From tables to the S3 objects that they lie over: their location, and what processes write below it.
    pub(super) async fn locations_under(&self, nodes: &BTreeSet<String>) -> Result<Vec<Hop>> {
        let names = nodes.iter().map(String::as_str).filter(|node| !node.starts_with("s3://"));
        let found = names::find(self.readers(), names).await?;
        let tables: Vec<i64> =
            found.values().filter(|named| named.kind == Kind::Table && !named.archived).map(|named| named.id).collect();
        let mut hops = Vec::new();
        for stored in content::read(self.readers(), tables).await?.into_values() {
            let Some(location) = stored.asset.data_location() else { continue };
            let table = stored.asset.qualified_name.as_str();
            hops.push(Hop::location(location.as_str(), table, location.as_str()));
            for below in self.written_below(&location).await? {
                hops.push(Hop::location(&below, table, &below));
            }
        }
        hops.sort_by(|a, b| (&a.near, &a.far).cmp(&(&b.near, &b.far)));
        Ok(hops)
    }

    /// What processes write below a location and no table is nearer to.
    async fn written_below(&self, location: &S3Location) -> Result<Vec<String>> {
        let text = "SELECT DISTINCT node FROM edge WHERE node >= $1 AND node < $2 AND side = 1 ORDER BY node LIMIT $3";
        let query = query_scalar(text).bind(format!("{}/", location.as_str())).bind(format!("{}0", location.as_str()));
        let written: Vec<String> = query.bind(ROWS_MAX).fetch_all(self.readers()).await?;
        if written.is_empty() {
            return Ok(written);
        }
        let objects: Vec<S3Location> = written.iter().filter_map(|node| s3(node)).collect();
        let tables = self.tables_at_any(objects.iter().flat_map(S3Location::ancestors)).await?;
        let nearest = |object: &S3Location| object.ancestors().find(|above| tables.contains_key(*above)).map(str::to_owned);
        let own = objects.iter().filter(|object| nearest(object).as_deref() == Some(location.as_str()));
        Ok(own.map(|object| object.as_str().to_owned()).collect())
    }

    async fn tables_at_any<'a>(&self, locations: impl Iterator<Item = &'a str>) -> Result<HashMap<String, Vec<String>>> {
        let locations: BTreeSet<&str> = locations.collect();
        let text =
            "SELECT l.location, p.path, c.part FROM location l JOIN content c ON c.id = l.asset JOIN place p ON p.id = c.place
            WHERE l.location IN (SELECT value FROM json_each($1)) ORDER BY l.location, p.path, c.part LIMIT $2";
        let mut tables: HashMap<String, Vec<String>> = HashMap::new();
        for row in query(text).bind(text_list(locations)).bind(ROWS_MAX).fetch_all(self.readers()).await? {
            let (path, part): (&str, &str) = (row.try_get(1)?, row.try_get(2)?);
            tables.entry(row.try_get(0)?).or_default().push(format!("{path}{part}"));
        }
        Ok(tables)
    }
}

/// The location of an S3 object's name.
fn s3(name: &str) -> Option<S3Location> {
    name.starts_with("s3://").then(|| S3Location::from_canonical(name))
}

/// The assets at the other end of a process.
fn far_ends(process: &Asset, near: Side) -> impl Iterator<Item = &Reference> {
    let attribute = match near {
        Side::Input => Attribute::Outputs,
        Side::Output => Attribute::Inputs,
    };
    let references = match process.attributes.get(attribute) {
        Some(Value::References(references)) => references.as_slice(),
        _ => &[],
    };
    references.iter()
}
