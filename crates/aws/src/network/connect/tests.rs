//! The guard against real sockets and invented names; nothing leaves loopback.

use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use model::Secret;

use super::*;
use crate::testing::{Authority, Bundle, Names, ProxyServer, Reply, Server};
use crate::wire::{Answer, Pool, Timeouts};

const HOST: &str = "glue.test";

/// Private mode with these CIDRs, trusting `authority`, over `names`.
struct Setup {
    network: Network,
    _bundle: Bundle,
}

impl Setup {
    fn new(mode: NetworkMode, cidrs: &[&str], authority: &Authority, names: Arc<Names>) -> Self {
        let bundle = Bundle::new(&authority.pem());
        let network = Network {
            policy: NetworkPolicy { mode, private_cidrs: cidrs.iter().map(|cidr| cidr.parse().unwrap()).collect() },
            proxy: None,
            tls: tls::client_config(Some(&bundle.0)).unwrap(),
            resolver: names,
            evidence: Evidence::new(),
        };
        Self { network, _bundle: bundle }
    }

    fn with_proxy(mut self, address: &str) -> Self {
        self.network.proxy = Some(Proxy::parse(&Secret::new(address), None).unwrap());
        self
    }

    fn pool(self) -> (Pool, Evidence) {
        let evidence = self.network.evidence.clone();
        (Pool::new(&Arc::new(self.network), "glue", Purpose::Service, Timeouts::default()), evidence)
    }
}

async fn get(pool: &Pool, url: &str) -> Result<Answer, NetworkFault> {
    pool.exchange(Request::builder().uri(url).body(Full::new(Bytes::new())).unwrap()).await
}

fn private(authority: &Authority, answers: &[&[&str]]) -> Setup {
    Setup::new(NetworkMode::Private, &["127.0.0.0/8"], authority, Names::new(answers))
}

#[tokio::test]
async fn a_private_service_is_verified_by_name_and_recorded() {
    let authority = Authority::new("test authority");
    let server = Server::start_tls(authority.server(HOST), |_| Reply::new(200, "{}")).await;
    let (pool, evidence) = private(&authority, &[&["127.0.0.1"]]).pool();
    let answer = get(&pool, &format!("https://{HOST}:{}/", server.address.port())).await.unwrap();
    assert_eq!(answer.body, "{}");
    let endpoint = evidence.snapshot().endpoints.remove(0);
    let tls = endpoint.tls.unwrap();
    assert_eq!((endpoint.host.as_str(), endpoint.private, endpoint.addresses), (HOST, true, vec!["127.0.0.1".to_owned()]));
    assert_eq!((tls.protocol.as_str(), tls.subject.as_str()), ("TLSv1.3", "CN=glue.test"));
    assert!(tls.issuer.contains("CN=test authority") && tls.certificate_sha256.len() == 64, "{tls:?}");
}

#[tokio::test]
async fn a_certificate_of_an_unknown_authority_is_refused_and_the_bundle_suggested() {
    let server = Server::start_tls(Authority::new("other").server(HOST), |_| Reply::new(200, "{}")).await;
    let (pool, _) = private(&Authority::new("mine"), &[&["127.0.0.1"]]).pool();
    let fault = get(&pool, &format!("https://{HOST}:{}/", server.address.port())).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Tls);
    assert!(fault.suggested_action.contains("--ca-bundle"), "{fault:?}");
    assert!(server.seen().is_empty());
}

#[tokio::test]
async fn a_certificate_for_another_name_is_refused_on_a_private_path_too() {
    let authority = Authority::new("mine");
    let server = Server::start_tls(authority.server("other.test"), |_| Reply::new(200, "{}")).await;
    let (pool, _) = private(&authority, &[&["127.0.0.1"]]).pool();
    let fault = get(&pool, &format!("https://{HOST}:{}/", server.address.port())).await.unwrap_err();
    assert_eq!(fault.kind, FaultKind::Tls);
    assert!(fault.suggested_action.contains("another name"), "{fault:?}");
}

