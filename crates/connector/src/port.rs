//! The ports of a crawl, cut by what the crawl needs: one way to read, one way to deliver, one way to ask what is known.

mod error;
mod operation;

use std::future::Future;

use bytes::Bytes;
use model::{Asset, AssetBatch, KnownAsset, MissingAsset, QualifiedName, S3Location, ScopeReport, SourceHash};

pub use error::{ApiError, Disposition, ErrorKind};
pub use operation::{ReadOperation, Service};

/// One request: an operation of the closed list and its input, already serialised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadRequest {
    /// Which operation. There is no way to name one that is not a read.
    pub operation: ReadOperation,
    /// The path with query: `/` for the JSON protocol, the operation's path for REST (percent-encoded by the maker).
    pub path: String,
    /// The body; empty for a `GET`.
    pub body: Bytes,
}

impl ReadRequest {
    /// A request of the AWS JSON 1.1 protocol, whose input is all in the body.
    #[must_use]
    pub fn json(operation: ReadOperation, input: &serde_json::Value) -> Self {
        Self { operation, path: "/".to_owned(), body: Bytes::from(input.to_string()) }
    }
}

/// Sends one read and returns the whole body of a successful answer. Retries, rate limits, credentials and timeouts are its
/// business: an error that comes back is final for this request.
pub trait ReadApi: Send + Sync {
    /// Sends `request`.
    fn read(&self, request: ReadRequest) -> impl Future<Output = Result<Bytes, ApiError>> + Send;
}

/// Why a sink or a baseline could not do its work: the store is full, gone or taken. The run fails.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct SinkError {
    /// What happened and what to do next.
    pub message: String,
    /// The cause.
    #[source]
    pub source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// Takes what a crawl finds. Awaiting it is the backpressure: a full sink makes the fetchers wait.
pub trait AssetSink: Send + Sync {
    /// Takes one batch. Delivering the same batch twice changes nothing.
    fn deliver(&self, batch: AssetBatch) -> impl Future<Output = Result<(), SinkError>> + Send;
}

/// What is known from earlier runs. A crawl without a store has none ([`NoBaseline`]).
pub trait Baseline: Send + Sync {
    /// Whether hashes of source bytes are kept at all, so that a later run can recognise what did not change.
    fn keeps_hashes(&self) -> bool;

    /// Whether there is nothing to compare with yet.
    fn is_empty(&self) -> bool;

    /// For each name the stored asset, if it was made from bytes of the same hash.
    fn unchanged(
        &self,
        slices: Vec<(QualifiedName, SourceHash)>,
    ) -> impl Future<Output = Result<Vec<Option<KnownAsset>>, SinkError>> + Send;

    /// The asset of this name as it is stored, if it is there and active: what is not known this time stays as it was known.
    fn stored(&self, name: &QualifiedName) -> impl Future<Output = Result<Option<Asset>, SinkError>> + Send;

    /// The tables whose data is at one of these locations, by location; those delivered in this run included.
    fn tables_at(
        &self,
        locations: Vec<S3Location>,
    ) -> impl Future<Output = Result<Vec<(S3Location, QualifiedName)>, SinkError>> + Send;

    /// Assets that complete scopes no longer list, at most `limit`: those whose absence has yet to be proven. What lies below a
    /// missing asset is not listed.
    fn missing(&self, scopes: Vec<ScopeReport>, limit: usize) -> impl Future<Output = Result<Vec<MissingAsset>, SinkError>> + Send;
}

/// Nothing is known: every asset is new and nothing can be missing.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoBaseline;

impl Baseline for NoBaseline {
    fn keeps_hashes(&self) -> bool {
        false
    }

    fn is_empty(&self) -> bool {
        true
    }

    async fn unchanged(&self, slices: Vec<(QualifiedName, SourceHash)>) -> Result<Vec<Option<KnownAsset>>, SinkError> {
        Ok(vec![None; slices.len()])
    }

    async fn stored(&self, _name: &QualifiedName) -> Result<Option<Asset>, SinkError> {
        Ok(None)
    }

    async fn tables_at(&self, _locations: Vec<S3Location>) -> Result<Vec<(S3Location, QualifiedName)>, SinkError> {
        Ok(Vec::new())
    }

    async fn missing(&self, _scopes: Vec<ScopeReport>, _limit: usize) -> Result<Vec<MissingAsset>, SinkError> {
        Ok(Vec::new())
    }
}
