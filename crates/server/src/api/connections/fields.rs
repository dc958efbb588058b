//! The fields of requests for connections: what is refused, and which one is named.

use store::{RunsOn, UserId};

use crate::api::credentials::CredentialRequest;
use crate::credential::AuthType;
use crate::http::{Code, Problem};
use crate::state::AppState;

/// Administrators of one connection.
const ADMINISTRATORS_MAX: usize = 100;
/// Characters of a name and of a description.
const NAME_MAX: usize = 200;
const DESCRIPTION_MAX: usize = 4000;

pub(super) fn checked_name(name: &str) -> Result<String, Problem> {
    let name = name.trim();
    if name.is_empty() || name.chars().count() > NAME_MAX || name.chars().any(char::is_control) {
        return Err(Problem::field("name", "expected 1 to 200 characters, no control characters among them"));
    }
    Ok(name.to_owned())
}

pub(super) fn checked_region(region: Option<String>) -> Result<Option<String>, Problem> {
    match region {
        Some(region) => match aws::Region::parse(&region) {
            Ok(_) => Ok(Some(region)),
            Err(error) => Err(Problem::field("region", error.to_string())),
        },
        None => Ok(None),
    }
}

pub(super) fn checked_description(description: Option<String>) -> Result<Option<String>, Problem> {
    match description {
        Some(text) if text.chars().count() > DESCRIPTION_MAX || text.contains('\0') => {
            Err(Problem::field("description", "expected at most 4000 characters, without NUL"))
        }
        text => Ok(text),
    }
}

pub(super) fn runs_on(name: Option<&str>) -> Result<RunsOn, Problem> {
    match name.unwrap_or("direct") {
        "direct" => Ok(RunsOn::Direct),
        name if !name.is_empty() && name.len() <= NAME_MAX && name.bytes().all(|byte| byte.is_ascii_graphic()) => {
            Ok(RunsOn::Runtime(name.to_owned()))
        }
        _ => Err(Problem::field("runsOn", "expected `direct` or the name of a runtime")),
    }
}

/// A number that stands in a request as text, as it does in answers.
pub(in crate::api) fn number(text: Option<&str>, field: &str) -> Result<Option<i64>, Problem> {
    let Some(text) = text else { return Ok(None) };
    text.parse().map(Some).map_err(|_no_number| Problem::field(field, "expected the `id` of an answer"))
}

/// Users of these numbers, all of whom there are, and one more where one is given.
pub(super) async fn people(app: &AppState, numbers: &[String], besides: Option<UserId>) -> Result<Vec<UserId>, Problem> {
    if numbers.len() > ADMINISTRATORS_MAX {
        return Err(Problem::field("administrators", "expected at most 100 users"));
    }
    let mut people: Vec<UserId> = besides.into_iter().collect();
    for (index, text) in numbers.iter().enumerate() {
        let field = format!("administrators[{index}]");
        let Some(id) = number(Some(text), &field)?.map(UserId) else { continue };
        if app.store.user(id).await?.is_none() {
            return Err(Problem::field(field, "there is no such user"));
        }
        people.push(id);
    }
    people.sort_unstable();
    people.dedup();
    Ok(people)
}

/// A credential within a connection, completed from it: a form has one place for the name, and one for the region.
pub(super) fn completed(mut credential: CredentialRequest, name: &str, region: Option<&str>) -> CredentialRequest {
    if credential.name.is_empty() {
        name.clone_into(&mut credential.name);
    }
    let is_looked_up = credential.secrets.as_ref().is_some_and(|secrets| secrets.keys.contains_key("region"));
    let is_missing = !is_looked_up && credential.extra.region.as_deref().is_none_or(str::is_empty);
    if is_missing && credential.auth_type != AuthType::Ambient {
        credential.extra.region = region.map(str::to_owned);
    }
    credential
}

/// What is wrong with a field of the credential, as a field of the request around it.
pub(super) fn within_credential(problem: Problem) -> Problem {
    if problem.code() != Code::InvalidField {
        return problem;
    }
    let around = Problem::new(Code::InvalidField, problem.detail());
    problem.errors().iter().fold(around, |around, error| around.with_field(format!("credential.{}", error.field), &error.message))
}
