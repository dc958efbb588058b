//! Google's Secret Manager: its ways to sign in, names, checksums, and what its answers mean.

use std::path::Path;

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::harness::{context, open, pairs, try_open};
use super::server::{Reply, Seen, Server};
use crate::check;

const SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";

fn settings(server: &Server, more: &str) -> String {
    let url = server.url();
    format!("kind = \"google-secret-manager\"\nproject = \"p-1\"\nendpoint-url = \"{url}\"\nmetadata-url = \"{url}\"\n{more}")
}

fn payload(value: &str) -> Reply {
    Reply::json(200, &json!({ "payload": { "data": STANDARD.encode(value) } }))
}

fn metadata_token() -> Reply {
    Reply::json(200, &json!({ "access_token": "t-1", "expires_in": 3599, "token_type": "Bearer" }))
        .header("metadata-flavor", "Google")
}

/// The value of every secret is the path that it was asked at; tokens are given to everybody.
fn service(seen: &Seen) -> Reply {
    match seen.line.as_str() {
        line if line.contains("/secrets/") && seen.header("authorization") == "Bearer t-1" => payload(line),
        line if line.ends_with(":generateAccessToken") => {
            Reply::json(200, &json!({ "accessToken": "t-1", "expireTime": "2026-01-01T00:00:00Z" }))
        }
        line if line.contains("token") => metadata_token(),
        line => Reply::new(418, line),
    }
}

async fn credentials(folder: &Path, content: &Value) -> String {
    let path = folder.join("credentials.json");
    std::fs::write(&path, content.to_string()).unwrap();
    format!("credentials-file = {path:?}")
}

#[tokio::test]
async fn a_name_is_short_or_whole_and_has_the_latest_version_unless_it_says_otherwise() {
    let server = Server::start(service).await;
    let opened = open(&settings(&server, ""), &[]).await;
    for (name, path) in [
        ("aws-key", "/v1/projects/p-1/secrets/aws-key/versions/latest:access"),
        ("aws-key/versions/3", "/v1/projects/p-1/secrets/aws-key/versions/3:access"),
        ("projects/p-2/secrets/aws_key", "/v1/projects/p-2/secrets/aws_key/versions/latest:access"),
        ("projects/p-2/secrets/aws_key/versions/7", "/v1/projects/p-2/secrets/aws_key/versions/7:access"),
    ] {
        assert_eq!(opened.entries(&[name]).await.unwrap(), pairs(&[(name, &format!("GET {path}"))]));
    }
    let asked = server.seen().remove(0);
    assert_eq!(asked.line, "GET /computeMetadata/v1/instance/service-accounts/default/token");
    assert_eq!(asked.header("metadata-flavor"), "Google");
    for name in ["a/b", "projects/p-2/secrets/a/versions", "a b", "..", "projects/../secrets/a", "projects/p/locations/l/secrets/a"]
    {
        assert_eq!(opened.entries(&[name]).await.unwrap_err().category(), "misconfigured", "{name}");
    }
    let regional = open(&settings(&server, "location = \"europe-west3\""), &[]).await;
    let path = "GET /v1/projects/p-1/locations/europe-west3/secrets/a/versions/latest:access";
    assert_eq!(regional.entries(&["a"]).await.unwrap(), pairs(&[("a", path)]));
    let without_project = settings(&server, "").replace("project = \"p-1\"\n", "");
    assert_eq!(open(&without_project, &[]).await.entries(&["a"]).await.unwrap_err().category(), "misconfigured");
    let by_variable = open(&without_project, &[("GOOGLE_CLOUD_PROJECT", "p-3")]).await;
    assert!(by_variable.entries(&["a"]).await.unwrap()["a"].contains("/projects/p-3/"));
}

