//! How the ids of Amazon DataZone become qualified names.

use model::{ConnectionName, QualifiedName};

/// Builds the names of one connection.
#[derive(Clone, Debug)]
pub(crate) struct Naming {
    connection: ConnectionName,
}

impl Naming {
    pub(crate) fn new(connection: ConnectionName) -> Self {
        Self { connection }
    }

    pub(crate) fn connection(&self) -> &QualifiedName {
        self.connection.qualified_name()
    }

    pub(crate) fn domain(&self, domain: &str) -> QualifiedName {
        self.connection().child(domain)
    }

    pub(crate) fn unit(&self, domain: &str, unit: &str) -> QualifiedName {
        self.domain(domain).child("units").child(unit)
    }

    pub(crate) fn project(&self, domain: &str, project: &str) -> QualifiedName {
        self.domain(domain).child(project)
    }

    /// Also of data products.
    pub(crate) fn asset(&self, domain: &str, project: &str, asset: &str) -> QualifiedName {
        self.project(domain, project).child(asset)
    }

    pub(crate) fn subscription(&self, domain: &str, project: &str, subscription: &str) -> QualifiedName {
        self.project(domain, project).child("subscriptions").child(subscription)
    }

    pub(crate) fn glossary(&self, domain: &str, glossary: &str) -> QualifiedName {
        self.domain(domain).child("glossaries").child(glossary)
    }

    pub(crate) fn term(&self, domain: &str, glossary: &str, term: &str) -> QualifiedName {
        self.glossary(domain, glossary).child(term)
    }

    /// What a process of lineage is named after; never the name of an asset.
    pub(crate) fn lineage_subject(&self, domain: &str, key: &str) -> String {
        format!("{}/lineage/{key}", self.domain(domain))
    }
}
