//! Requests that create something, and may be sent twice: with an `Idempotency-Key` the second one gets the answer of the first.

use aws_lc_rs::hmac;
use axum::extract::{FromRequest, Request};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::{HeaderValue, StatusCode, header};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use store::{Answer, Claim, IdempotencyKey, RequestHash};

use super::Caller;
use crate::http::{Code, ETag, Json, Problem};
use crate::state::App;

const IDEMPOTENCY_KEY: &str = "idempotency-key";
/// Longest key.
const KEY_BYTES_MAX: usize = 255;
/// Seconds after which the first of two equal requests has an answer, most likely.
const RETRY_AFTER_SECONDS: u32 = 1;

/// A body, and what it is recognised by when it comes again.
pub(crate) struct Posted<T> {
    pub(crate) body: T,
    repeat: Repeat,
}

struct Repeat {
    key: Option<String>,
    method: String,
    path: String,
    hash: RequestHash,
}

/// What was created.
pub(crate) struct Created {
    pub(crate) status: StatusCode,
    /// Where it is.
    pub(crate) location: Option<String>,
    pub(crate) version: Option<i64>,
    body: Box<RawValue>,
    keeping: Keeping,
}

/// Whether the answer is kept for a repetition.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Keeping {
    Answer,
    /// Only that there was one: it holds a secret.
    Nothing,
}

/// What is kept of an answer.
#[derive(Serialize, Deserialize)]
struct Kept {
    location: Option<String>,
    version: Option<i64>,
    body: Box<RawValue>,
}

impl<T: DeserializeOwned> FromRequest<App> for Posted<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &App) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        let key = match parts.headers.get(IDEMPOTENCY_KEY) {
            None => None,
            Some(value) => Some(key_of(value)?),
        };
        let (method, path) = (parts.method.to_string(), parts.uri.path().to_owned());
        let bytes = Bytes::from_request(Request::from_parts(parts.clone(), body), app).await;
        let bytes = bytes.map_err(|_refused| Problem::new(Code::BodyTooLarge, "the body is larger than the service takes"))?;
        let tag = hmac::sign(&app.request_key, &bytes);
        let mut hash = [0; 32];
        hash.copy_from_slice(tag.as_ref());
        let Json(body) = Json::from_request(Request::from_parts(parts, bytes.into()), app).await?;
        Ok(Self { body, repeat: Repeat { key, method, path, hash: RequestHash(hash) } })
    }
}

impl Created {
    /// 201 with the thing and where it is.
    pub(crate) fn new(location: String, version: Option<i64>, body: &impl Serialize) -> Result<Self, Problem> {
        let body = serde_json::value::to_raw_value(body).map_err(|error| Problem::internal(&error))?;
        Ok(Self { status: StatusCode::CREATED, location: Some(location), version, body, keeping: Keeping::Answer })
    }

    /// 202: it goes on by itself.
    pub(crate) fn accepted(location: String, body: &impl Serialize) -> Result<Self, Problem> {
        Ok(Self { status: StatusCode::ACCEPTED, ..Self::new(location, None, body)? })
    }

    /// An answer that holds a secret: it is not kept, and a repetition is refused.
    pub(crate) fn shown_once(self) -> Self {
        Self { keeping: Keeping::Nothing, ..self }
    }
}

impl IntoResponse for Created {
    fn into_response(self) -> Response {
        let mut response = (self.status, self.body.get().to_owned()).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if let Some(location) = self.location.and_then(|location| HeaderValue::try_from(location).ok()) {
            headers.insert(header::LOCATION, location);
        }
        match self.version {
            Some(version) => (ETag(version), response).into_response(),
            None => response,
        }
    }
}

impl<T> Posted<T> {
    /// Does the work, or repeats what was answered before.
    pub(crate) async fn once<W>(self, app: &App, caller: &Caller, work: impl FnOnce(T) -> W) -> Result<Created, Problem>
    where
        W: Future<Output = Result<Created, Problem>>,
    {
        let Repeat { key, method, path, hash } = self.repeat;
        let Some(key) = key else { return work(self.body).await };
        let principal = caller.user_id().to_string();
        let key = IdempotencyKey { principal, key, method, path };
        let claimed_ms = app.clock.now_ms();
        match app.store.begin_request(&key, hash, claimed_ms).await? {
            Claim::New => {}
            Claim::Finished(answer) => return repeated(answer),
            Claim::InProgress => {
                let detail = "the same request is being worked on: try again in a moment";
                return Err(Problem::new(Code::Conflict, detail).with_retry_after(RETRY_AFTER_SECONDS));
            }
            Claim::Different => {
                return Err(Problem::new(Code::Conflict, "this `Idempotency-Key` was used for another request: choose a new one"));
            }
        }
        match work(self.body).await {
            Ok(created) => {
                app.store.finish_request(&key, claimed_ms, &answer_of(&created)?).await?;
                Ok(created)
            }
            Err(problem) => {
                app.store.abandon_request(&key, claimed_ms).await?;
                Err(problem)
            }
        }
    }
}

fn key_of(value: &HeaderValue) -> Result<String, Problem> {
    let text = value.to_str().unwrap_or_default();
    if text.is_empty() || text.len() > KEY_BYTES_MAX {
        return Err(Problem::new(Code::InvalidParameter, "an `Idempotency-Key` has 1 to 255 visible ASCII characters"));
    }
    Ok(text.to_owned())
}

fn answer_of(created: &Created) -> Result<Answer, Problem> {
    let status = created.status.as_u16();
    if created.keeping == Keeping::Nothing {
        return Ok(Answer { status, body: None });
    }
    let kept = Kept { location: created.location.clone(), version: created.version, body: created.body.clone() };
    let body = serde_json::to_vec(&kept).map_err(|error| Problem::internal(&error))?;
    Ok(Answer { status, body: Some(body) })
}

fn repeated(answer: Answer) -> Result<Created, Problem> {
    let lost = || Problem::new(Code::Conflict, "this request was answered before, with what is not kept: look at what it made");
    let kept: Kept = serde_json::from_slice(&answer.body.ok_or_else(lost)?).map_err(|error| Problem::internal(&error))?;
    let status = StatusCode::from_u16(answer.status).map_err(|error| Problem::internal(&error))?;
    Ok(Created { status, location: kept.location, version: kept.version, body: kept.body, keeping: Keeping::Answer })
}
