//! SageMaker Unified Studio (the Amazon DataZone APIs): what is read ([`page`]), what it becomes ([`map`]), in which order ([`crawl`]).

mod crawl;
mod form;
mod map;
mod naming;
pub(crate) mod page;
mod preflight;
mod settings;
mod smithy;
mod terms;

pub use crawl::crawl;
pub use preflight::preflight;
pub use settings::{Keep, ProjectFilter, Section, Settings, operations};

/// The connector's short name in qualified names.
pub const CONNECTOR: &str = "aws-smus";

/// A hash of an id, where thousands of ids have to be remembered.
fn hash(id: &str) -> u64 {
    model::SourceHash::of(0, id.as_bytes()).0
}
