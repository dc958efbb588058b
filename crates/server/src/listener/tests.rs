//! The loop over real sockets on loopback: drain, slow clients, TLS, replacement of certificates.

use std::sync::Arc;

use axum::Router;
use axum::extract::Extension;
use axum::routing::get;
use rustls::pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Notify;

use super::*;
use crate::shutdown::Drained;
use crate::tls::tests::{provider, write_pair};

const PATIENCE: Duration = Duration::from_secs(20);

fn bounds() -> Bounds {
    Bounds { connections: 2, handshake: Duration::from_millis(100), header: Duration::from_millis(200) }
}

async fn start(router: Router, certificates: Option<Arc<Certificates>>) -> (SocketAddr, Shutdown) {
    let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let listener = Listener::from_socket(socket, certificates, bounds()).unwrap();
    let address = listener.local_addr().unwrap();
    let shutdown = Shutdown::new();
    shutdown.tasks().spawn(listener.serve(router, shutdown.clone()));
    (address, shutdown)
}

async fn read_all(stream: &mut (impl AsyncReadExt + Unpin)) -> String {
    let mut bytes = Vec::new();
    tokio::time::timeout(PATIENCE, stream.read_to_end(&mut bytes)).await.unwrap().unwrap();
    String::from_utf8(bytes).unwrap()
}

const GET: &[u8] = b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";

#[tokio::test]
async fn a_request_is_answered_and_knows_its_peer() {
    let router = Router::new().route("/", get(|Extension(peer): Extension<Peer>| async move { peer.0.to_string() }));
    let (address, _shutdown) = start(router, None).await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(GET).await.unwrap();
    assert!(read_all(&mut stream).await.ends_with(&stream.local_addr().unwrap().to_string()));
}

#[tokio::test]
async fn a_request_in_flight_is_finished_on_the_soft_token_and_no_new_one_accepted() {
    let (entered, release) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (inside, gate) = (entered.clone(), release.clone());
    let handler = move || {
        let (inside, gate) = (inside.clone(), gate.clone());
        async move {
            inside.notify_one();
            gate.notified().await;
            "finished"
        }
    };
    let (address, shutdown) = start(Router::new().route("/", get(handler)), None).await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    entered.notified().await;
    shutdown.advance();
    let draining = tokio::spawn({
        let shutdown = shutdown.clone();
        async move { shutdown.drain(PATIENCE).await }
    });
    while TcpStream::connect(address).await.is_ok() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    release.notify_one();
    assert!(read_all(&mut stream).await.ends_with("finished"));
    assert_eq!(draining.await.unwrap(), Drained::Finished);
}

#[tokio::test]
async fn a_request_that_outlasts_the_drain_is_stopped() {
    let (address, shutdown) = start(Router::new().route("/", get(std::future::pending::<()>)), None).await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(GET).await.unwrap();
    tokio::time::sleep(Duration::from_millis(50)).await;
    shutdown.advance();
    assert_eq!(shutdown.drain(Duration::from_millis(50)).await, Drained::Stopped);
    assert!(shutdown.tasks().is_empty());
}

#[tokio::test]
async fn clients_that_trickle_their_head_are_cut_off_and_free_their_slots() {
    let (address, _shutdown) = start(Router::new().route("/", get(|| async { "here" })), None).await;
    let mut slow = Vec::new();
    for _ in 0..bounds().connections {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(b"GET / HT").await.unwrap();
        slow.push(stream);
    }
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(GET).await.unwrap();
    assert!(read_all(&mut stream).await.ends_with("here"));
    for mut stream in slow {
        assert!(!read_all(&mut stream).await.contains("here"));
    }
}

async fn tls_get(address: SocketAddr, root: &CertificateDer<'static>) -> Result<String, std::io::Error> {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(root.clone()).unwrap();
    let builder = rustls::ClientConfig::builder_with_provider(provider()).with_safe_default_protocol_versions().unwrap();
    let config = builder.with_root_certificates(roots).with_no_client_auth();
    let stream = TcpStream::connect(address).await?;
    let name = ServerName::try_from("localhost").unwrap();
    let mut stream = tokio_rustls::TlsConnector::from(Arc::new(config)).connect(name, stream).await?;
    stream.write_all(GET).await?;
    Ok(read_all(&mut stream).await)
}

#[tokio::test]
async fn a_replaced_certificate_is_presented_without_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let (files, first) = write_pair(folder.path());
    let certificates = Certificates::load(files, provider()).unwrap();
    let (address, shutdown) = start(Router::new().route("/", get(|| async { "secure" })), Some(certificates.clone())).await;
    assert!(tls_get(address, &first).await.unwrap().ends_with("secure"));
    let (_, second) = write_pair(folder.path());
    certificates.reload();
    assert!(tls_get(address, &second).await.unwrap().ends_with("secure"));
    assert!(tls_get(address, &first).await.is_err());
    shutdown.advance();
    assert_eq!(shutdown.drain(PATIENCE).await, Drained::Finished);
}

#[tokio::test]
async fn a_handshake_that_never_comes_is_cut_off() {
    let folder = tempfile::tempdir().unwrap();
    let (files, _) = write_pair(folder.path());
    let certificates = Certificates::load(files, provider()).unwrap();
    let (address, _shutdown) = start(Router::new(), Some(certificates)).await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    assert_eq!(read_all(&mut stream).await, "");
}

#[tokio::test]
async fn an_address_in_use_is_reported_with_what_to_do() {
    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let config = Config { listen: taken.local_addr().unwrap(), ..Config::default() };
    let Err(error) = Listener::bind(&config, provider()).await else { panic!("bound twice") };
    assert!(error.to_string().contains("--listen"), "{error}");
}
