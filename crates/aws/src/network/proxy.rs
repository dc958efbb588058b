//! Proxies: which one a connection goes through, and how a tunnel is asked for (RFC 9110 section 9.3.6).
//!
//! Only `HTTPS_PROXY` matters: plain HTTP goes to this machine and to the addresses of instance credentials alone, and those
//! are always reached directly, so there is nothing that `HTTP_PROXY` could apply to.

use std::net::{IpAddr, SocketAddr};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::Uri;
use ipnet::IpNet;
use model::Secret;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::fault::{FaultKind, NetworkFault};
use crate::endpoint::literal_address;

/// The longest head of a proxy's answer that is read.
const ANSWER_BYTES_MAX: usize = 8 * 1024;
const PORT_DEFAULT: u16 = 80;

/// A proxy that cannot be used.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ProxyError {
    /// Not an address of a proxy.
    #[error("HTTPS_PROXY (or ALL_PROXY) is not the address of a proxy; give http://host:port or http://user:password@host:port")]
    Form,
    /// A proxy of another kind.
    #[error(
        "HTTPS_PROXY (or ALL_PROXY) has the scheme {0}, but only http:// proxies (CONNECT) are supported; give the proxy's http:// address"
    )]
    Scheme(String),
}

/// A proxy and the hosts that do not go through it.
#[derive(Clone, Debug)]
pub(crate) struct Proxy {
    pub(crate) host: String,
    pub(crate) port: u16,
    authorization: Option<Secret>,
    bypass: Bypass,
}

impl Proxy {
    /// Reads `HTTPS_PROXY` and `NO_PROXY`. The scheme may be left out.
    pub(crate) fn parse(address: &Secret, no_proxy: Option<&str>) -> Result<Self, ProxyError> {
        let text = address.expose().trim();
        let with_scheme = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
        let uri: Uri = with_scheme.parse().map_err(|_| ProxyError::Form)?;
        let scheme = uri.scheme_str().unwrap_or("http");
        if scheme != "http" {
            return Err(ProxyError::Scheme(scheme.to_owned()));
        }
        let authority = uri.authority().ok_or(ProxyError::Form)?;
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
        if host.is_empty() || !matches!(uri.path(), "" | "/") {
            return Err(ProxyError::Form);
        }
        let user = authority.as_str().rsplit_once('@').map(|(user, _)| percent_decoded(user));
        let authorization = user.map(|user| Secret::new(format!("Basic {}", STANDARD.encode(user))));
        let bypass = Bypass::parse(no_proxy.unwrap_or_default());
        Ok(Self { host, port: authority.port_u16().unwrap_or(PORT_DEFAULT), authorization, bypass })
    }

    /// Whether connections to a host go through the proxy.
    pub(crate) fn applies_to(&self, host: &str, port: u16) -> bool {
        !self.bypass.covers(host, port)
    }

    /// `host:port`, as in reports.
    pub(crate) fn name(&self) -> String {
        if self.host.contains(':') { format!("[{}]:{}", self.host, self.port) } else { format!("{}:{}", self.host, self.port) }
    }

    /// Asks for a tunnel to `target` on a connection to the proxy.
    pub(crate) async fn open_tunnel<S>(&self, stream: &mut S, target: &TunnelTarget<'_>) -> Result<(), NetworkFault>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send,
    {
        let target = target.authority();
        let authorization =
            self.authorization.as_ref().map(|value| format!("Proxy-Authorization: {}\r\n", value.expose())).unwrap_or_default();
        let request = format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n{authorization}\r\n");
        stream.write_all(request.as_bytes()).await.map_err(|error| self.broke(&error.to_string()))?;
        let head = self.read_head(stream).await?;
        let status_line = head.lines().next().unwrap_or_default();
        match status_line.split(' ').nth(1) {
            Some("200") => Ok(()),
            Some("407") => {
                Err(self.refused(&target, status_line, "give HTTPS_PROXY with a user and a password that the proxy takes"))
            }
            _ => Err(self.refused(
                &target,
                status_line,
                "ask for the target to be allowed on the proxy, or list its host in NO_PROXY",
            )),
        }
    }

    async fn read_head<S: AsyncRead + Unpin + Send>(&self, stream: &mut S) -> Result<String, NetworkFault> {
        let mut head = Vec::with_capacity(256);
        // One byte at a time: what follows the head already belongs to the tunnel.
        while !head.ends_with(b"\r\n\r\n") {
            if head.len() >= ANSWER_BYTES_MAX {
                return Err(self.broke("its answer has no end"));
            }
            head.push(stream.read_u8().await.map_err(|error| self.broke(&error.to_string()))?);
        }
        Ok(String::from_utf8_lossy(&head).into_owned())
    }

    fn broke(&self, why: &str) -> NetworkFault {
        NetworkFault::new(
            FaultKind::Proxy,
            format!("the proxy {} did not open a tunnel: {why}", self.name()),
            "check that HTTPS_PROXY names an HTTP proxy that allows CONNECT",
        )
    }

    fn refused(&self, target: &str, status_line: &str, action: &str) -> NetworkFault {
        let shown: String = status_line.chars().filter(|character| !character.is_control()).take(100).collect();
        NetworkFault::new(FaultKind::Proxy, format!("the proxy {} refused a tunnel to {target}: {shown}", self.name()), action)
    }
}

/// What a tunnel is asked for: a checked address in private mode, so that the proxy resolves nothing; a name in public mode.
pub(crate) enum TunnelTarget<'a> {
    Address(SocketAddr),
    Name(&'a str, u16),
}

impl TunnelTarget<'_> {
    fn authority(&self) -> String {
        match self {
            Self::Address(address) => address.to_string(),
            Self::Name(host, port) if host.contains(':') => format!("[{host}]:{port}"),
            Self::Name(host, port) => format!("{host}:{port}"),
        }
    }
}

