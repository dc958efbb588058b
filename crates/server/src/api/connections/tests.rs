//! Connections over HTTP: who makes them, what is refused, how they are changed and removed, and what the source is asked.

use axum::body::Body;
use http::{Request, StatusCode};
use serde_json::{Value, json};
use store::{ConnectionId, ConnectionSpec, NewToken, NewUser, Role, UserId};

use crate::api::hash_of;
use crate::api::testing::{Answered, Service, system, with_token};
use crate::config::{Config, Crawl};

const PATH: &str = "/api/v1/connections";
const MEMBER: &str = "a token of a member, of forty letters...";

fn lake(name: &str) -> Value {
    json!({ "name": name, "connector": "glue", "region": "eu-west-1" })
}

fn field(answered: &Answered) -> &Value {
    &answered.body["errors"][0]["field"]
}

/// A user with a token.
async fn member(service: &Service) -> UserId {
    let new = NewUser { name: "Ada".into(), display_name: None, email: None, role: Role::Member, password: None, identity: None };
    let user = service.app.store.create_user(&new, &system(), 0).await.unwrap();
    let scopes = r#"["read","write"]"#.into();
    let token = NewToken { user: user.id, name: "t".into(), hash: hash_of(MEMBER), scopes, expires_ms: None };
    service.app.store.create_token(&token, &system(), 0).await.unwrap();
    user.id
}

async fn as_member(service: &Service, method: &str, path: &str, body: &Value) -> Answered {
    let request = with_token(Request::builder().method(method).uri(path), MEMBER);
    let request = request.header("content-type", "application/json").header("if-match", "*");
    service.send(request.body(Body::from(body.to_string())).unwrap()).await
}

#[tokio::test]
async fn a_connection_is_made_read_and_changed_by_version_and_keeps_an_administrator() {
    let service = Service::start().await;
    let made = service.call("POST", PATH, None, &lake("lake")).await;
    assert_eq!(
        (made.status, &made.headers["location"]),
        (StatusCode::CREATED, &"/api/v1/connections/1".parse().unwrap()),
        "{made:?}"
    );
    assert_eq!(
        (&made.body["state"], &made.body["runsOn"], &made.body["administrators"]),
        (&json!("active"), &json!("direct"), &json!(["1"]))
    );
    let number = made.body["number"].as_u64().unwrap();
    assert_eq!(made.body["qualifiedName"], format!("default/glue/{number}"));
    let path = format!("{PATH}/1");
    assert_eq!(service.get(&path).await.body, made.body);

    let edit = json!({ "name": "lake house", "description": "all of it", "runsOn": "vpc" });
    assert_eq!(service.call("PATCH", &path, None, &edit).await.status, StatusCode::PRECONDITION_REQUIRED);
    let changed = service.call("PATCH", &path, Some(1), &edit).await;
    assert_eq!(
        (&changed.body["name"], &changed.body["runsOn"], &changed.body["version"]),
        (&json!("lake house"), &json!("vpc"), &json!(2))
    );
    assert_eq!(service.call("PATCH", &path, Some(1), &edit).await.status, StatusCode::PRECONDITION_FAILED);
    let cleared = service.call("PATCH", &path, Some(2), &json!({ "description": null })).await;
    assert_eq!((cleared.body.get("description"), &cleared.body["name"]), (None, &json!("lake house")));
    for (people, named) in
        [(json!([]), "administrators"), (json!(["1", "99"]), "administrators[1]"), (json!(["x"]), "administrators[0]")]
    {
        let refused = service.call("PATCH", &path, Some(3), &json!({ "administrators": people })).await;
        assert_eq!((refused.status, field(&refused)), (StatusCode::UNPROCESSABLE_ENTITY, &json!(named)), "{refused:?}");
    }
}

#[tokio::test]
async fn a_name_that_is_taken_is_409_and_leaves_no_credential_behind() {
    let service = Service::start().await;
    service.call("POST", PATH, None, &lake("lake")).await;
    let mut again = lake("lake");
    again["credential"] = json!({ "authType": "ambient" });
    let refused = service.call("POST", PATH, None, &again).await;
    assert_eq!(refused.status, StatusCode::CONFLICT);
    assert_eq!(refused.body["existing"], json!({ "id": "1", "name": "lake", "href": "/api/v1/connections/1" }));
    assert_eq!(service.get("/api/v1/credentials").await.body, json!({ "items": [] }));
}

