//! Each fault over the wire, once where it must strike and once where it must not.

use serde_json::json;
use sim::{Account, Fault, FaultKind};

use crate::client::Client;
use crate::{list, names, start};

const DATABASE: &str = "warehouse_00000";

async fn tables(client: &Client) -> Result<crate::client::Reply, String> {
    client.try_glue("GetTables", json!({"DatabaseName": DATABASE, "MaxResults": 10})).await
}

#[tokio::test]
async fn error_faults_strike_their_operation_as_often_as_told() {
    let (running, client) = start(Account::bulk(1, 20, 2)).await;
    let other = FaultKind::Error { code: "OperationTimeoutException".to_owned(), status: 400, message: "late".to_owned() };
    for (kind, status, code) in [
        (FaultKind::Throttle, 400, "ThrottlingException"),
        (FaultKind::Internal, 500, "InternalServiceException"),
        (FaultKind::DeniedByIam, 400, "AccessDeniedException"),
        (FaultKind::DeniedByLakeFormation, 400, "AccessDeniedException"),
        (FaultKind::ExpiredToken, 400, "ExpiredTokenException"),
        (other, 400, "OperationTimeoutException"),
    ] {
        running.set_faults([Fault::new(kind).on("GetTables").in_database(DATABASE).first(1)]);
        assert_eq!(client.glue("GetDatabases", json!({})).await.status, 200);
        let reply = tables(&client).await.expect("an answer");
        assert_eq!((reply.status, reply.code().as_str()), (status, code));
        assert_eq!(tables(&client).await.expect("an answer").status, 200);
    }
    assert_eq!(running.requests().errors["glue:GetTables ThrottlingException"], 1);
}

#[tokio::test]
async fn denials_read_like_iam_and_like_lake_formation() {
    let (running, client) = start(Account::bulk(1, 20, 2)).await;
    running.set_faults([Fault::new(FaultKind::DeniedByIam)]);
    let message = tables(&client).await.expect("an answer").message();
    assert!(message.starts_with("User: arn:aws:iam::111122223333:user/crawler is not authorized to perform: glue:GetTables"));
    running.set_faults([Fault::new(FaultKind::DeniedByLakeFormation)]);
    let message = tables(&client).await.expect("an answer").message();
    assert_eq!(message, format!("Insufficient Lake Formation permission(s): Required Describe on {DATABASE}"));
}

#[tokio::test]
async fn broken_bodies_break_at_the_client() {
    let (running, client) = start(Account::bulk(1, 20, 2)).await;
    running.set_faults([Fault::new(FaultKind::TruncatedBody).first(1)]);
    assert!(tables(&client).await.is_err(), "content-length was honoured");
    running.set_faults([Fault::new(FaultKind::ConnectionReset).first(1)]);
    assert!(tables(&client).await.is_err(), "connection stayed");
    running.set_faults([Fault::new(FaultKind::MalformedJson)]);
    let reply = tables(&client).await.expect("an answer");
    assert!(reply.status == 200 && serde_json::from_slice::<serde_json::Value>(&reply.body).is_err());
    running.set_faults([Fault::new(FaultKind::HtmlError)]);
    let reply = tables(&client).await.expect("an answer");
    assert!(reply.status == 500 && reply.text().starts_with("<!doctype html>"));
    running.set_faults([]);
    assert_eq!(tables(&client).await.expect("an answer").status, 200);
}

#[tokio::test]
async fn slow_answers_come_all_the_same() {
    let (running, client) = start(Account::bulk(1, 20, 2)).await;
    running.set_faults([Fault::new(FaultKind::Slow { delay_ms: 150 })]);
    let within = std::time::Duration::from_millis(50);
    assert!(tokio::time::timeout(within, tables(&client)).await.is_err(), "answered within {within:?}");
    assert_eq!(tables(&client).await.expect("an answer").status, 200);
}

#[tokio::test]
async fn rate_limit_throttles_what_exceeds_it() {
    let (running, client) = start(Account::bulk(1, 20, 2)).await;
    running.set_faults([Fault::new(FaultKind::RateLimit { per_second: 1 }).on("GetTables")]);
    let mut throttled = 0;
    for _ in 0..10 {
        throttled += usize::from(tables(&client).await.expect("an answer").code() == "ThrottlingException");
    }
    assert!((1..10).contains(&throttled), "{throttled} of 10 throttled");
}

