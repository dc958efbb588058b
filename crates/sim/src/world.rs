//! Everything that one running simulation holds, shared by its connections and the test that changes it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use crate::account::Account;
use crate::clock::Clock;
use crate::datazone;
use crate::faults::{Bucket, FaultTable, FaultedCall, Fired};
use crate::glue::Glue;
use crate::log::Requests;
use crate::sigv4::Verifier;

#[derive(Debug)]
pub(crate) struct World {
    account: RwLock<Account>,
    faults: Mutex<FaultTable>,
    requests: Mutex<Requests>,
    /// By operation; there are no more of them than simulated operations.
    datazone_rates: Mutex<HashMap<String, Bucket>>,
    latency_ms: AtomicU64,
    answered: AtomicU64,
    pub(crate) clock: Clock,
    pub(crate) glue: Glue,
    pub(crate) datazone: datazone::Service,
    pub(crate) verifier: Verifier,
}

impl World {
    pub(crate) fn new(account: Account, clock: Clock) -> Self {
        Self {
            account: RwLock::new(account),
            faults: Mutex::default(),
            requests: Mutex::default(),
            datazone_rates: Mutex::default(),
            latency_ms: AtomicU64::new(0),
            answered: AtomicU64::new(0),
            clock,
            glue: Glue::default(),
            datazone: datazone::Service::default(),
            verifier: Verifier::default(),
        }
    }

    // A panic elsewhere must not turn into a panic here: the data is plain, so it is as good as before.
    pub(crate) fn account(&self) -> RwLockReadGuard<'_, Account> {
        self.account.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn account_mut(&self) -> RwLockWriteGuard<'_, Account> {
        self.account.write().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn faults(&self) -> MutexGuard<'_, FaultTable> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn requests(&self) -> MutexGuard<'_, Requests> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn fire(&self, call: &FaultedCall<'_>) -> Fired {
        let mut faults = self.faults();
        if faults.is_empty() { Fired::new() } else { faults.fire(call, self.clock.now_ms()) }
    }

    /// Whether a DataZone operation is called more often than its published rate, where the settings want that.
    pub(crate) fn exceeds_published_rate(&self, operation: &str) -> bool {
        if !self.account().settings.published_rates {
            return false;
        }
        let now_ms = self.clock.now_ms();
        let per_second = datazone::published_per_second(operation);
        let mut buckets = self.datazone_rates.lock().unwrap_or_else(PoisonError::into_inner);
        let bucket = buckets.entry(operation.to_owned()).or_insert_with(|| Bucket::full(per_second, now_ms));
        !bucket.take(per_second, now_ms)
    }

    /// A request id that no two answers of this simulation share.
    pub(crate) fn next_request_id(&self) -> String {
        format!("51b1a7ed-0000-4000-8000-{:012x}", self.answered.fetch_add(1, Ordering::Relaxed))
    }

    pub(crate) fn latency_ms(&self) -> u64 {
        self.latency_ms.load(Ordering::Relaxed)
    }

    pub(crate) fn set_latency_ms(&self, latency_ms: u64) {
        self.latency_ms.store(latency_ms, Ordering::Relaxed);
    }
}
