//! The checks before a crawl as data, for a terminal and for an API alike; and what a form asks of a connection: whether sign-in works,
//! which databases there are.

use connector::port::{ErrorKind, ReadOperation};
use connector::{Check, CheckState, glue, smus};
use serde::{Deserialize, Serialize};

pub use connector::glue::{CatalogDatabases, DatabaseList};

use crate::access::Access;
use crate::failure::{Blame, Failure, FailureKind};
use crate::run::Reader;
use crate::spec::CrawlSettings;

/// The name of the check of the credentials.
const SIGN_IN: &str = "sign-in";

/// Tells the time in milliseconds since 1970 UTC, for how long a check took.
pub type NowMs<'n> = &'n (dyn Fn() -> i64 + Sync);

/// One check, done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CheckReport {
    /// What was checked, in a word or two.
    pub name: String,
    /// How it ended.
    pub state: CheckState,
    /// What was found.
    pub message: String,
    /// What to do; empty where nothing need be done.
    pub remedy: String,
    /// How long it took, milliseconds.
    pub duration_ms: u64,
    /// The read that failed, where one did.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub error: Option<CheckFailure>,
}

/// The read that a check failed at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CheckFailure {
    /// `service:Operation`.
    pub operation: String,
    /// The `category` of reports.
    pub category: String,
    /// Whether the same read may succeed later without a change.
    pub retryable: bool,
    /// Whose matter it is.
    pub blame: Blame,
}

/// Whether the credentials work, and who they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignInTest {
    /// The check.
    pub check: CheckReport,
    /// The ARN of the session or the user, where it is known.
    pub arn: Option<String>,
    /// Its account, where it is known.
    pub account: Option<String>,
}

impl CheckReport {
    fn new(check: Check, duration_ms: u64) -> Self {
        let Check { name, state, message, remedy, error } = check;
        let error = error.map(|error| CheckFailure {
            operation: error.operation.to_string(),
            category: error.kind.category().to_owned(),
            retryable: error.kind.is_retryable(),
            blame: Blame::of(error.kind),
        });
        Self { name: name.to_owned(), state, message, remedy, duration_ms, error }
    }

    /// Whether the source is what stands in the way: a gate before a crawl closes on that, and stays open where the plumbing is at fault.
    #[must_use]
    pub fn is_refusal(&self) -> bool {
        self.state == CheckState::Failed && self.error.as_ref().is_none_or(|error| error.blame != Blame::Plumbing)
    }

    /// A check that failed, as why a run fails.
    #[must_use]
    pub fn as_failure(&self) -> Failure {
        const KINDS: [ErrorKind; 5] =
            [ErrorKind::Denied, ErrorKind::NotFound, ErrorKind::Credentials, ErrorKind::Invalid, ErrorKind::Refused];
        let category = self.error.as_ref().map_or("", |error| error.category.as_str());
        let kind = KINDS.into_iter().find(|kind| kind.category() == category).map_or(FailureKind::Input, FailureKind::Api);
        Failure::new(kind, format!("the check \"{}\" before the run failed: {}", self.name, self.message), self.remedy.clone())
    }
}

/// What checks come to, in a word: `passed`, `warning`, `failed`, or `unknown` where the plumbing kept them from being made. `failure` is
/// what closes a gate, if anything does.
#[must_use]
pub fn result_of(checks: &[CheckReport], failure: Option<&Failure>) -> &'static str {
    match failure {
        Some(failure) if failure.blame() == Blame::Plumbing => "unknown",
        Some(_) => "failed",
        None if checks.iter().any(|check| check.state == CheckState::Failed) => "unknown",
        None if checks.iter().any(|check| check.state == CheckState::Warning) => "warning",
        None => "passed",
    }
}

