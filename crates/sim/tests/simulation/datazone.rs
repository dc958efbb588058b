//! What the simulated DataZone holds and how its reads answer.

use std::collections::BTreeSet;

use http::Method;
use serde_json::{Value, json};
use sim::{Account, Running};

use crate::client::Client;
use crate::start;

pub(crate) const DOMAIN: &str = "dzd_4kq8zr2m1x7n9a";
pub(crate) const OTHERS: &str = "prjfinance00001";

/// A simulation of the demonstration account, and a client with the role's session, as crawls have.
pub(crate) async fn studio() -> (Running, Client) {
    let (running, client) = start(Account::realistic()).await;
    let session = client.assume(&running, &[]).await;
    (running, session)
}

pub(crate) async fn get(client: &Client, path: &str) -> Value {
    let reply = client.datazone(Method::GET, path, None).await;
    assert_eq!(reply.status, 200, "{path}: {}", reply.text());
    reply.json()
}

/// All pages of a `Search…` as one list of items; panics where it does not end.
pub(crate) async fn search(client: &Client, noun: &str, body: Value) -> Vec<Value> {
    let mut body = body;
    let mut items = Vec::new();
    for _ in 0..5_000 {
        let reply = client.datazone(Method::POST, &format!("/v2/domains/{DOMAIN}/{noun}"), Some(body.clone())).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        let mut page = reply.json();
        items.append(page["items"].as_array_mut().expect("items"));
        match page.get("nextToken") {
            Some(token) => body["nextToken"] = token.clone(),
            None => return items,
        }
    }
    panic!("{noun} does not end");
}

fn texts(items: &[Value], pointer: &str) -> BTreeSet<String> {
    items.iter().filter_map(|item| Some(item.pointer(pointer)?.as_str()?.to_owned())).collect()
}

#[tokio::test]
async fn domains_units_and_projects_are_walked_from_the_top() {
    let (running, client) = studio().await;
    let domains = get(&client, "/v2/domains?maxResults=25").await;
    let versions: Vec<&str> =
        domains["items"].as_array().expect("items").iter().filter_map(|d| d["domainVersion"].as_str()).collect();
    assert_eq!(versions, ["V1", "V2", "V2"]);
    let domain = get(&client, &format!("/v2/domains/{DOMAIN}")).await;
    let root = domain["rootDomainUnitId"].as_str().expect("root");
    let units = get(&client, &format!("/v2/domains/{DOMAIN}/domain-units?parentDomainUnitIdentifier={root}")).await;
    assert_eq!(units["items"][0], json!({"id": "unit1commerce", "name": "Commerce"}));
    let projects = get(&client, &format!("/v2/domains/{DOMAIN}/projects")).await;
    let projects = projects["items"].as_array().expect("items");
    assert_eq!(projects.len(), 5);
    assert!(projects.iter().any(|project| project["projectStatus"] == "DELETE_FAILED"));
    assert!(projects[0]["createdAt"].is_string() && projects[0].get("$members").is_none());
    assert_eq!(running.requests().calls[1].parameters, "maxResults=25");
    let profile = get(
        &client,
        &format!("/v2/domains/{DOMAIN}/user-profiles/arn%3Aaws%3Aiam%3A%3A111122223333%3Arole%2Fisinglass-reader?type=IAM"),
    )
    .await;
    let members = get(&client, &format!("/v2/domains/{DOMAIN}/projects/prjsalesanalyt1/memberships")).await;
    assert!(members["members"].as_array().expect("members").iter().any(|m| m["memberDetails"]["user"]["userId"] == profile["id"]));
    let environment = get(&client, &format!("/v2/domains/{DOMAIN}/environments/envsalestool01")).await;
    assert_eq!(environment["provisionedResources"][0]["name"], "userRoleArn");
}

