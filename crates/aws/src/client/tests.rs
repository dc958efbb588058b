//! The client against a scripted service: what it sends, in which order, and what it does about each failure.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::*;
use crate::network::policy::{NetworkMode, NetworkPolicy};
use crate::settings::AssumeRole;
use crate::testing::{Authority, Bundle, Names, Reply, Seen, Server, TestClock, settings_at};

mod smus;

const READS: &[ReadOperation] = &[ReadOperation::GetDatabases, ReadOperation::GetTables];
const ROLE: &str = "arn:aws:iam::111122223333:role/read-only";
const DATABASES: &str = r#"{"DatabaseList":[]}"#;

struct Fixture {
    server: Server,
    client: Client,
    clock: TestClock,
}

impl Fixture {
    /// A client with plain keys, or with a role if an external id is given.
    async fn new(external_id: Option<&str>, handler: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> Self {
        Self::with_clock(TestClock::new(), external_id, handler).await
    }

    async fn with_clock(
        clock: TestClock,
        external_id: Option<&str>,
        handler: impl Fn(&Seen) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let server = Server::start(handler).await;
        let mut settings = settings_at(&format!("http://{}", server.address));
        settings.assume_role = external_id.map(|id| AssumeRole::new(ROLE, id, "isinglass-1").unwrap());
        let client = Client::connect_with(settings, READS, Evidence::new(), clock.surroundings()).await.unwrap();
        Self { server, client, clock }
    }

    async fn databases(&self) -> Result<Bytes, ApiError> {
        self.client.read(request(ReadOperation::GetDatabases)).await
    }
}

fn request(operation: ReadOperation) -> ReadRequest {
    ReadRequest::json(operation, &serde_json::json!({ "CatalogId": "111122223333" }))
}

/// A handler that gives these replies in turn and then the last one for ever.
fn in_turn(replies: Vec<Reply>) -> impl Fn(&Seen) -> Reply + Send + Sync {
    let next = AtomicUsize::new(0);
    move |_| replies[next.fetch_add(1, Ordering::SeqCst).min(replies.len() - 1)].clone()
}

/// A service that assumes roles with the expiry of one hour and answers every read.
fn role_service(clock: TestClock) -> impl Fn(&Seen) -> Reply + Send + Sync {
    let sessions = AtomicUsize::new(0);
    move |seen| match seen.operation() {
        "AssumeRole" => {
            let number = sessions.fetch_add(1, Ordering::SeqCst) + 1;
            Reply::session(&format!("ASIASESSION{number}"), clock.now() + Duration::from_secs(3600))
        }
        _ => Reply::new(200, DATABASES),
    }
}

#[tokio::test]
async fn a_secret_is_read_by_a_client_that_was_made_for_it_and_by_no_other() {
    let server = Server::start(|_| Reply::new(200, r#"{"Name":"team/aws"}"#)).await;
    let settings = settings_at(&format!("http://{}", server.address));
    let read = || ReadRequest::json(ReadOperation::GetSecretValue, &serde_json::json!({ "SecretId": "team/aws" }));
    let of_a_runtime = Client::connect(settings.clone(), &[ReadOperation::GetSecretValue], Evidence::new()).await.unwrap();
    assert_eq!(of_a_runtime.read(read()).await.unwrap(), r#"{"Name":"team/aws"}"#);
    let seen = server.seen().remove(0);
    assert_eq!((seen.line.as_str(), seen.body.as_str()), ("POST / HTTP/1.1", r#"{"SecretId":"team/aws"}"#));
    assert_eq!(seen.headers["x-amz-target"], "secretsmanager.GetSecretValue");
    assert_eq!(seen.headers["content-type"], "application/x-amz-json-1.1");
    assert!(seen.headers["authorization"].contains("/eu-west-1/secretsmanager/aws4_request"));

    let of_a_crawl = Client::connect(settings, READS, Evidence::new()).await.unwrap();
    assert_eq!(of_a_crawl.read(read()).await.unwrap_err().kind, ErrorKind::Refused);
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn plain_keys_sign_reads_and_send_nothing_to_sts() {
    let fixture = Fixture::new(None, |_| Reply::new(200, DATABASES)).await;
    let sign_in = fixture.client.sign_in().await.unwrap();
    assert_eq!(fixture.databases().await.unwrap(), DATABASES);
    assert_eq!((sign_in.scope, sign_in.account), (SessionScope::Keys, None));
    let seen = fixture.server.seen().remove(0);
    assert_eq!((seen.operation(), seen.key_id(), seen.line.as_str()), ("GetDatabases", "AKIABASE000000000000", "POST / HTTP/1.1"));
    assert_eq!(seen.body, r#"{"CatalogId":"111122223333"}"#);
    assert_eq!(seen.headers["user-agent"], concat!("isinglass/", env!("CARGO_PKG_VERSION")));
    let evidence = fixture.client.evidence().snapshot();
    assert_eq!(evidence.operations.into_iter().collect::<Vec<_>>(), [("glue:GetDatabases".to_owned(), 1)]);
    let endpoint = &evidence.endpoints[0];
    assert_eq!((endpoint.service.as_str(), endpoint.host.as_str(), endpoint.connections), ("glue", "127.0.0.1", 1));
    assert_eq!(endpoint.addresses, ["127.0.0.1"]);
    assert!(endpoint.bytes_sent > 300 && endpoint.bytes_received > 19 && endpoint.tls.is_none());
}

#[tokio::test]
async fn a_role_is_assumed_first_with_external_id_and_session_policy() {
    let clock = TestClock::new();
    let fixture = Fixture::with_clock(clock.clone(), Some("ext-7"), role_service(clock)).await;
    let sign_in = fixture.client.sign_in().await.unwrap();
    fixture.databases().await.unwrap();
    assert_eq!(sign_in.account.as_deref(), Some("111122223333"));
    assert_eq!(sign_in.scope, SessionScope::ReadActions);
    let seen = fixture.server.seen();
    assert_eq!(fixture.server.operations(), ["AssumeRole", "GetDatabases"]);
    assert_eq!((seen[0].key_id(), seen[1].key_id()), ("AKIABASE000000000000", "ASIASESSION1"));
    assert!(seen[0].body.contains("&ExternalId=ext-7&Policy=%7B%22Version") && seen[0].body.contains("glue%3AGetTables"));
    assert_eq!(seen[1].headers["x-amz-security-token"], "token");
    let services: Vec<_> = fixture.client.evidence().snapshot().endpoints.into_iter().map(|endpoint| endpoint.service).collect();
    assert_eq!(services, ["sts", "glue"]);
}

#[tokio::test]
async fn a_refused_session_policy_is_left_out_with_a_warning() {
    for code in ["MalformedPolicyDocument", "PackedPolicyTooLarge"] {
        let clock = TestClock::new();
        let service = role_service(clock.clone());
        let fixture = Fixture::with_clock(clock, Some(""), move |seen| {
            if seen.body.contains("&Policy=") { Reply::sts_error(400, code) } else { service(seen) }
        })
        .await;
        assert_eq!(fixture.client.sign_in().await.unwrap().scope, SessionScope::WholeRole);
        assert_eq!(fixture.server.operations(), ["AssumeRole", "AssumeRole"]);
        let warnings = fixture.client.evidence().snapshot().warnings;
        assert_eq!(warnings.len(), 1);
        assert!(warnings[0].code == "session-policy-omitted" && warnings[0].message.contains(code), "{warnings:?}");
    }
}

#[tokio::test]
async fn a_role_that_denies_says_trust_policy_and_external_id() {
    let fixture = Fixture::new(Some("ext-7"), |_| Reply::sts_error(403, "AccessDenied")).await;
    let error = fixture.client.sign_in().await.unwrap_err();
    assert_eq!((error.operation, error.kind), (ReadOperation::AssumeRole, ErrorKind::Credentials));
    assert!(error.suggested_action.contains("trust policy") && error.suggested_action.contains("external id"), "{error:?}");
    assert_eq!(fixture.server.operations(), ["AssumeRole"]);
}

#[tokio::test]
async fn a_session_is_renewed_before_it_expires() {
    let clock = TestClock::new();
    let fixture = Fixture::with_clock(clock.clone(), Some(""), role_service(clock)).await;
    fixture.databases().await.unwrap();
    fixture.clock.pass(3600 - 301);
    fixture.databases().await.unwrap();
    fixture.clock.pass(2);
    fixture.databases().await.unwrap();
    assert_eq!(fixture.server.operations(), ["AssumeRole", "GetDatabases", "GetDatabases", "AssumeRole", "GetDatabases"]);
    assert_eq!(fixture.server.seen()[4].key_id(), "ASIASESSION2");
}

#[tokio::test]
async fn an_expired_session_is_renewed_once_and_the_read_sent_again() {
    let clock = TestClock::new();
    let service = role_service(clock.clone());
    let fixture = Fixture::with_clock(clock, Some(""), move |seen| match seen.key_id() {
        "ASIASESSION1" => Reply::error(400, "ExpiredTokenException"),
        _ => service(seen),
    })
    .await;
    fixture.databases().await.unwrap();
    assert_eq!(fixture.server.operations(), ["AssumeRole", "GetDatabases", "AssumeRole", "GetDatabases"]);
}

#[tokio::test]
async fn a_session_that_stays_expired_fails_after_one_renewal() {
    let clock = TestClock::new();
    let service = role_service(clock.clone());
    let fixture = Fixture::with_clock(clock, Some(""), move |seen| match seen.operation() {
        "AssumeRole" => service(seen),
        _ => Reply::error(400, "ExpiredTokenException"),
    })
    .await;
    let error = fixture.databases().await.unwrap_err();
    assert_eq!((error.kind, error.code.as_deref()), (ErrorKind::Credentials, Some("ExpiredTokenException")));
    assert_eq!(fixture.server.operations().len(), 4);
}

#[tokio::test]
async fn keys_that_cannot_be_renewed_are_not_tried_again() {
    let fixture = Fixture::new(None, |_| Reply::error(400, "UnrecognizedClientException")).await;
    assert_eq!(fixture.databases().await.unwrap_err().kind, ErrorKind::Credentials);
    assert_eq!(fixture.server.operations(), ["GetDatabases"]);
}

#[tokio::test]
async fn broken_answers_are_read_again() {
    let html = "<html>captive portal</html>";
    for broken in [Reply::new(200, DATABASES).cut(), Reply::new(200, html), Reply::new(200, ""), Reply::new(500, html)] {
        let fixture = Fixture::new(None, in_turn(vec![broken, Reply::new(200, DATABASES)])).await;
        assert_eq!(fixture.databases().await.unwrap(), DATABASES);
        assert_eq!(fixture.client.evidence().snapshot().operations["glue:GetDatabases"], 2);
    }
}

#[tokio::test]
async fn an_answer_that_stays_broken_is_given_up_after_three_attempts() {
    let fixture = Fixture::new(None, |_| Reply::new(200, DATABASES).cut()).await;
    let error = fixture.databases().await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Malformed);
    assert!(error.message.contains("after 3 attempts"), "{error}");
    assert_eq!(fixture.server.operations().len(), 3);
}

#[tokio::test]
async fn a_throttled_read_succeeds_in_the_end() {
    let slow_down = Reply::error(400, "ThrottlingException");
    let fixture = Fixture::new(None, in_turn(vec![slow_down.clone(), slow_down, Reply::new(200, DATABASES)])).await;
    assert_eq!(fixture.databases().await.unwrap(), DATABASES);
}

#[tokio::test]
async fn a_denied_read_is_not_sent_again() {
    let fixture = Fixture::new(None, |_| Reply::error(400, "AccessDeniedException")).await;
    let error = fixture.databases().await.unwrap_err();
    assert_eq!((error.kind, error.message.as_str()), (ErrorKind::Denied, "AccessDeniedException: because"));
    assert_eq!(fixture.server.operations().len(), 1);
}

#[tokio::test]
async fn a_wrong_clock_is_corrected_once_by_the_services_time() {
    let date = Mutex::new(Vec::new());
    let fixture = Fixture::new(None, move |seen| {
        let mut dates = date.lock().unwrap();
        dates.push(seen.headers["x-amz-date"].clone());
        let skewed = Reply::error(403, "RequestTimeTooSkewed").with_header("date", "Tue, 14 Nov 2023 23:13:20 GMT");
        if seen.headers["x-amz-date"] == "20231114T231320Z" { Reply::new(200, DATABASES) } else { skewed }
    })
    .await;
    fixture.databases().await.unwrap();
    fixture.databases().await.unwrap();
    assert_eq!(fixture.server.operations().len(), 3);
    assert_eq!(fixture.client.evidence().snapshot().warnings[0].code, "clock-skew");
}

#[tokio::test]
async fn what_is_not_among_the_reads_of_the_run_is_refused_and_recorded_without_a_packet() {
    let fixture = Fixture::new(None, |_| Reply::new(200, DATABASES)).await;
    for operation in [ReadOperation::GetJobs, ReadOperation::AssumeRole] {
        assert_eq!(fixture.client.read(request(operation)).await.unwrap_err().kind, ErrorKind::Refused);
    }
    let mut elsewhere = request(ReadOperation::GetTables);
    elsewhere.path = "/other".to_owned();
    assert_eq!(fixture.client.read(elsewhere).await.unwrap_err().kind, ErrorKind::Refused);
    let evidence = fixture.client.evidence().snapshot();
    assert_eq!(evidence.refused_operations, ["glue:GetJobs", "sts:AssumeRole", "glue:GetTables"]);
    assert!(evidence.operations.is_empty() && fixture.server.connections() == 0);
}

#[tokio::test]
async fn the_caller_is_asked_for_at_sts() {
    let identity = "<R><GetCallerIdentityResult><Arn>arn:aws:iam::111122223333:user/u</Arn><Account>111122223333</Account>\
                    </GetCallerIdentityResult></R>";
    let fixture = Fixture::new(None, move |_| Reply::new(200, identity)).await;
    let caller = fixture.client.caller_identity().await.unwrap();
    assert_eq!((caller.account.as_str(), caller.arn.as_str()), ("111122223333", "arn:aws:iam::111122223333:user/u"));
}

#[tokio::test]
async fn a_closed_port_is_a_network_fault_that_was_not_sent() {
    let fixture = Fixture::new(None, |_| Reply::new(200, DATABASES)).await;
    let free = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let settings = settings_at(&format!("http://{free}"));
    let client = Client::connect_with(settings, READS, Evidence::new(), fixture.clock.surroundings()).await.unwrap();
    let error = client.read(request(ReadOperation::GetTables)).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unavailable);
    assert!(error.message.contains("after 4 attempts") && error.message.contains("127.0.0.1"), "{error}");
    assert!(client.evidence().snapshot().operations.is_empty());
}

#[tokio::test]
async fn a_service_that_cannot_be_reached_after_sign_in_is_not_blamed_on_the_credentials() {
    let clock = TestClock::new();
    let sts = Server::start(role_service(clock.clone())).await;
    let closed = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let mut settings = settings_at(&format!("http://{}", sts.address));
    settings.environment.service_endpoint_urls = vec![(AwsService::Glue, format!("http://{closed}"))];
    settings.assume_role = AssumeRole::new(ROLE, "", "isinglass-1").ok();
    let client = Client::connect_with(settings, READS, Evidence::new(), clock.surroundings()).await.unwrap();
    let error = client.read(request(ReadOperation::GetTables)).await.unwrap_err();
    assert!(error.suggested_action.contains("sign-in worked") && error.suggested_action.contains("security group"), "{error:?}");
    assert!(error.suggested_action.contains("AWS Glue endpoint"), "{error:?}");
}

#[tokio::test]
async fn in_private_mode_sign_in_and_reads_stay_on_listed_addresses_and_tls_is_verified() {
    let clock = TestClock::new();
    let authority = Authority::new("mine");
    let server = Server::start_tls(authority.server("aws.test"), role_service(clock.clone())).await;
    let bundle = Bundle::new(&authority.pem());
    let mut settings = settings_at(&format!("https://aws.test:{}", server.address.port()));
    settings.network = NetworkPolicy { mode: NetworkMode::Private, private_cidrs: vec!["127.0.0.0/8".parse().unwrap()] };
    settings.ca_bundle = Some(bundle.0.clone());
    settings.assume_role = AssumeRole::new(ROLE, "", "isinglass-1").ok();
    let surroundings = Surroundings { resolver: Names::new(&[&["127.0.0.1"]]), ..clock.surroundings() };
    let client = Client::connect_with(settings, READS, Evidence::new(), surroundings).await.unwrap();
    client.sign_in().await.unwrap();
    client.read(request(ReadOperation::GetTables)).await.unwrap();
    let endpoints = client.evidence().snapshot().endpoints;
    assert_eq!(endpoints.iter().map(|endpoint| endpoint.service.as_str()).collect::<Vec<_>>(), ["sts", "glue"]);
    assert!(
        endpoints.iter().all(|endpoint| endpoint.private && endpoint.tls.is_some() && endpoint.host == "aws.test"),
        "{endpoints:?}"
    );
}

#[tokio::test]
async fn in_private_mode_a_public_answer_fails_the_sign_in_and_names_service_host_and_address() {
    let mut settings = settings_at("https://sts.test");
    settings.network.mode = NetworkMode::Private;
    settings.assume_role = AssumeRole::new(ROLE, "", "isinglass-1").ok();
    let surroundings = Surroundings { resolver: Names::new(&[&["10.0.0.1", "8.8.8.8"]]), ..TestClock::new().surroundings() };
    let client = Client::connect_with(settings, READS, Evidence::new(), surroundings).await.unwrap();
    let error = client.sign_in().await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Refused);
    for part in ["sts", "sts.test", "8.8.8.8"] {
        assert!(error.message.contains(part), "{error}");
    }
    let evidence = client.evidence().snapshot();
    assert!(evidence.operations.is_empty() && evidence.endpoints.is_empty());
}

#[tokio::test]
async fn many_reads_at_once_share_connections_and_one_sign_in() {
    let clock = TestClock::new();
    let fixture = Fixture::with_clock(clock.clone(), Some(""), role_service(clock)).await;
    let reads: Vec<_> = (0..64)
        .map(|_| {
            let client = fixture.client.clone();
            tokio::spawn(async move { client.read(request(ReadOperation::GetTables)).await })
        })
        .collect();
    for read in reads {
        assert_eq!(read.await.unwrap().unwrap(), DATABASES);
    }
    let operations = fixture.client.evidence().snapshot().operations;
    assert_eq!((operations["sts:AssumeRole"], operations["glue:GetTables"]), (1, 64));
    assert!(fixture.server.connections() <= 17, "{} connections", fixture.server.connections());
}

#[tokio::test]
async fn a_large_answer_arrives_whole() {
    let body = format!(r#"{{"TableList":["{}"]}}"#, "x".repeat(3_000_000));
    let expected = body.clone();
    let fixture = Fixture::new(None, move |_| Reply::new(200, body.clone())).await;
    assert_eq!(fixture.databases().await.unwrap(), expected);
}
