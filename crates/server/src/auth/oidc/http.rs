//! The library's requests through our client: our trust, no redirects, bounded answers.

use std::future::Future;
use std::pin::Pin;

use openidconnect::{AsyncHttpClient, HttpRequest, HttpResponse};

use super::error::HttpError;
use crate::outbound::Outbound;

/// Longest answer of a provider, in bytes. Key sets and tokens are a few thousand.
const ANSWER_BYTES_MAX: usize = 1024 * 1024;

#[derive(Debug)]
pub(super) struct Adapter(pub(super) Outbound);

impl<'c> AsyncHttpClient<'c> for Adapter {
    type Error = HttpError;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, HttpError>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(async move {
            let request = reqwest::Request::try_from(request).map_err(|_invalid| HttpError::Request)?;
            let response = self.0.send(request).await?;
            let (status, headers) = (response.status(), response.headers().clone());
            let mut answer = HttpResponse::new(Outbound::body(response, ANSWER_BYTES_MAX).await?);
            *answer.status_mut() = status;
            *answer.headers_mut() = headers;
            Ok(answer)
        })
    }
}
