//! A control plane that does what a test says and keeps every byte that arrives.

use std::collections::{BTreeMap, VecDeque};
use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{HeaderMap, Request, Response};
use hyper_util::rt::TokioIo;
use model::AssetBatch;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use wire::{BatchDigest, DIGEST_HEADER, Finish, LEASE_HEADER, TaskResult, assertion};

pub(crate) const AUDIENCE: &str = "isinglass:test";
pub(crate) const ENROLMENT_TOKEN: &str = "one-time-token-of-a-test";
const PATIENCE: Duration = Duration::from_secs(60);

/// A request that arrived.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) received: Vec<Received>,
    pub(crate) public_key: Option<[u8; 32]>,
    /// Work that is given, one piece a request.
    pub(crate) work: VecDeque<Value>,
    /// By lease.
    pub(crate) batches: BTreeMap<String, Vec<Bytes>>,
    pub(crate) finishes: Vec<Finish>,
    pub(crate) tasks: Vec<TaskResult>,
    pub(crate) tokens: u32,
    /// What heartbeats are answered with.
    pub(crate) command: String,
    /// Paths that begin so are answered with this status and body.
    pub(crate) refusals: Vec<(String, u16, Value)>,
    /// What questions are answered with, by `ask`.
    pub(crate) answers: BTreeMap<String, Value>,
}

/// The control plane.
#[derive(Clone)]
pub(crate) struct ControlPlane {
    pub(crate) url: String,
    state: Arc<Mutex<State>>,
}

impl ControlPlane {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let state = Arc::new(Mutex::new(State { command: "continue".to_owned(), ..State::default() }));
        let plane = Self { url, state };
        let serving = plane.clone();
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let plane = serving.clone();
                tokio::spawn(async move {
                    let service = service_fn(|request| plane.serve(request));
                    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
                });
            }
        });
        plane
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    pub(crate) fn give(&self, work: Value) {
        self.state().work.push_back(Value::Object([("work".to_owned(), work)].into_iter().collect()));
    }

    pub(crate) fn refuse(&self, path: &str, status: u16, body: Value) {
        self.state().refusals.push((path.to_owned(), status, body));
    }

    pub(crate) fn allow_everything(&self) {
        self.state().refusals.clear();
    }

    /// Waits until something is so.
    pub(crate) async fn until(&self, what: &str, is_so: impl Fn(&State) -> bool) {
        let waited = tokio::time::timeout(PATIENCE, async {
            while !is_so(&self.state()) {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        });
        if waited.await.is_err() {
            let state = self.state();
            let paths: Vec<&str> = state.received.iter().map(|received| received.path.as_str()).collect();
            panic!("{what} did not come; finishes: {:?}; received: {paths:?}", state.finishes);
        }
    }

    pub(crate) async fn finish(&self) -> Finish {
        self.until("the end of the run", |state| !state.finishes.is_empty()).await;
        self.state().finishes[0].clone()
    }

    /// What was received at a path, in order.
    pub(crate) fn received_at(&self, path: &str) -> Vec<Received> {
        self.state().received.iter().filter(|received| received.path.starts_with(path)).cloned().collect()
    }

    pub(crate) fn batches(&self, lease: &str) -> Vec<AssetBatch> {
        let state = self.state();
        state.batches.get(lease).into_iter().flatten().map(|text| wire::batch::decode(text).unwrap()).collect()
    }

    async fn serve(&self, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
        let (parts, body) = request.into_parts();
        let Ok(body) = body.collect().await else { return Ok(answer(400, &Value::Null)) };
        let body = body.to_bytes();
        let received =
            Received { method: parts.method.to_string(), path: parts.uri.path().to_owned(), headers: parts.headers, body };
        self.state().received.push(received.clone());
        let (status, value, wait) = self.answer(&received);
        tokio::time::sleep(wait).await;
        Ok(answer(status, &value))
    }

    fn answer(&self, received: &Received) -> (u16, Value, Duration) {
        let mut state = self.state();
        let refusal = state.refusals.iter().find(|refusal| received.path.starts_with(&refusal.0)).cloned();
        if let Some((_, status, body)) = refusal {
            return (status, body, Duration::ZERO);
        }
        let path = received.path.strip_prefix("/runtime/v1/").unwrap_or_default().to_owned();
        let (first, rest) = path.split_once('/').unwrap_or((&path, ""));
        if !matches!(first, "enroll" | "token") {
            let expected = format!("Bearer access-{}", state.tokens);
            let shown = received.headers.get("authorization").map(|value| value.to_str().unwrap());
            assert_eq!(shown, Some(expected.as_str()), "{}", received.path);
        }
        let json: Value = serde_json::from_slice(&received.body).unwrap_or_default();
        match first {
            "lease" => match state.work.pop_front() {
                Some(work) => (200, work, Duration::ZERO),
                None => (200, json!({}), Duration::from_millis(50)),
            },
            _ => {
                let (status, value) = state.act(first, rest, received, json);
                (status, value, Duration::ZERO)
            }
        }
    }
}

