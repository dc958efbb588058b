//! What to read from AWS and what it means: Glue now, DataZone beside it.
//!
//! This crate does no IO and reads no clock: it says which operations exist ([`port`]), what is kept of their answers (the
//! page structs are the privacy policy), how a page becomes assets (pure functions), and in which order pages are asked
//! for (the crawl). Whoever runs a crawl plugs in something that sends ([`port::ReadApi`]) and something that takes
//! ([`port::AssetSink`]).

mod check;
mod glob;
pub mod glue;
mod paging;
#[cfg(test)]
mod policy_tests;
pub mod port;
mod privacy;
pub mod progress;
mod run;
pub mod smus;

pub use check::{Check, CheckError, CheckSink, CheckState};
pub use privacy::MaskedCounts;
pub use run::{CrawlError, CrawlResult, Failure, Ports};
