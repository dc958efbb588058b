//! What an operation can answer besides success, for the description of the API: its own refusals and those of the layers around it.

use std::collections::BTreeMap;

use utoipa::IntoResponses;
use utoipa::openapi::{ContentBuilder, Ref, RefOr, Response, ResponseBuilder};

use crate::http::PROBLEM_JSON;

/// Of operations that read.
pub(crate) struct ReadProblems;
/// Of operations that create, or start something.
pub(crate) struct CreateProblems;
/// Of operations that change a version that was read before.
pub(crate) struct EditProblems;

const READ: &[u16] = &[400, 401, 403, 404, 500, 503];
const CREATE: &[u16] = &[400, 401, 403, 404, 409, 413, 415, 422, 500, 503];
const EDIT: &[u16] = &[400, 401, 403, 404, 409, 412, 413, 415, 422, 428, 500, 503];

impl IntoResponses for ReadProblems {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        problems(READ)
    }
}

impl IntoResponses for CreateProblems {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        problems(CREATE)
    }
}

impl IntoResponses for EditProblems {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        problems(EDIT)
    }
}

fn problems(statuses: &[u16]) -> BTreeMap<String, RefOr<Response>> {
    statuses.iter().map(|status| (status.to_string(), problem(*status).into())).collect()
}

fn problem(status: u16) -> Response {
    let schema = RefOr::Ref(Ref::from_schema_name("Problem"));
    ResponseBuilder::new()
        .description(meaning(status))
        .content(PROBLEM_JSON, ContentBuilder::new().schema(Some(schema)).build())
        .build()
}

fn meaning(status: u16) -> &'static str {
    match status {
        400 => "A parameter or the form of the body makes no sense.",
        401 => "Nobody is signed in, or the token does not work.",
        403 => "The role, the token's scopes or the CSRF token do not suffice.",
        404 => "There is no such thing.",
        409 => "Something is in the way; `existing` names it where it is one thing.",
        412 => "Somebody else changed it since it was read.",
        413 => "The body is larger than the service takes.",
        415 => "The body is not `application/json`.",
        422 => "A field of the body is not as described; `errors` names it.",
        428 => "An edit needs `If-Match`.",
        429 => "Too many attempts; `Retry-After` says how long to wait.",
        503 => "Too much at once, or the catalog does not answer; `Retry-After` says when to try again.",
        _ => "The service failed; its log has more under the request's id.",
    }
}
