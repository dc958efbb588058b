//! The bytes that cross between a self-deployed runtime and the control plane, version 1.
//!
//! JSON over HTTPS, always asked for by the runtime; assets travel as batches of NDJSON under zstd. Golden files in `testdata/v1` hold
//! what runtimes of this version send and understand: a newer control plane must go on reading them. Both sides leave out what they do
//! not know, so that a field may be added; a field that changes its meaning needs version 2.
//!
//! ```text
//! POST /runtime/v1/enroll                      EnrollRequest     -> Enrolled           once, with a one-time token
//! POST /runtime/v1/token                       form (RFC 6749)   -> TokenAnswer        with a signed assertion (RFC 7523)
//! POST /runtime/v1/lease                       LeaseRequest      -> LeaseAnswer        long poll
//! POST /runtime/v1/heartbeat                   Heartbeat         -> HeartbeatAnswer
//! PUT  /runtime/v1/batches/{run}/{sequence}    NDJSON, zstd      -> BatchAnswer        idempotent
//! POST /runtime/v1/questions/{run}/{number}    QuestionRequest   -> QuestionAnswer     idempotent; asked again until it is answered
//! POST /runtime/v1/preflight                   PreflightReport   -> 204
//! POST /runtime/v1/logs                        LogLines          -> 204
//! POST /runtime/v1/finish                      Finish            -> 204                idempotent
//! POST /runtime/v1/tasks/{id}                  TaskResult        -> 204                idempotent
//! ```

pub mod assertion;
pub mod batch;
mod beat;
mod enroll;
mod finish;
mod ids;
mod log;
mod problem;
mod question;
mod task;
mod work;

pub use batch::{BatchDigest, DecodeError, EncodedBatch};
pub use beat::{Command, Heartbeat, HeartbeatAnswer, Progress, Spooled};
pub use enroll::{EnrollRequest, Enrolled, TokenAnswer, TokenError};
pub use finish::{BatchAnswer, Blame, Ending, Failure, Finish, PreflightReport, ScopeRead};
pub use ids::{LeaseId, Sequence, TaskId};
pub use log::{LOG_LINES_MAX, LOG_TEXT_BYTES_MAX, LogLevel, LogLine, LogLines};
pub use problem::{Code, Problem};
pub use question::{Answer, Known, MissingLine, Question, QuestionAnswer, QuestionRequest, Slice};
pub use task::{CatalogDatabases, TaskAction, TaskOutcome, TaskResult};
pub use work::{
    CrawlJob, CredentialReference, FieldValue, Gate, KeyType, Lease, LeaseAnswer, LeaseRequest, RuntimeMode, SourceJob, TaskJob,
    Work,
};

/// The version of the protocol.
pub const PROTOCOL: u32 = 1;

/// The header of an upload that names the lease under which it is sent.
pub const LEASE_HEADER: &str = "isinglass-lease";

/// The header of an upload with the digest of its content before it is compressed (`Repr-Digest` of RFC 9530 would be of the
/// compressed bytes; what must be whole is what is read): `sha-256=:<base64>:`.
pub const DIGEST_HEADER: &str = "isinglass-digest";

/// The media type of a batch.
pub const BATCH_MEDIA_TYPE: &str = "application/x-ndjson";

/// The most seconds that a control plane holds a lease request or a question back before it answers.
pub const LONG_POLL_SECONDS_MAX: u64 = 25;

#[cfg(test)]
mod golden;
