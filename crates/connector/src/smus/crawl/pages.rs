//! The pages of Amazon DataZone's lists: the token travels in the query string or, for searches, in the body.

use bytes::Bytes;
use serde_json::Value;

use super::Crawl;
use crate::paging::{Tokens, read_understood};
use crate::port::{ApiError, AssetSink, Baseline, ErrorKind, ReadApi, ReadOperation, ReadRequest, RestMethod};

/// The most items that most lists give on a page (Amazon DataZone API, `MaxResults`).
pub(super) const PAGE_ITEMS_MAX: u32 = 50;

/// The most items that the lists of domains and domain units give on a page (`MaxResultsForListDomains`).
pub(super) const PAGE_DOMAINS_MAX: u32 = 25;

/// A list to be read: what is asked, without a token.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(super) operation: ReadOperation,
    segments: Vec<String>,
    query: Vec<(&'static str, String)>,
    body: Option<Value>,
    token_in: TokenPlace,
}

/// Where a list takes its token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum TokenPlace {
    Query,
    Body,
}

impl Asked {
    /// A list or a single thing that is asked for by `GET`.
    pub(crate) fn get(operation: ReadOperation, segments: &[&str]) -> Self {
        let segments = segments.iter().map(|segment| (*segment).to_owned()).collect();
        Self { operation, segments, query: Vec::new(), body: None, token_in: TokenPlace::Query }
    }

    /// A search in a domain. `QueryGraph` alone pages in the query string.
    pub(crate) fn search(operation: ReadOperation, domain: &str, body: Value) -> Self {
        let token_in = if operation == ReadOperation::QueryGraph { TokenPlace::Query } else { TokenPlace::Body };
        Self { operation, segments: vec![domain.to_owned()], query: Vec::new(), body: Some(body), token_in }
    }

    /// Adds a parameter of the query string.
    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.query.push((name, value.into()));
        self
    }

    /// Adds the size of pages to the query string.
    pub(crate) fn paged(self, items: u32) -> Self {
        self.with("maxResults", items.to_string())
    }

    /// The request of the first page.
    pub(crate) fn first_request(&self) -> ReadRequest {
        self.request(None)
    }

    fn request(&self, token: Option<&str>) -> ReadRequest {
        debug_assert!(self.body.is_some() == (self.operation.route().map(|route| route.method) == Some(RestMethod::Post)));
        let segments: Vec<&str> = self.segments.iter().map(String::as_str).collect();
        let mut query: Vec<(&str, &str)> = self.query.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let mut body = self.body.clone();
        match (token, self.token_in, body.as_mut().and_then(Value::as_object_mut)) {
            (Some(token), TokenPlace::Body, Some(members)) => {
                members.insert("nextToken".to_owned(), Value::from(token));
            }
            (Some(token), _, _) => query.push(("nextToken", token)),
            (None, _, _) => {}
        }
        ReadRequest::rest(self.operation, &segments, &query, body.as_ref())
    }
}

/// What a page gives: what was made of it, its token, how many items it had.
pub(super) struct Page<T> {
    pub(super) made: T,
    pub(super) next_token: Option<String>,
    pub(super) items: usize,
}

impl<A: ReadApi, S: AssetSink, B: Baseline> Crawl<'_, A, S, B> {
    /// Reads the next page of a list.
    pub(super) async fn next_page<T>(
        &self,
        asked: &Asked,
        tokens: &mut Tokens,
        take: impl Fn(&Bytes) -> Result<Page<T>, serde_json::Error>,
    ) -> Result<T, ApiError> {
        let request = || asked.request(tokens.token());
        let (_, page) = read_understood(self.ports.api, self.ports.progress, request, take).await?;
        tokens.advance(page.next_token.as_deref(), page.items)?;
        Ok(page.made)
    }

    /// Reads a list to its end and gives everything that was made of its pages: for lists that are short by the service's own quotas.
    pub(super) async fn read_list<T>(
        &self,
        asked: &Asked,
        take: impl Fn(&Bytes) -> Result<Page<Vec<T>>, serde_json::Error>,
    ) -> Result<Vec<T>, ApiError> {
        let mut tokens = Tokens::new(asked.operation);
        let mut all = Vec::new();
        while !tokens.is_done() {
            match self.next_page(asked, &mut tokens, &take).await {
                Ok(page) => all.extend(page),
                Err(error) if may_begin_again(&error, &tokens) => {
                    tokens.restart();
                    all.clear();
                }
                Err(error) => return Err(error),
            }
        }
        Ok(all)
    }

    /// Reads one answer that has no pages.
    pub(super) async fn read_once<T>(
        &self,
        asked: &Asked,
        take: impl Fn(&Bytes) -> Result<T, serde_json::Error>,
    ) -> Result<T, ApiError> {
        read_understood(self.ports.api, self.ports.progress, || asked.request(None), take).await.map(|(_, taken)| taken)
    }
}

/// Whether a list may be begun again: a token that is refused has expired, mostly.
pub(super) fn may_begin_again(error: &ApiError, tokens: &Tokens) -> bool {
    error.kind == ErrorKind::Invalid && tokens.can_restart()
}

/// The token of a page as it is kept until the next request.
pub(super) fn token(token: Option<&crate::privacy::Text<'_>>) -> Option<String> {
    token.map(ToString::to_string)
}
