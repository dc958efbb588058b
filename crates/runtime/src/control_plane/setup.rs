//! How the control plane is reached: its URL, the proxy, the certificates.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use model::Secret;
use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, NoProxy, Proxy, Url};

use super::ControlPlane;
use crate::outgoing::OutgoingLog;

const CONNECT_TIME: Duration = Duration::from_secs(10);
const USER_AGENT: &str = concat!("isinglass-runtime/", env!("CARGO_PKG_VERSION"));

/// What decides how the control plane is reached.
#[derive(Clone, Debug)]
pub(crate) struct Connection {
    /// Where it is.
    pub(crate) server: Url,
    /// A PEM file of certificates that are trusted besides those of the system.
    pub(crate) ca_bundle: Option<PathBuf>,
    /// A proxy for HTTPS, as a URL; it may hold a password.
    pub(crate) https_proxy: Option<Secret>,
    /// Hosts that are reached without the proxy.
    pub(crate) no_proxy: Option<String>,
    /// Where to write what leaves.
    pub(crate) log: Option<Arc<OutgoingLog>>,
}

/// Why the control plane cannot be asked at all.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SetupError {
    /// Not a URL of a control plane.
    #[error("\"{url}\" cannot be the control plane ({reason}): give its URL as https://host")]
    Url { url: String, reason: &'static str },
    /// No certificates.
    #[error("the CA bundle {path} cannot be used ({reason}): give a PEM file of certificates")]
    CaBundle { path: String, reason: String },
    /// No proxy.
    #[error("the proxy cannot be used: give it as http://host:port")]
    Proxy,
    /// Anything else.
    #[error("TLS cannot be set up ({0}): are there certificates on this system?")]
    Tls(String),
}

/// The URL of a control plane: `https`, or `http` to this machine; without a password in it.
pub(crate) fn server_url(text: &str) -> Result<Url, SetupError> {
    let refused = |reason| SetupError::Url { url: without_password(text), reason };
    let url = Url::parse(text.trim()).map_err(|_malformed| refused("it is no URL"))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(refused("it holds a user name or a password"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(refused("it has a query or a fragment"));
    }
    match url.scheme() {
        "https" => Ok(url),
        "http" if is_this_machine(&url) => Ok(url),
        "http" => Err(refused("it is not encrypted, which is allowed to this machine only")),
        _ => Err(refused("it is neither https nor http")),
    }
}

fn without_password(text: &str) -> String {
    text.split_once('@').map_or(text, |(_, after)| after).chars().filter(|character| !character.is_control()).take(200).collect()
}

fn is_this_machine(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

impl ControlPlane {
    /// Sets the client up. Nothing is sent.
    ///
    /// # Errors
    /// When certificates or proxy cannot be used.
    pub(crate) fn new(connection: Connection) -> Result<Self, SetupError> {
        let Connection { server, ca_bundle, https_proxy, no_proxy, log } = connection;
        let mut builder = Client::builder()
            .redirect(Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .no_proxy()
            .connect_timeout(CONNECT_TIME)
            .user_agent(USER_AGENT);
        if let Some(path) = ca_bundle {
            builder = builder.tls_certs_merge(certificates(&path)?);
        }
        if let Some(proxy) = https_proxy {
            let exceptions = no_proxy.as_deref().and_then(NoProxy::from_string);
            let proxy = Proxy::https(proxy.expose()).map_err(|_reason| SetupError::Proxy)?;
            builder = builder.proxy(proxy.no_proxy(exceptions));
        }
        let client = builder.build().map_err(|error| SetupError::Tls(super::causes(&error)))?;
        Ok(Self { client, base: server, log })
    }
}

fn certificates(path: &Path) -> Result<Vec<Certificate>, SetupError> {
    let refused = |reason: String| SetupError::CaBundle { path: path.display().to_string(), reason };
    let pem = std::fs::read(path).map_err(|error| refused(error.to_string()))?;
    let certificates = Certificate::from_pem_bundle(&pem).map_err(|error| refused(super::causes(&error)))?;
    if certificates.is_empty() { Err(refused("it has no certificate".to_owned())) } else { Ok(certificates) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_control_plane_is_asked_over_tls_unless_it_is_on_this_machine() {
        for good in [
            "https://catalog.example",
            "https://10.0.0.1:8443/isinglass",
            "http://127.0.0.1:7070",
            "http://[::1]:1",
            "http://localhost:1",
        ] {
            assert!(server_url(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "catalog.example",
            "http://catalog.example",
            "http://10.0.0.1",
            "ftp://a",
            "https://u:hunter2@a",
            "https://a?b",
            "http://localhost.example",
        ] {
            let error = server_url(bad).unwrap_err().to_string();
            assert!(!error.contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn what_is_no_certificate_and_no_proxy_is_said_without_a_password() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ca.pem");
        std::fs::write(&path, "nothing").unwrap();
        let server = server_url("https://a").unwrap();
        let connection =
            |ca_bundle, https_proxy| Connection { server: server.clone(), ca_bundle, https_proxy, no_proxy: None, log: None };
        aws::install_default_provider();
        assert!(matches!(ControlPlane::new(connection(Some(path), None)), Err(SetupError::CaBundle { .. })));
        let error = ControlPlane::new(connection(None, Some(Secret::new("::hunter2")))).unwrap_err();
        assert!(matches!(error, SetupError::Proxy) && !format!("{error} {error:?}").contains("hunter2"));
    }
}
