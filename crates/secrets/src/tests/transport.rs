//! What all stores that speak HTTP share: certificates, the proxy, redirects, side by side fetches.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::harness::{context, open, pairs, try_open};
use super::server::{Authority, Reply, Seen, Server, proxy};

fn entry(seen: &Seen) -> Reply {
    match seen.line.as_str() {
        "GET /v1/secret/team/aws" => Reply::json(200, &json!({ "data": { "id": "AKIA1" } })),
        line => Reply::new(418, line),
    }
}

fn vault(address: &str, more: &str) -> String {
    format!("kind = \"vault\"\naddress = \"{address}\"\nkv-version = 1\n{more}")
}

const TOKEN: (&str, &str) = ("VAULT_TOKEN", "hvs.token");

#[tokio::test]
async fn a_certificate_is_trusted_by_the_bundle_of_the_store_or_of_all_stores_and_by_no_other() {
    let (authority, other) = (Authority::new(), Authority::new());
    let folder = tempfile::tempdir().unwrap();
    let bundle = |name: &str, authority: &Authority| {
        let path = folder.path().join(name);
        std::fs::write(&path, authority.pem()).unwrap();
        path
    };
    let (right, wrong) = (bundle("right.pem", &authority), bundle("wrong.pem", &other));
    let server = Server::start_tls(authority.server("localhost"), entry).await;
    let address = format!("https://localhost:{}", server.address.port());

    let own = open(&vault(&address, &format!("ca-bundle = {right:?}")), &[TOKEN]).await;
    assert_eq!(own.keys("team/aws", &["id"]).await.unwrap(), pairs(&[("id", "AKIA1")]));
    let mut of_all = context(&[TOKEN]);
    of_all.ca_bundle = Some(right.clone());
    let opened = try_open(&vault(&address, ""), of_all.clone()).await.unwrap();
    assert_eq!(opened.keys("team/aws", &["id"]).await.unwrap(), pairs(&[("id", "AKIA1")]));

    let seen = server.seen().len();
    for untrusted in [vault(&address, ""), vault(&address, &format!("ca-bundle = {wrong:?}"))] {
        let error = open(&untrusted, &[TOKEN]).await.keys("team/aws", &["id"]).await.unwrap_err();
        assert_eq!(error.category(), "unreachable", "{error}");
        assert!(error.to_string().contains("ca-bundle"), "{error}");
    }
    assert_eq!(server.seen().len(), seen, "no request, and so no token, went to whom nobody vouches for");
}

#[tokio::test]
async fn a_bundle_that_holds_no_certificate_is_refused_when_stores_are_opened() {
    let folder = tempfile::tempdir().unwrap();
    let empty = folder.path().join("empty.pem");
    std::fs::write(&empty, "no certificate").unwrap();
    for bundle in [empty, folder.path().join("absent.pem"), folder.path().to_owned()] {
        let text = vault("https://vault.example", &format!("ca-bundle = {bundle:?}"));
        assert_eq!(try_open(&text, context(&[])).await.err().unwrap().category(), "misconfigured", "{}", bundle.display());
    }
}

#[tokio::test]
async fn the_proxy_of_the_environment_is_used_for_others_and_not_for_this_machine_or_excepted_names() {
    let authority = Authority::new();
    let folder = tempfile::tempdir().unwrap();
    let bundle = folder.path().join("ca.pem");
    std::fs::write(&bundle, authority.pem()).unwrap();
    let server = Server::start_tls(authority.server("vault.invalid"), entry).await;
    let (at, lines) = proxy(server.address).await;
    let at = format!("http://{at}");
    let text = vault("https://vault.invalid:8200", &format!("ca-bundle = {bundle:?}"));

    let opened = open(&text, &[TOKEN, ("HTTPS_PROXY", &at)]).await;
    assert_eq!(opened.keys("team/aws", &["id"]).await.unwrap(), pairs(&[("id", "AKIA1")]));
    assert_eq!(*lines.lock().unwrap(), ["CONNECT vault.invalid:8200"]);
    let opened = open(&text, &[TOKEN, ("HTTPS_PROXY", &at), ("NO_PROXY", ".example,vault.invalid")]).await;
    assert_eq!(opened.keys("team/aws", &["id"]).await.unwrap_err().category(), "unreachable");

    let here = Server::start_tls(authority.server("localhost"), entry).await;
    let text = vault(&format!("https://localhost:{}", here.address.port()), &format!("ca-bundle = {bundle:?}"));
    let opened = open(&text, &[TOKEN, ("HTTPS_PROXY", &at)]).await;
    assert_eq!(opened.keys("team/aws", &["id"]).await.unwrap(), pairs(&[("id", "AKIA1")]));
    assert_eq!(lines.lock().unwrap().len(), 1, "{lines:?}");
}

