//! NDJSON read back, with what must be true of any of it checked on the way.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde_json::Value;

use super::CONNECTION_ID;

/// The assets of an NDJSON file, by type name and qualified name.
#[derive(Debug, Default)]
pub(crate) struct Assets {
    by_name: BTreeMap<(String, String), Value>,
}

impl Assets {
    pub(crate) fn read(path: &Path) -> Self {
        Self::parse(&fs::read_to_string(path).unwrap())
    }

    /// Every line must be one document with all that a document has, and no two of the same identity.
    pub(crate) fn parse(text: &str) -> Self {
        assert!(text.is_empty() || text.ends_with('\n'), "the last line is cut off");
        let mut by_name = BTreeMap::new();
        let mut guids = BTreeSet::new();
        for line in text.lines() {
            let document: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
            let text = |value: &Value| value.as_str().unwrap_or_else(|| panic!("no text in {line}")).to_owned();
            let identity = (text(&document["typeName"]), text(&document["attributes"]["qualifiedName"]));
            assert!(guids.insert(text(&document["guid"])), "a guid twice: {line}");
            assert!(by_name.insert(identity.clone(), document).is_none(), "twice: {identity:?}");
        }
        Self { by_name }
    }

    /// Asserts that both hold the same, and shows what the first differences are.
    #[track_caller]
    pub(crate) fn expect_same(&self, other: &Self) {
        let names: BTreeSet<_> = self.by_name.keys().chain(other.by_name.keys()).collect();
        let differs = |name: &&&(String, String)| self.by_name.get(**name) != other.by_name.get(**name);
        let different: Vec<_> =
            names.iter().filter(differs).map(|name| (self.by_name.get(*name), other.by_name.get(*name))).collect();
        assert!(
            different.is_empty(),
            "{} documents differ, among them {:#?}",
            different.len(),
            different.iter().take(3).collect::<Vec<_>>()
        );
    }

    pub(crate) fn len(&self) -> usize {
        self.by_name.len()
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &Value> {
        self.by_name.values()
    }

    pub(crate) fn of<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a Value> {
        self.by_name.iter().filter(move |((found, _), _)| found == kind).map(|(_, document)| document)
    }

    pub(crate) fn counts(&self) -> BTreeMap<String, u64> {
        let mut counts = BTreeMap::new();
        for (kind, _) in self.by_name.keys() {
            *counts.entry(kind.clone()).or_default() += 1;
        }
        counts
    }

    pub(crate) fn has(&self, kind: &str, qualified_name: &str) -> bool {
        self.by_name.contains_key(&(kind.to_owned(), qualified_name.to_owned()))
    }

    /// The document of a qualified name.
    #[track_caller]
    pub(crate) fn named(&self, kind: &str, qualified_name: &str) -> &Value {
        let found = self.by_name.get(&(kind.to_owned(), qualified_name.to_owned()));
        found.unwrap_or_else(|| {
            panic!("there is no {kind} {qualified_name} among {:?}", self.by_name.keys().take(60).collect::<Vec<_>>())
        })
    }

    /// The attributes of what lies at `path` below the connection (`AwsDataCatalog/sales/orders`).
    #[track_caller]
    pub(crate) fn at(&self, kind: &str, path: &str) -> &Value {
        &self.named(kind, &below(path))["attributes"]
    }

    pub(crate) fn has_at(&self, kind: &str, path: &str) -> bool {
        self.has(kind, &below(path))
    }

    /// The names of what lies directly below `path`, sorted.
    pub(crate) fn names_below(&self, kind: &str, path: &str) -> Vec<String> {
        let parent = format!("{}/", below(path));
        let names = self.of(kind).filter(|document| {
            let name = document["attributes"]["qualifiedName"].as_str().unwrap();
            name.strip_prefix(&parent).is_some_and(|rest| !rest.contains('/'))
        });
        names.map(|document| document["attributes"]["name"].as_str().unwrap().to_owned()).collect()
    }
}

/// The qualified name of a path below the connection of the tests.
pub(crate) fn below(path: &str) -> String {
    format!("default/glue/{CONNECTION_ID}/{path}")
}