#[tokio::test]
async fn what_cannot_be_a_connection_is_422_and_the_field_named() {
    let service = Service::start().await;
    let keys = json!({ "authType": "iam", "username": "x", "password": "canary" });
    let elsewhere = json!({ "authType": "ambient", "extra": { "endpoint_url": "http://169.254.169.254" } });
    for (change, named) in [
        (json!({ "name": " " }), "name"),
        (json!({ "connector": "hive" }), "connector"),
        (json!({ "region": "eu-wset-1" }), "region"),
        (json!({ "region": null }), "region"),
        (json!({ "runsOn": "" }), "runsOn"),
        (json!({ "credentialId": "seven" }), "credentialId"),
        (json!({ "credential": keys }), "credential.username"),
        (json!({ "credential": elsewhere }), "credential.extra.endpoint_url"),
        (json!({ "description": "\u{0}" }), "description"),
    ] {
        let mut body = lake("lake");
        body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        let refused = service.call("POST", PATH, None, &body).await;
        assert_eq!((refused.status, field(&refused)), (StatusCode::UNPROCESSABLE_ENTITY, &json!(named)), "{change}");
        assert!(!format!("{refused:?}").contains("canary"));
    }
}

#[tokio::test]
async fn a_member_does_not_sign_in_with_somebody_elses_credential() {
    let service = Service::start().await;
    member(&service).await;
    let body = json!({"name": "of the administrator", "authType": "role",
        "extra": {"region": "eu-west-1", "aws_role_arn": "arn:aws:iam::111122223333:role/isinglass"}});
    let made = service.call("POST", "/api/v1/credentials", None, &body).await;
    let id = made.body["id"].clone();
    let taken = json!({"name": "taken", "connector": "glue", "region": "eu-west-1", "credentialId": id});
    assert_eq!(as_member(&service, "POST", PATH, &taken).await.status, StatusCode::FORBIDDEN);
    let own = json!({"name": "own", "connector": "glue", "region": "eu-west-1"});
    assert_eq!(as_member(&service, "POST", PATH, &own).await.status, StatusCode::CREATED);
    let edited = as_member(&service, "PATCH", &format!("{PATH}/1"), &json!({"credentialId": id})).await;
    assert_eq!(edited.status, StatusCode::FORBIDDEN, "{edited:?}");
    let given = service.call("POST", PATH, None, &taken).await;
    assert_eq!(given.status, StatusCode::CREATED, "{given:?}");
}

#[tokio::test]
async fn a_member_makes_connections_and_changes_their_own_only() {
    let service = Service::start().await;
    let ada = member(&service).await;
    service.call("POST", PATH, None, &lake("of the administrator")).await;
    let own = as_member(&service, "POST", PATH, &lake("of Ada")).await;
    assert_eq!((own.status, &own.body["administrators"]), (StatusCode::CREATED, &json!([ada.to_string()])), "{own:?}");
    let edit = json!({ "description": "x" });
    assert_eq!(as_member(&service, "PATCH", &format!("{PATH}/2"), &edit).await.status, StatusCode::OK);
    for (method, path) in [("PATCH", "1"), ("DELETE", "1?assets=purge"), ("POST", "1/preflight"), ("POST", "1/test-sign-in")] {
        let refused = as_member(&service, method, &format!("{PATH}/{path}"), &edit).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN, "{method} {path}");
    }
}

