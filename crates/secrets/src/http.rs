//! How stores are asked over HTTP: TLS always, except on this machine and to its metadata service; no redirects; time limits; bounded
//! answers; few retries. Headers that hold secrets are marked, bodies are overwritten after use, and no message has more of an address than
//! its host.

mod address;
mod answer;
mod ask;

use std::error::Error;
use std::path::Path;

use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, ClientBuilder, NoProxy, Proxy, Url};
use zeroize::Zeroizing;

pub(crate) use address::{append, base};
pub(crate) use answer::{Answer, code};
pub(crate) use ask::Ask;

use crate::context::{Context, Limits};
use crate::entry;
use crate::fault::Fault;
use address::{host_of, is_on_this_machine, require_sound};

/// The longest answer that is read, in bytes: an entry of the longest kind in base64, with what a store says about it.
const ANSWER_BYTES_MAX: usize = 256 * 1024;
/// How often a request is made that meets an outage.
const ATTEMPTS_MAX: u32 = 3;
/// The longest PEM file of certificates, in bytes.
const CA_BUNDLE_BYTES_MAX: u64 = 4 * 1024 * 1024;
const USER_AGENT: &str = concat!("isinglass/", env!("CARGO_PKG_VERSION"));

/// Whose certificates are trusted.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Trust<'p> {
    /// The system's, and those of a PEM file.
    System(Option<&'p Path>),
    /// Those of a PEM file only.
    Only(&'p Path),
}

/// The client of one store.
#[derive(Clone, Debug)]
pub(crate) struct Http {
    /// Through the proxy of the environment, if there is one.
    proxied: Client,
    /// Never through a proxy: for this machine and its metadata service.
    direct: Client,
    limits: Limits,
}

/// An attempt without an answer.
struct Failure {
    fault: Fault,
    may_be_retried: bool,
}

impl Http {
    /// Sets the client up, and `aws-lc-rs` as the TLS provider of the process where that was not done.
    pub(crate) fn new(context: &Context, trust: Trust<'_>) -> Result<Self, Fault> {
        // An error means that a provider is installed already, which is what is wanted.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let limits = context.limits;
        let certificates = match trust {
            Trust::System(path) => path.map(certificates).transpose()?,
            Trust::Only(path) => Some(certificates(path)?),
        };
        let builder = || match (trust, certificates.clone()) {
            (Trust::Only(_), Some(certificates)) => bare(limits).tls_certs_only(certificates),
            (Trust::System(_), Some(certificates)) => bare(limits).tls_certs_merge(certificates),
            (_, None) => bare(limits),
        };
        let direct = builder().build().map_err(|error| unusable(&error))?;
        let proxied = match proxy(context)? {
            Some(proxy) => builder().proxy(proxy).build().map_err(|error| unusable(&error))?,
            None => direct.clone(),
        };
        Ok(Self { proxied, direct, limits })
    }

    /// Asks, again if nobody answers or the answer says that it is no time for one, and reads the whole answer.
    pub(crate) async fn send(&self, ask: &Ask) -> Result<Answer, Fault> {
        let mut wait = self.limits.retry_wait;
        for _ in 1..ATTEMPTS_MAX {
            match self.attempt(ask).await {
                Ok(answer) if !answer.is_outage() => return Ok(answer),
                Err(failure) if !failure.may_be_retried => return Err(failure.fault),
                Ok(_) | Err(_) => tokio::time::sleep(wait).await,
            }
            wait *= 4;
        }
        self.attempt(ask).await.map_err(|failure| failure.fault)
    }

    async fn attempt(&self, ask: &Ask) -> Result<Answer, Failure> {
        require_sound(&ask.url).map_err(|fault| Failure { fault, may_be_retried: false })?;
        let client = if is_on_this_machine(&ask.url) { &self.direct } else { &self.proxied };
        let mut response = client.execute(ask.request()).await.map_err(|error| self.failure(&ask.url, error))?;
        let (status, headers) = (response.status(), response.headers().clone());
        let announced = response.content_length().and_then(|length| usize::try_from(length).ok());
        if announced.is_some_and(|length| length > ANSWER_BYTES_MAX) {
            return Err(Failure { fault: entry::too_long(), may_be_retried: false });
        }
        // The whole room at once: a buffer that grows leaves copies of what it held.
        let mut body = Zeroizing::new(Vec::with_capacity(announced.unwrap_or(ANSWER_BYTES_MAX)));
        while let Some(chunk) = response.chunk().await.map_err(|error| self.failure(&ask.url, error))? {
            if chunk.len() > ANSWER_BYTES_MAX - body.len() {
                return Err(Failure { fault: entry::too_long(), may_be_retried: false });
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Answer { host: host_of(&ask.url), status, headers, body })
    }

    fn failure(&self, url: &Url, error: reqwest::Error) -> Failure {
        let host = host_of(url);
        let error = error.without_url();
        if error.is_timeout() {
            let reason = format!("{host} did not answer within {} s", self.limits.answer.as_secs_f32());
            let fault = Fault::unreachable(reason, "check that it is up, and look for a firewall on the way that drops packets");
            return Failure { fault, may_be_retried: false };
        }
        let cause = innermost(&error);
        let is_about_tls = cause.contains("certificate");
        let remedy = if is_about_tls {
            "give the CA that issued its certificate with ca-bundle, and check that the address has the name of the certificate"
        } else {
            "check the address and its name, that the runtime may connect to it, and HTTPS_PROXY and NO_PROXY"
        };
        Failure { fault: Fault::unreachable(format!("{host}: {cause}"), remedy), may_be_retried: !is_about_tls }
    }
}

fn bare(limits: Limits) -> ClientBuilder {
    Client::builder()
        .redirect(Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        .no_proxy()
        .connect_timeout(limits.connect)
        .timeout(limits.answer)
        .pool_max_idle_per_host(1)
        .user_agent(USER_AGENT)
}

/// The proxy of the environment. Only encrypted requests go through it, so it sees none of their content.
fn proxy(context: &Context) -> Result<Option<Proxy>, Fault> {
    let names = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];
    let Some(address) = names.iter().find_map(|name| context.variable(name)).map(Zeroizing::new) else { return Ok(None) };
    let exceptions = ["NO_PROXY", "no_proxy"].iter().find_map(|name| context.variable(name));
    let proxy = Proxy::https(address.as_str()).map_err(|_| {
        Fault::misconfigured("the proxy of the environment has no usable address", "write HTTPS_PROXY as http://host:port")
    })?;
    Ok(Some(proxy.no_proxy(exceptions.as_deref().and_then(NoProxy::from_string))))
}

fn certificates(path: &Path) -> Result<Vec<Certificate>, Fault> {
    let bad = |what: String| {
        let reason = format!("the CA bundle {} {what}", path.display());
        Fault::misconfigured(reason, "give a readable PEM file of certificates")
    };
    let metadata = std::fs::metadata(path).map_err(|error| bad(format!("cannot be read: {}", error.kind())))?;
    if !metadata.is_file() || metadata.len() > CA_BUNDLE_BYTES_MAX {
        return Err(bad("is no file of certificates".to_owned()));
    }
    let pem = std::fs::read(path).map_err(|error| bad(format!("cannot be read: {}", error.kind())))?;
    match Certificate::from_pem_bundle(&pem) {
        Ok(certificates) if !certificates.is_empty() => Ok(certificates),
        Ok(_) | Err(_) => Err(bad("holds no certificate".to_owned())),
    }
}

fn unusable(error: &reqwest::Error) -> Fault {
    Fault::misconfigured(
        format!("requests cannot be set up: {}", innermost(error)),
        "install the system's ca-certificates, or give a CA bundle of PEM certificates",
    )
}

/// The cause at the end of the chain, which says most: `Connection refused`, `invalid peer certificate`. These texts are of the system and of
/// the libraries; nothing of a body is in them.
fn innermost(error: &dyn Error) -> String {
    let mut cause = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string().chars().filter(|character| !character.is_control()).take(200).collect()
}
