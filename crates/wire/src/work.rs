//! What a runtime is asked to do.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::ids::{LeaseId, TaskId};
use crate::task::TaskAction;

/// `POST /runtime/v1/lease`: the runtime has room for one more piece of work. It is answered when there is one, or after
/// `wait_seconds`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LeaseRequest {
    /// [`crate::PROTOCOL`].
    pub protocol: u32,
    /// The version of the program.
    pub version: String,
    /// Crawls that it would take on now. At 0 it asks for tasks only.
    pub crawl_slots: u32,
    /// Crawls that it works on at most.
    pub capacity: u32,
    /// What it is about.
    pub mode: RuntimeMode,
    /// Leases that it works on: one that went back to the queue meanwhile is given again before anything else is.
    #[serde(default)]
    pub holding: Vec<LeaseId>,
    /// How long the control plane may wait for work, at most [`crate::LONG_POLL_SECONDS_MAX`].
    pub wait_seconds: u64,
}

/// What a runtime is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RuntimeMode {
    /// It takes work.
    Running,
    /// It finishes what it has and takes no more.
    Draining,
}

/// The answer to [`LeaseRequest`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LeaseAnswer {
    /// Something to do, if there is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub work: Option<Work>,
}

/// Something to do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Work {
    /// A crawl, under a lease.
    Crawl {
        /// The lease.
        lease: Lease,
        /// What to crawl.
        job: Box<CrawlJob>,
    },
    /// A question that somebody waits for.
    Task(Box<TaskJob>),
}

/// A lease on a run. It lasts as long as heartbeats arrive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Lease {
    /// Shown with everything that is sent for the run.
    pub id: LeaseId,
    /// The number of the run.
    pub run: i64,
    /// Which attempt of the run, from 1.
    pub attempt: u32,
    /// How often to send a heartbeat.
    pub heartbeat_seconds: u64,
    /// How long the lease lasts without one. When it has passed, somebody else may have the run, and the control plane says so.
    pub lease_seconds: u64,
}

/// A source and how to sign in there, which crawls and tasks have in common.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SourceJob {
    /// `glue` or `aws-smus`.
    pub connector: String,
    /// What people call the connection.
    pub connection: String,
    /// The AWS region; else what the credential or the runtime's own environment says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// How to sign in.
    pub credential: CredentialReference,
}

/// A crawl.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CrawlJob {
    /// Where.
    #[serde(flatten)]
    pub source: SourceJob,
    /// The number in qualified names.
    pub connection_number: u64,
    /// The account that the connection led to before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// What to crawl, as the connector's form has it: `{"include": […]}`.
    pub settings: Value,
    /// Whether to check first, and what follows.
    pub preflight: Gate,
    /// Whether the catalog has nothing of this connection yet.
    pub is_first: bool,
}

/// What a check before a crawl decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Gate {
    /// Nothing is checked.
    Off,
    /// What is found is told; the crawl goes on.
    Soft,
    /// A refusal of the source ends the run.
    Hard,
}

/// How to sign in, by names: what is behind them never crosses.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CredentialReference {
    /// `iam` (an access key), `role` (a role that whatever the runtime runs as assumes) or `ambient` (whatever the runtime runs as).
    pub auth_type: String,
    /// The secret store, by its name in the runtime's configuration; absent for the one that is the default there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_store: Option<String>,
    /// The entry that holds all keys; for [`KeyType::MultiKey`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_path: Option<String>,
    /// Whether one entry holds several keys, or one value.
    #[serde(default)]
    pub key_type: KeyType,
    /// By field (`username`, `password`, `session_token`, `region`, `aws_role_arn`, `aws_external_id`): its value or where it is.
    #[serde(default)]
    pub values: BTreeMap<String, FieldValue>,
}

/// Whether one entry of a secret store holds several keys, or one value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeyType {
    /// One entry, several keys: a field names its key.
    #[default]
    MultiKey,
    /// An entry for each value: a field names its entry.
    SingleKey,
}

/// The value of a field, or where it is. Nothing is guessed: a name that the store does not know is an error, never a value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum FieldValue {
    /// The name of a key or of an entry.
    Secret(String),
    /// The value itself, which is no secret.
    Literal(String),
}

/// A question that somebody waits for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TaskJob {
    /// Which one.
    pub id: TaskId,
    /// How long the answer may take; later nobody waits for it.
    pub within_seconds: u64,
    /// What is asked.
    pub action: TaskAction,
    /// Of whom.
    #[serde(flatten)]
    pub source: SourceJob,
}