#[tokio::test]
async fn a_payload_must_have_the_checksum_that_comes_with_it() {
    // The CRC-32C of "123456789", as the catalogue of CRC algorithms has it.
    for (checksum, category) in [("3808858755", None), ("3808858756", Some("malformed")), ("x", Some("malformed"))] {
        let server = Server::start(move |seen: &Seen| match seen.line.contains("/secrets/") {
            true => Reply::json(200, &json!({ "payload": { "data": STANDARD.encode("123456789"), "dataCrc32c": checksum } })),
            false => metadata_token(),
        })
        .await;
        let found = open(&settings(&server, ""), &[]).await.entries(&["a"]).await;
        assert_eq!(found.as_ref().err().map(crate::SecretError::category), category, "{found:?}");
    }
}

#[tokio::test]
async fn a_service_accounts_key_signs_an_assertion_for_a_token() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(service).await;
    let token_uri = format!("{}/token", server.url());
    let key = KeyPair::generate(KeySize::Rsa2048).unwrap();
    let pkcs8 = key.as_der().unwrap();
    let pem = format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", STANDARD.encode(pkcs8.as_ref()));
    let file = json!({
        "type": "service_account", "client_email": "crawl@p-1.iam.gserviceaccount.com", "private_key_id": "k-1", "private_key": pem,
        "token_uri": token_uri, "client_id": "1"
    });
    let text = settings(&server, &credentials(folder.path(), &file).await);
    open(&text, &[]).await.entries(&["a"]).await.unwrap();

    let asked = server.seen().remove(0);
    assert_eq!(asked.line, "POST /token");
    let form = asked.form();
    assert_eq!(form["grant_type"], "urn:ietf:params:oauth:grant-type:jwt-bearer");
    let parts: Vec<_> = form["assertion"].split('.').collect();
    let part = |index: usize| serde_json::from_slice::<Value>(&URL_SAFE_NO_PAD.decode(parts[index]).unwrap()).unwrap();
    assert_eq!(part(0), json!({ "alg": "RS256", "typ": "JWT", "kid": "k-1" }));
    let (iat, exp) = (1_700_000_000, 1_700_000_300);
    let claims = json!({ "iss": "crawl@p-1.iam.gserviceaccount.com", "scope": SCOPE, "aud": token_uri, "iat": iat, "exp": exp });
    assert_eq!(part(1), claims);
    let public = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, key.public_key());
    let signature = URL_SAFE_NO_PAD.decode(parts[2]).unwrap();
    let signed = format!("{}.{}", parts[0], parts[1]);
    public.verify(signed.as_bytes(), &signature).unwrap();
}

#[tokio::test]
async fn a_federated_token_is_exchanged_and_then_stands_for_a_service_account() {
    let folder = tempfile::tempdir().unwrap();
    for (format, content) in [
        (json!({ "type": "json", "subject_token_field_name": "id_token" }), json!({ "id_token": "jwt-1", "other": 1 }).to_string()),
        (json!({ "type": "text" }), "jwt-1\n".to_owned()),
    ] {
        let server = Server::start(service).await;
        std::fs::write(folder.path().join("subject"), content).unwrap();
        let url = server.url();
        let file = json!({
            "type": "external_account", "audience": "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/a/providers/b",
            "subject_token_type": "urn:ietf:params:oauth:token-type:jwt", "token_url": format!("{url}/v1/token"),
            "service_account_impersonation_url": format!("{url}/v1/projects/-/serviceAccounts/crawl@p-1:generateAccessToken"),
            "credential_source": { "file": folder.path().join("subject"), "format": format }
        });
        let text = settings(&server, &credentials(folder.path(), &file).await);
        open(&text, &[]).await.entries(&["a"]).await.unwrap();
        let seen = server.seen();
        assert_eq!(seen[0].line, "POST /v1/token");
        let exchange = [
            ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
            ("audience", "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/a/providers/b"),
            ("scope", SCOPE),
            ("requested_token_type", "urn:ietf:params:oauth:token-type:access_token"),
            ("subject_token_type", "urn:ietf:params:oauth:token-type:jwt"),
            ("subject_token", "jwt-1"),
        ];
        assert_eq!(seen[0].form(), pairs(&exchange));
        assert_eq!(seen[1].line, "POST /v1/projects/-/serviceAccounts/crawl@p-1:generateAccessToken");
        assert_eq!(seen[1].header("authorization"), "Bearer t-1");
        assert_eq!(serde_json::from_str::<Value>(&seen[1].body).unwrap(), json!({ "scope": [SCOPE], "lifetime": "600s" }));
    }
}

