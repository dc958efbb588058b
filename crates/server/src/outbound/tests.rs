//! Against servers on this machine: whom we trust, what we ask, how much we read.

use std::net::SocketAddr;
use std::sync::Arc;

use reqwest::{Method, Request};
use rustls::pki_types::PrivateKeyDer;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::{Outbound, OutboundError, OutboundSettings, check};

#[test]
fn only_https_and_this_machine_are_asked() {
    for url in ["https://hooks.example.com/a", "http://127.0.0.1:8080/", "http://[::1]/", "http://localhost:1/"] {
        assert!(check(&url.parse().unwrap()).is_ok(), "{url}");
    }
    let refused = [
        "http://hooks.example.com/",
        "http://169.254.169.254/",
        "http://127.0.0.1.example.com/",
        "http://localhost.example.com/",
        "ftp://hooks.example.com/",
        "file:///etc/passwd",
        "https://user:secret@hooks.example.com/",
        "https://token@hooks.example.com/",
    ];
    for url in refused {
        assert!(matches!(check(&url.parse().unwrap()), Err(OutboundError::Url { .. })), "{url}");
    }
}

#[test]
fn a_bundle_that_holds_no_certificate_is_refused_or_adds_nothing() {
    let broken = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n".to_vec();
    let settings = OutboundSettings { ca_bundle_pem: Some(broken), https_proxy: None };
    assert!(matches!(Outbound::new(&settings), Err(OutboundError::Setup(_))));
}

#[tokio::test]
async fn an_unreachable_host_is_named_without_its_path() {
    let outbound = Outbound::new(&OutboundSettings::default()).unwrap();
    let request = Request::new(Method::GET, "http://127.0.0.1:1/secret-path".parse().unwrap());
    let error = outbound.send(request).await.unwrap_err();
    let printed = format!("{error} {error:?}");
    assert!(printed.contains("127.0.0.1 cannot be reached") && !printed.contains("secret-path"), "{printed}");
}

/// Answers each connection with 200 and eleven bytes; gives its address and its certificate.
async fn tls_server() -> (SocketAddr, String) {
    aws::install_default_provider();
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let config =
        rustls::ServerConfig::builder().with_no_client_auth().with_single_cert(vec![made.cert.der().clone()], key).unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            if let Ok(mut stream) = acceptor.accept(stream).await {
                let _read = stream.read(&mut [0; 4096]).await;
                let _written = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 11\r\n\r\nhello there").await;
                let _closed = stream.shutdown().await;
            }
        }
    });
    (address, made.cert.pem())
}

async fn ask(settings: &OutboundSettings, address: SocketAddr, max: usize) -> Result<Vec<u8>, OutboundError> {
    let url = format!("https://localhost:{}/", address.port()).parse().unwrap();
    let response = Outbound::new(settings).unwrap().send(Request::new(Method::GET, url)).await?;
    Outbound::body(response, max).await
}

#[tokio::test]
async fn a_certificate_is_trusted_only_when_the_operator_says_so() {
    let (address, pem) = tls_server().await;
    let trusting = OutboundSettings { ca_bundle_pem: Some(pem.into_bytes()), https_proxy: None };
    assert_eq!(ask(&trusting, address, 11).await.unwrap(), b"hello there");
    assert!(matches!(ask(&OutboundSettings::default(), address, 11).await, Err(OutboundError::Unreachable { .. })));
}

#[tokio::test]
async fn an_answer_that_is_too_long_is_not_read_to_its_end() {
    let (address, pem) = tls_server().await;
    let trusting = OutboundSettings { ca_bundle_pem: Some(pem.into_bytes()), https_proxy: None };
    assert!(matches!(ask(&trusting, address, 10).await, Err(OutboundError::TooLong { max: 10, .. })));
}
