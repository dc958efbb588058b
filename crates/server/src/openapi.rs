//! The description of the API, OpenAPI 3.1. Paths and schemas come from the handlers; this is the frame around them.

use axum::Router;
use axum::routing::get;
use bytes::Bytes;
use http::header;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::{Modify, OpenApi};

use crate::http::Problem;
use crate::state::App;

/// The cookie of a session.
pub const SESSION_COOKIE: &str = "isinglass_session";
/// The header that goes with the cookie for every method but GET and HEAD.
pub const CSRF_HEADER: &str = "x-csrf-token";

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Isinglass",
        description = "Crawls metadata from AWS into a catalog: it only reads, takes only structure, and its traffic goes only where its operator said.",
        license(name = "Apache-2.0", identifier = "Apache-2.0")
    ),
    components(schemas(Problem)),
    modifiers(&Security)
)]
struct Frame;

struct Security;

impl Modify for Security {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let bearer = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .description(Some("An API token (`isg_…`); its scopes never exceed the role of its user."))
            .build();
        let session = ApiKeyValue::with_description(SESSION_COOKIE, "The session of a browser, after `POST /api/v1/sign-in`.");
        let csrf =
            ApiKeyValue::with_description(CSRF_HEADER, "`csrfToken` of `GET /api/v1/session`; needed with the cookie for writes.");
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("bearer", SecurityScheme::Http(bearer));
        components.add_security_scheme("session", SecurityScheme::ApiKey(ApiKey::Cookie(session)));
        components.add_security_scheme("csrf", SecurityScheme::ApiKey(ApiKey::Header(csrf)));
        let none: [&str; 0] = [];
        let either = [SecurityRequirement::new("bearer", none), SecurityRequirement::new("session", none).add("csrf", none)];
        document.security = Some(either.into());
    }
}

/// The document without paths.
#[must_use]
pub fn frame() -> utoipa::openapi::OpenApi {
    Frame::openapi()
}

/// `/api/openapi.json`, written once.
pub(crate) fn router(document: &utoipa::openapi::OpenApi) -> Result<Router<App>, serde_json::Error> {
    let json = Bytes::from(serde_json::to_vec(document)?);
    let answer = move || {
        let json = json.clone();
        async move { ([(header::CONTENT_TYPE, "application/json")], json) }
    };
    Ok(Router::new().route("/api/openapi.json", get(answer)))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    /// `UPDATE_EXPECT=1 cargo test -p server` writes the file anew.
    #[test]
    fn the_committed_document_is_what_the_handlers_say() {
        let document = serde_json::to_value(crate::router::document()).unwrap();
        assert!(document["openapi"].as_str().unwrap().starts_with("3.1"), "{}", document["openapi"]);
        let text = serde_json::to_string_pretty(&document).unwrap() + "\n";
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/openapi.json");
        if std::env::var_os("UPDATE_EXPECT").is_some() {
            std::fs::write(&path, &text).unwrap();
        }
        let committed = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(committed == text, "docs/openapi.json is stale; UPDATE_EXPECT=1 cargo test -p server writes it");
    }

    /// All texts of members called `$ref`.
    fn references(value: &serde_json::Value, found: &mut Vec<String>) {
        for (name, member) in value.as_object().into_iter().flatten() {
            match member.as_str() {
                Some(text) if name == "$ref" => found.push(text.to_owned()),
                _ => references(member, found),
            }
        }
        value.as_array().into_iter().flatten().for_each(|item| references(item, found));
    }

    #[test]
    fn every_reference_leads_to_a_schema() {
        let document = serde_json::to_value(crate::router::document()).unwrap();
        let mut found = Vec::new();
        references(&document, &mut found);
        assert!(found.len() > 100, "{} references", found.len());
        for reference in found {
            assert!(document.pointer(reference.trim_start_matches('#')).is_some(), "{reference} leads nowhere");
        }
    }

    #[test]
    fn every_operation_has_a_tag_a_summary_and_an_id_of_its_own() {
        let document = serde_json::to_value(crate::router::document()).unwrap();
        let mut ids = std::collections::BTreeSet::new();
        for (path, methods) in document["paths"].as_object().unwrap() {
            for (method, operation) in methods.as_object().unwrap() {
                let said = operation["tags"].is_array() && operation["summary"].is_string();
                assert!(said, "{method} {path} has no tag or no summary");
                assert!(ids.insert(operation["operationId"].to_string()), "{method} {path} shares its operationId");
            }
        }
    }
}
