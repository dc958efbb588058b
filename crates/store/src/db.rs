//! One face for two databases: a statement is written once, with `$1`, and runs on SQLite and on PostgreSQL.
//!
//! A method of the store asks [`query`] or [`query_scalar`], on the readers or on the [`Connection`] of a [`Transaction`]. What
//! differs between the databases is in this module and in [`crate::dialect`]; nothing else asks which one it is.

mod backup;
mod bulk;
mod connection;
mod database;
mod postgres;
mod query;
mod row;
mod sqlite;
mod value;

pub(crate) use bulk::{Bound, Bulk};
pub(crate) use connection::{Connection, Readers, Snapshot, Writer};
pub(crate) use database::{Database, Hold};
pub(crate) use query::{On, Query, query, query_scalar};
pub(crate) use row::Row;
pub(crate) use value::{List, Value};
