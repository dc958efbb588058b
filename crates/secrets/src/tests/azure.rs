//! Azure Key Vault: its ways to sign in, and what its answers mean.

use serde_json::json;

use super::harness::{context, open, pairs, try_open};
use super::server::{Reply, Seen, Server};
use crate::check;

fn settings(server: &Server, sign_in: &str) -> String {
    let url = server.url();
    format!("kind = \"azure-key-vault\"\nvault = \"prod\"\nvault-url = \"{url}\"\nauthority-url = \"{url}\"\nsign-in = {sign_in}")
}

/// Gives the token `t-1` to whoever asks for one, and the value `v` for every secret.
fn service(seen: &Seen) -> Reply {
    if seen.line.contains("/secrets/") {
        let is_signed_in = seen.header("authorization") == "Bearer t-1";
        return if is_signed_in { Reply::json(200, &json!({ "value": "v" })) } else { Reply::new(418, "") };
    }
    Reply::json(200, &json!({ "access_token": "t-1", "expires_in": "3599", "token_type": "Bearer" }))
}

#[tokio::test]
async fn a_client_secret_and_a_federated_token_are_proofs_of_one_flow() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    std::fs::write(&file, "jwt-1").unwrap();
    let secret = "{ method = \"client-secret\", tenant-id = \"t/1\", client-id = \"c\", client-secret = { env = \"S\" } }";
    let workload = "{ method = \"workload-identity\" }";
    let jwt_bearer = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
    let variables = [
        ("S", "p+s&="),
        ("AZURE_TENANT_ID", "t/1"),
        ("AZURE_CLIENT_ID", "c"),
        ("AZURE_FEDERATED_TOKEN_FILE", file.to_str().unwrap()),
    ];
    let flow = [("grant_type", "client_credentials"), ("client_id", "c"), ("scope", "https://vault.azure.net/.default")];
    for (sign_in, proof) in [
        (secret, vec![("client_secret", "p+s&=")]),
        (workload, vec![("client_assertion_type", jwt_bearer), ("client_assertion", "jwt-1")]),
    ] {
        let server = Server::start(service).await;
        let opened = open(&settings(&server, sign_in), &variables).await;
        assert_eq!(
            opened.entries(&["aws-key", "aws-key/0123abcd"]).await.unwrap(),
            pairs(&[("aws-key", "v"), ("aws-key/0123abcd", "v")])
        );
        let mut lines = server.lines();
        lines[1..].sort();
        assert_eq!(
            lines,
            [
                "POST /t%2F1/oauth2/v2.0/token",
                "GET /secrets/aws-key/0123abcd?api-version=7.4",
                "GET /secrets/aws-key?api-version=7.4"
            ]
        );
        let asked = server.seen().remove(0);
        assert_eq!(asked.form(), pairs(&[&flow[..], &proof[..]].concat()));
        assert_eq!(asked.header("content-type"), "application/x-www-form-urlencoded");
    }
    let incomplete = Server::start(service).await;
    let opened = open(&settings(&incomplete, workload), &[]).await;
    assert_eq!(opened.entries(&["aws-key"]).await.unwrap_err().category(), "misconfigured");
    assert!(incomplete.seen().is_empty());
}

#[tokio::test]
async fn a_managed_identity_is_asked_of_the_metadata_service_or_of_the_host_that_names_an_endpoint() {
    let server = Server::start(service).await;
    let url = server.url();
    let sign_in = format!("{{ method = \"managed-identity\", client-id = \"c-1\", metadata-url = \"{url}\" }}");
    open(&settings(&server, &sign_in), &[]).await.entries(&["aws-key"]).await.unwrap();
    let asked = server.seen().remove(0);
    let query = "resource=https%3A%2F%2Fvault.azure.net&client_id=c-1";
    assert_eq!(asked.line, format!("GET /metadata/identity/oauth2/token?api-version=2018-02-01&{query}"));
    assert_eq!(asked.header("metadata"), "true");

    let server = Server::start(service).await;
    let endpoint = format!("{}/msi/token", server.url());
    let variables = [("IDENTITY_ENDPOINT", endpoint.as_str()), ("IDENTITY_HEADER", "header-1")];
    open(&settings(&server, "{ method = \"managed-identity\" }"), &variables).await.entries(&["aws-key"]).await.unwrap();
    let asked = server.seen().remove(0);
    assert_eq!(asked.line, "GET /msi/token?api-version=2019-08-01&resource=https%3A%2F%2Fvault.azure.net");
    assert_eq!(asked.header("x-identity-header"), "header-1");

    let refused =
        Server::start(|_| Reply::json(400, &json!({ "error": "invalid_request", "error_description": "Identity not found" })))
            .await;
    let sign_in = format!("{{ method = \"managed-identity\", metadata-url = \"{}\" }}", refused.url());
    assert_eq!(open(&settings(&refused, &sign_in), &[]).await.entries(&["aws-key"]).await.unwrap_err().category(), "denied");
}

