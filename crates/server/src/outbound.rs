//! How the control plane asks others over HTTP: identity providers and receivers of alerts. TLS always, except on this
//! machine; no redirects, which would lead past the checks of a host; a time limit; bounded answers.

use std::net::IpAddr;
use std::time::Duration;

use openidconnect::url::{Host, Url};
use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, Proxy, Request, Response};

/// How long a request may take from the first packet to the last byte of the answer.
pub const TIME_LIMIT: Duration = Duration::from_secs(10);
const USER_AGENT: &str = concat!("isinglass/", env!("CARGO_PKG_VERSION"));

/// What the operator decides about requests to others.
#[derive(Clone, Debug, Default)]
pub struct OutboundSettings {
    /// PEM certificates that are trusted besides those of the system.
    pub ca_bundle_pem: Option<Vec<u8>>,
    /// A proxy for `https` requests, as a URL. The environment is not looked at.
    pub https_proxy: Option<String>,
}

/// Why a request was not made, or has no answer. No message holds more of a URL than its host: paths of webhooks are secret.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OutboundError {
    /// The certificates or the proxy cannot be used.
    #[error("requests to other servers cannot be set up: check the CA bundle and the proxy of the configuration")]
    Setup(#[source] reqwest::Error),
    /// Not a URL that is asked.
    #[error("this URL is not asked ({reason}): write one that begins with https://")]
    Url {
        /// What is wrong.
        reason: &'static str,
    },
    /// No answer in time.
    #[error("{host} did not answer within {} s: check that it is up and reachable from this server", TIME_LIMIT.as_secs())]
    TimedOut {
        /// Who was asked.
        host: String,
    },
    /// No connection, or it broke.
    #[error("{host} cannot be reached: check its name, its certificate, and that this server may connect to it")]
    Unreachable {
        /// Who was asked.
        host: String,
        /// Why.
        #[source]
        source: reqwest::Error,
    },
    /// More than is read.
    #[error("the answer of {host} is longer than {max} bytes: it is not what was asked for; check the URL")]
    TooLong {
        /// Who was asked.
        host: String,
        /// How much is read, bytes.
        max: usize,
    },
}

/// The client for all of it. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Outbound {
    client: Client,
}

impl Outbound {
    /// Sets the client up, and `aws-lc-rs` as the TLS provider of the process where that was not done.
    ///
    /// # Errors
    /// [`OutboundError::Setup`].
    pub fn new(settings: &OutboundSettings) -> Result<Self, OutboundError> {
        aws::install_default_provider();
        let mut builder = Client::builder()
            .redirect(Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .no_proxy()
            .timeout(TIME_LIMIT)
            .user_agent(USER_AGENT);
        if let Some(pem) = &settings.ca_bundle_pem {
            builder = builder.tls_certs_merge(Certificate::from_pem_bundle(pem).map_err(OutboundError::Setup)?);
        }
        if let Some(proxy) = &settings.https_proxy {
            builder = builder.proxy(Proxy::https(proxy).map_err(OutboundError::Setup)?);
        }
        Ok(Self { client: builder.build().map_err(OutboundError::Setup)? })
    }

    /// Sends it and gives the head of the answer; the body is not read.
    ///
    /// # Errors
    /// [`OutboundError::Url`], [`OutboundError::TimedOut`], [`OutboundError::Unreachable`].
    pub async fn send(&self, request: Request) -> Result<Response, OutboundError> {
        check(request.url())?;
        let host = host_of(request.url());
        self.client.execute(request).await.map_err(|error| failure(host, error))
    }

    /// Reads an answer's body up to `max` bytes.
    ///
    /// # Errors
    /// [`OutboundError::TooLong`], [`OutboundError::TimedOut`], [`OutboundError::Unreachable`].
    pub async fn body(mut response: Response, max: usize) -> Result<Vec<u8>, OutboundError> {
        let host = host_of(response.url());
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| failure(host.clone(), error))? {
            if chunk.len() > max - body.len() {
                return Err(OutboundError::TooLong { host, max });
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }
}

/// Whether a URL may be asked at all: `https`, or `http` to this machine by its address or as `localhost`; no password in it.
///
/// # Errors
/// [`OutboundError::Url`].
pub fn check(url: &Url) -> Result<(), OutboundError> {
    if !url.username().is_empty() || url.password().is_some() {
        return Err(OutboundError::Url { reason: "it holds a user name or a password" });
    }
    match url.scheme() {
        "https" if url.has_host() => Ok(()),
        "http" if is_loopback(url) => Ok(()),
        "http" => Err(OutboundError::Url { reason: "it is not encrypted, which is only allowed to this machine" }),
        _ => Err(OutboundError::Url { reason: "it is neither https nor http" }),
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => IpAddr::from(address).is_loopback(),
        Some(Host::Ipv6(address)) => IpAddr::from(address).is_loopback(),
        None => false,
    }
}

fn host_of(url: &Url) -> String {
    url.host_str().unwrap_or("this URL").to_owned()
}

fn failure(host: String, error: reqwest::Error) -> OutboundError {
    if error.is_timeout() {
        OutboundError::TimedOut { host }
    } else {
        OutboundError::Unreachable { host, source: error.without_url() }
    }
}

#[cfg(test)]
mod tests;
