//! The mapping as data: recorded-shape pages in `testdata/smus/*.json` against the NDJSON that they become. After a change of the
//! mapping, `UPDATE_EXPECT=1 cargo test -p connector` writes the expectation anew, and the diff is what there is to review.
//!
//! Secrets, people and values of business are planted in the pages as `CANARY…` and `424242`: none may be in any expectation.

mod assets;
mod domains;
mod shapes;
mod subscriptions;

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::PathBuf;

use expect_test::expect_file;
use model::document::{AssetStatus, write_lines};
use model::{Asset, ConnectionName, Kind, Reference, Warning};
use serde::Deserialize;
use serde_json::json;

use super::asset::MappedAsset;
use super::domain::map_project;
use super::glossary::map_term;
use super::{DomainFacts, FormType, MapContext, ProjectFacts};
use crate::MaskedCounts;
use crate::smus::form::FormTypeName;
use crate::smus::naming::Naming;
use crate::smus::page::{GlossaryTermItem, ProjectsPage, SearchPage, TypesPage};
use crate::smus::settings::{Keep, Settings};
use crate::smus::{hash, smithy};

const DOMAIN: &str = "dzd_4f2kq81";

fn directory() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("testdata/smus")
}

/// A page as the service answers it.
fn page<P: Deserialize<'static>>(name: &str) -> P {
    let json: &'static str = Box::leak(fs::read_to_string(directory().join(format!("{name}.json"))).unwrap().into_boxed_str());
    serde_json::from_str(json).unwrap()
}

/// What pages became: lines as in NDJSON output, then a line for each assignment of a term, each warning and what was masked.
#[derive(Default)]
struct Written {
    lines: Vec<u8>,
    notes: Vec<serde_json::Value>,
}

impl Written {
    fn asset(&mut self, asset: &Asset) {
        write_lines(asset, AssetStatus::Active, |_| true, &mut self.lines);
    }

    fn mapped(&mut self, mapped: &MappedAsset) {
        self.asset(&mapped.asset);
        self.assignments(&mapped.assignments);
        mapped.warnings.iter().for_each(|warning| self.warning(warning));
    }

    fn assignments(&mut self, assignments: &[(u32, Reference)]) {
        let note =
            |(place, to): &(u32, Reference)| json!({"assigned": format!("term {place} to {} {}", to.kind, to.qualified_name)});
        self.notes.extend(assignments.iter().map(note));
    }

    fn warning(&mut self, warning: &Warning) {
        self.notes.push(json!({"warning": format!("{} {}: {}", warning.code, warning.scope, warning.message)}));
    }
}

/// Maps pages and compares the outcome with the expectation of this name.
fn check(name: &str, map: impl FnOnce(&MapContext<'_>, &mut Written)) {
    check_with(&Settings::default(), name, map);
}

fn check_with(settings: &Settings, name: &str, map: impl FnOnce(&MapContext<'_>, &mut Written)) {
    let naming = Naming::new(ConnectionName::new("aws-smus", 7));
    let masked = MaskedCounts::default();
    let context = MapContext { naming: &naming, settings, masked: &masked, region: "eu-west-1" };
    let mut written = Written::default();
    map(&context, &mut written);
    let mut text = String::from_utf8(written.lines).unwrap();
    for line in text.lines() {
        serde_json::from_str::<serde_json::Value>(line).unwrap();
    }
    written.notes.push(json!({"masked": masked.to_map()}));
    written.notes.iter().for_each(|note| text.push_str(&format!("{note}\n")));
    expect_file![directory().join(format!("{name}.ndjson"))].assert_eq(&text);
}

fn keeping(keep: impl IntoIterator<Item = Keep>) -> Settings {
    Settings { keep: keep.into_iter().collect(), ..Settings::default() }
}

/// What is known of the domain before its assets are read, from the pages that a crawl reads before them. What is masked in them is
/// counted where they are mapped themselves.
fn facts(context: &MapContext<'_>) -> DomainFacts {
    let masked = MaskedCounts::default();
    let context = MapContext { masked: &masked, ..*context };
    let mut facts = DomainFacts {
        id: DOMAIN.to_owned(),
        name: "Corporate".to_owned(),
        is_second_version: true,
        units: HashMap::from([("unit1".to_owned(), "Sales".to_owned())]),
        form_types: Some(form_types()),
        subscriptions: Some(HashMap::from([(hash("lst_orders"), 2)])),
        ..DomainFacts::default()
    };
    for project in &page::<ProjectsPage<'static>>("projects").items {
        let unit = project.domain_unit_id.as_deref().map(str::to_owned);
        let name = map_project(&context, &facts, project).name;
        facts.projects.insert(project.id.to_string(), ProjectFacts { name, unit });
    }
    for item in terms() {
        let (term, ..) = map_term(&context, &facts, &item);
        facts.terms.add(&item.id, &term.name, term.qualified_name);
    }
    facts
}

fn terms() -> impl Iterator<Item = GlossaryTermItem<'static>> {
    page::<SearchPage<'static>>("glossary_terms").items.into_iter().filter_map(|item| item.glossary_term_item)
}

