//! One request, one answer: the HTTP client, its timeouts, and the bound on a body.

use std::collections::BTreeMap;
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Incoming};
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioTimer};

use crate::endpoint::AwsService;
use crate::network::connect::{Guard, Network, Purpose};
use crate::network::fault::{FaultKind, NetworkFault};

/// The longest answer that is read. AWS's own limit for a page is far below.
pub(crate) const BODY_BYTES_MAX: usize = 64 * 1024 * 1024;
/// How long an unused connection is kept: less than services keep theirs.
const IDLE_MAX: Duration = Duration::from_secs(20);

/// How long each part of an exchange may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timeouts {
    /// Until a connection stands, all addresses together.
    pub(crate) connect: Duration,
    /// From sending the request to the head of the answer, setting up a connection included.
    pub(crate) first_byte: Duration,
    /// Between two parts of a body.
    pub(crate) idle: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self { connect: Duration::from_secs(5), first_byte: Duration::from_secs(60), idle: Duration::from_secs(30) }
    }
}

/// A whole answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// Connections that are kept and used again, of one service.
#[derive(Clone, Debug)]
pub(crate) struct Pool {
    client: Client<Guard, Full<Bytes>>,
    first_byte: Duration,
    idle: Duration,
}

impl Pool {
    pub(crate) fn new(network: &Arc<Network>, service: &'static str, purpose: Purpose, timeouts: Timeouts) -> Self {
        let guard = Guard { network: Arc::clone(network), service, purpose, connect_timeout: timeouts.connect };
        let client = Client::builder(TokioExecutor::new()).pool_timer(TokioTimer::new()).pool_idle_timeout(IDLE_MAX).build(guard);
        Self { client, first_byte: timeouts.first_byte, idle: timeouts.idle }
    }

    /// Sends a request and reads the whole answer.
    pub(crate) async fn exchange(&self, request: Request<Full<Bytes>>) -> Result<Answer, NetworkFault> {
        let host = request.uri().host().unwrap_or_default().to_owned();
        let sending = tokio::time::timeout(self.first_byte, self.client.request(request)).await;
        let response =
            sending.map_err(|_| slow(&host, "did not answer", self.first_byte))?.map_err(|error| broken(&host, &error))?;
        let (head, body) = response.into_parts();
        let body = self.collect(&host, body).await?;
        Ok(Answer { status: head.status, headers: head.headers, body })
    }

    /// The body in one piece. A body that arrives in one part is not copied.
    async fn collect(&self, host: &str, mut body: Incoming) -> Result<Bytes, NetworkFault> {
        let announced = body.size_hint().exact().and_then(|length| usize::try_from(length).ok());
        if announced.is_some_and(|length| length > BODY_BYTES_MAX) {
            return Err(too_large(host));
        }
        let mut first = None;
        let mut whole = BytesMut::new();
        loop {
            let frame = tokio::time::timeout(self.idle, body.frame()).await;
            let Some(frame) = frame.map_err(|_| slow(host, "stopped in the middle of its answer", self.idle))? else { break };
            let frame = frame.map_err(|error| cut_off(host, &error))?;
            let Ok(data) = frame.into_data() else { continue };
            if first.is_none() && whole.is_empty() {
                first = Some(data);
                continue;
            }
            if let Some(first) = first.take() {
                whole.reserve(announced.unwrap_or(first.len() + data.len()));
                whole.extend_from_slice(&first);
            }
            if whole.len() + data.len() > BODY_BYTES_MAX {
                return Err(too_large(host));
            }
            whole.extend_from_slice(&data);
        }
        let body = first.unwrap_or_else(|| whole.freeze());
        match announced {
            Some(length) if length != body.len() => Err(cut_off(host, &"fewer bytes than announced")),
            _ => Ok(body),
        }
    }
}

/// The pools of every service that a client calls.
#[derive(Debug)]
pub(crate) struct Wire {
    pools: BTreeMap<AwsService, Pool>,
}

impl Wire {
    pub(crate) fn new(network: &Arc<Network>, services: &[AwsService], timeouts: Timeouts) -> Self {
        let pool = |service: &AwsService| (*service, Pool::new(network, service.name(), Purpose::Service, timeouts));
        Self { pools: services.iter().map(pool).collect() }
    }

    pub(crate) fn pool(&self, service: AwsService) -> Option<&Pool> {
        self.pools.get(&service)
    }
}

fn broken(host: &str, error: &hyper_util::client::legacy::Error) -> NetworkFault {
    if let Some(fault) = NetworkFault::find(error) {
        return fault.clone();
    }
    let cause = error.source().map_or_else(|| error.to_string(), ToString::to_string);
    NetworkFault::new(FaultKind::Closed, format!("the connection to {host} broke before an answer: {cause}"), "try again later")
}

fn slow(host: &str, what: &str, limit: Duration) -> NetworkFault {
    NetworkFault::new(
        FaultKind::Timeout,
        format!("{host} {what} within {} s", limit.as_secs()),
        "try again later; if it stays, look for a firewall or proxy on the way that holds answers back",
    )
}

fn cut_off(host: &str, why: &dyn std::fmt::Display) -> NetworkFault {
    NetworkFault::new(
        FaultKind::CutOff,
        format!("the answer of {host} ended early: {why}"),
        "try again later; if it stays, look for a proxy on the way that cuts answers",
    )
}

fn too_large(host: &str) -> NetworkFault {
    NetworkFault::new(
        FaultKind::TooLarge,
        format!("the answer of {host} is longer than {} MiB", BODY_BYTES_MAX / (1024 * 1024)),
        "report this: no page of AWS is that long",
    )
}
