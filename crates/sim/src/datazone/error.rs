//! Errors in DataZone's words: the code is in a header, the body says `message`, the status is the code's.

use std::borrow::Cow;

use serde_json::json;

use crate::auth::AuthFailure;
use crate::payload::{Answer, JSON};

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DataZoneError {
    pub(crate) code: Cow<'static, str>,
    status: u16,
    message: String,
}

/// How an access is refused: two gates, each with words of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Denial {
    /// `User: … is not authorized to perform: datazone:X on resource: …`
    Iam,
    /// `User is not permitted to perform operation: X`
    DataZone,
}

impl DataZoneError {
    fn new(code: &'static str, status: u16, message: impl Into<String>) -> Self {
        Self { code: Cow::Borrowed(code), status, message: message.into() }
    }

    pub(crate) fn with(code: &str, status: u16, message: &str) -> Self {
        Self { code: Cow::Owned(code.to_owned()), status, message: message.to_owned() }
    }

    pub(crate) fn access_denied(message: impl Into<String>) -> Self {
        Self::new("AccessDeniedException", 403, message)
    }

    /// The words of DataZone's own gate, also where a domain does not exist.
    pub(crate) fn not_permitted(operation: &str) -> Self {
        Self::access_denied(format!("User is not permitted to perform operation: {operation}"))
    }

    pub(crate) fn not_found(what: &str, id: &str) -> Self {
        Self::new("ResourceNotFoundException", 404, format!("{what} {id} does not exist"))
    }

    pub(crate) fn validation(message: impl Into<String>) -> Self {
        Self::new("ValidationException", 400, message)
    }

    /// A constraint of the service model, in the words of its validator.
    pub(crate) fn constraint(value: &str, member: &str, constraint: &str) -> Self {
        Self::validation(format!(
            "1 validation error detected: Value {value} at '{member}' failed to satisfy constraint: Member must {constraint}"
        ))
    }

    pub(crate) fn throttled() -> Self {
        Self::new("ThrottlingException", 429, "Rate exceeded")
    }

    pub(crate) fn internal() -> Self {
        Self::new("InternalServerException", 500, "Internal server error")
    }

    pub(crate) fn unknown_operation(method: &str, path: &str) -> Self {
        Self::new("UnknownOperationException", 404, format!("No operation is at {method} {path}"))
    }

    pub(crate) fn serialization() -> Self {
        Self::new("SerializationException", 400, "Unable to parse the request")
    }

    pub(crate) fn answer(&self) -> Answer {
        let body = json!({"message": self.message}).to_string().into_bytes();
        let mut answer = Answer::new(self.status, JSON, body);
        answer.headers.push(("x-amzn-errortype", self.code.to_string()));
        answer
    }
}

impl From<&AuthFailure> for DataZoneError {
    fn from(failure: &AuthFailure) -> Self {
        let code = match failure {
            AuthFailure::NotSigned => "MissingAuthenticationTokenException",
            AuthFailure::Incomplete => "IncompleteSignatureException",
            AuthFailure::UnknownKey => "UnrecognizedClientException",
            AuthFailure::BadSignature(_) => "InvalidSignatureException",
            AuthFailure::Expired => "ExpiredTokenException",
        };
        Self::new(code, 403, failure.message())
    }
}
