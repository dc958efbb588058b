//! From an answer that is no success to what it means. Pure; the table is that of AWS's common errors and of the services' own.

mod advice;

use connector::port::{ErrorKind, Service};
use http::{HeaderMap, StatusCode};

use crate::retry::RetryClass;

/// The longest message of a service that is passed on.
const MESSAGE_CHARACTERS_MAX: usize = 500;
/// From this length on a run of letters and digits may be a secret key or a token.
const SECRET_CHARACTERS_MIN: usize = 40;
const HIDDEN: &str = "***";

/// What a refused request means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ServiceFault {
    pub(crate) kind: ErrorKind,
    pub(crate) retry: RetryClass,
    /// What may help besides waiting.
    pub(crate) remedy: Remedy,
    pub(crate) code: Option<String>,
    /// For people; without anything that looks like a credential.
    pub(crate) message: String,
    pub(crate) suggested_action: String,
}

/// Something to try once before the failure counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Remedy {
    None,
    /// New credentials.
    Renew,
    /// The server's time.
    CorrectClock,
}

/// Classifies an answer with a status other than success.
pub(crate) fn classify(service: Service, status: StatusCode, headers: &HeaderMap, body: &[u8]) -> ServiceFault {
    let said = Said::read(service, headers, body);
    let code = said.code.as_deref().unwrap_or_default();
    let message = said.message.unwrap_or_default();
    let (kind, retry, remedy) = verdict(service, code, status, &message);
    let text = if message.is_empty() { format!("the service answered {status}") } else { scrub(&message) };
    ServiceFault {
        kind,
        retry,
        remedy,
        suggested_action: advice::suggestion(service, kind, code, &message).to_owned(),
        message: if code.is_empty() { text } else { format!("{code}: {text}") },
        code: said.code,
    }
}

/// What the body and the headers of an answer say.
#[derive(Debug, Default, PartialEq, Eq)]
struct Said {
    code: Option<String>,
    message: Option<String>,
}

impl Said {
    fn read(service: Service, headers: &HeaderMap, body: &[u8]) -> Self {
        let by_body = match service {
            Service::Glue | Service::DataZone | Service::SecretsManager => Self::json(body),
            Service::Sts => Self::xml(body).or_else(|| Self::json(body)),
        };
        let by_body = by_body.unwrap_or_default();
        let header = headers.get("x-amzn-errortype").and_then(|value| value.to_str().ok());
        Self { code: header.and_then(bare_code).or(by_body.code), message: by_body.message }
    }

    /// `{"__type":"com.amazonaws.glue#AccessDeniedException","Message":"…"}`; gateways in front write `message` and `code`.
    fn json(body: &[u8]) -> Option<Self> {
        let value: serde_json::Value = serde_json::from_slice(body).ok()?;
        let text = |names: &[&str]| names.iter().find_map(|name| value.get(name)?.as_str());
        Some(Self {
            code: text(&["__type", "code", "Code"]).and_then(bare_code),
            message: text(&["Message", "message", "errorMessage"]).map(str::to_owned),
        })
    }

    /// `<ErrorResponse><Error><Code>…</Code><Message>…</Message></Error></ErrorResponse>`.
    fn xml(body: &[u8]) -> Option<Self> {
        let document = roxmltree::Document::parse(std::str::from_utf8(body).ok()?).ok()?;
        let text = |name: &str| {
            let node = document.descendants().find(|node| node.tag_name().name() == name)?;
            node.text().map(|text| text.trim().to_owned())
        };
        Some(Self { code: text("Code").as_deref().and_then(bare_code), message: text("Message") })
    }
}

/// `com.amazonaws.glue#ThrottlingException:http://…` is `ThrottlingException`.
fn bare_code(text: &str) -> Option<String> {
    let code = text.split(':').next()?.rsplit('#').next()?.trim();
    let is_code =
        !code.is_empty() && code.len() <= 100 && code.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
    is_code.then(|| code.to_owned())
}

fn verdict(service: Service, code: &str, status: StatusCode, message: &str) -> (ErrorKind, RetryClass, Remedy) {
    match service {
        Service::DataZone => by_datazone(code, status, message),
        Service::SecretsManager => by_secrets_manager(code, message),
        Service::Glue | Service::Sts => None,
    }
    .unwrap_or_else(|| by_code(code, status, message))
}

