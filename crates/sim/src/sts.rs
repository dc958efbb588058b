//! AWS STS: the query protocol in, XML out. Only what a crawler needs, AssumeRole and GetCallerIdentity.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use regex::Regex;

use crate::account::Account;
use crate::clock::iso_8601;
use crate::faults::{FaultKind, Fired};
use crate::identity::{Identity, NewSession};
use crate::policy::SessionPolicy;
use crate::sigv4::percent_decode;

const SESSION_SECONDS_MIN: u32 = 900;
const SESSION_SECONDS_MAX: u32 = 43_200;
const SESSION_SECONDS_DEFAULT: u32 = 3_600;
const CHAINED_SECONDS_MAX: u32 = 3_600;
const POLICY_CHARACTERS_MAX: usize = 2_048;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct StsError {
    pub(crate) code: String,
    pub(crate) status: u16,
    pub(crate) message: String,
}

impl StsError {
    pub(crate) fn new(code: &str, status: u16, message: impl Into<String>) -> Self {
        Self { code: code.to_owned(), status, message: message.into() }
    }

    fn validation(value: &str, member: &str, constraint: &str) -> Self {
        let text = format!(
            "1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint: Member must {constraint}"
        );
        Self::new("ValidationError", 400, text)
    }

    pub(crate) fn body(&self, request_id: &str) -> Vec<u8> {
        let kind = if self.status >= 500 { "Receiver" } else { "Sender" };
        format!(
            "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Type>{kind}</Type><Code>{}</Code><Message>{}</Message></Error><RequestId>{request_id}</RequestId></ErrorResponse>",
            escape(&self.code),
            escape(&self.message),
        )
        .into_bytes()
    }
}

/// The parameters of a query-protocol request.
#[derive(Clone, Debug, Default)]
pub(crate) struct Form {
    members: BTreeMap<String, String>,
}

impl Form {
    pub(crate) fn parse(body: &[u8]) -> Self {
        let text = String::from_utf8_lossy(body);
        let decoded = |part: &str| String::from_utf8_lossy(&percent_decode(&part.replace('+', " "))).into_owned();
        let pairs = text.split('&').filter_map(|pair| pair.split_once('='));
        Self { members: pairs.map(|(name, value)| (decoded(name), decoded(value))).collect() }
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.members.get(name).map(String::as_str)
    }

    /// What was asked, with the policy only named.
    pub(crate) fn summary(&self) -> String {
        let shown = self.members.iter().filter(|(name, _)| !["Action", "Version"].contains(&name.as_str()));
        let shown = shown.map(|(name, value)| if name == "Policy" { name.clone() } else { format!("{name}={value}") });
        shown.collect::<Vec<_>>().join(" ")
    }
}

/// One call; AssumeRole adds a session to the account.
#[derive(Debug)]
pub(crate) struct StsCall<'c> {
    pub(crate) caller: &'c Identity,
    pub(crate) form: &'c Form,
    pub(crate) fired: &'c Fired,
    pub(crate) request_id: &'c str,
    pub(crate) now_ms: i64,
}