#[tokio::test]
async fn a_connection_is_archived_and_purged_with_its_workflows_but_not_while_it_has_a_run() {
    let service = Service::start().await;
    service.call("POST", PATH, None, &lake("lake")).await;
    service.call("POST", "/api/v1/workflows", None, &json!({ "name": "nightly", "connectionId": "1" })).await;
    let run = service.call("POST", "/api/v1/workflows/1/runs", None, &json!({})).await;
    let refused = service.call("DELETE", &format!("{PATH}/1?assets=purge"), None, &json!({})).await;
    assert_eq!((refused.status, &refused.body["existing"]["id"]), (StatusCode::CONFLICT, &run.body["id"]), "{refused:?}");
    let cancelled =
        service.call("POST", &format!("/api/v1/runs/{}/cancel", run.body["id"].as_str().unwrap()), None, &json!({})).await;
    assert_eq!(cancelled.status, StatusCode::ACCEPTED, "{cancelled:?}");

    let archived = service.call("DELETE", &format!("{PATH}/1?assets=archive"), None, &json!({})).await;
    assert_eq!((archived.status, &archived.body["state"]), (StatusCode::ACCEPTED, &json!("archived")), "{archived:?}");
    assert_eq!(service.get("/api/v1/workflows/1").await.body["pausedAt"], archived.body["archivedAt"]);
    let purged = service.call("DELETE", &format!("{PATH}/1?assets=purge"), None, &json!({})).await;
    assert_eq!((purged.status, &purged.body["state"]), (StatusCode::ACCEPTED, &json!("purged")));
    assert_eq!(service.get(&format!("{PATH}/1")).await.status, StatusCode::NOT_FOUND);
    assert_eq!(service.get("/api/v1/workflows/1").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_command_line_that_crawls_is_waited_for_and_one_that_was_killed_is_not() {
    let service = Service::start().await;
    let store = &service.app.store;
    let spec = ConnectionSpec { name: "prod".into(), connector: "glue", number: None, region: None, account: None };
    let connection = store.connection(&spec, 5).await.unwrap();
    let crawling = store.begin_run(&connection, "{}", 5).await.unwrap();
    let path = format!("{PATH}/1?assets=archive");
    assert_eq!(service.call("DELETE", &path, None, &json!({})).await.status, StatusCode::CONFLICT);
    drop(crawling);
    assert_eq!(service.call("DELETE", &path, None, &json!({})).await.body["state"], "archived");
    assert_eq!(store.managed_connection(ConnectionId(1)).await.unwrap().removal, None);
}

#[tokio::test]
async fn the_source_is_asked_whether_the_credentials_work_and_what_there_is() {
    aws::install_default_provider();
    let simulation = sim::Simulation::builder().start().await.unwrap();
    let crawl = Crawl { allowed_endpoint_urls: vec![simulation.endpoint()], ..Crawl::default() };
    let service = Service::start_with(Config { crawl, ..Config::default() }).await;
    let keys = simulation.keys();
    let extra = json!({ "endpoint_url": simulation.endpoint() });
    let mut body = lake("lake");
    body["credential"] =
        json!({ "authType": "iam", "username": keys.access_key_id, "password": keys.secret_access_key, "extra": extra });
    let made = service.call("POST", PATH, None, &body).await;
    assert_eq!((made.status, &made.body["credentialId"]), (StatusCode::CREATED, &json!("1")), "{made:?}");

    let signed_in = service.call("POST", &format!("{PATH}/1/test-sign-in"), None, &json!({})).await;
    assert_eq!((signed_in.status, &signed_in.body["check"]["state"]), (StatusCode::OK, &json!("passed")), "{signed_in:?}");
    assert!(signed_in.body["account"].is_string());
    let checked = service.call("POST", &format!("{PATH}/1/preflight"), None, &json!({})).await;
    assert_eq!((checked.status, &checked.body["checks"][0]["name"]), (StatusCode::OK, &json!("sign-in")), "{checked:?}");
    let databases = service.get(&format!("{PATH}/1/databases")).await;
    assert!(!databases.body["catalogs"][0]["databases"].as_array().unwrap().is_empty(), "{databases:?}");
}

#[tokio::test]
async fn a_connection_of_a_runtime_that_is_not_there_says_so_at_once() {
    let service = Service::start().await;
    let mut body = lake("lake");
    body["runsOn"] = json!("vpc");
    service.call("POST", PATH, None, &body).await;
    let refused = service.call("POST", &format!("{PATH}/1/test-sign-in"), None, &json!({})).await;
    assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(refused.body["detail"].as_str().unwrap().contains("no runtime is enrolled as `vpc`"), "{refused:?}");
}
