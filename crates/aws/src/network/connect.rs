//! The guarded connector: every connection of this crate is made here.
//!
//! Resolve, check every address, dial only checked ones, compare the peer, verify the certificate by name, record. A name
//! with one address outside the policy is refused before any packet. Names are resolved again for each connection, and the
//! check is of the answer that is dialled, so there is no gap for a name that changes its mind.

use std::future::Future;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::fault::{FaultKind, NetworkFault};
use super::policy::{NetworkMode, NetworkPolicy};
use super::proxy::{Proxy, TunnelTarget};
use super::resolve::Resolve;
use super::stream::{Counted, Stream};
use super::tls;
use crate::endpoint::{STS_GLOBAL_HOST, literal_address};
use crate::evidence::{Evidence, Opened};

/// The most addresses of one name that are dialled.
const ADDRESSES_DIALLED_MAX: usize = 5;
/// The shortest time that one of several addresses is given.
const DIAL_MIN: Duration = Duration::from_secs(1);
/// How long a TLS handshake or a proxy's answer may take.
const HANDSHAKE_MAX: Duration = Duration::from_secs(10);

/// The addresses of instance and container credentials: EC2 instance metadata, ECS tasks, EKS pod identity. They are
/// link-local or ULA, speak plain HTTP by design, and are dialled for credentials only.
const CREDENTIAL_ADDRESSES: [IpAddr; 5] = [
    IpAddr::V4(Ipv4Addr::new(169, 254, 169, 254)),
    IpAddr::V4(Ipv4Addr::new(169, 254, 170, 2)),
    IpAddr::V4(Ipv4Addr::new(169, 254, 170, 23)),
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254)),
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x23)),
];

/// What a connection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Calls to a service.
    Service,
    /// Calls of the base credential chain.
    CredentialSource,
}

/// What every connection of a client shares.
#[derive(Debug)]
pub(crate) struct Network {
    pub(crate) policy: NetworkPolicy,
    pub(crate) proxy: Option<Proxy>,
    pub(crate) tls: Arc<ClientConfig>,
    pub(crate) resolver: Arc<dyn Resolve>,
    pub(crate) evidence: Evidence,
}

/// Makes the connections of one service.
#[derive(Clone, Debug)]
pub(crate) struct Guard {
    pub(crate) network: Arc<Network>,
    /// The service's name in the evidence.
    pub(crate) service: &'static str,
    pub(crate) purpose: Purpose,
    pub(crate) connect_timeout: Duration,
}

impl tower_service::Service<Uri> for Guard {
    type Response = Stream;
    type Error = NetworkFault;
    type Future = Pin<Box<dyn Future<Output = Result<Stream, NetworkFault>> + Send>>;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), NetworkFault>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let guard = self.clone();
        Box::pin(async move { guard.connect(&uri).await })
    }
}

/// Where a connection should end.
struct Place {
    host: String,
    port: u16,
    is_tls: bool,
}

impl Place {
    fn of(uri: &Uri) -> Option<Self> {
        let is_tls = uri.scheme_str()? == "https";
        let host = uri.host()?.trim_start_matches('[').trim_end_matches(']').to_ascii_lowercase();
        let port = uri.port_u16().unwrap_or(if is_tls { 443 } else { 80 });
        Some(Self { host, port, is_tls })
    }

    fn is_credential_address(&self) -> bool {
        literal_address(&self.host).is_some_and(|address| CREDENTIAL_ADDRESSES.contains(&address))
    }
}

impl Guard {
    async fn connect(self, uri: &Uri) -> Result<Stream, NetworkFault> {
        let Some(place) = Place::of(uri) else {
            return Err(self.refused("this is no address of a service", "report this: the program made a bad address"));
        };
        if place.host.trim_end_matches('.') == STS_GLOBAL_HOST {
            return Err(self.refused(
                &format!("{STS_GLOBAL_HOST} is the global STS host, which is never contacted"),
                "set a region, and AWS_STS_REGIONAL_ENDPOINTS=regional or nothing",
            ));
        }
        match self.network.proxy.as_ref() {
            Some(proxy) if place.is_tls && proxy.applies_to(&place.host, place.port) => self.through(proxy, &place).await,
            _ => self.directly(&place).await,
        }
    }

