//! Numbers of what the control plane keeps, none of which is ever given to something else, and the names of queues.

use std::fmt;

use crate::{Result, StoreError};

macro_rules! id {
    ($(#[$doc:meta] $name:ident),+ $(,)?) => {
        $(
            #[$doc]
            #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
            pub struct $name(pub i64);

            impl fmt::Display for $name {
                fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    write!(f, "{}", self.0)
                }
            }
        )+
    };
}

id! {
    /// The number of a user.
    UserId,
    /// The number of a stored credential.
    CredentialId,
    /// The number of an API token.
    TokenId,
    /// The number of an entry of the audit log.
    AuditId,
    /// The number of a workflow.
    WorkflowId,
    /// The number of a job.
    JobId,
    /// The number of a runtime.
    RuntimeId,
    /// The number of a question that is asked through a runtime.
    TaskId,
}

/// Where the crawls of a connection run; also the name of their queue.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RunsOn {
    /// On the server.
    Direct,
    /// On the runtime of this name.
    Runtime(String),
}

const DIRECT: &str = "direct";
const RUNTIME: &str = "runtime:";

impl RunsOn {
    /// The name of the queue.
    #[must_use]
    pub fn queue(&self) -> String {
        match self {
            Self::Direct => DIRECT.to_owned(),
            Self::Runtime(name) => format!("{RUNTIME}{name}"),
        }
    }

    /// From the name of a stored queue.
    pub(crate) fn from_queue(queue: &str) -> Result<Self> {
        match queue.strip_prefix(RUNTIME) {
            Some(name) => Ok(Self::Runtime(name.to_owned())),
            None if queue == DIRECT => Ok(Self::Direct),
            None => Err(StoreError::corrupt(format!("there is no queue `{queue}`"))),
        }
    }
}

impl RuntimeId {
    /// What a runtime is called as the holder of a lease.
    #[must_use]
    pub fn holder(self) -> String {
        format!("runtime {}", self.0)
    }
}
