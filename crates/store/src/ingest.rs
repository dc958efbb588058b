//! The one way in for assets: a run that takes batches, and at its end archives what is proven to be gone.

pub(crate) mod archive;
pub(crate) mod begin;
mod column_changes;
pub(crate) mod context;
mod count;
pub(crate) mod edges;
mod finish;
mod history;
mod missing;
pub(crate) mod prepare;
mod rows;
mod run;
mod seen;
pub(crate) mod tally;
pub(crate) mod twins;
pub(crate) mod write;

pub(crate) use column_changes::same as same_column;
pub use finish::{FinishedRun, RemovalPolicy, RunEnd};
pub use run::RunWriter;