/// What only Secrets Manager says. Source: the errors of `GetSecretValue` in its API reference.
fn by_secrets_manager(code: &str, message: &str) -> Option<(ErrorKind, RetryClass, Remedy)> {
    match code {
        // The key that encrypts the secret is disabled, gone, or not allowed to this caller.
        "DecryptionFailure" => Some((ErrorKind::Denied, RetryClass::Never, Remedy::None)),
        // A secret that is being deleted is there and has no value any more.
        "InvalidRequestException" if message.contains("marked for deletion") || message.contains("marked deleted") => {
            Some((ErrorKind::NotFound, RetryClass::Never, Remedy::None))
        }
        "InvalidParameterException" | "InvalidRequestException" => Some((ErrorKind::Invalid, RetryClass::Never, Remedy::None)),
        "InternalServiceError" => Some((ErrorKind::Unavailable, RetryClass::Transient, Remedy::None)),
        _ => None,
    }
}

/// What only DataZone says, or means in its own way. Source: the errors of the public service model.
fn by_datazone(code: &str, status: StatusCode, message: &str) -> Option<(ErrorKind, RetryClass, Remedy)> {
    match code {
        // The model calls it "you do not have permission to perform this action": rights inside DataZone, not the sign-in.
        "UnauthorizedException" if is_about_credentials(message) => {
            Some((ErrorKind::Credentials, RetryClass::Never, Remedy::Renew))
        }
        "UnauthorizedException" => Some((ErrorKind::Denied, RetryClass::Never, Remedy::None)),
        "" if status == StatusCode::UNAUTHORIZED => Some((ErrorKind::Denied, RetryClass::Never, Remedy::None)),
        "ConflictException" => Some((ErrorKind::Unavailable, RetryClass::Transient, Remedy::None)),
        // An allowance of the domain or the account that is used up, not a rate: neither waiting nor going slower helps a read.
        "ServiceQuotaExceededException" => Some((ErrorKind::Invalid, RetryClass::Never, Remedy::None)),
        _ => None,
    }
}

fn by_code(code: &str, status: StatusCode, message: &str) -> (ErrorKind, RetryClass, Remedy) {
    match code {
        "ThrottlingException"
        | "Throttling"
        | "ThrottledException"
        | "RequestThrottled"
        | "RequestThrottledException"
        | "TooManyRequestsException"
        | "RequestLimitExceeded"
        | "BandwidthLimitExceeded"
        | "LimitExceededException"
        | "PriorRequestNotComplete"
        | "SlowDown" => (ErrorKind::Throttled, RetryClass::Throttled, Remedy::None),
        "OperationTimeoutException"
        | "InternalServiceException"
        | "InternalFailure"
        | "InternalServerException"
        | "InternalError"
        | "ServiceUnavailable"
        | "ServiceUnavailableException"
        | "RequestTimeout"
        | "RequestTimeoutException"
        | "ConcurrentModificationException"
        | "ResourceNotReadyException"
        | "FederationSourceRetryableException"
        | "IDPCommunicationError" => (ErrorKind::Unavailable, RetryClass::Transient, Remedy::None),
        "FederationSourceException" => (ErrorKind::Unavailable, RetryClass::Never, Remedy::None),
        "EntityNotFoundException" | "ResourceNotFoundException" => (ErrorKind::NotFound, RetryClass::Never, Remedy::None),
        "AccessDeniedException"
        | "AccessDenied"
        | "UnauthorizedOperation"
        | "GlueEncryptionException"
        | "AuthorizationErrorException" => (ErrorKind::Denied, RetryClass::Never, Remedy::None),
        "InvalidInputException"
        | "ValidationException"
        | "ValidationError"
        | "MalformedPolicyDocument"
        | "PackedPolicyTooLarge"
        | "InvalidParameterValue"
        | "InvalidAction"
        | "UnknownOperationException"
        | "SerializationException" => (ErrorKind::Invalid, RetryClass::Never, Remedy::None),
        "RequestTimeTooSkewed" | "RequestExpired" => (ErrorKind::Credentials, RetryClass::Never, Remedy::CorrectClock),
        "InvalidSignatureException" | "SignatureDoesNotMatch" if is_about_time(message) => {
            (ErrorKind::Credentials, RetryClass::Never, Remedy::CorrectClock)
        }
        "ExpiredTokenException"
        | "ExpiredToken"
        | "TokenRefreshRequired"
        | "UnrecognizedClientException"
        | "InvalidClientTokenId"
        | "InvalidSignatureException"
        | "SignatureDoesNotMatch" => (ErrorKind::Credentials, RetryClass::Never, Remedy::Renew),
        "IncompleteSignature"
        | "IncompleteSignatureException"
        | "MissingAuthenticationToken"
        | "MissingAuthenticationTokenException"
        | "InvalidAccessKeyId"
        | "AuthFailure"
        | "OptInRequired"
        | "RegionDisabledException"
        | "NotAuthorized" => (ErrorKind::Credentials, RetryClass::Never, Remedy::None),
        _ => by_status(status),
    }
}

