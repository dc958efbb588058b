//! What the crawls of all connectors have in common: what they are plugged into, and how they say how it went.

pub(crate) mod absence;
mod findings;

use model::{KnownAsset, ScopeReport, Warning};

use crate::MaskedCounts;
use crate::port::{ApiError, SinkError};
use crate::progress::Progress;

pub use findings::Failure;
pub(crate) use findings::Findings;

/// What a crawl is plugged into.
#[derive(Debug)]
pub struct Ports<'p, A, S, B> {
    /// Sends reads.
    pub api: &'p A,
    /// Takes assets.
    pub sink: &'p S,
    /// Knows earlier runs.
    pub baseline: &'p B,
    /// Counts along.
    pub progress: &'p Progress,
    /// Counts what was masked.
    pub masked: &'p MaskedCounts,
}

/// Why a crawl ended before its time. What was delivered stays; no scope counts as read.
#[derive(Debug, thiserror::Error)]
pub enum CrawlError {
    /// Nothing else can work either.
    #[error(transparent)]
    Api(#[from] ApiError),
    /// The results have nowhere to go.
    #[error(transparent)]
    Sink(#[from] SinkError),
}

/// How a crawl went.
#[derive(Debug, Default)]
pub struct CrawlResult {
    /// Every scope that was begun, and whether it was read to the end.
    pub scopes: Vec<ScopeReport>,
    /// Parts that could not be read.
    pub failures: Vec<Failure>,
    /// Oddities.
    pub warnings: Vec<Warning>,
    /// How many warnings beyond the bound were left out.
    pub warnings_left_out: u64,
    /// Assets of a store that are proven to be gone.
    pub gone: Vec<KnownAsset>,
    /// Whether any page was read at all.
    pub read_anything: bool,
    /// The account that was crawled, where it became known.
    pub account: Option<String>,
}
