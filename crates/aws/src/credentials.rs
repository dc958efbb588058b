//! Who signs: base credentials (given keys, a profile, the chain), and on top of them a role's session if one is asked for.
//!
//! With plain keys nothing is sent to STS. A role's session carries an inline policy with exactly the read actions of the
//! run, so that even an administrator's role can only read.

pub(crate) mod cache;
pub(crate) mod chain;
pub(crate) mod profiles;
pub(crate) mod sts;

use std::error::Error;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use connector::port::{ApiError, ErrorKind, ReadOperation};

use crate::call::Calls;
use crate::classify::scrub;
use crate::network::fault::{FaultKind, NetworkFault};
use crate::policy_document::session_policy;
use crate::settings::{AssumeRole, StaticKeys};
use cache::{Cache, Fetched, Held, Need};
use chain::Refusal;

/// The longest inline session policy that STS takes (AssumeRole, parameter `Policy`).
const SESSION_POLICY_CHARACTERS_MAX: usize = 2048;
/// How long the whole chain may take, sign-in services included.
const CHAIN_MAX: Duration = Duration::from_secs(30);

/// Gives the credentials that a request is signed with.
pub(crate) trait IdentitySource: Send + Sync {
    /// Credentials as `need` says, for a request of `operation`.
    fn held(&self, need: Need, operation: ReadOperation) -> impl Future<Output = Result<Arc<Held>, ApiError>> + Send;

    /// Whether other credentials can be had at all.
    fn is_renewable(&self) -> bool;
}

/// The credentials before any role.
#[derive(Debug)]
pub(crate) struct Base {
    origin: Origin,
    cache: Cache,
}

#[derive(Debug)]
pub(crate) enum Origin {
    Keys(Credentials),
    /// A provider, and what to say when it has none.
    Provider {
        provider: SharedCredentialsProvider,
        searched: String,
        refusal: Refusal,
    },
}

impl Origin {
    pub(crate) fn keys(keys: &StaticKeys) -> Self {
        let token = keys.session_token.as_ref().map(|token| token.expose().to_owned());
        Self::Keys(Credentials::new(&keys.access_key_id, keys.secret_access_key.expose(), token, None, "given keys"))
    }
}

impl Base {
    pub(crate) const fn new(origin: Origin, cache: Cache) -> Self {
        Self { origin, cache }
    }

    async fn fetch(&self, operation: ReadOperation) -> Result<Fetched, ApiError> {
        let (provider, searched, refusal) = match &self.origin {
            Origin::Keys(keys) => return Ok(Fetched { credentials: keys.clone(), arn: None }),
            Origin::Provider { provider, searched, refusal } => (provider, searched, refusal),
        };
        refusal.take();
        match tokio::time::timeout(CHAIN_MAX, provider.provide_credentials()).await {
            Ok(Ok(credentials)) => Ok(Fetched { credentials, arn: None }),
            Ok(Err(error)) => Err(no_credentials(operation, searched, refusal.take(), error)),
            Err(_) => Err(credentials_error(
                operation,
                format!("the AWS credentials were not found within {} s ({searched})", CHAIN_MAX.as_secs()),
                "check the network of the sign-in service, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
            )),
        }
    }
}

impl IdentitySource for Base {
    async fn held(&self, need: Need, operation: ReadOperation) -> Result<Arc<Held>, ApiError> {
        self.cache.get(need, || self.fetch(operation)).await
    }

    fn is_renewable(&self) -> bool {
        matches!(self.origin, Origin::Provider { .. })
    }
}

/// How far the session's rights are cut down, for reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionScope {
    /// An inline session policy allows the read actions of the run and nothing else.
    ReadActions,
    /// A role without the policy, since STS did not take it: the role's own rights apply. A warning says why.
    WholeRole,
    /// No role: a policy cannot be laid over keys. The gate of this program is the only wall.
    Keys,
}

/// The credentials of a run.
#[derive(Debug)]
pub(crate) struct Session {
    base: Base,
    role: Option<RoleSession>,
}

#[derive(Debug)]
struct RoleSession {
    role: AssumeRole,
    policy: String,
    is_policy_dropped: AtomicBool,
    cache: Cache,
    calls: Arc<Calls>,
}

impl Session {
    pub(crate) fn new(
        base: Base,
        role: Option<AssumeRole>,
        operations: &[ReadOperation],
        cache: Cache,
        calls: &Arc<Calls>,
    ) -> Self {
        let role = role.map(|role| RoleSession {
            role,
            policy: session_policy(operations),
            is_policy_dropped: AtomicBool::new(false),
            cache,
            calls: Arc::clone(calls),
        });
        Self { base, role }
    }

    pub(crate) fn scope(&self) -> SessionScope {
        match &self.role {
            None => SessionScope::Keys,
            Some(role) if role.is_policy_dropped.load(Ordering::Relaxed) => SessionScope::WholeRole,
            Some(_) => SessionScope::ReadActions,
        }
    }

