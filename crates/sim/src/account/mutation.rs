//! Changes to a running account, from a test or over `/_sim/account`: what other people do while a crawl looks on.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Account, Collection, DomainMutation, Settings, TableEntry, Visibility};
use crate::identity::{Keys, Role};

/// One change. `catalog` defaults to the account's own.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "action", rename_all = "snake_case", deny_unknown_fields)]
pub enum Mutation {
    /// A Glue `Table` document with `Name`, `DatabaseName` and possibly `CatalogId`.
    PutTable {
        document: Value,
    },
    DropTable {
        catalog: Option<String>,
        database: String,
        table: String,
    },
    /// Renames a column wherever it stands (columns or partition keys); the table's version and update time move on.
    RenameColumn {
        catalog: Option<String>,
        database: String,
        table: String,
        column: String,
        to: String,
    },
    /// Gives a column another type; the table's version and update time move on.
    RetypeColumn {
        catalog: Option<String>,
        database: String,
        table: String,
        column: String,
        to: String,
    },
    /// A Glue `Database` document.
    PutDatabase {
        document: Value,
    },
    DropDatabase {
        catalog: Option<String>,
        database: String,
    },
    /// Lake Formation takes the caller's rights on a table, or on a database where `table` is missing.
    Hide {
        catalog: Option<String>,
        database: String,
        table: Option<String>,
    },
    Unhide {
        catalog: Option<String>,
        database: String,
        table: Option<String>,
    },
    PutCatalog {
        document: Value,
    },
    DropCatalog {
        catalog: String,
    },
    /// A job, workflow, trigger, crawler, connection or function by its document.
    Put {
        collection: Collection,
        document: Value,
    },
    Drop {
        collection: Collection,
        name: String,
    },
    /// No identity-based policy allows this action (an IAM pattern) any more.
    DenyAction {
        pattern: String,
    },
    AllowAction {
        pattern: String,
    },
    PutRole {
        role: Role,
    },
    PutUser {
        keys: Keys,
    },
    /// All sessions issued so far end now.
    ExpireSessions,
    /// Sessions end after this many seconds whatever is asked for; null honours what is asked.
    SetSessionSeconds {
        seconds: Option<u32>,
    },
    SetSettings {
        settings: Settings,
    },
    /// A change inside of a DataZone domain.
    InDomain {
        domain: String,
        change: DomainMutation,
    },
}

/// A change to something that is not there.
#[derive(Debug, thiserror::Error)]
#[error("{what} is not in the simulated account; GET /_sim/account lists what is")]
pub struct MutationError {
    what: String,
}

pub(super) fn missing(what: &str, name: &str) -> MutationError {
    MutationError { what: format!("{what} `{name}`") }
}

impl Account {
    /// Applies one change as of `now_ms` (milliseconds since 1970 UTC).
    pub fn apply(&mut self, mutation: Mutation, now_ms: i64) -> Result<(), MutationError> {
        match mutation {
            Mutation::PutTable { document } => self.put_table(document),
            Mutation::PutDatabase { document } => self.put_database(document),
            Mutation::PutCatalog { document } => self.put_catalog(document),
            Mutation::Put { collection, document } => self.put(collection, document),
            Mutation::DropTable { catalog, database, table } => return self.drop_table(catalog, &database, &table),
            Mutation::DropDatabase { catalog, database } => return self.drop_database(catalog, &database),
            Mutation::DropCatalog { catalog } => return self.drop_catalog(&catalog),
            Mutation::Drop { collection, name } => return self.drop_resource(collection, &name),
            Mutation::RenameColumn { catalog, database, table, column, to } => {
                return self.change_column((catalog, &database, &table, &column), "Name", &to, now_ms);
            }
            Mutation::RetypeColumn { catalog, database, table, column, to } => {
                return self.change_column((catalog, &database, &table, &column), "Type", &to, now_ms);
            }
            Mutation::Hide { catalog, database, table } => {
                return self.set_visibility(catalog, &database, table.as_deref(), Visibility::Hidden);
            }
            Mutation::Unhide { catalog, database, table } => {
                return self.set_visibility(catalog, &database, table.as_deref(), Visibility::Visible);
            }
            Mutation::DenyAction { pattern } => self.identities.deny_action(pattern),
            Mutation::AllowAction { pattern } => self.identities.allow_action(&pattern),
            Mutation::PutRole { role } => self.identities.put_role(role),
            Mutation::PutUser { keys } => self.add_user(&keys),
            Mutation::ExpireSessions => self.identities.expire_sessions(now_ms),
            Mutation::SetSessionSeconds { seconds } => self.identities.set_session_seconds(seconds),
            Mutation::SetSettings { settings } => self.settings = settings,
            Mutation::InDomain { domain, change } => return self.change_domain(&domain, change, now_ms),
        }
        Ok(())
    }