    async fn directly(&self, place: &Place) -> Result<Stream, NetworkFault> {
        let addresses = self.resolve(&place.host).await?;
        self.check(place, &addresses)?;
        let (socket, peer) = self.dial(&place.host, &addresses, place.port).await?;
        let private = self.network.policy.is_private(peer);
        let opened = Opened { service: self.service, host: &place.host, address: Some(peer), is_private: private, proxy: None };
        let socket = Counted::new(socket, self.network.evidence.opened(&opened));
        if place.is_tls { self.secure(place, socket).await } else { Ok(Stream::plain(socket)) }
    }

    async fn through(&self, proxy: &Proxy, place: &Place) -> Result<Stream, NetworkFault> {
        let proxy_addresses = self.resolve(&proxy.host).await?;
        self.check_proxy(proxy, &proxy_addresses)?;
        let (target, address) = match self.network.policy.mode {
            NetworkMode::Public => (TunnelTarget::Name(&place.host, place.port), None),
            NetworkMode::Private => {
                let addresses = self.resolve(&place.host).await?;
                self.check(place, &addresses)?;
                let first = addresses.first().copied().ok_or_else(|| self.nameless(&place.host, "it has no address"))?;
                (TunnelTarget::Address(SocketAddr::new(first, place.port)), Some(first))
            }
        };
        let (socket, _) = self.dial(&proxy.host, &proxy_addresses, proxy.port).await?;
        let opened = Opened {
            service: self.service,
            host: &place.host,
            address,
            is_private: address.is_some_and(|address| self.network.policy.is_private(address)),
            proxy: Some(proxy.name()),
        };
        let mut socket = Counted::new(socket, self.network.evidence.opened(&opened));
        let tunnel = tokio::time::timeout(HANDSHAKE_MAX, proxy.open_tunnel(&mut socket, &target)).await;
        tunnel.unwrap_or_else(|_| Err(self.slow_handshake(&proxy.name(), "the proxy")))?;
        self.secure(place, socket).await
    }

    async fn secure(&self, place: &Place, socket: Counted) -> Result<Stream, NetworkFault> {
        let name = ServerName::try_from(place.host.clone())
            .map_err(|_| self.refused(&format!("\"{}\" is no host name", place.host), "correct the endpoint address"))?;
        let handshake = TlsConnector::from(Arc::clone(&self.network.tls)).connect(name, socket);
        let stream = tokio::time::timeout(HANDSHAKE_MAX, handshake)
            .await
            .map_err(|_| self.slow_handshake(&place.host, "TLS"))?
            .map_err(|error| tls::handshake_fault(&place.host, &error))?;
        self.network.evidence.secured(self.service, &place.host, tls::describe(stream.get_ref().1));
        Ok(Stream::tls(stream))
    }

    async fn resolve(&self, host: &str) -> Result<Vec<IpAddr>, NetworkFault> {
        if let Some(address) = literal_address(host) {
            return Ok(vec![address]);
        }
        let answer = tokio::time::timeout(self.connect_timeout, self.network.resolver.resolve(host)).await;
        let addresses = match answer {
            Ok(Ok(addresses)) => addresses,
            Ok(Err(error)) => return Err(self.nameless(host, &error.to_string())),
            Err(_) => return Err(self.nameless(host, "the name server did not answer in time")),
        };
        if addresses.is_empty() { Err(self.nameless(host, "it has no address")) } else { Ok(addresses) }
    }

    /// One address outside the policy is enough to refuse.
    fn check(&self, place: &Place, addresses: &[IpAddr]) -> Result<(), NetworkFault> {
        let for_credentials = self.purpose == Purpose::CredentialSource && !place.is_tls && place.is_credential_address();
        for address in addresses {
            if for_credentials {
                continue;
            }
            if !place.is_tls && !address.to_canonical().is_loopback() {
                return Err(self.refused(
                    &format!("{} is {address}, and plain HTTP is allowed to this machine only", place.host),
                    "use an https:// endpoint",
                ));
            }
            if !self.network.policy.permits(*address) {
                return Err(self.outside(&place.host, *address));
            }
        }
        Ok(())
    }

    /// In private mode a proxy must be private and named by a CIDR: it sees where everything goes.
    fn check_proxy(&self, proxy: &Proxy, addresses: &[IpAddr]) -> Result<(), NetworkFault> {
        let policy = &self.network.policy;
        let wrong = addresses.iter().find(|address| match policy.mode {
            NetworkMode::Public => !policy.permits(**address),
            NetworkMode::Private => !(policy.permits(**address) && policy.lists(**address)),
        });
        match wrong {
            None => Ok(()),
            Some(address) => Err(self.refused(
                &format!("the proxy {} is {address}, which no --private-cidr lists", proxy.name()),
                "in private mode list the proxy's range with --private-cidr, or put the service's host into NO_PROXY; nothing was sent",
            )),
        }
    }

