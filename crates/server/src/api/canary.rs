//! Secrets with a mark: wherever they are sent, the mark comes back in no answer, no line of the log and no byte of the catalog.

use std::io::Write;
use std::sync::{Arc, Mutex};

use axum::body::Body;
use http::{Request, header};
use serde_json::json;
use tracing::instrument::WithSubscriber;

use super::sign_in::tests::{add_user, post, sign_in};
use super::testing::{Answered, Service, TOKEN, with_token};
use crate::config::{Log, LogFormat};
use crate::telemetry::subscriber;

/// Part of every secret of this test.
const MARK: &str = "CANARY7f3a";

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Sends secrets everywhere that takes one, in requests that are right and wrong; all answers, and the texts of the tokens made.
async fn busy(service: &Service) -> (Vec<Answered>, Vec<String>) {
    let id = add_user(service, "ada", "member").await;
    let secret = format!("{MARK} is long enough");
    let keys = |id: &str| {
        let extra = json!({ "region": "eu-west-1" });
        json!({ "name": "prod", "authType": "iam", "username": id, "password": format!("{MARK}/+key"), "extra": extra })
    };
    let mut unknown = keys("AKIAIOSFODNN7EXAMPLE");
    unknown["extra"]["aws_session_token"] = secret.clone().into();
    let mut answers = Vec::new();
    let calls = [
        ("POST", "/api/v1/users".to_owned(), json!({ "name": "bob", "role": "viewer", "password": secret })),
        ("POST", "/api/v1/users".to_owned(), json!({ "name": "bob", "role": "viewer", "password": secret })),
        ("POST", "/api/v1/users".to_owned(), json!({ "name": "eve", "role": secret })),
        ("POST", format!("/api/v1/users/{id}/password"), json!({ "password": secret })),
        ("POST", format!("/api/v1/users/{id}/password"), json!({ "password": [secret] })),
        ("POST", "/api/v1/credentials".to_owned(), keys("AKIAIOSFODNN7EXAMPLE")),
        ("POST", "/api/v1/credentials".to_owned(), keys("AKIAIOSFODNN7EXAMPLE")),
        ("POST", "/api/v1/credentials".to_owned(), keys(MARK)),
        ("POST", "/api/v1/credentials".to_owned(), unknown),
        ("PUT", "/api/v1/credentials/1".to_owned(), keys("AKIAI44QH8DHBEXAMPLE")),
        ("POST", "/api/v1/tokens".to_owned(), json!({ "name": "export", "scopes": [secret] })),
    ];
    for (method, path, body) in calls {
        let request =
            with_token(Request::builder().method(method).uri(path), TOKEN).header("idempotency-key", body.to_string().len());
        let request = request.header(header::IF_MATCH, "*").header(header::CONTENT_TYPE, "application/json");
        answers.push(service.send(request.body(Body::from(body.to_string())).unwrap()).await);
    }
    answers.push(sign_in(service, "bob", &secret).await);
    answers.push(sign_in(service, "bob", MARK).await);
    answers.push(sign_in(service, &secret, &secret).await);
    answers.push(post(service, "/api/v1/setup", &json!({ "token": secret, "name": "x", "password": secret })).await);
    let request = with_token(Request::post("/api/v1/tokens"), TOKEN).header("idempotency-key", "token");
    let body = json!({ "name": "export", "scopes": ["read"] }).to_string();
    let made = service.send(request.header(header::CONTENT_TYPE, "application/json").body(Body::from(body)).unwrap()).await;
    let session = answers[11].headers[header::SET_COOKIE].to_str().unwrap().split(['=', ';']).nth(1).unwrap().to_owned();
    let tokens = vec![made.body["token"].as_str().unwrap().to_owned(), session];
    for path in ["users", "tokens?user=all", "credentials", "credentials/1", "audit?limit=200", "session"] {
        answers.push(service.get(&format!("/api/v1/{path}")).await);
    }
    (answers, tokens)
}

/// Tests beside this one may have the process-wide cache of log callsites say that nobody listens: a log that stayed empty proves
/// nothing, and the whole is done again.
const TRIES: usize = 10;

#[tokio::test]
async fn no_secret_comes_back_in_answers_log_or_catalog() {
    for _ in 0..TRIES {
        if no_secret_comes_back().await {
            return;
        }
    }
    panic!("nothing was logged");
}

/// Whether there was a log to look at.
async fn no_secret_comes_back() -> bool {
    let service = Service::start().await;
    let lines = Lines::default();
    let writer = lines.clone();
    let log = Log { format: LogFormat::Json, level: "trace".to_owned() };
    let subscriber = subscriber(&log, move || writer.clone(), None).unwrap();
    let (answers, tokens) = busy(&service).with_subscriber(subscriber).await;
    let statuses: Vec<u16> = answers.iter().map(|answered| answered.status.as_u16()).collect();
    assert_eq!(statuses[..11], [201, 201, 422, 204, 422, 201, 201, 422, 422, 200, 422]);
    assert_eq!(statuses[11..15], [200, 401, 401, 422]);
    for answered in &answers {
        let headers: Vec<_> =
            answered.headers.iter().map(|(name, value)| (name, String::from_utf8_lossy(value.as_bytes()))).collect();
        assert!(!format!("{headers:?} {}", answered.body).contains(MARK), "{answered:?}");
    }
    assert_eq!(answers[6].body, answers[5].body);
    let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    assert!(!text.contains(MARK), "the log has a secret");
    assert!(tokens.iter().all(|token| !text.contains(token)), "the log has a token");
    for entry in std::fs::read_dir(service.folder.path()).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        let has = |secret: &str| bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
        assert!(!has(MARK) && !has(TOKEN) && !tokens.iter().any(|token| has(token)), "the catalog has a secret");
    }
    text.contains("\"request\"")
}
