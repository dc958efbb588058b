//! What leaves and what does not: the log of what leaves is what leaves, no secret is anywhere, nothing listens.

use std::collections::BTreeSet;
use std::path::Path;

use hyper::body::Bytes;
use wire::Ending;

use crate::control_plane::{ControlPlane, Received};
use crate::process::{Home, aws, files, job};

/// An entry of the outgoing log.
#[derive(Debug)]
struct Entry {
    request: String,
    headers: Vec<String>,
    body: Bytes,
}

fn entries(path: &Path) -> Vec<Entry> {
    let text = Bytes::from(std::fs::read(path).unwrap());
    let (mut found, mut at) = (Vec::new(), 0);
    while at < text.len() {
        let head_bytes = text[at..].windows(2).position(|pair| pair == b"\n\n").unwrap();
        let head = std::str::from_utf8(&text[at..at + head_bytes]).unwrap();
        let mut lines = head.lines().map(str::to_owned);
        let request = lines.next().unwrap();
        let headers: Vec<String> = lines.collect();
        let size = headers.iter().find_map(|line| line.strip_prefix("body-bytes: ")).unwrap();
        let size: usize = size.split(' ').next().unwrap().parse().unwrap();
        let begin = at + head_bytes + 2;
        found.push(Entry { request, headers, body: text.slice(begin..begin + size) });
        at = begin + size + 2;
    }
    found
}

/// A received request as the log should have it: method and path, the digest of a batch, the body before compression.
fn shown(received: &Received) -> (String, Bytes) {
    let digest = received.headers.get("isinglass-digest").map(|digest| digest.to_str().unwrap());
    let body = match digest {
        Some(digest) => {
            let digest = wire::BatchDigest::from_header(digest).unwrap();
            Bytes::from(wire::batch::decompress(&received.body, digest).unwrap())
        }
        None if received.path.ends_with("/token") => {
            let form = std::str::from_utf8(&received.body).unwrap();
            Bytes::from(format!("{}client_assertion=***", form.split_once("client_assertion=").unwrap().0))
        }
        None => received.body.clone(),
    };
    (format!("{} {} {}", received.method, received.path, digest.unwrap_or_default()), body)
}

