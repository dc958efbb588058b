//! AWS Glue as its API answers it: AWS JSON 1.1, `X-Amz-Target: AWSGlue.<Operation>`.

mod catalogs;
mod databases;
mod error;
mod expression;
mod input;
mod operations;
mod page;
mod resources;
mod tables;

use crate::account::{Account, Catalog, Database, text};
use crate::faults::Fired;
use crate::tokens::Tokens;

pub(crate) use error::GlueError;
pub(crate) use input::Input;
pub(crate) use operations::{Handler, OperationKind, kind_of};

/// What outlives a call: how tokens are made and which expressions are compiled.
#[derive(Debug, Default)]
pub(crate) struct Glue {
    tokens: Tokens,
    expressions: expression::Cache,
}

/// One call against the account as it stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Context<'c> {
    pub(crate) glue: &'c Glue,
    pub(crate) account: &'c Account,
    pub(crate) operation: &'c str,
    pub(crate) input: &'c Input,
    pub(crate) fired: &'c Fired,
    pub(crate) now_ms: i64,
}

/// A database and where it was found, after links are followed.
#[derive(Clone, Copy, Debug)]
struct Located<'a> {
    catalog: &'a str,
    database: &'a Database,
}

/// Longer chains of resource links are loops.
const LINK_HOPS_MAX: usize = 5;

impl<'c> Context<'c> {
    /// The catalog that `CatalogId` names, the account's own where it is missing.
    fn catalog(&self) -> Result<(&'c str, &'c Catalog), GlueError> {
        let id = self.input.optional_text("CatalogId")?.unwrap_or(&self.account.id);
        let found = self.account.catalogs.get_key_value(id);
        found.map(|(id, catalog)| (id.as_str(), catalog)).ok_or_else(|| GlueError::not_found(format!("Catalog {id} not found.")))
    }

    /// The database of this name, or the target where it is a link.
    fn follow_database(&self, name: &'c str) -> Result<Located<'c>, GlueError> {
        let (catalog, _) = self.catalog()?;
        let mut located = self.locate(catalog, name)?;
        for _ in 0..LINK_HOPS_MAX {
            let target = &located.database.document["TargetDatabase"];
            if target.is_null() {
                return Ok(located);
            }
            let catalog = target["CatalogId"].as_str().unwrap_or(located.catalog);
            located = self.locate(catalog, text(target, "DatabaseName"))?;
        }
        Err(GlueError::invalid_input(format!("Resource link {name} does not lead to a database.")))
    }

    fn locate(&self, catalog: &str, name: &str) -> Result<Located<'c>, GlueError> {
        let unknown = || GlueError::not_found(format!("Database {name} not found."));
        let (catalog, found) = self.account.catalogs.get_key_value(catalog).ok_or_else(unknown)?;
        let database = found.databases.get(name).ok_or_else(unknown)?;
        if !database.is_visible() {
            return Err(GlueError::lake_formation(name));
        }
        Ok(Located { catalog, database })
    }
}
