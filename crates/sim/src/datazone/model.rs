//! What the service model says: which request is which operation, and what the requests of the simulated reads may hold.
//!
//! `model.json` is cut from the public model of the API: all operations with their routes, so that a write is known as one, and the
//! members of the operations that are simulated.

use std::collections::{BTreeMap, HashMap};

use regex::Regex;
use serde::Deserialize;

const MODEL: &str = include_str!("model.json");

/// Where a member of a request stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Place {
    Path,
    Query,
    #[default]
    Body,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Member {
    pub(crate) shape: String,
    #[serde(default, rename = "in")]
    pub(crate) place: Place,
    /// The name on the wire, where it is another one.
    pub(crate) name: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Operation {
    method: String,
    path: String,
    #[serde(default)]
    pub(crate) required: Vec<String>,
    #[serde(default)]
    pub(crate) members: BTreeMap<String, Member>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    String,
    Integer,
    Long,
    Boolean,
    Timestamp,
    List,
    Structure,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Shape {
    #[serde(rename = "type")]
    pub(crate) kind: Kind,
    pub(crate) min: Option<i64>,
    pub(crate) max: Option<i64>,
    #[serde(rename = "enum")]
    pub(crate) choices: Option<Vec<String>>,
    pattern: Option<String>,
    #[serde(default)]
    pub(crate) required: Vec<String>,
    #[serde(default)]
    pub(crate) members: BTreeMap<String, String>,
    pub(crate) member: Option<String>,
    #[serde(skip)]
    pub(crate) regex: Option<Regex>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Model {
    operations: BTreeMap<String, Operation>,
    shapes: HashMap<String, Shape>,
}

/// What a request's method and path lead to.
#[derive(Debug)]
pub(crate) struct Route<'m> {
    pub(crate) name: &'m str,
    pub(crate) operation: &'m Operation,
    /// The labels of the path and their raw values.
    pub(crate) labels: Vec<(&'m str, String)>,
}

impl Default for Model {
    #[expect(clippy::expect_used, reason = "the model is part of this crate")]
    fn default() -> Self {
        let mut model: Self = serde_json::from_str(MODEL).expect("model is JSON");
        for shape in model.shapes.values_mut() {
            let pattern = shape.pattern.take();
            shape.regex = pattern.map(|pattern| Regex::new(&format!("^(?:{pattern})$")).expect("pattern is a regular expression"));
        }
        model
    }
}

impl Model {
    pub(crate) fn shape(&self, name: &str) -> Option<&Shape> {
        self.shapes.get(name)
    }

    /// The operation at this method and raw path. A path of fixed words goes before one with labels.
    pub(crate) fn route(&self, method: &str, path: &str) -> Option<Route<'_>> {
        let segments: Vec<&str> = path.split('/').collect();
        let same_method = self.operations.iter().filter(|(_, operation)| operation.method == method);
        let routes = same_method.filter_map(|(name, operation)| {
            let labels = labels(&operation.path, &segments)?;
            Some(Route { name, operation, labels })
        });
        routes.min_by_key(|route| route.labels.len())
    }
}

fn labels<'m>(template: &'m str, segments: &[&str]) -> Option<Vec<(&'m str, String)>> {
    let mut labels = Vec::new();
    let mut given = segments.iter();
    for part in template.split('/') {
        let segment = given.next()?;
        match part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) {
            Some(label) if !segment.is_empty() => labels.push((label, (*segment).to_owned())),
            None if part == *segment => {}
            Some(_) | None => return None,
        }
    }
    given.next().is_none().then_some(labels)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_lead_to_their_operations_writes_included() {
        let model = Model::default();
        for (method, path, expected) in [
            ("GET", "/v2/domains", Some("ListDomains")),
            ("POST", "/v2/domains/dzd_1/search", Some("Search")),
            ("GET", "/v2/domains/dzd_1/lineage/nodes/arn%3Aaws%3Aglue%2Fx", Some("GetLineageNode")),
            ("POST", "/v2/domains/dzd_1/assets", Some("CreateAsset")),
            ("DELETE", "/v2/domains/dzd_1/assets/a", Some("DeleteAsset")),
            ("GET", "/v2/domains/dzd_1/environments/e/credentials", Some("GetEnvironmentCredentials")),
            ("GET", "/v2/domains//projects", None),
            ("GET", "/v2/nothing", None),
        ] {
            assert_eq!(model.route(method, path).map(|route| route.name), expected, "{method} {path}");
        }
    }
}