/// Runs the checks of a connector, sign-in first; without it no other check can pass, and none is tried.
///
/// # Errors
/// Something in the access cannot be used, or the credentials stopped to work between two checks.
pub async fn preflight(access: &Access, settings: &CrawlSettings, now_ms: NowMs<'_>) -> Result<Vec<CheckReport>, Failure> {
    let mut operations = settings.operations(access.has_role());
    if !access.has_role() && !operations.contains(&ReadOperation::GetCallerIdentity) {
        operations.push(ReadOperation::GetCallerIdentity);
    }
    let reader = Reader::connect_for(access, settings.connection_name(), &operations).await?;
    let sign_in = check_sign_in(&reader, now_ms).await.check;
    let can_go_on = sign_in.state != CheckState::Failed;
    let mut checks = vec![sign_in];
    if can_go_on {
        let mut began = now_ms();
        let mut done = |check| {
            let now = now_ms();
            checks.push(CheckReport::new(check, elapsed(began, now)));
            began = now;
        };
        match settings {
            CrawlSettings::Glue(settings) => glue::preflight(reader.client(), settings, &mut done).await,
            CrawlSettings::Smus(settings) => {
                let settings = smus::Settings { identity_arn: reader.identity().await?, ..settings.clone() };
                smus::preflight(reader.client(), &settings, &mut done).await;
            }
        }
    }
    Ok(checks)
}

/// Signs in and does nothing else. `connection` is what the session is named after.
///
/// # Errors
/// Something in the access cannot be used. That sign-in fails is no error: the check says so.
pub async fn test_sign_in(access: &Access, connection: &str, now_ms: NowMs<'_>) -> Result<SignInTest, Failure> {
    let reader = Reader::connect_for(access, connection, &[sign_in_operation(access)]).await?;
    Ok(check_sign_in(&reader, now_ms).await)
}

/// The databases of Glue by catalog, up to a bound. `connection` is what the session is named after.
///
/// # Errors
/// Something in the access cannot be used, or nothing can be read.
pub async fn list_databases(access: &Access, connection: &str) -> Result<DatabaseList, Failure> {
    let operations = [sign_in_operation(access), ReadOperation::GetCatalogs, ReadOperation::GetDatabases];
    let reader = Reader::connect_for(access, connection, &operations).await?;
    reader.client().sign_in().await?;
    let list = glue::list_databases(reader.client()).await?;
    match list.failures.first() {
        Some(failure) if list.catalogs.is_empty() => Err(Failure::from_api(&failure.error)),
        _ => Ok(list),
    }
}

const fn sign_in_operation(access: &Access) -> ReadOperation {
    if access.has_role() { ReadOperation::AssumeRole } else { ReadOperation::GetCallerIdentity }
}

/// With a role, assuming it is the proof. With plain keys STS is asked who they are; where STS cannot be reached (a crawl with
/// plain keys does not need it), the service's own answer is the proof.
async fn check_sign_in(reader: &Reader, now_ms: NowMs<'_>) -> SignInTest {
    let began = now_ms();
    let (check, arn, account) = match reader.client().sign_in().await {
        Err(error) => (Check::failed(SIGN_IN, &error), None, None),
        Ok(sign_in) if reader.has_role() => {
            let who = sign_in.arn.as_deref().unwrap_or("the role");
            (Check::passed(SIGN_IN, format!("signed in as {who}")), sign_in.arn.clone(), sign_in.account)
        }
        Ok(_) => match reader.client().caller_identity().await {
            Ok(identity) => {
                (Check::passed(SIGN_IN, format!("signed in as {}", identity.arn)), Some(identity.arn), Some(identity.account))
            }
            Err(error) if error.kind == ErrorKind::Credentials => (Check::failed(SIGN_IN, &error), None, None),
            Err(error) => (Check { state: CheckState::Warning, ..Check::failed(SIGN_IN, &error) }, None, None),
        },
    };
    SignInTest { check: CheckReport::new(check, elapsed(began, now_ms())), arn, account }
}

/// A clock that is set back must not make a check take for ever.
fn elapsed(began: i64, now: i64) -> u64 {
    u64::try_from(now.saturating_sub(began)).unwrap_or(0)
}

#[cfg(test)]
mod tests;
