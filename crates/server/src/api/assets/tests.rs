//! Assets, lineage and differences over HTTP.

use axum::body::Body;
use http::{Request, StatusCode, header};
use serde_json::{Value, json};

use crate::api::crawled::{WIDE, encoded, name, service};
use crate::api::sign_in::tests::{Browser, add_user};
use crate::api::testing::{Answered, Service, with_token};

async fn get(service: &Service, path: &str, of: &str) -> Answered {
    service.get(&format!("/api/v1/{path}?qualifiedName={}", encoded(of))).await
}

fn list(answered: &Answered, member: &str) -> Vec<String> {
    let items = answered.body["items"].as_array().unwrap_or_else(|| panic!("{answered:?}"));
    items.iter().map(|item| item[member].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn an_asset_is_its_document_with_columns_parents_and_links() {
    let service = service().await;
    let found = get(&service, "assets", &name("c/sales/orders")).await.body;
    assert_eq!((&found["typeName"], &found["status"]), (&"Table".into(), &"ACTIVE".into()), "{found}");
    assert_eq!(found["attributes"]["schemaQualifiedName"], name("c/sales"));
    let columns: Vec<_> =
        found["columns"].as_array().unwrap().iter().map(|column| column["attributes"]["name"].as_str().unwrap()).collect();
    assert_eq!((columns, &found["columnsTruncated"]), (vec!["order_id", "customer", "amount"], &false.into()));
    let parents: Vec<_> = found["parents"].as_array().unwrap().iter().map(|parent| &parent["name"]).collect();
    assert_eq!(parents, ["prod", "c", "sales"]);
    assert_eq!((&found["seen"]["firstRunId"], &found["seen"]["changedRunId"]), (&"1".into(), &"2".into()));
    for (link, address) in found["links"].as_object().unwrap() {
        let followed = service.get(address.as_str().unwrap()).await;
        assert_eq!(followed.status, StatusCode::OK, "{link} {address}");
    }
    let gone = get(&service, "assets", &name("c/sales/gone")).await.body;
    assert_eq!((&gone["status"], &gone["seen"]["archivedRunId"]), (&"DELETED".into(), &"2".into()));
}

#[tokio::test]
async fn columns_objects_and_odd_names_are_assets_too() {
    let service = service().await;
    let column = get(&service, "assets", &name("c/sales/orders/customer")).await.body;
    assert_eq!((&column["typeName"], &column["attributes"]["name"]), (&"Column".into(), &"customer".into()), "{column}");
    assert_eq!((&column["parents"][3]["name"], &column["columns"]), (&"orders".into(), &json!([])));
    let object = get(&service, "assets", "s3://lake/orders").await.body;
    assert_eq!((&object["typeName"], &object["parents"]), (&"S3Object".into(), &json!([])), "{object}");
    let odd = get(&service, "assets", &name("c/größe%2F日本/Überweisung &+#")).await.body;
    assert_eq!((&odd["attributes"]["name"], &odd["parents"][2]["name"]), (&"Überweisung &+#".into(), &"größe/日本".into()));
    let followed = service.get(odd["links"]["this"].as_str().unwrap()).await;
    assert_eq!(followed.body, odd);
}

#[tokio::test]
async fn many_columns_come_in_pages() {
    let service = service().await;
    let of = name("c/sales/wide");
    let found = get(&service, "assets", &of).await.body;
    assert_eq!((found["columns"].as_array().unwrap().len(), &found["columnsTruncated"]), (500, &true.into()));
    let path = format!("/api/v1/assets/columns?limit=200&qualifiedName={}", encoded(&of));
    let (mut names, mut next) = (Vec::new(), path.clone());
    loop {
        let page = service.get(&next).await;
        let items = page.body["items"].as_array().unwrap();
        names.extend(items.iter().map(|column| column["attributes"]["name"].as_str().unwrap().to_owned()));
        let Some(cursor) = page.body["nextCursor"].as_str() else { break };
        next = format!("{path}&cursor={cursor}");
    }
    let expected: Vec<String> = (0..WIDE).map(|number| format!("column_{number:04}")).collect();
    assert_eq!(names, expected);
    let refused = service.get(&format!("{path}&cursor=AAAA")).await;
    assert_eq!(refused.body["code"], "invalid-cursor");
}

#[tokio::test]
async fn the_tree_begins_with_connections_and_ends_with_tables() {
    let service = service().await;
    let roots = service.get("/api/v1/assets/children").await;
    assert_eq!((list(&roots, "name"), &roots.body["items"][0]["connectionId"]), (vec!["prod".into()], &"1".into()));
    let top = get(&service, "assets/children", "default/glue/1").await;
    assert_eq!((list(&top, "name"), &top.body["folders"][0]["name"]), (vec!["c".into()], &"jobs".into()));
    let jobs = get(&service, "assets/children", top.body["folders"][0]["qualifiedName"].as_str().unwrap()).await;
    assert_eq!(list(&jobs, "name"), ["nightly"]);
    let path = format!("/api/v1/assets/children?limit=2&qualifiedName={}", encoded(&name("c/sales")));
    let first = service.get(&path).await;
    assert_eq!(list(&first, "name"), ["orders", "raw"]);
    let rest = service.get(&format!("{path}&cursor={}", first.body["nextCursor"].as_str().unwrap())).await;
    assert_eq!((list(&rest, "name"), rest.body.get("nextCursor")), (vec!["wide".into()], None));
    assert_eq!(first.body["items"][0]["description"], "Orders of every customer");
    assert_eq!(list(&get(&service, "assets/children", &name("c/sales/orders")).await, "name"), Vec::<String>::new());
}

#[tokio::test]
async fn history_and_difference_tell_what_a_run_changed() {
    let service = service().await;
    let added = json!({ "kind": "column-added", "name": "amount", "after": "string" });
    let history = get(&service, "assets/history", &name("c/sales/orders")).await;
    assert_eq!(list(&history, "change"), ["updated", "created"]);
    assert_eq!((&history.body["items"][0]["differences"], &history.body["items"][0]["at"]), (&json!([added]), &5000.into()));
    let path = format!("/api/v1/assets/history?limit=1&qualifiedName={}", encoded(&name("c/sales/orders")));
    let first = service.get(&path).await;
    let second = service.get(&format!("{path}&cursor={}", first.body["nextCursor"].as_str().unwrap())).await;
    assert_eq!((list(&second, "change"), second.body.get("nextCursor")), (vec!["created".into()], None));
    let diff = service.get("/api/v1/diff?from=2&to=1").await;
    assert_eq!(list(&diff, "change"), ["archived", "updated"]);
    assert_eq!((&diff.body["items"][1]["differences"], &diff.body["truncated"]), (&json!([added]), &false.into()));
    assert_eq!(service.get("/api/v1/diff?from=1&to=2&limit=1").await.body["truncated"], true);
    for (query, status) in [("from=1&to=99", 404), ("from=1", 400), ("from=x&to=1", 400), ("from=1&to=2&limit=0", 400)] {
        assert_eq!(service.get(&format!("/api/v1/diff?{query}")).await.status.as_u16(), status, "{query}");
    }
}

#[tokio::test]
async fn lineage_goes_up_and_down_within_its_bounds() {
    let service = service().await;
    let path = format!("/api/v1/lineage?qualifiedName={}", encoded(&name("c/sales/raw")));
    let down = service.get(&format!("{path}&direction=down&depth=1")).await.body;
    let names: Vec<_> = down["nodes"].as_array().unwrap().iter().map(|node| node["name"].as_str().unwrap()).collect();
    assert_eq!((names, &down["truncated"]), (vec!["raw", "orders"], &false.into()), "{down}");
    assert_eq!((&down["edges"][0]["processKind"], &down["edges"][0]["to"]), (&"glue-job".into(), &name("c/sales/orders").into()));
    assert_eq!(service.get(&format!("{path}&direction=up")).await.body["edges"], json!([]));
    assert_eq!(service.get(&format!("{path}&nodes=1")).await.body["truncated"], true);
    assert_eq!(service.get(&format!("{path}&level=column")).await.status, StatusCode::OK);
    for query in ["depth=0", "depth=21", "depth=99999999999", "depth=x", "nodes=0", "nodes=2001", "direction=left", "level=row"] {
        assert_eq!(service.get(&format!("{path}&{query}")).await.status.as_u16(), 400, "{query}");
    }
}

#[tokio::test]
async fn what_people_say_is_edited_by_version_and_audited() {
    let service = service().await;
    let path = format!("/api/v1/assets/enrichment?qualifiedName={}", encoded(&name("c/sales/orders")));
    let nothing = service.get(&path).await;
    assert_eq!(
        (&nothing.headers[header::ETAG], &nothing.body),
        (&"\"0\"".parse().unwrap(), &json!({ "owners": [], "tags": [], "version": 0 }))
    );
    let edit = json!({
        "description": " All\norders ", "owners": ["Ada", "Ada "], "tags": ["gold"],
        "certificate": { "status": "verified", "message": "reconciled" },
    });
    assert_eq!(service.call("PATCH", &path, None, &edit).await.status.as_u16(), 428);
    let said = service.call("PATCH", &path, Some(0), &edit).await;
    assert_eq!((said.status, &said.headers[header::ETAG]), (StatusCode::OK, &"\"1\"".parse().unwrap()), "{said:?}");
    assert_eq!((&said.body["description"], &said.body["owners"]), (&"All\norders".into(), &json!(["Ada"])));
    assert_eq!(said.body["certificate"], edit["certificate"]);
    assert_eq!(service.call("PATCH", &path, Some(0), &edit).await.status.as_u16(), 412);
    let less = service.call("PATCH", &path, Some(1), &json!({ "certificate": null, "description": null })).await.body;
    assert_eq!((less.get("certificate"), less.get("description"), &less["tags"]), (None, None, &json!(["gold"])));
    let column = format!("{path}%2Fcustomer");
    assert_eq!(service.call("PATCH", &column, Some(0), &json!({ "description": "Who" })).await.body["path"], "customer");
    let asset = get(&service, "assets", &name("c/sales/orders")).await.body;
    assert_eq!(asset["enrichment"].as_array().unwrap().len(), 2);
    let log = service.get("/api/v1/audit?action=enrichment.update").await;
    assert_eq!(log.body["items"].as_array().unwrap().len(), 3, "{log:?}");
}

#[tokio::test]
async fn what_cannot_be_said_is_refused_by_field() {
    let service = service().await;
    let path = format!("/api/v1/assets/enrichment?qualifiedName={}", encoded(&name("c/sales/orders")));
    for (edit, field) in [
        (json!({ "description": "a\u{0}b" }), "description"),
        (json!({ "description": "a".repeat(20_001) }), "description"),
        (json!({ "owners": ["Ada", " "] }), "owners[1]"),
        (json!({ "tags": vec!["a"; 51] }), "tags"),
        (json!({ "tags": ["two\nlines"] }), "tags[0]"),
        (json!({ "certificate": { "status": "verified", "message": "a".repeat(2001) } }), "certificate.message"),
    ] {
        let refused = service.call("PATCH", &path, Some(0), &edit).await;
        assert_eq!((refused.status.as_u16(), refused.body["errors"][0]["field"].as_str()), (422, Some(field)), "{refused:?}");
    }
    for edit in [json!({ "certificate": { "status": "gold" } }), json!({ "unknown": 1 }), json!({ "tags": "gold" }), json!([])] {
        assert_eq!(service.call("PATCH", &path, Some(0), &edit).await.status.as_u16(), 422, "{edit}");
    }
    let derived = format!("/api/v1/assets/enrichment?qualifiedName={}", encoded("s3://lake/orders"));
    assert_eq!(service.get(&derived).await.body["version"], 0);
    assert_eq!(service.call("PATCH", &derived, Some(0), &json!({ "tags": [] })).await.status.as_u16(), 409);
}

#[tokio::test]
async fn members_may_say_something_and_viewers_may_only_look() {
    let service = service().await;
    let path = format!("/api/v1/assets/enrichment?qualifiedName={}", encoded(&name("c/sales/orders")));
    for (user, role, scope, expected) in
        [("ada", "member", "write", 200), ("eve", "member", "read", 403), ("bob", "viewer", "read", 403)]
    {
        add_user(&service, user, role).await;
        let browser = Browser::of(&service, user).await;
        assert_eq!(browser.call(&service, "GET", &path, &Value::Null).await.status, StatusCode::OK, "{role}");
        let made = browser.call(&service, "POST", "/api/v1/tokens", &json!({ "name": "mine", "scopes": [scope] })).await;
        let request = with_token(Request::patch(&path), made.body["token"].as_str().unwrap()).header(header::IF_MATCH, "*");
        let request = request.header(header::CONTENT_TYPE, "application/json").body(Body::from(r#"{"tags":["a"]}"#)).unwrap();
        assert_eq!(service.send(request).await.status.as_u16(), expected, "{role} {scope}");
    }
}

#[tokio::test]
async fn names_that_stand_for_nothing_are_404_and_no_names_are_400() {
    let service = service().await;
    let long = "a/".repeat(5000);
    for path in ["assets", "assets/children", "assets/columns", "assets/history", "assets/enrichment", "lineage"] {
        for of in
            ["nothing", "default/glue/1/c/sales/none", "default/glue/9", "/", "//", "\0", "s3://", "arn:aws:glue:x", "日本", "%"]
        {
            let refused = get(&service, path, of).await;
            assert_eq!(refused.status, StatusCode::NOT_FOUND, "{path} {of:?} {refused:?}");
        }
        for query in [format!("qualifiedName={}", &long), "qualifiedName=".to_owned()] {
            assert_eq!(service.get(&format!("/api/v1/{path}?{query}")).await.status.as_u16(), 400, "{path}");
        }
        if path != "assets/children" {
            assert_eq!(service.get(&format!("/api/v1/{path}")).await.status.as_u16(), 400, "{path}");
        }
    }
}

#[tokio::test]
async fn what_a_person_types_is_found_or_could_be_several_things() {
    let service = service().await;
    let find = async |typed: &str| service.get(&format!("/api/v1/assets/find?name={}", encoded(typed))).await;
    let orders = find("sales/orders").await.body;
    assert_eq!(
        (&orders["found"]["qualifiedName"], &orders["candidates"]),
        (&name("c/sales/orders").into(), &json!([])),
        "{orders}"
    );
    let column = find(&name("c/sales/orders/customer")).await.body;
    assert_eq!(column["found"]["typeName"], "Column");
    let similar = find("order").await.body;
    assert!(similar["found"].is_null() && !similar["candidates"].as_array().unwrap().is_empty(), "{similar}");
    assert_eq!(find("nothing-is-called-so").await.body, json!({"candidates": []}));
    for wrong in [String::new(), "x".repeat(8193)] {
        assert_eq!(find(&wrong).await.status, StatusCode::BAD_REQUEST);
    }
}

#[tokio::test]
async fn a_difference_comes_in_pages_that_together_are_the_whole() {
    let service = service().await;
    let whole = service.get("/api/v1/diff?from=1&to=2").await;
    let mut names = list(&whole, "qualifiedName");
    let (mut paged, mut path) = (Vec::new(), "/api/v1/diff?from=1&to=2&limit=1".to_owned());
    loop {
        let page = service.get(&path).await;
        paged.extend(list(&page, "qualifiedName"));
        let Some(cursor) = page.body["nextCursor"].as_str() else { break };
        path = format!("/api/v1/diff?from=1&to=2&limit=1&cursor={cursor}");
    }
    names.sort();
    paged.sort();
    assert!(names.len() > 1 && whole.body["nextCursor"].is_null(), "{whole:?}");
    assert_eq!(paged, names);
}
