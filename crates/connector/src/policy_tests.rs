//! The field tables of `docs/what-we-read.md`, made from what the page structs really do with every member of AWS's public service
//! models. `UPDATE_EXPECT=1 cargo test -p connector` writes it anew; the diff is what there is to review.
//!
//! The shapes come from committed condensed copies. Where `ISINGLASS_GLUE_MODEL` or `ISINGLASS_DATAZONE_MODEL` names the service model
//! itself, the copy is compared with it, so that no change of AWS's goes unseen.

mod datazone;
mod glue;
mod part;
mod render;
mod sent;
mod shapes;
mod tracer;

use std::fs;

use expect_test::expect_file;

use self::part::{Part, is_about, workspace};
use self::shapes::{Model, Shape, condense};
use self::tracer::Fate;
use crate::port::{ReadOperation, Service};

/// The services that are read, in the order of the page.
const PARTS: [&Part; 2] = [&glue::PART, &datazone::PART];

#[test]
fn the_page_on_what_is_read_is_what_the_structs_read() {
    expect_file![workspace().join("docs/what-we-read.md")].assert_eq(&render::page(&PARTS));
}

#[test]
fn every_operation_is_in_the_table_of_its_service_and_nothing_else_is() {
    // No crawl reads secrets: what becomes of their answers is told by the crate that reads them.
    let is_crawled = |operation: &&ReadOperation| !matches!(operation.service(), Service::Sts | Service::SecretsManager);
    for operation in ReadOperation::ALL.iter().filter(is_crawled) {
        let rows = PARTS.iter().flat_map(|part| part.answers).filter(|row| row.0 == *operation).count();
        assert_eq!(rows, 1, "{operation} must have one row in the tables of answers: the struct that parses its answer");
    }
    for part in PARTS {
        assert!(part.answers.iter().all(|row| row.0.service() == part.service), "{}", part.service.name());
    }
}

#[test]
fn the_condensed_shapes_are_those_of_the_service_models() {
    for part in PARTS {
        let called: Vec<_> = ReadOperation::of(part.service).map(ReadOperation::name).collect();
        let committed = Model { source: String::new(), ..part.model() };
        let Ok(path) = std::env::var(part.model_variable) else {
            // Without the model the copy must still have every operation that is called.
            assert!(
                called.iter().all(|name| committed.operations.contains_key(*name)) && committed.operations.len() == called.len()
            );
            continue;
        };
        let path = workspace().join(path);
        let text =
            fs::read_to_string(&path).unwrap_or_else(|error| panic!("{} is {}: {error}", part.model_variable, path.display()));
        let real = condense(&serde_json::from_str(&text).unwrap(), called.into_iter());
        assert!(
            committed == real,
            "AWS's model of {0} is not the one that testdata/{0}-shapes.json was made from; run scripts/condense-service-model.py on it and review the diff",
            part.service.name()
        );
    }
}

#[test]
fn the_paths_that_are_asked_for_are_those_of_the_service_models() {
    for part in PARTS {
        for (name, ends) in &part.model().operations {
            let operation = ReadOperation::of(part.service).find(|operation| operation.name() == name).unwrap();
            let given = operation.route().map(|route| (format!("{:?}", route.method).to_uppercase(), route.template.to_owned()));
            let segment = |segment: &str| if segment.starts_with('{') { "{}".to_owned() } else { segment.to_owned() };
            let path = |path: &str| path.split('/').map(segment).collect::<Vec<_>>().join("/");
            assert_eq!(given, ends.rest.as_ref().map(|rest| (rest.method.clone(), path(&rest.path))), "{operation}");
        }
    }
}

#[test]
fn members_that_hold_values_or_secrets_are_never_kept_as_they_are() {
    const WORDS: &[&str] = &[
        "arguments",
        "arn",
        "by",
        "comment",
        "content",
        "credentials",
        "description",
        "email",
        "forms",
        "literal",
        "location",
        "message",
        "namespace",
        "owner",
        "password",
        "path",
        "paths",
        "properties",
        "query",
        "rationale",
        "readme",
        "reason",
        "reasons",
        "role",
        "secret",
        "smithy",
        "sourceidentifier",
        "externalidentifier",
        "summary",
        "text",
        "token",
        "uri",
        "url",
        "userid",
        "username",
        "firstname",
        "lastname",
        "value",
        "values",
    ];
    let mut kept = Vec::new();
    for part in PARTS {
        for traced in part.traced() {
            let is_sensitive = |path: &str| {
                let last = path.rsplit('.').next().unwrap_or(path).trim_end_matches("[]").to_lowercase();
                WORDS.iter().any(|word| last.ends_with(word)) || is_map(traced.model, traced.shape, path)
            };
            let is_structure = |path: &str| part.structure.iter().any(|(key, _)| is_about(key, traced.name, path));
            let as_it_is =
                traced.rows.iter().filter(|(path, fate)| *fate == Fate::Kept && is_sensitive(path) && !is_structure(path));
            kept.extend(as_it_is.map(|(path, _)| format!("{}: {path}", traced.name)));
        }
    }
    assert!(kept.is_empty(), "kept as they are, although they may hold more than structure: {kept:#?}");
}

/// Whether a path of a trace ends in a map: maps hold what anyone writes into them.
fn is_map(model: &Model, shape: &str, path: &str) -> bool {
    let mut shape = shape;
    for part in path.split('.') {
        let name = part.trim_end_matches("[]");
        shape = match model.shapes.get(shape) {
            Some(Shape::Structure { members }) => &members[name],
            Some(Shape::Map { value }) => value,
            _ => return false,
        };
        if part.ends_with("[]")
            && let Some(Shape::List { member }) = model.shapes.get(shape)
        {
            shape = member;
        }
    }
    matches!(model.shapes.get(shape), Some(Shape::Map { .. }))
}

#[test]
fn every_reason_and_remark_is_about_a_member_that_is_there() {
    for part in PARTS {
        let traced = part.traced();
        let is_there = |key: &str, dropped: bool| {
            traced.iter().any(|traced| {
                traced.rows.iter().any(|(path, fate)| (*fate == Fate::Dropped) == dropped && is_about(key, traced.name, path))
            })
        };
        let remarks = part.remarks.iter().map(|remark| (remark.0, false));
        let reasons = part.dropped.iter().map(|reason| (reason.0, true));
        let structure = part.structure.iter().map(|reason| (reason.0, false));
        let stale: Vec<_> = remarks.chain(reasons).chain(structure).filter(|(key, dropped)| !is_there(key, *dropped)).collect();
        assert!(stale.is_empty(), "{}: {stale:?}", part.service.name());
    }
}

#[test]
fn what_the_page_says_is_never_called_is_no_operation() {
    let introduction = include_str!("policy_tests/introduction.md");
    let (_, section) = introduction.split_once("## What is never called").unwrap();
    let named: Vec<&str> = section.split('`').skip(1).step_by(2).collect();
    assert!(named.contains(&"GetTimeSeriesDataPoint") && named.contains(&"Update"));
    for operation in ReadOperation::ALL {
        let name = operation.name();
        // A word without an object stands for all that begins with it.
        let is_verb = |word: &str| word.chars().filter(char::is_ascii_uppercase).count() == 1;
        let excludes = |word: &&str| if is_verb(word) { name.starts_with(*word) } else { name == *word };
        assert_eq!(named.iter().find(|word| excludes(word)), None, "{operation}");
    }
}