#[tokio::test]
async fn one_public_address_among_private_ones_is_refused_before_any_packet() {
    let authority = Authority::new("mine");
    let server = Server::start_tls(authority.server(HOST), |_| Reply::new(200, "{}")).await;
    for answer in
        [["127.0.0.1", "8.8.8.8"], ["8.8.8.8", "127.0.0.1"], ["127.0.0.1", "::ffff:8.8.8.8"], ["127.0.0.1", "169.254.169.254"]]
    {
        let (pool, evidence) = private(&authority, &[&answer]).pool();
        let fault = get(&pool, &format!("https://{HOST}:{}/", server.address.port())).await.unwrap_err();
        assert_eq!(fault.kind, FaultKind::Refused);
        for part in ["glue:", HOST, "before any packet"] {
            assert!(fault.message.contains(part), "{fault}");
        }
        assert!(evidence.snapshot().endpoints.is_empty());
    }
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn a_name_that_changes_to_a_public_address_is_refused_at_the_next_connection() {
    let authority = Authority::new("mine");
    let server = Server::start_tls(authority.server(HOST), |_| Reply::new(200, "{}").with_header("connection", "close")).await;
    let (pool, _) = private(&authority, &[&["127.0.0.1"], &["8.8.8.8"]]).pool();
    let url = format!("https://{HOST}:{}/", server.address.port());
    assert!(get(&pool, &url).await.is_ok());
    let fault = get(&pool, &url).await.unwrap_err();
    assert!(fault.kind == FaultKind::Refused && fault.message.contains("8.8.8.8"), "{fault}");
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn an_address_in_place_of_a_name_is_checked_all_the_same() {
    let (pool, _) = private(&Authority::new("mine"), &[&["127.0.0.1"]]).pool();
    for url in ["https://8.8.8.8/", "https://[2600::1]/", "https://[::ffff:8.8.8.8]/", "https://169.254.169.254/"] {
        assert_eq!(get(&pool, url).await.unwrap_err().kind, FaultKind::Refused, "{url}");
    }
}

#[tokio::test]
async fn loopback_is_private_only_where_a_cidr_lists_it() {
    let server = Server::start(|_| Reply::new(200, "{}")).await;
    let authority = Authority::new("mine");
    let url = format!("http://{}/", server.address);
    let (unlisted, _) = Setup::new(NetworkMode::Private, &[], &authority, Names::new(&[&["127.0.0.1"]])).pool();
    assert_eq!(get(&unlisted, &url).await.unwrap_err().kind, FaultKind::Refused);
    assert_eq!(server.connections(), 0);
    let (listed, _) = private(&authority, &[&["127.0.0.1"]]).pool();
    assert!(get(&listed, &url).await.is_ok());
    let (public, _) = Setup::new(NetworkMode::Public, &[], &authority, Names::new(&[&["127.0.0.1"]])).pool();
    assert!(get(&public, &url).await.is_ok());
}

#[tokio::test]
async fn plain_http_to_anything_but_this_machine_is_refused() {
    for mode in [NetworkMode::Public, NetworkMode::Private] {
        let names = Names::new(&[&["10.0.0.1"]]);
        let (pool, _) = Setup::new(mode, &["10.0.0.0/8", "169.254.0.0/16"], &Authority::new("mine"), names).pool();
        for url in ["http://glue.test/", "http://10.0.0.1/", "http://localhost/", "http://169.254.169.254/latest/api/token"] {
            let fault = get(&pool, url).await.unwrap_err();
            assert!(fault.kind == FaultKind::Refused && fault.message.contains("plain HTTP"), "{url}: {fault}");
        }
    }
}

#[tokio::test]
async fn the_global_sts_host_is_never_contacted() {
    let (pool, _) = private(&Authority::new("mine"), &[&["127.0.0.1"]]).pool();
    for url in ["https://sts.amazonaws.com/", "https://STS.amazonaws.com./"] {
        let fault = get(&pool, url).await.unwrap_err();
        assert!(fault.kind == FaultKind::Refused && fault.message.contains("global STS"), "{fault}");
    }
}

#[tokio::test]
async fn in_private_mode_a_listed_proxy_is_asked_for_the_checked_address() {
    let authority = Authority::new("mine");
    let server = Server::start_tls(authority.server(HOST), |_| Reply::new(200, "{}")).await;
    let proxy = ProxyServer::start(server.address, "200 OK").await;
    let url = format!("http://user:pass@{}", proxy.address);
    let (pool, evidence) = private(&authority, &[&["127.0.0.1"]]).with_proxy(&url).pool();
    let port = server.address.port();
    assert!(get(&pool, &format!("https://{HOST}:{port}/")).await.is_ok());
    assert_eq!(proxy.heads(), [format!("CONNECT 127.0.0.1:{port} HTTP/1.1 Basic dXNlcjpwYXNz")]);
    let endpoint = evidence.snapshot().endpoints.remove(0);
    assert_eq!((endpoint.private, endpoint.proxy), (true, Some(proxy.address.to_string())));
}

#[tokio::test]
async fn in_private_mode_the_service_behind_a_proxy_must_be_private_too() {
    let authority = Authority::new("mine");
    let proxy = ProxyServer::start("127.0.0.1:9".parse().unwrap(), "200 OK").await;
    let (pool, _) = private(&authority, &[&["8.8.8.8"]]).with_proxy(&proxy.address.to_string()).pool();
    let fault = get(&pool, &format!("https://{HOST}/")).await.unwrap_err();
    assert!(fault.kind == FaultKind::Refused && fault.message.contains("8.8.8.8"), "{fault}");
    assert!(proxy.heads().is_empty());
}

#[tokio::test]
async fn in_private_mode_a_proxy_that_no_cidr_lists_is_refused_even_if_private() {
    let names = Names::new(&[&["10.0.0.1"]]);
    let setup = Setup::new(NetworkMode::Private, &["192.168.0.0/16"], &Authority::new("mine"), names);
    let (pool, _) = setup.with_proxy("http://10.0.0.9:3128").pool();
    let fault = get(&pool, &format!("https://{HOST}/")).await.unwrap_err();
    assert!(fault.kind == FaultKind::Refused && fault.message.contains("10.0.0.9"), "{fault}");
}

#[tokio::test]
async fn in_public_mode_a_proxy_is_asked_for_the_name_and_resolves_it_itself() {
    let authority = Authority::new("mine");
    let server = Server::start_tls(authority.server(HOST), |_| Reply::new(200, "{}")).await;
    let proxy = ProxyServer::start(server.address, "200 OK").await;
    let setup = Setup::new(NetworkMode::Public, &[], &authority, Names::new(&[&[]]));
    let (pool, evidence) = setup.with_proxy(&proxy.address.to_string()).pool();
    assert!(get(&pool, &format!("https://{HOST}/")).await.is_ok());
    assert_eq!(proxy.heads(), [format!("CONNECT {HOST}:443 HTTP/1.1 ")]);
    let endpoint = evidence.snapshot().endpoints.remove(0);
    assert!(!endpoint.private && endpoint.addresses.is_empty() && endpoint.tls.is_some());
}

#[tokio::test]
async fn a_proxy_that_refuses_is_named_with_its_answer() {
    let proxy = ProxyServer::start("127.0.0.1:9".parse().unwrap(), "407 Proxy Authentication Required").await;
    let setup = Setup::new(NetworkMode::Public, &[], &Authority::new("mine"), Names::new(&[&["127.0.0.1"]]));
    let (pool, _) = setup.with_proxy(&proxy.address.to_string()).pool();
    let fault = get(&pool, &format!("https://{HOST}/")).await.unwrap_err();
    assert!(
        fault.kind == FaultKind::Proxy && fault.message.contains("407") && fault.suggested_action.contains("password"),
        "{fault:?}"
    );
}

#[test]
fn credential_addresses_are_open_to_the_credential_chain_over_plain_http_only() {
    let network = Arc::new(private(&Authority::new("mine"), &[&["127.0.0.1"]]).network);
    let permits = |purpose, url: &str| {
        let guard = Guard { network: Arc::clone(&network), service: "imds", purpose, connect_timeout: Duration::from_secs(1) };
        let place = Place::of(&url.parse().unwrap()).unwrap();
        let address = literal_address(&place.host).unwrap();
        guard.check(&place, &[address]).is_ok()
    };
    for url in ["http://169.254.169.254/", "http://169.254.170.2/", "http://169.254.170.23/", "http://[fd00:ec2::254]/"] {
        assert!(permits(Purpose::CredentialSource, url), "{url}");
        assert!(!permits(Purpose::Service, url), "{url}");
    }
    for url in ["https://169.254.169.254/", "http://169.254.169.253/", "http://10.0.0.1/", "https://8.8.8.8/"] {
        assert!(!permits(Purpose::CredentialSource, url), "{url}");
    }
}

#[test]
fn bundles_that_cannot_be_used_are_errors_that_say_why() {
    let check = |content: &str| tls::client_config(Some(&Bundle::new(content).0)).unwrap_err().to_string();
    assert!(check("").contains("holds no certificate"));
    assert!(check("-----BEGIN CERTIFICATE-----\nnonsense\n-----END CERTIFICATE-----\n").contains("no PEM file"));
    let missing = tls::client_config(Some(std::path::Path::new("/nonexistent/ca.pem"))).unwrap_err();
    assert!(missing.to_string().contains("--ca-bundle"));
}
