//! The one form of an error over HTTP: RFC 9457, with a `code` that programs branch on.

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

/// The media type of problems.
pub const PROBLEM_JSON: &str = "application/problem+json";

/// What went wrong, for programs. A code has one status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Code {
    /// The body is no JSON, or the request no HTTP that makes sense.
    Malformed,
    /// A parameter of the path or the query has no such value.
    InvalidParameter,
    /// The cursor was not made by this list.
    InvalidCursor,
    /// The body is JSON and a field of it is not as described.
    InvalidField,
    /// Nobody is signed in, or the token is not known.
    Unauthenticated,
    /// The role or the scopes of the token do not suffice.
    Forbidden,
    /// The request came from another site, or without its CSRF token.
    CsrfRefused,
    /// There is no such thing.
    NotFound,
    /// The path has no such method.
    MethodNotAllowed,
    /// The state of the thing does not allow it.
    Conflict,
    /// Another thing has the name; see `existing`.
    NameTaken,
    /// Somebody else changed it since it was read.
    PreconditionFailed,
    /// The body is larger than the service takes.
    BodyTooLarge,
    /// The body is not `application/json`.
    UnsupportedMediaType,
    /// An edit needs `If-Match`.
    PreconditionRequired,
    /// Too many attempts; see `Retry-After`.
    TooManyRequests,
    /// A fault of the service; its log has the request's id.
    Internal,
    /// Too much at once, or not ready; see `Retry-After`.
    Unavailable,
    /// The request took too long.
    TimedOut,
}

impl Code {
    /// The status that goes with the code.
    #[must_use]
    pub fn status(self) -> StatusCode {
        match self {
            Self::Malformed | Self::InvalidParameter | Self::InvalidCursor => StatusCode::BAD_REQUEST,
            Self::Unauthenticated => StatusCode::UNAUTHORIZED,
            Self::Forbidden | Self::CsrfRefused => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::Conflict | Self::NameTaken => StatusCode::CONFLICT,
            Self::PreconditionFailed => StatusCode::PRECONDITION_FAILED,
            Self::BodyTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::InvalidField => StatusCode::UNPROCESSABLE_ENTITY,
            Self::PreconditionRequired => StatusCode::PRECONDITION_REQUIRED,
            Self::TooManyRequests => StatusCode::TOO_MANY_REQUESTS,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Unavailable | Self::TimedOut => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// As it stands in JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::InvalidParameter => "invalid-parameter",
            Self::InvalidCursor => "invalid-cursor",
            Self::InvalidField => "invalid-field",
            Self::Unauthenticated => "unauthenticated",
            Self::Forbidden => "forbidden",
            Self::CsrfRefused => "csrf-refused",
            Self::NotFound => "not-found",
            Self::MethodNotAllowed => "method-not-allowed",
            Self::Conflict => "conflict",
            Self::NameTaken => "name-taken",
            Self::PreconditionFailed => "precondition-failed",
            Self::BodyTooLarge => "body-too-large",
            Self::UnsupportedMediaType => "unsupported-media-type",
            Self::PreconditionRequired => "precondition-required",
            Self::TooManyRequests => "too-many-requests",
            Self::Internal => "internal",
            Self::Unavailable => "unavailable",
            Self::TimedOut => "timed-out",
        }
    }
}

/// The thing that is in the way of a 409.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Existing {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Where it is.
    pub href: String,
}

/// One field, and what is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct FieldError {
    /// Its path: `settings.glue.include[2]`.
    pub field: String,
    /// What is expected.
    pub message: String,
}

/// A problem document (RFC 9457). One pointer wide: it is the error of nearly every function of the API.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Problem(Box<Document>);

/// A problem document (RFC 9457).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
struct Document {
    /// `urn:isinglass:problem:<code>`
    #[serde(rename = "type")]
    kind: String,
    /// The phrase of the status.
    title: String,
    /// The status.
    #[schema(minimum = 400, maximum = 599)]
    status: u16,
    /// What is wrong this time, and what to do.
    detail: String,
    /// The path of the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    instance: Option<String>,
    /// For programs.
    code: Code,
    /// What is in the way.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    existing: Option<Existing>,
    /// Which fields.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<FieldError>,
    #[serde(skip)]
    retry_after_seconds: Option<u32>,
}