#[tokio::test]
async fn the_inventory_hides_others_projects_and_the_listings_do_not() {
    let (_running, client) = studio().await;
    let assets =
        search(&client, "search", json!({"searchScope": "ASSET", "maxResults": 7, "additionalAttributes": ["FORMS"]})).await;
    let listings = search(&client, "listings/search", json!({"maxResults": 9, "additionalAttributes": ["FORMS"]})).await;
    assert_eq!((assets.len(), listings.len()), (40, 41));
    assert!(!texts(&assets, "/assetItem/owningProjectId").contains(OTHERS));
    assert!(texts(&listings, "/assetListing/owningProjectId").contains(OTHERS));
    let published = texts(&listings, "/assetListing/entityId");
    let unpublished = assets.iter().filter(|asset| !published.contains(asset["assetItem"]["identifier"].as_str().expect("id")));
    assert_eq!(unpublished.count(), 4);
    let orders = &assets[0]["assetItem"];
    assert!(orders.get("revision").is_none() && orders["additionalAttributes"]["latestTimeSeriesDataPointFormsOutput"].is_array());
    let form: Value =
        serde_json::from_str(orders["additionalAttributes"]["formsOutput"][0]["content"].as_str().expect("text")).expect("JSON");
    assert_eq!(form["tableArn"], "arn:aws:glue:eu-west-1:111122223333:table/sales/orders");
    assert_eq!(form["columns"].as_array().map(Vec::len), Some(14));
    let listed = &listings[0]["assetListing"];
    assert_eq!((&listed["entityRevision"], &listed["name"]), (&json!("5"), &json!("Orders (as published)")));
    let listed = search(&client, "listings/search", json!({})).await;
    assert!(listed[1]["assetListing"].get("additionalAttributes").is_none());
}

#[tokio::test]
async fn tables_of_the_glue_fixtures_are_what_assets_point_at() {
    let (running, client) = studio().await;
    let assets = search(&client, "search", json!({"searchScope": "ASSET", "additionalAttributes": ["FORMS"]})).await;
    let forms =
        assets.iter().flat_map(|asset| asset["assetItem"]["additionalAttributes"]["formsOutput"].as_array().expect("forms"));
    let contents = forms.filter_map(|form| serde_json::from_str::<Value>(form["content"].as_str()?).ok());
    let tables = contents.filter(|form| form.get("tableName").is_some() && form.get("schemaName").is_none());
    let known = tables.filter(|form| {
        let (database, table) = (form["databaseName"].as_str(), form["tableName"].as_str().expect("table"));
        database.is_none_or(|database| running.read_account(|account| account.table(database, table)).is_some())
    });
    assert!(known.count() >= 30);
}

#[tokio::test]
async fn searches_count_filter_and_sort() {
    let (_running, client) = studio().await;
    let path = format!("/v2/domains/{DOMAIN}/search");
    let eq = |attribute: &str, value: &str| json!({"filter": {"attribute": attribute, "value": value, "operator": "EQ"}});
    for (body, expected) in [
        (json!({"searchScope": "ASSET"}), 40),
        (json!({"searchScope": "ASSET", "owningProjectIdentifier": "prjmarketing001"}), 10),
        (json!({"searchScope": "ASSET", "owningProjectIdentifier": OTHERS}), 0),
        (json!({"searchScope": "ASSET", "filters": eq("owningProjectId", "prjmarketing001")}), 10),
        (
            json!({"searchScope": "ASSET", "filters": {"or": [eq("owningProjectId", "prjlegacy000001"), eq("typeIdentifier", "DashboardAssetType")]}}),
            2,
        ),
        (
            json!({"searchScope": "ASSET", "filters": {"and": [eq("owningProjectId", "prjlegacy000001"), eq("typeIdentifier", "DashboardAssetType")]}}),
            0,
        ),
        (json!({"searchScope": "ASSET", "filters": {"filter": {"attribute": "creationTime", "intValue": 1, "operator": "LT"}}}), 0),
        (
            json!({"searchScope": "ASSET", "filters": {"filter": {"attribute": "creationTime", "intValue": 1, "operator": "GE"}}}),
            40,
        ),
        (json!({"searchScope": "GLOSSARY"}), 3),
        (json!({"searchScope": "GLOSSARY_TERM"}), 20),
        (json!({"searchScope": "DATA_PRODUCT"}), 1),
    ] {
        let reply = client.datazone(Method::POST, &path, Some(body.clone())).await.json();
        assert_eq!(reply["totalMatchCount"], expected, "{body}");
    }
    let sorted = search(
        &client,
        "search",
        json!({"searchScope": "ASSET", "maxResults": 6, "sort": {"attribute": "name", "order": "DESCENDING"}}),
    )
    .await;
    let names: Vec<&str> = sorted.iter().filter_map(|item| item["assetItem"]["name"].as_str()).collect();
    assert!(names.len() == 40 && names.is_sorted_by(|a, b| a >= b));
    let types = search(&client, "types-search", json!({"searchScope": "FORM_TYPE", "managed": false})).await;
    assert_eq!(types.len(), 3);
    assert!(types[0]["formTypeItem"]["model"]["smithy"].as_str().expect("model").contains("ownerName"));
}