#[tokio::test]
async fn a_table_is_dropped_behind_the_first_page() {
    let (running, client) = start(Account::bulk(1, 25, 2)).await;
    let before = running.read_account(|account| account.table_names(DATABASE));
    running.set_faults([Fault::new(FaultKind::DropTableAfterFirstPage { table: None }).first(1)]);
    let pages = list(&client, "GetTables", "TableList", json!({"DatabaseName": DATABASE, "MaxResults": 10})).await;
    assert_eq!(pages.concat(), before[..24]);
}

#[tokio::test]
async fn a_database_vanishes_between_pages() {
    let (running, client) = start(Account::bulk(1, 25, 2)).await;
    running.set_faults([Fault::new(FaultKind::DatabaseVanishes).in_database(DATABASE)]);
    let first = tables(&client).await.expect("an answer").json();
    assert_eq!(names(&first["TableList"]).len(), 10);
    let second =
        client.glue("GetTables", json!({"DatabaseName": DATABASE, "MaxResults": 10, "NextToken": first["NextToken"]})).await;
    assert_eq!(second.code(), "EntityNotFoundException");
    assert!(names(&client.glue("GetDatabases", json!({})).await.json()["DatabaseList"]).is_empty());
}

#[tokio::test]
async fn a_token_repeats_on_demand() {
    let (running, client) = start(Account::bulk(1, 25, 2)).await;
    running.set_faults([Fault::new(FaultKind::RepeatToken)]);
    let first = tables(&client).await.expect("an answer").json();
    let second =
        client.glue("GetTables", json!({"DatabaseName": DATABASE, "MaxResults": 10, "NextToken": first["NextToken"]})).await.json();
    assert_eq!(first["NextToken"], second["NextToken"]);
}

#[tokio::test]
async fn empty_and_short_pages_continue_where_they_stand() {
    let (running, client) = start(Account::bulk(1, 25, 2)).await;
    let whole = running.read_account(|account| account.table_names(DATABASE));
    running.set_faults([Fault::new(FaultKind::EmptyPage).every(2), Fault::new(FaultKind::ShortPage { items: 3 }).every(3)]);
    let pages = list(&client, "GetTables", "TableList", json!({"DatabaseName": DATABASE, "MaxResults": 10})).await;
    assert_eq!(pages.concat(), whole);
    assert!(pages.iter().any(Vec::is_empty) && pages.iter().any(|page| page.len() == 3));
}

#[tokio::test]
async fn packed_policy_is_too_large_on_demand_where_there_is_one() {
    let (running, client) = start(Account::realistic()).await;
    running.set_faults([Fault::new(FaultKind::PackedPolicyTooLarge)]);
    let plain =
        [("Action", "AssumeRole"), ("RoleArn", "arn:aws:iam::111122223333:role/isinglass-reader"), ("RoleSessionName", "s1")];
    let policy = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"glue:GetTables","Resource":"*"}]}"#;
    let scoped: Vec<_> = plain.into_iter().chain([("Policy", policy)]).collect();
    assert_eq!(client.sts(&scoped).await.code(), "PackedPolicyTooLarge");
    assert_eq!(client.sts(&plain).await.status, 200);
}

#[tokio::test]
async fn one_catalog_fails_while_the_others_answer() {
    let (running, client) = start(Account::realistic()).await;
    let federated = "111122223333:snowflake_crm/crm";
    let down = FaultKind::Error { code: "FederationSourceException".to_owned(), status: 400, message: "source is down".to_owned() };
    running.set_faults([Fault::new(down).in_catalog(federated)]);
    let asked = json!({"CatalogId": federated});
    assert_eq!(client.glue("GetDatabases", asked.clone()).await.code(), "FederationSourceException");
    assert_eq!(client.glue("GetDatabases", json!({})).await.status, 200);
    running.set_faults([]);
    assert_eq!(client.glue("GetDatabases", asked).await.status, 200);
}
