//! A run of the catalog as what a crawl is plugged into.

use connector::port::{AssetSink, Baseline, SinkError};
use crawl::report::Stored;
use model::document::AssetStatus;
use model::{Asset, AssetBatch, KnownAsset, MissingAsset, QualifiedName, S3Location, ScopeReport, SourceHash};
use store::{FinishedRun, RunWriter, Store, StoreError, Subject};

/// A run and the catalog that it is written to.
#[derive(Debug)]
pub struct CatalogSink {
    store: Store,
    run: RunWriter,
}

impl CatalogSink {
    /// What is crawled goes to `run`, which is one of `store`.
    #[must_use]
    pub fn new(store: Store, run: RunWriter) -> Self {
        Self { store, run }
    }

    /// The catalog.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// The run.
    #[must_use]
    pub fn run(&self) -> &RunWriter {
        &self.run
    }

    /// Lets go of the run and closes the catalog, so that nothing but its one file stays.
    pub async fn close(self) {
        drop(self.run);
        self.store.close().await;
    }
}

/// What the catalog says of a run that has ended, for its report.
#[must_use]
pub fn stored_by(run: &FinishedRun) -> Stored {
    let counts = run.counts.iter().map(|(kind, count)| (kind.type_name().to_owned(), *count)).collect();
    Stored { run: Some(run.run), outcome: Some(run.outcome), counts, changes: run.changes }
}

fn sink_error(error: StoreError) -> SinkError {
    SinkError { message: error.to_string(), source: Some(Box::new(error)) }
}

impl AssetSink for CatalogSink {
    async fn deliver(&self, batch: AssetBatch) -> Result<(), SinkError> {
        self.run.apply(batch).await.map_err(sink_error)
    }
}

impl Baseline for CatalogSink {
    fn keeps_hashes(&self) -> bool {
        true
    }

    fn is_empty(&self) -> bool {
        self.run.is_empty()
    }

    async fn unchanged(&self, slices: Vec<(QualifiedName, SourceHash)>) -> Result<Vec<Option<KnownAsset>>, SinkError> {
        self.run.unchanged(slices).await.map_err(sink_error)
    }

    async fn stored(&self, name: &QualifiedName) -> Result<Option<Asset>, SinkError> {
        // What this run delivered before must be among what is asked.
        self.run.flush().await.map_err(sink_error)?;
        let found = self.store.asset(name).await.map_err(sink_error)?;
        Ok(found.and_then(|subject| match subject {
            Subject::Asset(stored) if stored.status == AssetStatus::Active => Some(stored.asset),
            Subject::Asset(_) | Subject::Column { .. } => None,
        }))
    }

    async fn tables_at(&self, locations: Vec<S3Location>) -> Result<Vec<(S3Location, QualifiedName)>, SinkError> {
        self.run.tables_at(&locations).await.map_err(sink_error)
    }

    async fn missing(&self, scopes: Vec<ScopeReport>, limit: usize) -> Result<Vec<MissingAsset>, SinkError> {
        self.run.missing(&scopes, limit).await.map_err(sink_error)
    }
}