#[tokio::test]
async fn each_cloud_has_its_own_places() {
    for (cloud, scope) in [
        ("public", "https://vault.azure.net/.default"),
        ("china", "https://vault.azure.cn/.default"),
        ("us-government", "https://vault.usgovcloudapi.net/.default"),
    ] {
        let server = Server::start(service).await;
        let sign_in = "{ method = \"client-secret\", tenant-id = \"t\", client-id = \"c\", client-secret = { env = \"S\" } }";
        let text = format!("{}\ncloud = \"{cloud}\"", settings(&server, sign_in));
        open(&text, &[("S", "s")]).await.entries(&["aws-key"]).await.unwrap();
        assert_eq!(server.seen().remove(0).form()["scope"], scope);
    }
}

#[tokio::test]
async fn each_answer_of_key_vault_means_what_its_documentation_says() {
    for (status, inner, category, says) in [
        (401, "AKV10032", "denied", "tenant"),
        (403, "ForbiddenByRbac", "denied", "Key Vault Secrets User"),
        (403, "ForbiddenByFirewall", "denied", "networking"),
        (403, "SecretDisabled", "missing", "disabled"),
        (404, "SecretNotFound", "missing", "SecretNotFound"),
        (429, "", "unreachable", "429"),
        (400, "BadParameter", "malformed", "BadParameter"),
    ] {
        let answer = move |seen: &Seen| match seen.line.contains("/secrets/") {
            true => Reply::json(status, &json!({ "error": { "code": "Forbidden", "innererror": { "code": inner } } })),
            false => service(seen),
        };
        let server = Server::start(answer).await;
        let sign_in = format!("{{ method = \"managed-identity\", metadata-url = \"{}\" }}", server.url());
        let opened = open(&settings(&server, &sign_in), &[]).await;
        let error = opened.entries(&["aws-key"]).await.unwrap_err();
        assert_eq!(error.category(), category, "{status} {inner}: {error}");
        assert!(error.to_string().contains(says), "{status} {inner}: {error}");
        let ready = matches!(inner, "ForbiddenByRbac" | "SecretNotFound");
        assert_eq!(check(opened.store()).await.word() == "ready", ready, "{status} {inner}");
    }
}

#[tokio::test]
async fn a_refused_sign_in_names_the_code_of_entra_and_an_unknown_tenant_is_misconfigured() {
    for (code, category) in [(7_000_215, "denied"), (90_002, "misconfigured")] {
        let server = Server::start(move |_| Reply::json(400, &json!({ "error": "invalid_request", "error_codes": [code] }))).await;
        let sign_in = "{ method = \"client-secret\", tenant-id = \"t\", client-id = \"c\", client-secret = { env = \"S\" } }";
        let error = open(&settings(&server, sign_in), &[("S", "s")]).await.entries(&["aws-key"]).await.unwrap_err();
        assert_eq!(error.category(), category, "{error}");
        assert!(error.to_string().contains(&format!("AADSTS{code}")) && error.place().entry.is_none(), "{error}");
    }
}

#[tokio::test]
async fn names_that_key_vault_cannot_have_are_misconfigured_and_nothing_is_asked_for_them() {
    let server = Server::start(service).await;
    let sign_in = format!("{{ method = \"managed-identity\", metadata-url = \"{}\" }}", server.url());
    let opened = open(&settings(&server, &sign_in), &[]).await;
    for name in ["team/aws/x", "aws_key", "aws key", "..", "a/", &"a".repeat(128)] {
        assert_eq!(opened.entries(&[name]).await.unwrap_err().category(), "misconfigured", "{name}");
    }
    assert!(server.lines().iter().all(|line| !line.contains("/secrets/")));
    let bad = settings(&server, &sign_in).replace("vault = \"prod\"", "vault = \"prod.vault.azure.net\"");
    assert_eq!(try_open(&bad, context(&[])).await.err().unwrap().category(), "misconfigured");
    let elsewhere = settings(&server, "{ method = \"managed-identity\", metadata-url = \"http://10.0.0.1\" }");
    assert_eq!(open(&elsewhere, &[]).await.entries(&["a"]).await.unwrap_err().category(), "misconfigured");
}