    fn drop_table(&mut self, catalog: Option<String>, database: &str, table: &str) -> Result<(), MutationError> {
        let dropped = self.database_to_change(catalog, database)?.tables.remove(table);
        if dropped { Ok(()) } else { Err(missing("table", table)) }
    }

    pub(crate) fn drop_database(&mut self, catalog: Option<String>, database: &str) -> Result<(), MutationError> {
        let catalog = catalog.unwrap_or_else(|| self.id.clone());
        let databases = self.catalogs.get_mut(&catalog).map(|catalog| &mut catalog.databases);
        let dropped = databases.and_then(|databases| databases.remove(database));
        dropped.map(|_| ()).ok_or_else(|| missing("database", database))
    }

    fn drop_catalog(&mut self, catalog: &str) -> Result<(), MutationError> {
        self.catalogs.remove(catalog).map(|_| ()).ok_or_else(|| missing("catalog", catalog))
    }

    fn drop_resource(&mut self, collection: Collection, name: &str) -> Result<(), MutationError> {
        let dropped = self.resources.get_mut(&collection).and_then(|documents| documents.remove(name));
        dropped.map(|_| ()).ok_or_else(|| missing("resource", name))
    }

    fn set_visibility(
        &mut self,
        catalog: Option<String>,
        database: &str,
        table: Option<&str>,
        visibility: Visibility,
    ) -> Result<(), MutationError> {
        let database = self.database_to_change(catalog, database)?;
        let Some(table) = table else {
            database.visibility = visibility;
            return Ok(());
        };
        let entry = database.tables.entry_mut(table).ok_or_else(|| missing("table", table))?;
        entry.visibility = visibility;
        Ok(())
    }

    fn change_column(
        &mut self,
        (catalog, database, table, column): (Option<String>, &str, &str, &str),
        member: &str,
        to: &str,
        now_ms: i64,
    ) -> Result<(), MutationError> {
        let entry = self.database_to_change(catalog, database)?.tables.entry_mut(table);
        let TableEntry { document, .. } = entry.ok_or_else(|| missing("table", table))?;
        let found = ["/StorageDescriptor/Columns", "/PartitionKeys"].iter().find_map(|path| position(document, path, column));
        let Some((path, at)) = found else { return Err(missing("column", column)) };
        if let Some(columns) = document.pointer_mut(&path) {
            columns[at][member] = json!(to);
        }
        let version: u64 = document["VersionId"].as_str().and_then(|text| text.parse().ok()).unwrap_or(0);
        document["VersionId"] = json!((version + 1).to_string());
        document["UpdateTime"] = json!(now_ms / 1_000);
        Ok(())
    }

    fn database_to_change(&mut self, catalog: Option<String>, database: &str) -> Result<&mut super::Database, MutationError> {
        let catalog = catalog.unwrap_or_else(|| self.id.clone());
        self.database_mut(&catalog, database).ok_or_else(|| missing("database", database))
    }
}

fn position(document: &Value, path: &str, column: &str) -> Option<(String, usize)> {
    let columns = document.pointer(path)?.as_array()?;
    let at = columns.iter().position(|candidate| candidate["Name"] == column)?;
    Some((path.to_owned(), at))
}
