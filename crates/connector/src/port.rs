//! The ports of a crawl, cut by what the crawl needs: one way to read, one way to deliver, one way to ask what is known.

mod error;
mod operation;

use std::future::Future;

use bytes::Bytes;
use model::{Asset, AssetBatch, KnownAsset, MissingAsset, QualifiedName, S3Location, ScopeReport, SourceHash};

pub use error::{ApiError, Disposition, ErrorKind};
pub use operation::{ReadOperation, RestMethod, RestRoute, Service};

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

    /// A request of the REST protocol: `segments` fill the route's path in order, `query` and `input` go where their names say.
    /// An operation without a route gets the path `/`, which the gate refuses.
    #[must_use]
    pub fn rest(operation: ReadOperation, segments: &[&str], query: &[(&str, &str)], input: Option<&serde_json::Value>) -> Self {
        let template = operation.route().map_or("/", |route| route.template);
        let mut path = String::new();
        let mut given = segments.iter();
        for (index, part) in template.split("{}").enumerate() {
            if index > 0 {
                push_percent_encoded(given.next().copied().unwrap_or_default(), &mut path);
            }
            path.push_str(part);
        }
        for (index, (name, value)) in query.iter().enumerate() {
            path.push(if index == 0 { '?' } else { '&' });
            push_percent_encoded(name, &mut path);
            path.push('=');
            push_percent_encoded(value, &mut path);
        }
        Self { operation, path, body: input.map_or_else(Bytes::new, |input| Bytes::from(input.to_string())) }
    }
}

/// Percent-encodes everything but the unreserved characters of RFC 3986, so that a value is always one segment or one parameter.
pub fn push_percent_encoded(value: &str, out: &mut String) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push('%');
            out.push(char::from(HEX[usize::from(byte >> 4)]));
            out.push(char::from(HEX[usize::from(byte & 15)]));
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_rest_request_names_is_one_segment_or_one_parameter_whatever_it_holds() {
        let arn = "arn:aws:glue:eu-west-1:1:table/sales/a b";
        let request = ReadRequest::rest(ReadOperation::GetLineageNode, &["dzd_1", arn], &[("timestamp", "1+1&x=y")], None);
        assert_eq!(
            request.path,
            "/v2/domains/dzd_1/lineage/nodes/arn%3Aaws%3Aglue%3Aeu-west-1%3A1%3Atable%2Fsales%2Fa%20b?timestamp=1%2B1%26x%3Dy"
        );
        assert!(request.body.is_empty());
    }
}
