//! From ARNs of Glue tables to what the catalog holds of them, and back.
//!
//! Nothing is stored for it: an ARN follows from where a table lies below a connection of a known account, and a name below each
//! such connection from an ARN. A resource link holds no data: what leads to it leads to the table that it stands for.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use model::attribute::Attribute;
use model::name::{connection_of, decode_part};
use model::{GlueTableArn, Kind};

use crate::db::{query, query_scalar};
use crate::dialect::{number_list, text_list};
use crate::ingest::prepare::split_name;
use crate::query::names::{self, Named};
use crate::{Result, Store};

/// Links that are followed one after the other; a longer chain leads nowhere.
const LINK_HOPS_MAX: usize = 8;
/// Rows of links to the tables of one question.
const LINKS_MAX: i64 = 10_000;

/// The active tables and views that hold the data of one ARN, by qualified name: one for each connection that has it.
pub(crate) type Holders = BTreeMap<String, Kind>;

/// The Glue connections whose account and region are known.
pub(crate) struct Accounts {
    connections: Vec<GlueConnection>,
}

struct GlueConnection {
    /// The qualified name.
    root: String,
    region: String,
    account: String,
    /// Whether it may have catalogs of other accounts, or links to them: their names begin with the account's number.
    sees_others: bool,
    /// Catalogs whose names are not in lower case, by their names in lower case: ARNs have lost the spelling.
    catalogs: HashMap<String, String>,
}

impl Accounts {
    /// The ARN of the table that a qualified name stands for.
    pub(crate) fn arn_of(&self, table: &str) -> Option<GlueTableArn> {
        let root = connection_of(table)?;
        let connection = self.connections.iter().find(|connection| connection.root == root)?;
        GlueTableArn::of_table(&connection.region, &connection.account, table.get(root.len() + 1..)?)
    }

    /// The names that the table of an ARN can have, below every connection of its region.
    fn names_of(&self, arn: &GlueTableArn) -> Vec<String> {
        let mut names = Vec::new();
        let may_have = |connection: &&GlueConnection| {
            connection.region == arn.region() && (connection.account == arn.account() || connection.sees_others)
        };
        for connection in self.connections.iter().filter(may_have) {
            for path in arn.paths_in(&connection.account) {
                let spelt = path.split_once('/').and_then(|(catalog, rest)| Some((connection.catalogs.get(catalog)?, rest)));
                let name = match spelt {
                    Some((catalog, rest)) => format!("{}/{catalog}/{rest}", connection.root),
                    None => format!("{}/{path}", connection.root),
                };
                if self.arn_of(&name).as_ref() == Some(arn) {
                    names.push(name);
                }
            }
        }
        names
    }
}

/// What is at the name of a table.
enum At {
    Nothing,
    /// A table or view with data of its own.
    Owner(Kind),
    /// A resource link, or a place below a link of the database: the name that it stands for, and what is stored of it itself.
    Link {
        target: String,
        own: Option<Kind>,
    },
}

/// Following one ARN along links.
struct Chase {
    visited: BTreeSet<GlueTableArn>,
    pending: Vec<GlueTableArn>,
    owners: Holders,
    /// The links that were met first: what the ARN leads to where no owner is in the catalog.
    links: Holders,
}

impl Chase {
    fn advance(&mut self, accounts: &Accounts, places: &Places) {
        let mut links = Holders::new();
        for arn in std::mem::take(&mut self.pending) {
            for name in accounts.names_of(&arn) {
                match places.at(&name) {
                    At::Nothing => {}
                    At::Owner(kind) => {
                        self.owners.insert(name, kind);
                    }
                    At::Link { target, own } => {
                        let next = accounts.arn_of(&target).filter(|next| self.visited.insert(next.clone()));
                        self.pending.extend(next);
                        links.extend(own.map(|kind| (name, kind)));
                    }
                }
            }
        }
        if self.links.is_empty() {
            self.links = links;
        }
    }
}

/// What is stored at the names of tables and of the databases that they lie in.
struct Places {
    known: HashMap<String, Named>,
    /// The targets of links, by id.
    targets: HashMap<i64, String>,
}