#[tokio::test]
async fn a_redirect_is_not_followed_and_says_what_to_configure() {
    let elsewhere = Server::start(entry).await;
    let to = format!("{}/v1/secret/team/aws", elsewhere.url());
    let server = Server::start(move |_| Reply::new(307, "").header("location", to.clone())).await;
    let error = open(&vault(&server.url(), ""), &[TOKEN]).await.keys("team/aws", &["id"]).await.unwrap_err();
    assert_eq!(error.category(), "misconfigured", "{error}");
    assert_eq!((server.seen().len(), elsewhere.seen().len()), (1, 0));
}

#[tokio::test]
async fn an_outage_that_passes_is_not_noticed() {
    let asked = AtomicUsize::new(0);
    let answer = move |seen: &Seen| match asked.fetch_add(1, Ordering::SeqCst) {
        0 => Reply::new(429, ""),
        1 => Reply::new(502, ""),
        _ => entry(seen),
    };
    let server = Server::start(answer).await;
    let opened = open(&vault(&server.url(), ""), &[TOKEN]).await;
    assert_eq!(opened.keys("team/aws", &["id"]).await.unwrap(), pairs(&[("id", "AKIA1")]));
    assert_eq!(server.seen().len(), 3);
}

#[tokio::test]
async fn single_entries_are_fetched_side_by_side_with_one_sign_in_and_the_first_failure_by_name_is_told() {
    let answer = |seen: &Seen| match seen.line.as_str() {
        "POST /v1/auth/approle/login" => Reply::json(200, &json!({ "auth": { "client_token": "t" } })),
        line if line.starts_with("GET /v1/secret/found-") => Reply::json(200, &json!({ "data": { "value": line, "note": "n" } })),
        line if line.starts_with("GET /v1/secret/denied-") => Reply::json(403, &json!({ "errors": [] })),
        _ => Reply::json(404, &json!({ "errors": [] })),
    };
    let server = Server::start(answer).await;
    let sign_in = "sign-in = { method = \"approle\", role-id = \"r\" }";
    let opened = open(&vault(&server.url(), sign_in), &[]).await;
    let names: Vec<_> = (0..20).map(|number| format!("found-{number}")).collect();
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    let found = opened.entries(&names).await.unwrap();
    assert_eq!((found.len(), found["found-7"].as_str()), (20, "GET /v1/secret/found-7"));
    assert_eq!(server.lines().iter().filter(|line| line.starts_with("POST")).count(), 1);

    for _ in 0..3 {
        let error = opened.entries(&["found-1", "missing-2", "denied-1", "missing-1"]).await.unwrap_err();
        assert_eq!((error.category(), error.place().entry.as_deref()), ("denied", Some("denied-1")), "{error}");
    }
}

/// Answers only when nobody further has come for a while, and returns the most who waited at once.
async fn answer_in_crowds(listener: TcpListener, answers: usize) -> usize {
    let (mut most, mut answered) = (0, 0);
    while answered < answers {
        let mut waiting = Vec::new();
        while let Ok(accepted) = tokio::time::timeout(Duration::from_millis(300), listener.accept()).await {
            waiting.push(accepted.unwrap().0);
        }
        most = most.max(waiting.len());
        for mut socket in waiting {
            let mut head = vec![0; 4096];
            assert!(socket.read(&mut head).await.unwrap() > 0);
            let body = r#"{"data":{"value":"v"}}"#;
            let answer = format!("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}", body.len());
            socket.write_all(answer.as_bytes()).await.unwrap();
            answered += 1;
        }
    }
    most
}

#[tokio::test]
async fn no_more_than_eight_entries_are_fetched_at_once() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let served = tokio::spawn(answer_in_crowds(listener, 16));
    let opened = open(&vault(&format!("http://{address}"), ""), &[TOKEN]).await;
    let names: Vec<_> = (0..16).map(|number| format!("e{number}")).collect();
    let found = opened.entries(&names.iter().map(String::as_str).collect::<Vec<_>>()).await.unwrap();
    let most = served.await.unwrap();
    assert!(found.len() == 16 && (2..=8).contains(&most), "{most} at once");
}
