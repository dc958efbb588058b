//! How far a crawl is: counters that whoever runs it may read at any time.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use model::{AssetBatch, Kind};

/// Counters of one crawl. Reading them never waits for the crawl.
#[derive(Debug, Default)]
pub struct Progress {
    pages: AtomicU64,
    tables: AtomicU64,
    columns: AtomicU64,
    scopes_total: AtomicU64,
    scopes_done: AtomicU64,
    current_scope: Mutex<String>,
}

/// What [`Progress`] says at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProgressSnapshot {
    /// Pages read.
    pub pages: u64,
    /// Tables, views and assets of SageMaker Unified Studio read.
    pub tables: u64,
    /// Columns read, nested ones included; those of unchanged tables are not counted.
    pub columns: u64,
    /// Scopes known so far: databases and lists.
    pub scopes_total: u64,
    /// Scopes read to their end.
    pub scopes_done: u64,
    /// A scope that was worked on last.
    pub current_scope: String,
}

impl Progress {
    /// The counters now.
    #[must_use]
    pub fn snapshot(&self) -> ProgressSnapshot {
        let load = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        ProgressSnapshot {
            pages: load(&self.pages),
            tables: load(&self.tables),
            columns: load(&self.columns),
            scopes_total: load(&self.scopes_total),
            scopes_done: load(&self.scopes_done),
            current_scope: self.current_scope.lock().map(|scope| scope.clone()).unwrap_or_default(),
        }
    }

    pub(crate) fn page_read(&self) {
        self.pages.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn scopes_found(&self, count: u64) {
        self.scopes_total.fetch_add(count, Ordering::Relaxed);
    }

    pub(crate) fn scope_done(&self) {
        self.scopes_done.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn delivering(&self, batch: &AssetBatch) {
        let of_table = |kind: Kind| matches!(kind, Kind::Table | Kind::View) || kind.is_smus_asset();
        let tables = batch.items.iter().filter(|item| of_table(item.asset.kind)).count()
            + batch.unchanged.iter().filter(|known| of_table(known.kind)).count();
        let columns: usize = batch.items.iter().map(|item| item.asset.columns.len()).sum();
        self.tables.fetch_add(tables as u64, Ordering::Relaxed);
        self.columns.fetch_add(columns as u64, Ordering::Relaxed);
        if let Ok(mut scope) = self.current_scope.lock() {
            batch.scope.as_str().clone_into(&mut scope);
        }
    }
}

/// Counts assets by type name, as reports give them.
pub type Counts = BTreeMap<String, u64>;
