//! A service, and runtimes that speak to it.

use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use axum::body::Body;
use http::{Request, header};
use serde_json::{Value, json};
use store::{RunRef, RunState, RunSummary};
use wire::EncodedBatch;
use wire::assertion::{ASSERTION_TYPE, Claims, GRANT_TYPE, SigningKey};

use super::super::AUDIENCE;
use crate::api::testing::{Answered, Service, with_token};
use crate::clock::{Clock, SystemClock};

/// How long anything may take: the machine may be busy.
const PATIENCE: Duration = Duration::from_secs(60);

pub(super) struct World {
    pub(super) service: Service,
    keys: AtomicU8,
}

/// A runtime that was enrolled and is signed in.
pub(super) struct Speaking<'w> {
    world: &'w World,
    pub(super) id: String,
    pub(super) key: SigningKey,
    token: String,
}

pub(super) fn now_seconds() -> i64 {
    SystemClock.now_ms().div_euclid(1000)
}

impl World {
    pub(super) async fn start() -> Self {
        Self { service: Service::start().await, keys: AtomicU8::new(10) }
    }

    pub(super) async fn enrolment_token(&self, body: &Value) -> String {
        let made = self.service.call("POST", "/api/v1/runtimes/enrolment-tokens", None, body).await;
        made.body["token"].as_str().unwrap_or_else(|| panic!("{made:?}")).to_owned()
    }

    pub(super) async fn post(&self, path: &str, body: &Value) -> Answered {
        let request = Request::post(format!("/runtime/v1/{path}")).header(header::CONTENT_TYPE, "application/json");
        self.service.send(request.body(Body::from(body.to_string())).unwrap()).await
    }

    pub(super) async fn sign_in(&self, assertion: &str) -> Answered {
        let form = format!("grant_type={GRANT_TYPE}&client_assertion_type={ASSERTION_TYPE}&client_assertion={assertion}");
        let request = Request::post("/runtime/v1/token").header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        self.service.send(request.body(Body::from(form)).unwrap()).await
    }

    pub(super) async fn enrolled(&self, name: &str) -> Speaking<'_> {
        let key = SigningKey::from_seed(&[self.keys.fetch_add(1, Ordering::Relaxed); 32]).unwrap();
        let token = self.enrolment_token(&json!({})).await;
        let body = json!({ "token": token, "name": name, "publicKey": key.public_key(), "version": "0.1.0", "protocol": 1 });
        let id = self.post("enroll", &body).await.body["runtimeId"].as_str().unwrap().to_owned();
        let claims = Claims::new(&id, AUDIENCE, "first".to_owned(), now_seconds());
        let signed_in = self.sign_in(&key.sign(&claims)).await;
        let token = signed_in.body["access_token"].as_str().unwrap_or_else(|| panic!("{signed_in:?}")).to_owned();
        Speaking { world: self, id, key, token }
    }

    /// A connection that runs on the runtime `vpc`.
    pub(super) async fn connection(&self) -> String {
        let keys = json!({ "username": "access-key-id", "password": "secret-access-key" });
        let credential = json!({ "authType": "iam", "secrets": { "store": "vault", "path": "prod/glue", "keys": keys } });
        let body =
            json!({ "name": "sales", "connector": "glue", "region": "eu-west-1", "runsOn": "vpc", "credential": credential });
        let made = self.service.call("POST", "/api/v1/connections", None, &body).await;
        made.body["id"].as_str().unwrap_or_else(|| panic!("{made:?}")).to_owned()
    }

    /// A run of that connection, which waits.
    pub(super) async fn enqueue(&self) -> i64 {
        let connection = self.connection().await;
        let body = json!({ "name": "nightly", "connectionId": connection });
        let made = self.service.call("POST", "/api/v1/workflows", None, &body).await;
        let workflow = made.body["id"].as_str().unwrap_or_else(|| panic!("{made:?}"));
        let started = self.service.call("POST", &format!("/api/v1/workflows/{workflow}/runs"), None, &json!({})).await;
        started.body["id"].as_str().unwrap_or_else(|| panic!("{started:?}")).parse().unwrap()
    }

    /// What the names of the connection's assets begin with.
    pub(super) async fn root(&self) -> String {
        self.service.get("/api/v1/connections").await.body["items"][0]["qualifiedName"].as_str().unwrap().to_owned()
    }

    /// The run when it has ended and all is told of it.
    pub(super) async fn end_of(&self, run: i64) -> RunSummary {
        let waiting = async {
            loop {
                let found = self.service.app.store.run(RunRef::Id(model::RunId(run))).await.unwrap();
                let is_told = self.events(run).await.last().is_some_and(|kind| kind == "ended");
                if is_told && matches!(found.state, RunState::Ended(_)) {
                    return found;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        tokio::time::timeout(PATIENCE, waiting).await.expect("waited in vain for the end of the run")
    }

    /// The kinds of the run's events.
    pub(super) async fn events(&self, run: i64) -> Vec<String> {
        let events = self.service.app.store.events(model::RunId(run), 0, 2000).await.unwrap();
        events.into_iter().map(|event| event.kind).collect()
    }
}

impl Speaking<'_> {
    pub(super) async fn post(&self, path: &str, body: &Value) -> Answered {
        let request = with_token(Request::post(format!("/runtime/v1/{path}")), &self.token);
        let request = request.header(header::CONTENT_TYPE, "application/json");
        self.world.service.send(request.body(Body::from(body.to_string())).unwrap()).await
    }

    pub(super) async fn lease(&self, holding: &Value, seconds: u64) -> Value {
        let body = json!({ "protocol": 1, "version": "0.1.0", "crawlSlots": 1, "capacity": 2, "mode": "running",
            "holding": holding, "waitSeconds": seconds });
        let answered = self.post("lease", &body).await;
        assert_eq!(answered.status, http::StatusCode::OK, "{answered:?}");
        answered.body
    }

    pub(super) async fn batch(&self, lease: &str, run: i64, sequence: u64, batch: &EncodedBatch) -> Answered {
        let request = with_token(Request::put(format!("/runtime/v1/batches/{run}/{sequence}")), &self.token)
            .header(wire::LEASE_HEADER, lease)
            .header(wire::DIGEST_HEADER, batch.digest.to_header())
            .header(header::CONTENT_TYPE, wire::BATCH_MEDIA_TYPE)
            .header(header::CONTENT_ENCODING, "zstd");
        self.world.service.send(request.body(Body::from(batch.bytes.clone())).unwrap()).await
    }
}
