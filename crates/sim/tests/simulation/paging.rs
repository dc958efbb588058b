//! Pages: complete whatever their size, and tokens that hold for their own request only.

use serde_json::json;
use sim::{Account, Clock, ExpressionMatch, ExpressionRule, Simulation};

use crate::client::Client;
use crate::{list, start};

const DATABASE: &str = "warehouse_00000";

#[tokio::test]
async fn union_of_pages_is_the_whole_for_odd_page_sizes() {
    let (running, client) = start(Account::bulk(1, 237, 2)).await;
    let whole = running.read_account(|account| account.table_names(DATABASE));
    for size in [1, 7, 99, 100] {
        let input = json!({"DatabaseName": DATABASE, "MaxResults": size});
        let pages = list(&client, "GetTables", "TableList", input).await;
        assert!(pages.iter().all(|page| page.len() <= size));
        assert_eq!(pages.concat(), whole, "page size {size}");
    }
}

#[tokio::test]
async fn other_listings_page_too() {
    let mut account = Account::realistic();
    account.add_workflows(60);
    let (_running, client) = start(account).await;
    let pages = list(&client, "ListWorkflows", "Workflows", json!({})).await;
    assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [25, 25, 13]);
    for (operation, member) in [
        ("GetDatabases", "DatabaseList"),
        ("GetJobs", "Jobs"),
        ("ListJobs", "JobNames"),
        ("GetTriggers", "Triggers"),
        ("ListTriggers", "TriggerNames"),
        ("GetCrawlers", "Crawlers"),
        ("ListCrawlers", "CrawlerNames"),
        ("GetConnections", "ConnectionList"),
    ] {
        let whole = list(&client, operation, member, json!({})).await.concat();
        let by_twos = list(&client, operation, member, json!({"MaxResults": 2})).await;
        assert!(by_twos.len() > 1 && by_twos.concat() == whole, "{operation}");
    }
}

#[tokio::test]
async fn default_page_is_a_hundred_tables_and_more_is_refused() {
    let (_running, client) = start(Account::bulk(1, 101, 2)).await;
    let pages = list(&client, "GetTables", "TableList", json!({"DatabaseName": DATABASE})).await;
    assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [100, 1]);
    for size in [0, 101] {
        let reply = client.glue("GetTables", json!({"DatabaseName": DATABASE, "MaxResults": size})).await;
        assert_eq!((reply.status, reply.code().as_str()), (400, "ValidationException"));
    }
}

#[tokio::test]
async fn a_token_with_other_parameters_is_refused() {
    let (_running, client) = start(Account::bulk(2, 30, 2)).await;
    let first = client.glue("GetTables", json!({"DatabaseName": DATABASE, "MaxResults": 10})).await.json();
    let token = &first["NextToken"];
    let same = json!({"DatabaseName": DATABASE, "MaxResults": 20, "NextToken": token});
    assert_eq!(client.glue("GetTables", same).await.status, 200);
    for other in [
        json!({"DatabaseName": "warehouse_00001", "NextToken": token}),
        json!({"DatabaseName": DATABASE, "Expression": "a.*", "NextToken": token}),
        json!({"DatabaseName": DATABASE, "NextToken": "garbage"}),
    ] {
        let reply = client.glue("GetTables", other).await;
        assert_eq!((reply.status, reply.code().as_str()), (400, "InvalidInputException"));
    }
    let reply = client.glue("GetJobs", json!({"NextToken": token})).await;
    assert_eq!(reply.code(), "InvalidInputException");
}

#[tokio::test]
async fn a_token_expires() {
    let clock = Clock::manual(1_700_000_000_000);
    let mut account = Account::bulk(1, 30, 2);
    account.settings_mut().token_lifetime_ms = 60_000;
    let running = Simulation::builder().account(account).clock(clock.clone()).start().await.expect("a free port");
    let mut client = Client::new(&running);
    client.signed_at = Some(std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_700_000_000));
    let first = client.glue("GetTables", json!({"DatabaseName": DATABASE, "MaxResults": 10})).await.json();
    let next = json!({"DatabaseName": DATABASE, "NextToken": first["NextToken"]});
    assert_eq!(client.glue("GetTables", next.clone()).await.status, 200);
    clock.set_ms(1_700_000_061_000);
    assert_eq!(client.glue("GetTables", next).await.code(), "InvalidInputException");
}

#[tokio::test]
async fn expression_filters_before_paging_or_after_it_or_not_at_all() {
    let (running, client) = start(Account::bulk(1, 400, 2)).await;
    let names = running.read_account(|account| account.table_names(DATABASE));
    let expected: Vec<String> = names.into_iter().filter(|name| name.starts_with("customer_orders")).collect();
    let input = json!({"DatabaseName": DATABASE, "Expression": "customer_orders.*", "MaxResults": 3});
    let full = list(&client, "GetTables", "TableList", input.clone()).await;
    assert_eq!(full.concat(), expected);
    assert_eq!(full.len(), expected.len().div_ceil(3));

    running.change_account(|account| account.settings_mut().expression_rule = ExpressionRule::PageThenFilter);
    let short = list(&client, "GetTables", "TableList", input.clone()).await;
    assert_eq!(short.concat(), expected);
    assert!(short.iter().any(Vec::is_empty) && short.len() > full.len());

    running.change_account(|account| account.settings_mut().expression_rule = ExpressionRule::Refuse);
    assert_eq!(client.glue("GetTables", input).await.code(), "InvalidInputException");
}

#[tokio::test]
async fn expressions_by_first_character_are_disjoint_and_complete() {
    let (running, client) = start(Account::realistic()).await;
    for rule in [ExpressionMatch::Whole, ExpressionMatch::Glob] {
        running.change_account(|account| account.settings_mut().expression_match = rule);
        let mut joined =
            list(&client, "GetTables", "TableList", json!({"DatabaseName": "raw", "Expression": "[a-m].*"})).await.concat();
        joined.extend(
            list(&client, "GetTables", "TableList", json!({"DatabaseName": "raw", "Expression": "[^a-m].*"})).await.concat(),
        );
        joined.sort_unstable();
        assert_eq!(joined, running.read_account(|account| account.table_names("raw")), "{rule:?}");
    }
}

#[tokio::test]
async fn empty_and_short_pages_on_demand_lose_nothing() {
    let mut account = Account::bulk(1, 50, 2);
    account.settings_mut().empty_page_every = 3;
    account.settings_mut().page_items_max = 4;
    let (running, client) = start(account).await;
    let pages = list(&client, "GetTables", "TableList", json!({"DatabaseName": DATABASE})).await;
    assert_eq!(pages.concat(), running.read_account(|account| account.table_names(DATABASE)));
    assert!(pages.iter().filter(|page| page.is_empty()).count() > 3 && pages.iter().all(|page| page.len() <= 4));
}

#[tokio::test]
async fn bulk_pages_are_the_same_bytes_every_time() {
    let (_first, one) = start(Account::bulk(2, 500, 20)).await;
    let (_second, two) = start(Account::bulk(2, 500, 20)).await;
    let input = json!({"DatabaseName": "warehouse_00001"});
    let [one, two] = [one.glue("GetTables", input.clone()).await.json(), two.glue("GetTables", input).await.json()];
    assert_eq!(one["TableList"], two["TableList"]);
    assert_eq!(one["TableList"].as_array().map(Vec::len), Some(100));
}