fn logged(entry: &Entry, server: &str) -> (String, Bytes) {
    let mut words = entry.request.split(' ').skip(2);
    let (method, url) = (words.next().unwrap(), words.next().unwrap());
    let digest = entry.headers.iter().find_map(|line| line.strip_prefix("isinglass-digest: ")).unwrap_or_default();
    (format!("{method} {} {digest}", url.strip_prefix(server).unwrap()), entry.body.clone())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_of_what_leaves_is_what_leaves_byte_for_byte() {
    let (simulation, plane) = (aws().await, ControlPlane::start().await);
    let home = Home::enrolled(&simulation, &plane);
    plane.state().received.clear();
    plane.give(job("41.3", |_| {}));
    let log = home.path("outgoing.log");
    let mut process = home.run(&["--outgoing-log", log.to_str().unwrap()]);
    plane.finish().await;
    process.terminate();
    assert_eq!(process.status().await, 0);
    let mut arrived: Vec<_> = plane.state().received.iter().map(shown).collect();
    let entries = entries(&log);
    let mut written: Vec<_> = entries.iter().map(|entry| logged(entry, &plane.url)).collect();
    // A request for work may have been written and given up when the process stopped.
    written.retain(|entry| arrived.contains(entry) || !entry.0.contains("/lease"));
    arrived.sort();
    written.sort();
    assert!(arrived.len() > 5 && arrived == written, "{arrived:#?}\n{written:#?}");
    let authorizations: BTreeSet<&str> =
        entries.iter().flat_map(|entry| &entry.headers).filter_map(|line| line.strip_prefix("authorization: ")).collect();
    assert_eq!(authorizations, BTreeSet::from(["Bearer ***"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_writes_what_would_be_sent_and_sends_nothing() {
    let (simulation, plane) = (aws().await, ControlPlane::start().await);
    let home = Home::enrolled(&simulation, &plane);
    plane.state().received.clear();
    let (log, file) = (home.path("outgoing.log"), home.path("job.json"));
    std::fs::write(&file, job("41.3", |_| {}).to_string()).unwrap();
    let arguments = ["run", "--dry-run", "--job", file.to_str().unwrap(), "--outgoing-log", log.to_str().unwrap()];
    let output = home.command(&arguments).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success() && text.contains("nothing was sent"), "{output:?}");
    assert!(plane.state().received.is_empty());
    let entries = entries(&log);
    let batches = entries.iter().filter(|entry| entry.request.contains("/batches/"));
    let tables: usize = batches.map(|entry| wire::batch::decode(&entry.body).unwrap().items.len()).sum();
    assert!(tables > 10, "{tables}");
    let finish: wire::Finish = serde_json::from_slice(&entries.last().unwrap().body).unwrap();
    assert!(matches!(finish.ending, Ending::Crawled { .. }), "{finish:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_is_in_spool_log_standard_error_or_anything_that_was_sent() {
    let (simulation, plane) = (aws().await, ControlPlane::start().await);
    let home = Home::enrolled(&simulation, &plane);
    // Nothing is taken, so that the spool is full of what there is when it is looked at.
    plane.refuse("/runtime/v1/batches", 503, serde_json::Value::Null);
    plane.give(job("41.3", |_| {}));
    let log = home.path("outgoing.log");
    let mut process = home.run(&["--outgoing-log", log.to_str().unwrap()]);
    let has_batches = || files(&home.data()).iter().any(|file| file.ends_with("0000000003.ndjson.zst"));
    while !has_batches() {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    process.kill();
    let secret = home.secret().as_bytes();
    let holds = |bytes: &[u8]| bytes.windows(secret.len()).any(|window| window == secret);
    let mut looked_at = 0;
    for file in files(&home.data()).into_iter().chain([log, home.path("stderr")]) {
        let bytes = std::fs::read(&file).unwrap();
        let text = wire_text(&file, &bytes);
        assert!(!holds(&bytes) && !holds(&text), "{}", file.display());
        looked_at += 1;
    }
    for received in &plane.state().received {
        assert!(!holds(&received.body), "{}", received.path);
        looked_at += 1;
    }
    assert!(looked_at > 10 && holds(home.secret().as_bytes()));
}

/// What a batch in the spool says before compression.
fn wire_text(file: &Path, bytes: &[u8]) -> Vec<u8> {
    if file.extension().is_none_or(|extension| extension != "zst") {
        return Vec::new();
    }
    let digest = wire::BatchDigest(bytes[8..40].try_into().unwrap());
    wire::batch::decompress(&bytes[40..], digest).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_listens() {
    let (simulation, plane) = (aws().await, ControlPlane::start().await);
    let home = Home::enrolled(&simulation, &plane);
    let process = home.run(&[]);
    plane.until("a request for work", |state| state.received.iter().any(|received| received.path.ends_with("/lease"))).await;
    let sockets = sockets_of(process.id());
    assert!(!sockets.is_empty(), "it has a connection of its own");
    for table in ["tcp", "tcp6", "udp", "udp6"] {
        let text = std::fs::read_to_string(format!("/proc/{}/net/{table}", process.id())).unwrap();
        for line in text.lines().skip(1) {
            let columns: Vec<&str> = line.split_whitespace().collect();
            // proc(5): 0A is LISTEN; a UDP socket that is bound and not connected is 07.
            let listens = columns[3] == "0A" || (table.starts_with("udp") && columns[3] == "07");
            assert!(!listens || !sockets.contains(columns[9]), "{line}");
        }
    }
}

/// The inodes of a process's sockets.
fn sockets_of(process: u32) -> BTreeSet<String> {
    let links =
        std::fs::read_dir(format!("/proc/{process}/fd")).unwrap().filter_map(|entry| std::fs::read_link(entry.ok()?.path()).ok());
    let names = links.filter_map(|link| Some(link.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.to_owned()));
    names.collect()
}