#[tokio::test]
async fn subscriptions_are_listed_by_status_and_only_where_a_project_is_involved() {
    let (_running, client) = studio().await;
    let ids = |page: Value| -> Vec<String> { texts(page["items"].as_array().expect("items"), "/id").into_iter().collect() };
    let base = format!("/v2/domains/{DOMAIN}");
    assert_eq!(ids(get(&client, &format!("{base}/subscriptions")).await), ["subscription01", "subscription02", "subscription05"]);
    assert_eq!(ids(get(&client, &format!("{base}/subscriptions?status=REVOKED")).await), ["subscription03"]);
    assert_eq!(ids(get(&client, &format!("{base}/subscriptions?subscribedListingId=listing01orders")).await), ["subscription01"]);
    assert_eq!(ids(get(&client, &format!("{base}/subscription-requests")).await), ["request04clicks", "request07raw"]);
    let one = get(&client, &format!("{base}/subscriptions/subscription01")).await;
    assert_eq!(one["subscribedListing"]["item"]["assetListing"]["assetScope"]["filterIds"], json!(["filter01orders"]));
    let filters = get(&client, &format!("{base}/assets/asset01orders/filters?status=VALID")).await;
    assert_eq!(filters["items"][0]["effectiveColumnNames"].as_array().map(Vec::len), Some(3));
}

#[tokio::test]
async fn lineage_is_walked_by_graph_node_and_event() {
    let (_running, client) = studio().await;
    let source = "arn:aws:glue:eu-west-1:111122223333:table/sales/orders";
    let graph = |direction: &str, length: u32| {
        json!({"match": [{"relationPattern": {"relationType": "LINEAGE", "relationDirection": direction, "maxPathLength": length}},
            {"entityPattern": {"entityType": "LINEAGE_NODE", "identifier": source}}]})
    };
    let path = format!("/v2/domains/{DOMAIN}/graph/query?maxResults=3");
    let mut items = Vec::new();
    let mut token = String::new();
    loop {
        let page = client.datazone(Method::POST, &format!("{path}{token}"), Some(graph("IN", 5))).await.json();
        items.extend(page["items"].as_array().expect("items").clone());
        let Some(next) = page["nextToken"].as_str() else { break };
        token = format!("&nextToken={}", next.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D"));
    }
    assert_eq!(texts(&items, "/lineageNode/id").len(), items.len());
    assert_eq!(items.len(), 10, "everything upstream, and through the circle");
    let node =
        get(&client, &format!("/v2/domains/{DOMAIN}/lineage/nodes/{}", source.replace(':', "%3A").replace('/', "%2F"))).await;
    assert_eq!((&node["id"], &node["upstreamNodes"][0]["id"]), (&json!("node06orders"), &json!("node05run")));
    let events = get(&client, &format!("/v2/domains/{DOMAIN}/lineage/events?processingStatus=SUCCESS")).await;
    assert_eq!(events["items"].as_array().map(Vec::len), Some(2));
    assert!(events["items"][0].get("$payload").is_none());
    let newest = get(&client, &format!("/v2/domains/{DOMAIN}/lineage/events?sortOrder=DESCENDING&maxResults=1")).await;
    assert_eq!(newest["items"][0]["id"], "ev03summarised");
    let later = get(&client, &format!("/v2/domains/{DOMAIN}/lineage/events?timestampAfter=2090-01-01T00%3A00%3A00Z")).await;
    assert_eq!(later["items"], json!([]));
    let reply = client.datazone(Method::GET, &format!("/v2/domains/{DOMAIN}/lineage/events/ev02buildorder"), None).await;
    assert_eq!(reply.headers["id"], "ev02buildorder");
    assert!(reply.headers["event-time"].to_str().expect("text").ends_with(" GMT"));
    assert_eq!(reply.json()["outputs"][0]["facets"]["columnLineage"]["fields"].as_object().map(serde_json::Map::len), Some(2));
}

#[tokio::test]
async fn listings_and_products_are_got_one_by_one() {
    let (_running, client) = studio().await;
    let asset = get(&client, &format!("/v2/domains/{DOMAIN}/assets/asset01orders")).await;
    assert_eq!(asset["listing"], json!({"listingId": "listing01orders", "listingStatus": "ACTIVE"}));
    assert_eq!(asset["revision"], "7");
    let listing = get(&client, &format!("/v2/domains/{DOMAIN}/listings/listing01orders")).await;
    assert_eq!((&listing["status"], &listing["item"]["assetListing"]["assetRevision"]), (&json!("ACTIVE"), &json!("5")));
    let product = get(&client, &format!("/v2/domains/{DOMAIN}/data-products/dpcustomer360")).await;
    assert_eq!(product["items"].as_array().map(Vec::len), Some(3));
    assert_eq!(
        client.datazone(Method::GET, &format!("/v2/domains/{DOMAIN}/assets/nope"), None).await.error_type,
        "ResourceNotFoundException"
    );
}
