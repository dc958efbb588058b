//! A request's members from path, query and body, checked against the service model before anything is looked up.

use http::request::Parts;
use serde_json::{Map, Value};

use super::DataZoneError;
use super::model::{Kind, Model, Place, Route, Shape};
use crate::sigv4::percent_decode;

const SHOWN_CHARACTERS_MAX: usize = 120;
const TOKEN: &str = "nextToken";

#[derive(Debug, Default)]
pub(crate) struct Input {
    members: Map<String, Value>,
}

impl Input {
    /// The members of a request to an operation that is not simulated, as far as the path shows them.
    pub(crate) fn of_path(route: &Route<'_>) -> Self {
        let members = route.labels.iter().map(|(label, raw)| ((*label).to_owned(), Value::from(decode(raw))));
        Self { members: members.collect() }
    }

    /// All members, checked; also answers what could be read where a check fails, for the record.
    pub(crate) fn parse(model: &Model, route: &Route<'_>, parts: &Parts, body: &[u8]) -> (Self, Result<(), DataZoneError>) {
        let mut input = Self::of_path(route);
        let read = input.read_query(model, route, parts.uri.query().unwrap_or_default());
        let read = read.and_then(|()| input.read_body(route, body));
        let checked = read.and_then(|()| input.check(model, route));
        (input, checked)
    }

    fn read_query(&mut self, model: &Model, route: &Route<'_>, query: &str) -> Result<(), DataZoneError> {
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let (name, value) = (decode(name), decode(value));
            let mut members = route.operation.members.iter();
            let known = members.find(|(member, found)| {
                found.place == Place::Query && found.name.as_deref().unwrap_or(member.as_str()) == name.as_str()
            });
            let Some((member, found)) = known else {
                return Err(DataZoneError::validation(format!("Unknown query parameter '{name}'")));
            };
            let value = match model.shape(&found.shape).map(|shape| shape.kind) {
                Some(Kind::Integer | Kind::Long) => value.parse::<i64>().map(Value::from),
                _ => Ok(Value::from(value)),
            };
            let value = value.map_err(|_| DataZoneError::validation(format!("'{name}' is not a number")))?;
            self.members.insert(member.clone(), value);
        }
        Ok(())
    }

    fn read_body(&mut self, route: &Route<'_>, body: &[u8]) -> Result<(), DataZoneError> {
        if body.is_empty() {
            return Ok(());
        }
        let members: Map<String, Value> = serde_json::from_slice(body).map_err(|_| DataZoneError::serialization())?;
        for (name, value) in members {
            let known = route.operation.members.get(&name).is_some_and(|member| member.place == Place::Body);
            if !known {
                return Err(DataZoneError::validation(format!("Unknown member '{name}' in the body")));
            }
            if !value.is_null() {
                self.members.insert(name, value);
            }
        }
        Ok(())
    }

    fn check(&self, model: &Model, route: &Route<'_>) -> Result<(), DataZoneError> {
        if let Some(name) = route.operation.required.iter().find(|name| !self.members.contains_key(*name)) {
            return Err(DataZoneError::constraint("null", name, "not be null"));
        }
        for (name, value) in &self.members {
            let shape = route.operation.members.get(name).and_then(|member| model.shape(&member.shape));
            if let Some(shape) = shape {
                check(model, shape, value, name)?;
            }
        }
        Ok(())
    }

    pub(crate) fn members(&self) -> &Map<String, Value> {
        &self.members
    }

    pub(crate) fn get(&self, member: &str) -> Option<&Value> {
        self.members.get(member)
    }

    /// A text member, empty where it is missing.
    pub(crate) fn text(&self, member: &str) -> &str {
        self.peek(member).unwrap_or_default()
    }

    pub(crate) fn peek(&self, member: &str) -> Option<&str> {
        self.members.get(member).and_then(Value::as_str)
    }

    pub(crate) fn number(&self, member: &str) -> Option<usize> {
        self.members.get(member).and_then(Value::as_u64).and_then(|number| usize::try_from(number).ok())
    }

    /// The domain that is asked about, also where the operation calls it `identifier`.
    pub(crate) fn domain(&self, operation: &str) -> Option<&str> {
        self.peek(if operation == "GetDomain" { "identifier" } else { "domainIdentifier" })
    }

    /// The project that is asked about, by a member of its own or by a filter for nothing else.
    pub(crate) fn project(&self, operation: &str) -> Option<&str> {
        let member = if operation == "GetProject" { "identifier" } else { "projectIdentifier" };
        let filter = || {
            let filter = self.members.get("filters")?.get("filter")?;
            (filter.get("attribute")? == "owningProjectId").then(|| filter.get("value")?.as_str())?
        };
        self.peek(member).or_else(|| self.peek("owningProjectIdentifier")).or_else(filter)
    }

    /// Whether a list of texts (`additionalAttributes`) holds `text`.
    pub(crate) fn lists(&self, member: &str, text: &str) -> bool {
        self.members.get(member).and_then(Value::as_array).is_some_and(|items| items.iter().any(|item| item == text))
    }

    /// `domainIdentifier=dzd_1 maxResults=50 nextToken`: what was asked, with tokens and long values left out.
    pub(crate) fn summary(&self) -> String {
        let mut summary = String::new();
        for (member, value) in &self.members {
            if !summary.is_empty() {
                summary.push(' ');
            }
            summary.push_str(member);
            if member == TOKEN {
                continue;
            }
            summary.push('=');
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            summary.extend(text.chars().take(SHOWN_CHARACTERS_MAX));
        }
        summary
    }
}

