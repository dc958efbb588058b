//! Who may do what in the simulated DataZone, and what a request may hold.

use http::Method;
use serde_json::json;
use sim::{Account, Mutation};

use crate::client::Reply;
use crate::datazone::{DOMAIN, OTHERS, studio};
use crate::start;

fn outcome(reply: &Reply) -> (u16, &str) {
    (reply.status, reply.error_type.as_str())
}

#[tokio::test]
async fn what_belongs_to_other_projects_is_refused_in_datazones_words() {
    let (running, client) = studio().await;
    let base = format!("/v2/domains/{DOMAIN}");
    for (path, operation) in [
        (format!("{base}/projects/{OTHERS}/memberships"), "ListProjectMemberships"),
        (format!("{base}/environments?projectIdentifier={OTHERS}"), "ListEnvironments"),
        (format!("{base}/environments/envfinance0001"), "GetEnvironment"),
        (format!("{base}/assets/asset26ledgerentries"), "GetAsset"),
        (format!("{base}/assets/asset26ledgerentries/filters"), "ListAssetFilters"),
        (format!("{base}/data-products/dpclosing"), "GetDataProduct"),
        (format!("{base}/subscriptions/subscription06"), "GetSubscription"),
        ("/v2/domains/dzd_nowhere/projects".to_owned(), "ListProjects"),
        ("/v2/domains/dzd_nowhere".to_owned(), "GetDomain"),
    ] {
        let reply = client.datazone(Method::GET, &path, None).await;
        assert_eq!(outcome(&reply), (403, "AccessDeniedException"), "{path}");
        assert_eq!(reply.message(), format!("User is not permitted to perform operation: {operation}"));
    }
    assert!(running.requests().refused.is_empty());
    assert_eq!(client.datazone(Method::GET, &format!("{base}/listings/listing26ledgerentries"), None).await.status, 200);
}

#[tokio::test]
async fn writes_and_reads_of_values_are_refused_and_recorded() {
    let (running, client) = studio().await;
    let base = format!("/v2/domains/{DOMAIN}");
    for (method, path) in [
        (Method::POST, format!("{base}/assets")),
        (Method::DELETE, format!("{base}/projects/prjmarketing001")),
        (Method::GET, format!("{base}/environments/envsalestool01/credentials")),
        (Method::GET, format!("{base}/entities/ASSET/a/time-series-data-points?formName=x")),
    ] {
        let reply = client.datazone(method, &path, None).await;
        assert_eq!(outcome(&reply), (403, "AccessDeniedException"), "{path}");
        assert!(reply.message().contains("because no identity-based policy allows"));
    }
    let reply = client.datazone(Method::GET, "/v2/everything", None).await;
    assert_eq!(outcome(&reply), (404, "UnknownOperationException"));
    let requests = running.requests();
    let refused: Vec<&str> = requests.refused.iter().map(|call| call.operation.as_str()).collect();
    assert_eq!(
        refused,
        [
            "datazone:CreateAsset",
            "datazone:DeleteProject",
            "datazone:GetEnvironmentCredentials",
            "datazone:ListTimeSeriesDataPoints",
            "datazone:Unknown"
        ]
    );
    assert_eq!(requests.refused[1].parameters, format!("domainIdentifier={DOMAIN} identifier=prjmarketing001"));
}

#[tokio::test]
async fn session_policies_and_signatures_hold_for_datazone() {
    let (running, user) = start(Account::realistic()).await;
    let policy = r#"{"Statement":[{"Effect":"Allow","Action":"datazone:List*","Resource":"*"}]}"#;
    let mut client = user.assume(&running, &[("Policy", policy)]).await;
    assert_eq!(client.datazone(Method::GET, "/v2/domains", None).await.status, 200);
    let reply = client.datazone(Method::GET, &format!("/v2/domains/{DOMAIN}"), None).await;
    assert_eq!(outcome(&reply), (403, "AccessDeniedException"));
    let expected = format!(
        "datazone:GetDomain on resource: arn:aws:datazone:eu-west-1:111122223333:domain/{DOMAIN} because no session policy"
    );
    assert!(reply.message().contains(&expected), "{}", reply.message());
    running.apply(Mutation::ExpireSessions).expect("applies");
    assert_eq!(outcome(&client.datazone(Method::GET, "/v2/domains", None).await), (403, "ExpiredTokenException"));
    client.keys.secret_access_key.push('x');
    client.keys.session_token = None;
    assert_eq!(client.datazone(Method::GET, "/v2/domains", None).await.error_type, "UnrecognizedClientException");
}

