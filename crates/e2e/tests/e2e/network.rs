//! Where packets go, seen from inside network namespaces that own "public" and private addresses. Nothing leaves them: the servers
//! listen inside a namespace and pass what they get to the simulation on loopback.

use std::fs;
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use tokio::runtime::Runtime;

use crate::harness::tls::{certificates, serve};
use crate::harness::{Crawled, Program, ROLE, World, account_of, may_administer, program::wait_until};

const GLUE: &str = "glue.eu-west-1.amazonaws.com";
const STS: &str = "sts.eu-west-1.amazonaws.com";
const DATAZONE: &str = "datazone.eu-west-1.api.aws";
/// TEST-NET-3 (RFC 5737): a public address that is nobody's.
const PUBLIC: &str = "203.0.113.10";
const PRIVATE: &str = "10.77.0.10";

static NAMESPACES: AtomicU32 = AtomicU32::new(0);

/// A network namespace with loopback, the two addresses, and a hosts file; gone when the test is.
struct Namespace {
    name: String,
    _turns: std::sync::MutexGuard<'static, ()>,
}

/// The tests share what is mounted under `/run/netns`, so they take turns in changing it.
static TURNS: std::sync::Mutex<()> = std::sync::Mutex::new(());

fn ip(arguments: &[&str]) {
    let output = Command::new("ip").args(arguments).output().unwrap();
    assert!(output.status.success(), "ip {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}

impl Namespace {
    /// `None`, with the reason printed, where this machine has none to give.
    fn new(hosts: &[(&str, &str)]) -> Option<Self> {
        let turns = TURNS.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let name = format!("isg-e2e-{}-{}", std::process::id(), NAMESPACES.fetch_add(1, Ordering::Relaxed));
        if !may_administer("a network namespace", Command::new("ip").args(["netns", "add", &name])) {
            return None;
        }
        let namespace = Self { name, _turns: turns };
        ip(&["-n", &namespace.name, "link", "set", "lo", "up"]);
        for address in [PUBLIC, PRIVATE] {
            ip(&["-n", &namespace.name, "addr", "add", &format!("{address}/32"), "dev", "lo"]);
        }
        fs::create_dir_all(namespace.settings()).unwrap();
        let lines: String = hosts.iter().map(|(address, host)| format!("{address} {host}\n")).collect();
        fs::write(namespace.settings().join("hosts"), format!("127.0.0.1 localhost\n{lines}")).unwrap();
        // No name server: a name that the hosts file lacks has no address.
        fs::write(namespace.settings().join("resolv.conf"), "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n").unwrap();
        Some(namespace)
    }

    /// What `ip netns exec` lays over `/etc`.
    fn settings(&self) -> PathBuf {
        PathBuf::from(format!("/etc/netns/{}", self.name))
    }

    /// Listens on an address of the namespace; the socket stays there whoever uses it.
    fn listen(&self, address: SocketAddr) -> TcpListener {
        let path = format!("/run/netns/{}", self.name);
        let listener = thread::spawn(move || {
            use std::os::fd::AsFd as _;
            let namespace = fs::File::open(path).unwrap();
            move_into_link_name_space(namespace.as_fd(), Some(LinkNameSpaceType::Network)).unwrap();
            TcpListener::bind(address).unwrap()
        });
        listener.join().unwrap()
    }

    /// Packets that were sent inside the namespace so far, on whatever interface.
    fn packets_sent(&self) -> u64 {
        let output = Command::new("ip").args(["netns", "exec", &self.name, "cat", "/proc/net/dev"]).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let sent = |line: &str| line.split_once(':')?.1.split_whitespace().nth(9)?.parse::<u64>().ok();
        text.lines().filter_map(sent).sum()
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        let deleted = Command::new("ip").args(["netns", "del", &self.name]).status();
        let removed = fs::remove_dir_all(self.settings());
        assert!(deleted.is_ok_and(|status| status.success()) && removed.is_ok() || thread::panicking());
    }
}

/// TLS servers inside a namespace in front of a simulation, and the certificate of who signed theirs.
struct Servers {
    accepted: Arc<AtomicU32>,
    ca_bundle: String,
    _runtime: Runtime,
}

impl Servers {
    fn start(namespace: &Namespace, world: &World, addresses: &[&str]) -> Self {
        let (ca, acceptor) = certificates(&[GLUE, STS, DATAZONE]);
        let ca_bundle = world.text_path("ca.pem");
        fs::write(&ca_bundle, ca).unwrap();
        let accepted = Arc::new(AtomicU32::new(0));
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        for address in addresses {
            let address: IpAddr = address.parse().unwrap();
            let listener = namespace.listen(SocketAddr::new(address, 443));
            listener.set_nonblocking(true).unwrap();
            runtime.spawn(serve(listener, acceptor.clone(), Arc::clone(&accepted), world.sim().address()));
        }
        Self { accepted, ca_bundle, _runtime: runtime }
    }

    fn accepted(&self) -> u32 {
        self.accepted.load(Ordering::SeqCst)
    }
}

/// A crawl from inside a namespace, to the services' real host names.
fn crawl_inside(namespace: &Namespace, world: &World, arguments: &[&str], variables: &[(&str, &str)]) -> Crawled {
    crawl_source_inside(namespace, world, "glue", (arguments, variables))
}

fn crawl_source_inside(
    namespace: &Namespace,
    world: &World,
    source: &str,
    (arguments, variables): (&[&str], &[(&str, &str)]),
) -> Crawled {
    let report = world.path("inside.json");
    let mut program =
        Program::by(&["ip", "netns", "exec", &namespace.name], &["crawl", source, "--report", report.to_str().unwrap()])
            .home(&world.path("."))
            .args(&["--region", "eu-west-1", "--output", &world.text_path("inside.ndjson"), "--connection-id", "1700000000"])
            .args(arguments)
            .keys(&world.sim().keys());
    for (name, value) in variables {
        program = program.env(name, value);
    }
    Crawled::of(program.run(), &report)
}

fn world() -> World {
    World::new(account_of(&[("sales", 5)]))
}

#[test]
fn private_mode_sends_no_packet_to_a_public_address() {
    // One public answer among private ones, in either order, and for a service that is called before Glue.
    for (hosts, culprit, arguments) in [
        (&[(PRIVATE, GLUE), (PUBLIC, GLUE)][..], GLUE, &[][..]),
        (&[(PUBLIC, GLUE), (PRIVATE, GLUE)], GLUE, &[]),
        (&[(PUBLIC, GLUE)], GLUE, &[]),
        (&[(PRIVATE, GLUE), (PUBLIC, STS)], STS, &["--role-arn", ROLE]),
    ] {
        let world = world();
        let Some(namespace) = Namespace::new(hosts) else { return };
        let servers = Servers::start(&namespace, &world, &[PUBLIC, PRIVATE]);
        let before = namespace.packets_sent();
        let mut all = vec!["--network", "private", "--ca-bundle", &servers.ca_bundle];
        all.extend_from_slice(arguments);
        let refused = crawl_inside(&namespace, &world, &all, &[]).expect(1);
        let service = if culprit == GLUE { "Glue" } else { "STS" };
        refused.ended.says(1, &[service, culprit, PUBLIC, "what to do"]);
        assert_eq!((namespace.packets_sent() - before, servers.accepted()), (0, 0), "{hosts:?}");
        assert_eq!(refused.errors()[0]["category"], "refused", "{:#}", refused.report);
        assert!(refused.report["endpoints"].as_array().unwrap().is_empty(), "{:#}", refused.report);
        assert!(!world.path("inside.ndjson").exists());
        assert!(world.sim().requests().counts.is_empty());
    }
}

#[test]
fn private_mode_refuses_public_addresses_that_come_without_a_name() {
    let world = world();
    let Some(namespace) = Namespace::new(&[(PRIVATE, GLUE)]) else { return };
    let servers = Servers::start(&namespace, &world, &[PUBLIC, PRIVATE]);
    let private = ["--network", "private", "--ca-bundle", servers.ca_bundle.as_str()];
    for (name, value) in [
        ("AWS_ENDPOINT_URL_GLUE", format!("https://{PUBLIC}")),
        ("AWS_ENDPOINT_URL_GLUE", "https://[::ffff:203.0.113.10]".to_owned()),
        ("HTTPS_PROXY", format!("http://{PUBLIC}:443")),
    ] {
        let before = namespace.packets_sent();
        let refused = crawl_inside(&namespace, &world, &private, &[(name, &value)]);
        let status = refused.ended.status.unwrap();
        assert!(matches!(status, 1 | 2), "{refused:?}");
        refused.ended.says(status, &[PUBLIC]);
        assert_eq!((namespace.packets_sent() - before, servers.accepted()), (0, 0), "{name}={value}");
    }
}

#[test]
fn private_mode_completes_over_private_addresses_and_shows_the_evidence() {
    let world = world();
    let Some(namespace) = Namespace::new(&[(PRIVATE, GLUE), (PRIVATE, STS)]) else { return };
    let servers = Servers::start(&namespace, &world, &[PUBLIC, PRIVATE]);
    let arguments = ["--network", "private", "--ca-bundle", &servers.ca_bundle, "--role-arn", ROLE];
    let crawled = crawl_inside(&namespace, &world, &arguments, &[]).expect(0);
    assert_eq!(crawled.count("Table"), 5);
    let endpoints = crawled.report["endpoints"].as_array().unwrap();
    let hosts: Vec<_> = endpoints.iter().map(|endpoint| endpoint["host"].as_str().unwrap()).collect();
    assert_eq!(hosts, [STS, GLUE]);
    for endpoint in endpoints {
        assert_eq!((&endpoint["addresses"], &endpoint["private"]), (&serde_json::json!([PRIVATE]), &serde_json::json!(true)));
        assert_eq!(endpoint["tls"]["protocol"], "TLSv1.3", "{endpoint:#}");
        assert!(endpoint["tls"]["subject"].as_str().unwrap().contains("simulated AWS"), "{endpoint:#}");
        assert!(endpoint["tls"]["issuer"].as_str().unwrap().contains("Isinglass Test CA"), "{endpoint:#}");
        for member in ["connections", "bytesSent", "bytesReceived"] {
            assert!(endpoint[member].as_u64().unwrap() > 0, "{endpoint:#}");
        }
    }
    let connections: u64 = endpoints.iter().map(|endpoint| endpoint["connections"].as_u64().unwrap()).sum();
    assert_eq!(connections, u64::from(servers.accepted()), "the evidence counts the connections that arrived");
}

#[test]
fn the_studio_is_reached_by_sts_and_datazone_alone_and_either_public_address_stops_it_before_a_packet() {
    for (hosts, culprit) in [
        (&[(PRIVATE, STS), (PRIVATE, DATAZONE)][..], None),
        (&[(PUBLIC, STS), (PRIVATE, DATAZONE)], Some(STS)),
        (&[(PRIVATE, STS), (PRIVATE, DATAZONE), (PUBLIC, DATAZONE)], Some(DATAZONE)),
    ] {
        let world = World::realistic();
        let Some(namespace) = Namespace::new(hosts) else { return };
        let servers = Servers::start(&namespace, &world, &[PUBLIC, PRIVATE]);
        let arguments = ["--network", "private", "--ca-bundle", &servers.ca_bundle, "--role-arn", ROLE, "--skip", "lineage"];
        let crawled = crawl_source_inside(&namespace, &world, "smus", (&arguments, &[]));
        let Some(culprit) = culprit else {
            let crawled = crawled.expect(3);
            let endpoints = crawled.report["endpoints"].as_array().unwrap();
            let hosts: Vec<_> = endpoints.iter().map(|endpoint| endpoint["host"].as_str().unwrap()).collect();
            assert_eq!(hosts, [STS, DATAZONE]);
            assert!(endpoints.iter().all(|endpoint| endpoint["private"] == true && endpoint["tls"]["protocol"] == "TLSv1.3"));
            continue;
        };
        crawled.expect(1).ended.says(1, &[culprit, PUBLIC, "what to do"]);
        let asked = world.sim().requests().counts;
        let expected = if culprit == STS { vec![] } else { vec!["sts:AssumeRole"] };
        assert_eq!(asked.keys().collect::<Vec<_>>(), expected, "nothing of DataZone was asked");
    }
}

#[test]
fn public_mode_takes_the_public_address_and_says_that_it_is_none_of_the_private_ones() {
    let world = world();
    let Some(namespace) = Namespace::new(&[(PUBLIC, GLUE)]) else { return };
    let servers = Servers::start(&namespace, &world, &[PUBLIC]);
    let crawled = crawl_inside(&namespace, &world, &[], &[("AWS_CA_BUNDLE", &servers.ca_bundle)]).expect(0);
    let endpoint = &crawled.report["endpoints"][0];
    assert_eq!((endpoint["addresses"][0].as_str(), endpoint["private"].as_bool()), (Some(PUBLIC), Some(false)), "{endpoint:#}");
}

#[test]
fn a_listed_range_lets_an_address_into_private_mode() {
    let world = world();
    let Some(namespace) = Namespace::new(&[(PUBLIC, GLUE)]) else { return };
    let servers = Servers::start(&namespace, &world, &[PUBLIC]);
    let arguments = ["--network", "private", "--private-cidr", "203.0.113.0/24", "--ca-bundle", &servers.ca_bundle];
    assert_eq!(crawl_inside(&namespace, &world, &arguments, &[]).expect(0).count("Table"), 5);
}

#[test]
fn a_certificate_that_nobody_vouches_for_is_refused_with_what_to_do() {
    let world = world();
    let Some(namespace) = Namespace::new(&[(PRIVATE, GLUE)]) else { return };
    let servers = Servers::start(&namespace, &world, &[PRIVATE]);
    let failed = crawl_inside(&namespace, &world, &["--network", "private"], &[]).expect(1);
    failed.ended.says(1, &[GLUE, "certificate", "--ca-bundle"]);
    wait_until("the connection was seen", || servers.accepted() > 0);
    assert!(world.sim().requests().counts.is_empty(), "a request was sent before the certificate was checked");
}

#[test]
fn a_name_without_an_address_fails_and_says_which() {
    let world = world();
    let Some(namespace) = Namespace::new(&[]) else { return };
    let failed = crawl_inside(&namespace, &world, &[], &[]).expect(1);
    failed.ended.says(1, &[GLUE, "what to do"]);
}

#[test]
fn private_mode_takes_loopback_only_where_it_is_listed() {
    let world = world();
    let (refused, _) = world.crawl_to_file(&["--network", "private"]);
    refused.expect(1).ended.says(1, &["127.0.0.1", "--private-cidr"]);
    assert!(world.sim().requests().counts.is_empty());
    let (crawled, _) = world.crawl_to_file(&["--network", "private", "--private-cidr", "127.0.0.0/8"]);
    let crawled = crawled.expect(0);
    assert_eq!(crawled.report["endpoints"][0]["private"], true, "{:#}", crawled.report["endpoints"]);
}