impl Places {
    fn at(&self, table: &str) -> At {
        let Some((schema, part)) = table.rsplit_once('/') else { return At::Nothing };
        let active = |name: &str| self.known.get(name).filter(|named| !named.archived);
        let stored = active(table).filter(|named| matches!(named.kind, Kind::Table | Kind::View));
        let own = stored.map(|named| named.kind);
        if let Some(target) = stored.and_then(|named| self.targets.get(&named.id)) {
            return At::Link { target: target.clone(), own };
        }
        let schema = active(schema).filter(|named| named.kind == Kind::Schema);
        match (schema.and_then(|named| self.targets.get(&named.id)), own) {
            (Some(target), own) => At::Link { target: format!("{target}/{part}"), own },
            (None, Some(kind)) => At::Owner(kind),
            (None, None) => At::Nothing,
        }
    }
}

impl Store {
    /// The Glue connections that ARNs can lead to.
    pub(crate) async fn accounts(&self) -> Result<Accounts> {
        let seeing = self.connections_that_see_others().await?;
        let mut connections = Vec::new();
        for connection in self.connections().await?.into_iter().filter(|connection| connection.connector == "glue") {
            if let (Some(region), Some(account)) = (connection.region, connection.account) {
                let root = connection.qualified_name.as_str().to_owned();
                let sees_others = seeing.contains(&root);
                connections.push(GlueConnection { root, region, account, sees_others, catalogs: HashMap::new() });
            }
        }
        self.spell_catalogs(&mut connections).await?;
        Ok(Accounts { connections })
    }

