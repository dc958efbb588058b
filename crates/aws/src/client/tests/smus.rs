//! The client against a scripted Amazon DataZone: the REST protocol on the wire, and what its answers lead to.

use super::*;
use crate::Environment;

/// Settings whose STS and DataZone are at these addresses, as the environment says it.
fn smus_settings(sts: &Server, datazone: &Server) -> Settings {
    let (sts, datazone) = (format!("http://{}", sts.address), format!("http://{}", datazone.address));
    let mut settings = settings_at("http://127.0.0.1:1");
    settings.environment = Environment::from_lookup(move |name| match name {
        "AWS_ENDPOINT_URL_STS" => Some(sts.clone()),
        "AWS_ENDPOINT_URL_DATAZONE" => Some(datazone.clone()),
        _ => None,
    });
    settings.assume_role = AssumeRole::new(ROLE, "", "isinglass-1").ok();
    settings
}

#[tokio::test]
async fn datazone_is_read_in_rest_with_the_credentials_of_the_role_only() {
    let clock = TestClock::new();
    let sts = Server::start(role_service(clock.clone())).await;
    let datazone = Server::start(|_| Reply::new(200, r#"{"items":[]}"#)).await;
    let reads = [ReadOperation::AssumeRole, ReadOperation::ListProjects, ReadOperation::Search];
    let client = Client::connect_with(smus_settings(&sts, &datazone), &reads, Evidence::new(), clock.surroundings()).await.unwrap();
    client.sign_in().await.unwrap();
    assert_eq!((sts.operations(), datazone.connections()), (vec!["AssumeRole".to_owned()], 0));
    let query = [("nextToken", "a+/="), ("maxResults", "50")];
    client.read(ReadRequest::rest(ReadOperation::ListProjects, &["dzd_1"], &query, None)).await.unwrap();
    let input = serde_json::json!({"searchScope": "ASSET"});
    client.read(ReadRequest::rest(ReadOperation::Search, &["dzd_1"], &[], Some(&input))).await.unwrap();

    let seen = datazone.seen();
    assert_eq!(seen[0].line, "GET /v2/domains/dzd_1/projects?nextToken=a%2B%2F%3D&maxResults=50 HTTP/1.1");
    assert!(seen[0].body.is_empty() && !seen[0].headers.contains_key("content-type"), "{:?}", seen[0]);
    assert_eq!(seen[1].line, "POST /v2/domains/dzd_1/search HTTP/1.1");
    assert_eq!(
        (seen[1].body.as_str(), seen[1].headers["content-type"].as_str()),
        (r#"{"searchScope":"ASSET"}"#, "application/json")
    );
    assert!(seen.iter().all(|seen| seen.key_id() == "ASIASESSION1" && !seen.headers.contains_key("x-amz-target")));
    assert!(sts.seen()[0].body.contains("datazone%3ASearch") && !sts.seen()[0].body.contains("glue"));
    let evidence = client.evidence().snapshot();
    let calls: Vec<_> = evidence.operations.iter().map(|(name, count)| (name.as_str(), *count)).collect();
    assert_eq!(calls, [("datazone:ListProjects", 1), ("datazone:Search", 1), ("sts:AssumeRole", 1)]);
    let services: Vec<_> = evidence.endpoints.iter().map(|endpoint| endpoint.service.as_str()).collect();
    assert_eq!(services, ["sts", "datazone"]);
}

#[tokio::test]
async fn a_datazone_denial_a_throttled_answer_and_a_lineage_event_are_understood() {
    let clock = TestClock::new();
    let sts = Server::start(role_service(clock.clone())).await;
    let throttled = AtomicUsize::new(0);
    let datazone = Server::start(move |seen| match seen.operation() {
        "GetAsset" => Reply::new(403, r#"{"message":"User is not permitted to perform operation: GetAsset"}"#)
            .with_header("x-amzn-ErrorType", "AccessDeniedException"),
        _ if throttled.fetch_add(1, Ordering::SeqCst) == 0 => {
            Reply::new(429, r#"{"message":"Rate exceeded"}"#).with_header("x-amzn-ErrorType", "ThrottlingException")
        }
        _ => Reply::new(200, r#"{"eventType":"COMPLETE"}"#),
    })
    .await;
    let reads = [ReadOperation::GetAsset, ReadOperation::GetLineageEvent];
    let client = Client::connect_with(smus_settings(&sts, &datazone), &reads, Evidence::new(), clock.surroundings()).await.unwrap();
    let denied = client.read(ReadRequest::rest(ReadOperation::GetAsset, &["dzd_1", "a"], &[], None)).await.unwrap_err();
    assert_eq!((denied.kind, denied.code.as_deref()), (ErrorKind::Denied, Some("AccessDeniedException")));
    assert!(denied.suggested_action.contains("member of the project"), "{denied:?}");
    let event = client.read(ReadRequest::rest(ReadOperation::GetLineageEvent, &["dzd_1", "e"], &[], None)).await.unwrap();
    assert_eq!(event, r#"{"eventType":"COMPLETE"}"#);
    assert_eq!(datazone.operations(), ["GetAsset", "GetLineageEvent", "GetLineageEvent"]);
}

#[tokio::test]
async fn a_datazone_path_that_climbs_out_of_its_place_is_refused_without_a_packet() {
    let clock = TestClock::new();
    let sts = Server::start(role_service(clock.clone())).await;
    let datazone = Server::start(|_| Reply::new(200, "{}")).await;
    let reads = [ReadOperation::GetDomain, ReadOperation::GetAsset];
    let client = Client::connect_with(smus_settings(&sts, &datazone), &reads, Evidence::new(), clock.surroundings()).await.unwrap();
    let mut secret = ReadRequest::rest(ReadOperation::GetAsset, &["dzd_1", "a"], &[], None);
    secret.path = "/v2/domains/dzd_1/connections/c?withSecret=true".to_owned();
    let parent = ReadRequest::rest(ReadOperation::GetDomain, &[".."], &[], None);
    let outside = ReadRequest::rest(ReadOperation::ListDomains, &[], &[], None);
    for request in [secret, parent, outside] {
        assert_eq!(client.read(request).await.unwrap_err().kind, ErrorKind::Refused);
    }
    let refused = client.evidence().snapshot().refused_operations;
    assert_eq!(refused, ["datazone:GET /v2/domains/dzd_1/connections/c", "datazone:GetDomain", "datazone:ListDomains"]);
    assert_eq!(sts.connections() + datazone.connections(), 0);
}
