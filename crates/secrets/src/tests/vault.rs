//! Vault: its two engines, its ways to sign in, and what its answers mean.

use serde_json::json;

use super::harness::{context, open, pairs, try_open};
use super::server::{Reply, Seen, Server};
use crate::{CheckOutcome, check};

fn settings(server: &Server, more: &str) -> String {
    format!("kind = \"vault\"\naddress = \"{}\"\n{more}", server.url())
}

const TOKEN: (&str, &str) = ("VAULT_TOKEN", "hvs.token");

fn mount(kind: &str, options: &serde_json::Value) -> Reply {
    Reply::json(200, &json!({ "data": { "type": kind, "path": "kv/", "options": options } }))
}

#[tokio::test]
async fn the_version_of_the_engine_is_asked_once_for_a_reference_and_decides_the_path() {
    for (version, path, body) in [
        (json!({ "version": "2" }), "GET /v1/kv/team/data/aws/prod", json!({ "data": { "data": { "id": "AKIA1" } } })),
        (json!({ "version": "1" }), "GET /v1/kv/team/aws/prod", json!({ "data": { "id": "AKIA1" } })),
        (json!(null), "GET /v1/kv/team/aws/prod", json!({ "data": { "id": "AKIA1" } })),
    ] {
        let server = Server::start(move |seen: &Seen| match seen.line.as_str() {
            "GET /v1/sys/internal/ui/mounts/kv/team" => mount("kv", &version),
            line if line == path => Reply::json(200, &body),
            line => Reply::new(418, line),
        })
        .await;
        let opened = open(&settings(&server, "mount = \"/kv/team/\""), &[TOKEN]).await;
        assert_eq!(opened.keys("aws/prod", &["id"]).await.unwrap(), pairs(&[("id", "AKIA1")]));
        assert_eq!(server.lines(), ["GET /v1/sys/internal/ui/mounts/kv/team", path]);
    }
}

#[tokio::test]
async fn a_mount_that_is_no_key_value_engine_is_misconfigured_and_one_that_vault_hides_is_denied() {
    for (reply, category) in [
        (mount("transit", &json!(null)), "misconfigured"),
        (Reply::json(404, &json!({ "errors": [] })), "misconfigured"),
        (Reply::json(403, &json!({ "errors": ["preflight capability check returned 403"] })), "denied"),
    ] {
        let server = Server::start(move |_| reply.clone()).await;
        let opened = open(&settings(&server, ""), &[TOKEN]).await;
        assert_eq!(opened.keys("aws", &["id"]).await.unwrap_err().category(), category);
    }
}

#[tokio::test]
async fn every_request_has_the_headers_of_vault() {
    let server = Server::start(|_| Reply::json(200, &json!({ "data": { "id": "AKIA1" } }))).await;
    let opened = open(&settings(&server, "kv-version = 1\nnamespace = \"/admin/crawl/\""), &[TOKEN]).await;
    opened.keys("aws", &["id"]).await.unwrap();
    let seen = server.seen().remove(0);
    assert_eq!((seen.header("x-vault-token"), seen.header("x-vault-namespace")), ("hvs.token", "admin/crawl"));
    assert_eq!((seen.header("x-vault-request"), seen.header("accept")), ("true", "application/json"));
    assert_eq!(seen.header("user-agent"), concat!("isinglass/", env!("CARGO_PKG_VERSION")));

    let url = server.url();
    let variables = [TOKEN, ("VAULT_ADDR", url.as_str()), ("VAULT_NAMESPACE", "n")];
    open("kind = \"vault\"\nkv-version = 1", &variables).await.keys("aws", &["id"]).await.unwrap();
    assert_eq!(server.seen().remove(1).header("x-vault-namespace"), "n");
}

#[tokio::test]
async fn approle_and_kubernetes_sign_in_with_their_own_form() {
    let folder = tempfile::tempdir().unwrap();
    let jwt = folder.path().join("token");
    std::fs::write(&jwt, "jwt-1\n").unwrap();
    for (sign_in, path, body) in [
        (
            "{ method = \"approle\", role-id = \"r\", secret-id = { env = \"SECRET_ID\" } }".to_owned(),
            "POST /v1/auth/approle/login",
            json!({ "role_id": "r", "secret_id": "s-1" }),
        ),
        (
            "{ method = \"approle\", mount = \"team/app\", role-id = \"r\" }".to_owned(),
            "POST /v1/auth/team/app/login",
            json!({ "role_id": "r" }),
        ),
        (
            format!("{{ method = \"kubernetes\", role = \"crawl\", token-file = {jwt:?} }}"),
            "POST /v1/auth/kubernetes/login",
            json!({ "role": "crawl", "jwt": "jwt-1" }),
        ),
    ] {
        let server = Server::start(|seen: &Seen| match seen.line.split(' ').next() {
            Some("POST") => Reply::json(200, &json!({ "auth": { "client_token": "hvs.t1", "lease_duration": 3600 } })),
            _ => Reply::json(200, &json!({ "data": { "id": seen.header("x-vault-token") } })),
        })
        .await;
        let opened = open(&settings(&server, &format!("kv-version = 1\nsign-in = {sign_in}")), &[("SECRET_ID", "s-1")]).await;
        for _ in 0..2 {
            assert_eq!(opened.keys("aws", &["id"]).await.unwrap(), pairs(&[("id", "hvs.t1")]));
        }
        let signed_in = server.seen().remove(0);
        assert_eq!(signed_in.line, path);
        assert_eq!(serde_json::from_str::<serde_json::Value>(&signed_in.body).unwrap(), body);
        assert_eq!((signed_in.header("content-type"), signed_in.header("x-vault-token")), ("application/json", ""));
        assert_eq!(server.lines().iter().filter(|line| *line == path).count(), 2, "the token is dropped after each reference");
    }
}