impl StsCall<'_> {
    pub(crate) fn caller_identity(&self, account: &Account) -> Vec<u8> {
        let result = format!(
            "<Arn>{}</Arn><UserId>{}</UserId><Account>{}</Account>",
            escape(&self.caller.arn),
            escape(&self.caller.user_id),
            account.id
        );
        envelope("GetCallerIdentity", &result, self.request_id)
    }

    pub(crate) fn assume_role(&self, account: &mut Account) -> Result<Vec<u8>, StsError> {
        let asked = self.asked()?;
        if asked.policy.is_some() && self.fired.contains(&FaultKind::PackedPolicyTooLarge) {
            let message = "Packed policy consumes 112% of allotted space, please use smaller policy.";
            return Err(StsError::new("PackedPolicyTooLarge", 400, message));
        }
        let denied = || {
            let message =
                format!("User: {} is not authorized to perform: sts:AssumeRole on resource: {}", self.caller.arn, asked.role);
            StsError::new("AccessDenied", 403, message)
        };
        if account.identities.denial(self.caller, "sts:AssumeRole").is_some() {
            return Err(denied());
        }
        let role = account.identities.role(&asked.role).ok_or_else(denied)?;
        if role.external_id.is_some() && role.external_id.as_deref() != asked.external_id {
            return Err(denied());
        }
        if self.caller.is_session() && asked.seconds > CHAINED_SECONDS_MAX {
            let message = "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining";
            return Err(StsError::new("ValidationError", 400, message));
        }
        if asked.seconds > role.session_seconds_max.max(SESSION_SECONDS_MIN) {
            let message = "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.";
            return Err(StsError::new("ValidationError", 400, message));
        }
        let packed_percent = asked.policy_characters * 100 / POLICY_CHARACTERS_MAX;
        let id = account.id.clone();
        let session =
            NewSession { account: &id, role: &asked.role, name: asked.session_name, seconds: asked.seconds, policy: asked.policy };
        let identity = account.identities.issue(session, self.now_ms);
        Ok(envelope("AssumeRole", &assumed(&identity, packed_percent), self.request_id))
    }

    fn asked(&self) -> Result<Asked<'_>, StsError> {
        let role = self.required("RoleArn", (20, 2_048), &ROLE_ARN)?;
        let session_name = self.required("RoleSessionName", (2, 64), &SESSION_NAME)?;
        let external_id = self.optional("ExternalId", (2, 1_224), &EXTERNAL_ID)?;
        let seconds = self.seconds()?;
        let policy = self.form.get("Policy");
        let policy_characters = policy.map_or(0, |policy| policy.chars().count());
        if policy_characters > POLICY_CHARACTERS_MAX {
            return Err(StsError::validation("policy", "policy", "have length less than or equal to 2048"));
        }
        let malformed = |_| StsError::new("MalformedPolicyDocument", 400, "The policy is not in the valid JSON format.");
        let policy = policy.map(SessionPolicy::parse).transpose().map_err(malformed)?;
        Ok(Asked { role: role.to_owned(), session_name, external_id, seconds, policy, policy_characters })
    }

    fn seconds(&self) -> Result<u32, StsError> {
        let Some(text) = self.form.get("DurationSeconds") else { return Ok(SESSION_SECONDS_DEFAULT) };
        let number = text.parse::<u32>();
        let malformed = |_| StsError::new("MalformedInput", 400, format!("DurationSeconds {text} is not a number"));
        let seconds = number.map_err(malformed)?;
        if seconds < SESSION_SECONDS_MIN {
            return Err(StsError::validation(text, "durationSeconds", "have value greater than or equal to 900"));
        }
        if seconds > SESSION_SECONDS_MAX {
            return Err(StsError::validation(text, "durationSeconds", "have value less than or equal to 43200"));
        }
        Ok(seconds)
    }

    fn required(&self, name: &str, lengths: (usize, usize), pattern: &Regex) -> Result<&str, StsError> {
        let missing = || StsError::validation("null", &lower_first(name), "not be null");
        self.optional(name, lengths, pattern)?.ok_or_else(missing)
    }

    fn optional(&self, name: &str, (shortest, longest): (usize, usize), pattern: &Regex) -> Result<Option<&str>, StsError> {
        let Some(value) = self.form.get(name) else { return Ok(None) };
        let member = lower_first(name);
        let length = value.chars().count();
        if length < shortest {
            return Err(StsError::validation(value, &member, &format!("have length greater than or equal to {shortest}")));
        }
        if length > longest {
            return Err(StsError::validation(value, &member, &format!("have length less than or equal to {longest}")));
        }
        if !pattern.is_match(value) {
            return Err(StsError::validation(value, &member, &format!("satisfy regular expression pattern: {pattern}")));
        }
        Ok(Some(value))
    }
}

struct Asked<'c> {
    role: String,
    session_name: &'c str,
    external_id: Option<&'c str>,
    seconds: u32,
    policy: Option<SessionPolicy>,
    policy_characters: usize,
}

static ROLE_ARN: LazyLock<Regex> = LazyLock::new(|| pattern(r"^arn:aws[a-z-]*:iam::\d{12}:role/[\w+=,.@/-]+$"));
static SESSION_NAME: LazyLock<Regex> = LazyLock::new(|| pattern(r"^[\w+=,.@-]*$"));
static EXTERNAL_ID: LazyLock<Regex> = LazyLock::new(|| pattern(r"^[\w+=,.@:\\/-]*$"));

#[expect(clippy::expect_used, reason = "the patterns are constants of this file")]
fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("pattern of this file")
}

fn assumed(identity: &Identity, packed_percent: usize) -> String {
    let keys = &identity.keys;
    let expiration = iso_8601(identity.expires_at_ms.unwrap_or_default() / 1_000);
    format!(
        "<Credentials><AccessKeyId>{}</AccessKeyId><SecretAccessKey>{}</SecretAccessKey><SessionToken>{}</SessionToken><Expiration>{expiration}</Expiration></Credentials><AssumedRoleUser><AssumedRoleId>{}</AssumedRoleId><Arn>{}</Arn></AssumedRoleUser><PackedPolicySize>{packed_percent}</PackedPolicySize>",
        escape(&keys.access_key_id),
        escape(&keys.secret_access_key),
        escape(keys.session_token.as_deref().unwrap_or_default()),
        escape(&identity.user_id),
        escape(&identity.arn),
    )
}

fn envelope(operation: &str, result: &str, request_id: &str) -> Vec<u8> {
    format!(
        "<{operation}Response xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><{operation}Result>{result}</{operation}Result><ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata></{operation}Response>"
    )
    .into_bytes()
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn lower_first(name: &str) -> String {
    let mut characters = name.chars();
    characters.next().map(|first| first.to_ascii_lowercase().to_string() + characters.as_str()).unwrap_or_default()
}
