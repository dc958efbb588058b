//! The shapes of AWS's public service models, condensed to names and types (`scripts/condense-service-model.py`).

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Debug, PartialEq, Eq, Deserialize)]
pub(super) struct Model {
    #[serde(default)]
    pub(super) source: String,
    pub(super) operations: BTreeMap<String, Ends>,
    pub(super) shapes: BTreeMap<String, Shape>,
}

/// The shapes that an operation takes and gives.
#[derive(Debug, PartialEq, Eq, Deserialize)]
pub(super) struct Ends {
    pub(super) input: String,
    pub(super) output: String,
    /// Of an operation of the REST protocol.
    pub(super) rest: Option<Rest>,
}

/// Where a request of the REST protocol has its members, and what of its answer is not in JSON. What is in no other place is in the
/// body.
#[derive(Debug, PartialEq, Eq, Deserialize)]
pub(super) struct Rest {
    pub(super) method: String,
    pub(super) path: String,
    /// Members by the names that they have in the path.
    pub(super) uri: BTreeMap<String, String>,
    /// Members by the names that they have in the query string.
    pub(super) query: BTreeMap<String, String>,
    /// Members of request and answer that travel in headers.
    pub(super) headers: BTreeSet<String>,
    /// The member that is the whole body of the answer.
    pub(super) payload: Option<String>,
}

/// What is not a shape of the model is a scalar, named by its type.
#[derive(Debug, PartialEq, Eq, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub(super) enum Shape {
    Structure { members: BTreeMap<String, String> },
    List { member: String },
    Map { value: String },
}

impl Model {
    pub(super) fn members(&self, shape: &str) -> &BTreeMap<String, String> {
        match self.shapes.get(shape) {
            Some(Shape::Structure { members }) => members,
            other => panic!("{shape} is {other:?} and no structure"),
        }
    }
}

/// The same condensation as the script's, of a whole service model.
pub(super) fn condense(model: &Value, operations: impl Iterator<Item = &'static str>) -> Model {
    let mut shapes = BTreeMap::new();
    let mut ends = BTreeMap::new();
    for name in operations {
        let end = |end: &str| model["operations"][name][end]["shape"].as_str().unwrap().to_owned();
        let (input, output) = (end("input"), end("output"));
        add(model, &input, &mut shapes);
        add(model, &output, &mut shapes);
        let operation = &model["operations"][name];
        let rest = (operation["http"]["requestUri"] != "/").then(|| rest(model, operation));
        ends.insert(name.to_owned(), json!({"input": input, "output": output, "rest": rest}));
    }
    serde_json::from_value(json!({"operations": ends, "shapes": shapes})).unwrap()
}

fn rest(model: &Value, operation: &Value) -> Value {
    let shape = |end: &str| &model["shapes"][operation[end]["shape"].as_str().unwrap()];
    let places = |end: &str, location: &str| -> BTreeMap<String, String> {
        let members = shape(end)["members"].as_object().unwrap().iter().filter(|(_, of)| of["location"] == location);
        members.map(|(member, of)| (of["locationName"].as_str().unwrap().to_owned(), member.clone())).collect()
    };
    let headers: BTreeSet<_> = ["input", "output"].into_iter().flat_map(|end| places(end, "header").into_values()).collect();
    json!({
        "method": operation["http"]["method"],
        "path": operation["http"]["requestUri"],
        "uri": places("input", "uri"),
        "query": places("input", "querystring"),
        "headers": headers,
        "payload": shape("output").get("payload"),
    })
}

fn add(model: &Value, name: &str, shapes: &mut BTreeMap<String, Value>) {
    if shapes.contains_key(name) {
        return;
    }
    let shape = &model["shapes"][name];
    // There before its members are, since shapes contain themselves.
    shapes.insert(name.to_owned(), Value::Null);
    let mut reference = |of: &Value| {
        let name = of["shape"].as_str().unwrap();
        let kind = model["shapes"][name]["type"].as_str().unwrap();
        if !matches!(kind, "structure" | "list" | "map") {
            return kind.to_owned();
        }
        add(model, name, shapes);
        name.to_owned()
    };
    let condensed = match shape["type"].as_str().unwrap() {
        "list" => json!({"type": "list", "member": reference(&shape["member"])}),
        "map" => json!({"type": "map", "value": reference(&shape["value"])}),
        _ => {
            let members: BTreeMap<_, _> =
                shape["members"].as_object().unwrap().iter().map(|(name, of)| (name.clone(), reference(of))).collect();
            json!({"type": "structure", "members": members})
        }
    };
    shapes.insert(name.to_owned(), condensed);
}
