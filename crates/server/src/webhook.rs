//! Alerts: when a run has ended, receivers that the workflow names are told, signed as Standard Webhooks says
//! (<https://www.standardwebhooks.com>, specification 1.0.0), so that any library of it can verify them.

mod allowed;
mod payload;
mod secret;
#[cfg(test)]
mod tests;

use openidconnect::url::Url;
use reqwest::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use reqwest::{Method, Request, StatusCode};

pub use allowed::{AllowedHosts, InvalidHost};
pub use payload::{Changes, Failure, Message, Named, RunEnded};
pub use secret::{InvalidSecret, WebhookSecret};

use crate::outbound::{Outbound, OutboundError};

/// How often a message is sent at most.
pub const ATTEMPTS_MAX: u32 = 5;
/// The pauses between attempts, milliseconds: about an hour in all.
const PAUSES_MS: [i64; ATTEMPTS_MAX as usize - 1] = [30_000, 180_000, 720_000, 2_700_000];
const MILLISECONDS_PER_SECOND: i64 = 1000;

/// How long to wait after `attempts` failed ones, in milliseconds. Nothing means: give up.
#[must_use]
pub fn retry_pause_ms(attempts: u32) -> Option<i64> {
    PAUSES_MS.get(usize::try_from(attempts.checked_sub(1)?).ok()?).copied()
}

/// Why a message did not arrive. No message holds the receiver's path or the secret.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DeliveryError {
    /// Not a URL.
    #[error("the URL of this alert cannot be read: write one like https://hooks.example.com/path")]
    InvalidUrl,
    /// The operator did not list the host.
    #[error("{host} is not on this server's list of alert receivers: ask the operator to add it to the configuration")]
    HostNotAllowed {
        /// Host and port.
        host: String,
    },
    /// The receiver does not want it.
    #[error("{host} answered {status}: check the receiver's log; an answer of 200 to 299 means that it took the alert")]
    Answered {
        /// Who was told.
        host: String,
        /// What it answered.
        status: StatusCode,
    },
    /// It could not be asked.
    #[error(transparent)]
    Outbound(#[from] OutboundError),
}

impl DeliveryError {
    /// Whether another attempt can help. 410 is how a receiver says that it wants no more.
    #[must_use]
    pub fn is_final(&self) -> bool {
        match self {
            Self::InvalidUrl | Self::HostNotAllowed { .. } => true,
            Self::Answered { status, .. } => *status == StatusCode::GONE,
            Self::Outbound(error) => matches!(error, OutboundError::Url { .. }),
        }
    }
}

/// Sends alerts.
#[derive(Clone, Debug)]
pub struct Webhooks {
    outbound: Outbound,
    allowed: AllowedHosts,
}

impl Webhooks {
    /// To the hosts that the operator listed, and no others.
    #[must_use]
    pub fn new(outbound: Outbound, allowed: AllowedHosts) -> Self {
        Self { outbound, allowed }
    }

    /// Whether an alert may be sent there: for the moment when somebody writes the URL.
    ///
    /// # Errors
    /// [`DeliveryError::InvalidUrl`], [`DeliveryError::HostNotAllowed`], [`OutboundError::Url`].
    pub fn check(&self, url: &str) -> Result<(), DeliveryError> {
        self.parse(url).map(|_url| ())
    }

    /// Sends once. The receiver has taken it when it answers 200 to 299; what else it says is not read.
    ///
    /// # Errors
    /// [`DeliveryError`]; [`DeliveryError::is_final`] says whether to try again, [`retry_pause_ms`] when.
    pub async fn deliver(&self, url: &str, secret: &WebhookSecret, message: &Message, now_ms: i64) -> Result<(), DeliveryError> {
        let url = self.parse(url)?;
        let host = allowed::place(&url);
        let response = self.outbound.send(request(url, secret, message, now_ms)?).await?;
        let status = response.status();
        if status.is_success() { Ok(()) } else { Err(DeliveryError::Answered { host, status }) }
    }

    fn parse(&self, url: &str) -> Result<Url, DeliveryError> {
        let url: Url = url.parse().map_err(|_invalid| DeliveryError::InvalidUrl)?;
        crate::outbound::check(&url)?;
        if self.allowed.contains(&url) { Ok(url) } else { Err(DeliveryError::HostNotAllowed { host: allowed::place(&url) }) }
    }
}

fn request(url: Url, secret: &WebhookSecret, message: &Message, now_ms: i64) -> Result<Request, DeliveryError> {
    let timestamp = now_ms.div_euclid(MILLISECONDS_PER_SECOND);
    let signature = secret.sign(message.id(), timestamp, message.body());
    let mut request = Request::new(Method::POST, url);
    let headers = request.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(HeaderName::from_static("webhook-timestamp"), HeaderValue::from(timestamp));
    for (name, value) in [("webhook-id", message.id()), ("webhook-signature", &signature)] {
        let value = HeaderValue::from_str(value).map_err(|_invalid| DeliveryError::InvalidUrl)?;
        headers.insert(HeaderName::from_static(name), value);
    }
    *request.body_mut() = Some(message.body().to_vec().into());
    Ok(request)
}
