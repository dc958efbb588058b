//! What the demonstration account shows: catalogs, links, Lake Formation, and the objects beside the catalog.

use base64::Engine as _;
use serde_json::json;
use sim::{Account, Mutation};

use crate::{list, names, start};

#[tokio::test]
async fn catalogs_nest_and_their_databases_are_asked_for_by_id() {
    let (_running, client) = start(Account::realistic()).await;
    let ids = |body: serde_json::Value| -> Vec<String> {
        let catalogs = body["CatalogList"].as_array().expect("catalogs").clone();
        catalogs.iter().map(|catalog| catalog["CatalogId"].as_str().expect("id").to_owned()).collect()
    };
    let top = ids(client.glue("GetCatalogs", json!({})).await.json());
    assert_eq!(top, ["111122223333:s3tablescatalog", "111122223333:snowflake_crm"]);
    let all = ids(client.glue("GetCatalogs", json!({"Recursive": true, "IncludeRoot": true})).await.json());
    assert_eq!(all.len(), 5);
    let below = json!({"ParentCatalogId": "111122223333:s3tablescatalog", "HasDatabases": true});
    assert_eq!(ids(client.glue("GetCatalogs", below).await.json()), ["111122223333:s3tablescatalog/analytics"]);
    let refused = json!({"ParentCatalogId": "111122223333:s3tablescatalog", "IncludeRoot": true});
    assert_eq!(client.glue("GetCatalogs", refused).await.code(), "InvalidInputException");

    let bucket = json!({"CatalogId": "111122223333:s3tablescatalog/analytics"});
    assert_eq!(list(&client, "GetDatabases", "DatabaseList", bucket).await.concat(), ["ml", "web"]);
    let reply = client.glue("GetDatabases", json!({"CatalogId": "999999999999"})).await;
    assert_eq!(
        (reply.code(), reply.message()),
        ("EntityNotFoundException".to_owned(), "Catalog 999999999999 not found.".to_owned())
    );
}

#[tokio::test]
async fn shared_databases_are_listed_only_when_asked_for() {
    let (_running, client) = start(Account::realistic()).await;
    let shared = "shared_sales".to_owned();
    assert!(!list(&client, "GetDatabases", "DatabaseList", json!({})).await.concat().contains(&shared));
    assert!(list(&client, "GetDatabases", "DatabaseList", json!({"ResourceShareType": "ALL"})).await.concat().contains(&shared));
    assert_eq!(list(&client, "GetDatabases", "DatabaseList", json!({"ResourceShareType": "FOREIGN"})).await.concat(), [shared]);
}

#[tokio::test]
async fn links_are_followed_while_their_target_is_visible() {
    let (running, client) = start(Account::realistic()).await;
    let linked = client.glue("GetTables", json!({"DatabaseName": "partner_sales"})).await.json();
    assert_eq!(names(&linked["TableList"]), ["partner_orders", "partner_prices"]);
    assert_eq!(linked["TableList"][0]["CatalogId"], "444455556666");
    assert_eq!(client.glue("GetTables", json!({"DatabaseName": "archive_link"})).await.code(), "EntityNotFoundException");

    let link = json!({"DatabaseName": "sales", "Name": "campaigns_link"});
    let followed = client.glue("GetTable", link.clone()).await.json();
    assert_eq!(followed["Table"]["DatabaseName"], "sales");
    assert_eq!(followed["Table"]["TargetTable"]["DatabaseName"], "marketing");
    assert!(followed["Table"]["StorageDescriptor"]["Columns"].is_array());

    let hide = Mutation::Hide { catalog: None, database: "marketing".to_owned(), table: Some("campaigns".to_owned()) };
    running.apply(hide).expect("applies");
    assert!(client.glue("GetTable", link).await.json()["Table"]["StorageDescriptor"].is_null());
    let dangling = client.glue("GetTable", json!({"DatabaseName": "sales", "Name": "old_loyalty"})).await.json();
    assert!(dangling["Table"]["StorageDescriptor"].is_null());
}

#[tokio::test]
async fn hidden_objects_are_absent_from_lists_and_denied_by_name() {
    let (_running, client) = start(Account::realistic()).await;
    assert!(!list(&client, "GetDatabases", "DatabaseList", json!({})).await.concat().contains(&"hr".to_owned()));
    let tables = list(&client, "GetTables", "TableList", json!({"DatabaseName": "finance"})).await.concat();
    assert!(!tables.contains(&"payroll".to_owned()));
    for (operation, input, name) in [
        ("GetDatabase", json!({"Name": "hr"}), "hr"),
        ("GetTables", json!({"DatabaseName": "hr"}), "hr"),
        ("GetTable", json!({"DatabaseName": "finance", "Name": "payroll"}), "payroll"),
    ] {
        let reply = client.glue(operation, input).await;
        let expected = format!("Insufficient Lake Formation permission(s): Required Describe on {name}");
        assert_eq!((reply.code(), reply.message()), ("AccessDeniedException".to_owned(), expected));
    }
}

