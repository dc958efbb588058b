//! What is shown of hits beside themselves: where they lie, and what people say of them in short.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use model::QualifiedName;
use model::name::{connection_of, connector_of, decode_part};

use crate::connections::ConnectionId;
use crate::control::Certificate;
use crate::db::query;
use crate::dialect::number_list;
use crate::query::search::{CertificateCount, ConnectionCount, Hit};
use crate::{Result, Store, StoreError};

/// Something that an asset lies in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parent {
    /// Its qualified name; that of a folder stands for no asset.
    pub qualified_name: QualifiedName,
    /// Its name.
    pub name: String,
}

/// What is shown beside one candidate.
pub(super) struct About {
    pub(super) connection: ConnectionId,
    pub(super) certificate: Option<Certificate>,
    pub(super) owners: Vec<String>,
}

/// What is shown beside all candidates.
pub(super) struct Abouts {
    by_asset: HashMap<i64, About>,
    names: BTreeMap<ConnectionId, String>,
}

impl Store {
    /// What is shown beside candidates, without those of other connections than these; none means all.
    pub(super) async fn abouts(&self, ids: impl IntoIterator<Item = i64>, of: &[ConnectionId]) -> Result<Abouts> {
        let text = "SELECT c.id, k.id, k.name, e.certificate, e.owners FROM content c JOIN place p ON p.id = c.place
            JOIN connection k ON k.id = p.connection LEFT JOIN enrichment e ON e.asset = c.id AND e.path = ''
            WHERE c.id IN (SELECT value FROM json_each($1))";
        let mut abouts = Abouts { by_asset: HashMap::new(), names: BTreeMap::new() };
        for row in query(text).bind(number_list(ids)).fetch_all(self.readers()).await? {
            let connection = ConnectionId(row.try_get(1)?);
            if !of.is_empty() && !of.contains(&connection) {
                continue;
            }
            let owners: Option<&str> = row.try_get(4)?;
            let owners = owners.map(|owners| serde_json::from_str(owners).map_err(StoreError::corrupt)).transpose()?;
            let certificate = Certificate::stored(row.try_get(3)?)?;
            if let Entry::Vacant(unnamed) = abouts.names.entry(connection) {
                unnamed.insert(row.try_get(2)?);
            }
            let about = About { connection, certificate, owners: owners.unwrap_or_default() };
            abouts.by_asset.insert(row.try_get(0)?, about);
        }
        Ok(abouts)
    }

    /// Gives parents their names where the catalog knows better: in SageMaker Unified Studio qualified names are made of ids.
    pub(super) async fn name_parents(&self, hits: &mut [Hit]) -> Result<()> {
        let is_named_by_id = |hit: &&mut Hit| connector_of(hit.qualified_name.as_str()) != Some("glue");
        let mut unnamed: Vec<&mut Parent> =
            hits.iter_mut().filter(is_named_by_id).flat_map(|hit| hit.parents.iter_mut().skip(1)).collect();
        let asked: BTreeSet<QualifiedName> = unnamed.iter().map(|parent| parent.qualified_name.clone()).collect();
        if asked.is_empty() {
            return Ok(());
        }
        let asked: Vec<QualifiedName> = asked.into_iter().collect();
        let known = self.named(&asked).await?;
        for parent in &mut unnamed {
            if let Some(named) = known.get(&parent.qualified_name) {
                parent.name.clone_from(&named.name);
            }
        }
        Ok(())
    }
}

impl Abouts {
    pub(super) fn of(&self, asset: i64) -> Option<&About> {
        self.by_asset.get(&asset)
    }

    /// How many candidates each connection has, and how many have each certificate.
    pub(super) fn counts(&self) -> (Vec<ConnectionCount>, Vec<CertificateCount>) {
        let mut by_connection: BTreeMap<ConnectionId, u64> = BTreeMap::new();
        let mut by_certificate: BTreeMap<Certificate, u64> = BTreeMap::new();
        for about in self.by_asset.values() {
            *by_connection.entry(about.connection).or_default() += 1;
            if let Some(certificate) = about.certificate {
                *by_certificate.entry(certificate).or_default() += 1;
            }
        }
        let name = |connection: &ConnectionId| self.names.get(connection).cloned().unwrap_or_default();
        let mut connections: Vec<ConnectionCount> = by_connection
            .into_iter()
            .map(|(connection, count)| ConnectionCount { connection, name: name(&connection), count })
            .collect();
        connections.sort_by(|one, other| other.count.cmp(&one.count).then(one.connection.cmp(&other.connection)));
        let certificates = by_certificate.into_iter().map(|(certificate, count)| CertificateCount { certificate, count });
        (connections, certificates.collect())
    }

    /// What an asset lies in, from its connection down, with the names that the qualified name has.
    pub(super) fn parents(&self, about: &About, name: &QualifiedName) -> Vec<Parent> {
        let name = name.as_str();
        let Some(root) = connection_of(name) else { return Vec::new() };
        if name.len() == root.len() {
            return Vec::new();
        }
        let connection = self.names.get(&about.connection).cloned().unwrap_or_default();
        let mut parents = vec![Parent { qualified_name: QualifiedName::from_encoded(root), name: connection }];
        for (at, _) in name[root.len() + 1..].match_indices('/') {
            let parent = &name[..root.len() + 1 + at];
            let last = parent.rsplit('/').next().unwrap_or_default();
            parents.push(Parent { qualified_name: QualifiedName::from_encoded(parent), name: decode_part(last) });
        }
        parents
    }
}
