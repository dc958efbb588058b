//! One connection: handshake, requests one after the other, and an end that lets the request in flight finish.

use std::net::SocketAddr;
use std::pin::pin;

use axum::Router;
use axum::body::Body;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt;

use super::Bounds;
use crate::shutdown::Shutdown;

/// Heads of requests: cookies and long search filters fit, floods do not.
const HEAD_BYTES_MAX: usize = 64 * 1024;
const HEADERS_MAX: usize = 100;

/// Who is at the other end of the connection; an extension of every request. Behind a proxy, the proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer(pub SocketAddr);

pub(super) async fn serve(
    stream: TcpStream,
    peer: Peer,
    acceptor: Option<TlsAcceptor>,
    router: Router,
    bounds: Bounds,
    shutdown: Shutdown,
) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "nodelay");
    }
    let Some(acceptor) = acceptor else { return requests(stream, peer, router, bounds, &shutdown).await };
    let handshake = tokio::time::timeout(bounds.handshake, acceptor.accept(stream));
    tokio::select! {
        () = shutdown.soft().cancelled() => {}
        shaken = handshake => match shaken {
            Ok(Ok(stream)) => requests(stream, peer, router, bounds, &shutdown).await,
            Ok(Err(error)) => tracing::debug!(%error, peer = %peer.0, "TLS handshake failed"),
            Err(_) => tracing::debug!(peer = %peer.0, "TLS handshake took too long"),
        },
    }
}

async fn requests<S>(stream: S, peer: Peer, router: Router, bounds: Bounds, shutdown: &Shutdown)
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let service = router.map_request(move |mut request: http::Request<Incoming>| {
        request.extensions_mut().insert(peer);
        request.map(Body::new)
    });
    let mut server = http1::Builder::new();
    server.timer(TokioTimer::new()).header_read_timeout(bounds.header).max_buf_size(HEAD_BYTES_MAX).max_headers(HEADERS_MAX);
    let mut connection = pin!(server.serve_connection(TokioIo::new(stream), TowerToHyperService::new(service)));
    let ended = tokio::select! {
        ended = connection.as_mut() => Some(ended),
        () = shutdown.soft().cancelled() => None,
    };
    let ended = match ended {
        Some(ended) => ended,
        None => {
            connection.as_mut().graceful_shutdown();
            tokio::select! {
                ended = connection => ended,
                () = shutdown.hard().cancelled() => return,
            }
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, peer = %peer.0, "connection ended early");
    }
}