impl Problem {
    /// A problem whose `detail` says what is wrong and what to do; never a secret, never the text of an inner error.
    #[must_use]
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        Self(Box::new(Document {
            kind: format!("urn:isinglass:problem:{}", code.as_str()),
            title: code.status().canonical_reason().unwrap_or("Error").to_owned(),
            status: code.status().as_u16(),
            detail: detail.into(),
            instance: None,
            code,
            existing: None,
            errors: Vec::new(),
            retry_after_seconds: None,
        }))
    }

    /// 404 of a noun: `connection`.
    #[must_use]
    pub fn not_found(noun: &str) -> Self {
        Self::new(Code::NotFound, format!("there is no such {noun}, or it is not yours to see"))
    }

    /// 422 of one field.
    #[must_use]
    pub fn field(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(Code::InvalidField, "a field of the body is not as described").with_field(field, message)
    }

    /// 409 of a name that is taken.
    #[must_use]
    pub fn name_taken(existing: Existing) -> Self {
        let detail = format!("`{}` exists; choose another name, or edit the existing one", existing.name);
        Self::new(Code::NameTaken, detail).with_existing(existing)
    }

    /// 500. The error goes to the log with its causes, not to the client.
    #[must_use]
    pub fn internal(error: &dyn std::error::Error) -> Self {
        let mut chain = error.to_string();
        let mut cause = error.source();
        while let Some(inner) = cause {
            chain = format!("{chain}: {inner}");
            cause = inner.source();
        }
        tracing::error!(error = %chain, "request failed");
        Self::internal_without_details()
    }

    /// 500 when the log has it already.
    #[must_use]
    pub fn internal_without_details() -> Self {
        Self::new(Code::Internal, "the service failed; its log has more under the request id of this answer")
    }

    /// With one more field.
    #[must_use]
    pub fn with_field(mut self, field: impl Into<String>, message: impl Into<String>) -> Self {
        self.0.errors.push(FieldError { field: field.into(), message: message.into() });
        self
    }

    /// With the thing that is in the way.
    #[must_use]
    pub fn with_existing(mut self, existing: Existing) -> Self {
        self.0.existing = Some(existing);
        self
    }

    /// With `Retry-After`.
    #[must_use]
    pub fn with_retry_after(mut self, seconds: u32) -> Self {
        self.0.retry_after_seconds = Some(seconds);
        self
    }

    pub(super) fn at(mut self, path: &str) -> Self {
        self.0.instance = Some(path.to_owned());
        self
    }

    /// For programs.
    #[must_use]
    pub fn code(&self) -> Code {
        self.0.code
    }

    /// What is wrong.
    #[must_use]
    pub fn detail(&self) -> &str {
        &self.0.detail
    }

    /// The fields that are named.
    #[must_use]
    pub fn errors(&self) -> &[FieldError] {
        &self.0.errors
    }

    fn body(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// Sets the body to this problem; used to add the path to an answer that is on its way out.
    pub(super) fn write_into(&self, response: &mut Response) {
        response.headers_mut().remove(header::CONTENT_LENGTH);
        *response.body_mut() = self.body().into();
    }
}

impl PartialSchema for Problem {
    fn schema() -> RefOr<Schema> {
        Document::schema()
    }
}

impl ToSchema for Problem {
    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        Document::schemas(schemas);
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = (self.code().status(), self.body()).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
        if let Some(seconds) = self.0.retry_after_seconds {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.code() == Code::Unauthenticated {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"isinglass\""));
        }
        response.extensions_mut().insert(self);
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_document_has_the_members_of_rfc_9457_and_no_empty_ones() {
        let json = serde_json::to_value(Problem::not_found("run").at("/api/v1/runs/1")).unwrap();
        let expected = serde_json::json!({
            "type": "urn:isinglass:problem:not-found", "title": "Not Found", "status": 404, "code": "not-found",
            "detail": "there is no such run, or it is not yours to see", "instance": "/api/v1/runs/1",
        });
        assert_eq!(json, expected);
    }

    #[test]
    fn every_code_reads_in_json_as_it_does_in_the_type() {
        for code in [Code::Malformed, Code::NameTaken, Code::CsrfRefused, Code::TimedOut, Code::InvalidField, Code::Internal] {
            assert_eq!(serde_json::to_value(code).unwrap(), code.as_str());
        }
    }

    #[test]
    fn a_taken_name_tells_what_has_it() {
        let existing = Existing { id: "7".into(), name: "prod".into(), href: "/api/v1/connections/7".into() };
        let json = serde_json::to_value(Problem::name_taken(existing)).unwrap();
        assert_eq!((&json["status"], &json["existing"]["id"]), (&409.into(), &"7".into()));
    }

    #[test]
    fn an_inner_error_does_not_reach_the_client() {
        let problem = Problem::internal(&std::io::Error::other("password=hunter2"));
        assert!(!serde_json::to_string(&problem).unwrap().contains("hunter2"));
    }
}
