//! Alerts against a receiver on this machine, which verifies the signature by itself.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::routing::post;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use tokio::sync::mpsc;

use super::{AllowedHosts, Changes, DeliveryError, Failure, Message, Named, RunEnded, WebhookSecret, Webhooks, retry_pause_ms};
use crate::outbound::{Outbound, OutboundSettings};

const NOW_MS: i64 = 1_800_000_000_999;
const KEY: [u8; 24] = [5; 24];

type Received = (HeaderMap, Bytes);

async fn receiver(answer: StatusCode) -> (SocketAddr, mpsc::Receiver<Received>) {
    let (sender, received) = mpsc::channel::<Received>(8);
    let handler = move |State(sender): State<mpsc::Sender<Received>>, headers: HeaderMap, body: Bytes| async move {
        sender.send((headers, body)).await.unwrap();
        (answer, [(header::LOCATION, "/moved")], "x".repeat(100_000))
    };
    let router = Router::new().route("/hook", post(handler)).route("/moved", post(handler).get(handler)).with_state(sender);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    (address, received)
}

fn webhooks(allowed: &str) -> Webhooks {
    Webhooks::new(Outbound::new(&OutboundSettings::default()).unwrap(), AllowedHosts::new([allowed]).unwrap())
}

fn secret() -> WebhookSecret {
    WebhookSecret::parse(&format!("whsec_{}", STANDARD.encode(KEY))).unwrap()
}

fn named(id: &str, name: &str) -> Named {
    Named { id: id.to_owned(), name: name.to_owned() }
}

fn message() -> Message {
    let run = RunEnded {
        run_id: "41".to_owned(),
        workflow: named("3", "nightly"),
        connection: named("2", "lake"),
        outcome: "partial".to_owned(),
        attempt: 2,
        counts: BTreeMap::from([("table".to_owned(), 12)]),
        changes: Changes { created: 1, ..Changes::default() },
        failure: Some(Failure {
            category: "permission".to_owned(),
            retryable: false,
            suggested_action: "Allow glue:GetTables.".to_owned(),
        }),
        link: "https://isinglass.example.com/runs/41".to_owned(),
    };
    Message::run_ended(&run, 1_799_999_999_000).unwrap()
}

#[test]
fn the_payload_says_what_ended_and_how() {
    assert_eq!(message().id(), "run_41_2_1799999999000");
    assert_eq!(
        serde_json::from_slice::<serde_json::Value>(message().body()).unwrap(),
        serde_json::json!({
            "type": "run.ended",
            "timestamp": "2027-01-15T07:59:59.000Z",
            "data": {
                "runId": "41",
                "workflow": {"id": "3", "name": "nightly"},
                "connection": {"id": "2", "name": "lake"},
                "outcome": "partial",
                "attempt": 2,
                "counts": {"table": 12},
                "changes": {"created": 1, "updated": 0, "archived": 0, "restored": 0},
                "failure": {"category": "permission", "retryable": false, "suggestedAction": "Allow glue:GetTables."},
                "link": "https://isinglass.example.com/runs/41"
            }
        })
    );
}

/// HMAC (RFC 2104) spelt out, so that the signature is not checked by the code that made it.
fn hmac_sha256(key: &[u8], data: &[u8]) -> Vec<u8> {
    let sha256 = |bytes: &[u8]| aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes).as_ref().to_vec();
    let pad = |with: u8| (0..64).map(|at| key.get(at).copied().unwrap_or(0) ^ with).collect::<Vec<u8>>();
    sha256(&[pad(0x5c), sha256(&[pad(0x36), data.to_vec()].concat())].concat())
}

#[tokio::test]
async fn a_receiver_can_verify_what_it_gets() {
    let (address, mut received) = receiver(StatusCode::NO_CONTENT).await;
    webhooks(&address.to_string()).deliver(&format!("http://{address}/hook"), &secret(), &message(), NOW_MS).await.unwrap();
    let (headers, body) = received.recv().await.unwrap();
    let header = |name: &str| headers.get(name).unwrap().to_str().unwrap();
    assert_eq!(header("content-type"), "application/json");
    assert_eq!((header("webhook-id"), header("webhook-timestamp")), ("run_41_2_1799999999000", "1800000000"));
    let signed = [b"run_41_2_1799999999000.1800000000.", body.as_ref()].concat();
    assert_eq!(header("webhook-signature"), format!("v1,{}", STANDARD.encode(hmac_sha256(&KEY, &signed))));
    assert_eq!(body, message().body());
}

#[tokio::test]
async fn a_redirect_is_a_failure_and_is_not_followed() {
    let (address, mut received) = receiver(StatusCode::TEMPORARY_REDIRECT).await;
    let sent = webhooks(&address.to_string()).deliver(&format!("http://{address}/hook"), &secret(), &message(), NOW_MS).await;
    assert!(matches!(sent, Err(DeliveryError::Answered { status: StatusCode::TEMPORARY_REDIRECT, .. })));
    received.recv().await.unwrap();
    assert!(received.try_recv().is_err());
}

#[tokio::test]
async fn answers_decide_whether_to_try_again() {
    for (status, is_final) in [(StatusCode::INTERNAL_SERVER_ERROR, false), (StatusCode::NOT_FOUND, false), (StatusCode::GONE, true)]
    {
        let (address, _received) = receiver(status).await;
        let sent = webhooks(&address.to_string()).deliver(&format!("http://{address}/hook"), &secret(), &message(), NOW_MS).await;
        assert_eq!(sent.unwrap_err().is_final(), is_final, "{status}");
    }
}

#[tokio::test]
async fn hosts_that_are_not_listed_are_not_asked() {
    let (address, mut received) = receiver(StatusCode::OK).await;
    let url = format!("http://{address}/secret-path");
    let error = webhooks("hooks.example.com").deliver(&url, &secret(), &message(), NOW_MS).await.unwrap_err();
    assert!(error.is_final() && error.to_string().starts_with(&format!("{address} is not on this server's list")), "{error}");
    assert!(!error.to_string().contains("secret-path"));
    assert!(received.try_recv().is_err());
}

#[test]
fn only_urls_that_may_be_asked_pass_the_check() {
    let webhooks = webhooks("hooks.example.com");
    assert!(webhooks.check("https://hooks.example.com/a").is_ok());
    assert!(matches!(webhooks.check("http://hooks.example.com/a"), Err(DeliveryError::Outbound(_))));
    assert!(matches!(webhooks.check("hooks.example.com"), Err(DeliveryError::InvalidUrl)));
    assert!(matches!(webhooks.check("https://other.example.com"), Err(DeliveryError::HostNotAllowed { .. })));
}

#[test]
fn five_attempts_take_about_an_hour() {
    let pauses: Vec<i64> = (1..10).map_while(retry_pause_ms).collect();
    assert_eq!(pauses.len(), 4);
    assert!((55..65).contains(&(pauses.iter().sum::<i64>() / 60_000)), "{pauses:?}");
    assert!(pauses.is_sorted());
    assert_eq!((retry_pause_ms(0), retry_pause_ms(5), retry_pause_ms(u32::MAX)), (None, None, None));
}
