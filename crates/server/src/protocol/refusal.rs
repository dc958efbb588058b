//! Refusals of the protocol: problem documents whose `code` tells the runtime what to do.

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde_json::json;
use store::StoreError;
use wire::Code;

use crate::http::problem::PROBLEM_JSON;

/// Seconds after which what is too much now may be tried again.
const RETRY_AFTER_SECONDS: u32 = 2;

/// A request of a runtime that is refused.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) code: Code,
    detail: String,
}

impl Refusal {
    pub(crate) fn new(code: Code, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into() }
    }

    pub(crate) fn unauthenticated() -> Self {
        Self::new(Code::Unauthenticated, "the access token is not known or has expired: ask for another one")
    }

    pub(crate) fn lease_lost() -> Self {
        Self::new(Code::LeaseLost, "the run is not, or no longer, this runtime's: forget it")
    }

    pub(crate) fn malformed(detail: impl Into<String>) -> Self {
        Self::new(Code::Malformed, detail)
    }

    pub(crate) fn detail(&self) -> &str {
        &self.detail
    }

    fn status(&self) -> StatusCode {
        match self.code {
            Code::Unauthenticated => StatusCode::UNAUTHORIZED,
            Code::Revoked | Code::EnrolmentRefused => StatusCode::FORBIDDEN,
            Code::LeaseLost | Code::BatchDiffers | Code::BatchOutOfOrder => StatusCode::CONFLICT,
            Code::DigestMismatch | Code::Malformed => StatusCode::UNPROCESSABLE_ENTITY,
            Code::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Code::UnsupportedProtocol => StatusCode::BAD_REQUEST,
            Code::Busy => StatusCode::SERVICE_UNAVAILABLE,
            Code::Other => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

/// What the store refuses. A catalog that does not answer is a reason to come back, not to give up.
impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        #[expect(clippy::wildcard_enum_match_arm, reason = "whatever else there may be passes, or is for the operator to see to")]
        let code = match &error {
            StoreError::Fenced { .. } => return Self::lease_lost(),
            StoreError::NotFound { .. } => Some(Code::LeaseLost),
            StoreError::Conflict { .. } => Some(Code::BatchOutOfOrder),
            StoreError::Invalid { .. } => Some(Code::Malformed),
            _ => None,
        };
        if let Some(code) = code {
            return Self::new(code, error.to_string());
        }
        tracing::warn!(%error, "a request of a runtime cannot be kept; it will come again");
        Self::new(Code::Busy, "the catalog does not take it at the moment: try again")
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = self.status();
        let body = json!({
            "type": "about:blank",
            "title": status.canonical_reason(),
            "status": status.as_u16(),
            "code": self.code.as_str(),
            "detail": self.detail,
        });
        let mut response = (status, body.to_string()).into_response();
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
        if self.code == Code::Busy {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(RETRY_AFTER_SECONDS));
        }
        response
    }
}
