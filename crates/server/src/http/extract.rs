//! Extractors that answer problems, naming the field and never repeating its value: it may be a password.

use axum::extract::rejection::{JsonRejection, PathRejection, QueryRejection};
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::response::{IntoResponse, Response};
use http::request::Parts;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::problem::{Code, Problem};

/// A body of `application/json`.
#[derive(Clone, Copy, Debug)]
pub struct Json<T>(pub T);

/// The query string.
#[derive(Clone, Copy, Debug)]
pub struct Query<T>(pub T);

/// The parameters of the path.
#[derive(Clone, Copy, Debug)]
pub struct Path<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        match axum::Json::<T>::from_request(request, state).await {
            Ok(axum::Json(body)) => Ok(Self(body)),
            Err(rejection) => Err(json_problem(&rejection)),
        }
    }
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        axum::Json(self.0).into_response()
    }
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match axum::extract::Query::<T>::from_request_parts(parts, state).await {
            Ok(axum::extract::Query(query)) => Ok(Self(query)),
            Err(rejection) => Err(query_problem(&rejection)),
        }
    }
}

impl<T: DeserializeOwned + Send, S: Send + Sync> FromRequestParts<S> for Path<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match axum::extract::Path::<T>::from_request_parts(parts, state).await {
            Ok(axum::extract::Path(path)) => Ok(Self(path)),
            Err(rejection) => Err(path_problem(&rejection)),
        }
    }
}

fn json_problem(rejection: &JsonRejection) -> Problem {
    let text = rejection.body_text();
    match rejection.status().as_u16() {
        413 => Problem::new(Code::BodyTooLarge, "the body is larger than the service takes (`limits.body_bytes`)"),
        415 => Problem::new(Code::UnsupportedMediaType, "send JSON with `Content-Type: application/json`"),
        422 => {
            let (field, message) = field_and_message(&text, "Failed to deserialize the JSON body into the target type: ");
            Problem::field(field, message)
        }
        _ => {
            let reason = text.split_once("as JSON: ").map_or("it ended early", |(_, reason)| reason);
            Problem::new(Code::Malformed, format!("the body is no JSON: {}", without_values(reason)))
        }
    }
}

fn query_problem(rejection: &QueryRejection) -> Problem {
    let text = rejection.body_text();
    let (field, message) = field_and_message(&text, "Failed to deserialize query string: ");
    Problem::new(Code::InvalidParameter, "a parameter of the query is not as described").with_field(field, message)
}

fn path_problem(rejection: &PathRejection) -> Problem {
    use axum::extract::path::ErrorKind;
    let problem = Problem::new(Code::InvalidParameter, "a parameter of the path is not as described");
    let PathRejection::FailedToDeserializePathParams(failed) = rejection else { return Problem::internal_without_details() };
    match failed.kind() {
        ErrorKind::ParseErrorAtKey { key, expected_type, .. } => problem.with_field(key, format!("expected {expected_type}")),
        ErrorKind::DeserializeError { key, message, .. } => problem.with_field(key, without_values(message)),
        ErrorKind::InvalidUtf8InPathParam { key } => problem.with_field(key, "expected UTF-8"),
        ErrorKind::ParseError { expected_type, .. } | ErrorKind::ParseErrorAtIndex { expected_type, .. } => {
            problem.with_field("path", format!("expected {expected_type}"))
        }
        ErrorKind::Message(message) => problem.with_field("path", without_values(message)),
        ErrorKind::WrongNumberOfParameters { .. } | ErrorKind::UnsupportedType { .. } | _ => Problem::internal_without_details(),
    }
}

/// Splits what serde says of a field, `settings.skip[1]: invalid type…`. An error of the whole names `.`.
fn field_and_message(text: &str, prefix: &str) -> (String, String) {
    let rest = text.strip_prefix(prefix).unwrap_or(text);
    let is_path = |path: &&str| !path.contains(' ') && !path.contains('`');
    match rest.split_once(": ").filter(|(path, _)| is_path(path)) {
        Some((path, message)) => (path.to_owned(), without_values(message)),
        None => (".".to_owned(), without_values(rest)),
    }
}

