//! What each vendor's service answers in each situation. Error bodies repeat the canary, so that whatever is passed on of them shows.

use serde_json::{Value, json};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::server::{Reply, Seen};

/// The secret that must never be seen anywhere but in a resolved value.
pub(super) const CANARY: &str = "canaryV9sQ4tZk";
/// The key that holds the canary.
pub(super) const KEY: &str = "secret-access-key";

/// A situation that a store can be in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Situation {
    Found,
    NoEntry,
    Denied,
    SignInRefused,
    Outage,
    Malformed,
    Slow,
    TooLong,
}

/// A kind of store: its settings where the service is at `{url}` and files are in `{folder}`, an entry of it, and its service.
pub(super) struct Kind {
    pub(super) name: &'static str,
    pub(super) settings: &'static str,
    pub(super) variables: &'static [(&'static str, &'static str)],
    pub(super) entry: &'static str,
    pub(super) answer: fn(Situation, &Seen) -> Reply,
}

pub(super) const KINDS: &[Kind] = &[
    Kind {
        name: "aws-secrets-manager",
        settings: "kind = \"aws-secrets-manager\"\nregion = \"eu-west-1\"",
        variables: &[
            ("AWS_ACCESS_KEY_ID", "AKIABASE000000000000"),
            ("AWS_SECRET_ACCESS_KEY", "base-secret"),
            ("AWS_ENDPOINT_URL", "{url}"),
        ],
        entry: "team/aws",
        answer: aws,
    },
    Kind {
        name: "vault",
        settings: "kind = \"vault\"\naddress = \"{url}\"\nkv-version = 2\n\
                   sign-in = { method = \"approle\", role-id = \"role-1\", secret-id = { env = \"SECRET_ID\" } }",
        variables: &[("SECRET_ID", "secret-id-1")],
        entry: "team/aws",
        answer: vault,
    },
    Kind {
        name: "azure-key-vault",
        settings: "kind = \"azure-key-vault\"\nvault = \"prod\"\nvault-url = \"{url}\"\nauthority-url = \"{url}\"\n\
                   sign-in = { method = \"client-secret\", tenant-id = \"tenant-1\", client-id = \"client-1\", client-secret = { env = \"S\" } }",
        variables: &[("S", "client-secret-1")],
        entry: "team-aws",
        answer: azure,
    },
    Kind {
        name: "google-secret-manager",
        settings: "kind = \"google-secret-manager\"\nproject = \"project-1\"\nendpoint-url = \"{url}\"\nmetadata-url = \"{url}\"",
        variables: &[],
        entry: "team-aws",
        answer: google,
    },
    Kind {
        name: "kubernetes",
        settings: "kind = \"kubernetes\"\nnamespace = \"crawl\"\napi-url = \"{url}\"\nservice-account = \"{folder}\"",
        variables: &[],
        entry: "team-aws",
        answer: kubernetes,
    },
];

/// What every service does alike.
fn common(situation: Situation) -> Option<Reply> {
    match situation {
        Situation::Outage => Some(Reply::new(503, format!("<html>{CANARY}</html>"))),
        Situation::Slow => Some(Reply::unfinished()),
        Situation::TooLong => Some(Reply::new(200, format!("{{\"{CANARY}\":\"{}\"}}", "a".repeat(400 * 1024)))),
        Situation::Malformed => Some(Reply::new(200, format!("\"{CANARY}\""))),
        Situation::Found | Situation::NoEntry | Situation::Denied | Situation::SignInRefused => None,
    }
}

/// A request that the service would not know: the test sees it as a failure of the store.
fn wrong(seen: &Seen) -> Reply {
    Reply::new(418, seen.line.clone())
}

fn keys() -> Value {
    json!({ KEY: CANARY, "access-key-id": "AKIA1", "port": 5432 })
}

fn aws(situation: Situation, seen: &Seen) -> Reply {
    let error = |code: &str| Reply::json(400, &json!({ "__type": code, "Message": "because" }));
    if seen.header("x-amz-target") != "secretsmanager.GetSecretValue" {
        return wrong(seen);
    }
    match situation {
        Situation::Found => Reply::json(200, &json!({ "Name": "team/aws", "SecretString": keys().to_string() })),
        Situation::NoEntry => error("ResourceNotFoundException"),
        Situation::Denied => error("AccessDeniedException"),
        Situation::SignInRefused => error("UnrecognizedClientException"),
        Situation::Outage => Reply::new(503, format!("<html>{CANARY}</html>")),
        Situation::Slow => Reply::unfinished(),
        Situation::TooLong => Reply::json(200, &json!({ "SecretString": format!("{CANARY}{}", "a".repeat(65 * 1024)) })),
        Situation::Malformed => Reply::json(200, &json!({ "SecretString": { CANARY: CANARY } })),
    }
}

