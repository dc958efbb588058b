//! The listening socket: HTTP/1.1 on loopback, kept alive, each connection a task that ends with the simulation.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderValue, Request, Response};
use http_body_util::{BodyExt as _, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::dispatch::Asked;
use crate::payload::{Answer, Delivery, JSON, Payload, Truncated};
use crate::world::World;
use crate::{control, dispatch};

const REQUEST_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Accepts until it is aborted; its connections end with it.
pub(crate) async fn serve(listener: TcpListener, world: Arc<World>) {
    let mut connections = JoinSet::new();
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        // Without this every small answer waits for the client's delayed acknowledgement; a failure only costs time.
        let _ = stream.set_nodelay(true);
        connections.spawn(connection(stream, Arc::clone(&world)));
        while connections.try_join_next().is_some() {}
    }
}

async fn connection(stream: TcpStream, world: Arc<World>) {
    let reset = Arc::new(AtomicBool::new(false));
    let socket = Socket { stream, reset: Arc::clone(&reset) };
    let service = service_fn(move |request| exchange(Arc::clone(&world), request, Arc::clone(&reset)));
    // A client that goes away, and a fault that cuts an answer short, both end here; neither is the simulation's failure.
    let _ = http1::Builder::new().serve_connection(TokioIo::new(socket), service).await;
}

/// The connection is to be cut without an answer.
#[derive(Debug, thiserror::Error)]
#[error("connection reset on demand")]
struct Cut;

async fn exchange(world: Arc<World>, request: Request<Incoming>, reset: Arc<AtomicBool>) -> Result<Response<Payload>, Cut> {
    let (parts, body) = request.into_parts();
    let request_id = world.next_request_id();
    let answer = match Limited::new(body, REQUEST_BYTES_MAX).collect().await {
        Err(_) => Answer::new(413, JSON, b"{\"__type\":\"RequestEntityTooLargeException\"}".to_vec()),
        Ok(collected) => {
            let body = collected.to_bytes();
            let path = parts.uri.path();
            if path.starts_with(control::PATH_PREFIX) {
                control::answer(&world, &parts.method, path, &body)
            } else {
                dispatch::answer(&world, Asked { parts: &parts, body: &body, request_id: &request_id })
            }
        }
    };
    if answer.delay_ms > 0 {
        tokio::time::sleep(Duration::from_millis(answer.delay_ms)).await;
    }
    if answer.delivery == Delivery::Reset {
        reset.store(true, Ordering::SeqCst);
        return Err(Cut);
    }
    Ok(response(answer, &request_id))
}

fn response(answer: Answer, request_id: &str) -> Response<Payload> {
    let whole = answer.body.len();
    let extra = answer.headers;
    let payload = if answer.delivery == Delivery::Truncated {
        Payload::Truncated(Truncated::Unsent(Bytes::from(answer.body).slice(..whole / 2)))
    } else {
        Payload::Whole(Some(Bytes::from(answer.body)))
    };
    let mut response = Response::new(payload);
    *response.status_mut() = http::StatusCode::from_u16(answer.status).unwrap_or(http::StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(answer.content_type));
    headers.insert(CONTENT_LENGTH, HeaderValue::from(whole));
    for (name, value) in extra {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(name, value);
        }
    }
    if let Ok(value) = HeaderValue::from_str(request_id) {
        headers.insert("x-amzn-requestid", value);
    }
    response
}

/// A stream that can close with a reset instead of an orderly end.
#[derive(Debug)]
struct Socket {
    stream: TcpStream,
    reset: Arc<AtomicBool>,
}

impl Drop for Socket {
    fn drop(&mut self) {
        if self.reset.load(Ordering::SeqCst) {
            // Where it fails the connection closes in order, which a client must survive as well.
            let _ = self.stream.set_zero_linger();
        }
    }
}

impl AsyncRead for Socket {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Socket {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(self: Pin<&mut Self>, context: &mut Context<'_>, slices: &[io::IoSlice<'_>]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(context)
    }

    // An orderly end first would take the sting out of the reset.
    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.reset.load(Ordering::SeqCst) {
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut self.get_mut().stream).poll_shutdown(context)
    }
}
