//! What a workflow crawls, as it stands in requests: an object with at most one member, named after the connector of the connection.

use crawl::spec::Field;
use crawl::{Connector, CrawlSpec, SpecError};
use serde_json::{Map, Value, json};
use store::ManagedConnection;

use crate::http::Problem;

/// The settings as they are kept. An error names the field, and the entry of a list.
pub(super) fn checked(connection: &ManagedConnection, settings: &Value) -> Result<String, Problem> {
    let connector = Connector::parse(&connection.connection.connector).ok_or_else(Problem::internal_without_details)?;
    let key = match connector {
        Connector::Glue => "glue",
        Connector::Smus => "smus",
    };
    let members = settings.as_object().ok_or_else(|| Problem::field("settings", "expected an object"))?;
    if let Some(other) = members.keys().find(|member| *member != key) {
        return Err(Problem::field(format!("settings.{other}"), format!("the connection takes `{key}` only")));
    }
    let own = members.get(key).cloned().unwrap_or_else(|| json!({}));
    // A list would be taken for the members in their order.
    if !own.is_object() {
        return Err(Problem::field(format!("settings.{key}"), "expected an object"));
    }
    if let Err(error) = CrawlSpec::parse(connector, own.clone()) {
        let place = place(connector, &own, &error).map_or_else(String::new, |place| format!(".{place}"));
        return Err(Problem::field(format!("settings.{key}{place}"), error.naming(Field::name)));
    }
    Ok(settings.to_string())
}

/// Where in the settings the error is: each member, and each entry of a list, is tried alone.
fn place(connector: Connector, own: &Value, error: &SpecError) -> Option<String> {
    let members = own.as_object()?;
    let is_wrong =
        |name: &str, value: Value| CrawlSpec::parse(connector, Value::Object(Map::from_iter([(name.to_owned(), value)]))).is_err();
    let name = match error.field() {
        Some(field) => field.name(),
        None => members.iter().find(|(name, value)| is_wrong(name, (*value).clone()))?.0,
    };
    let entries = members.get(name)?.as_array().map(Vec::as_slice).unwrap_or_default();
    let index = entries.iter().position(|entry| is_wrong(name, json!([entry])));
    Some(index.map_or_else(|| name.to_owned(), |index| format!("{name}[{index}]")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place_of(connector: Connector, own: &Value) -> String {
        let error = CrawlSpec::parse(connector, own.clone()).unwrap_err();
        place(connector, own, &error).unwrap_or_default()
    }

    #[test]
    fn the_field_and_the_entry_are_named() {
        for (own, expected) in [
            (json!({ "include": ["sales/*", "a/b/c/d"] }), "include[1]"),
            (json!({ "exclude": ["a/b/c/d"] }), "exclude[0]"),
            (json!({ "skip": ["jobs", "jbos"] }), "skip[1]"),
            (json!({ "excludeTable": "(" }), "excludeTable"),
            (json!({ "include": "sales" }), "include"),
            (json!({ "include": [7] }), "include[0]"),
            (json!({ "colour": 1 }), "colour"),
        ] {
            assert_eq!(place_of(Connector::Glue, &own), expected, "{own}");
        }
        assert_eq!(place_of(Connector::Smus, &json!({ "domains": ["dzd_ok1", "*"] })), "domains[1]");
    }
}
