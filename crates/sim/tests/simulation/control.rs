//! The control channel that tests in other processes use.

use http::Method;
use serde_json::json;
use sim::Account;

use crate::{list, start};

#[tokio::test]
async fn requests_are_counted_and_forgotten() {
    let (_running, client) = start(Account::realistic()).await;
    client.glue("GetDatabases", json!({})).await;
    client.glue("DeleteTable", json!({"DatabaseName": "sales", "Name": "orders"})).await;
    let requests = client.control(Method::GET, "requests", "").await.json();
    assert_eq!(requests["counts"], json!({"glue:GetDatabases": 1, "glue:DeleteTable": 1}));
    assert_eq!(requests["refused"], json!([{"operation": "glue:DeleteTable", "parameters": "DatabaseName=sales Name=orders"}]));
    assert_eq!(requests["calls"].as_array().map(Vec::len), Some(2));
    client.control(Method::DELETE, "requests", "").await;
    assert_eq!(client.control(Method::GET, "requests", "").await.json()["counts"], json!({}));
}

#[tokio::test]
async fn faults_are_set_and_ended_over_http() {
    let (_running, client) = start(Account::realistic()).await;
    let rules = r#"["throttle:operation=GetJobs,first=1", {"kind": "internal", "operation": "GetCrawlers"}]"#;
    assert_eq!(client.control(Method::POST, "faults", rules).await.status, 200);
    assert_eq!(client.glue("GetJobs", json!({})).await.code(), "ThrottlingException");
    assert_eq!(client.glue("GetCrawlers", json!({})).await.code(), "InternalServiceException");
    assert_eq!(client.control(Method::GET, "faults", "").await.json()[0]["matched"], 1);
    client.control(Method::DELETE, "faults", "").await;
    assert_eq!(client.glue("GetCrawlers", json!({})).await.status, 200);
    assert_eq!(client.control(Method::POST, "faults", r#""nonsense""#).await.status, 400);
}

#[tokio::test]
async fn the_account_changes_over_http() {
    let (running, client) = start(Account::realistic()).await;
    let changes = json!([
        {"action": "drop_table", "database": "sales", "table": "stores"},
        {"action": "put_table", "document": {"Name": "aaa_new", "DatabaseName": "sales"}},
        {"action": "rename_column", "database": "sales", "table": "orders", "column": "status", "to": "state"},
        {"action": "hide", "database": "marketing"},
        {"action": "drop", "collection": "job", "name": "nightly-export"},
        {"action": "set_settings", "settings": {"page_items_max": 5}},
    ]);
    let reply = client.control(Method::POST, "account", &changes.to_string()).await;
    assert_eq!((reply.status, reply.json()["applied"].as_u64()), (200, Some(6)), "{}", reply.text());
    let tables = list(&client, "GetTables", "TableList", json!({"DatabaseName": "sales"})).await;
    assert!(tables.len() > 3, "pages of at most 5");
    assert_eq!(tables[0][0], "aaa_new");
    assert!(!tables.concat().contains(&"stores".to_owned()));
    let orders = running.read_account(|account| account.table("sales", "orders")).expect("table");
    assert_eq!(orders["StorageDescriptor"]["Columns"][3]["Name"], "state");
    assert!(!list(&client, "GetDatabases", "DatabaseList", json!({})).await.concat().contains(&"marketing".to_owned()));
    assert!(!list(&client, "ListJobs", "JobNames", json!({})).await.concat().contains(&"nightly-export".to_owned()));
}

#[tokio::test]
async fn changes_to_what_is_not_there_are_reported() {
    let (_running, client) = start(Account::realistic()).await;
    for change in [
        json!({"action": "drop_table", "database": "sales", "table": "nope"}),
        json!({"action": "drop_database", "database": "nope"}),
        json!({"action": "unheard_of"}),
    ] {
        let reply = client.control(Method::POST, "account", &change.to_string()).await;
        assert_eq!(reply.status, 400, "{change}");
        assert!(!reply.json()["error"].as_str().expect("a reason").is_empty());
    }
    let described = client.control(Method::GET, "account", "").await.json();
    assert_eq!((described["id"].as_str(), described["region"].as_str()), (Some("111122223333"), Some("eu-west-1")));
    assert_eq!(client.control(Method::GET, "nothing", "").await.status, 404);
}

#[tokio::test]
async fn a_dropped_simulation_stops_answering() {
    let (running, client) = start(Account::realistic()).await;
    assert_eq!(client.control(Method::GET, "faults", "").await.status, 200);
    let address = running.address();
    drop(running);
    // The socket closes when the runtime next turns to the aborted task.
    for _ in 0..1_000 {
        if tokio::net::TcpStream::connect(address).await.is_err() {
            return;
        }
        tokio::task::yield_now().await;
    }
    panic!("{address} still answers");
}
