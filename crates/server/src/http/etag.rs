//! Optimistic concurrency: a GET answers the version as `ETag`, an edit sends it back as `If-Match`.

use axum::extract::FromRequestParts;
use axum::response::{IntoResponseParts, ResponseParts};
use http::request::Parts;
use http::{HeaderValue, header};

use super::problem::{Code, Problem};

const VERSIONS_MAX: usize = 16;

/// The version of a thing, as a header of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ETag(pub i64);

impl IntoResponseParts for ETag {
    type Error = Problem;

    fn into_response_parts(self, mut parts: ResponseParts) -> Result<ResponseParts, Problem> {
        let value = HeaderValue::from_str(&format!("\"{}\"", self.0)).map_err(|error| Problem::internal(&error))?;
        parts.headers_mut().insert(header::ETAG, value);
        Ok(parts)
    }
}

/// Which versions an edit is meant for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IfMatch {
    /// `*`: whichever there is.
    Any,
    /// The versions that were named; those that are none of ours cannot match and are left out.
    Versions(Vec<i64>),
}

impl IfMatch {
    /// # Errors
    /// 412 when the edit is meant for another version than `current`.
    pub fn require(&self, current: i64) -> Result<(), Problem> {
        match self {
            Self::Any => Ok(()),
            Self::Versions(versions) if versions.contains(&current) => Ok(()),
            Self::Versions(_) => {
                Err(Problem::new(Code::PreconditionFailed, "it was changed since you read it; read it again and repeat the edit"))
            }
        }
    }

    /// The one version that the edit is meant for, for a store that compares in its own transaction; nothing for `*`.
    #[must_use]
    pub fn expected(&self) -> Option<i64> {
        match self {
            Self::Any => None,
            Self::Versions(versions) => Some(versions.first().copied().unwrap_or(-1)),
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for IfMatch {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        let Some(value) = parts.headers.get(header::IF_MATCH) else {
            return Err(Problem::new(Code::PreconditionRequired, "an edit needs `If-Match` with the `ETag` of what was read"));
        };
        let text = value.to_str().unwrap_or_default().trim();
        if text == "*" {
            return Ok(Self::Any);
        }
        let versions =
            text.split(',').take(VERSIONS_MAX).filter_map(|tag| tag.trim().strip_prefix('"')?.strip_suffix('"')?.parse().ok());
        Ok(Self::Versions(versions.collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn parsed(value: Option<&str>) -> Result<IfMatch, Problem> {
        let mut request = http::Request::builder();
        if let Some(value) = value {
            request = request.header(header::IF_MATCH, value);
        }
        let (mut parts, ()) = request.body(()).unwrap().into_parts();
        IfMatch::from_request_parts(&mut parts, &()).await
    }

    #[tokio::test]
    async fn an_edit_without_if_match_is_428() {
        assert_eq!(parsed(None).await.unwrap_err().code(), Code::PreconditionRequired);
    }

    #[tokio::test]
    async fn a_stale_weak_or_foreign_version_is_412() {
        for value in ["\"6\"", "W/\"7\"", "7", "\"x\"", ""] {
            assert_eq!(parsed(Some(value)).await.unwrap().require(7).unwrap_err().code(), Code::PreconditionFailed, "{value}");
        }
    }

    #[tokio::test]
    async fn the_current_version_one_of_a_list_and_the_star_match() {
        for value in ["\"7\"", "\"6\", \"7\"", "*"] {
            assert_eq!(parsed(Some(value)).await.unwrap().require(7), Ok(()), "{value}");
        }
    }

    #[test]
    fn the_header_is_the_version_in_quotes() {
        let response = axum::response::IntoResponse::into_response((ETag(7), ()));
        assert_eq!(response.headers()[header::ETAG], "\"7\"");
    }
}
