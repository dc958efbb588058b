//! How many pages of 100 tables one core serves:
//! `cargo test --release -p sim --test simulation -- --ignored --nocapture one_core`.
//!
//! The server has a thread of its own, whose processor time is what counts; the clients send requests that were signed
//! beforehand, so that what they cost is reading.

use std::sync::mpsc;
use std::thread;
use std::time::Instant;

use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use sim::{Account, Running, Simulation};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::oneshot;

use crate::client::Client;

const CONNECTIONS: usize = 4;
const PAGES_EACH: usize = 5_000;
const SIGNED: usize = 50;

#[test]
#[ignore = "a measurement, to be run on its own in a release build"]
fn one_core_serves_thousands_of_pages_a_second() {
    let (started, running) = mpsc::channel();
    let (stop, stopped) = oneshot::channel();
    let server = thread::spawn(move || serve(&started, stopped));
    let running = running.recv().expect("the server starts");
    let clients = runtime();
    let (seconds, bytes) = clients.block_on(load(&running));
    stop.send(()).expect("the server is there");
    drop(running);
    let server_seconds = server.join().expect("the server ends");
    let pages = (CONNECTIONS * PAGES_EACH) as f64;
    println!(
        "{pages} pages, {:.0} bytes each: {:.0} pages/s of wall time, {:.0} pages/s of the server's processor time",
        bytes as f64 / pages,
        pages / seconds,
        pages / server_seconds
    );
    assert!(bytes > CONNECTIONS * PAGES_EACH * 100 * 3_000, "pages of 100 tables of at least 3,000 bytes");
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("runtime")
}

/// Serves until told to stop; the seconds of processor time that this thread took.
fn serve(started: &mpsc::Sender<std::sync::Arc<Running>>, stopped: oneshot::Receiver<()>) -> f64 {
    runtime().block_on(async {
        let builder = Simulation::builder().account(Account::bulk(1, 10_000_000, 20));
        let running = std::sync::Arc::new(builder.start().await.expect("a free port"));
        started.send(running).expect("somebody waits");
        let before = processor_seconds();
        stopped.await.expect("told to stop");
        processor_seconds() - before
    })
}

// Nanoseconds on a processor are the first number of this file (proc(5)).
fn processor_seconds() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux with schedstat");
    text.split(' ').next().and_then(|first| first.parse::<f64>().ok()).expect("a number") / 1e9
}

#[expect(clippy::disallowed_methods, reason = "measuring is what this program is for")]
async fn load(running: &Running) -> (f64, usize) {
    let requests = requests(running).await;
    let began = Instant::now();
    let mut tasks = Vec::new();
    for _ in 0..CONNECTIONS {
        let (address, requests) = (running.address(), requests.clone());
        tasks.push(tokio::spawn(async move {
            let mut stream = TcpStream::connect(address).await.expect("connection");
            let mut bytes = 0;
            for page in 0..PAGES_EACH {
                bytes += exchange(&mut stream, &requests[page % SIGNED]).await;
            }
            bytes
        }));
    }
    let mut bytes = 0;
    for task in tasks {
        bytes += task.await.expect("client");
    }
    (began.elapsed().as_secs_f64(), bytes)
}

/// The first pages of the database, each as the bytes of a signed request.
async fn requests(running: &Running) -> Vec<Vec<u8>> {
    let client = Client::new(running);
    let mut input = json!({"DatabaseName": "warehouse_00000"});
    let mut requests = Vec::new();
    for _ in 0..SIGNED {
        let (parts, body) = client.glue_request("GetTables", &input).into_parts();
        let body = body.collect().await.expect("a body in memory").to_bytes();
        let mut bytes =
            format!("POST / HTTP/1.1\r\nhost: {}\r\ncontent-length: {}\r\n", running.address(), body.len()).into_bytes();
        for (name, value) in &parts.headers {
            bytes.extend_from_slice(&[name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"].concat());
        }
        bytes.extend_from_slice(b"\r\n");
        bytes.extend_from_slice(&body);
        requests.push(bytes);
        let page: Value = client.glue("GetTables", input.clone()).await.json();
        input["NextToken"] = page["NextToken"].clone();
    }
    requests
}

async fn exchange(stream: &mut TcpStream, request: &[u8]) -> usize {
    stream.write_all(request).await.expect("sent");
    let mut buffer = vec![0; 64 * 1024];
    let mut read = 0;
    let mut whole = None;
    while whole.is_none_or(|whole| read < whole) {
        let count = stream.read(&mut buffer).await.expect("answered");
        assert!(count > 0, "the connection closed");
        if whole.is_none() {
            whole = Some(whole_answer(&buffer[..count]));
        }
        read += count;
    }
    read
}

fn whole_answer(start: &[u8]) -> usize {
    let head = start.windows(4).position(|window| window == b"\r\n\r\n").expect("a whole head") + 4;
    let text = String::from_utf8_lossy(&start[..head]).to_ascii_lowercase();
    assert!(text.starts_with("http/1.1 200"), "{text}");
    let length = text.split("content-length: ").nth(1).and_then(|rest| rest.split("\r\n").next()).expect("a length");
    head + length.parse::<usize>().expect("a number")
}
