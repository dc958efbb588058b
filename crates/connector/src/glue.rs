//! The Glue Data Catalog: what is read ([`page`]), what it becomes ([`map`]), in which order ([`crawl`]).

mod crawl;
mod databases;
mod filter;
pub(crate) mod graph;
pub(crate) mod hive_type;
mod map;
mod naming;
pub(crate) mod page;
mod preflight;
mod settings;
mod slice;
pub(crate) mod view_sql;

pub use crawl::crawl;
pub use databases::{CatalogDatabases, DatabaseList, list_databases};
pub use filter::{Filter, FilterError, Pattern};
pub use naming::{Naming, OWN_CATALOG};
pub use preflight::preflight;
pub use settings::{Keep, Section, Settings};

#[cfg(test)]
pub(crate) use crawl::tests::fake;
pub(crate) use page::Present;

/// The connector's short name in qualified names.
pub const CONNECTOR: &str = "glue";