/// serde's messages quote what was sent: `invalid type: string "hunter2", expected u32`. What is quoted is left out.
fn without_values(message: &str) -> String {
    let message = without_variant(message);
    let mut kept = String::with_capacity(message.len());
    let mut quoted = false;
    let mut escaped = false;
    for character in message.chars() {
        match (quoted, escaped, character) {
            (true, false, '\\') => escaped = true,
            (true, false, '"') => quoted = false,
            (true, _, _) => escaped = false,
            (false, _, '"') => {
                quoted = true;
                kept.push('…');
            }
            (false, _, other) => kept.push(other),
        }
    }
    kept
}

/// An unknown variant stands between backticks, as do the names that are expected instead.
fn without_variant(message: &str) -> String {
    let begin = "unknown variant `";
    let parts = message.split_once(begin).and_then(|(before, rest)| Some((before, rest.rsplit_once("`, expected ")?.1)));
    match parts {
        Some((before, expected)) => format!("{before}unknown variant, expected {expected}"),
        None => message.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::body::Body;
    use axum::extract::DefaultBodyLimit;
    use axum::routing::{get, post};
    use http::StatusCode;
    use http_body_util::BodyExt;
    use serde::Deserialize;
    use tower::ServiceExt;

    use super::*;

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields, rename_all = "camelCase")]
    struct Body_ {
        _name: Option<String>,
        #[serde(rename = "inner")]
        _inner: Option<Inner>,
    }

    #[derive(Deserialize)]
    struct Inner {
        #[serde(rename = "count")]
        _count: u32,
    }

    #[derive(Deserialize)]
    struct Filter {
        #[serde(rename = "depth")]
        _depth: Option<u8>,
    }

    fn router() -> Router {
        Router::new()
            .route("/json", post(|_: Json<Body_>| async {}))
            .route("/query", get(|_: Query<Filter>| async {}))
            .route("/path/{id}", get(|_: Path<u32>| async {}))
            .layer(DefaultBodyLimit::max(64))
    }

    async fn send(method: &str, uri: &str, media: &str, body: &str) -> (StatusCode, serde_json::Value) {
        let request = Request::builder().method(method).uri(uri).header("content-type", media).body(Body::from(body.to_owned()));
        let response = router().oneshot(request.unwrap()).await.unwrap();
        let status = response.status();
        let bytes = response.into_body().collect().await.unwrap().to_bytes();
        (status, serde_json::from_slice(&bytes).unwrap_or_default())
    }

    #[tokio::test]
    async fn a_wrong_field_of_the_body_is_named_with_its_path_and_not_repeated() {
        let (status, json) = send("POST", "/json", "application/json", r#"{"inner":{"count":"hunter\"2"}}"#).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(json["errors"][0]["field"], "inner.count");
        assert!(!json.to_string().contains("hunter") && json.to_string().contains("u32"), "{json}");
    }

    #[test]
    fn an_unknown_variant_is_not_repeated() {
        let message = "unknown variant `a`, expected `hunter\"2`, expected one of `viewer`, `member` at line 1 column 8";
        assert_eq!(without_values(message), "unknown variant, expected one of `viewer`, `member` at line 1 column 8");
    }

    #[tokio::test]
    async fn an_unknown_field_is_named() {
        let (_, json) = send("POST", "/json", "application/json", r#"{"nome":1}"#).await;
        assert!(json["errors"][0]["message"].as_str().unwrap().contains("unknown field `nome`"), "{json}");
    }

    #[tokio::test]
    async fn what_is_no_json_too_large_or_of_another_type_is_a_problem() {
        let expected = [("{", "application/json", "malformed", 400), ("{}", "text/plain", "unsupported-media-type", 415)];
        for (body, media, code, status) in expected {
            let (got, json) = send("POST", "/json", media, body).await;
            assert_eq!((got.as_u16(), &json["code"]), (status, &code.into()), "{json}");
        }
        let (got, json) = send("POST", "/json", "application/json", &format!("\"{}\"", "x".repeat(80))).await;
        assert_eq!((got.as_u16(), &json["code"]), (413, &"body-too-large".into()));
    }

    #[tokio::test]
    async fn wrong_parameters_of_query_and_path_are_named() {
        let (status, json) = send("GET", "/query?depth=many", "", "").await;
        assert_eq!((status.as_u16(), &json["errors"][0]["field"]), (400, &"depth".into()), "{json}");
        let (status, json) = send("GET", "/path/x", "", "").await;
        assert_eq!((status.as_u16(), &json["code"]), (400, &"invalid-parameter".into()), "{json}");
        assert!(!json["errors"].as_array().unwrap().is_empty(), "{json}");
    }
}
