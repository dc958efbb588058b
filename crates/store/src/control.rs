//! What the control plane knows besides the catalog: people, how they prove who they are, what is secret, who did what; and its work:
//! what is crawled when, by whom, and what people say of what was found.
//!
//! A change that somebody asks for names its author ([`Audit`]) and is written together with its entry in the audit log, in one
//! transaction. Only housekeeping has none: that a session was seen, that something which had expired was deleted, that a request is
//! being worked on; and what schedules and workers do, which is told by the runs.

mod administrators;
mod alerts;
mod archive_connection;
pub(crate) mod audit;
mod audit_log;
mod bootstrap;
mod cancel;
mod claim;
mod confirm;
mod connections;
mod credential;
mod credential_write;
mod enqueue;
mod enrichment;
pub(crate) mod enrichment_words;
mod events;
mod expire;
mod fence;
mod guard;
mod hand_back;
mod idempotency;
mod ids;
mod inbox;
mod page;
mod pages;
mod password_upgrade;
mod purge;
mod queues;
pub(crate) mod removals;
mod retention;
mod rewrap;
mod runtime_enrolment;
mod runtime_tasks;
mod runtimes;
mod secret;
mod session;
mod setup;
mod slots;
mod text;
mod token;
mod token_find;
mod user;
mod user_write;
mod versions;
mod workflows;

pub use alerts::{AlertDelivery, AlertDeliveryId, AlertEnd, NewAlert};
pub use archive_connection::ArchivedConnection;
pub use audit::{Actor, Audit, AuditEvent, AuditTarget, AuditVia};
pub use audit_log::{AuditEntry, AuditFilter};
pub use bootstrap::{Bootstrap, BootstrapToken};
pub use cancel::Cancellation;
pub use claim::{Heartbeat, JobKind, Lease};
pub use connections::{ConnectionProfile, ManagedConnection};
pub use credential::{Credential, StoredSecret};
pub use credential_write::{CredentialEdit, NewCredential, SecretEdit};
pub use enqueue::Enqueued;
pub use enrichment::{Certificate, Enrichment, EnrichmentText};
pub use events::{NewEvent, RunEvent};
pub use expire::{Expired, Fate};
pub(crate) use fence::Fence;
pub use fence::Standing;
pub use hand_back::JobEnd;
pub use idempotency::{Answer, Claim, IdempotencyKey, RequestHash};
pub use ids::{AuditId, CredentialId, JobId, RunsOn, RuntimeId, TaskId, TokenId, UserId, WorkflowId};
pub use inbox::{InboxBatch, InboxEnd, InboxQuestion, Received};
pub use page::{Page, PageRequest};
pub use queues::QueueLength;
pub use removals::ConnectionRemoval;
pub use runtime_enrolment::{Enrolment, NewEnrolment, RuntimeKey, RuntimeSignIn};
pub use runtime_tasks::{Task, TaskState};
pub use runtimes::{Runtime, RuntimeNews, RuntimeState};
pub use secret::{PasswordHash, SealedSecret, SecretHash};
pub use session::{NewSession, Session, SignedIn};
pub use setup::{NewAdministrator, NewSetupLink};
pub use slots::Slot;
pub use token::{NewToken, Token};
pub use token_find::TokenOwner;
pub use user::{OidcIdentity, Role, User, UserState};
pub use user_write::{NewUser, OidcSignIn, RoleGrant, UserEdit};
pub use workflows::{PreflightGate, Schedule, Workflow, WorkflowSpec};

/// Rows that one pruning deletes at most, so that others are not kept waiting: what is left goes with the next one.
const PRUNED_ROWS_MAX: i64 = 10_000;

/// How often it is written down that a session or a token is in use, milliseconds.
const SEEN_EVERY_MS: i64 = 60_000;
