//! The pages of Glue's listings: the token travels in the body.

use std::ops::{Deref, DerefMut};

use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::Crawl;
use crate::paging::{Tokens, read_understood};
use crate::port::{ApiError, AssetSink, Baseline, ReadApi, ReadOperation, ReadRequest};
use crate::run::Ports;

/// One listing between its pages.
#[derive(Debug)]
pub(super) struct Pager {
    operation: ReadOperation,
    input: Map<String, Value>,
    tokens: Tokens,
}

impl Pager {
    /// A listing from its first page. `input` is the request without a token.
    pub(super) fn new(operation: ReadOperation, input: &Value) -> Self {
        Self { operation, input: input.as_object().cloned().unwrap_or_default(), tokens: Tokens::new(operation) }
    }

    fn request(&self) -> ReadRequest {
        let mut input = self.input.clone();
        if let Some(token) = self.tokens.token() {
            input.insert("NextToken".to_owned(), Value::String(token.to_owned()));
        }
        ReadRequest::json(self.operation, &Value::Object(input))
    }
}

impl Deref for Pager {
    type Target = Tokens;

    fn deref(&self) -> &Tokens {
        &self.tokens
    }
}

impl DerefMut for Pager {
    fn deref_mut(&mut self) -> &mut Tokens {
        &mut self.tokens
    }
}

impl<A: ReadApi, S: AssetSink, B: Baseline> Crawl<'_, A, S, B> {
    /// Reads the next page of a listing and has `take` make something of its bytes. A body that `take` cannot understand is
    /// asked for again, a bounded number of times.
    pub(super) async fn next_page<T>(
        &self,
        pager: &Pager,
        take: impl Fn(&Bytes) -> Result<T, serde_json::Error>,
    ) -> Result<(Bytes, T), ApiError> {
        let Ports { api, progress, .. } = &self.ports;
        read_understood(*api, progress, || pager.request(), take).await
    }

    /// Reads one answer that has no pages.
    pub(super) async fn read_once<T>(
        &self,
        operation: ReadOperation,
        input: Value,
        take: impl Fn(&Bytes) -> Result<T, serde_json::Error>,
    ) -> Result<T, ApiError> {
        self.next_page(&Pager::new(operation, &input), take).await.map(|(_, taken)| taken)
    }

    /// The catalog id that goes with every call; the account's own where it is known.
    pub(super) fn with_catalog(&self, mut input: Value, catalog_id: Option<&str>) -> Value {
        if let (Some(id), Some(object)) = (catalog_id.or(self.naming.account()), input.as_object_mut()) {
            object.insert("CatalogId".to_owned(), json!(id));
        }
        input
    }
}
