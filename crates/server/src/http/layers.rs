//! What happens around every request, from the outside in: id, headers, log and metrics, problems, panics, time, concurrency.

use std::any::Any;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};
use tokio::sync::Semaphore;

use super::headers::{Transport, secure};
use super::problem::{Code, Problem};
use super::request_id::{REQUEST_ID, RequestIds};

const RETRY_AFTER_SECONDS: u32 = 1;

/// What the outermost layer needs.
#[derive(Clone, Debug)]
pub struct Outermost {
    /// Gives out ids.
    pub ids: Arc<RequestIds>,
    /// Whether HSTS is sent.
    pub transport: Transport,
}

/// Gives the request its id, the answer its id and headers, and a problem the path.
pub async fn outermost(State(outermost): State<Outermost>, mut request: Request, next: Next) -> Response {
    let id = outermost.ids.of(request.headers());
    let path = request.uri().path().to_owned();
    request.extensions_mut().insert(id.clone());
    let mut response = next.run(request).await;
    if let Some(problem) = response.extensions_mut().remove::<Problem>() {
        let problem = problem.at(&path);
        problem.write_into(&mut response);
    }
    response.headers_mut().insert(REQUEST_ID, id.header());
    secure(response.headers_mut(), &path, outermost.transport);
    response
}

/// What the framework itself refuses without a body becomes a problem too.
pub async fn plain_refusals(request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    if response.extensions().get::<Problem>().is_some() || response.headers().contains_key(header::CONTENT_TYPE) {
        return response;
    }
    let problem = match response.status() {
        StatusCode::NOT_FOUND => Problem::new(Code::NotFound, "there is nothing at this path"),
        StatusCode::METHOD_NOT_ALLOWED => Problem::new(Code::MethodNotAllowed, "the path has no such method; see `Allow`"),
        StatusCode::PAYLOAD_TOO_LARGE => Problem::new(Code::BodyTooLarge, "the body is larger than the service takes"),
        _ => return response,
    };
    let mut answer = problem.into_response();
    if let Some(allow) = response.headers().get(header::ALLOW) {
        answer.headers_mut().insert(header::ALLOW, allow.clone());
    }
    answer
}

/// A panic of a handler: the panic hook has logged it, the client learns nothing.
pub fn panicked(_payload: Box<dyn Any + Send + 'static>) -> Response {
    tracing::error!("a handler panicked");
    Problem::internal_without_details().into_response()
}

/// Ends a request that takes longer than `limit` to begin its answer. Streams go on: they watch the shutdown tokens.
pub async fn timed(State(limit): State<Duration>, request: Request, next: Next) -> Response {
    match tokio::time::timeout(limit, next.run(request)).await {
        Ok(response) => response,
        Err(_) => Problem::new(Code::TimedOut, "the request took too long; try again, or ask for less")
            .with_retry_after(RETRY_AFTER_SECONDS)
            .into_response(),
    }
}

/// Refuses what exceeds the number of requests in flight, at once: a queue would only make all of them late.
pub async fn bounded(State(slots): State<Arc<Semaphore>>, request: Request, next: Next) -> Response {
    match slots.try_acquire() {
        Ok(_slot) => next.run(request).await,
        Err(_) => {
            Problem::new(Code::Unavailable, "the service is busy; try again").with_retry_after(RETRY_AFTER_SECONDS).into_response()
        }
    }
}
