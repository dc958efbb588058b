//! A request's members, checked as the service's front checks them: types first, then presence, lengths and ranges.

use serde_json::{Map, Value};

use super::GlueError;

const NAME_CHARACTERS_MAX: usize = 255;

#[derive(Debug, Default)]
pub(crate) struct Input {
    members: Map<String, Value>,
}

impl Input {
    pub(crate) fn parse(body: &[u8]) -> Result<Self, GlueError> {
        if body.is_empty() {
            return Ok(Self::default());
        }
        let members =
            serde_json::from_slice(body).map_err(|_| GlueError::new("SerializationException", "Unable to parse the request"))?;
        Ok(Self { members })
    }

    pub(crate) fn members(&self) -> &Map<String, Value> {
        &self.members
    }

    /// A member without any check, for the record of calls and for matching faults.
    pub(crate) fn peek(&self, member: &str) -> Option<&str> {
        self.members.get(member).and_then(Value::as_str)
    }

    fn present(&self, member: &str) -> Option<&Value> {
        self.members.get(member).filter(|value| !value.is_null())
    }

    pub(crate) fn optional_text(&self, member: &str) -> Result<Option<&str>, GlueError> {
        let Some(value) = self.present(member) else { return Ok(None) };
        let text = value.as_str().ok_or_else(|| wrong_type(value, "string"))?;
        if text.is_empty() {
            return Err(GlueError::validation("''", member, "have length greater than or equal to 1"));
        }
        Ok(Some(text))
    }

    pub(crate) fn required_text(&self, member: &str) -> Result<&str, GlueError> {
        self.optional_text(member)?.ok_or_else(|| GlueError::validation("null", member, "not be null"))
    }

    /// A required name of 1 to 255 characters.
    pub(crate) fn required_name(&self, member: &str) -> Result<&str, GlueError> {
        let name = self.required_text(member)?;
        if name.chars().count() > NAME_CHARACTERS_MAX {
            return Err(GlueError::validation(&format!("'{name}'"), member, "have length less than or equal to 255"));
        }
        Ok(name)
    }

    pub(crate) fn flag(&self, member: &str) -> Result<bool, GlueError> {
        let Some(value) = self.present(member) else { return Ok(false) };
        value.as_bool().ok_or_else(|| wrong_type(value, "boolean"))
    }

    pub(crate) fn number(&self, member: &str, max: usize) -> Result<Option<usize>, GlueError> {
        let Some(value) = self.present(member) else { return Ok(None) };
        let number = value.as_i64().ok_or_else(|| wrong_type(value, "integer"))?;
        let shown = format!("'{number}'");
        let number = usize::try_from(number).unwrap_or(0);
        if number < 1 {
            return Err(GlueError::validation(&shown, member, "have value greater than or equal to 1"));
        }
        if number > max {
            return Err(GlueError::validation(&shown, member, &format!("have value less than or equal to {max}")));
        }
        Ok(Some(number))
    }

    /// A list of strings; `None` where the member is missing.
    pub(crate) fn texts(&self, member: &str) -> Result<Option<Vec<&str>>, GlueError> {
        let Some(value) = self.present(member) else { return Ok(None) };
        let items = value.as_array().ok_or_else(|| wrong_type(value, "list"))?;
        let texts: Option<Vec<&str>> = items.iter().map(Value::as_str).collect();
        texts.map(Some).ok_or_else(|| wrong_type(value, "list of strings"))
    }

    /// A string out of a closed set.
    pub(crate) fn choice(&self, member: &str, choices: &[&str]) -> Result<Option<&str>, GlueError> {
        let Some(text) = self.optional_text(member)? else { return Ok(None) };
        if !choices.contains(&text) {
            let constraint = format!("satisfy enum value set: [{}]", choices.join(", "));
            return Err(GlueError::validation(&format!("'{text}'"), member, &constraint));
        }
        Ok(Some(text))
    }

    pub(crate) fn object(&self, member: &str) -> Result<Option<&Map<String, Value>>, GlueError> {
        let Some(value) = self.present(member) else { return Ok(None) };
        value.as_object().map(Some).ok_or_else(|| wrong_type(value, "structure"))
    }

    /// `DatabaseName=sales MaxResults=100 NextToken`: what was asked, with tokens and long values left out.
    pub(crate) fn summary(&self) -> String {
        const SHOWN_CHARACTERS_MAX: usize = 120;
        let mut summary = String::new();
        for (member, value) in &self.members {
            if !summary.is_empty() {
                summary.push(' ');
            }
            summary.push_str(member);
            if member == "NextToken" {
                continue;
            }
            summary.push('=');
            match value {
                Value::String(text) => summary.extend(text.chars().take(SHOWN_CHARACTERS_MAX)),
                Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
                    summary.extend(value.to_string().chars().take(SHOWN_CHARACTERS_MAX));
                }
            }
        }
        summary
    }
}

fn wrong_type(value: &Value, expected: &str) -> GlueError {
    let given = match value {
        Value::Null => "NULL_VALUE",
        Value::Bool(_) => "BOOLEAN_VALUE",
        Value::Number(_) => "NUMBER_VALUE",
        Value::String(_) => "STRING_VALUE",
        Value::Array(_) => "LIST_VALUE",
        Value::Object(_) => "STRUCTURE_VALUE",
    };
    GlueError::new("SerializationException", format!("{given} can not be converted to a {expected}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn input(text: &str) -> Input {
        Input::parse(text.as_bytes()).expect("object")
    }

    #[test]
    fn wrong_types_are_serialization_errors_and_wrong_values_validation_errors() {
        let given = input(r#"{"DatabaseName":7,"MaxResults":101,"Name":"","NextToken":null}"#);
        assert_eq!(given.required_text("DatabaseName").expect_err("number").code, "SerializationException");
        let error = given.number("MaxResults", 100).expect_err("too large");
        assert_eq!(error.code, "ValidationException");
        assert!(error.message.contains(
            "Value '101' at 'maxResults' failed to satisfy constraint: Member must have value less than or equal to 100"
        ));
        assert!(given.required_text("Name").is_err() && given.required_text("Missing").is_err());
        assert_eq!(given.optional_text("NextToken"), Ok(None));
        assert!(Input::parse(b"[1]").is_err());
    }

    #[test]
    fn summary_names_parameters_without_tokens() {
        let given = input(r#"{"DatabaseName":"sales","MaxResults":5,"NextToken":"abc"}"#);
        assert_eq!(given.summary(), "DatabaseName=sales MaxResults=5 NextToken");
    }
}
