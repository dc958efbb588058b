//! Alerts, from the end of a run to a receiver that does not take the first one.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use model::Outcome;
use serde_json::{Value, json};
use store::{JobEnd, PreflightGate, WorkflowSpec};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;

use super::super::alerts;
use super::world::{Keys, World, spec};
use crate::api::testing::system;
use crate::clock::Clock;
use crate::outbound::{Outbound, OutboundSettings};
use crate::state::App;
use crate::webhook::{AllowedHosts, Webhooks};

#[derive(Debug)]
struct Hands(AtomicI64);

impl Clock for Hands {
    fn now_ms(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Receives messages: head and body of each. The first one is answered with 500.
async fn receiver() -> (String, Arc<Mutex<Vec<(String, Value)>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let place = listener.local_addr().unwrap().to_string();
    let received = Arc::new(Mutex::new(Vec::new()));
    let kept = received.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let mut stream = BufReader::new(stream);
            let (mut head, mut length) = (String::new(), 0);
            while !head.ends_with("\r\n\r\n") {
                let from = head.len();
                stream.read_line(&mut head).await.unwrap();
                let line = head[from..].to_ascii_lowercase();
                length = line.strip_prefix("content-length: ").map_or(length, |text| text.trim().parse().unwrap());
            }
            let mut body = vec![0; length];
            stream.read_exact(&mut body).await.unwrap();
            let status = if kept.lock().unwrap().is_empty() { "500 No" } else { "200 OK" };
            kept.lock().unwrap().push((head, serde_json::from_slice(&body).unwrap()));
            let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    (place, received)
}

/// A world in which alerts may go to a place, and time stands still until it is moved.
async fn world(place: &str) -> (World, Arc<Hands>) {
    let World { app, simulation, _folder } = World::start().await;
    let hands = Arc::new(Hands(AtomicI64::new(app.clock.now_ms())));
    let Ok(mut state) = Arc::try_unwrap(app) else { panic!("somebody else has the state") };
    let outbound = Outbound::new(&OutboundSettings::default()).unwrap();
    state.webhooks = Webhooks::new(outbound, AllowedHosts::new([place]).unwrap());
    state.clock = hands.clone();
    (World { app: App::new(state), simulation, _folder }, hands)
}

fn header<'a>(head: &'a str, name: &str) -> &'a str {
    head.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default()
}

#[tokio::test]
async fn an_alert_is_repeated_until_it_is_taken_and_the_run_tells_of_both() {
    let (place, received) = receiver().await;
    let (world, hands) = world(&place).await;
    let url = format!("http://{place}/canary-path");
    let asked: Vec<crate::api::alerts::AlertRequest> =
        serde_json::from_value(json!([{ "url": url, "on": ["failed"] }, { "url": url, "on": ["complete"] }])).unwrap();
    let kept = crate::api::alerts::keep(&world.app, &asked, &[]).unwrap();
    let spec = WorkflowSpec { alerts: crate::api::alerts::stored(&kept).unwrap(), ..spec() };
    let workflow = world.workflow(Keys::Right, PreflightGate::Off, spec).await;
    let run = world.app.store.enqueue(workflow, &system(), hands.now_ms()).await.unwrap().run;
    let lease = world.claim().await;
    let failure =
        json!({ "category": "permission", "retryable": false, "blame": "source", "message": "no", "suggestedAction": "Allow it." });
    let end = JobEnd { outcome: Outcome::Failed, failure: Some(failure.to_string()) };
    world.app.store.finish_job(&lease, &end, hands.now_ms()).await.unwrap();

    assert_eq!(alerts::activate(&world.app, hands.now_ms()).await.unwrap(), "", "its report may still come");
    hands.0.fetch_add(10_000, Ordering::Relaxed);
    assert_eq!(alerts::activate(&world.app, hands.now_ms()).await.unwrap(), "1 runs had ended, 1 alerts sent");
    assert_eq!(alerts::activate(&world.app, hands.now_ms()).await.unwrap(), "");
    hands.0.fetch_add(30_000, Ordering::Relaxed);
    assert_eq!(alerts::activate(&world.app, hands.now_ms()).await.unwrap(), "0 runs had ended, 1 alerts sent");
    hands.0.fetch_add(3_600_000, Ordering::Relaxed);
    assert_eq!(alerts::activate(&world.app, hands.now_ms()).await.unwrap(), "");

    let received = received.lock().unwrap().clone();
    let [(first, body), (second, again)] = received.as_slice() else { panic!("{received:?}") };
    assert_eq!(body, again);
    assert_eq!(header(first, "webhook-id: "), header(second, "webhook-id: "));
    assert!(header(first, "webhook-signature: ").starts_with("v1,"), "{first}");
    let data = &body["data"];
    assert_eq!((&data["outcome"], &data["failure"]["suggestedAction"]), (&json!("failed"), &json!("Allow it.")), "{body:#}");
    assert_eq!(data["workflow"]["name"], "nightly 0");
    let events = world.events(run).await;
    let kinds: Vec<&str> = events.iter().map(|event| event.kind.as_str()).collect();
    assert_eq!(kinds, ["alert-delayed", "alert-delivered"]);
    assert!(!format!("{events:?}").contains("canary"), "{events:?}");
}
