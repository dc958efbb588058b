//! What a reviewer would have to look for by hand: dependency edges, module docs, file sizes, invariants without a test.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Which crates of ours a crate may use. `sim` is for `demo` and tests only; whoever is not listed may use nothing of ours.
const ALLOWED: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("connector", &["model"]),
    ("aws", &["connector", "model"]),
    ("store", &["model"]),
    ("sim", &[]),
    ("crawl", &["aws", "connector", "model"]),
    ("secrets", &["aws", "connector", "model"]),
    ("wire", &["model"]),
    ("runtime", &["aws", "connector", "crawl", "model", "secrets", "wire"]),
    ("server", &["aws", "connector", "crawl", "model", "store", "wire"]),
    ("cli", &["aws", "connector", "crawl", "model", "server", "sim", "store"]),
    ("e2e", &["model", "sim"]),
    ("xtask", &[]),
];

/// Tests may use a simulated AWS besides.
const ALLOWED_IN_TESTS: &[(&str, &[&str])] =
    &[("aws", &["sim"]), ("connector", &[]), ("crawl", &["sim"]), ("runtime", &["sim"]), ("server", &["sim"]), ("store", &[])];

/// Packages that must not be in a crate's dependency tree: the core does no IO, only one crate has SQL.
const FORBIDDEN_PACKAGES: &[(&str, &[&str])] = &[
    ("model", &["tokio", "hyper", "sqlx", "reqwest"]),
    ("wire", &["tokio", "hyper", "sqlx", "reqwest"]),
    ("connector", &["tokio", "hyper", "sqlx", "reqwest"]),
    ("aws", &["sqlx"]),
    ("crawl", &["sqlx"]),
    // `reqwest`, a client, brings `hyper` and `tower_http`; nothing in the runtime serves.
    ("runtime", &["axum", "sqlx"]),
    // It runs beside the customer's secrets: what is in its tree is audited.
    ("secrets", &["axum", "sqlx"]),
    ("sim", &["sqlx"]),
];

/// Longest source file that is not a test.
const FILE_LINES_MAX: usize = 800;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn metadata(arguments: &[&str]) -> serde_json::Value {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked", "--offline"])
        .args(arguments)
        .current_dir(root())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn allowed(table: &[(&str, &[&'static str])], package: &str) -> BTreeSet<&'static str> {
    table.iter().find(|entry| entry.0 == package).map(|entry| entry.1.iter().copied().collect()).unwrap_or_default()
}

#[test]
fn crates_depend_only_on_what_the_architecture_allows() {
    let metadata = metadata(&["--no-deps"]);
    let packages = metadata["packages"].as_array().unwrap();
    let ours: BTreeSet<&str> = packages.iter().map(|package| package["name"].as_str().unwrap()).collect();
    for package in packages {
        let name = package["name"].as_str().unwrap();
        assert!(ALLOWED.iter().any(|entry| entry.0 == name), "{name} has no entry in the table of allowed dependencies");
        for dependency in package["dependencies"].as_array().unwrap() {
            let on = dependency["name"].as_str().unwrap();
            let is_for_tests = dependency["kind"].as_str() == Some("dev");
            let mut may_use = allowed(ALLOWED, name);
            if is_for_tests {
                may_use.extend(allowed(ALLOWED_IN_TESTS, name));
            }
            assert!(!ours.contains(on) || may_use.contains(on), "{name} must not depend on {on}");
        }
    }
}

#[test]
fn the_core_has_no_io_and_only_the_store_has_sql() {
    for (package, forbidden) in FORBIDDEN_PACKAGES {
        let output = Command::new(env!("CARGO"))
            .args([
                "tree",
                "--locked",
                "--offline",
                "--edges",
                "normal",
                "--prefix",
                "none",
                "--format",
                "{lib}|{p}",
                "-p",
                package,
            ])
            .current_dir(root())
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let tree = String::from_utf8(output.stdout).unwrap();
        // A program has no library: only its package has a name.
        let has =
            |name: &str| tree.lines().any(|line| line.starts_with(&format!("{name}|")) || line.starts_with(&format!("{name}_")));
        assert!(tree.lines().any(|line| line.contains(&format!("|{package} v"))), "the tree of {package} was read");
        for name in *forbidden {
            assert!(!has(name), "{package} must not have {name} in its dependency tree");
        }
    }
}

fn sources() -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root().join("crates"), root().join("xtask")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    found
}

#[test]
fn every_source_file_says_why_it_exists_and_is_of_a_readable_size() {
    for path in sources() {
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.starts_with("//!"), "{} does not open with //!", path.display());
        let is_test = path.components().any(|part| part.as_os_str() == "tests") || path.ends_with("tests.rs");
        assert!(is_test || text.lines().count() <= FILE_LINES_MAX, "{} has more than {FILE_LINES_MAX} lines", path.display());
    }
}

#[test]
fn sql_is_written_in_the_store_only() {
    let store = root().join("crates/store");
    let this = root().join("xtask");
    for path in sources().into_iter().filter(|path| !path.starts_with(&store) && !path.starts_with(&this)) {
        let text = fs::read_to_string(&path).unwrap();
        for word in ["INSERT INTO", "CREATE TABLE ", "sqlx::"] {
            assert!(!text.contains(word), "{} has SQL in it: {word}", path.display());
        }
    }
}

#[test]
fn every_invariant_of_the_architecture_names_a_test_that_exists() {
    let architecture = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    assert!(architecture.lines().count() <= 200, "ARCHITECTURE.md is longer than 200 lines");
    let mut all_sources = String::new();
    for path in sources() {
        all_sources.push_str(&fs::read_to_string(path).unwrap());
    }
    let names: Vec<&str> = architecture.lines().filter_map(|line| line.split_once("Held by `")?.1.split('`').next()).collect();
    assert!(names.len() >= 8, "the invariants with their tests were found: {names:?}");
    for name in names {
        assert!(all_sources.contains(&format!("fn {name}(")), "ARCHITECTURE.md names the test {name}, which does not exist");
    }
}