impl State {
    fn act(&mut self, route: &str, rest: &str, received: &Received, json: Value) -> (u16, Value) {
        match route {
            "enroll" => self.enroll(&json),
            "token" => self.token(&received.body),
            "heartbeat" => (200, json!({ "command": self.command })),
            "batches" => self.batch(rest, received),
            "questions" => {
                let ask = json["question"]["ask"].as_str().unwrap();
                let count = json["question"]["slices"].as_array().map_or(0, Vec::len);
                let usual = match ask {
                    "unchanged" => json!({ "unchanged": { "known": vec![Value::Null; count] } }),
                    "stored" => json!({ "stored": {} }),
                    "tables-at" => json!({ "tables-at": { "tables": [] } }),
                    _ => json!({ "missing": { "assets": [] } }),
                };
                (200, json!({ "answer": self.answers.get(ask).cloned().unwrap_or(usual) }))
            }
            "preflight" | "logs" => (204, Value::Null),
            "finish" => {
                self.finishes.push(serde_json::from_value(json).unwrap());
                (204, Value::Null)
            }
            "tasks" => {
                self.tasks.push(serde_json::from_value(json).unwrap());
                (204, Value::Null)
            }
            _ => (404, json!({ "code": "other", "detail": "no such path" })),
        }
    }

    fn enroll(&mut self, json: &Value) -> (u16, Value) {
        if json["token"] != ENROLMENT_TOKEN {
            return (403, json!({ "code": "enrolment-refused", "detail": "unknown" }));
        }
        self.public_key = assertion::read_public_key(json["publicKey"].as_str().unwrap());
        (200, json!({ "runtimeId": "12", "name": json["name"], "audience": AUDIENCE }))
    }

    fn token(&mut self, form: &[u8]) -> (u16, Value) {
        let form = std::str::from_utf8(form).unwrap();
        let shown = form.split('&').find_map(|pair| pair.strip_prefix("client_assertion=")).unwrap();
        let now = std::time::UNIX_EPOCH.elapsed().unwrap().as_secs();
        assertion::verify(shown, &self.public_key.unwrap(), AUDIENCE, i64::try_from(now).unwrap()).unwrap();
        self.tokens += 1;
        (200, json!({ "access_token": format!("access-{}", self.tokens), "token_type": "Bearer", "expires_in": 900 }))
    }

    fn batch(&mut self, rest: &str, received: &Received) -> (u16, Value) {
        let header = |name: &str| received.headers.get(name).unwrap().to_str().unwrap();
        assert_eq!((received.method.as_str(), header("content-encoding")), ("PUT", "zstd"));
        let digest = BatchDigest::from_header(header(DIGEST_HEADER)).unwrap();
        let text = Bytes::from(wire::batch::decompress(&received.body, digest).unwrap());
        let sequence: usize = rest.split_once('/').unwrap().1.parse().unwrap();
        let stored = self.batches.entry(header(LEASE_HEADER).to_owned()).or_default();
        match stored.get(sequence - 1) {
            Some(before) => assert_eq!(*before, text, "batch {sequence} was another one before"),
            None => {
                assert_eq!(stored.len(), sequence - 1, "a batch before {sequence} is missing");
                stored.push(text);
            }
        }
        (200, json!({ "stored": sequence }))
    }
}

fn answer(status: u16, value: &Value) -> Response<Full<Bytes>> {
    let body = if value.is_null() { Bytes::new() } else { Bytes::from(value.to_string()) };
    Response::builder().status(status).header("content-type", "application/json").body(Full::new(body)).unwrap()
}
