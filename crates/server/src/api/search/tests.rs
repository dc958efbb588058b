//! Search over HTTP.

use http::StatusCode;

use crate::api::crawled::{WIDE, encoded, name, service};
use crate::api::sign_in::tests::{Browser, add_user};
use crate::api::testing::Service;

async fn names(service: &Service, query: &str) -> Vec<String> {
    let found = service.get(&format!("/api/v1/search?{query}")).await;
    assert_eq!(found.status, StatusCode::OK, "{query} {found:?}");
    found.body["items"].as_array().unwrap().iter().map(|hit| hit["name"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_hit_says_what_was_found_where_it_lies_and_how_hits_spread() {
    let service = service().await;
    let found = service.get("/api/v1/search?q=custom").await.body;
    let hit = &found["items"][0];
    assert_eq!((&hit["name"], &hit["typeName"], &hit["status"]), (&"orders".into(), &"Table".into(), &"ACTIVE".into()), "{hit}");
    assert_eq!((&hit["matched"], &hit["column"]), (&"column".into(), &"customer".into()));
    assert_eq!(
        hit["highlights"]["column"],
        serde_json::json!([{ "text": "custom", "isMatch": true }, { "text": "er", "isMatch": false }])
    );
    assert_eq!(hit["highlights"]["description"][1]["text"], "custom");
    assert_eq!((&hit["parents"][0]["name"], &hit["parents"][2]["name"]), (&"prod".into(), &"sales".into()));
    let facets = &found["facets"];
    assert_eq!(facets["types"], serde_json::json!([{ "typeName": "Table", "count": 1, "isCapped": false }]));
    assert_eq!((&facets["connections"][0]["name"], &facets["isSampled"]), (&"prod".into(), &false.into()));
}

#[tokio::test]
async fn pages_are_of_one_search_and_a_cursor_of_another_is_refused() {
    let service = service().await;
    let first = service.get("/api/v1/search?q=order&limit=1").await.body;
    assert_eq!((&first["total"], first["items"].as_array().unwrap().len()), (&2.into(), 1));
    let cursor = first["nextCursor"].as_str().unwrap();
    let second = service.get(&format!("/api/v1/search?q=order&limit=1&cursor={cursor}")).await.body;
    assert_eq!((second["items"][0]["name"].as_str(), second.get("nextCursor"), second.get("facets")), (Some("raw"), None, None));
    for query in [format!("q=orders&cursor={cursor}"), format!("q=order&type=View&cursor={cursor}"), "q=order&cursor=x".into()] {
        let refused = service.get(&format!("/api/v1/search?{query}")).await;
        assert_eq!((refused.status.as_u16(), refused.body["code"].as_str()), (400, Some("invalid-cursor")), "{query}");
    }
}

#[tokio::test]
async fn filters_narrow_and_alone_list() {
    let service = service().await;
    assert_eq!(names(&service, "q=sales&type=Schema").await, ["sales"]);
    assert_eq!(names(&service, "type=Schema&connectionId=1").await.len(), 2);
    assert_eq!(names(&service, "q=orders&connectionId=99").await, Vec::<String>::new());
    let path = format!("/api/v1/assets/enrichment?qualifiedName={}", encoded(&name("c/sales/raw")));
    let text = serde_json::json!({ "tags": ["gold"], "certificate": { "status": "draft" }, "owners": ["Ada"] });
    assert_eq!(service.call("PATCH", &path, Some(0), &text).await.status, StatusCode::OK);
    assert_eq!(names(&service, "certificate=verified,draft").await, ["raw"]);
    assert_eq!(names(&service, "tag=gold&q=").await, ["raw"]);
    assert_eq!(names(&service, "tag=Gold").await, Vec::<String>::new());
    let hit = service.get("/api/v1/search?q=raw").await.body["items"][0].clone();
    assert_eq!((&hit["certificate"], &hit["owners"][0]), (&"draft".into(), &"Ada".into()));
}

#[tokio::test]
async fn odd_questions_are_answered_or_refused_in_words() {
    let service = service().await;
    for query in
        ["", "q=", "q=%20", "q=%00", "q=%FF%FE", "q=%22%20OR%20%22", "q=%F0%9F%A7%8A", "q=*", "q=%27;--", "tag=%00", "tag="]
    {
        let found = service.get(&format!("/api/v1/search?{query}")).await;
        assert_eq!(found.status, StatusCode::OK, "{query} {found:?}");
    }
    assert_eq!(names(&service, &format!("q={}", encoded("Überw"))).await, ["Überweisung &+#"]);
    assert_eq!(names(&service, &format!("q=column_{:04}", WIDE - 1)).await, ["wide"]);
    for (query, field) in [
        (format!("q={}", "a".repeat(10_000)), "q"),
        ("type=Tables".into(), "type"),
        ("type=Table,".into(), "type"),
        (format!("type={}", ["Table"; 51].join(",")), "type"),
        ("connectionId=x".into(), "connectionId"),
        ("certificate=gold".into(), "certificate"),
        ("limit=0".into(), "limit"),
        ("limit=201".into(), "limit"),
    ] {
        let refused = service.get(&format!("/api/v1/search?{query}")).await;
        assert_eq!((refused.status.as_u16(), refused.body["errors"][0]["field"].as_str()), (400, Some(field)), "{field}");
    }
}

#[tokio::test]
async fn viewers_may_search_and_nobody_else_without_signing_in() {
    let service = service().await;
    add_user(&service, "bob", "viewer").await;
    let viewer = Browser::of(&service, "bob").await;
    let found = viewer.call(&service, "GET", "/api/v1/search?q=orders", &serde_json::Value::Null).await;
    assert_eq!(found.status, StatusCode::OK);
    let request = http::Request::get("/api/v1/search?q=orders").body(axum::body::Body::empty()).unwrap();
    assert_eq!(service.send(request).await.status, StatusCode::UNAUTHORIZED);
}
