//! A scripted HTTP server on loopback, and settings that reach it.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use connector::port::{ReadOperation, Service};
use model::Secret;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::clock::{Clock, Random};
use crate::gate::rest::http_method;
use crate::network::resolve::{Resolve, ResolveFuture};
use crate::{CredentialSource, Environment, Region, Settings, StaticKeys, Surroundings};

/// A request as the server saw it.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) line: String,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: String,
}

impl Seen {
    /// `GetDatabases`, from the header, the body or the path.
    pub(crate) fn operation(&self) -> &str {
        let target = self.headers.get("x-amz-target").and_then(|target| target.split_once('.')).map(|(_, operation)| operation);
        let action = || self.body.strip_prefix("Action=")?.split('&').next();
        target.or_else(action).or_else(|| self.routed()).unwrap_or_default()
    }

    fn routed(&self) -> Option<&str> {
        let (method, rest) = self.line.split_once(' ')?;
        let path = rest.split([' ', '?']).next()?;
        let takes = |operation: &ReadOperation| {
            operation.route().is_some_and(|route| http_method(route.method) == method && route.matches(path))
        };
        ReadOperation::of(Service::DataZone).find(takes).map(ReadOperation::name)
    }

    pub(crate) fn key_id(&self) -> &str {
        let authorization = self.headers.get("authorization").map_or("", String::as_str);
        authorization.split("Credential=").nth(1).and_then(|rest| rest.split('/').next()).unwrap_or_default()
    }
}

/// What the server answers.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: String,
    is_cut: bool,
}

impl Reply {
    pub(crate) fn new(status: u16, body: impl Into<String>) -> Self {
        Self { status, headers: Vec::new(), body: body.into(), is_cut: false }
    }

    pub(crate) fn error(status: u16, code: &str) -> Self {
        Self::new(status, format!(r#"{{"__type":"{code}","Message":"because"}}"#))
    }

    pub(crate) fn sts_error(status: u16, code: &str) -> Self {
        Self::new(status, format!("<ErrorResponse><Error><Code>{code}</Code><Message>because</Message></Error></ErrorResponse>"))
    }

    pub(crate) fn session(key_id: &str, expiry: SystemTime) -> Self {
        let seconds = i64::try_from(expiry.duration_since(UNIX_EPOCH).unwrap().as_secs()).unwrap();
        let expiration = aws_smithy_types::DateTime::from_secs(seconds);
        let expiration = expiration.fmt(aws_smithy_types::date_time::Format::DateTime).unwrap();
        Self::new(
            200,
            format!(
                "<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><AssumeRoleResult><AssumedRoleUser>\
                 <Arn>arn:aws:sts::111122223333:assumed-role/read-only/isinglass-1</Arn></AssumedRoleUser><Credentials>\
                 <AccessKeyId>{key_id}</AccessKeyId><SecretAccessKey>secret</SecretAccessKey><SessionToken>token</SessionToken>\
                 <Expiration>{expiration}</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>"
            ),
        )
    }

    /// The same answer under the name of another action.
    pub(crate) fn of_action(mut self, action: &str) -> Self {
        self.body = self.body.replace("AssumeRoleRe", &format!("{action}Re"));
        self
    }

    pub(crate) fn with_header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// Announces the whole body, sends half, and closes.
    pub(crate) fn cut(mut self) -> Self {
        self.is_cut = true;
        self
    }

    fn bytes(&self) -> Vec<u8> {
        let mut head = format!("HTTP/1.1 {} Status\r\ncontent-length: {}\r\n", self.status, self.body.len());
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        let body = if self.is_cut { &self.body[..self.body.len() / 2] } else { &self.body };
        format!("{head}\r\n{body}").into_bytes()
    }
}

type Handler = Arc<dyn Fn(&Seen) -> Reply + Send + Sync>;

/// A server that records what it sees. It stops with the test's runtime.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
    connections: Arc<AtomicUsize>,
}

impl Server {
    pub(crate) async fn start(handler: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> Self {
        Self::serve(None, Arc::new(handler)).await
    }

    pub(crate) async fn start_tls(tls: ServerConfig, handler: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> Self {
        Self::serve(Some(TlsAcceptor::from(Arc::new(tls))), Arc::new(handler)).await
    }

    async fn serve(tls: Option<TlsAcceptor>, handler: Handler) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (seen, connections) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicUsize::new(0)));
        let (log, count) = (Arc::clone(&seen), Arc::clone(&connections));
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::SeqCst);
                let (tls, handler, log) = (tls.clone(), Arc::clone(&handler), Arc::clone(&log));
                tokio::spawn(async move {
                    match tls {
                        None => converse(socket, &handler, &log).await,
                        Some(tls) => match tls.accept(socket).await {
                            Ok(stream) => converse(stream, &handler, &log).await,
                            Err(_) => None,
                        },
                    }
                });
            }
        });
        Self { address, seen, connections }
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    pub(crate) fn operations(&self) -> Vec<String> {
        self.seen().iter().map(|seen| seen.operation().to_owned()).collect()
    }

    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
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
        if reply.is_cut {
            stream.shutdown().await.ok()?;
            return None;
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
    Some(Seen { line: head.first()?.clone(), headers, body: String::from_utf8(body).ok()? })
}

