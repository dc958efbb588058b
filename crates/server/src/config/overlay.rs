//! The environment and flags over the file. Their values are text; what type a key takes is asked of the structs.

use std::collections::BTreeMap;

use toml::{Table, Value};

use super::file::{Parsed, unknown};
use super::near::distance;
use super::sections::Config;
use super::{ConfigError, Environment, Origin, Overrides};

const VARIABLE_PREFIX: &str = "ISINGLASS_";
/// Variables of the program that are no settings.
const OTHER_VARIABLES: [&str; 1] = ["ISINGLASS_BOOTSTRAP_TOKEN"];
const MISSPELLED_DISTANCE_MAX: usize = 2;

/// One thing that can be set, and its three names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// In the file: `limits.body_bytes`.
    pub key: String,
    /// In the environment: `ISINGLASS_LIMITS_BODY_BYTES`.
    pub variable: String,
    /// On the command line: `limits-body-bytes`.
    pub flag: String,
}

/// Every setting, in the order of their keys.
#[must_use]
pub fn settings() -> Vec<Setting> {
    let mut keys = Vec::new();
    if let Ok(tree) = serde_json::to_value(Config::default()) {
        collect("", &tree, &mut keys);
    }
    keys.sort();
    keys.into_iter().map(named).collect()
}

fn named(key: String) -> Setting {
    let variable = format!("{VARIABLE_PREFIX}{}", key.replace('.', "_").to_ascii_uppercase());
    let flag = key.replace(['.', '_'], "-");
    Setting { key, variable, flag }
}

fn collect(prefix: &str, tree: &serde_json::Value, keys: &mut Vec<String>) {
    let Some(members) = tree.as_object() else {
        keys.push(prefix.to_owned());
        return;
    };
    for (name, value) in members {
        let key = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
        collect(&key, value, keys);
    }
}

/// The file with what has been laid over it so far.
pub(super) struct Layers {
    table: Table,
    origins: BTreeMap<String, Origin>,
}

impl Layers {
    pub(super) fn over(file: Parsed) -> Self {
        Self { table: file.table, origins: file.origins }
    }

    pub(super) fn environment(&mut self, environment: &Environment, settings: &[Setting]) -> Result<(), ConfigError> {
        for setting in settings {
            if let Some(text) = environment.get(&setting.variable) {
                self.set(&setting.key, text, Origin::Variable(setting.variable.clone()))?;
            }
        }
        Ok(())
    }

    pub(super) fn flags(&mut self, overrides: &Overrides, settings: &[Setting]) -> Result<(), ConfigError> {
        let catalog = overrides.catalog.as_ref().map(super::CatalogUrl::expose);
        let named =
            [("listen", overrides.listen.as_deref()), ("public_url", overrides.public_url.as_deref()), ("catalog", catalog)];
        for (key, text) in named {
            if let Some(text) = text {
                self.set(key, text, Origin::Flag(key.replace('_', "-")))?;
            }
        }
        for (key, text) in &overrides.others {
            let Some(setting) = settings.iter().find(|setting| setting.key == *key) else {
                return Err(unknown(Origin::Flag(key.replace(['.', '_'], "-")), key, settings));
            };
            self.set(key, text, Origin::Flag(setting.flag.clone()))?;
        }
        Ok(())
    }

    fn set(&mut self, key: &str, text: &str, origin: Origin) -> Result<(), ConfigError> {
        match typed(key, text) {
            Ok(value) => {
                put(&mut self.table, key, value);
                self.origins.insert(key.to_owned(), origin);
                Ok(())
            }
            Err(expected) => Err(ConfigError::Value { origin, key: key.to_owned(), expected }),
        }
    }

    pub(super) fn finish(self) -> Result<(Config, BTreeMap<String, Origin>), ConfigError> {
        match self.table.try_into() {
            Ok(config) => Ok((config, self.origins)),
            Err(error) => {
                let expected = error.message().to_owned();
                Err(ConfigError::Value { origin: Origin::Default, key: String::new(), expected })
            }
        }
    }
}

/// The first reading of `text` that the key takes: a string, a number, a switch, a list with commas.
fn typed(key: &str, text: &str) -> Result<Value, String> {
    let list = text.split(',').map(str::trim).filter(|item| !item.is_empty());
    let string = Value::String(text.to_owned());
    let mut readings = vec![string.clone()];
    readings.extend(text.parse().ok().map(Value::Integer));
    readings.extend(text.parse().ok().map(Value::Boolean));
    readings.push(Value::Array(list.map(|item| Value::String(item.to_owned())).collect()));
    for value in readings {
        if takes(key, &value).is_ok() {
            return Ok(value);
        }
    }
    Err(takes(key, &Value::String(String::new())).err().unwrap_or_default())
}

/// What the structs say of a value. The error of an empty string is what tells people what is expected: it cannot repeat a secret.
fn takes(key: &str, value: &Value) -> Result<(), String> {
    let mut table = Table::new();
    put(&mut table, key, value.clone());
    table.try_into::<Config>().map(drop).map_err(|error| error.message().replace("invalid type: string \"\", ", ""))
}

fn put(table: &mut Table, key: &str, value: Value) {
    match key.split_once('.') {
        None => {
            table.insert(key.to_owned(), value);
        }
        Some((section, rest)) => {
            let inner = table.entry(section).or_insert_with(|| Value::Table(Table::new()));
            if let Value::Table(inner) = inner {
                put(inner, rest, value);
            }
        }
    }
}

/// Variables that are nearly a setting. Others with the prefix are left alone: orchestrators set some of their own.
pub(super) fn misspelled(environment: &Environment, settings: &[Setting]) -> Vec<String> {
    let mut warnings = Vec::new();
    for name in environment.0.keys().filter(|name| name.starts_with(VARIABLE_PREFIX)) {
        let known = settings.iter().any(|setting| setting.variable == *name) || OTHER_VARIABLES.contains(&name.as_str());
        let near = settings.iter().find(|setting| distance(&setting.variable, name) <= MISSPELLED_DISTANCE_MAX);
        if let (false, Some(setting)) = (known, near) {
            warnings.push(format!("the environment variable {name} is not a setting; did you mean {}?", setting.variable));
        }
    }
    warnings
}
