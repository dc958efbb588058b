//! Search results and their order.

use model::Kind;
use store::{Hit, Matched, SearchQuery, Store};

use crate::fresh::{Fresh, asset, batch, connection, crawl, crawl_and_remove, described, table};

async fn search(store: &Store, text: &str) -> Vec<Hit> {
    store.search(&SearchQuery { text: text.to_owned(), limit: 20, ..SearchQuery::default() }).await.unwrap().hits
}

async fn names(store: &Store, text: &str) -> Vec<String> {
    search(store, text).await.into_iter().map(|hit| hit.name).collect()
}

pub(crate) async fn names_come_before_columns_and_columns_before_descriptions(fresh: Fresh) {
    let store = fresh.open().await;
    let glue = connection(&store, 1).await;
    let assets = [
        described(table("c/s/a_described", &[]), "all about customers and a customer"),
        table("c/s/b_column", &["Customer"]),
        table("c/s/dim_customer", &[]),
        table("c/s/customer_address", &[]),
        table("c/s/customer", &[]),
        asset(Kind::GlueJob, "jobs/customer"),
        table("c/s/xcustomers", &[]),
        table("c/s/unrelated", &["amount"]),
    ];
    crawl(&store, &glue, batch("s", assets)).await;
    let hits = search(&store, "customer").await;
    let found: Vec<(&str, Kind)> = hits.iter().map(|hit| (hit.name.as_str(), hit.kind)).collect();
    let expected = [
        ("customer", Kind::Table),
        ("customer", Kind::GlueJob),
        ("customer_address", Kind::Table),
        ("dim_customer", Kind::Table),
        ("xcustomers", Kind::Table),
        ("b_column", Kind::Table),
        ("a_described", Kind::Table),
    ];
    assert_eq!(found, expected);
    assert_eq!(hits[5].matched, Matched::Column("Customer".into()));
    assert_eq!(
        (&hits[6].matched, hits[6].description.as_deref()),
        (&Matched::Description, Some("all about customers and a customer"))
    );
}

pub(crate) async fn a_column_is_found_by_its_whole_name_among_many_of_the_same_words(fresh: Fresh) {
    let store = fresh.open().await;
    let glue = connection(&store, 1).await;
    let mut tables: Vec<_> = (0..400).map(|number| table(&format!("c/s/t{number:03}"), &["order_date", "time_zone"])).collect();
    tables.push(table("c/s/z", &["order_zone"]));
    crawl(&store, &glue, batch("s", tables)).await;
    for text in ["order_zone", "orderZone", "ORDER-ZONE"] {
        let hits = search(&store, text).await;
        assert_eq!((hits[0].name.as_str(), &hits[0].matched), ("z", &Matched::Column("order_zone".into())), "{text}");
    }
}

pub(crate) async fn beginnings_and_middles_of_names_are_found(fresh: Fresh) {
    let store = fresh.open().await;
    let glue = connection(&store, 1).await;
    let assets = [table("c/s/fact_shipment_2024", &["warehouse_code"]), table("c/s/Überweisung", &[]), table("c/s/ab", &[])];
    crawl(&store, &glue, batch("s", assets)).await;
    for text in
        ["fact_ship", "ship", "ipmen", "2024", "shipment 2024", "FACT", "fact ship", "wareh", "warehouse_c", "warehouse code"]
    {
        assert_eq!(names(&store, text).await, ["fact_shipment_2024"], "{text}");
    }
    assert_eq!(names(&store, "überw").await, ["Überweisung"]);
    assert_eq!(names(&store, "ab").await, ["ab"]);
    assert_eq!(names(&store, "shipment 2025").await, Vec::<String>::new());
}

pub(crate) async fn kinds_and_limits_are_kept_and_strange_queries_do_no_harm(fresh: Fresh) {
    let store = fresh.open().await;
    let glue = connection(&store, 1).await;
    let tables = (0..30).map(|number| table(&format!("c/s/orders{number}"), &[])).chain([asset(Kind::Schema, "c/orders")]);
    crawl(&store, &glue, batch("s", tables)).await;
    let query =
        |kinds: &[Kind], limit| SearchQuery { text: "orders".into(), kinds: kinds.to_vec(), limit, ..SearchQuery::default() };
    assert_eq!(store.search(&query(&[Kind::Schema], 10)).await.unwrap().hits.len(), 1);
    assert_eq!(store.search(&query(&[Kind::Table, Kind::View], 10)).await.unwrap().hits.len(), 10);
    assert_eq!(store.search(&query(&[Kind::GlueJob], 10)).await.unwrap().hits.len(), 0);
    assert_eq!(store.search(&query(&[], 0)).await.unwrap().hits.len(), 0);
    for text in [
        "",
        " ",
        "\"",
        "orders\" OR \"x",
        "a AND NOT b",
        "(",
        "words:orders",
        "^",
        "$",
        "*",
        "%",
        "'; --",
        "\u{0}",
        "🧊",
        "NEAR(a b)",
        "_k4",
    ] {
        search(&store, text).await;
    }
    search(&store, &"long ".repeat(5000)).await;
}

pub(crate) async fn archived_and_renamed_things_are_not_found(fresh: Fresh) {
    let store = fresh.open().await;
    let glue = connection(&store, 1).await;
    let kept = || (0..10).map(|number| table(&format!("c/s/t{number}"), &["common"]));
    crawl(&store, &glue, batch("s", kept().chain([table("c/s/changing", &["formerly"]), table("c/s/going", &["formerly"])]))).await;
    assert_eq!(search(&store, "formerly").await.len(), 2);
    crawl_and_remove(&store, &glue, batch("s", kept().chain([table("c/s/changing", &["lately"])]))).await;
    assert_eq!(search(&store, "formerly").await, []);
    assert_eq!(search(&store, "going").await, []);
    assert_eq!(names(&store, "lately").await, ["changing"]);
    crawl(&store, &glue, batch("s", [table("c/s/going", &["formerly"])])).await;
    assert_eq!(names(&store, "formerly").await, ["going"]);
}
