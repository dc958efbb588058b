//! What makes runs happen: jobs are claimed and crawled, schedules start runs, what was lost is found again, and whoever wants to
//! know of it is told.
//!
//! Nothing here is asked by a request. [`start`] spawns it all on the service's tasks; [`Nudge`] wakes it before its time;
//! [`Statuses`] says how it is. Whatever fails is logged and tried again, at growing distances: the service never ends for it.

mod access;
mod alerts;
mod attempt;
mod crawling;
mod ending;
mod events;
mod executor;
mod failure;
mod gate;
mod heartbeat;
mod nudge;
mod pause;
mod receiving;
mod reconcile;
pub(crate) mod remote;
pub(crate) mod removal;
mod sink;
#[cfg(test)]
mod tests;

use std::time::Duration;

pub(crate) use access::{Opened, open};
pub use nudge::Nudge;
pub use reconcile::{Status, Statuses};
pub use sink::{CatalogSink, stored_by};

use crate::state::App;

/// Has what runtimes send be read, for tests of the protocol.
#[cfg(test)]
pub(crate) fn start_receiving(app: &App) {
    app.shutdown.tasks().spawn(receiving::receive(app.clone(), PACE));
}

/// How often things are done. Tests have less patience.
#[derive(Clone, Copy, Debug)]
struct Pace {
    /// How long an idle executor waits for a nudge.
    poll: Duration,
    /// How often a worker says that it is still there; a request to cancel is seen with the next one.
    heartbeat: Duration,
    /// How long a worker that is not heard of keeps its job.
    lease: Duration,
    /// How long to wait after a first failed attempt; twice as long after each further one.
    retry: Duration,
    /// How long to wait for a catalog that did not take the end of an attempt; twice as long each further time.
    report: Duration,
}

const PACE: Pace = Pace {
    poll: Duration::from_secs(2),
    heartbeat: Duration::from_secs(2),
    lease: Duration::from_secs(30),
    retry: Duration::from_secs(5),
    report: Duration::from_millis(250),
};

impl Pace {
    fn lease_ms(&self) -> i64 {
        pause::milliseconds(self.lease)
    }
}

/// Starts the workers of this process on its task tracker, unless the configuration leaves them to other processes. They end with its
/// soft token; a crawl that takes longer than there is time is given back.
pub fn start(app: &App) {
    if app.config.workers {
        app.shutdown.tasks().spawn(executor::execute(app.clone(), PACE));
        app.shutdown.tasks().spawn(receiving::receive(app.clone(), PACE));
        reconcile::start(app);
    }
}
