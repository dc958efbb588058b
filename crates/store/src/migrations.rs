//! The schema, forward only: each step runs once, in order, in one transaction under a lock. Steps are added, never changed.

pub(crate) mod postgres;
pub(crate) mod sqlite;