/// A proxy that takes every tunnel to `to`, whatever was asked for, and records what was.
pub(crate) struct ProxyServer {
    pub(crate) address: SocketAddr,
    pub(crate) heads: Arc<Mutex<Vec<String>>>,
}

impl ProxyServer {
    pub(crate) async fn start(to: SocketAddr, answer: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let heads = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&heads);
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let log = Arc::clone(&log);
                tokio::spawn(async move {
                    let mut client = BufReader::new(socket);
                    let seen = read_request(&mut client).await?;
                    let authorization = seen.headers.get("proxy-authorization").cloned().unwrap_or_default();
                    log.lock().unwrap().push(format!("{} {authorization}", seen.line));
                    client.write_all(format!("HTTP/1.1 {answer}\r\n\r\n").as_bytes()).await.ok()?;
                    let mut server = tokio::net::TcpStream::connect(to).await.ok()?;
                    tokio::io::copy_bidirectional(&mut client, &mut server).await.ok()
                });
            }
        });
        Self { address, heads }
    }

    pub(crate) fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }
}

/// A certificate authority of a test.
pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    pub(crate) fn new(name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    pub(crate) fn pem(&self) -> String {
        self.0.pem()
    }

    /// A server's side with a certificate for `host`.
    pub(crate) fn server(&self, host: &str) -> ServerConfig {
        let mut params = CertificateParams::new(vec![host.to_owned()]).unwrap();
        params.distinguished_name.push(DnType::CommonName, host);
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

/// A file that goes away with the test.
pub(crate) struct Bundle(pub(crate) PathBuf);

static NEXT_BUNDLE: AtomicUsize = AtomicUsize::new(0);

impl Bundle {
    pub(crate) fn new(content: &str) -> Self {
        let number = NEXT_BUNDLE.fetch_add(1, Ordering::SeqCst);
        let path = std::env::temp_dir().join(format!("isinglass-aws-{}-{number}", std::process::id()));
        std::fs::write(&path, content).unwrap();
        Self(path)
    }
}

impl Drop for Bundle {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// Answers in turn; the last answer stays.
#[derive(Debug)]
pub(crate) struct Names(Mutex<Vec<Vec<IpAddr>>>);

impl Names {
    pub(crate) fn new(answers: &[&[&str]]) -> Arc<Self> {
        let parse = |answer: &&[&str]| answer.iter().map(|address| address.parse().unwrap()).collect();
        Arc::new(Self(Mutex::new(answers.iter().map(parse).collect())))
    }
}

impl Resolve for Names {
    fn resolve<'a>(&'a self, _host: &'a str) -> ResolveFuture<'a> {
        Box::pin(async move {
            let mut answers = self.0.lock().unwrap();
            Ok(if answers.len() > 1 { answers.remove(0) } else { answers[0].clone() })
        })
    }
}

/// A clock that a test turns.
#[derive(Clone, Default)]
pub(crate) struct TestClock(Arc<AtomicU64>);

impl TestClock {
    pub(crate) fn new() -> Self {
        Self(Arc::new(AtomicU64::new(1_700_000_000)))
    }

    pub(crate) fn now(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(self.0.load(Ordering::SeqCst))
    }

    pub(crate) fn pass(&self, seconds: u64) {
        self.0.fetch_add(seconds, Ordering::SeqCst);
    }

    /// Surroundings with this clock, in which retries do not wait.
    pub(crate) fn surroundings(&self) -> Surroundings {
        let clock = self.clone();
        Surroundings { clock: Clock::new(move || clock.now()), random: Random::new(|| 0.0), ..Surroundings::default() }
    }
}

/// Settings with given keys whose services are all at `url`.
pub(crate) fn settings_at(url: &str) -> Settings {
    let url = url.to_owned();
    let environment = Environment::from_lookup(move |name| (name == "AWS_ENDPOINT_URL").then(|| url.clone()));
    let mut settings = Settings::new(Region::parse("eu-west-1").unwrap(), environment);
    settings.credentials = CredentialSource::Keys(StaticKeys {
        access_key_id: "AKIABASE000000000000".to_owned(),
        secret_access_key: Secret::new("base-secret"),
        session_token: None,
    });
    settings
}
