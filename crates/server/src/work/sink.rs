//! The catalog as a crawl sees it: takes batches, and knows what was there before.

use connector::port::{AssetSink, Baseline, SinkError};
use model::document::AssetStatus;
use model::{Asset, AssetBatch, KnownAsset, MissingAsset, QualifiedName, S3Location, ScopeReport, SourceHash};
use store::{RunWriter, Store, StoreError, Subject};

/// A run that is being written.
#[derive(Debug)]
pub(super) struct CatalogSink {
    pub(super) store: Store,
    pub(super) run: RunWriter,
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
