//! What goes wrong in DataZone on demand.

use http::Method;
use serde_json::{Value, json};
use sim::{Account, Fault, FaultKind, Settings, Simulation};

use crate::client::{Client, Reply};
use crate::datazone::{DOMAIN, search, studio};

const SALES: &str = "prjsalesanalyt1";

async fn projects(client: &Client) -> Result<Reply, String> {
    client.try_datazone(Method::GET, &format!("/v2/domains/{DOMAIN}/projects?maxResults=2"), None).await
}

fn assets() -> Value {
    json!({"searchScope": "ASSET", "maxResults": 15})
}

fn ids(items: &[Value]) -> Vec<&str> {
    items.iter().filter_map(|item| item["assetItem"]["identifier"].as_str()).collect()
}

#[tokio::test]
async fn errors_come_with_their_codes_and_statuses() {
    let (running, client) = studio().await;
    let other = FaultKind::Error { code: "ConflictException".to_owned(), status: 409, message: "busy".to_owned() };
    for (kind, status, code, message) in [
        (FaultKind::Throttle, 429, "ThrottlingException", "Rate exceeded"),
        (FaultKind::Internal, 500, "InternalServerException", "Internal server error"),
        (FaultKind::ExpiredToken, 403, "ExpiredTokenException", "The security token included in the request is expired"),
        (FaultKind::DeniedByDataZone, 403, "AccessDeniedException", "User is not permitted to perform operation: ListProjects"),
        (other, 409, "ConflictException", "busy"),
    ] {
        running.set_faults([Fault::new(kind).on("ListProjects").first(1)]);
        let reply = projects(&client).await.expect("an answer");
        assert_eq!((reply.status, reply.error_type.as_str(), reply.message().as_str()), (status, code, message));
        assert_eq!(projects(&client).await.expect("an answer").status, 200);
    }
    assert_eq!(running.requests().errors["datazone:ListProjects ThrottlingException"], 1);
}

#[tokio::test]
async fn denials_fall_on_one_domain_or_one_project() {
    let (running, client) = studio().await;
    running.set_faults([
        Fault::new(FaultKind::DeniedByIam).in_domain("dzd_lab7y6x5w4v3u"),
        Fault::new(FaultKind::DeniedByDataZone).in_project(SALES),
    ]);
    assert_eq!(projects(&client).await.expect("an answer").status, 200);
    let reply = client.datazone(Method::GET, "/v2/domains/dzd_lab7y6x5w4v3u/projects", None).await;
    assert!(reply.message().contains("is not authorized to perform: datazone:ListProjects on resource: arn:aws:datazone:"));
    for noun in [
        format!("projects/{SALES}"),
        format!("projects/{SALES}/memberships"),
        format!("environments?projectIdentifier={SALES}"),
        "assets/asset01orders".to_owned(),
    ] {
        assert_eq!(client.datazone(Method::GET, &format!("/v2/domains/{DOMAIN}/{noun}"), None).await.status, 403, "{noun}");
    }
    let path = format!("/v2/domains/{DOMAIN}/search");
    for (project, status) in [(SALES, 403), ("prjmarketing001", 200)] {
        let body = json!({"searchScope": "ASSET", "owningProjectIdentifier": project});
        assert_eq!(client.datazone(Method::POST, &path, Some(body)).await.status, status);
    }
}

#[tokio::test]
async fn answers_are_cut_garbled_and_reset() {
    let (running, client) = studio().await;
    for kind in [FaultKind::TruncatedBody, FaultKind::ConnectionReset] {
        running.set_faults([Fault::new(kind).on("ListProjects")]);
        assert!(projects(&client).await.is_err());
    }
    running.set_faults([Fault::new(FaultKind::MalformedJson).on("ListProjects")]);
    let reply = projects(&client).await.expect("an answer");
    assert!(reply.status == 200 && serde_json::from_slice::<Value>(&reply.body).is_err());
    running.set_faults([Fault::new(FaultKind::Slow { delay_ms: 150 })]);
    let within = std::time::Duration::from_millis(50);
    assert!(tokio::time::timeout(within, projects(&client)).await.is_err(), "answered within {within:?}");
}

#[tokio::test]
async fn pages_are_emptied_repeated_shifted_and_lose_an_asset() {
    let (running, client) = studio().await;
    let all = search(&client, "search", assets()).await;
    let all = ids(&all);

    running.set_faults([Fault::new(FaultKind::EmptyPage).on("Search").every(2)]);
    assert_eq!(ids(&search(&client, "search", assets()).await), all);
    running.set_faults([Fault::new(FaultKind::RepeatedItem).first(1)]);
    let repeated = search(&client, "search", assets()).await;
    assert_eq!((repeated.len(), ids(&repeated)[14], ids(&repeated)[15]), (41, all[14], all[14]));
    running.set_faults([Fault::new(FaultKind::SkippedItem).first(1)]);
    let skipped = search(&client, "search", assets()).await;
    assert_eq!((skipped.len(), ids(&skipped)[15]), (39, all[16]));
    running.set_faults([Fault::new(FaultKind::RepeatToken)]);
    let mut body = assets();
    let path = format!("/v2/domains/{DOMAIN}/search");
    body["nextToken"] = client.datazone(Method::POST, &path, Some(assets())).await.json()["nextToken"].clone();
    assert_eq!(client.datazone(Method::POST, &path, Some(body.clone())).await.json()["nextToken"], body["nextToken"]);

    running.set_faults([Fault::new(FaultKind::DropAssetAfterFirstPage { asset: None }).first(1)]);
    search(&client, "search", json!({"searchScope": "GLOSSARY"})).await;
    let dropped = search(&client, "search", assets()).await;
    assert_eq!(ids(&dropped), all[..39]);
    let reply = client.datazone(Method::GET, &format!("/v2/domains/{DOMAIN}/assets/{}", all[39]), None).await;
    assert_eq!(reply.status, 404);
}

#[tokio::test]
async fn published_rates_throttle_what_exceeds_them() {
    let mut account = Account::realistic();
    *account.settings_mut() = Settings { published_rates: true, ..Settings::default() };
    let running = Simulation::builder().account(account).start().await.expect("a free port");
    let client = Client::new(&running);
    let mut throttled = 0;
    for _ in 0..30 {
        throttled += usize::from(projects(&client).await.expect("an answer").status == 429);
    }
    assert!((1..=22).contains(&throttled), "{throttled} of 30 throttled at a rate of 8");
    assert_eq!(client.datazone(Method::GET, "/v2/domains", None).await.status, 200);
}