/// `NO_PROXY`: a comma-separated list of names (each with what is below it), addresses, CIDRs, `*`; each may have a port.
#[derive(Clone, Debug, Default)]
struct Bypass {
    rules: Vec<BypassRule>,
}

#[derive(Clone, Debug)]
enum BypassRule {
    All,
    Range(IpNet),
    Address { address: IpAddr, port: Option<u16> },
    Name { suffix: String, port: Option<u16> },
}

impl Bypass {
    fn parse(text: &str) -> Self {
        Self { rules: text.split([',', ' ']).map(str::trim).filter(|rule| !rule.is_empty()).map(BypassRule::parse).collect() }
    }

    fn covers(&self, host: &str, port: u16) -> bool {
        let host = host.trim_end_matches('.').to_ascii_lowercase();
        let literal = literal_address(&host).map(|address| address.to_canonical());
        self.rules.iter().any(|rule| rule.covers(&host, literal, port))
    }
}

impl BypassRule {
    fn parse(rule: &str) -> Self {
        if rule == "*" {
            return Self::All;
        }
        if let Ok(range) = rule.parse() {
            return Self::Range(range);
        }
        if let Some(address) = literal_address(rule) {
            return Self::Address { address: address.to_canonical(), port: None };
        }
        let (host, port) = match rule.rsplit_once(':') {
            Some((host, port)) => port.parse().map_or((rule, None), |port| (host, Some(port))),
            None => (rule, None),
        };
        if let Some(address) = literal_address(host) {
            return Self::Address { address: address.to_canonical(), port };
        }
        let suffix = host.trim_start_matches('*').trim_start_matches('.').trim_end_matches('.').to_ascii_lowercase();
        Self::Name { suffix, port }
    }

    fn covers(&self, host: &str, literal: Option<IpAddr>, port: u16) -> bool {
        let same_port = |wanted: &Option<u16>| wanted.is_none_or(|wanted| wanted == port);
        match self {
            Self::All => true,
            Self::Range(range) => literal.is_some_and(|address| range.contains(&address)),
            Self::Address { address, port } => literal == Some(*address) && same_port(port),
            Self::Name { suffix, port } => {
                let below = host.strip_suffix(suffix.as_str()).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
                !suffix.is_empty() && below && same_port(port)
            }
        }
    }
}

fn percent_decoded(text: &str) -> Vec<u8> {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let pair = (bytes[at] == b'%').then(|| text.get(at + 1..at + 3)).flatten();
        match pair.and_then(|pair| u8::from_str_radix(pair, 16).ok()) {
            Some(byte) => {
                decoded.push(byte);
                at += 3;
            }
            None => {
                decoded.push(bytes[at]);
                at += 1;
            }
        }
    }
    decoded
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxy(address: &str, no_proxy: &str) -> Result<Proxy, ProxyError> {
        Proxy::parse(&Secret::new(address), Some(no_proxy))
    }

    #[test]
    fn no_proxy_rules_cover_what_they_say() {
        for (rules, host, port, covered) in [
            ("*", "glue.eu-west-1.amazonaws.com", 443, true),
            ("amazonaws.com", "glue.eu-west-1.amazonaws.com", 443, true),
            (".amazonaws.com", "glue.eu-west-1.amazonaws.com", 443, true),
            ("*.amazonaws.com", "amazonaws.com", 443, true),
            ("amazonaws.com", "notamazonaws.com", 443, false),
            ("AMAZONAWS.com.", "glue.Amazonaws.com", 443, true),
            ("example.com, amazonaws.com", "glue.amazonaws.com", 443, true),
            ("amazonaws.com:443", "glue.amazonaws.com", 443, true),
            ("amazonaws.com:8443", "glue.amazonaws.com", 443, false),
            ("10.0.0.0/8", "10.1.2.3", 443, true),
            ("10.0.0.0/8", "11.1.2.3", 443, false),
            ("10.1.2.3:8443", "10.1.2.3", 8443, true),
            ("10.1.2.3:8443", "10.1.2.3", 443, false),
            ("::1", "::1", 443, true),
            ("[::1]:443", "[::1]", 443, true),
            ("localhost", "localhost", 4566, true),
            ("", "localhost", 443, false),
            (",.,", "localhost", 443, false),
        ] {
            let proxy = proxy("http://proxy:3128", rules).unwrap();
            assert_eq!(proxy.applies_to(host, port), !covered, "{rules:?} {host}:{port}");
        }
    }

    #[test]
    fn proxy_addresses_are_read_with_and_without_scheme_port_and_user() {
        let plain = proxy("proxy.example:3128", "").unwrap();
        assert_eq!((plain.name().as_str(), plain.authorization.is_none()), ("proxy.example:3128", true));
        let user = proxy("http://us%65r:p%40ss@[fd00::1]", "").unwrap();
        assert_eq!(user.name(), "[fd00::1]:80");
        assert_eq!(user.authorization.unwrap().expose(), format!("Basic {}", STANDARD.encode("user:p@ss")));
    }

    #[test]
    fn other_kinds_of_proxy_are_refused_without_showing_the_password() {
        assert_eq!(proxy("https://p:1", "").unwrap_err(), ProxyError::Scheme("https".to_owned()));
        assert_eq!(proxy("socks5://u:hunter2@p:1", "").unwrap_err(), ProxyError::Scheme("socks5".to_owned()));
        assert_eq!(proxy("http://", "").unwrap_err(), ProxyError::Form);
    }
}