/// Form types by name, with the members of their models.
fn form_types() -> HashMap<String, FormType> {
    let text = |text: Option<&crate::privacy::Text<'_>>| text.map(ToString::to_string);
    let mut types = HashMap::new();
    for item in page::<TypesPage<'static>>("form_types").items.iter().filter_map(|item| item.form_type_item.as_ref()) {
        let model = item.model.as_ref().and_then(|model| model.smithy.as_ref()).map_or("", |model| model.text());
        let form_type = FormType {
            revision: text(item.revision.as_ref()),
            status: text(item.status.as_ref()),
            project: text(item.owning_project_id.as_ref()),
            description: item.description.as_ref().map(|text| text.scrubbed(&MaskedCounts::default()).into_owned()),
            members: smithy::members(model, &item.name),
        };
        types.insert(item.name.to_string(), form_type);
    }
    types
}

/// The types of forms that listings leave out, as the inventory shows them.
fn known_types() -> BTreeMap<String, FormTypeName> {
    let form_type = FormTypeName { name: "DataOwner".to_owned(), revision: Some("4".to_owned()) };
    BTreeMap::from([("Who".to_owned(), form_type)])
}

fn texts(extension: &str) -> Vec<(String, String)> {
    let files = fs::read_dir(directory()).unwrap().map(|entry| entry.unwrap().path());
    let named = files.filter(|path| path.extension().is_some_and(|found| found == extension));
    named.map(|path| (path.display().to_string(), fs::read_to_string(&path).unwrap())).collect()
}

#[test]
fn no_expectation_holds_a_planted_secret_and_every_page_has_one() {
    let (pages, expected) = (texts("json"), texts("ndjson"));
    assert!(expected.len() >= 11, "{} expectations", expected.len());
    for (path, text) in &expected {
        assert!(!text.to_uppercase().contains("CANARY"), "{path} holds a planted secret");
        assert!(!text.contains("424242"), "{path} holds a planted number");
    }
    for (path, text) in &pages {
        assert!(text.contains("CANARY"), "{path} has no planted secret");
    }
    let planted: usize = pages.iter().map(|(_, text)| text.matches("CANARY").count()).sum();
    assert!(planted > 200, "only {planted} secrets are planted");
}

#[test]
fn every_kind_that_a_page_of_the_service_can_become_is_in_an_expectation() {
    let text: String = texts("ndjson").into_iter().map(|(_, text)| text).collect();
    let of_studio = |kind: &&Kind| (Kind::SmusDomain.code()..=Kind::GlossaryTerm.code()).contains(&kind.code());
    let kinds: Vec<_> = Kind::ALL.iter().filter(of_studio).collect();
    assert_eq!(kinds.len(), 10);
    for kind in kinds {
        assert!(text.contains(&format!("\"typeName\":\"{kind}\"")), "{kind}");
    }
}
