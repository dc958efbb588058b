//! The accept loop. Its own, because a server on the open network needs what `axum::serve` has not: certificates that are replaced
//! while it runs, and bounds on connections, handshakes, heads of requests, and the time that stopping takes.

mod connection;
#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;

use crate::config::{Config, Limits};
use crate::shutdown::Shutdown;
use crate::tls::{Certificates, TlsError};

pub use connection::Peer;

/// After an error of `accept` (out of descriptors, mostly) the loop waits for connections to end instead of spinning.
const ACCEPT_PAUSE_MS: u64 = 100;

/// Bounds of the accept loop.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Connections that are open at the same time; more wait in the operating system's queue.
    pub connections: usize,
    /// How long a TLS handshake may take.
    pub handshake: Duration,
    /// How long the head of a request may take, and how long a kept-alive connection may be idle.
    pub header: Duration,
}

impl From<&Limits> for Bounds {
    fn from(limits: &Limits) -> Self {
        Self {
            connections: limits.connections.get() as usize,
            handshake: Duration::from_secs(limits.handshake_seconds.get().into()),
            header: Duration::from_secs(limits.header_seconds.get().into()),
        }
    }
}

/// Why the service does not listen.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// The address cannot be had.
    #[error("cannot listen on {address}: {source}; stop what uses the address, or set `listen` (--listen) to another")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// What the operating system says.
        source: std::io::Error,
    },
    /// The certificate is not usable.
    #[error(transparent)]
    Tls(#[from] TlsError),
}

/// A bound socket, and the certificate it serves with.
pub struct Listener {
    socket: TcpListener,
    certificates: Option<Arc<Certificates>>,
    acceptor: Option<TlsAcceptor>,
    bounds: Bounds,
}

impl Listener {
    /// Binds `listen` of the configuration, which has refused plain HTTP off loopback, and reads the certificate.
    ///
    /// # Errors
    /// The address is taken or not ours, or the certificate is not usable.
    pub async fn bind(config: &Config, provider: Arc<rustls::crypto::CryptoProvider>) -> Result<Self, ListenError> {
        let certificates = config.tls.files().map(|files| Certificates::load(files, provider)).transpose()?;
        let address = config.listen;
        let socket = TcpListener::bind(address).await.map_err(|source| ListenError::Bind { address, source })?;
        Ok(Self::from_socket(socket, certificates, Bounds::from(&config.limits))?)
    }

    /// The same from parts.
    ///
    /// # Errors
    /// TLS is not available.
    pub fn from_socket(socket: TcpListener, certificates: Option<Arc<Certificates>>, bounds: Bounds) -> Result<Self, TlsError> {
        let acceptor = certificates.as_ref().map(Certificates::server_config).transpose()?.map(TlsAcceptor::from);
        Ok(Self { socket, certificates, acceptor, bounds })
    }

    /// Where it listens; tells the port when the configuration asked for any (0).
    ///
    /// # Errors
    /// The operating system does not know.
    pub fn local_addr(&self) -> std::io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// Accepts until the soft token; requests in flight go on as tasks of `shutdown`, until the hard one.
    pub async fn serve(self, router: Router, shutdown: Shutdown) {
        let slots = Arc::new(Semaphore::new(self.bounds.connections));
        if let Some(certificates) = self.certificates.clone() {
            let watching = certificates.watch(shutdown.clone());
            shutdown.tasks().spawn(async move {
                if let Err(error) = watching.await {
                    tracing::error!(%error, "certificates are not watched: a new one needs a restart");
                }
            });
        }
        while let Some((stream, peer, slot)) = self.next(&slots, &shutdown).await {
            let served =
                connection::serve(stream, Peer(peer), self.acceptor.clone(), router.clone(), self.bounds, shutdown.clone());
            shutdown.tasks().spawn(async move {
                served.await;
                drop(slot);
            });
        }
    }

    async fn next(
        &self,
        slots: &Arc<Semaphore>,
        shutdown: &Shutdown,
    ) -> Option<(tokio::net::TcpStream, SocketAddr, tokio::sync::OwnedSemaphorePermit)> {
        loop {
            let slot = tokio::select! {
                () = shutdown.soft().cancelled() => return None,
                slot = slots.clone().acquire_owned() => slot.ok()?,
            };
            let accepted = tokio::select! {
                () = shutdown.soft().cancelled() => return None,
                accepted = self.socket.accept() => accepted,
            };
            match accepted {
                Ok((stream, peer)) => return Some((stream, peer, slot)),
                Err(error) => {
                    tracing::warn!(%error, "no connection accepted");
                    tokio::time::sleep(Duration::from_millis(ACCEPT_PAUSE_MS)).await;
                }
            }
        }
    }
}