fn decode(raw: &str) -> String {
    String::from_utf8_lossy(&percent_decode(raw)).into_owned()
}

fn check(model: &Model, shape: &Shape, value: &Value, at: &str) -> Result<(), DataZoneError> {
    match shape.kind {
        Kind::String => check_text(shape, value.as_str().ok_or_else(|| wrong_type(at, "a string"))?, at),
        Kind::Integer | Kind::Long => check_number(shape, value.as_i64().ok_or_else(|| wrong_type(at, "an integer"))?, at),
        Kind::Boolean => value.as_bool().map(|_| ()).ok_or_else(|| wrong_type(at, "a boolean")),
        Kind::Timestamp => Ok(()),
        Kind::List => {
            let items = value.as_array().ok_or_else(|| wrong_type(at, "a list"))?;
            check_size(shape, items.len(), at)?;
            let Some(member) = shape.member.as_deref().and_then(|name| model.shape(name)) else { return Ok(()) };
            items.iter().try_for_each(|item| check(model, member, item, at))
        }
        Kind::Structure => check_structure(model, shape, value.as_object().ok_or_else(|| wrong_type(at, "a structure"))?, at),
    }
}

fn check_structure(model: &Model, shape: &Shape, members: &Map<String, Value>, at: &str) -> Result<(), DataZoneError> {
    if let Some(name) = shape.required.iter().find(|name| !members.contains_key(*name)) {
        return Err(DataZoneError::constraint("null", &format!("{at}.{name}"), "not be null"));
    }
    for (name, value) in members {
        let inner = format!("{at}.{name}");
        let Some(member) = shape.members.get(name).and_then(|name| model.shape(name)) else {
            return Err(DataZoneError::validation(format!("Unknown member '{inner}' in the body")));
        };
        check(model, member, value, &inner)?;
    }
    Ok(())
}

fn check_text(shape: &Shape, text: &str, at: &str) -> Result<(), DataZoneError> {
    check_size(shape, text.chars().count(), at)?;
    let failed = |constraint: &str| Err(DataZoneError::constraint(&format!("'{text}'"), at, constraint));
    if let Some(choices) = shape.choices.as_ref().filter(|choices| !choices.iter().any(|choice| choice == text)) {
        return failed(&format!("satisfy enum value set: [{}]", choices.join(", ")));
    }
    match shape.regex.as_ref().filter(|regex| !regex.is_match(text)) {
        Some(regex) => failed(&format!("satisfy regular expression pattern: {}", regex.as_str())),
        None => Ok(()),
    }
}

fn check_number(shape: &Shape, number: i64, at: &str) -> Result<(), DataZoneError> {
    let failed = |constraint: String| Err(DataZoneError::constraint(&format!("'{number}'"), at, &constraint));
    match (shape.min, shape.max) {
        (Some(min), _) if number < min => failed(format!("have value greater than or equal to {min}")),
        (_, Some(max)) if number > max => failed(format!("have value less than or equal to {max}")),
        _ => Ok(()),
    }
}

fn check_size(shape: &Shape, size: usize, at: &str) -> Result<(), DataZoneError> {
    let size = i64::try_from(size).unwrap_or(i64::MAX);
    if shape.min.is_some_and(|min| size < min) || shape.max.is_some_and(|max| size > max) {
        let range = format!("have length between {} and {}", shape.min.unwrap_or(0), shape.max.unwrap_or(i64::MAX));
        return Err(DataZoneError::constraint(&format!("of length {size}"), at, &range));
    }
    Ok(())
}

fn wrong_type(at: &str, expected: &str) -> DataZoneError {
    DataZoneError::validation(format!("'{at}' must be {expected}"))
}