    async fn dial(&self, host: &str, addresses: &[IpAddr], port: u16) -> Result<(TcpStream, IpAddr), NetworkFault> {
        let tried = &addresses[..addresses.len().min(ADDRESSES_DIALLED_MAX)];
        let share = u32::try_from(tried.len().max(1)).unwrap_or(1);
        let each = (self.connect_timeout / share).max(DIAL_MIN).min(self.connect_timeout);
        let mut last = self.nameless(host, "it has no address");
        for address in tried {
            let target = SocketAddr::new(*address, port);
            match tokio::time::timeout(each, TcpStream::connect(target)).await {
                Ok(Ok(socket)) => return self.connected(host, socket, tried),
                Ok(Err(error)) => last = self.unreachable(host, target, &error),
                Err(_) => last = self.silent(host, target),
            }
        }
        Err(last)
    }

    fn connected(&self, host: &str, socket: TcpStream, checked: &[IpAddr]) -> Result<(TcpStream, IpAddr), NetworkFault> {
        let broke = |error: std::io::Error| {
            NetworkFault::new(FaultKind::Closed, format!("the connection to {host} broke at once: {error}"), "try again")
        };
        let peer = socket.peer_addr().map_err(broke)?.ip();
        if !checked.iter().any(|address| address.to_canonical() == peer.to_canonical()) {
            return Err(self.refused(
                &format!("the connection to {host} ended at {peer}, which is not an address that was checked"),
                "look for something on this machine that redirects connections",
            ));
        }
        socket.set_nodelay(true).map_err(broke)?;
        Ok((socket, peer))
    }

    fn outside(&self, host: &str, address: IpAddr) -> NetworkFault {
        match self.network.policy.mode {
            NetworkMode::Private => self.refused(
                &format!("{host} resolves to {address}, which is not private"),
                "nothing was sent. Create the interface endpoint for this service with private DNS enabled and resolve the name from inside \
                 the VPC; if the range is yours, list it with --private-cidr",
            ),
            NetworkMode::Public => {
                self.refused(&format!("{host} resolves to {address}, which is no host"), "check the name server's answer; nothing was sent")
            }
        }
    }

    fn refused(&self, what: &str, action: &str) -> NetworkFault {
        NetworkFault::new(
            FaultKind::Refused,
            format!("{}: {what}; the connection was refused before any packet", self.service),
            action,
        )
    }

    fn nameless(&self, host: &str, why: &str) -> NetworkFault {
        let action = match self.network.policy.mode {
            NetworkMode::Private => {
                "check that the interface endpoint exists, has private DNS enabled, and that this machine asks the VPC's resolver"
            }
            NetworkMode::Public => {
                "check the region's name, this machine's name server, and HTTPS_PROXY if names do not resolve here"
            }
        };
        NetworkFault::new(FaultKind::Resolve, format!("the address of {host} was not found: {why}"), action)
    }

    fn unreachable(&self, host: &str, target: SocketAddr, error: &std::io::Error) -> NetworkFault {
        NetworkFault::new(
            FaultKind::Connect,
            format!("{host} ({target}) could not be reached: {error}"),
            "check that this machine has a route to it and that something listens there",
        )
    }

    fn silent(&self, host: &str, target: SocketAddr) -> NetworkFault {
        let action = match self.network.policy.mode {
            NetworkMode::Private => {
                "the network dropped the packets: check that the endpoint's security group allows TCP 443 from this machine, the subnets' routes \
                 and network ACLs"
            }
            NetworkMode::Public => {
                "the network dropped the packets: check the firewall or security group for outbound TCP 443, the subnet's route to the internet \
                 or to the endpoint, and HTTPS_PROXY if one is needed"
            }
        };
        NetworkFault::new(
            FaultKind::ConnectTimeout,
            format!("{host} ({target}) did not answer within {} s", self.connect_timeout.as_secs()),
            action,
        )
    }

    fn slow_handshake(&self, host: &str, what: &str) -> NetworkFault {
        NetworkFault::new(
            FaultKind::Timeout,
            format!("{what} with {host} was not set up within {} s", HANDSHAKE_MAX.as_secs()),
            "look for a firewall or proxy that lets connections through but not their content",
        )
    }
}

#[cfg(test)]
mod tests;
