//! The file: its keys with their places, checked against the keys that exist before any value is looked at.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::near::near;
use super::overlay::Setting;
use super::secret::names_a_secret;
use super::sections::Config;
use super::{ConfigError, Origin};

const FILE_BYTES_MAX: u64 = 1 << 20;

/// What the file says, and where.
pub(super) struct Parsed {
    pub(super) table: toml::Table,
    pub(super) origins: BTreeMap<String, Origin>,
}

pub(super) fn read(path: &Path) -> Result<String, ConfigError> {
    let unreadable = |source| ConfigError::Unreadable { path: path.to_owned(), source };
    let bytes = std::fs::metadata(path).map_err(unreadable)?.len();
    if bytes > FILE_BYTES_MAX {
        return Err(unreadable(std::io::Error::other(format!("larger than {FILE_BYTES_MAX} bytes"))));
    }
    std::fs::read_to_string(path).map_err(unreadable)
}

/// Parses `text`; `path` is only for messages.
pub(super) fn parse(path: &Path, text: &str, settings: &[Setting]) -> Result<Parsed, ConfigError> {
    let place = |span: Range<usize>| place(path, text, span.start);
    let tree = DeTable::parse(text).map_err(|error| ConfigError::Syntax {
        origin: place(error.span().unwrap_or_default()),
        message: error.message().to_owned(),
    })?;
    let mut found = Vec::new();
    leaves("", tree.get_ref(), settings, &mut found);
    for (key, leaf) in &found {
        if !settings.iter().any(|setting| setting.key == *key) {
            return Err(unknown(place(leaf.key.clone()), key, settings));
        }
    }
    if let Err(error) = toml::from_str::<Config>(text) {
        return Err(mistyped(path, text, &found, &error));
    }
    let origins = found.into_iter().map(|(key, leaf)| (key, place(leaf.key))).collect();
    let table = toml::from_str(text).map_err(|error| ConfigError::Syntax {
        origin: place(error.span().unwrap_or_default()),
        message: error.message().to_owned(),
    })?;
    Ok(Parsed { table, origins })
}

struct Leaf {
    key: Range<usize>,
    value: Range<usize>,
}

/// Every key that is no section, with its spans. A section where a value belongs is left to the types.
fn leaves(prefix: &str, table: &DeTable<'_>, settings: &[Setting], found: &mut Vec<(String, Leaf)>) {
    for (key, value) in table {
        let name = if prefix.is_empty() { key.get_ref().to_string() } else { format!("{prefix}.{}", key.get_ref()) };
        let is_section = settings.iter().any(|setting| setting.key.starts_with(&format!("{name}.")));
        match inner_table(value).filter(|_| is_section) {
            Some(inner) => leaves(&name, inner, settings, found),
            None => found.push((name, Leaf { key: key.span(), value: value.span() })),
        }
    }
}

fn inner_table<'a, 'i>(value: &'a Spanned<DeValue<'i>>) -> Option<&'a DeTable<'i>> {
    value.get_ref().as_table()
}

pub(super) fn unknown(origin: Origin, key: &str, settings: &[Setting]) -> ConfigError {
    let hint = if names_a_secret(key) {
        "secrets are not written in the file: put it in a file of its own or in a variable, and name that with a key that ends in `file` or `variable`".to_owned()
    } else {
        match near(key, settings.iter().map(|setting| setting.key.as_str())).as_slice() {
            [] => "docs/isinglass.toml lists every key".to_owned(),
            near => format!("did you mean {}?", near.iter().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(" or ")),
        }
    };
    ConfigError::UnknownKey { origin, key: key.to_owned(), hint }
}

fn mistyped(path: &Path, text: &str, found: &[(String, Leaf)], error: &toml::de::Error) -> ConfigError {
    let start = error.span().unwrap_or_default().start;
    let holds = |leaf: &Leaf| leaf.value.contains(&start) || leaf.key.contains(&start);
    let key = found.iter().find(|(_, leaf)| holds(leaf)).map(|(key, _)| key.clone()).unwrap_or_default();
    ConfigError::Value { origin: place(path, text, start), key, expected: error.message().to_owned() }
}

fn place(path: &Path, text: &str, offset: usize) -> Origin {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    Origin::File { path: path.to_owned(), line, column }
}
