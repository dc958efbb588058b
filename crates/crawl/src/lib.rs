//! The shell of one crawl, shared by everything that crawls: what people ask for, sign-in, the connector, the report.
//!
//! Whoever crawls says what ([`spec`]) and as whom ([`access`]), plugs in a sink, and runs ([`run`]) or checks first ([`preflight`]). How
//! it went is a report ([`report`]) or a failure ([`failure`]). Nothing here knows of a terminal, of a place where results are kept, or of
//! the time: the first two are the caller's, the third is a parameter.

pub mod access;
pub mod failure;
pub mod preflight;
pub mod report;
pub mod run;
pub mod spec;
#[cfg(test)]
mod testing;

pub use access::{Access, Credentials, Role};
pub use failure::{Blame, Failure, FailureKind};
pub use run::{Crawled, KnownConnection, Plugs, Reader, crawl};
pub use spec::{Connector, CrawlSettings, CrawlSpec, GlueSpec, SmusSpec, SpecError};
