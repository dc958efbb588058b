//! Paging: one request after the other until the service gives no token, with every trap of tokens and empty pages guarded.

use std::collections::HashSet;

use bytes::Bytes;
use model::SourceHash;

use crate::port::{ApiError, ErrorKind, ReadApi, ReadOperation, ReadRequest};
use crate::progress::Progress;

/// The most pages of one listing: a hundred times what the largest database may have.
const PAGES_MAX: usize = 200_000;

/// How many empty pages in a row may carry a token before the listing counts as broken.
const EMPTY_PAGES_MAX: u32 = 1_000;

/// How often a page is asked for again when its body cannot be understood.
const MALFORMED_RETRIES: u32 = 2;

/// Where a listing is between its pages.
#[derive(Debug)]
pub(crate) struct Tokens {
    operation: ReadOperation,
    token: Option<String>,
    seen: HashSet<u64>,
    empty_pages: u32,
    is_done: bool,
    has_restarted: bool,
}

impl Tokens {
    /// A listing from its first page.
    pub(crate) fn new(operation: ReadOperation) -> Self {
        Self { operation, token: None, seen: HashSet::new(), empty_pages: 0, is_done: false, has_restarted: false }
    }

    /// Whether the last page has been read.
    pub(crate) fn is_done(&self) -> bool {
        self.is_done
    }

    /// The token of the next page; none for the first one.
    pub(crate) fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }

    /// Whether the listing can begin again: it is beyond its first page, and has not begun again before.
    pub(crate) fn can_restart(&self) -> bool {
        self.token.is_some() && !self.has_restarted
    }

    /// Begins again at the first page.
    pub(crate) fn restart(&mut self) {
        *self = Self { has_restarted: true, ..Self::new(self.operation) };
    }

    /// Takes the token of a page that was read. A missing or empty one ends the listing.
    ///
    /// # Errors
    /// When the token was given before (the listing would go round for ever), or when too many pages are empty.
    pub(crate) fn advance(&mut self, next_token: Option<&str>, items: usize) -> Result<(), ApiError> {
        let Some(token) = next_token.filter(|token| !token.is_empty()) else {
            self.is_done = true;
            return Ok(());
        };
        self.empty_pages = if items == 0 { self.empty_pages + 1 } else { 0 };
        if !self.seen.insert(SourceHash::of(0, token.as_bytes()).0) {
            return Err(malformed(self.operation, "the service gave the same page token twice; the listing would never end"));
        }
        if self.empty_pages > EMPTY_PAGES_MAX || self.seen.len() > PAGES_MAX {
            return Err(malformed(self.operation, "the service gives pages without end"));
        }
        self.token = Some(token.to_owned());
        Ok(())
    }
}

/// An answer that is not what the API promises.
pub(crate) fn malformed(operation: ReadOperation, message: &str) -> ApiError {
    ApiError {
        operation,
        kind: ErrorKind::Malformed,
        code: None,
        message: message.to_owned(),
        suggested_action: "Run the crawl again; if it happens again, look for a proxy or gateway that changes answers.".to_owned(),
        source: None,
    }
}

/// Sends a request and has `take` make something of the answer's bytes. A body that `take` cannot understand is asked for
/// again, a bounded number of times.
pub(crate) async fn read_understood<A: ReadApi, T>(
    api: &A,
    progress: &Progress,
    request: impl Fn() -> ReadRequest,
    take: impl Fn(&Bytes) -> Result<T, serde_json::Error>,
) -> Result<(Bytes, T), ApiError> {
    let mut attempt = 0;
    loop {
        let request = request();
        let operation = request.operation;
        let body = api.read(request).await?;
        match take(&body) {
            Ok(taken) => {
                progress.page_read();
                return Ok((body, taken));
            }
            Err(_) if attempt < MALFORMED_RETRIES => attempt += 1,
            Err(error) => {
                // serde's message names the place and the kind of fault, never a value of a string; still it is cut to that.
                let place = format!("the answer is not in the documented form (line {}, column {})", error.line(), error.column());
                return Err(malformed(operation, &place));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listing_ends_without_a_token_and_fails_when_one_repeats() {
        let mut tokens = Tokens::new(ReadOperation::GetJobs);
        tokens.advance(Some("a"), 1).unwrap();
        tokens.advance(Some("b"), 0).unwrap();
        assert_eq!(tokens.advance(Some("a"), 1).unwrap_err().kind, ErrorKind::Malformed);
        for end in [None, Some("")] {
            let mut tokens = Tokens::new(ReadOperation::GetJobs);
            tokens.advance(end, 3).unwrap();
            assert!(tokens.is_done());
        }
    }

    #[test]
    fn empty_pages_with_tokens_are_legal_but_bounded() {
        let mut tokens = Tokens::new(ReadOperation::GetTables);
        let end = (0..=EMPTY_PAGES_MAX + 1).find_map(|page| tokens.advance(Some(&page.to_string()), 0).err());
        assert_eq!(end.unwrap().kind, ErrorKind::Malformed);
    }
}
