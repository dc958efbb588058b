//! The catalog: the only crate with SQL.
//!
//! [`Store::begin_run`] gives a [`RunWriter`], the one way in for assets; every other method of [`Store`] asks a question.
//! Columns are kept packed inside their table, and what follows from a table (its S3 object, the process between the two) is
//! not kept at all but derived on reading.

mod connections;
mod content;
mod control;
mod db;
mod dialect;
mod error;
mod file;
mod history;
mod identity;
mod ingest;
mod migrations;
mod query;
mod search_text;
mod store;
mod url;
mod word_index;

pub use connections::{Connection, ConnectionId, ConnectionSpec};
pub use control::{
    Actor, AlertDelivery, AlertDeliveryId, AlertEnd, Answer, ArchivedConnection, Audit, AuditEntry, AuditEvent, AuditFilter,
    AuditId, AuditTarget, AuditVia, Bootstrap, BootstrapToken, Cancellation, Certificate, Claim, ConnectionProfile,
    ConnectionRemoval, Credential, CredentialEdit, CredentialId, Enqueued, Enrichment, EnrichmentText, Enrolment, Expired, Fate,
    Heartbeat, IdempotencyKey, InboxBatch, InboxEnd, InboxQuestion, JobEnd, JobId, JobKind, Lease, ManagedConnection,
    NewAdministrator, NewAlert, NewCredential, NewEnrolment, NewEvent, NewSession, NewSetupLink, NewToken, NewUser, OidcIdentity,
    OidcSignIn, Page, PageRequest, PasswordHash, PreflightGate, QueueLength, Received, RequestHash, Role, RoleGrant, RunEvent,
    RunsOn, Runtime, RuntimeId, RuntimeKey, RuntimeNews, RuntimeSignIn, RuntimeState, Schedule, SealedSecret, SecretEdit,
    SecretHash, Session, SignedIn, Slot, Standing, StoredSecret, Task, TaskId, TaskState, Token, TokenId, TokenOwner, User,
    UserEdit, UserId, UserState, Workflow, WorkflowId, WorkflowSpec,
};
pub use error::{Result, StoreError};
pub use history::{ChangeKind, Changed, Diff, DiffCursor, Difference, HistoryEvent};
pub use ingest::{FinishedRun, RemovalPolicy, RunEnd, RunWriter};
pub use query::{
    Archived, Candidate, CertificateCount, Children, ConnectionCount, Direction, ExportCursor, ExportFilter, ExportPage, Found,
    Graph, GraphEdge, Highlights, Hit, KindCount, LineageLevel, LineageQuery, Matched, NamedAsset, Node, Parent, RunFilter, RunRef,
    RunStage, RunState, RunSummary, SearchPage, SearchQuery, Segment, StoredAsset, Subject, Trigger, Twin, Twins,
};
pub use store::{Store, StoreOptions};
pub use url::{CatalogUrl, PostgresUrl};