#[tokio::test]
async fn credentials_that_cannot_be_used_are_misconfigured_and_not_quoted() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(service).await;
    let account =
        |key: &str, uri: &str| json!({ "type": "service_account", "client_email": "a", "private_key": key, "token_uri": uri });
    let source = |source: Value| json!({ "type": "external_account", "audience": "a", "subject_token_type": "b", "token_url": server.url(), "credential_source": source });
    for content in [
        account("hunter2", &server.url()),
        account("hunter2", "http://token.example"),
        json!({ "type": "service_account", "private_key": ["hunter2"] }),
        json!({ "type": "authorized_user", "refresh_token": "hunter2" }),
        json!(["hunter2"]),
        source(json!({ "url": "http://169.254.169.254/hunter2" })),
        source(json!({ "file": "/does/not/exist" })),
    ] {
        let text = settings(&server, &credentials(folder.path(), &content).await);
        let error = open(&text, &[]).await.entries(&["a"]).await.unwrap_err();
        assert_eq!(error.category(), "misconfigured", "{content}: {error}");
        assert!(!format!("{error} {error:?}").contains("hunter2"), "{error}");
    }
    assert!(server.seen().is_empty());
    let text = settings(&server, "").replace(&format!("metadata-url = \"{}\"", server.url()), "metadata-url = \"http://10.0.0.1\"");
    assert_eq!(try_open(&text, context(&[])).await.err().unwrap().category(), "misconfigured");
}

#[tokio::test]
async fn each_answer_of_secret_manager_means_what_its_documentation_says() {
    for (code, status, reason, category, says, is_ready) in [
        (401, "UNAUTHENTICATED", "ACCESS_TOKEN_TYPE_UNSUPPORTED", "denied", "credentials", false),
        (403, "PERMISSION_DENIED", "IAM_PERMISSION_DENIED", "denied", "Secret Accessor", true),
        (403, "PERMISSION_DENIED", "SERVICE_DISABLED", "denied", "enable", false),
        (404, "NOT_FOUND", "", "missing", "version", true),
        (400, "FAILED_PRECONDITION", "", "missing", "disabled or destroyed", false),
        (400, "INVALID_ARGUMENT", "", "malformed", "INVALID_ARGUMENT", false),
        (429, "RESOURCE_EXHAUSTED", "", "unreachable", "429", false),
    ] {
        let answer = move |seen: &Seen| match seen.line.contains("/secrets/") {
            true => Reply::json(code, &json!({ "error": { "code": code, "status": status, "details": [{ "reason": reason }] } })),
            false => metadata_token(),
        };
        let server = Server::start(answer).await;
        let opened = open(&settings(&server, ""), &[]).await;
        let error = opened.entries(&["a"]).await.unwrap_err();
        assert_eq!(error.category(), category, "{code} {reason}: {error}");
        assert!(error.to_string().contains(says), "{code} {reason}: {error}");
        assert_eq!(check(opened.store()).await.word() == "ready", is_ready, "{code} {reason}");
    }
}

#[tokio::test]
async fn what_answers_without_the_name_of_the_metadata_server_has_no_token_for_us() {
    let server = Server::start(|_| Reply::json(200, &json!({ "access_token": "t-1" }))).await;
    let error = open(&settings(&server, ""), &[]).await.entries(&["a"]).await.unwrap_err();
    assert_eq!((error.category(), server.seen().len()), ("malformed", 1));
    let refused = Server::start(|_| Reply::json(400, &json!({ "error": "invalid_grant" }))).await;
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("subject"), "jwt").unwrap();
    let file = json!({
        "type": "external_account", "audience": "a", "subject_token_type": "b", "token_url": refused.url(),
        "credential_source": { "file": folder.path().join("subject") }
    });
    let error = open(&settings(&refused, &credentials(folder.path(), &file).await), &[]).await.entries(&["a"]).await.unwrap_err();
    assert_eq!(error.category(), "denied");
    assert!(error.to_string().contains("invalid_grant"), "{error}");
}