    /// The Glue connections with names below them that begin with a digit. `:` is the character after the digits.
    async fn connections_that_see_others(&self) -> Result<HashSet<String>> {
        let text = "SELECT 'default/glue/' || c.number FROM connection c WHERE c.connector = 'glue' AND (
            EXISTS (SELECT 1 FROM place p
                WHERE p.path >= 'default/glue/' || c.number || '/0' AND p.path < 'default/glue/' || c.number || '/:')
            OR EXISTS (SELECT 1 FROM edge e
                WHERE e.node >= 'default/glue/' || c.number || '/0' AND e.node < 'default/glue/' || c.number || '/:'))";
        let roots: Vec<String> = query_scalar(text).fetch_all(self.readers()).await?;
        Ok(roots.into_iter().collect())
    }

    async fn spell_catalogs(&self, connections: &mut [GlueConnection]) -> Result<()> {
        let roots: Vec<String> = connections.iter().map(|connection| format!("{}/", connection.root)).collect();
        // 2 is a catalog.
        let text = "SELECT p.path, a.part FROM place p JOIN asset a ON a.place = p.id
            WHERE p.path IN (SELECT value FROM json_each($1)) AND a.kind = 2 AND a.part <> lower(a.part)";
        let rows = query(text).bind(text_list(roots.iter().map(String::as_str))).fetch_all(self.readers()).await?;
        for row in rows {
            let (path, part): (&str, &str) = (row.try_get(0)?, row.try_get(1)?);
            let connection = connections.iter_mut().find(|connection| path.trim_end_matches('/') == connection.root);
            if let Some(connection) = connection {
                connection.catalogs.insert(folded_part(part), part.to_owned());
            }
        }
        Ok(())
    }

    /// For each ARN the active tables and views that hold its data: the owners behind links where the catalog has them, else the
    /// links themselves. An ARN that leads nowhere is left out.
    pub(crate) async fn holders(
        &self,
        accounts: &Accounts,
        arns: impl IntoIterator<Item = GlueTableArn>,
    ) -> Result<HashMap<GlueTableArn, Holders>> {
        let start = |arn: GlueTableArn| {
            let chase = Chase {
                visited: BTreeSet::from([arn.clone()]),
                pending: vec![arn.clone()],
                owners: Holders::new(),
                links: Holders::new(),
            };
            (arn, chase)
        };
        let mut chases: HashMap<GlueTableArn, Chase> = arns.into_iter().map(start).collect();
        for _ in 0..=LINK_HOPS_MAX {
            let pending = chases.values().flat_map(|chase| &chase.pending);
            let names: BTreeSet<String> = pending.flat_map(|arn| accounts.names_of(arn)).collect();
            if names.is_empty() {
                break;
            }
            let places = self.places_of(&names).await?;
            chases.values_mut().for_each(|chase| chase.advance(accounts, &places));
        }
        let led = chases.into_iter().map(|(arn, chase)| (arn, if chase.owners.is_empty() { chase.links } else { chase.owners }));
        Ok(led.filter(|(_, holders)| !holders.is_empty()).collect())
    }

    async fn places_of(&self, tables: &BTreeSet<String>) -> Result<Places> {
        let schemas: BTreeSet<&str> = tables.iter().filter_map(|table| Some(table.rsplit_once('/')?.0)).collect();
        let known = names::find(self.readers(), tables.iter().map(String::as_str).chain(schemas)).await?;
        let text = r#"SELECT id, attributes FROM content WHERE id IN (SELECT value FROM json_each($1))
            AND attributes LIKE '%"linked%QualifiedName":%'"#;
        let query = query(text).bind(number_list(known.values().map(|named| named.id)));
        let mut targets = HashMap::new();
        for row in query.fetch_all(self.readers()).await? {
            let attributes = model::document::read_attributes(row.try_get(1)?)?;
            let target = [Attribute::LinkedTableQualifiedName, Attribute::LinkedSchemaQualifiedName]
                .into_iter()
                .find_map(|attribute| attributes.text(attribute));
            if let Some(target) = target {
                targets.insert(row.try_get(0)?, target.to_owned());
            }
        }
        Ok(Places { known, targets })
    }

    /// The ARNs that may lead to these tables: their own ones, and those of links to them as far as their lineage is known. For each
    /// the tables; whether it leads there is for [`Store::holders`] to say.
    pub(crate) async fn arns_towards<'t>(
        &self,
        accounts: &Accounts,
        tables: impl IntoIterator<Item = &'t str>,
    ) -> Result<BTreeMap<GlueTableArn, BTreeSet<&'t str>>> {
        let mut found: BTreeMap<GlueTableArn, BTreeSet<&str>> = BTreeMap::new();
        let mut frontier: HashSet<(GlueTableArn, &str)> =
            tables.into_iter().filter_map(|table| Some((accounts.arn_of(table)?, table))).collect();
        for _ in 0..=LINK_HOPS_MAX {
            frontier.retain(|(arn, table)| found.entry(arn.clone()).or_default().insert(*table));
            if frontier.is_empty() {
                break;
            }
            frontier = self.links_to(accounts, &frontier).await?;
        }
        Ok(found)
    }

    /// The ARNs of links to the tables of ARNs, and of the tables in links to their databases.
    async fn links_to<'t>(
        &self,
        accounts: &Accounts,
        tables: &HashSet<(GlueTableArn, &'t str)>,
    ) -> Result<HashSet<(GlueTableArn, &'t str)>> {
        let mut asked: BTreeMap<String, Vec<(Option<String>, &str)>> = BTreeMap::new();
        for (arn, table) in tables {
            for name in accounts.names_of(arn) {
                if let Some((schema, part)) = name.rsplit_once('/') {
                    asked.entry(schema.to_owned()).or_default().push((Some(part.to_owned()), *table));
                }
                asked.entry(name).or_default().push((None, *table));
            }
        }
        // 0 is what a process reads, 1 what it writes, 12 is a process between assets.
        let text = r#"SELECT target.node, link.node FROM edge target
            JOIN edge link ON link.process = target.process AND link.side = 1 JOIN content c ON c.id = target.process
            WHERE target.node IN (SELECT value FROM json_each($1)) AND target.side = 0 AND target.kind = 12
                AND c.attributes LIKE '%"processKind":"resource-link"%' LIMIT $2"#;
        let query = query(text).bind(text_list(asked.keys().map(String::as_str))).bind(LINKS_MAX);
        let mut links = HashSet::new();
        for row in query.fetch_all(self.readers()).await? {
            let (target, link): (&str, &str) = (row.try_get(0)?, row.try_get(1)?);
            for (part, table) in asked.get(target).into_iter().flatten() {
                let name = part.as_ref().map_or_else(|| link.to_owned(), |part| format!("{link}/{part}"));
                links.extend(accounts.arn_of(&name).map(|arn| (arn, *table)));
            }
        }
        Ok(links)
    }
}

/// A part of a qualified name with the spelling that ARNs give it.
fn folded_part(part: &str) -> String {
    let mut folded = String::with_capacity(part.len());
    model::name::encode_part(&decode_part(part).to_lowercase(), &mut folded);
    folded
}

/// The table that a column lies in, and the column's path below it: a table is the third part below a Glue connection.
pub(crate) fn table_of_column(name: &str) -> Option<(&str, &str)> {
    let root = connection_of(name)?;
    let (at, _) = name.get(root.len() + 1..)?.match_indices('/').nth(2)?;
    let (table, path) = name.split_at(root.len() + 1 + at);
    Some((table, &path[1..]))
}

/// The last part of a qualified name as the source spells it.
pub(crate) fn last_part(name: &str) -> String {
    decode_part(split_name(name).1)
}
