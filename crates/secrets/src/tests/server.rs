//! A scripted HTTP server on loopback that records what it is asked.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

/// A request as the server saw it.
#[derive(Clone)]
pub(super) struct Seen {
    /// `GET /path?query`.
    pub(super) line: String,
    pub(super) headers: BTreeMap<String, String>,
    pub(super) body: String,
}

impl Seen {
    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    /// The decoded fields of a form.
    pub(super) fn form(&self) -> BTreeMap<String, String> {
        let url = reqwest::Url::parse(&format!("http://form/?{}", self.body)).unwrap();
        url.query_pairs().into_owned().collect()
    }
}

/// What the server answers.
#[derive(Clone)]
pub(super) struct Reply {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: String,
    never_ends: bool,
}

impl Reply {
    pub(super) fn new(status: u16, body: impl Into<String>) -> Self {
        Self { status, headers: Vec::new(), body: body.into(), never_ends: false }
    }

    pub(super) fn json(status: u16, body: &serde_json::Value) -> Self {
        Self::new(status, body.to_string())
    }

    /// Announces more than it sends, and keeps the connection open.
    pub(super) fn unfinished() -> Self {
        Self { never_ends: true, ..Self::new(200, "{") }
    }

    pub(super) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    fn bytes(&self) -> Vec<u8> {
        let length = self.body.len() + usize::from(self.never_ends);
        let mut head = format!("HTTP/1.1 {} Status\r\ncontent-length: {length}\r\n", self.status);
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        format!("{head}\r\n{}", self.body).into_bytes()
    }
}

pub(super) type Handler = Arc<dyn Fn(&Seen) -> Reply + Send + Sync>;

/// The server. It stops with the test's runtime.
pub(super) struct Server {
    pub(super) address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Server {
    pub(super) async fn start(handler: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> Self {
        Self::serve(None, Arc::new(handler)).await
    }

    pub(super) async fn start_tls(tls: ServerConfig, handler: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> Self {
        Self::serve(Some(TlsAcceptor::from(Arc::new(tls))), Arc::new(handler)).await
    }

    pub(super) async fn serve(tls: Option<TlsAcceptor>, handler: Handler) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&seen);
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let (tls, handler, log) = (tls.clone(), Arc::clone(&handler), Arc::clone(&log));
                tokio::spawn(async move {
                    match tls {
                        None => converse(socket, &handler, &log).await,
                        Some(tls) => converse(tls.accept(socket).await.ok()?, &handler, &log).await,
                    }
                });
            }
        });
        Self { address, seen }
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(super) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    pub(super) fn lines(&self) -> Vec<String> {
        self.seen().into_iter().map(|seen| seen.line).collect()
    }
}

/// Answers requests on one connection until it ends.
async fn converse<S: AsyncRead + AsyncWrite + Unpin>(stream: S, handler: &Handler, log: &Mutex<Vec<Seen>>) -> Option<()> {
    let mut stream = BufReader::new(stream);
    loop {
        let seen = read_request(&mut stream).await?;
        log.lock().unwrap().push(seen.clone());
        let reply = handler(&seen);
        stream.write_all(&reply.bytes()).await.ok()?;
        stream.flush().await.ok()?;
        if reply.never_ends {
            std::future::pending::<()>().await;
        }
    }
}

async fn read_request<S: AsyncRead + AsyncWrite + Unpin>(stream: &mut BufReader<S>) -> Option<Seen> {
    let mut head = Vec::new();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await.ok()? == 0 {
            return None;
        }
        let line = line.trim_end().to_owned();
        if line.is_empty() {
            break;
        }
        head.push(line);
    }
    let headers: BTreeMap<_, _> = head
        .iter()
        .skip(1)
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let mut body = vec![0; headers.get("content-length").map_or(0, |length| length.parse().unwrap())];
    stream.read_exact(&mut body).await.ok()?;
    let line = head.first()?.strip_suffix(" HTTP/1.1")?.to_owned();
    Some(Seen { line, headers, body: String::from_utf8(body).ok()? })
}

/// A proxy that takes every tunnel to `to`, whatever was asked for, and records what was.
pub(super) async fn proxy(to: SocketAddr) -> (SocketAddr, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let lines = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&lines);
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let log = Arc::clone(&log);
            tokio::spawn(async move {
                let mut client = BufReader::new(socket);
                let seen = read_request(&mut client).await?;
                log.lock().unwrap().push(seen.line);
                client.write_all(b"HTTP/1.1 200 Connected\r\n\r\n").await.ok()?;
                let mut server = TcpStream::connect(to).await.ok()?;
                tokio::io::copy_bidirectional(&mut client, &mut server).await.ok()
            });
        }
    });
    (address, lines)
}

/// A certificate authority of a test.
pub(super) struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    pub(super) fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, "test authority");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    pub(super) fn pem(&self) -> String {
        self.0.pem()
    }

    /// A server's side with a certificate for `host`.
    pub(super) fn server(&self, host: &str) -> ServerConfig {
        let params = CertificateParams::new(vec![host.to_owned()]).unwrap();
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.0).unwrap();
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        ServerConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .unwrap()
    }
}