fn by_status(status: StatusCode) -> (ErrorKind, RetryClass, Remedy) {
    let (kind, retry) = match status.as_u16() {
        429 => (ErrorKind::Throttled, RetryClass::Throttled),
        408 | 500..=599 => (ErrorKind::Unavailable, RetryClass::Transient),
        401 => (ErrorKind::Credentials, RetryClass::Never),
        403 => (ErrorKind::Denied, RetryClass::Never),
        404 => (ErrorKind::NotFound, RetryClass::Never),
        400..=499 => (ErrorKind::Invalid, RetryClass::Never),
        // A redirect is never followed: it would leave the host that was checked.
        _ => (ErrorKind::Malformed, RetryClass::Never),
    };
    (kind, retry, Remedy::None)
}

/// `Signature expired: … is now earlier than …`, `Signature not yet current: …`.
fn is_about_time(message: &str) -> bool {
    ["Signature expired", "Signature not yet current", "is now earlier than", "is still later than"]
        .iter()
        .any(|part| message.contains(part))
}

/// `The security token included in the request is expired`, `The request signature we calculated does not match …`.
fn is_about_credentials(message: &str) -> bool {
    let message = message.to_ascii_lowercase();
    ["signature", "security token", "session token", "token is expired", "token has expired"]
        .iter()
        .any(|part| message.contains(part))
}

/// A service's message, cut, on one line, and without anything that looks like a credential.
pub(crate) fn scrub(message: &str) -> String {
    let mut clean = String::with_capacity(message.len().min(MESSAGE_CHARACTERS_MAX * 4));
    let mut rest = message;
    while !rest.is_empty() {
        let run = rest.find(|character| !is_key_character(character)).unwrap_or(rest.len());
        let (word, after) = rest.split_at(run);
        clean.push_str(&shown(word));
        let mut characters = after.chars();
        if let Some(character) = characters.next() {
            clean.push(if character.is_control() { ' ' } else { character });
        }
        rest = characters.as_str();
    }
    match clean.char_indices().nth(MESSAGE_CHARACTERS_MAX) {
        Some((at, _)) => format!("{}…", &clean[..at]),
        None => clean,
    }
}

const fn is_key_character(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '+' | '/' | '=')
}

/// Access key ids keep their first four letters, which say what kind they are. What is long and mixed like a secret key or a
/// token is hidden; so is any digest, which nobody reads.
fn shown(word: &str) -> std::borrow::Cow<'_, str> {
    let is_key_id = word.len() >= 16
        && ["AKIA", "ASIA", "ABIA", "ACCA"].iter().any(|prefix| word.starts_with(prefix))
        && word.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    if is_key_id {
        return format!("{}{HIDDEN}", &word[..4]).into();
    }
    let has = |test: fn(&u8) -> bool| word.bytes().any(|byte| test(&byte));
    let kinds =
        usize::from(has(u8::is_ascii_lowercase)) + usize::from(has(u8::is_ascii_uppercase)) + usize::from(has(u8::is_ascii_digit));
    if word.len() >= SECRET_CHARACTERS_MIN && kinds >= 2 { HIDDEN.into() } else { word.into() }
}

#[cfg(test)]
mod tests;