#[tokio::test]
async fn attributes_narrow_what_tables_show() {
    let (_running, client) = start(Account::realistic()).await;
    let input = json!({"DatabaseName": "sales", "AttributesToGet": ["NAME", "TABLE_TYPE"], "MaxResults": 1});
    let page = client.glue("GetTables", input).await.json();
    assert_eq!(page["TableList"][0], json!({"Name": "campaigns_link", "TableType": ""}));
    for attributes in [json!([]), json!(["DEFAULT"])] {
        let reply = client.glue("GetTables", json!({"DatabaseName": "sales", "AttributesToGet": attributes})).await;
        assert_eq!(reply.code(), "InvalidInputException");
    }
}

#[tokio::test]
async fn workflows_show_their_graph_only_on_request_and_in_batches_of_25() {
    let mut account = Account::realistic();
    account.add_workflows(30);
    let (_running, client) = start(account).await;
    let batch = client.glue("BatchGetWorkflows", json!({"Names": ["nightly", "gone"], "IncludeGraph": true})).await.json();
    assert_eq!(batch["MissingWorkflows"], json!(["gone"]));
    assert!(batch["Workflows"][0]["Graph"]["Nodes"].is_array());
    let plain = client.glue("GetWorkflow", json!({"Name": "nightly"})).await.json();
    assert!(plain["Workflow"]["Graph"].is_null());
    let many: Vec<String> = (0..26).map(|number| format!("generated-{number:04}")).collect();
    assert_eq!(client.glue("BatchGetWorkflows", json!({"Names": many})).await.code(), "ValidationException");
}

#[tokio::test]
async fn connections_hide_passwords_but_not_what_hides_in_urls() {
    let (_running, client) = start(Account::realistic()).await;
    let shown = client.glue("GetConnection", json!({"Name": "shop-mysql"})).await.text();
    let hidden = client.glue("GetConnection", json!({"Name": "shop-mysql", "HidePassword": true})).await.text();
    assert!(shown.contains("CANARY_CONNECTION_PASSWORD") && !hidden.contains("CANARY_CONNECTION_PASSWORD"));
    assert!(hidden.contains("CANARY_JDBC_URL_PASSWORD"));
}

#[tokio::test]
async fn triggers_filter_by_job_and_jobs_by_tag() {
    let (_running, client) = start(Account::realistic()).await;
    let triggers = list(&client, "ListTriggers", "TriggerNames", json!({"DependentJobName": "orders-to-finance"})).await;
    assert_eq!(triggers.concat(), ["after-import"]);
    assert_eq!(list(&client, "ListJobs", "JobNames", json!({"Tags": {"team": "finance"}})).await.concat(), ["orders-to-finance"]);
    let tags = client.glue("GetTags", json!({"ResourceArn": "arn:aws:glue:eu-west-1:111122223333:workflow/nightly"})).await.json();
    assert_eq!(tags, json!({"Tags": {"team": "platform"}}));
}

#[tokio::test]
async fn listings_of_kinds_that_the_account_has_none_of_are_empty() {
    let (_running, client) = start(Account::realistic()).await;
    for (operation, member) in
        [("ListBlueprints", "Blueprints"), ("ListRegistries", "Registries"), ("GetClassifiers", "Classifiers")]
    {
        assert_eq!(client.glue(operation, json!({})).await.json(), json!({member: []}));
    }
}

#[tokio::test]
async fn every_canary_is_served_so_that_its_absence_elsewhere_proves_something() {
    let (_running, client) = start(Account::realistic()).await;
    let mut served = String::new();
    for catalog in ["111122223333", "111122223333:s3tablescatalog/analytics"] {
        let asked = json!({"CatalogId": catalog});
        served += &client.glue("GetDatabases", asked.clone()).await.text();
        for database in list(&client, "GetDatabases", "DatabaseList", asked).await.concat() {
            served += &client.glue("GetTables", json!({"CatalogId": catalog, "DatabaseName": database})).await.text();
        }
    }
    for operation in ["GetJobs", "GetTriggers", "GetCrawlers", "GetConnections"] {
        served += &client.glue(operation, json!({})).await.text();
    }
    served += &client.glue("GetCatalogs", json!({"Recursive": true})).await.text();
    let workflows = json!({"Names": ["nightly", "marketing", "landing"], "IncludeGraph": true});
    served += &client.glue("BatchGetWorkflows", workflows).await.text();
    served +=
        &client.glue("GetTags", json!({"ResourceArn": "arn:aws:glue:eu-west-1:111122223333:job/orders-to-finance"})).await.text();
    served += &presto_views(&served);
    let planted = Account::canaries().into_iter().filter(|canary| !canary.starts_with("CANARY_DZ_"));
    let unserved: Vec<String> = planted.filter(|canary| !served.contains(canary)).collect();
    assert_eq!(unserved, Vec::<String>::new());
}

fn presto_views(text: &str) -> String {
    let views = text.split("/* Presto View: ").skip(1).filter_map(|rest| rest.split(" */").next());
    let decoded = views.map(|view| base64::engine::general_purpose::STANDARD.decode(view).expect("base64"));
    decoded.map(|view| String::from_utf8(view).expect("JSON text")).collect()
}