fn vault(situation: Situation, seen: &Seen) -> Reply {
    let errors = |status, text: &str| Reply::json(status, &json!({ "errors": [text, CANARY] }));
    match (seen.line.as_str(), situation) {
        ("POST /v1/auth/approle/login", Situation::SignInRefused) => errors(400, "invalid role or secret ID"),
        ("POST /v1/auth/approle/login", _) => Reply::json(200, &json!({ "auth": { "client_token": "hvs.token-1" } })),
        _ if seen.header("x-vault-token") != "hvs.token-1" => wrong(seen),
        (_, Situation::Denied) => errors(403, "permission denied"),
        ("GET /v1/auth/token/lookup-self", Situation::NoEntry) => Reply::json(200, &json!({ "data": { "id": CANARY } })),
        ("GET /v1/secret/data/team/aws", Situation::NoEntry) => Reply::json(404, &json!({ "errors": [] })),
        ("GET /v1/secret/data/team/aws", Situation::Found) => {
            Reply::json(200, &json!({ "data": { "data": keys(), "metadata": {} } }))
        }
        ("GET /v1/auth/token/lookup-self", Situation::Found) => Reply::json(200, &json!({ "data": { "id": CANARY } })),
        _ => common(situation).unwrap_or_else(|| wrong(seen)),
    }
}

fn azure(situation: Situation, seen: &Seen) -> Reply {
    let error = |status, code: &str| {
        let inner = json!({ "code": code });
        Reply::json(status, &json!({ "error": { "code": "Forbidden", "message": CANARY, "innererror": inner } }))
    };
    if seen.line == "POST /tenant-1/oauth2/v2.0/token" {
        if situation == Situation::SignInRefused {
            let said = json!({ "error": "invalid_client", "error_description": CANARY, "error_codes": [7_000_215] });
            return Reply::json(401, &said);
        }
        return Reply::json(200, &json!({ "token_type": "Bearer", "expires_in": 3599, "access_token": "entra-token-1" }));
    }
    let is_secret = seen.line.starts_with("GET /secrets/") && seen.line.ends_with("?api-version=7.4");
    if !is_secret || seen.header("authorization") != "Bearer entra-token-1" {
        return wrong(seen);
    }
    match situation {
        Situation::Found => {
            Reply::json(200, &json!({ "value": keys().to_string(), "id": "https://prod.vault.azure.net/secrets/team-aws/1" }))
        }
        Situation::NoEntry => error(404, "SecretNotFound"),
        Situation::Denied => error(403, "ForbiddenByFirewall"),
        Situation::SignInRefused | Situation::Outage | Situation::Malformed | Situation::Slow | Situation::TooLong => {
            common(situation).unwrap_or_else(|| wrong(seen))
        }
    }
}

fn google(situation: Situation, seen: &Seen) -> Reply {
    let error = |code: u16, status: &str, reason: &str| {
        let details = json!([{ "@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason }]);
        Reply::json(code, &json!({ "error": { "code": code, "message": CANARY, "status": status, "details": details } }))
    };
    if seen.line == "GET /computeMetadata/v1/instance/service-accounts/default/token" {
        if situation == Situation::SignInRefused {
            return Reply::new(404, CANARY).header("Metadata-Flavor", "Google");
        }
        if seen.header("metadata-flavor") != "Google" {
            return wrong(seen);
        }
        let token = json!({ "access_token": "google-token-1", "expires_in": 3599 });
        return Reply::json(200, &token).header("Metadata-Flavor", "Google");
    }
    let is_secret = seen.line.starts_with("GET /v1/projects/project-1/secrets/") && seen.line.ends_with("/versions/latest:access");
    if !is_secret || seen.header("authorization") != "Bearer google-token-1" {
        return wrong(seen);
    }
    match situation {
        Situation::Found => Reply::json(200, &json!({ "name": "n", "payload": { "data": STANDARD.encode(keys().to_string()) } })),
        Situation::NoEntry => error(404, "NOT_FOUND", ""),
        Situation::Denied => error(403, "PERMISSION_DENIED", "SERVICE_DISABLED"),
        Situation::SignInRefused | Situation::Outage | Situation::Malformed | Situation::Slow | Situation::TooLong => {
            common(situation).unwrap_or_else(|| wrong(seen))
        }
    }
}

fn kubernetes(situation: Situation, seen: &Seen) -> Reply {
    let status = |code: u16, reason: &str| {
        Reply::json(code, &json!({ "kind": "Status", "reason": reason, "message": CANARY, "code": code }))
    };
    let is_secret = seen.line.starts_with("GET /api/v1/namespaces/crawl/secrets/");
    if !is_secret || seen.header("authorization") != "Bearer account-token-1" {
        return wrong(seen);
    }
    match situation {
        Situation::Found => {
            let encoded = |text: &str| STANDARD.encode(text);
            let data = json!({ KEY: encoded(CANARY), "access-key-id": encoded("AKIA1"), "port": encoded("5432") });
            Reply::json(200, &json!({ "kind": "Secret", "type": "Opaque", "data": data }))
        }
        Situation::NoEntry => status(404, "NotFound"),
        Situation::Denied => status(403, "Forbidden"),
        Situation::SignInRefused => status(401, "Unauthorized"),
        Situation::Outage | Situation::Malformed | Situation::Slow | Situation::TooLong => {
            common(situation).unwrap_or_else(|| wrong(seen))
        }
    }
}
