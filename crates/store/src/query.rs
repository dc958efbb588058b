//! Every question that is asked of a catalog. Reads see whole batches only, also in the middle of a crawl.

mod asset;
mod children;
mod export;
mod find;
mod lineage;
mod names;
mod rank;
mod references;
mod resolve;
mod runs;
mod search;
mod twins;

pub use asset::{StoredAsset, Subject};
pub use children::Children;
pub use export::{Archived, ExportCursor, ExportFilter, ExportPage};
pub use find::{Candidate, Found};
pub use lineage::{Direction, Graph, GraphEdge, LineageLevel, LineageQuery, Node};
pub use names::NamedAsset;
pub use rank::Matched;
pub use runs::{RunFilter, RunRef, RunStage, RunState, RunSummary, Trigger};
pub use search::{CertificateCount, ConnectionCount, Highlights, Hit, KindCount, Parent, SearchPage, SearchQuery, Segment};
pub use twins::{Twin, Twins};
