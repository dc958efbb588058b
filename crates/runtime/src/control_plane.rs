//! The control plane over HTTPS: one client, bounded answers, no redirects, and a log of what leaves before it does.

mod exchange;
mod refusal;
mod setup;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use model::Secret;
use reqwest::header::{AUTHORIZATION, HeaderValue, RETRY_AFTER};
use reqwest::{Client, Url};

pub(crate) use exchange::{Exchange, batch_request, finish_request, preflight_request};
pub(crate) use setup::{Connection, SetupError, server_url};

use crate::clock;
use crate::outgoing::{Method, Outgoing, OutgoingLog, Signed};

/// How long an answer may take, and how long it may be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// From the first packet to the last byte.
    pub(crate) time: Duration,
    /// Of the answer.
    pub(crate) bytes: usize,
}

/// What is usual for a short question.
pub(crate) const USUAL: Limits = Limits { time: Duration::from_secs(30), bytes: 1024 * 1024 };

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) retry_after_ms: i64,
    pub(crate) body: Vec<u8>,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SendError {
    /// No connection, or it broke.
    #[error(
        "the control plane at {host} cannot be reached ({reason}): check its name, its certificate, the proxy and the firewall (outbound 443)"
    )]
    Unreachable { host: String, reason: String },
    /// More than is read.
    #[error("the answer of {host} is longer than {max} bytes: is it the control plane of Isinglass?")]
    TooLong { host: String, max: usize },
    /// It was not sent, for it could not be written down.
    #[error("the log of what leaves cannot be written ({0}), so nothing is sent: make room for it or turn it off")]
    Log(std::io::Error),
}

/// The control plane. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct ControlPlane {
    client: Client,
    base: Url,
    log: Option<Arc<OutgoingLog>>,
}

impl ControlPlane {
    /// Sends a request and reads the answer. With a log, the request stands there first.
    pub(crate) async fn send(&self, outgoing: Outgoing, token: Option<&Secret>, limits: Limits) -> Result<Answer, SendError> {
        let url = url_of(&self.base, &outgoing.path);
        let outgoing = self.record(&url, outgoing).await.map_err(SendError::Log)?;
        let mut request = match outgoing.method {
            Method::Post => self.client.post(&url),
            Method::Put => self.client.put(&url),
        };
        for (name, value) in &outgoing.headers {
            request = request.header(*name, value);
        }
        if let (Signed::WithToken, Some(token)) = (outgoing.signed, token)
            && let Ok(mut value) = HeaderValue::from_str(&format!("Bearer {}", token.expose()))
        {
            value.set_sensitive(true);
            request = request.header(AUTHORIZATION, value);
        }
        let sent = request.timeout(limits.time).body(outgoing.body.sent().clone()).send().await;
        self.read(sent.map_err(|error| self.unreachable(error))?, limits.bytes).await
    }

    async fn record(&self, url: &str, outgoing: Outgoing) -> std::io::Result<Outgoing> {
        let Some(log) = self.log.clone() else { return Ok(outgoing) };
        let url = url.to_owned();
        let written = tokio::task::spawn_blocking(move || log.record(&url, &outgoing, clock::wall_ms()).map(|()| outgoing));
        written.await.map_err(std::io::Error::other)?
    }

    async fn read(&self, mut response: reqwest::Response, max: usize) -> Result<Answer, SendError> {
        let status = response.status().as_u16();
        let seconds = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.trim().parse::<i64>().ok());
        let retry_after_ms = seconds.unwrap_or(0).clamp(0, 3600) * 1000;
        let mut body = Vec::new();
        while let Some(chunk) = self.chunk(&mut response).await? {
            if chunk.len() > max - body.len() {
                return Err(SendError::TooLong { host: self.host(), max });
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Answer { status, retry_after_ms, body })
    }

    async fn chunk(&self, response: &mut reqwest::Response) -> Result<Option<Bytes>, SendError> {
        response.chunk().await.map_err(|error| self.unreachable(error))
    }

    fn host(&self) -> String {
        self.base.host_str().unwrap_or_default().to_owned()
    }

    fn unreachable(&self, error: reqwest::Error) -> SendError {
        let what = if error.is_timeout() { "no answer in time".to_owned() } else { causes(&error.without_url()) };
        SendError::Unreachable { host: self.host(), reason: what }
    }

    /// The control plane's URL, for people.
    pub(crate) fn url(&self) -> &str {
        self.base.as_str()
    }
}

/// The URL of a path below the control plane's.
pub(crate) fn url_of(base: &Url, path: &str) -> String {
    format!("{}{path}", base.as_str().trim_end_matches('/'))
}

/// The last cause says most: "connection refused", "invalid peer certificate".
fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text = cause.to_string();
        next = cause.source();
    }
    text
}