    pub(crate) const fn has_role(&self) -> bool {
        self.role.is_some()
    }
}

impl IdentitySource for Session {
    async fn held(&self, need: Need, operation: ReadOperation) -> Result<Arc<Held>, ApiError> {
        match &self.role {
            None => self.base.held(need, operation).await,
            Some(role) => role.cache.get(need, || role.assume(&self.base)).await,
        }
    }

    fn is_renewable(&self) -> bool {
        self.role.is_some() || self.base.is_renewable()
    }
}

impl RoleSession {
    async fn assume(&self, base: &Base) -> Result<Fetched, ApiError> {
        let length = self.policy.chars().count();
        if length > SESSION_POLICY_CHARACTERS_MAX {
            self.drop_policy(&format!("it has {length} characters where STS takes {SESSION_POLICY_CHARACTERS_MAX}"));
        }
        if self.is_policy_dropped.load(Ordering::Relaxed) {
            return self.call(base, None).await;
        }
        match self.call(base, Some(&self.policy)).await {
            Err(error) if is_about_policy(&error) => {
                self.drop_policy(&error.message);
                self.call(base, None).await
            }
            result => result,
        }
    }

    async fn call(&self, base: &Base, policy: Option<&str>) -> Result<Fetched, ApiError> {
        let request = sts::assume_role_request(&self.role, policy);
        let body = self.calls.call(&request, base).await.map_err(|error| self.explain(error))?;
        let assumed = sts::read_assumed(&body).map_err(|error| ApiError {
            operation: ReadOperation::AssumeRole,
            kind: ErrorKind::Malformed,
            code: None,
            message: error.to_string(),
            suggested_action: "look for a proxy on the way that answers in the place of STS".to_owned(),
            source: Some(Box::new(error)),
        })?;
        Ok(Fetched { credentials: assumed.credentials, arn: assumed.arn })
    }

    fn drop_policy(&self, why: &str) {
        if !self.is_policy_dropped.swap(true, Ordering::Relaxed) {
            let message = format!(
                "the session was opened without its read-only session policy: {}. The role's own rights apply; this program still sends \
                 nothing but its reads",
                why.trim_end_matches('.')
            );
            tracing::warn!("{message}");
            self.calls.evidence.warn("sts:AssumeRole", "session-policy-omitted", message);
        }
    }

    /// STS says the same whether the trust policy, the external id or the role's name is wrong.
    fn explain(&self, mut error: ApiError) -> ApiError {
        if error.kind == ErrorKind::Denied {
            let external_id = match self.role.external_id {
                Some(_) => "that the external id given is the one that the trust policy asks for",
                None => "that it asks for no external id (none was given)",
            };
            error.kind = ErrorKind::Credentials;
            error.suggested_action = format!(
                "check that the role {} exists, that its trust policy names the caller, {external_id}, and that the caller's own policy allows \
                 sts:AssumeRole on it; `isinglass policy glue --trust` prints a trust policy",
                self.role.role_arn
            );
        }
        // Without a session nothing else works: the run fails whatever the reason.
        if matches!(error.kind, ErrorKind::Invalid | ErrorKind::NotFound) {
            error.kind = ErrorKind::Credentials;
        }
        error
    }
}

fn is_about_policy(error: &ApiError) -> bool {
    matches!(error.code.as_deref(), Some("MalformedPolicyDocument" | "PackedPolicyTooLarge"))
}

fn no_credentials(operation: ReadOperation, searched: &str, refusal: Option<NetworkFault>, error: CredentialsError) -> ApiError {
    if let Some(fault) = refusal.or_else(|| NetworkFault::find(&error).cloned()) {
        let kind = if fault.kind == FaultKind::Refused { ErrorKind::Refused } else { ErrorKind::Credentials };
        let mut failure =
            credentials_error(operation, format!("the AWS credentials could not be fetched: {fault}"), &fault.suggested_action);
        failure.kind = kind;
        return failure;
    }
    let is_absence = matches!(error, CredentialsError::CredentialsNotLoaded(_));
    let message = if is_absence {
        format!("no AWS credentials were found; searched: {searched}")
    } else {
        format!("the AWS credentials could not be fetched: {}", scrub(&chain_of(&error)))
    };
    let action = if is_absence {
        "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, run `aws configure` or `aws sso login`, name a profile with --profile, or give this \
         machine a role"
    } else {
        "correct what the message names; `aws sts get-caller-identity` shows whether the profile works elsewhere"
    };
    let mut failure = credentials_error(operation, message, action);
    failure.source = Some(Box::new(error));
    failure
}

fn credentials_error(operation: ReadOperation, message: String, action: &str) -> ApiError {
    ApiError { operation, kind: ErrorKind::Credentials, code: None, message, suggested_action: action.to_owned(), source: None }
}

/// An error with its causes, outermost first.
fn chain_of(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(current) = cause {
        let part = current.to_string();
        if !text.contains(&part) {
            text.push_str(": ");
            text.push_str(&part);
        }
        cause = current.source();
    }
    text
}
