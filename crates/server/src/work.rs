//! What makes runs happen: the executor takes jobs from the queue and crawls, reconcilers look after schedules, leases and what is old.

mod access;
mod attempt;
mod executor;
mod nudge;
mod reconcile;
pub(crate) mod removal;
mod sink;

pub(crate) use access::{Opened, open};
pub use nudge::Nudge;
pub use reconcile::{Status, Statuses};

use crate::state::App;

/// Starts the workers of this process on its task tracker; they end with its soft token.
pub fn start(app: &App) {
    if !app.config.workers {
        return;
    }
    executor::start(app);
    reconcile::start(app);
}
