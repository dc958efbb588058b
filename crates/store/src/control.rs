//! The control plane's work: what is crawled when, by whom, and what people say of what was found.

mod administrators;
mod archive_connection;
mod cancel;
mod claim;
mod confirm;
mod connections;
mod enqueue;
mod enrichment;
mod enrichment_words;
mod events;
mod expire;
mod fence;
mod hand_back;
mod ids;
mod pages;
mod purge;
mod retention;
mod slots;
mod versions;
mod workflows;

pub use archive_connection::ArchivedConnection;
pub use cancel::Cancellation;
pub use claim::{Heartbeat, JobKind, Lease};
pub use connections::{ConnectionProfile, ManagedConnection};
pub use enqueue::Enqueued;
pub use enrichment::{Enrichment, EnrichmentText};
pub use events::{NewEvent, RunEvent};
pub use expire::{Expired, Fate};
pub(crate) use fence::Fence;
pub use hand_back::JobEnd;
pub use ids::{CredentialId, JobId, RunsOn, UserId, WorkflowId};
pub use slots::Slot;
pub use workflows::{PreflightGate, Schedule, Workflow, WorkflowSpec};
