//! Paging: one request after the other until the service gives no token, with every trap of tokens and empty pages guarded.

use std::collections::HashSet;

use bytes::Bytes;
use model::SourceHash;
use serde_json::{Map, Value, json};

use super::Crawl;
use crate::port::{ApiError, AssetSink, Baseline, ErrorKind, ReadApi, ReadOperation, ReadRequest};

/// The most pages of one listing: a hundred times what the largest database may have.
const PAGES_MAX: usize = 200_000;

/// How many empty pages in a row may carry a token before the listing counts as broken.
const EMPTY_PAGES_MAX: u32 = 1_000;

/// How often a page is asked for again when its body cannot be understood.
const MALFORMED_RETRIES: u32 = 2;

/// The state of one listing between its pages.
#[derive(Debug)]
pub(super) struct Pager {
    operation: ReadOperation,
    input: Map<String, Value>,
    token: Option<String>,
    seen_tokens: HashSet<u64>,
    empty_pages: u32,
    is_done: bool,
    has_restarted: bool,
}

impl Pager {
    /// A listing from its first page. `input` is the request without a token.
    pub(super) fn new(operation: ReadOperation, input: &Value) -> Self {
        let input = input.as_object().cloned().unwrap_or_default();
        Self { operation, input, token: None, seen_tokens: HashSet::new(), empty_pages: 0, is_done: false, has_restarted: false }
    }

    /// Whether the last page has been read.
    pub(super) fn is_done(&self) -> bool {
        self.is_done
    }

    /// Whether the listing can begin again: it is beyond its first page, and has not begun again before.
    pub(super) fn can_restart(&self) -> bool {
        self.token.is_some() && !self.has_restarted
    }

    /// Begins again at the first page.
    pub(super) fn restart(&mut self) {
        self.has_restarted = true;
        self.token = None;
        self.seen_tokens.clear();
        self.empty_pages = 0;
    }

    fn request(&self) -> ReadRequest {
        let mut input = self.input.clone();
        if let Some(token) = &self.token {
            input.insert("NextToken".to_owned(), Value::String(token.clone()));
        }
        ReadRequest::json(self.operation, &Value::Object(input))
    }

    /// Takes the token of a page that was read. A missing or empty one ends the listing.
    ///
    /// # Errors
    /// When the token was given before (the listing would go round for ever), or when too many pages are empty.
    pub(super) fn advance(&mut self, next_token: Option<&str>, items: usize) -> Result<(), ApiError> {
        let Some(token) = next_token.filter(|token| !token.is_empty()) else {
            self.is_done = true;
            return Ok(());
        };
        self.empty_pages = if items == 0 { self.empty_pages + 1 } else { 0 };
        if !self.seen_tokens.insert(SourceHash::of(0, token.as_bytes()).0) {
            return Err(malformed(self.operation, "the service gave the same page token twice; the listing would never end"));
        }
        if self.empty_pages > EMPTY_PAGES_MAX || self.seen_tokens.len() > PAGES_MAX {
            return Err(malformed(self.operation, "the service gives pages without end"));
        }
        self.token = Some(token.to_owned());
        Ok(())
    }
}

/// An answer that is not what the API promises.
pub(super) fn malformed(operation: ReadOperation, message: &str) -> ApiError {
    ApiError {
        operation,
        kind: ErrorKind::Malformed,
        code: None,
        message: message.to_owned(),
        suggested_action: "Run the crawl again; if it happens again, look for a proxy or gateway that changes answers.".to_owned(),
        source: None,
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
        let mut attempt = 0;
        loop {
            let body = self.ports.api.read(pager.request()).await?;
            match take(&body) {
                Ok(taken) => {
                    self.ports.progress.page_read();
                    return Ok((body, taken));
                }
                Err(_) if attempt < MALFORMED_RETRIES => attempt += 1,
                Err(error) => {
                    // serde's message names the place and the kind of fault, never a value of a string; still it is cut to that.
                    let place =
                        format!("the answer is not in the documented form (line {}, column {})", error.line(), error.column());
                    return Err(malformed(pager.operation, &place));
                }
            }
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listing_ends_without_a_token_and_fails_when_one_repeats() {
        let mut pager = Pager::new(ReadOperation::GetJobs, &json!({}));
        pager.advance(Some("a"), 1).unwrap();
        pager.advance(Some("b"), 0).unwrap();
        assert_eq!(pager.advance(Some("a"), 1).unwrap_err().kind, ErrorKind::Malformed);
        for end in [None, Some("")] {
            let mut pager = Pager::new(ReadOperation::GetJobs, &json!({}));
            pager.advance(end, 3).unwrap();
            assert!(pager.is_done());
        }
    }

    #[test]
    fn empty_pages_with_tokens_are_legal_but_bounded() {
        let mut pager = Pager::new(ReadOperation::GetTables, &json!({}));
        let end = (0..=EMPTY_PAGES_MAX + 1).find_map(|page| pager.advance(Some(&page.to_string()), 0).err());
        assert_eq!(end.unwrap().kind, ErrorKind::Malformed);
    }
}