#[tokio::test]
async fn a_token_file_is_read_for_every_use() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    std::fs::write(&file, "hvs.old\n").unwrap();
    let server = Server::start(|seen: &Seen| Reply::json(200, &json!({ "data": { "id": seen.header("x-vault-token") } }))).await;
    let sign_in = format!("kv-version = 1\nsign-in = {{ method = \"token\", token = {{ file = {file:?} }} }}");
    let opened = open(&settings(&server, &sign_in), &[]).await;
    assert_eq!(opened.entries(&["aws"]).await.unwrap()["aws"], "hvs.old");
    std::fs::write(&file, "hvs.new").unwrap();
    assert_eq!(opened.entries(&["aws"]).await.unwrap()["aws"], "hvs.new");
    for content in ["", "two\nlines"] {
        std::fs::write(&file, content).unwrap();
        assert_eq!(opened.entries(&["aws"]).await.unwrap_err().category(), "misconfigured", "{content:?}");
    }
    std::fs::remove_file(&file).unwrap();
    assert_eq!(opened.entries(&["aws"]).await.unwrap_err().category(), "misconfigured");
}

#[tokio::test]
async fn each_answer_of_vault_means_what_its_documentation_says() {
    let data = json!({ "data": { "data": null, "metadata": { "deletion_time": "2026-01-01T00:00:00Z" } } });
    for (status, body, category, says) in [
        (404, json!({ "errors": [] }), "missing", "404"),
        (404, data.clone(), "missing", "deleted"),
        (200, data, "missing", "deleted"),
        (
            404,
            json!({ "errors": ["no handler for route \"secret/data/aws\". route entry not found."] }),
            "misconfigured",
            "secret/",
        ),
        (403, json!({ "errors": ["1 error occurred:\n\t* permission denied\n\n"] }), "denied", "policy"),
        (503, json!({ "errors": ["Vault is sealed"] }), "unreachable", "unseal"),
        (500, json!({ "errors": ["local node not active but active cluster node not found"] }), "unreachable", "standby"),
        (502, json!(null), "unreachable", "502"),
        (400, json!({ "errors": ["odd"] }), "malformed", "400"),
    ] {
        let server = Server::start(move |_| Reply::json(status, &body)).await;
        let error = open(&settings(&server, "kv-version = 2"), &[TOKEN]).await.keys("aws", &["id"]).await.unwrap_err();
        assert_eq!(error.category(), category, "{status}: {error}");
        assert!(error.to_string().contains(says), "{status}: {error}");
    }
}

#[tokio::test]
async fn a_sign_in_that_is_mounted_elsewhere_is_misconfigured_and_a_refused_token_is_denied_by_the_check() {
    let server = Server::start(|_| Reply::json(404, &json!({ "errors": ["no handler for route \"auth/approle/login\""] }))).await;
    let opened = open(&settings(&server, "sign-in = { method = \"approle\", role-id = \"r\" }"), &[]).await;
    assert_eq!(opened.keys("aws", &["id"]).await.unwrap_err().category(), "misconfigured");

    let server = Server::start(|_| Reply::json(403, &json!({ "errors": ["permission denied"] }))).await;
    let opened = open(&settings(&server, ""), &[TOKEN]).await;
    assert!(matches!(check(opened.store()).await, CheckOutcome::Denied(_)));
    assert_eq!(server.lines(), ["GET /v1/auth/token/lookup-self"]);
    let without_token = open(&settings(&server, ""), &[]).await;
    assert!(matches!(check(without_token.store()).await, CheckOutcome::Misconfigured(_)));
}

#[tokio::test]
async fn paths_that_lead_elsewhere_are_refused_and_odd_names_stay_one_segment() {
    let server = Server::start(|_| Reply::json(200, &json!({ "data": { "id": "AKIA1" } }))).await;
    let opened = open(&settings(&server, "kv-version = 1"), &[TOKEN]).await;
    for path in ["../sys/seal", "a//b", "a/./b", "a/..", "a\nb", "/"] {
        assert_eq!(opened.keys(path, &["id"]).await.unwrap_err().category(), "misconfigured", "{path:?}");
    }
    opened.keys("/team/a b?list=true#x%2e/", &["id"]).await.unwrap();
    assert_eq!(server.lines(), ["GET /v1/secret/team/a%20b%3Flist=true%23x%252e"]);
    for address in ["http://vault.example:8200", "https://user:pass@vault.example", "vault.example"] {
        let text = format!("kind = \"vault\"\naddress = \"{address}\"");
        assert_eq!(try_open(&text, context(&[])).await.err().unwrap().category(), "misconfigured", "{address}");
    }
    assert_eq!(try_open("kind = \"vault\"", context(&[])).await.err().unwrap().category(), "misconfigured");
}
