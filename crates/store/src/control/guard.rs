//! Rules that hold over several rows: who may break one changes its row first, and so waits for everybody else who may.
//!
//! SQLite has one writer at a time anyway. In PostgreSQL two transactions that each leave one administrator would leave none.

use crate::Result;
use crate::db::{Connection, query};

/// What a rule is about.
#[derive(Clone, Copy, Debug)]
pub(super) enum Guard {
    /// Names and identities are unique, and an active administrator remains.
    People,
    /// Names are unique, and what a connection uses stays.
    Credentials,
}

/// Waits until nobody else is between this and the end of a transaction. It comes first in a transaction, so that two never wait
/// for one another.
pub(super) async fn enter(connection: &mut Connection<'_>, guard: Guard) -> Result<()> {
    let noun = match guard {
        Guard::People => "person",
        Guard::Credentials => "credential",
    };
    query("UPDATE guard SET changes = changes + 1 WHERE noun = $1").bind(noun).execute(connection).await?;
    Ok(())
}