#[tokio::test]
async fn requests_that_the_model_does_not_allow_are_refused() {
    let (_running, client) = studio().await;
    let base = format!("/v2/domains/{DOMAIN}");
    for path in [
        "/v2/domains?maxResults=26".to_owned(),
        "/v2/domains?maxResults=0".to_owned(),
        "/v2/domains?maxresults=5".to_owned(),
        "/v2/domains?status=GONE".to_owned(),
        format!("{base}/projects?maxResults=51"),
        format!("{base}/projects?nextToken=garbage"),
        format!("{base}/domain-units"),
        format!("{base}/environments"),
        format!("{base}/subscriptions?status=PENDING"),
        format!("{base}/assets/externalIdentifier%2Fx"),
    ] {
        assert_eq!(outcome(&client.datazone(Method::GET, &path, None).await), (400, "ValidationException"), "{path}");
    }
    for (noun, body) in [
        ("search", json!({})),
        ("search", json!({"searchScope": "EVERYTHING"})),
        ("search", json!({"searchScope": "ASSET", "maxResults": 100})),
        ("search", json!({"searchScope": "ASSET", "pageSize": 10})),
        ("search", json!({"searchScope": "ASSET", "additionalAttributes": ["ALL"]})),
        (
            "search",
            json!({"searchScope": "ASSET", "filters": {"filter": {"attribute": "colour", "value": "red", "operator": "EQ"}}}),
        ),
        ("search", json!({"searchScope": "ASSET", "filters": {"filter": {"value": "red"}}})),
        ("types-search", json!({"searchScope": "FORM_TYPE"})),
        ("graph/query", json!({"match": []})),
    ] {
        let reply = client.datazone(Method::POST, &format!("{base}/{noun}"), Some(body.clone())).await;
        assert_eq!(outcome(&reply), (400, "ValidationException"), "{noun} {body}");
    }
}

#[tokio::test]
async fn every_canary_is_served_but_those_of_others() {
    let (_running, client) = studio().await;
    let base = format!("/v2/domains/{DOMAIN}");
    let mut served = String::new();
    for scope in ["ASSET", "GLOSSARY_TERM"] {
        let body = json!({"searchScope": scope, "additionalAttributes": ["FORMS"], "maxResults": 50});
        served += &client.datazone(Method::POST, &format!("{base}/search"), Some(body)).await.text();
    }
    let body = json!({"additionalAttributes": ["FORMS"], "maxResults": 50});
    served += &client.datazone(Method::POST, &format!("{base}/listings/search"), Some(body)).await.text();
    for noun in ["", "/projects/prjsalesanalyt1", "/projects", "/data-products/dpcustomer360", "/assets/asset01orders/filters"]
        .into_iter()
        .map(str::to_owned)
        .chain(["envsalestool01", "envsaleslake01"].map(|id| format!("/environments/{id}")))
        .chain(["node02s3", "node03run", "node05run", "node13pg"].map(|id| format!("/lineage/nodes/{id}")))
        .chain(["ev01loadorders", "ev02buildorder", "ev03summarised"].map(|id| format!("/lineage/events/{id}")))
        .chain(["PENDING", "ACCEPTED", "REJECTED"].map(|status| format!("/subscription-requests?status={status}")))
        .chain([11, 12, 13].map(|number| format!("/user-profiles/0a1b2c3d-{number:04}-4000-8000-00000000{number:04}")))
    {
        served += &client.datazone(Method::GET, &format!("{base}{noun}"), None).await.text();
    }
    let planted = Account::canaries().into_iter().filter(|canary| canary.starts_with("CANARY_DZ_"));
    let planted: Vec<String> = planted.chain(Account::datazone_opt_in_canaries()).collect();
    assert!(planted.len() > 60);
    let unserved: Vec<String> = planted.into_iter().filter(|canary| !served.contains(canary)).collect();
    assert_eq!(unserved, ["CANARY_DZ_ENVIRONMENT_OF_OTHERS", "CANARY_DZ_FORM_OF_OTHERS", "CANARY_DZ_REASON_OF_OTHERS"]);
}
