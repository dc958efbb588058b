//! Errors in Glue's words; clients branch on `__type`, never on the status.

use std::borrow::Cow;

use serde_json::json;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct GlueError {
    pub(crate) code: Cow<'static, str>,
    pub(crate) status: u16,
    pub(crate) message: String,
}

impl GlueError {
    pub(crate) fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code: Cow::Borrowed(code), status: 400, message: message.into() }
    }

    pub(crate) fn with(code: &str, status: u16, message: &str) -> Self {
        Self { code: Cow::Owned(code.to_owned()), status, message: message.to_owned() }
    }

    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self::new("EntityNotFoundException", message)
    }

    pub(crate) fn invalid_input(message: impl Into<String>) -> Self {
        Self::new("InvalidInputException", message)
    }

    /// A constraint of the service model, in the words of its validator.
    pub(crate) fn validation(value: &str, member: &str, constraint: &str) -> Self {
        let member = lower_first(member);
        let text = format!(
            "1 validation error detected: Value {value} at '{member}' failed to satisfy constraint: Member must {constraint}"
        );
        Self::new("ValidationException", text)
    }

    pub(crate) fn lake_formation(name: &str) -> Self {
        let message = format!("Insufficient Lake Formation permission(s): Required Describe on {name}");
        Self::new("AccessDeniedException", message)
    }

    pub(crate) fn throttled() -> Self {
        Self::new("ThrottlingException", "Rate exceeded")
    }

    pub(crate) fn internal() -> Self {
        Self::with("InternalServiceException", 500, "Internal service failure")
    }

    pub(crate) fn body(&self) -> Vec<u8> {
        // Modelled errors carry `Message`, errors of the gateway `message`.
        let member = if GATEWAY_CODES.contains(&self.code.as_ref()) { "message" } else { "Message" };
        json!({"__type": self.code, member: self.message}).to_string().into_bytes()
    }
}

const GATEWAY_CODES: [&str; 9] = [
    "ThrottlingException",
    "ExpiredTokenException",
    "UnrecognizedClientException",
    "InvalidSignatureException",
    "MissingAuthenticationTokenException",
    "IncompleteSignatureException",
    "SerializationException",
    "UnknownOperationException",
    "ValidationException",
];

fn lower_first(member: &str) -> String {
    let mut characters = member.chars();
    characters.next().map(|first| first.to_ascii_lowercase().to_string() + characters.as_str()).unwrap_or_default()
}
