//! How Glue's names become qualified names.

use std::borrow::Cow;

use model::{ConnectionName, Kind, QualifiedName, Reference};

/// The name that an account's own catalog goes by.
pub const OWN_CATALOG: &str = "AwsDataCatalog";

/// The account of a catalog id: 12 digits, alone or before a `:`.
pub(crate) fn account_of(catalog_id: &str) -> Option<&str> {
    let account = catalog_id.split(':').next().unwrap_or_default();
    (account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit())).then_some(account)
}

/// Builds the names of one connection.
#[derive(Clone, Debug)]
pub struct Naming {
    connection: ConnectionName,
    account: Option<String>,
}

impl Naming {
    /// `account` is the account that is crawled, where it is known: its own catalogs lose its number from their names.
    #[must_use]
    pub fn new(connection: ConnectionName, account: Option<String>) -> Self {
        Self { connection, account }
    }

    /// The connection.
    #[must_use]
    pub fn connection(&self) -> &ConnectionName {
        &self.connection
    }

    /// The account that is crawled.
    pub(crate) fn account(&self) -> Option<&str> {
        self.account.as_deref()
    }

    /// The name of a catalog: `AwsDataCatalog` for the account's own, the id without the account for those below it, the
    /// whole id for another account's.
    pub(crate) fn catalog_name<'a>(&self, catalog_id: Option<&'a str>) -> Cow<'a, str> {
        let Some(id) = catalog_id.filter(|id| !id.is_empty()) else { return Cow::Borrowed(OWN_CATALOG) };
        let Some(account) = self.account.as_deref() else {
            // Without a known account a bare account id can only be the one whose credentials are used.
            return if account_of(id) == Some(id) { Cow::Borrowed(OWN_CATALOG) } else { Cow::Borrowed(after_account(id)) };
        };
        match id.strip_prefix(account) {
            Some("") => Cow::Borrowed(OWN_CATALOG),
            Some(rest) => Cow::Borrowed(rest.strip_prefix(':').unwrap_or(id)),
            None => Cow::Borrowed(id),
        }
    }

    pub(crate) fn catalog(&self, catalog_name: &str) -> QualifiedName {
        self.connection.qualified_name().child(catalog_name)
    }

    pub(crate) fn schema(&self, catalog_name: &str, database: &str) -> QualifiedName {
        self.catalog(catalog_name).child(database)
    }

    pub(crate) fn table(&self, catalog_name: &str, database: &str, table: &str) -> QualifiedName {
        self.schema(catalog_name, database).child(table)
    }

    /// A reference to a table of the account's own catalog, as jobs name them. Glue folds names to lower case.
    pub(crate) fn own_table(&self, database: &str, table: &str) -> Reference {
        Reference::new(Kind::Table, self.table(OWN_CATALOG, database, table))
    }

    /// The name of something that lies directly below the connection (`jobs`, `workflows`, …).
    pub(crate) fn listed(&self, list: &str, name: &str) -> QualifiedName {
        self.connection.qualified_name().child(list).child(name)
    }
}

fn after_account(id: &str) -> &str {
    match id.split_once(':') {
        Some((account, rest)) if account_of(account).is_some() => rest,
        _ => id,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn catalogs_are_named_without_the_account_that_they_belong_to() {
        let naming = Naming::new(ConnectionName::new("glue", 7), Some("111122223333".into()));
        for (id, name) in [
            (None, OWN_CATALOG),
            (Some("111122223333"), OWN_CATALOG),
            (Some("111122223333:s3tablescatalog/analytics"), "s3tablescatalog/analytics"),
            (Some("444455556666"), "444455556666"),
            (Some("444455556666:x"), "444455556666:x"),
        ] {
            assert_eq!(naming.catalog_name(id), name, "{id:?}");
        }
        let unknown = Naming::new(ConnectionName::new("glue", 7), None);
        assert_eq!(unknown.catalog_name(Some("111122223333")), OWN_CATALOG);
        assert_eq!(unknown.catalog_name(Some("111122223333:fed")), "fed");
    }
}
