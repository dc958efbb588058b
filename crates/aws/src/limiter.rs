//! How fast requests may go: one learning pace per operation, one ceiling for the run, a bound on what is in flight.
//!
//! AWS counts requests per account, region and operation. Where it does not say what it allows, an operation begins without a limit;
//! the first throttled answer sets a rate from what got through, each further one lowers it, each success raises it a little. Where
//! it does ([`published`]), an operation begins at that rate and never exceeds it. What was learned holds for the run.

mod budget;
mod pace;
mod published;

use std::collections::BTreeMap;
use std::num::{NonZeroU32, NonZeroUsize};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use connector::port::ReadOperation;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use budget::Budget;
use pace::{Ceiling, Pace};
use published::Allowance;

/// How an attempt ended, as far as the pace is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Succeeded,
    Throttled,
    Other,
}

/// Shared by all requests of a run.
#[derive(Debug)]
pub(crate) struct Limiter {
    started: Instant,
    in_flight: Arc<Semaphore>,
    paces: Mutex<Paces>,
}

#[derive(Debug)]
struct Paces {
    ceiling: Option<Ceiling>,
    by_operation: BTreeMap<ReadOperation, OperationPace>,
}

/// The pace of one operation, by what is known of its rate beforehand.
#[derive(Debug)]
enum OperationPace {
    Learned(Pace),
    Budgeted(Budget),
}

/// The right to send one request now.
#[derive(Debug)]
pub(crate) struct Permit {
    operation: ReadOperation,
    sent_at: Duration,
    _place: Option<OwnedSemaphorePermit>,
}

impl Limiter {
    pub(crate) fn new(concurrency: NonZeroUsize, max_requests_per_second: Option<NonZeroU32>) -> Self {
        let ceiling = max_requests_per_second.map(Ceiling::new);
        Self {
            started: Instant::now(),
            in_flight: Arc::new(Semaphore::new(concurrency.get().min(Semaphore::MAX_PERMITS))),
            paces: Mutex::new(Paces { ceiling, by_operation: BTreeMap::new() }),
        }
    }

    /// Waits until a request of `operation` may be sent. A request that must wait for its time does not hold a place meanwhile, so
    /// that a slow operation does not stop a fast one.
    pub(crate) async fn permit(&self, operation: ReadOperation) -> Permit {
        let place = self.place().await;
        let now = self.now();
        let slot = self.with_paces(|paces| paces.reserve(operation, now));
        let place = if slot > now {
            drop(place);
            tokio::time::sleep_until(self.started + slot).await;
            self.place().await
        } else {
            place
        };
        Permit { operation, sent_at: self.now(), _place: place }
    }

    /// Learns from how an attempt ended, and frees its place.
    pub(crate) fn finish(&self, permit: Permit, outcome: Outcome) {
        let now = self.now();
        self.with_paces(|paces| paces.of(permit.operation).learn(permit.sent_at, now, outcome));
        drop(permit);
    }

    /// The semaphore is never closed; if it were, requests would go on without a place rather than not at all.
    async fn place(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.in_flight).acquire_owned().await.ok()
    }

    fn now(&self) -> Duration {
        self.started.elapsed()
    }

    fn with_paces<T>(&self, change: impl FnOnce(&mut Paces) -> T) -> T {
        change(&mut self.paces.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Paces {
    fn of(&mut self, operation: ReadOperation) -> &mut OperationPace {
        self.by_operation.entry(operation).or_insert_with(|| match Allowance::of(operation) {
            Allowance::Unknown => OperationPace::Learned(Pace::default()),
            Allowance::Assumed(per_second) => OperationPace::Budgeted(Budget::assumed(per_second)),
            Allowance::Published(per_second) => OperationPace::Budgeted(Budget::published(per_second)),
        })
    }

    fn reserve(&mut self, operation: ReadOperation, now: Duration) -> Duration {
        let slot = match self.of(operation) {
            OperationPace::Learned(pace) => pace.reserve(now),
            OperationPace::Budgeted(budget) => budget.reserve(now),
        };
        match self.ceiling.as_mut() {
            Some(ceiling) => ceiling.reserve(slot),
            None => slot,
        }
    }
}

impl OperationPace {
    fn learn(&mut self, sent_at: Duration, now: Duration, outcome: Outcome) {
        match (self, outcome) {
            (Self::Learned(pace), Outcome::Succeeded) => pace.succeeded(now),
            (Self::Learned(pace), Outcome::Throttled) => pace.throttled(sent_at, now),
            (Self::Budgeted(budget), Outcome::Succeeded) => budget.succeeded(),
            (Self::Budgeted(budget), Outcome::Throttled) => budget.throttled(sent_at, now),
            (Self::Learned(_) | Self::Budgeted(_), Outcome::Other) => (),
        }
    }
}

#[cfg(test)]
mod tests;
